/*
 * check_mail.h - the page after whatever ends in a mail.
 */
#ifndef GATEWAY_PAGES_CHECK_MAIL_H
#define GATEWAY_PAGES_CHECK_MAIL_H

#include "gateway/gateway.h"

/* Ends the visit. email: as it was typed, or NULL. */
struct step draw_check_mail(struct visit *, enum check_mail_reason, const char *email);

#endif
