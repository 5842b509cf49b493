/*
 * json.h - messages as JSON and back, by reflection (jansson, protobuf-c).
 *
 * A field's name and type say how it reads; one function decides, and the writer,
 * the reader and the OpenAPI document all ask it:
 *
 *   id, ids, *_id, *_ids        a string of digits; 0 is null
 *   proposer_id author_id …     a person, {"id", "display_name"}, without the _id; null when erased
 *   at, *_at                    RFC 3339 in UTC; 0 is null
 *   an enum                     its word in lower case; the zero value is null
 *   roles                       a list of words
 *   next_cursor …               a string, or null on the last page
 *   bytes                       never shown, never read
 *   summary                     its fields stand in the object that has it
 */
#ifndef GATEWAY_JSON_H
#define GATEWAY_JSON_H

#include <jansson.h>
#include <protobuf-c/protobuf-c.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct arena;
struct people;

enum json_kind {
	JSON_KIND_HIDDEN,
	JSON_KIND_ID,
	JSON_KIND_PERSON,
	JSON_KIND_TIME,
	JSON_KIND_WORD,
	JSON_KIND_ROLES,
	JSON_KIND_CURSOR,
	JSON_KIND_NUMBER,
	JSON_KIND_REAL,
	JSON_KIND_TEXT,
	JSON_KIND_FLAG,
	JSON_KIND_OBJECT,
	JSON_KIND_FLATTENED,
};

enum json_kind json_kind(const ProtobufCFieldDescriptor *);

/* Whether the field names a person in answers ("author_id" reads "author"). */
bool json_is_person(const ProtobufCFieldDescriptor *);

/* The name in answers; in the arena where it differs from the field's. */
const char *json_name(struct arena *, const ProtobufCFieldDescriptor *);

/* "SHORTLISTED" is "shortlisted", COMMENT_ERASED of CommentState is "erased"; zero is NULL. */
const char *json_word(struct arena *, const ProtobufCEnumDescriptor *, int value);
bool json_word_value(const ProtobufCEnumDescriptor *, const char *word, int *value);

/* RFC 3339 <-> microseconds since 1970 UTC. */
void json_time(int64_t us, char text[static 32]);
bool json_time_read(const char *text, int64_t *us);

/* A string of digits, 1 to 2^63 - 1. */
bool json_id_read(const char *text, uint64_t *id);

/* --- writing -------------------------------------------------------------------- */

/* How the messages of one type differ from their fields. */
struct json_shape {
	const ProtobufCMessageDescriptor *descriptor;
	const char *hidden; /* names of fields that are not shown, separated by blanks; or NULL */
	void (*add)(json_t *object, const ProtobufCMessage *, struct arena *);
	const char *added; /* names that add() adds: "url html"; for the OpenAPI document */
	const char *maybe; /* fields that add() may take out again, likewise; or NULL */
};

/* The shape of a type, or NULL; shapes ends with a NULL descriptor and may be NULL. */
const struct json_shape *json_find_shape(const struct json_shape *shapes,
					 const ProtobufCMessageDescriptor *);

/* shapes ends with a NULL descriptor. people may be NULL: persons then have no name. */
struct json_writer {
	const struct json_shape *shapes;
	const struct people *people;
	struct arena *arena;
};

json_t *json_write(const struct json_writer *, const ProtobufCMessage *);

/* Calls back for every account id that json_write() would show as a person. */
void json_each_person(const ProtobufCMessage *, void (*found)(void *, uint64_t id), void *);

/* --- reading --------------------------------------------------------------------- */

#define JSON_DEPTH_LIMIT 16
#define JSON_LIST_LIMIT  1000

struct json_error {
	const char *field, *reason; /* reasons as in common.proto, and "unknown" */
};

#define JSON_ERRORS_MAX 32

struct json_errors {
	struct json_error list[JSON_ERRORS_MAX];
	size_t n;
};

void json_add_error(struct json_errors *, const char *field, const char *reason);

/* The object of a body; NULL with *why for what is no JSON object. Released with the arena. */
json_t *json_body(struct arena *, const char *text, size_t length, const char **why);

/*
 * Fills the message (initialised) from the object. allowed: the names that may
 * occur, "title lead q=query", NULL for every field that is shown. Anything else is an
 * error, as is a wrong type. Strings are copied to the arena; null is "not given".
 */
void json_read(struct arena *, const json_t *object, const char *allowed, ProtobufCMessage *,
	       struct json_errors *);

/* One value from its text, as it stands in a query; lists are separated by commas. */
bool json_read_text(struct arena *, const ProtobufCFieldDescriptor *, const char *text,
		    ProtobufCMessage *);

/*
 * Walks a list of names "title lead q=query": the next name and field, ended by
 * blanks; returns what follows, or NULL at the end.
 */
struct json_allowed {
	const char *name, *field;
	size_t name_length, field_length;
};
const char *json_next_allowed(const char *list, struct json_allowed *);

/* Whether a name stands in such a list, which may be NULL. */
bool json_lists(const char *list, const char *name);

#endif
