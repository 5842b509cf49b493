/*
 * compose.c - a letter as an Internet message (RFC 5322), through GMime.
 *
 * GMime encodes words (RFC 2047), folds lines and writes the two bodies as
 * quoted-printable; here stands which headers there are. A value with a line
 * break or another control character never gets that far.
 */
#include "notifications.h"

#include <string.h>

#include <gmime/gmime.h>
#include <sodium.h>

#include "lib/clock.h"

#define HANDLE_BYTES 10
#define WORD_BYTES   45 /* 60 in base64, between =?utf-8?B? and ?= */

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

static bool all_fit(const struct letter *letter)
{
	const char *const values[] = {letter->to_address,  letter->to_name,    letter->from_name,
				      letter->subject,     letter->message_id, letter->in_reply_to,
				      letter->references,  letter->list_id,    letter->list_name,
				      letter->archived_at, letter->archive,    letter->unsubscribe};

	for (size_t i = 0; i < sizeof values / sizeof *values; i++)
		if (!fit(values[i]))
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

static void set_bracketed(struct arena *arena, GMimeMessage *message, const char *name,
			  const char *value)
{
	if (value != NULL)
		set(message, name, arena_printf(arena, "<%s>", value));
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
	g_mime_object_set_header(
		GMIME_OBJECT(m), "List-Id",
		arena_printf(arena, "%s <%s>", phrase(arena, letter->list_name), letter->list_id),
		"utf-8");
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
	g_mime_message_set_message_id(message, letter->message_id);
	set_bracketed(arena, message, "In-Reply-To", letter->in_reply_to);
	if (letter->references != NULL)
		set(message, "References", letter->references);
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
