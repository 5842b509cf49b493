/*
 * parser.c - a state machine over the bytes of one request head.
 *
 *   start -> method -> target -> version -> request_end -> line <-----------------+
 *                                                           |                     |
 *                                  head_end <-- empty line -+-> name -> space -> value -> line_end
 *                                     |
 *                                     +-> what it means is checked -> complete
 *
 * One reader per state; each takes a run of bytes, at least one, or refuses, and
 * names the state that follows.
 */
#include "gateway/http/parser.h"

#include <assert.h>
#include <string.h>
#include <strings.h>

/* Longer than any method there is; RFC 9112, 3 wants 501 for such a token. */
#define LONGEST_METHOD 32

/* --- the classes of bytes ----------------------------------------------------- */

enum {
	TOKEN = 1, /* tchar, RFC 9110, 5.6.2 */
	PATH = 2,  /* pchar, "/" and "%", RFC 3986, 3.3 */
	QUERY = 4, /* the same, "?", and what browsers leave as it is in a typed query */
	VALUE = 8, /* field-content, SP and HTAB, RFC 9110, 5.5 */
	HEX = 16,
	HOST = 32,    /* in a name or an IPv4 address */
	ADDRESS = 64, /* in an IPv6 address */
};

#define DIGITS  "0123456789"
#define HEXES   DIGITS "abcdefABCDEF"
#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define PCHARS  DIGITS LETTERS "-._~!$&'()*+,;=:@/%"

static unsigned char classes[256];

static void classify(const char *characters, int class)
{
	for (; *characters != '\0'; characters++)
		classes[(unsigned char)*characters] |= (unsigned char)class;
}

static void classify_all(void)
{
	if (classes['A'] != 0)
		return;

	classify("!#$%&'*+-.^_`|~" DIGITS LETTERS, TOKEN);
	classify(PCHARS, PATH);
	classify(PCHARS "?[]\\^`{|}", QUERY);
	classify("-._~" DIGITS LETTERS, HOST);
	classify(".:" HEXES, ADDRESS);
	classify(HEXES, HEX);
	for (int c = 0; c < 256; c++)
		if (c == '\t' || (c >= ' ' && c != 0x7f))
			classes[c] |= VALUE;
}

static bool is(char byte, int class)
{
	return (classes[(unsigned char)byte] & class) != 0;
}

static size_t run_of(int class, const char *bytes, size_t at, size_t end)
{
	while (at < end && is(bytes[at], class))
		at++;
	return at;
}

static struct http_span span(size_t start, size_t end)
{
	return (struct http_span){(uint16_t)start, (uint16_t)(end - start)};
}

static bool span_is(const char *bytes, struct http_span s, const char *text)
{
	return strlen(text) == s.length && strncasecmp(bytes + s.start, text, s.length) == 0;
}

/* --- what the fields mean together -------------------------------------------- */

/* Rows of the table below. From SINGLE_FIELDS on: two readers must not choose differently. */
enum { HOST_FIELD, LENGTH_FIELD, CODING_FIELD, EXPECT_FIELD, CONNECTION_FIELD, SINGLE_FIELDS };

#define FIELD(name)                                                                                \
	{                                                                                          \
		(name), sizeof(name) - 1                                                           \
	}

static const struct {
	const char *name;
	size_t length;
} known_fields[] = {
	[HOST_FIELD] = FIELD("host"),
	[LENGTH_FIELD] = FIELD("content-length"),
	[CODING_FIELD] = FIELD("transfer-encoding"),
	[EXPECT_FIELD] = FIELD("expect"),
	[CONNECTION_FIELD] = FIELD("connection"),
	[SINGLE_FIELDS] = FIELD("authorization"),
	FIELD("content-type"),
	FIELD("idempotency-key"),
	FIELD("origin"),
};

#define KNOWN_FIELDS (sizeof known_fields / sizeof *known_fields)

/* How often each known field stands in the head, and its last value. */
struct summary {
	unsigned count[KNOWN_FIELDS];
	struct http_span value[KNOWN_FIELDS];
	bool close, keep_alive;
};

static void read_connection(struct summary *summary, const char *bytes, struct http_span value)
{
	const char *at = bytes + value.start, *end = at + value.length;

	while (at < end) {
		size_t blank = strspn(at, ", \t"), length = strcspn(at + blank, ", \t\r");

		at += blank;
		summary->close |= length == 5 && strncasecmp(at, "close", 5) == 0;
		summary->keep_alive |= length == 10 && strncasecmp(at, "keep-alive", 10) == 0;
		at += length;
	}
}

