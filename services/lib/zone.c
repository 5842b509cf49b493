/*
 * zone.c - reads TZif files and answers local time from their list of changes.
 *
 * Debian's files list every change until 2037. Later moments borrow the rules of
 * 28 years before, when weekdays and leap years fall alike, as the rules in force
 * are those of the last year listed. A name that is not one of a zone is refused
 * before it can become a path.
 */
#include "lib/zone.h"

#include <assert.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ZONE_FOLDER	"/usr/share/zoneinfo/"
#define ZONE_NAME_MAX	39
#define ZONE_FILE_MAX	65536 /* the largest in tzdata is under 4 kB */
#define ZONES_MAX	700   /* tzdata has about 600 */
#define LISTED_UNTIL	INT64_C(2114380800) /* 2037-01-01 UTC */
#define TWENTY_EIGHT_YEARS INT64_C(883612800)

struct zone {
	struct zone *next;
	char name[ZONE_NAME_MAX + 1];
	size_t n_changes;
	int64_t *changes;
	int32_t *offsets; /* from changes[i] on */
	int32_t before;	  /* the first change */
};

static struct zone *zones;
static size_t n_zones;

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
	return read_changes(zone, bytes + skip, &header);
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

	while (seconds >= LISTED_UNTIL)
		seconds -= TWENTY_EIGHT_YEARS;
	while (low < high) { /* the first change after seconds */
		middle = low + (high - low) / 2;
		if (zone->changes[middle] <= seconds)
			low = middle + 1;
		else
			high = middle;
	}
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
