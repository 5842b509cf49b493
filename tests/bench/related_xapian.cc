/*
 * related_xapian.cc - Xapian's C++ interface as the bench's C one.
 */
#include "related_xapian.h"

#include <cstdlib>
#include <string>

#include <xapian.h>

static std::string folder;
static Xapian::WritableDatabase *writer;
static Xapian::Database *reader;
static Xapian::Document document;

void xapian_open(void)
{
	char path[] = "/tmp/related_xapian.XXXXXX";

	folder = mkdtemp(path);
	writer = new Xapian::WritableDatabase(folder, Xapian::DB_CREATE_OR_OVERWRITE);
}

void xapian_begin(void)
{
	document = Xapian::Document();
}

void xapian_add(const char *term, unsigned frequency)
{
	document.add_term(term, frequency);
}

void xapian_end(unsigned id)
{
	writer->replace_document(id, document);
}

void xapian_commit(void)
{
	writer->commit();
	reader = new Xapian::Database(folder);
}

void xapian_ask(const char *const *terms, unsigned count)
{
	Xapian::Enquire enquire(*reader);

	enquire.set_query(Xapian::Query(Xapian::Query::OP_OR, terms, terms + count));
	enquire.get_mset(0, 10);
}

void xapian_close(void)
{
	delete reader;
	delete writer;
	if (std::system(("rm -rf " + folder).c_str()) != 0)
		std::abort();
}