static size_t find_known(const char *name, size_t length)
{
	size_t k = 0;

	while (k < KNOWN_FIELDS && (known_fields[k].length != length ||
				    strncasecmp(known_fields[k].name, name, length) != 0))
		k++;
	return k;
}

static struct summary summarise(const struct http_parser *parser, const char *bytes)
{
	struct summary summary = {0};

	for (size_t i = 0; i < parser->n_fields; i++) {
		size_t k = find_known(bytes + parser->names[i].start, parser->names[i].length);

		if (k == KNOWN_FIELDS)
			continue;
		summary.count[k]++;
		summary.value[k] = parser->values[i];
		if (k == CONNECTION_FIELD)
			read_connection(&summary, bytes, parser->values[i]);
	}
	return summary;
}

/* uri-host [":" port], RFC 9110, 7.2; never empty. */
static bool host_is_valid(const char *host, size_t length)
{
	size_t end;

	if (length > 0 && host[0] == '[') {
		end = run_of(ADDRESS, host, 1, length);
		if (end < 3 || end == length || host[end++] != ']')
			return false;
	} else {
		end = run_of(HOST, host, 0, length);
		if (end == 0)
			return false;
	}
	if (end == length)
		return true;
	if (host[end++] != ':' || length - end > 5)
		return false;
	while (end < length && host[end] >= '0' && host[end] <= '9')
		end++;
	return end == length;
}

static enum http_refusal check_host(struct http_parser *parser, const struct summary *summary,
				    const char *bytes)
{
	parser->host = summary->value[HOST_FIELD];
	if (summary->count[HOST_FIELD] != 1 ||
	    !host_is_valid(bytes + parser->host.start, parser->host.length))
		return HTTP_BAD_HOST;
	return HTTP_ACCEPTED;
}

/* Digits only, once. What does not fit stays the largest number, which every limit refuses. */
static enum http_refusal check_length(struct http_parser *parser, const struct summary *summary,
				      const char *bytes)
{
	struct http_span value = summary->value[LENGTH_FIELD];

	parser->content_length = 0;
	if (summary->count[LENGTH_FIELD] == 0)
		return HTTP_ACCEPTED;
	if (summary->count[LENGTH_FIELD] > 1 || value.length == 0)
		return HTTP_BAD_LENGTH;

	for (size_t i = 0; i < value.length; i++) {
		unsigned digit = (unsigned)(bytes[value.start + i] - '0');

		if (digit > 9)
			return HTTP_BAD_LENGTH;
		if (parser->content_length > (UINT64_MAX - digit) / 10)
			parser->content_length = UINT64_MAX;
		else
			parser->content_length = parser->content_length * 10 + digit;
	}
	return HTTP_ACCEPTED;
}

/* No transfer coding is ever decoded: bodies behind one were how requests got smuggled. */
static enum http_refusal check_coding(const struct http_parser *parser,
				      const struct summary *summary, const char *bytes)
{
	if (summary->count[CODING_FIELD] == 0)
		return HTTP_ACCEPTED;
	if (summary->count[CODING_FIELD] > 1 || summary->count[LENGTH_FIELD] > 0 ||
	    parser->minor_version == 0 || !span_is(bytes, summary->value[CODING_FIELD], "chunked"))
		return HTTP_BAD_CODING;
	return HTTP_CHUNKED;
}

static enum http_refusal check_repeated(const struct summary *summary)
{
	for (size_t k = SINGLE_FIELDS; k < KNOWN_FIELDS; k++)
		if (summary->count[k] > 1)
			return HTTP_REPEATED_FIELD;
	return HTTP_ACCEPTED;
}

static const struct {
	const char *name;
	enum http_method method;
	enum http_refusal refusal;
} methods[] = {
	{"GET", HTTP_GET, HTTP_ACCEPTED},
	{"HEAD", HTTP_HEAD, HTTP_ACCEPTED},
	{"POST", HTTP_POST, HTTP_ACCEPTED},
	{"PUT", HTTP_PUT, HTTP_ACCEPTED},
	{"PATCH", HTTP_PATCH, HTTP_ACCEPTED},
	{"DELETE", HTTP_DELETE, HTTP_ACCEPTED},
	{"OPTIONS", HTTP_OPTIONS, HTTP_ACCEPTED},
	{"TRACE", HTTP_METHODS, HTTP_FORBIDDEN_METHOD},
	{"CONNECT", HTTP_METHODS, HTTP_FORBIDDEN_METHOD},
};

