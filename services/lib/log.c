/*
 * log.c - writes log lines that are always valid JSON, and never waits for their reader.
 *
 * A line is built on the stack, at most 4 KiB (PIPE_BUF, so that lines of several
 * processes on one pipe do not mix), and written with one system call. Standard
 * error is shared with other processes and must not be made non-blocking for
 * them: a pipe is opened a second time through /proc, a socket is written with
 * MSG_DONTWAIT, a file takes everything, and for anything else poll() answers whether
 * a write would wait.
 * Safe to call from any thread once log_start() has returned.
 */
#include "lib/log.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <poll.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <unistr.h>

#include "lib/clock.h"

#define LINE_LIMIT  4096
#define VALUE_LIMIT 1024 /* bytes of one string as written; the rest is cut and marked with … */
#define NAME_LIMIT  32
#define CUT_MARK    "\xe2\x80\xa6"
#define LINE_END    "}\n"
#define CUT_END     ",\"truncated\":true" LINE_END

struct line {
	char text[LINE_LIMIT];
	size_t length;
};

static char service_name[NAME_LIMIT];
static enum log_level lowest = LOG_INFO;
static int sink = STDERR_FILENO;
static enum { SINK_MAY_WAIT, SINK_NEVER_WAITS, SINK_SOCKET } sink_kind;
static atomic_uint_fast64_t dropped;
/* The last line was written in part: the next starts on a line of its own. */
static atomic_bool torn;

static void open_sink(void)
{
	struct stat status;
	int own;

	if (sink != STDERR_FILENO)
		close(sink);
	sink = STDERR_FILENO;
	sink_kind = SINK_MAY_WAIT;
	if (fstat(STDERR_FILENO, &status) < 0)
		return;
	if (S_ISSOCK(status.st_mode)) {
		sink_kind = SINK_SOCKET;
		return;
	}
	if (S_ISREG(status.st_mode))
		sink_kind = SINK_NEVER_WAITS;
	if (!S_ISFIFO(status.st_mode))
		return;
	own = open("/proc/self/fd/2", O_WRONLY | O_NONBLOCK | O_CLOEXEC);
	if (own < 0)
		return;
	sink = own;
	sink_kind = SINK_NEVER_WAITS;
}

void log_start(const char *service, enum log_level level)
{
	snprintf(service_name, sizeof service_name, "%s", service);
	lowest = level;
	open_sink();
}

uint64_t log_dropped(void)
{
	return atomic_load(&dropped);
}

static ssize_t write_now(const char *text, size_t length)
{
	struct pollfd writable = {.fd = sink, .events = POLLOUT};

	if (sink_kind == SINK_SOCKET)
		return send(sink, text, length, MSG_DONTWAIT | MSG_NOSIGNAL);
	if (sink_kind == SINK_MAY_WAIT && poll(&writable, 1, 0) != 1)
		return -1;
	return write(sink, text, length);
}

static void write_line(const char *text, size_t length)
{
	ssize_t written;

	if (atomic_load(&torn)) {
		if (write_now("\n", 1) != 1) {
			atomic_fetch_add(&dropped, 1);
			return;
		}
		atomic_store(&torn, false);
	}
	do
		written = write_now(text, length);
	while (written < 0 && errno == EINTR);
	if (written == (ssize_t)length)
		return;
	atomic_fetch_add(&dropped, 1);
	if (written > 0)
		atomic_store(&torn, true);
}

/* --- building a line; the room for its end is always kept --- */

static size_t room(const struct line *line)
{
	return sizeof line->text - line->length - strlen(CUT_END);
}

static bool put(struct line *line, const char *bytes, size_t length)
{
	if (length > room(line))
		return false;
	memcpy(line->text + line->length, bytes, length);
	line->length += length;
	return true;
}

static bool put_text(struct line *line, const char *text)
{
	return put(line, text, strlen(text));
}

/* One character as it stands in a JSON string; control characters are escaped, C1 as well. */
static size_t escape(char out[8], const char *text, size_t length, size_t *used)
{
	ucs4_t character;
	int n = u8_mbtouc(&character, (const uint8_t *)text, length);

	*used = (size_t)n;
	if (character == '"' || character == '\\')
		return (size_t)snprintf(out, 8, "\\%c", (char)character);
	if (character == '\n')
		return (size_t)snprintf(out, 8, "\\n");
	if (character < 0x20 || (character >= 0x7f && character < 0xa0))
		return (size_t)snprintf(out, 8, "\\u%04x", (unsigned)character);
	return (size_t)u8_uctomb((uint8_t *)out, character, 8);
}

static bool put_string(struct line *line, const char *text)
{
	const size_t marks = strlen("\"\"" CUT_MARK);
	size_t left, length, used, size;
	char character[8];

	if (text == NULL)
		return put_text(line, "null");
	if (room(line) < marks)
		return false;
	left = room(line) - marks;
	if (left > VALUE_LIMIT)
		left = VALUE_LIMIT;
	put_text(line, "\"");
	for (length = strnlen(text, VALUE_LIMIT + 1); length > 0; text += used, length -= used) {
		size = escape(character, text, length, &used);
		if (size > left) {
			put_text(line, CUT_MARK);
			break;
		}
		put(line, character, size);
		left -= size;
	}
	return put_text(line, "\"");
}

/* The name is ours: letters, digits, underscores. */
static bool put_name(struct line *line, const char *name, size_t length)
{
	return put_text(line, ",\"") && put(line, name, length) && put_text(line, "\":");
}

