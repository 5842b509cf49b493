/*
 * locale.c - looks messages up in the compiled table and writes numbers and dates.
 *
 * Relative times change with the reader's clock, so they are computed from the
 * two moments given and never from the machine's; a day is a calendar day in the
 * reader's zone, because "hier" at one in the morning means before midnight.
 */
#include "lib/locale.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "lib/zone.h"

#define NARROW_NO_BREAK "\xe2\x80\xaf" /* U+202F */

#define SECOND INT64_C(1000000)
#define MINUTE 60
#define HOUR   (60 * MINUTE)
#define DAY    (24 * HOUR)

static const char *const tags[LOCALE_COUNT] = {
	[LOCALE_FR] = "fr",
	[LOCALE_EN] = "en",
};

const char *locale_tag(enum locale locale)
{
	return tags[locale];
}

static bool ends_a_tag(char c)
{
	return c == '\0' || c == '-' || c == '_' || c == ',' || c == ';' || c == ' ' || c == '\t';
}

bool locale_known(const char *tag)
{
	enum locale locale;

	return strlen(tag) == 2 && locale_parse(tag, &locale);
}

bool locale_parse(const char *tag, enum locale *locale)
{
	int i;

	for (i = 0; tag != NULL && i < LOCALE_COUNT; i++) {
		if (strncasecmp(tag, tags[i], 2) == 0 && ends_a_tag(tag[2])) {
			*locale = (enum locale)i;
			return true;
		}
	}
	return false;
}

/* A weight of "0.8" as 800, "1" as 1000; anything odd is 0, which never wins. */
static int quality(const char *range, const char *end)
{
	const char *at = memchr(range, ';', (size_t)(end - range));
	double weight;

	if (at == NULL)
		return 1000;
	for (at++; at < end && (*at == ' ' || *at == '\t'); at++)
		;
	if (end - at < 3 || (*at != 'q' && *at != 'Q') || at[1] != '=')
		return 1000;
	weight = strtod(at + 2, NULL);
	return weight > 0 && weight <= 1 ? (int)(weight * 1000) : 0;
}

enum locale locale_accept(const char *header, enum locale fallback)
{
	enum locale best = fallback;
	enum locale found;
	const char *end;
	int best_quality = 0;

	while (header != NULL && *header != '\0') {
		while (*header == ' ' || *header == ',' || *header == '\t')
			header++;
		end = header + strcspn(header, ",");
		if (locale_parse(header, &found) && quality(header, end) > best_quality) {
			best = found;
			best_quality = quality(header, end);
		}
		header = end;
	}
	return best;
}

/* --- messages --- */

static uint32_t fnv1a(const char *text)
{
	uint32_t hash = 2166136261U;

	for (; *text != '\0'; text++)
		hash = (hash ^ (unsigned char)*text) * 16777619U;
	return hash;
}

static const struct locale_message *find(const char *msgid, uint32_t hash)
{
	size_t mask = locale_messages_size - 1;
	size_t at;

	for (at = hash & mask; locale_messages[at].msgid != NULL; at = (at + 1) & mask)
		if (locale_messages[at].hash == hash &&
		    strcmp(locale_messages[at].msgid, msgid) == 0)
			return &locale_messages[at];
	return NULL;
}

const char *tr_hashed(enum locale locale, const char *msgid, uint32_t hash)
{
	const struct locale_message *message = find(msgid, hash);

	return message == NULL ? msgid : message->one[locale];
}

const char *tr(enum locale locale, const char *msgid)
{
	return tr_hashed(locale, msgid, fnv1a(msgid));
}

static bool is_one(enum locale locale, int64_t n)
{
	return n == 1 || n == -1 || (n == 0 && locale == LOCALE_FR);
}

const char *tr_plural_hashed(enum locale locale, const char *one, const char *many, uint32_t hash,
			     int64_t n)
{
	const struct locale_message *message = find(one, hash);

	if (message == NULL || message->many[locale] == NULL)
		return is_one(LOCALE_FR, n) ? one : many;
	return is_one(locale, n) ? message->one[locale] : message->many[locale];
}

const char *tr_plural(enum locale locale, const char *one, const char *many, int64_t n)
{
	return tr_plural_hashed(locale, one, many, fnv1a(one), n);
}

/* --- numbers --- */

void locale_number(enum locale locale, int64_t number, char text[LOCALE_TEXT])
{
	const char *separator = locale == LOCALE_FR ? NARROW_NO_BREAK : ",";
	char digits[24];
	size_t size;
	size_t i;
	char *to = text;

	snprintf(digits, sizeof(digits), "%" PRIu64,
		 number < 0 ? 0 - (uint64_t)number : (uint64_t)number);
	size = strlen(digits);
	if (number < 0)
		*to++ = '-';
	for (i = 0; i < size; i++) {
		if (i > 0 && size > 4 && (size - i) % 3 == 0)
			to = stpcpy(to, separator);
		*to++ = digits[i];
	}
	*to = '\0';
}

/* --- dates --- */

static const char *const months[LOCALE_COUNT][12] = {
	[LOCALE_FR] = {"janvier", "février", "mars", "avril", "mai", "juin", "juillet", "août",
		       "septembre", "octobre", "novembre", "décembre"},
	[LOCALE_EN] = {"January", "February", "March", "April", "May", "June", "July", "August",
		       "September", "October", "November", "December"},
};

static const char *const weekdays[LOCALE_COUNT][7] = {
	[LOCALE_FR] = {"dimanche", "lundi", "mardi", "mercredi", "jeudi", "vendredi", "samedi"},
	[LOCALE_EN] = {"Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday",
		       "Saturday"},
};

