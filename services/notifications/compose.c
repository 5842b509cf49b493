/*
 * compose.c - a letter as an Internet message (RFC 5322), through GMime.
 *
 * GMime encodes words (RFC 2047) of names and titles, folds them and writes the two
 * bodies as quoted-printable; here stands which headers there are. What programs
 * read (addresses of pages, ids) is written by us, as it is: GMime would encode what
 * is longer than a line, and a mail program then finds no link in it. A value with a
 * line break or another control character never gets that far.
 */
#include "notifications.h"

#include <string.h>

#include <gmime/gmime.h>
#include <sodium.h>

#include "lib/clock.h"

#define HANDLE_BYTES 10
#define WORD_BYTES   45  /* 60 in base64, between =?utf-8?B? and ?= */
#define FOLD_BYTES   76  /* a longer line is folded where it can be (RFC 5322 2.1.1) */
#define LINE_BYTES   998 /* and no line is longer than this */

static const char *domain(void)
{
	return strchr(settings.from, '@') + 1;
}

/* Lower-case base32 (RFC 4648 alphabet): Message-IDs meet systems that fold case. */
static char *handle(struct arena *arena, const char *purpose, uint64_t first, uint64_t second)
{
	static const char alphabet[] = "abcdefghijklmnopqrstuvwxyz234567";
	const uint64_t numbers[2] = {first, second};
	unsigned char key[32], mac[crypto_generichash_BYTES_MIN];
	char *text = arena_alloc(arena, HANDLE_BYTES * 8 / 5 + 1);

	service_derive_key(key, purpose);
	crypto_generichash(mac, sizeof mac, (const unsigned char *)numbers, sizeof numbers, key,
			   sizeof key);
	for (size_t bit = 0, i = 0; bit < HANDLE_BYTES * 8; bit += 5, i++) {
		const unsigned two = (unsigned)mac[bit / 8] << 8 | mac[bit / 8 + 1];

		text[i] = alphabet[two >> (11 - bit % 8) & 31];
	}
	return text;
}

char *message_id(struct arena *arena, char kind, uint64_t number, uint64_t account_id)
{
	return arena_printf(arena, "%c.%llu.%s@%s", kind, (unsigned long long)number,
			    handle(arena, "message id", account_id, (uint64_t)kind), domain());
}

char *return_path(struct arena *arena, uint64_t delivery_id)
{
	return arena_printf(arena, "b+%llu.%s@%s", (unsigned long long)delivery_id,
			    handle(arena, "return path", delivery_id, 0), domain());
}

static bool fit(const char *value)
{
	for (; value != NULL && *value != '\0'; value++)
		if ((unsigned char)*value < ' ' || *value == 0x7f)
			return false;
	return true;
}

/* Between angle brackets, on one line whatever its header is called. */
static bool fits_brackets(const char *value)
{
	size_t length = 0;

	for (; value != NULL && value[length] != '\0'; length++)
		if (value[length] <= ' ' || value[length] >= 0x7f || strchr("<>", value[length]))
			return false;
	return length <= LINE_BYTES - strlen("Some-Header-Of-Ours: <>");
}

static bool all_fit(const struct letter *letter)
{
	const char *const texts[] = {letter->to_address, letter->to_name, letter->from_name,
				     letter->subject, letter->list_name};
	const char *const bracketed[] = {letter->message_id, letter->in_reply_to, letter->thread,
					 letter->list_id,    letter->archived_at, letter->archive,
					 letter->unsubscribe};

	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
		if (!fit(texts[i]))
			return false;
	for (size_t i = 0; i < sizeof bracketed / sizeof *bracketed; i++)
		if (!fits_brackets(bracketed[i]))
			return false;
	return true;
}

/* At most 75 bytes a word (RFC 2047 2), and no character cut in two. */
static char *encoded_words(struct arena *arena, const char *text)
{
	char *words = arena_strdup(arena, ""), base64[64];

	while (*text != '\0') {
		size_t part = strnlen(text, WORD_BYTES);

		while (part < strlen(text) && (text[part] & 0xC0) == 0x80)
			part--;
		sodium_bin2base64(base64, sizeof base64, (const unsigned char *)text, part,
				  sodium_base64_VARIANT_ORIGINAL);
		words = arena_printf(arena, "%s%s=?utf-8?B?%s?=", words, *words ? " " : "", base64);
		text += part;
	}
	return words;
}

/* GMime writes ASCII as it is, even what a reader would take for an encoded word. */
static const char *unmistakable(struct arena *arena, const char *text)
{
	return strstr(text, "=?") != NULL ? encoded_words(arena, text) : text;
}

/* A phrase, quoted or encoded where it must be: nothing in it can be taken for an address. */
static const char *phrase(struct arena *arena, const char *text)
{
	char *written = g_mime_utils_header_encode_phrase(NULL, unmistakable(arena, text), "utf-8");
	const char *kept = arena_strdup(arena, written);

	g_free(written);
	return kept;
}

static void set(GMimeMessage *message, const char *name, const char *value)
{
	g_mime_object_set_header(GMIME_OBJECT(message), name, value, "utf-8");
}

