/* test_locale.c - languages, plurals, dates and zones as people read them. */
#include "lib/locale.h"

#include <string.h>
#include <time.h>

#include "lib/zone.h"

#include "check.h"

#define SECOND INT64_C(1000000)
#define MINUTE (60 * SECOND)
#define HOUR   (60 * MINUTE)
#define DAY    (24 * HOUR)

/* 1 March 2027, 13:30 UTC: half past two in Paris. */
static const struct moment noon = {INT64_C(1803907800) * SECOND};

static const struct zone *paris(void)
{
	const struct zone *zone = zone_find("Europe/Paris");

	assert_non_null(zone);
	return zone;
}

static const char *relative(enum locale locale, int64_t distance)
{
	static char text[LOCALE_TEXT];

	locale_relative(locale, paris(), (struct moment){noon.us + distance}, noon, text);
	return text;
}

static void a_message_is_french_by_its_name_and_english_by_the_catalogue(void **state)
{
	(void)state;
	assert_string_equal(tr(LOCALE_EN, "Se connecter"), "Sign in");
	assert_string_equal(tr(LOCALE_FR, "Se connecter"), "Se connecter");
	assert_string_equal(tr(LOCALE_FR, "Oublié ?"), "Oublié\xe2\x80\xaf?");
	assert_string_equal(tr(LOCALE_EN, "nobody translated this"), "nobody translated this");
}

static void zero_is_singular_in_french_and_plural_in_english(void **state)
{
	const char *one = "%d réaction";
	const char *many = "%d réactions";

	(void)state;
	assert_string_equal(tr_plural(LOCALE_FR, one, many, 0), "%d réaction");
	assert_string_equal(tr_plural(LOCALE_FR, one, many, 1), "%d réaction");
	assert_string_equal(tr_plural(LOCALE_FR, one, many, 2), "%d réactions");
	assert_string_equal(tr_plural(LOCALE_EN, one, many, 0), "%d comments");
	assert_string_equal(tr_plural(LOCALE_EN, one, many, 1), "%d comment");
	assert_string_equal(tr_plural(LOCALE_EN, one, many, 2), "%d comments");
}

static void the_best_language_of_the_browser_wins(void **state)
{
	(void)state;
	assert_int_equal(locale_accept("en-GB,en;q=0.9,fr;q=0.5", LOCALE_FR), LOCALE_EN);
	assert_int_equal(locale_accept("de, fr;q=0.8, en;q=0.7", LOCALE_EN), LOCALE_FR);
	assert_int_equal(locale_accept("en;q=0, fr;q=0.1", LOCALE_EN), LOCALE_FR);
	assert_int_equal(locale_accept("de, *;q=0.5", LOCALE_EN), LOCALE_EN);
	assert_int_equal(locale_accept("frr, eng", LOCALE_EN), LOCALE_EN);
	assert_int_equal(locale_accept(NULL, LOCALE_FR), LOCALE_FR);
	assert_int_equal(locale_accept(",,;q=,fr;q=9999999,en;q=x", LOCALE_EN), LOCALE_EN);
}

static void a_language_is_read_from_its_tag(void **state)
{
	enum locale locale = LOCALE_FR;

	(void)state;
	assert_true(locale_parse("EN_us", &locale));
	assert_int_equal(locale, LOCALE_EN);
	assert_false(locale_parse("english", &locale));
	assert_false(locale_parse("", &locale));
	assert_false(locale_parse(NULL, &locale));
	assert_int_equal(locale, LOCALE_EN);
}

static void dates_are_written_as_each_language_does(void **state)
{
	char text[LOCALE_TEXT];

	(void)state;
	locale_date(LOCALE_FR, paris(), noon, text);
	assert_string_equal(text, "1er mars 2027");
	locale_date(LOCALE_EN, paris(), noon, text);
	assert_string_equal(text, "1 March 2027");
	locale_day(LOCALE_FR, paris(), noon, text);
	assert_string_equal(text, "lundi 1er mars 2027");
	locale_exact(LOCALE_FR, paris(), noon, text);
	assert_string_equal(text, "1er mars 2027 à 14:30 (heure de Paris)");
	locale_exact(LOCALE_EN, zone_find("America/New_York"), noon, text);
	assert_string_equal(text, "1 March 2027 at 08:30 (New York time)");
	locale_exact(LOCALE_FR, zone_find("Europe/Amsterdam"), noon, text);
	assert_string_equal(text, "1er mars 2027 à 14:30 (heure d’Amsterdam)");
	locale_exact(LOCALE_FR, NULL, noon, text);
	assert_string_equal(text, "1er mars 2027 à 13:30 (UTC)");
	locale_rfc3339(noon, text);
	assert_string_equal(text, "2027-03-01T13:30:00Z");
}

