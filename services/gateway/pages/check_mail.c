/*
 * check_mail.c - the page after whatever ends in a mail; the same for every address.
 */
#include "gateway/pages/check_mail.h"

#include "gateway/pages/mailbox.h"
#include "gateway/pages/page.h"
#include "gateway_templates.h"

struct step draw_check_mail(struct visit *v, enum check_mail_reason why, const char *email)
{
	struct html_out out = page_out(v);
	struct check_mail_view view = {
		.why = why,
		.email = email,
		.mailbox_url = site.mailbox != NULL ? MAILBOX_PATH : NULL,
	};

	page_begin(v, &view.page);
	view.page.title = tr(v->locale, "Regardez votre boîte aux lettres");
	view.page.hide_sign_in = true;
	render_check_mail_page(&out, &view);
	return visit_page(v, 200, &out);
}