const char *http_method_name(enum http_method method)
{
	assert(method < HTTP_METHODS);
	return methods[method].name;
}

static enum http_refusal check_method(struct http_parser *parser, const char *bytes)
{
	struct http_span token = parser->method_token;

	for (size_t i = 0; i < sizeof methods / sizeof *methods; i++)
		if (strlen(methods[i].name) == token.length &&
		    memcmp(bytes + token.start, methods[i].name, token.length) == 0) {
			parser->method = methods[i].method;
			return methods[i].refusal;
		}
	return HTTP_UNKNOWN_METHOD;
}

static bool escapes_are_valid(const char *at, const char *end)
{
	while ((at = memchr(at, '%', (size_t)(end - at))) != NULL) {
		if (end - at < 3 || !is(at[1], HEX) || !is(at[2], HEX))
			return false;
		at += 3;
	}
	return true;
}

/* "http://" or "https://"; 0 when the target is none of it. */
static size_t scheme_length(const char *target, size_t length)
{
	if (length >= 7 && strncasecmp(target, "http://", 7) == 0)
		return 7;
	if (length >= 8 && strncasecmp(target, "https://", 8) == 0)
		return 8;
	return 0;
}

/*
 * An absolute target (RFC 9112, 3.2.2) becomes the origin form behind its
 * authority, which must be what Host says: then it does not matter which of the
 * two a proxy before us believed.
 */
static enum http_refusal take_origin(struct http_parser *parser, const char *bytes)
{
	struct http_span *target = &parser->target;
	size_t scheme = scheme_length(bytes + target->start, target->length);
	size_t authority = 0, rest;

	if (scheme == 0)
		return HTTP_BAD_TARGET;

	rest = target->length - scheme;
	while (authority < rest && strchr("/?", bytes[target->start + scheme + authority]) == NULL)
		authority++;
	if (authority != parser->host.length ||
	    strncasecmp(bytes + target->start + scheme, bytes + parser->host.start, authority) != 0)
		return HTTP_BAD_HOST;

	*target = span(target->start + scheme + authority, target->start + target->length);
	return HTTP_ACCEPTED;
}

static enum http_refusal check_target(struct http_parser *parser, const char *bytes)
{
	struct http_span *target = &parser->target;
	const char *at, *end;

	if (span_is(bytes, *target, "*"))
		return parser->method == HTTP_OPTIONS ? HTTP_ACCEPTED : HTTP_BAD_TARGET;

	if (bytes[target->start] != '/') {
		enum http_refusal refusal = take_origin(parser, bytes);

		if (refusal != HTTP_ACCEPTED)
			return refusal;
	}
	at = bytes + target->start;
	end = at + target->length;
	if (!escapes_are_valid(at, end))
		return HTTP_BAD_TARGET;
	while (at < end && is(*at, PATH))
		at++;
	return at == end || *at == '?' ? HTTP_ACCEPTED : HTTP_BAD_TARGET;
}

/* Only 100-continue is known, and HTTP/1.0 cannot mean it (RFC 9110, 10.1.1). */
static enum http_refusal check_expectation(struct http_parser *parser,
					   const struct summary *summary, const char *bytes)
{
	parser->expects_continue = false;
	if (summary->count[EXPECT_FIELD] == 0)
		return HTTP_ACCEPTED;
	if (summary->count[EXPECT_FIELD] > 1 ||
	    !span_is(bytes, summary->value[EXPECT_FIELD], "100-continue"))
		return HTTP_UNKNOWN_EXPECTATION;
	parser->expects_continue = parser->minor_version == 1 && parser->content_length > 0;
	return HTTP_ACCEPTED;
}

static enum http_refusal check_body(const struct http_parser *parser)
{
	bool without = parser->method == HTTP_GET || parser->method == HTTP_HEAD;

	return without && parser->content_length > 0 ? HTTP_UNEXPECTED_BODY : HTTP_ACCEPTED;
}

/* Framing first: what is ambiguous is told as such, whatever else is wrong. */
static enum http_refusal check_meaning(struct http_parser *parser, const char *bytes)
{
	struct summary summary = summarise(parser, bytes);
	enum http_refusal refusal = check_host(parser, &summary, bytes);

