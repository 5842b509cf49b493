/*
 * zone.c - reads TZif files and answers local time from their list of changes.
 *
 * A file lists the changes of the past (and often those until 2037) and ends in a
 * rule for what comes after, as "CET-1CEST,M3.5.0,M10.5.0/3". A name that is not
 * one of a zone is refused before it can become a path.
 */
#include "lib/zone.h"

#include <assert.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ZONE_FOLDER   "/usr/share/zoneinfo/"
#define ZONE_NAME_MAX 39
#define ZONE_FILE_MAX 65536 /* the largest in tzdata is under 4 kB */
#define ZONES_MAX     700   /* tzdata has about 600 */

/* "M3.5.0/2": the last (5) Sunday (0) of March, at two. */
struct rule {
	int month, week, weekday;
	int32_t at; /* seconds of local time, may be negative or beyond the day */
};

struct rules {
	bool known;
	bool has_summer;
	int32_t winter, summer; /* offsets */
	struct rule begins, ends;
};

struct zone {
	struct zone *next;
	char name[ZONE_NAME_MAX + 1];
	size_t n_changes;
	int64_t *changes;
	int32_t *offsets;   /* from changes[i] on */
	int32_t before;     /* the first change */
	struct rules after; /* the last change */
};

static struct zone *zones;
static size_t n_zones;

/* --- the rule at the end of the file, POSIX.1-2017 8.3 with RFC 9636 3.3.1 --- */

static bool read_number(const char **at, int *number)
{
	char *end;
	long value;

	if ((**at < '0' || **at > '9'))
		return false;
	value = strtol(*at, &end, 10);
	if (value > 1000)
		return false;
	*number = (int)value;
	*at = end;
	return true;
}

/* "CET" or "<+1030>" */
static bool skip_abbreviation(const char **at)
{
	const char *start = *at;

	if (**at == '<') {
		*at += strcspn(*at, ">");
		if (**at != '>')
			return false;
		(*at)++;
		return true;
	}
	while ((**at >= 'A' && **at <= 'Z') || (**at >= 'a' && **at <= 'z'))
		(*at)++;
	return *at - start >= 3;
}

/* "-10:30", "2", "26:00:05" */
static bool read_clock(const char **at, int32_t *seconds)
{
	int sign = **at == '-' ? -1 : 1;
	int parts[3] = {0, 0, 0};
	int i = 0;

	if (**at == '-' || **at == '+')
		(*at)++;
	if (!read_number(at, &parts[0]))
		return false;
	while (**at == ':' && i < 2) {
		(*at)++;
		if (!read_number(at, &parts[++i]))
			return false;
	}
	*seconds = sign * (parts[0] * 3600 + parts[1] * 60 + parts[2]);
	return true;
}

static bool read_rule(const char **at, struct rule *rule)
{
	rule->at = 2 * 3600;
	if (strncmp(*at, ",M", 2) != 0)
		return false;
	*at += 2;
	if (!read_number(at, &rule->month) || *(*at)++ != '.' || !read_number(at, &rule->week) ||
	    *(*at)++ != '.' || !read_number(at, &rule->weekday))
		return false;
	if (rule->month < 1 || rule->month > 12 || rule->week < 1 || rule->week > 5 ||
	    rule->weekday > 6)
		return false;
	if (**at != '/')
		return true;
	(*at)++;
	return read_clock(at, &rule->at);
}

static bool read_rules(const char *at, struct rules *rules)
{
	int32_t west;

	if (!skip_abbreviation(&at) || !read_clock(&at, &west))
		return false;
	rules->winter = -west;
	rules->summer = -west + 3600;
	rules->known = true;
	if (*at == '\0')
		return true;
	if (!skip_abbreviation(&at))
		return false;
	if (*at != ',' && read_clock(&at, &west))
		rules->summer = -west;
	rules->has_summer = read_rule(&at, &rules->begins) && read_rule(&at, &rules->ends);
	return rules->has_summer && *at == '\0';
}

/* Days since 1970 of a date (Howard Hinnant's days_from_civil). */
static int64_t days_of(int64_t year, int month, int day)
{
	int64_t era;
	int64_t of_era;
	int64_t of_year;

	year -= month <= 2;
	era = (year >= 0 ? year : year - 399) / 400;
	of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
	of_era = (year - era * 400) * 365 + (year - era * 400) / 4 - (year - era * 400) / 100 +
		 of_year;
	return era * 146097 + of_era - 719468;
}

