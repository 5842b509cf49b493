/*
 * markdown.c - walks what cmark-gfm parsed and writes what we allow.
 *
 * The parser is not asked for HTML: its renderer would have to be talked out of
 * raw HTML, pictures and foreign schemes, ours never learns them. Each
 * container that a line begins in is looked at again for each following line, so
 * markers beyond NESTING_LIMIT at a line's start are taken out before it sees them.
 */
#include "lib/markdown.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <cmark-gfm-core-extensions.h>
#include <cmark-gfm-extension_api.h>
#include <cmark-gfm.h>

#include "lib/arena.h"
#include "lib/text.h"

#define NESTING_LIMIT 8

/* --- parsing --- */

static size_t marker_length(const char *at)
{
	size_t digits;

	if (*at == '>')
		return 1;
	if (*at == '-' || *at == '+' || *at == '*')
		return at[1] == ' ' || at[1] == '\t' ? 1 : 0;
	digits = strspn(at, "0123456789");
	if (digits == 0 || digits > 9 || (at[digits] != '.' && at[digits] != ')'))
		return 0;
	return at[digits + 1] == ' ' || at[digits + 1] == '\t' ? digits + 1 : 0;
}

/* Copies the containers' markers that begin a line, the first few of them; returns what follows. */
static const char *copy_markers(const char *line, char **to)
{
	unsigned markers = 0;
	size_t length;

	for (;;) {
		length = strspn(line, " \t");
		if (markers <= NESTING_LIMIT) {
			memcpy(*to, line, length);
			*to += length;
		}
		line += length;
		length = marker_length(line);
		if (length == 0)
			return line;
		if (++markers <= NESTING_LIMIT) {
			memcpy(*to, line, length);
			*to += length;
		}
		line += length;
	}
}

static char *limit_nesting(struct arena *arena, const char *source)
{
	char *limited = arena_alloc(arena, strlen(source) + 1), *to = limited;
	size_t rest;

	while (*source != '\0') {
		source = copy_markers(source, &to);
		rest = strcspn(source, "\n");
		rest += source[rest] == '\n';
		memcpy(to, source, rest);
		to += rest;
		source += rest;
	}
	*to = '\0';
	return limited;
}

static void attach(cmark_parser *parser, const char *name)
{
	cmark_parser_attach_syntax_extension(parser, cmark_find_syntax_extension(name));
}

static cmark_node *parse(struct arena *arena, const char *source)
{
	const char *limited = limit_nesting(arena, source);
	cmark_parser *parser;
	cmark_node *document;

	cmark_gfm_core_extensions_ensure_registered();
	parser = cmark_parser_new(CMARK_OPT_VALIDATE_UTF8 | CMARK_OPT_STRIKETHROUGH_DOUBLE_TILDE);
	attach(parser, "strikethrough");
	attach(parser, "autolink");
	cmark_parser_feed(parser, limited, strlen(limited));
	document = cmark_parser_finish(parser);
	cmark_parser_free(parser);
	return document;
}

static char *keep(struct arena *arena, struct html_out *out, size_t *size)
{
	char *bytes = html_out_take(out, size), *kept;

	if (bytes == NULL) { /* as long as nobody feeds 16 MB, which no limit lets through */
		*size = 0;
		return arena_strdup(arena, "");
	}
	kept = arena_copy(arena, bytes, *size);
	free(bytes);
	return kept;
}

/* --- what several writers ask --- */

static bool is_strikethrough(cmark_node *node)
{
	return strcmp(cmark_node_get_type_string(node), "strikethrough") == 0;
}

static bool is_safe_address(const char *url)
{
	return strncasecmp(url, "https://", 8) == 0 || strncasecmp(url, "http://", 7) == 0 ||
	       strncasecmp(url, "mailto:", 7) == 0;
}

/* A path of this site; "//host" and "/\\host" are other hosts to a browser. */
static bool is_our_path(const char *url)
{
	return url[0] == '/' && url[1] != '/' && url[1] != '\\';
}

/* A block that stands without space around it, because it is in a tight list's item. */
static bool is_tight(cmark_node *block)
{
	cmark_node *item = cmark_node_parent(block);
	cmark_node *list = item ? cmark_node_parent(item) : NULL;

	return list != NULL && cmark_node_get_type(list) == CMARK_NODE_LIST &&
	       cmark_node_get_list_tight(list);
}

/* --- as markup --- */