static int64_t seconds_of(struct moment moment)
{
	int64_t seconds = moment.us / SECOND;

	return moment.us % SECOND < 0 ? seconds - 1 : seconds;
}

static int write_date(enum locale locale, const struct tm *tm, char *text, size_t size)
{
	return snprintf(text, size, "%d%s %s %d", tm->tm_mday,
			locale == LOCALE_FR && tm->tm_mday == 1 ? "er" : "",
			months[locale][tm->tm_mon], tm->tm_year + 1900);
}

void locale_date(enum locale locale, const struct zone *zone, struct moment moment,
		 char text[LOCALE_TEXT])
{
	struct tm tm;

	zone_local(zone, seconds_of(moment), &tm);
	write_date(locale, &tm, text, LOCALE_TEXT);
}

void locale_day(enum locale locale, const struct zone *zone, struct moment moment,
		char text[LOCALE_TEXT])
{
	struct tm tm;
	int size;

	zone_local(zone, seconds_of(moment), &tm);
	size = snprintf(text, LOCALE_TEXT, "%s ", weekdays[locale][tm.tm_wday]);
	write_date(locale, &tm, text + size, LOCALE_TEXT - (size_t)size);
}

void locale_clock(enum locale locale, const struct zone *zone, struct moment moment,
		  char text[LOCALE_TEXT])
{
	struct tm tm;

	(void)locale; /* both write 14:30 */
	zone_local(zone, seconds_of(moment), &tm);
	snprintf(text, LOCALE_TEXT, "%02d:%02d", tm.tm_hour, tm.tm_min);
}

/* "America/New_York" is a place to people only by its last part, with spaces. */
static void write_place(const char *name, char *place, size_t size)
{
	const char *slash = strrchr(name, '/');
	size_t i;

	snprintf(place, size, "%s", slash == NULL ? name : slash + 1);
	for (i = 0; place[i] != '\0'; i++)
		if (place[i] == '_')
			place[i] = ' ';
}

static void write_zone(enum locale locale, const struct zone *zone, char *text, size_t size)
{
	char place[40];

	if (strchr(zone_name(zone), '/') == NULL) {
		snprintf(text, size, "%s", zone_name(zone));
		return;
	}
	write_place(zone_name(zone), place, sizeof(place));
	if (locale == LOCALE_EN)
		snprintf(text, size, "%s time", place);
	else if (strchr("AEIOUYH", place[0]) != NULL)
		snprintf(text, size, "heure d’%s", place);
	else
		snprintf(text, size, "heure de %s", place);
}

void locale_exact(enum locale locale, const struct zone *zone, struct moment moment,
		  char text[LOCALE_TEXT])
{
	char where[56];
	struct tm tm;
	int size;

	zone_local(zone, seconds_of(moment), &tm);
	write_zone(locale, zone, where, sizeof(where));
	size = write_date(locale, &tm, text, LOCALE_TEXT);
	snprintf(text + size, LOCALE_TEXT - (size_t)size, " %s %02d:%02d (%s)",
		 locale == LOCALE_FR ? "à" : "at", tm.tm_hour, tm.tm_min, where);
}

static int64_t calendar_day(const struct zone *zone, int64_t seconds)
{
	struct tm tm;
	int64_t local;

	zone_local(zone, seconds, &tm);
	local = seconds + tm.tm_gmtoff;
	return local >= 0 ? local / DAY : (local - DAY + 1) / DAY;
}

static void write_distance(enum locale locale, bool past, int64_t count, const char *unit,
			   char text[LOCALE_TEXT])
{
	if (locale == LOCALE_FR)
		snprintf(text, LOCALE_TEXT, "%s %" PRId64 " %s", past ? "il y a" : "dans", count,
			 unit);
	else if (past)
		snprintf(text, LOCALE_TEXT, "%" PRId64 " %s ago", count, unit);
	else
		snprintf(text, LOCALE_TEXT, "in %" PRId64 " %s", count, unit);
}

static void write_days(enum locale locale, int64_t days, char text[LOCALE_TEXT])
{
	static const char *const next_to_today[LOCALE_COUNT][2] = {
		[LOCALE_FR] = {"hier", "demain"},
		[LOCALE_EN] = {"yesterday", "tomorrow"},
	};

	if (days == -1 || days == 1)
		snprintf(text, LOCALE_TEXT, "%s", next_to_today[locale][days == 1]);
	else
		write_distance(locale, days < 0, llabs(days),
			       locale == LOCALE_FR ? "jours" : "days", text);
}

void locale_relative(enum locale locale, const struct zone *zone, struct moment moment,
		     struct moment now, char text[LOCALE_TEXT])
{
	int64_t distance = seconds_of(moment) - seconds_of(now);
	int64_t far = llabs(distance);
	int64_t days = calendar_day(zone, seconds_of(moment)) - calendar_day(zone, seconds_of(now));

	if (far < MINUTE)
		snprintf(text, LOCALE_TEXT, "%s", locale == LOCALE_FR ? "à l’instant" : "just now");
	else if (far < HOUR)
		write_distance(locale, distance < 0, far / MINUTE, "min", text);
	else if (far < 12 * HOUR || days == 0)
		write_distance(locale, distance < 0, far / HOUR, "h", text);
	else if (far < 30 * (int64_t)DAY)
		write_days(locale, days, text);
	else
		locale_date(locale, zone, moment, text);
}

void locale_rfc3339(struct moment moment, char text[LOCALE_TEXT])
{
	struct tm tm;

	zone_local(NULL, seconds_of(moment), &tm);
	snprintf(text, LOCALE_TEXT, "%04d-%02d-%02dT%02d:%02d:%02dZ", tm.tm_year + 1900,
		 tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec);
}
