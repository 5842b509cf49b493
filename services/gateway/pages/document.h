/*
 * document.h - answers for machines: the same for everybody, with an ETag.
 */
#ifndef GATEWAY_PAGES_DOCUMENT_H
#define GATEWAY_PAGES_DOCUMENT_H

#include "gateway/gateway.h"

/* Ends the visit: 200, or 304 where the client has it. The output is taken over. */
struct step document_send(struct visit *, const char *type, struct html_out *);

/* <name>text</name>, or nothing for NULL. */
void document_element(struct html_out *, const char *name, const char *text);

#endif