static void write_literal(struct html_out *out, const char *markup)
{
	html_raw(out, markup, strlen(markup));
}

/* Percent-encodes what may not stand in a URL (RFC 3986 2), escapes what may not in an attribute.
 */
static void write_address(struct html_out *out, const char *url)
{
	static const char hex[] = "0123456789ABCDEF";

	for (; *url != '\0'; url++) {
		const unsigned char byte = (unsigned char)*url;
		const char encoded[] = {'%', hex[byte >> 4], hex[byte & 15]};

		if (byte == '&')
			write_literal(out, "&amp;");
		else if (byte == '\'')
			write_literal(out, "%27");
		else if (byte > ' ' && byte < 0x7F && strchr("\"<>\\^`{|}", byte) == NULL)
			html_raw(out, url, 1);
		else
			html_raw(out, encoded, sizeof encoded);
	}
}

/* In a mail there is no site for a path to be of. */
static void write_link(struct html_out *out, cmark_node *link, enum markdown_kind kind,
		       bool entering)
{
	const char *url = cmark_node_get_url(link);
	const bool ours = url != NULL && kind != MARKDOWN_MAIL && is_our_path(url);

	if (url == NULL || (!ours && !is_safe_address(url)))
		return;
	if (!entering) {
		write_literal(out, "</a>");
		return;
	}
	write_literal(out, "<a href=\"");
	write_address(out, url);
	write_literal(out, ours ? "\">" : "\" rel=\"ugc nofollow noopener\">");
}

static void write_heading(struct html_out *out, cmark_node *heading, enum markdown_kind kind,
			  bool entering)
{
	const int level = cmark_node_get_heading_level(heading);
	char tag[] = "<h2>";

	if (kind != MARKDOWN_ARTICLE) {
		write_literal(out, entering ? "<p><strong>" : "</strong></p>\n");
		return;
	}
	if (!entering)
		write_literal(out, "</");
	if (level > 2) /* the page's title is the only <h1> */
		tag[2] = (char)('0' + level);
	write_literal(out, entering ? tag : tag + 1);
	if (!entering)
		write_literal(out, "\n");
}

static void write_list(struct html_out *out, cmark_node *list, bool entering)
{
	const bool ordered = cmark_node_get_list_type(list) == CMARK_ORDERED_LIST;
	const int start = cmark_node_get_list_start(list);

	if (!entering) {
		write_literal(out, ordered ? "</ol>\n" : "</ul>\n");
	} else if (ordered && start != 1) {
		write_literal(out, "<ol start=\"");
		html_attribute_number(out, start);
		write_literal(out, "\">\n");
	} else {
		write_literal(out, ordered ? "<ol>\n" : "<ul>\n");
	}
}

static void write_around(struct html_out *out, const char *open, const char *content,
			 const char *close)
{
	write_literal(out, open);
	html_text(out, content);
	write_literal(out, close);
}

static void write_without_line_end(struct html_out *out, const char *text)
{
	const size_t length = strlen(text);

	html_text(out, text);
	if (length > 0 && text[length - 1] == '\n')
		out->size--;
}

/* Elements that open and close around their children: open, close. */
static void write_element(struct html_out *out, bool entering, const char *open, const char *close)
{
	write_literal(out, entering ? open : close);
}

static void write_node(struct html_out *out, cmark_node *node, enum markdown_kind kind,
		       bool entering)
{
	switch ((int)cmark_node_get_type(node)) {
	case CMARK_NODE_BLOCK_QUOTE:
		write_element(out, entering, "<blockquote>\n", "</blockquote>\n");
		return;
	case CMARK_NODE_LIST:
		write_list(out, node, entering);
		return;
	case CMARK_NODE_ITEM:
		write_element(out, entering, "<li>", "</li>\n");
		return;
	case CMARK_NODE_CODE_BLOCK:
		write_around(out, "<pre><code>", cmark_node_get_literal(node), "</code></pre>\n");
		return;
	case CMARK_NODE_HTML_BLOCK:
		write_literal(out, "<p>");
		write_without_line_end(out, cmark_node_get_literal(node));
		write_literal(out, "</p>\n");
		return;
	case CMARK_NODE_PARAGRAPH:
		if (!is_tight(node))
			write_element(out, entering, "<p>", "</p>\n");
		return;
	case CMARK_NODE_HEADING:
		write_heading(out, node, kind, entering);
		return;
	case CMARK_NODE_THEMATIC_BREAK:
		write_literal(out, "<hr>\n");
		return;
	case CMARK_NODE_TEXT:
	case CMARK_NODE_HTML_INLINE:
		html_text(out, cmark_node_get_literal(node));
		return;
	case CMARK_NODE_SOFTBREAK:
		write_literal(out, kind != MARKDOWN_ARTICLE ? "<br>\n" : "\n");
		return;
	case CMARK_NODE_LINEBREAK:
		write_literal(out, "<br>\n");
		return;
	case CMARK_NODE_CODE:
		write_around(out, "<code>", cmark_node_get_literal(node), "</code>");
		return;
	case CMARK_NODE_EMPH:
		write_element(out, entering, "<em>", "</em>");
		return;
	case CMARK_NODE_STRONG:
		write_element(out, entering, "<strong>", "</strong>");
		return;
	case CMARK_NODE_LINK:
	case CMARK_NODE_IMAGE:
		write_link(out, node, kind, entering);
		return;
	default:
		if (is_strikethrough(node))
			write_element(out, entering, "<del>", "</del>");
	}
}

