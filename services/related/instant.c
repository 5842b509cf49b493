/*
 * instant.c - RFC 3339, and what people write instead of it.
 */
#include "related/instant.h"

#include <ctype.h>
#include <stdio.h>
#include <time.h>

static bool read_zone(const char *text, int *seconds)
{
	int hours = 0, minutes = 0, used = 0;

	*seconds = 0;
	if (*text == '\0' || ((*text == 'Z' || *text == 'z') && text[1] == '\0'))
		return true;
	if (sscanf(text + 1, "%2d:%2d%n", &hours, &minutes, &used) != 2 || text[1 + used] != '\0' ||
	    (*text != '+' && *text != '-') || hours > 23 || minutes > 59)
		return false;
	*seconds = (hours * 60 + minutes) * (*text == '-' ? -60 : 60);
	return true;
}

static const char *skip_fraction(const char *text)
{
	if (*text == '.')
		for (text++; isdigit((unsigned char)*text);)
			text++;
	return text;
}

static bool possible(const struct tm *t)
{
	return t->tm_mon >= 0 && t->tm_mon < 12 && t->tm_mday >= 1 && t->tm_mday <= 31 &&
	       t->tm_hour >= 0 && t->tm_hour < 24 && t->tm_min >= 0 && t->tm_min < 60 &&
	       t->tm_sec >= 0 && t->tm_sec <= 60;
}

bool instant_read(const char *text, int64_t *us)
{
	struct tm t = {0};
	int used = 0, clock_used = 0, zone = 0;

	if (sscanf(text, "%4d-%2d-%2d%n", &t.tm_year, &t.tm_mon, &t.tm_mday, &used) != 3)
		return false;
	text += used;
	if (*text == 'T' || *text == 't' || *text == ' ') {
		if (sscanf(text + 1, "%2d:%2d:%2d%n", &t.tm_hour, &t.tm_min, &t.tm_sec,
			   &clock_used) != 3)
			return false;
		text = skip_fraction(text + 1 + clock_used);
	}
	t.tm_year -= 1900;
	t.tm_mon--;
	if (!possible(&t) || !read_zone(text, &zone))
		return false;
	*us = ((int64_t)timegm(&t) - zone) * 1000000;
	return true;
}