/* The second, of local time, at which a rule comes into force in a year. */
static int64_t rule_second(const struct rule *rule, int64_t year)
{
	int64_t first = days_of(year, rule->month, 1);
	int64_t after =
		rule->month == 12 ? days_of(year + 1, 1, 1) : days_of(year, rule->month + 1, 1);
	int weekday = (int)(((first + 4) % 7 + 7) % 7);
	int64_t day = first + (rule->weekday - weekday + 7) % 7 + (rule->week - 1) * 7;

	while (day >= after)
		day -= 7;
	return day * 86400 + rule->at;
}

static int32_t offset_by_rules(const struct rules *rules, int64_t seconds)
{
	int64_t begins;
	int64_t ends;
	bool summer;
	struct tm tm;
	time_t local = (time_t)(seconds + rules->winter);

	if (!rules->has_summer)
		return rules->winter;
	gmtime_r(&local, &tm);
	begins = rule_second(&rules->begins, tm.tm_year + 1900) - rules->winter;
	ends = rule_second(&rules->ends, tm.tm_year + 1900) - rules->summer;
	if (begins < ends)
		summer = seconds >= begins && seconds < ends;
	else /* the southern half of the world */
		summer = seconds >= begins || seconds < ends;
	return summer ? rules->summer : rules->winter;
}

/* --- names and files --- */

static bool is_zone_name(const char *name)
{
	size_t i;

	for (i = 0; name[i] != '\0'; i++) {
		char c = name[i];
		bool word = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
			    (c >= '0' && c <= '9') || c == '_' || c == '-' || c == '+';

		if (!word && !(c == '/' && i > 0 && name[i - 1] != '/'))
			return false;
	}
	return i > 0 && i <= ZONE_NAME_MAX && name[i - 1] != '/';
}

/* --- TZif, RFC 9636 section 3: numbers are big-endian --- */

static int64_t number(const unsigned char *bytes, size_t size)
{
	uint64_t value = (bytes[0] & 0x80) != 0 ? UINT64_MAX : 0;
	size_t i;

	for (i = 0; i < size; i++)
		value = value << 8 | bytes[i];
	return (int64_t)value;
}

struct header {
	size_t isut, isstd, leap, time, type, chars;
};

#define HEADER_SIZE 44

static bool read_header(const unsigned char *bytes, size_t size, struct header *header)
{
	if (size < HEADER_SIZE || memcmp(bytes, "TZif", 4) != 0 || bytes[4] < '2')
		return false;
	header->isut = (size_t)number(bytes + 20, 4);
	header->isstd = (size_t)number(bytes + 24, 4);
	header->leap = (size_t)number(bytes + 28, 4);
	header->time = (size_t)number(bytes + 32, 4);
	header->type = (size_t)number(bytes + 36, 4);
	header->chars = (size_t)number(bytes + 40, 4);
	return header->isut <= 256 && header->isstd <= 256 && header->leap <= 1000 &&
	       header->time <= 5000 && header->type >= 1 && header->type <= 256 &&
	       header->chars <= 1000;
}

static size_t body_size(const struct header *h, size_t time_size)
{
	return h->time * time_size + h->time + h->type * 6 + h->chars + h->leap * (time_size + 4) +
	       h->isstd + h->isut;
}

static int32_t offset_of(const unsigned char *types, size_t index)
{
	return (int32_t)number(types + index * 6, 4);
}

static bool read_changes(struct zone *zone, const unsigned char *body, const struct header *h)
{
	const unsigned char *indices = body + h->time * 8;
	const unsigned char *types = indices + h->time;
	size_t i;

	zone->n_changes = h->time;
	zone->changes = calloc(h->time + 1, sizeof(*zone->changes));
	zone->offsets = calloc(h->time + 1, sizeof(*zone->offsets));
	assert(zone->changes != NULL && zone->offsets != NULL);
	zone->before = offset_of(types, 0);
	for (i = 0; i < h->time; i++) {
		if (indices[i] >= h->type)
			return false;
		zone->changes[i] = number(body + i * 8, 8);
		zone->offsets[i] = offset_of(types, indices[i]);
	}
	return true;
}

/* "\nCET-1CEST,M3.5.0,M10.5.0/3\n"; an empty or odd one leaves the last offset in force. */
static void read_footer(struct zone *zone, const unsigned char *bytes, size_t size)
{
	char text[80];
	size_t i;

	if (size < 3 || bytes[0] != '\n')
		return;
	for (i = 1; i < size && i < sizeof(text) && bytes[i] != '\n'; i++)
		text[i - 1] = (char)bytes[i];
	if (i == size || i == sizeof(text))
		return;
	text[i - 1] = '\0';
	if (!read_rules(text, &zone->after))
		zone->after.known = false;
}

