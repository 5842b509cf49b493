/*
 * page.h - what every page begins with.
 */
#ifndef GATEWAY_PAGES_PAGE_H
#define GATEWAY_PAGES_PAGE_H

#include "gateway/gateway.h"

/*
 * Fills in what all pages share: the site, where the reader is, who they are,
 * what is missing. A signed-in page has its form token; a visitor's only after
 * page_with_forms(), because with it the page cannot be kept for others.
 */
void page_begin(struct visit *, struct page *);
void page_with_forms(struct visit *, struct page *);

/* The notice that a form's work is done, when the address says which (`fait`). */
void page_say_done(struct visit *, struct page *);

/* An output in the visit's language, zone and time. */
struct html_out page_out(const struct visit *);

#endif