static bool put_double(struct line *line, double value, int precision)
{
	char number[352]; /* DBL_MAX has 309 digits before the point */

	if (!isfinite(value))
		return put_text(line, "null");
	snprintf(number, sizeof number, "%.*f", precision, value);
	return put_text(line, number);
}

static bool put_signed(struct line *line, long long value)
{
	char number[24];

	snprintf(number, sizeof number, "%lld", value);
	return put_text(line, number);
}

static bool put_unsigned(struct line *line, unsigned long long value)
{
	char number[24];

	snprintf(number, sizeof number, "%llu", value);
	return put_text(line, number);
}

/* A va_list inside a struct can be handed down and advances for the caller, too. */
struct arguments {
	va_list list;
};

enum width { WIDTH_INT, WIDTH_LONG, WIDTH_LONG_LONG, WIDTH_SIZE };

static enum width read_width(const char **at)
{
	if (**at == 'z') {
		(*at)++;
		return WIDTH_SIZE;
	}
	if (**at != 'l')
		return WIDTH_INT;
	(*at)++;
	if (**at != 'l')
		return WIDTH_LONG;
	(*at)++;
	return WIDTH_LONG_LONG;
}

static long long take_signed(struct arguments *from, enum width width)
{
	switch (width) {
	case WIDTH_LONG:
		return va_arg(from->list, long);
	case WIDTH_LONG_LONG:
		return va_arg(from->list, long long);
	case WIDTH_SIZE:
		return va_arg(from->list, ssize_t);
	case WIDTH_INT:
		break;
	}
	return va_arg(from->list, int);
}

static unsigned long long take_unsigned(struct arguments *from, enum width width)
{
	switch (width) {
	case WIDTH_LONG:
		return va_arg(from->list, unsigned long);
	case WIDTH_LONG_LONG:
		return va_arg(from->list, unsigned long long);
	case WIDTH_SIZE:
		return va_arg(from->list, size_t);
	case WIDTH_INT:
		break;
	}
	return va_arg(from->list, unsigned);
}

/* Writes the value that the conversion at *at (behind its %) takes; *at moves behind it. */
static bool put_value(struct line *line, const char **at, struct arguments *from)
{
	int precision = 6;
	enum width width;
	char *end;

	if (**at == '.') {
		precision = (int)strtol(*at + 1, &end, 10);
		*at = end;
	}
	width = read_width(at);
	switch (*(*at)++) {
	case 's':
		return put_string(line, va_arg(from->list, const char *));
	case 'd':
	case 'i':
		return put_signed(line, take_signed(from, width));
	case 'u':
		return put_unsigned(line, take_unsigned(from, width));
	case 'f':
		return put_double(line, va_arg(from->list, double), precision);
	default:
		assert(false && "a conversion that log.h does not name");
		return false;
	}
}

/* "topic=%d title=%s"; false when the line is full, and it ends before the field that did not fit.
 */
static bool put_fields(struct line *line, const char *format, struct arguments *from)
{
	const char *at = format, *equals;
	size_t before;

	while (*at != '\0') {
		before = line->length;
		equals = strchr(at, '=');
		assert(equals != NULL && equals > at && equals[1] == '%');
		if (!put_name(line, at, (size_t)(equals - at))) {
			line->length = before;
			return false;
		}
		at = equals + 2;
		if (!put_value(line, &at, from)) {
			line->length = before;
			return false;
		}
		assert(*at == '\0' || *at == ' ');
		if (*at == ' ')
			at++;
	}
	return true;
}

static void put_time(struct line *line)
{
	const int64_t now = clock_now();
	const time_t seconds = (time_t)(now / 1000000);
	char text[40];
	struct tm utc;
	size_t length;

	gmtime_r(&seconds, &utc);
	length = strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &utc);
	snprintf(text + length, sizeof text - length, ".%06dZ", (int)(now % 1000000));
	put_text(line, text);
}

static void put_head(struct line *line, enum log_level level, const char *trace, const char *event)
{
	static const char *const levels[] = {"debug", "info", "warn", "error"};

	put_text(line, "{\"time\":\"");
	put_time(line);
	put_text(line, "\",\"level\":\"");
	put_text(line, levels[level]);
	put_text(line, "\",\"service\":");
	put_string(line, service_name);
	if (trace != NULL) {
		put_text(line, ",\"trace\":");
		put_string(line, trace);
	}
	put_text(line, ",\"event\":");
	put_string(line, event);
}

void log_write(enum log_level level, const char *trace, const char *event, const char *format, ...)
{
	struct line line = {.length = 0};
	struct arguments arguments;
	const char *end = LINE_END;

	if (level < lowest)
		return;
	put_head(&line, level, trace, event);
	va_start(arguments.list, format);
	if (!put_fields(&line, format, &arguments))
		end = CUT_END;
	va_end(arguments.list);
	memcpy(line.text + line.length, end, strlen(end));
	write_line(line.text, line.length + strlen(end));
}

/* _exit(): at this point threads of libraries may run, and there is nothing to save. */
void log_fatal(const char *format, ...)
{
	char text[2048];
	va_list arguments;
	int length;

	va_start(arguments, format);
	length = vsnprintf(text, sizeof text, format, arguments);
	va_end(arguments);
	assert(length >= 0);
	fprintf(stderr, "causerie%s%s: %s\n", service_name[0] ? "-" : "", service_name, text);
	_exit(1);
}