/* The file holds everything twice: 32-bit for old readers, then 64-bit. */
static bool parse(struct zone *zone, const unsigned char *bytes, size_t size)
{
	struct header header;
	size_t skip;

	if (!read_header(bytes, size, &header))
		return false;
	skip = HEADER_SIZE + body_size(&header, 4);
	if (skip > size || !read_header(bytes + skip, size - skip, &header))
		return false;
	skip += HEADER_SIZE;
	if (body_size(&header, 8) > size - skip)
		return false;
	if (!read_changes(zone, bytes + skip, &header))
		return false;
	skip += body_size(&header, 8);
	read_footer(zone, bytes + skip, size - skip);
	return true;
}

static bool read_zone(struct zone *zone)
{
	char path[sizeof(ZONE_FOLDER) + ZONE_NAME_MAX];
	unsigned char *bytes;
	size_t size;
	bool good;
	FILE *file;

	snprintf(path, sizeof(path), ZONE_FOLDER "%s", zone->name);
	file = fopen(path, "rbe");
	if (file == NULL)
		return false;
	bytes = malloc(ZONE_FILE_MAX);
	assert(bytes != NULL);
	size = fread(bytes, 1, ZONE_FILE_MAX, file);
	good = parse(zone, bytes, size);
	free(bytes);
	fclose(file);
	return good;
}

static void zone_free(struct zone *zone)
{
	free(zone->changes);
	free(zone->offsets);
	free(zone);
}

const struct zone *zone_find(const char *name)
{
	struct zone *zone;

	if (name == NULL || !is_zone_name(name))
		return NULL;
	for (zone = zones; zone != NULL; zone = zone->next)
		if (strcmp(zone->name, name) == 0)
			return zone;
	if (n_zones == ZONES_MAX)
		return NULL;

	zone = calloc(1, sizeof(*zone));
	assert(zone != NULL);
	memcpy(zone->name, name, strlen(name) + 1);
	if (!read_zone(zone)) {
		zone_free(zone);
		return NULL;
	}
	zone->next = zones;
	zones = zone;
	n_zones++;
	return zone;
}

const char *zone_name(const struct zone *zone)
{
	return zone == NULL ? "UTC" : zone->name;
}

static int32_t offset_at(const struct zone *zone, int64_t seconds)
{
	size_t low = 0;
	size_t high = zone->n_changes;
	size_t middle;

	while (low < high) { /* the first change after seconds */
		middle = low + (high - low) / 2;
		if (zone->changes[middle] <= seconds)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == zone->n_changes && zone->after.known)
		return offset_by_rules(&zone->after, seconds);
	return low == 0 ? zone->before : zone->offsets[low - 1];
}

/* Years 1 to 9999 are shown; a moment beyond them is shown at the edge. */
static int64_t within_the_calendar(int64_t seconds)
{
	const int64_t first = INT64_C(-62135510400);
	const int64_t last = INT64_C(253402214400);

	return seconds < first ? first : seconds > last ? last : seconds;
}

void zone_local(const struct zone *zone, int64_t seconds, struct tm *tm)
{
	int32_t offset;
	time_t shifted;

	seconds = within_the_calendar(seconds);
	offset = zone == NULL ? 0 : offset_at(zone, seconds);
	shifted = (time_t)(seconds + offset);
	gmtime_r(&shifted, tm);
	tm->tm_gmtoff = offset;
	tm->tm_zone = NULL;
}

static bool shows(const struct zone *zone, int64_t seconds, const struct tm *wanted)
{
	struct tm tm;

	zone_local(zone, seconds, &tm);
	return tm.tm_year == wanted->tm_year && tm.tm_mon == wanted->tm_mon &&
	       tm.tm_mday == wanted->tm_mday && tm.tm_hour == wanted->tm_hour &&
	       tm.tm_min == wanted->tm_min && tm.tm_sec == wanted->tm_sec;
}

/* The offset is that of the day before or of the day after: it changes once between them. */
bool zone_instant(const struct zone *zone, const struct tm *wanted, int64_t *seconds)
{
	static const int64_t day = 86400;
	struct tm as_utc = *wanted, around;
	const int64_t wall = timegm(&as_utc);
	bool found = false;

	for (int64_t side = -day; side <= day; side += 2 * day) {
		int64_t instant;

		zone_local(zone, wall + side, &around);
		instant = wall - around.tm_gmtoff;
		if (shows(zone, instant, wanted) && (!found || instant < *seconds)) {
			*seconds = instant;
			found = true;
		}
	}
	return found;
}
