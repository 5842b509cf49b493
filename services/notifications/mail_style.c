/*
 * mail_style.c - how mails look: the site's type and red, one column, in light and in dark.
 *
 * A page's style is a file of the site; a mail must bring its own. Mail programs that leave it
 * out lose nothing but looks: the order of the markup says the same.
 */
#include "views.h"

static const char style[] =
	"<style>body{margin:0;font:17px/1.6 system-ui,sans-serif;overflow-wrap:anywhere}"
	"table{width:100%;max-width:580px}td{padding:16px}"
	"h1{font:700 24px/1.25 Charter,Georgia,serif;margin:0 0 16px}"
	"blockquote{margin:16px 0;padding-left:16px;border-left:3px solid #b81d2c}"
	"p>a:has(b){display:inline-block;padding:9px 18px;border-radius:4px;background:#b81d2c;"
	"color:#fff;text-decoration:none}"
	"hr{border:0;border-top:1px solid #8886;margin:24px 0 12px}small{color:#6f6a62}"
	"@media(prefers-color-scheme:dark){small{color:#aba398}}</style>";

const struct html mail_style = {style, sizeof style - 1};