static void distances_in_time_are_told_in_the_nearest_unit(void **state)
{
	(void)state;
	assert_string_equal(relative(LOCALE_FR, -30 * SECOND), "à l’instant");
	assert_string_equal(relative(LOCALE_EN, 59 * SECOND), "just now");
	assert_string_equal(relative(LOCALE_FR, -MINUTE), "il y a 1 min");
	assert_string_equal(relative(LOCALE_FR, 2 * HOUR), "dans 2 h");
	assert_string_equal(relative(LOCALE_EN, -2 * HOUR), "2 h ago");
	assert_string_equal(relative(LOCALE_FR, -29 * DAY), "il y a 29 jours");
	assert_string_equal(relative(LOCALE_FR, -31 * DAY), "29 janvier 2027");
}

static void yesterday_is_before_midnight_where_the_reader_is(void **state)
{
	(void)state;
	/* 14:30 in Paris: 14 hours ago is half past midnight, 15 hours ago is yesterday. */
	assert_string_equal(relative(LOCALE_FR, -14 * HOUR), "il y a 14 h");
	assert_string_equal(relative(LOCALE_FR, -15 * HOUR), "hier");
	assert_string_equal(relative(LOCALE_EN, DAY), "tomorrow");
	assert_string_equal(relative(LOCALE_FR, -2 * DAY), "il y a 2 jours");
}

static void hour_at(const struct zone *zone, int64_t seconds, int day, int hour, int offset)
{
	struct tm tm;

	zone_local(zone, seconds, &tm);
	assert_int_equal(tm.tm_mday, day);
	assert_int_equal(tm.tm_hour, hour);
	assert_int_equal(tm.tm_gmtoff, offset);
}

static void clocks_change_at_their_second(void **state)
{
	const int64_t spring = INT64_C(1806195600); /* 28 March 2027, 01:00 UTC */
	const int64_t autumn = INT64_C(1824944400); /* 31 October 2027, 01:00 UTC */

	(void)state;
	hour_at(paris(), spring - 1, 28, 1, 3600);
	hour_at(paris(), spring, 28, 3, 7200);
	hour_at(paris(), autumn - 1, 31, 2, 7200);
	hour_at(paris(), autumn, 31, 2, 3600);
}

static void every_zone_agrees_with_the_c_library(void **state)
{
	static const char *const names[] = {
		"Europe/Paris",     "America/New_York",  "Asia/Kolkata", "Australia/Lord_Howe",
		"America/Montreal", "Pacific/Apia",      "America/Nuuk", "Asia/Gaza",
		"Europe/Dublin",    "Africa/Casablanca", "Etc/GMT+5",    "UTC"};
	struct tm ours;
	struct tm theirs;
	time_t at;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(names) / sizeof(*names); i++) {
		setenv("TZ", names[i], 1);
		tzset();
		for (at = INT64_C(-1500000000); at < INT64_C(4000000000); at += 7654321) {
			zone_local(zone_find(names[i]), at, &ours);
			localtime_r(&at, &theirs);
			assert_int_equal(ours.tm_gmtoff, theirs.tm_gmtoff);
			assert_int_equal(ours.tm_mday, theirs.tm_mday);
			assert_int_equal(ours.tm_wday, theirs.tm_wday);
			assert_int_equal(ours.tm_hour, theirs.tm_hour);
		}
	}
	unsetenv("TZ");
	tzset();
}

static void a_name_that_is_no_zone_opens_no_file(void **state)
{
	static const char *const refused[] = {"../../../etc/passwd",
					      "/etc/passwd",
					      "Europe//Paris",
					      "Europe/",
					      "",
					      "Europe/Pariss",
					      "zone.tab",
					      "Europe",
					      "a b",
					      "..",
					      "Europe/Paris\n",
					      "averyveryveryverylongnamethatnozonecouldeverhave"};
	size_t i;

	(void)state;
	assert_null(zone_find(NULL));
	for (i = 0; i < sizeof(refused) / sizeof(*refused); i++)
		assert_null(zone_find(refused[i]));
}

static void times_beyond_the_calendar_are_shown_at_its_edge(void **state)
{
	char text[LOCALE_TEXT];

	(void)state;
	locale_exact(LOCALE_FR, paris(), (struct moment){INT64_MAX}, text);
	assert_non_null(strstr(text, "9999"));
	locale_exact(LOCALE_FR, paris(), (struct moment){INT64_MIN}, text);
	assert_non_null(strstr(text, " 1 "));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_message_is_french_by_its_name_and_english_by_the_catalogue),
		cmocka_unit_test(zero_is_singular_in_french_and_plural_in_english),
		cmocka_unit_test(the_best_language_of_the_browser_wins),
		cmocka_unit_test(a_language_is_read_from_its_tag),
		cmocka_unit_test(dates_are_written_as_each_language_does),
		cmocka_unit_test(distances_in_time_are_told_in_the_nearest_unit),
		cmocka_unit_test(yesterday_is_before_midnight_where_the_reader_is),
		cmocka_unit_test(clocks_change_at_their_second),
		cmocka_unit_test(every_zone_agrees_with_the_c_library),
		cmocka_unit_test(a_name_that_is_no_zone_opens_no_file),
		cmocka_unit_test(times_beyond_the_calendar_are_shown_at_its_edge),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
