/*
 * mailbox.c - /dev/mailbox: what the site sent on a developer's machine, for people and for
 * programs.
 *
 *   /dev/mailbox                      the list          /dev/mailbox/messages.json
 *   /dev/mailbox/messages/{id}        one message       …/{id}.eml as it came, …/{id}.html its HTML
 *
 * The folder is deploy/local/mailbox.py's: <number>.eml, with the envelope in two
 * fields on top. It exists on one machine for one developer, so reading it may
 * block the loop for a moment. Without CAUSERIE_DEV_MAILBOX none of this is there.
 */
#include "gateway/pages/mailbox.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <event2/buffer.h>
#include <gmime/gmime.h>
#include <jansson.h>

#include "gateway/pages/page.h"
#include "gateway/pages/pages.h"
#include "gateway_templates.h"
#include "lib/text.h"

#define LISTED      200 /* the latest ones */
#define NUMBERS_MAX 100000
#define SIZE_MAX_   (10 << 20) /* mailbox.py takes no larger ones */

struct mail {
	struct visit visit;
	unsigned long number;
	const char *suffix; /* "", ".eml", ".html" */
	GMimeMessage *message;
};

static task_step show_list, list_as_json, show_message;

const struct handler mailbox_page = HANDLER(struct visit, show_list);
const struct handler mailbox_json = HANDLER(struct visit, list_as_json);
const struct handler mailbox_message = HANDLER(struct mail, show_message);

static const struct {
	const char *name, *value;
} framed[] = {
	/* The message stands in a frame of its own page, and can do nothing there. */
	{"Content-Security-Policy",
	 "default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'self'; "
	 "sandbox allow-popups allow-popups-to-escape-sandbox "
	 "allow-top-navigation-by-user-activation"},
	{"X-Frame-Options", "SAMEORIGIN"},
};

static const char frames_allowed[] =
	"default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; "
	"connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'; "
	"frame-src 'self'";

/* --- the folder ------------------------------------------------------------------- */

/* "12.eml" is 12; 0 for another name. */
static unsigned long number_of(const char *name)
{
	char *end;
	const unsigned long number = strtoul(name, &end, 10);

	return end != name && strcmp(end, ".eml") == 0 ? number : 0;
}

static int latest_first(const void *left, const void *right)
{
	const unsigned long a = *(const unsigned long *)left, b = *(const unsigned long *)right;

	return a > b ? -1 : a < b;
}

static unsigned long *find_numbers(struct arena *arena, size_t *n)
{
	unsigned long *numbers = ARENA_ARRAY(arena, unsigned long, NUMBERS_MAX);
	DIR *folder = opendir(site.mailbox);
	const struct dirent *entry;

	*n = 0;
	if (folder == NULL) /* nothing was sent yet */
		return numbers;
	while (*n < NUMBERS_MAX && (entry = readdir(folder)) != NULL)
		if ((numbers[*n] = number_of(entry->d_name)) != 0)
			++*n;
	closedir(folder);
	qsort(numbers, *n, sizeof *numbers, latest_first);
	return numbers;
}