struct html markdown_html(struct arena *arena, const char *source, enum markdown_kind kind)
{
	cmark_node *document = parse(arena, source);
	cmark_iter *iter = cmark_iter_new(document);
	struct html_out out = {0};
	struct html html;
	cmark_event_type event;

	while ((event = cmark_iter_next(iter)) != CMARK_EVENT_DONE)
		write_node(&out, cmark_iter_get_node(iter), kind, event == CMARK_EVENT_ENTER);
	cmark_iter_free(iter);
	cmark_node_free(document);
	html.bytes = keep(arena, &out, &html.size);
	return html;
}

/* --- as plain text --- */

struct plain {
	struct html_out out;
	char prefix[64]; /* of every line: "> " of quotes, spaces of items */
	size_t prefix_length;
	unsigned unshown; /* containers beyond what the prefix holds */
	char marker[16];  /* "- ", in place of the prefix's last part, once */
	bool in_line, block_before;
};

static void start_line(struct plain *p)
{
	const size_t marker = strlen(p->marker);

	if (p->in_line)
		return;
	html_raw(&p->out, p->prefix, p->prefix_length - (marker > p->prefix_length ? 0 : marker));
	write_literal(&p->out, p->marker);
	p->marker[0] = '\0';
	p->in_line = true;
}

static void end_line(struct plain *p)
{
	write_literal(&p->out, "\n");
	p->in_line = false;
}

static void write_lines(struct plain *p, const char *text)
{
	while (*text != '\0') {
		const size_t length = strcspn(text, "\n");

		start_line(p);
		html_raw(&p->out, text, length);
		text += length;
		if (*text == '\n') {
			end_line(p);
			text++;
		}
	}
}

static void push(struct plain *p, const char *part)
{
	if (p->unshown > 0 || p->prefix_length + strlen(part) >= sizeof p->prefix) {
		p->unshown++;
		return;
	}
	strcpy(p->prefix + p->prefix_length, part);
	p->prefix_length += strlen(part);
}

static void pop(struct plain *p, size_t length)
{
	p->marker[0] = '\0';
	if (p->unshown > 0)
		p->unshown--;
	else
		p->prefix_length -= length;
}

static void write_empty_line(struct plain *p)
{
	size_t length = p->prefix_length;

	while (length > 0 && p->prefix[length - 1] == ' ')
		length--;
	html_raw(&p->out, p->prefix, length);
	end_line(p);
}

static void begin_block(struct plain *p, bool tight)
{
	if (p->in_line)
		end_line(p);
	if (p->block_before && !tight && p->marker[0] == '\0')
		write_empty_line(p);
	p->block_before = true;
}

/* The numbers given so far are kept with the list: counting back would be quadratic. */
static int next_number(cmark_node *list)
{
	const intptr_t given = (intptr_t)cmark_node_get_user_data(list);

	cmark_node_set_user_data(list, (void *)(given + 1));
	return (int)given + cmark_node_get_list_start(list);
}

static bool follows_closely(cmark_node *item, cmark_node *list)
{
	if (cmark_node_previous(item) != NULL)
		return cmark_node_get_list_tight(list);
	return is_tight(list);
}

