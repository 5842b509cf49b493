/* refusal.c - the table behind refusal.h. */
#include "gateway/http/refusal.h"

#include <assert.h>

static const struct {
	const char *name, *text;
	int status;
} table[HTTP_REFUSALS] = {
	[HTTP_ACCEPTED] = {"accepted", "Nothing is wrong.", 0},
	[HTTP_BAD_REQUEST_LINE] = {"bad_request_line", "The request line is malformed.", 400},
	[HTTP_BAD_LINE_END] = {"bad_line_end", "A line does not end in CR LF.", 400},
	[HTTP_BAD_TARGET] = {"bad_target", "The request target is malformed.", 400},
	[HTTP_BAD_FIELD_NAME] = {"bad_field_name", "A header field has no valid name.", 400},
	[HTTP_BAD_FIELD_VALUE] = {"bad_field_value", "A header field has no valid value.", 400},
	[HTTP_FOLDED_FIELD] = {"folded_field", "A header field is folded.", 400},
	[HTTP_REPEATED_FIELD] = {"repeated_field", "A header field stands twice.", 400},
	[HTTP_BAD_HOST] = {"bad_host", "There must be exactly one valid Host.", 400},
	[HTTP_BAD_LENGTH] = {"bad_length", "The Content-Length is malformed.", 400},
	[HTTP_BAD_CODING] = {"bad_coding", "The Transfer-Encoding is ambiguous.", 400},
	[HTTP_CHUNKED] = {"chunked", "The body needs a Content-Length.", 411},
	[HTTP_UNEXPECTED_BODY] = {"unexpected_body", "This method takes no body.", 400},
	[HTTP_FORBIDDEN_METHOD] = {"forbidden_method", "This method is not allowed here.", 405},
	[HTTP_UNKNOWN_METHOD] = {"unknown_method", "This method is unknown.", 501},
	[HTTP_UNKNOWN_VERSION] = {"unknown_version", "Only HTTP/1.0 and 1.1 are spoken.", 505},
	[HTTP_UNKNOWN_EXPECTATION] = {"unknown_expectation", "This expectation is unknown.", 417},
	[HTTP_LONG_TARGET] = {"long_target", "The address is too long.", 414},
	[HTTP_LARGE_HEAD] = {"large_head", "The header is too large.", 431},
	[HTTP_BAD_PATH] = {"bad_path", "The address is malformed.", 400},
	[HTTP_BAD_QUERY] = {"bad_query", "The query is malformed.", 400},
	[HTTP_LARGE_BODY] = {"large_body", "The body is too large.", 413},
	[HTTP_SLOW_HEAD] = {"slow_head", "The header took too long.", 408},
	[HTTP_SLOW_BODY] = {"slow_body", "The body came too slowly.", 408},
	[HTTP_SLOW_READER] = {"slow_reader", "The answer was not read.", 0},
	[HTTP_PEER_BUSY] = {"peer_busy", "Too many connections from your network.", 429},
	[HTTP_SERVER_BUSY] = {"server_busy", "Too many visitors; please try again.", 503},
	[HTTP_NO_DESCRIPTOR] = {"no_descriptor", "Too many visitors; please try again.", 503},
	[HTTP_BAD_ANSWER] = {"bad_answer", "Something went wrong here.", 500},
};

int http_refusal_status(enum http_refusal refusal)
{
	assert(refusal < HTTP_REFUSALS);
	return table[refusal].status;
}

const char *http_refusal_name(enum http_refusal refusal)
{
	assert(refusal < HTTP_REFUSALS);
	return table[refusal].name;
}

const char *http_refusal_text(enum http_refusal refusal)
{
	assert(refusal < HTTP_REFUSALS);
	return table[refusal].text;
}