/* Line breaks before those spaces that would otherwise be followed by too much for the line. */
static char *folded(struct arena *arena, const char *name, const char *value)
{
	char *lines = arena_printf(arena, "%s:", name);
	size_t used = strlen(lines);

	while (*value != '\0') {
		const size_t word = strcspn(value, " ");

		if (used + 1 + word > FOLD_BYTES && used > strlen(name) + 1) {
			lines = arena_printf(arena, "%s\n", lines);
			used = 0;
		}
		lines = arena_printf(arena, "%s %.*s", lines, (int)word, value);
		used += 1 + word;
		value += word + strspn(value + word, " ");
	}
	return lines + strlen(name) + 1;
}

/* ASCII that stays as it is, folded at spaces only. */
static void set_raw(struct arena *arena, GMimeMessage *message, const char *name, const char *value)
{
	GMimeHeaderList *headers = g_mime_object_get_header_list(GMIME_OBJECT(message));

	set(message, name, "");
	g_mime_header_set_raw_value(g_mime_header_list_get_header(headers, name),
				    arena_printf(arena, "%s\n", folded(arena, name, value)));
}

static void set_bracketed(struct arena *arena, GMimeMessage *message, const char *name,
			  const char *value)
{
	if (value != NULL)
		set_raw(arena, message, name, arena_printf(arena, "<%s>", value));
}

/* The thread, and the message that is answered (RFC 5322 3.6.4). */
static void set_thread(struct arena *arena, GMimeMessage *message, const struct letter *letter)
{
	const char *answered = letter->in_reply_to ? letter->in_reply_to : letter->thread;

	if (letter->thread == NULL)
		return;
	set_bracketed(arena, message, "In-Reply-To", answered);
	set_raw(arena, message, "References",
		answered == letter->thread
			? arena_printf(arena, "<%s>", letter->thread)
			: arena_printf(arena, "<%s> <%s>", letter->thread, answered));
}

static void add_body(GMimeMultipart *both, const char *subtype, const char *body)
{
	GMimeTextPart *part = g_mime_text_part_new_with_subtype(subtype);

	g_mime_text_part_set_charset(part, "utf-8");
	g_mime_text_part_set_text(part, body);
	g_mime_part_set_content_encoding(GMIME_PART(part), GMIME_CONTENT_ENCODING_QUOTEDPRINTABLE);
	g_mime_multipart_add(both, GMIME_OBJECT(part));
	g_object_unref(part);
}

static void set_list_headers(struct arena *arena, GMimeMessage *message,
			     const struct letter *letter)
{
	GMimeMessage *m = message;

	if (letter->list_id == NULL)
		return;
	set_raw(arena, m, "List-Id",
		arena_printf(arena, "%s <%s>", phrase(arena, letter->list_name), letter->list_id));
	set_bracketed(arena, m, "List-Archive", letter->archive);
	set_bracketed(arena, m, "Archived-At", letter->archived_at);
	set_bracketed(arena, m, "List-Unsubscribe", letter->unsubscribe);
	set(m, "List-Unsubscribe-Post", "List-Unsubscribe=One-Click");
	set(m, "Precedence", "list");
}

static void set_headers(struct arena *arena, GMimeMessage *message, const struct letter *letter)
{
	GDateTime *now = g_date_time_new_from_unix_utc(clock_now() / 1000000);
	const char *from = letter->from_name ? arena_printf(arena, "%s via %s", letter->from_name,
							    settings.site_name)
					     : settings.site_name;

	g_mime_message_add_mailbox(message, GMIME_ADDRESS_TYPE_FROM, unmistakable(arena, from),
				   settings.from);
	g_mime_message_add_mailbox(message, GMIME_ADDRESS_TYPE_TO,
				   unmistakable(arena, letter->to_name), letter->to_address);
	g_mime_message_set_subject(message, unmistakable(arena, letter->subject), "utf-8");
	g_mime_message_set_date(message, now);
	g_date_time_unref(now);
	set_bracketed(arena, message, "Message-ID", letter->message_id);
	set_thread(arena, message, letter);
	set_list_headers(arena, message, letter);
	set(message, "Auto-Submitted", "auto-generated");
	set(message, "X-Auto-Response-Suppress", "All");
	set(message, "X-Causerie-Reason", letter->reason);
	set(message, "Content-Language", letter->language);
}

static char *written(struct arena *arena, GMimeMessage *message, size_t *length)
{
	GMimeFormatOptions *format = g_mime_format_options_new();
	GMimeStream *stream = g_mime_stream_mem_new();
	GByteArray *bytes;
	char *copy;

	g_mime_format_options_set_newline_format(format, GMIME_NEWLINE_FORMAT_DOS);
	g_mime_object_write_to_stream(GMIME_OBJECT(message), format, stream);
	bytes = g_mime_stream_mem_get_byte_array(GMIME_STREAM_MEM(stream));
	*length = bytes->len;
	copy = arena_copy(arena, bytes->data, bytes->len);
	g_object_unref(stream);
	g_mime_format_options_free(format);
	return copy;
}

char *compose(struct arena *arena, const struct letter *letter, size_t *length)
{
	GMimeMessage *message;
	GMimeMultipart *both;
	char *bytes;

	if (!all_fit(letter))
		return NULL;

	message = g_mime_message_new(FALSE);
	both = g_mime_multipart_new_with_subtype("alternative");
	set_headers(arena, message, letter);
	add_body(both, "plain", letter->text);
	add_body(both, "html", letter->html);
	g_mime_message_set_mime_part(message, GMIME_OBJECT(both));
	g_object_unref(both);
	bytes = written(arena, message, length);
	g_object_unref(message);
	return bytes;
}
