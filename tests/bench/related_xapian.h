/*
 * related_xapian.h - the peer of the bench: Xapian, in a database in a temporary folder.
 */
#ifndef BENCH_RELATED_XAPIAN_H
#define BENCH_RELATED_XAPIAN_H

#ifdef __cplusplus
extern "C" {
#endif

void xapian_open(void);
void xapian_begin(void); /* a document */
void xapian_add(const char *term, unsigned frequency);
void xapian_end(unsigned id);
void xapian_commit(void);
void xapian_ask(const char *const *terms, unsigned count); /* the ten best of any of them */
void xapian_close(void);

#ifdef __cplusplus
}
#endif

#endif