/* The bytes of a message, or NULL. */
static char *read_message(struct arena *arena, unsigned long number, size_t *size)
{
	const int file = open(arena_printf(arena, "%s/%lu.eml", site.mailbox, number),
			      O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	struct stat status;
	char *bytes;
	ssize_t got = -1;

	if (file < 0)
		return NULL;
	if (fstat(file, &status) == 0 && S_ISREG(status.st_mode) && status.st_size <= SIZE_MAX_) {
		bytes = arena_alloc(arena, (size_t)status.st_size + 1);
		got = read(file, bytes, (size_t)status.st_size);
	}
	close(file);
	if (got < 0)
		return NULL;
	*size = (size_t)got;
	return bytes;
}

static void release(void *object)
{
	g_object_unref(object);
}

/* Lives as long as the arena. */
static GMimeMessage *parse(struct arena *arena, unsigned long number)
{
	static bool ready;
	GMimeMessage *message;
	GMimeStream *stream;
	GMimeParser *parser;
	size_t size;
	const char *bytes = read_message(arena, number, &size);

	if (bytes == NULL)
		return NULL;
	if (!ready)
		g_mime_init();
	ready = true;
	stream = g_mime_stream_mem_new_with_buffer(bytes, size);
	parser = g_mime_parser_new_with_stream(stream);
	message = g_mime_parser_construct_message(parser, NULL);
	g_object_unref(parser);
	g_object_unref(stream);
	if (message != NULL)
		arena_defer(arena, release, message);
	return message;
}

/* --- what a message says --------------------------------------------------------------- */

static const char *shown(struct arena *arena, const char *text)
{
	if (text == NULL || !text_is_utf8(text, strlen(text)))
		return "";
	return arena_strdup(arena, text);
}

static const char *field(struct arena *arena, GMimeMessage *message, const char *name)
{
	return shown(arena, g_mime_object_get_header(GMIME_OBJECT(message), name));
}

static const char *sender(struct arena *arena, GMimeMessage *message)
{
	char *text = internet_address_list_to_string(g_mime_message_get_from(message), NULL, FALSE);
	const char *from = shown(arena, text);

	g_free(text);
	return from;
}

static struct mailbox_row row_of(struct arena *arena, GMimeMessage *message, unsigned long number)
{
	GDateTime *date = g_mime_message_get_date(message);

	return (struct mailbox_row){
		.id = arena_printf(arena, "%lu", number),
		.to = field(arena, message, "X-Envelope-To"),
		.from = sender(arena, message),
		.subject = shown(arena, g_mime_message_get_subject(message)),
		.at = {date != NULL ? g_date_time_to_unix(date) * 1000000 : 0},
	};
}

/* The first part of that kind as text, or NULL. */
static const char *part_of(struct arena *arena, GMimeMessage *message, const char *subtype)
{
	GMimePartIter *at = g_mime_part_iter_new(GMIME_OBJECT(message));
	const char *found = NULL;

	do {
		GMimeObject *part = g_mime_part_iter_get_current(at);
		char *text;

		if (part == NULL || !GMIME_IS_TEXT_PART(part) ||
		    !g_mime_content_type_is_type(g_mime_object_get_content_type(part), "text",
						 subtype))
			continue;
		text = g_mime_text_part_get_text(GMIME_TEXT_PART(part));
		found = shown(arena, text);
		g_free(text);
	} while (found == NULL && g_mime_part_iter_next(at));
	g_mime_part_iter_free(at);
	return found;
}

static size_t length_of_link(const char *text)
{
	if (strncmp(text, "http://", 7) != 0 && strncmp(text, "https://", 8) != 0)
		return 0;
	return strcspn(text, " \t\r\n<>\"()[]");
}

static struct html with_links(struct arena *arena, const char *text)
{
	struct html_out out = {0};
	struct html written;

	while (*text != '\0') {
		const size_t link = length_of_link(text);
		const char *piece = arena_strndup(arena, text, link > 0 ? link : 1);

		if (link > 0) {
			html_markup(&out, HTML("<a href=\""));
			html_url(&out, piece);
			html_markup(&out, HTML("\">"));
			html_text(&out, piece);
			html_markup(&out, HTML("</a>"));
		} else if (*text != '\r') {
			html_text(&out, piece);
		}
		text += link > 0 ? link : 1;
	}
	written = html_written(&out);
	written.bytes = arena_copy(arena, written.bytes, written.size);
	html_out_free(&out);
	return written;
}

/* --- the list ----------------------------------------------------------------------------- */

static const struct mailbox_row *latest(struct arena *arena, size_t *n)
{
	size_t n_numbers;
	const unsigned long *numbers = find_numbers(arena, &n_numbers);
	struct mailbox_row *rows = ARENA_ARRAY(arena, struct mailbox_row, LISTED);

	*n = 0;
	for (size_t i = 0; i < n_numbers && *n < LISTED; i++) {
		GMimeMessage *message = parse(arena, numbers[i]);

		if (message != NULL)
			rows[(*n)++] = row_of(arena, message, numbers[i]);
	}
	return rows;
}

static struct step show_list(struct task *task)
{
	struct visit *v = (struct visit *)task;
	struct html_out out = page_out(v);
	struct mailbox_view view = {0};

	if (site.mailbox == NULL)
		return visit_fail(v, 404, NULL);
	view.rows = latest(&task->arena, &view.n_rows);
	page_begin(v, &view.page);
	view.page.title = tr(v->locale, "Boîte de développement");
	render_mailbox_page(&out, &view);
	return visit_page(v, 200, &out);
}

static struct step list_as_json(struct task *task)
{
	struct visit *v = (struct visit *)task;
	const struct mailbox_row *rows;
	json_t *list;
	size_t n;

	if (site.mailbox == NULL)
		return visit_fail(v, 404, NULL);
	rows = latest(&task->arena, &n);
	list = json_array();
	for (size_t i = 0; i < n; i++) {
		char date[LOCALE_TEXT];

		locale_rfc3339(rows[i].at, date);
		json_array_append_new(list, json_pack("{s:s, s:s, s:s, s:s}", "id", rows[i].id,
						      "to", rows[i].to, "subject", rows[i].subject,
						      "date", date));
	}
	return visit_json(v, 200, list);
}

/* --- one message ---------------------------------------------------------------------------- */

static struct step show_source(struct mail *m)
{
	size_t size;
	const char *bytes = read_message(&m->visit.task.arena, m->number, &size);

	if (bytes == NULL)
		return visit_fail(&m->visit, 404, NULL);
	visit_field(&m->visit, "Content-Type", "message/rfc822");
	visit_field(&m->visit, "Content-Disposition", "attachment");
	evbuffer_add(http_response_body(&m->visit.response), bytes, size);
	return visit_reply(&m->visit, 200);
}

/* Links lead out of the frame. */
static struct step show_html(struct mail *m)
{
	static const char head[] = "<head>", target[] = "<base target=\"_top\">";
	const char *html = part_of(&m->visit.task.arena, m->message, "html");
	struct evbuffer *body = http_response_body(&m->visit.response);
	const char *at;

	if (html == NULL)
		return visit_fail(&m->visit, 404, NULL);
	at = strstr(html, head);
	at = at != NULL ? at + strlen(head) : html;
	evbuffer_add(body, html, (size_t)(at - html));
	evbuffer_add(body, target, strlen(target));
	evbuffer_add(body, at, strlen(at));
	for (size_t i = 0; i < sizeof framed / sizeof *framed; i++)
		visit_field(&m->visit, framed[i].name, framed[i].value);
	visit_field(&m->visit, "Content-Type", "text/html; charset=utf-8");
	return visit_reply(&m->visit, 200);
}

static struct step show_page(struct mail *m)
{
	struct arena *arena = &m->visit.task.arena;
	const struct mailbox_row row = row_of(arena, m->message, m->number);
	struct html_out out = page_out(&m->visit);
	struct message_view view = {
		.message = &row,
		.text = part_of(arena, m->message, "plain"),
		.eml_url = arena_printf(arena, MAILBOX_PATH "/messages/%s.eml", row.id),
	};
	char *headers = g_mime_object_get_headers(GMIME_OBJECT(m->message), NULL);

	view.headers = shown(arena, headers);
	g_free(headers);
	if (view.text != NULL)
		view.text_html = with_links(arena, view.text);
	if (part_of(arena, m->message, "html") != NULL)
		view.html_url = arena_printf(arena, MAILBOX_PATH "/messages/%s.html", row.id);
	page_begin(&m->visit, &view.page);
	view.page.title = row.subject;
	visit_field(&m->visit, "Content-Security-Policy", frames_allowed);
	render_message_page(&out, &view);
	return visit_page(&m->visit, 200, &out);
}

static struct step show_message(struct task *task)
{
	struct mail *m = (struct mail *)task;
	char *end;

	m->number = strtoul(visit_parameter(&m->visit, "message"), &end, 10);
	m->suffix = end;
	if (site.mailbox == NULL || m->number == 0)
		return visit_fail(&m->visit, 404, NULL);
	if (strcmp(m->suffix, ".eml") == 0)
		return show_source(m);
	m->message = parse(&task->arena, m->number);
	if (m->message == NULL)
		return visit_fail(&m->visit, 404, NULL);
	if (strcmp(m->suffix, ".html") == 0)
		return show_html(m);
	return *m->suffix == '\0' ? show_page(m) : visit_fail(&m->visit, 404, NULL);
}