	if (refusal == HTTP_ACCEPTED)
		refusal = check_length(parser, &summary, bytes);
	if (refusal == HTTP_ACCEPTED)
		refusal = check_coding(parser, &summary, bytes);
	if (refusal == HTTP_ACCEPTED)
		refusal = check_repeated(&summary);
	if (refusal == HTTP_ACCEPTED)
		refusal = check_method(parser, bytes);
	if (refusal == HTTP_ACCEPTED)
		refusal = check_target(parser, bytes);
	if (refusal == HTTP_ACCEPTED)
		refusal = check_body(parser);
	if (refusal == HTTP_ACCEPTED)
		refusal = check_expectation(parser, &summary, bytes);

	parser->keep_alive = !summary.close && (parser->minor_version == 1 || summary.keep_alive);
	return refusal;
}

/* --- the states --------------------------------------------------------------- */

enum state {
	START,
	START_END,
	METHOD,
	TARGET,
	VERSION,
	REQUEST_END,
	LINE,
	NAME,
	SPACE,
	CONTENT,
	LINE_END,
	HEAD_END,
	COMPLETE,
};

static enum http_refusal go(struct http_parser *parser, enum state next, size_t at)
{
	parser->state = next;
	parser->at = at;
	return HTTP_ACCEPTED;
}

/* One empty line is forgiven before a request (RFC 9112, 2.2): old browsers ended bodies so. */
static enum http_refusal read_start(struct http_parser *parser, const char *bytes, size_t end)
{
	size_t at = parser->at;

	(void)end;
	if (bytes[at] == '\r' && at == 0)
		return go(parser, START_END, at + 1);
	if (bytes[at] == '\n')
		return HTTP_BAD_LINE_END;
	if (!is(bytes[at], TOKEN))
		return HTTP_BAD_REQUEST_LINE;
	parser->method_token = span(at, at);
	return go(parser, METHOD, at);
}

static enum http_refusal read_line_feed(struct http_parser *parser, const char *bytes,
					enum state next)
{
	if (bytes[parser->at] != '\n')
		return HTTP_BAD_LINE_END;
	return go(parser, next, parser->at + 1);
}

static enum http_refusal read_start_end(struct http_parser *parser, const char *bytes, size_t end)
{
	(void)end;
	return read_line_feed(parser, bytes, START);
}

static enum http_refusal read_method(struct http_parser *parser, const char *bytes, size_t end)
{
	size_t start = parser->method_token.start;
	size_t limit = start + LONGEST_METHOD + 1 < end ? start + LONGEST_METHOD + 1 : end;
	size_t at = run_of(TOKEN, bytes, parser->at, limit);

	if (at - start > LONGEST_METHOD)
		return HTTP_UNKNOWN_METHOD;
	if (at == end)
		return go(parser, METHOD, at);
	if (bytes[at] != ' ')
		return HTTP_BAD_REQUEST_LINE;
	parser->method_token = span(start, at);
	parser->target = span(at + 1, at + 1);
	return go(parser, TARGET, at + 1);
}

static enum http_refusal read_target(struct http_parser *parser, const char *bytes, size_t end)
{
	size_t start = parser->target.start, longest = parser->limits->target;
	size_t limit = end - start > longest ? start + longest + 1 : end;
	size_t at = run_of(QUERY, bytes, parser->at, limit);

	if (at - start > longest)
		return HTTP_LONG_TARGET;
	if (at == end)
		return go(parser, TARGET, at);
	if (bytes[at] != ' ' || at == start)
		return HTTP_BAD_TARGET;
	parser->target = span(start, at);
	return go(parser, VERSION, at + 1);
}

static enum http_refusal read_version(struct http_parser *parser, const char *bytes, size_t end)
{
	static const char pattern[] = "HTTP/d.d\r"; /* d is any digit */
	size_t start = (size_t)parser->target.start + parser->target.length + 1;
	size_t at = parser->at;

	for (; at < end && at - start < sizeof pattern - 1; at++) {
		char wanted = pattern[at - start];
		bool fits =
			wanted == 'd' ? bytes[at] >= '0' && bytes[at] <= '9' : bytes[at] == wanted;

		if (!fits)
			return bytes[at] == '\n' ? HTTP_BAD_LINE_END : HTTP_BAD_REQUEST_LINE;
	}
	if (at - start < sizeof pattern - 1)
		return go(parser, VERSION, at);
	if (bytes[start + 5] != '1' || bytes[start + 7] > '1')
		return HTTP_UNKNOWN_VERSION;
	parser->minor_version = (unsigned)(bytes[start + 7] - '0');
	return go(parser, REQUEST_END, at);
}

static enum http_refusal read_request_end(struct http_parser *parser, const char *bytes, size_t end)
{
	(void)end;
	return read_line_feed(parser, bytes, LINE);
}