static void write_item(struct plain *p, cmark_node *item, bool entering)
{
	cmark_node *list = cmark_node_parent(item);
	const bool ordered = cmark_node_get_list_type(list) == CMARK_ORDERED_LIST;

	if (!entering) {
		pop(p, ordered ? 3 : 2);
		return;
	}
	begin_block(p, follows_closely(item, list));
	push(p, ordered ? "   " : "  ");
	if (ordered)
		snprintf(p->marker, sizeof p->marker, "%d. ", next_number(list));
	else
		strcpy(p->marker, "- ");
}

static void write_plain_link(struct plain *p, cmark_node *link, bool entering)
{
	const char *url = cmark_node_get_url(link);
	cmark_node *text = cmark_node_first_child(link);
	const char *label = text ? cmark_node_get_literal(text) : NULL;

	if (entering || url == NULL || !is_safe_address(url))
		return;
	if (label != NULL && (strcmp(label, url) == 0 || strstr(url, label) != NULL))
		return;
	write_lines(p, " [");
	write_lines(p, url);
	write_lines(p, "]");
}

static void write_plain_block(struct plain *p, const char *text)
{
	begin_block(p, false);
	write_lines(p, text);
}

static void write_plain_node(struct plain *p, cmark_node *node, bool entering)
{
	switch ((int)cmark_node_get_type(node)) {
	case CMARK_NODE_BLOCK_QUOTE:
		if (entering) {
			begin_block(p, false);
			p->block_before = false;
			push(p, "> ");
		} else {
			pop(p, 2);
		}
		return;
	case CMARK_NODE_ITEM:
		write_item(p, node, entering);
		return;
	case CMARK_NODE_PARAGRAPH:
	case CMARK_NODE_HEADING:
		if (entering)
			begin_block(p, is_tight(node));
		else if (p->in_line)
			end_line(p);
		return;
	case CMARK_NODE_CODE_BLOCK:
	case CMARK_NODE_HTML_BLOCK:
		write_plain_block(p, cmark_node_get_literal(node));
		return;
	case CMARK_NODE_THEMATIC_BREAK:
		write_plain_block(p, "* * *\n");
		return;
	case CMARK_NODE_TEXT:
	case CMARK_NODE_CODE:
	case CMARK_NODE_HTML_INLINE:
		write_lines(p, cmark_node_get_literal(node));
		return;
	case CMARK_NODE_SOFTBREAK:
	case CMARK_NODE_LINEBREAK:
		start_line(p);
		end_line(p);
		return;
	case CMARK_NODE_LINK:
	case CMARK_NODE_IMAGE:
		write_plain_link(p, node, entering);
		return;
	}
}

char *markdown_plain(struct arena *arena, const char *source)
{
	cmark_node *document = parse(arena, source);
	cmark_iter *iter = cmark_iter_new(document);
	struct plain p = {0};
	cmark_event_type event;
	size_t size;
	char *plain;

	while ((event = cmark_iter_next(iter)) != CMARK_EVENT_DONE)
		write_plain_node(&p, cmark_iter_get_node(iter), event == CMARK_EVENT_ENTER);
	cmark_iter_free(iter);
	cmark_node_free(document);
	plain = keep(arena, &p.out, &size);
	while (size > 0 && plain[size - 1] == '\n')
		plain[--size] = '\0';
	return plain;
}

/* --- as one line --- */

static void write_words(struct html_out *out, cmark_node *node, bool entering)
{
	switch ((int)cmark_node_get_type(node)) {
	case CMARK_NODE_TEXT:
	case CMARK_NODE_CODE:
		write_literal(out, cmark_node_get_literal(node));
		return;
	case CMARK_NODE_SOFTBREAK:
	case CMARK_NODE_LINEBREAK:
		write_literal(out, " ");
		return;
	case CMARK_NODE_PARAGRAPH:
	case CMARK_NODE_HEADING:
		if (!entering)
			write_literal(out, " ");
		return;
	}
}

char *markdown_excerpt(struct arena *arena, const char *source, size_t at_most)
{
	cmark_node *document = parse(arena, source);
	cmark_iter *iter = cmark_iter_new(document);
	struct html_out out = {0};
	cmark_event_type event;
	size_t size;

	while ((event = cmark_iter_next(iter)) != CMARK_EVENT_DONE)
		write_words(&out, cmark_iter_get_node(iter), event == CMARK_EVENT_ENTER);
	cmark_iter_free(iter);
	cmark_node_free(document);
	return text_first_sentences(arena, keep(arena, &out, &size), at_most);
}