static enum http_refusal read_line(struct http_parser *parser, const char *bytes, size_t end)
{
	size_t at = parser->at;

	(void)end;
	if (bytes[at] == '\r')
		return go(parser, HEAD_END, at + 1);
	if (bytes[at] == '\n')
		return HTTP_BAD_LINE_END;
	if (bytes[at] == ' ' || bytes[at] == '\t')
		return HTTP_FOLDED_FIELD;
	if (!is(bytes[at], TOKEN))
		return HTTP_BAD_FIELD_NAME;
	if (parser->n_fields == parser->limits->fields)
		return HTTP_LARGE_HEAD;
	parser->names[parser->n_fields] = span(at, at);
	return go(parser, NAME, at);
}

static enum http_refusal read_name(struct http_parser *parser, const char *bytes, size_t end)
{
	struct http_span *name = &parser->names[parser->n_fields];
	size_t at = run_of(TOKEN, bytes, parser->at, end);

	if (at == end)
		return go(parser, NAME, at);
	if (bytes[at] != ':')
		return HTTP_BAD_FIELD_NAME;
	*name = span(name->start, at);
	return go(parser, SPACE, at + 1);
}

static enum http_refusal read_space(struct http_parser *parser, const char *bytes, size_t end)
{
	size_t at = parser->at;

	while (at < end && (bytes[at] == ' ' || bytes[at] == '\t'))
		at++;
	if (at == end)
		return go(parser, SPACE, at);
	parser->values[parser->n_fields] = span(at, at);
	return go(parser, CONTENT, at);
}

static enum http_refusal read_content(struct http_parser *parser, const char *bytes, size_t end)
{
	struct http_span *value = &parser->values[parser->n_fields];
	size_t at = run_of(VALUE, bytes, parser->at, end), last = at;

	if (at == end)
		return go(parser, CONTENT, at);
	if (bytes[at] != '\r')
		return bytes[at] == '\n' ? HTTP_BAD_LINE_END : HTTP_BAD_FIELD_VALUE;
	while (last > value->start && (bytes[last - 1] == ' ' || bytes[last - 1] == '\t'))
		last--;
	*value = span(value->start, last);
	return go(parser, LINE_END, at + 1);
}

static enum http_refusal read_line_end(struct http_parser *parser, const char *bytes, size_t end)
{
	enum http_refusal refusal = read_line_feed(parser, bytes, LINE);

	(void)end;
	if (refusal == HTTP_ACCEPTED)
		parser->n_fields++;
	return refusal;
}

static enum http_refusal read_head_end(struct http_parser *parser, const char *bytes, size_t end)
{
	enum http_refusal refusal = read_line_feed(parser, bytes, COMPLETE);

	(void)end;
	if (refusal != HTTP_ACCEPTED)
		return refusal;
	parser->head_length = parser->at;
	return check_meaning(parser, bytes);
}

static enum http_refusal (*const readers[])(struct http_parser *, const char *, size_t end) = {
	[START] = read_start,     [START_END] = read_start_end, [METHOD] = read_method,
	[TARGET] = read_target,   [VERSION] = read_version,     [REQUEST_END] = read_request_end,
	[LINE] = read_line,       [NAME] = read_name,           [SPACE] = read_space,
	[CONTENT] = read_content, [LINE_END] = read_line_end,   [HEAD_END] = read_head_end,
};

void http_parser_start(struct http_parser *parser, const struct http_head_limits *limits)
{
	assert(limits->head <= HTTP_HEAD_MAX && limits->target <= limits->head);
	assert(limits->fields <= HTTP_FIELDS_MAX);

	classify_all();
	parser->limits = limits;
	parser->state = START;
	parser->at = 0;
	parser->n_fields = 0;
}

static enum http_verdict refuse(struct http_parser *parser, enum http_refusal refusal)
{
	parser->refusal = refusal;
	return HTTP_REFUSED;
}

enum http_verdict http_parser_feed(struct http_parser *parser, const char *bytes, size_t length)
{
	size_t end = length < parser->limits->head ? length : parser->limits->head;

	while (parser->at < end && parser->state != COMPLETE) {
		enum http_refusal refusal = readers[parser->state](parser, bytes, end);

		if (refusal != HTTP_ACCEPTED)
			return refuse(parser, refusal);
	}
	if (parser->state == COMPLETE)
		return HTTP_COMPLETE;
	if (parser->at == parser->limits->head)
		return refuse(parser, HTTP_LARGE_HEAD);
	return HTTP_WANTS_MORE;
}
