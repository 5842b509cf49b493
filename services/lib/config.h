/*
 * config.h - settings: environment variables with working defaults, checked at start.
 *
 * A daemon lists its settings in a table; lib modules it uses add theirs with
 * the same macro. --help prints the tables, --check validates them. An unknown
 * variable with our prefix is an error (a misspelt setting must not pass in
 * silence); the names known to any daemon are collected at build time from all
 * SETTING_ lines, since one environment may serve all daemons.
 */
#ifndef LIB_CONFIG_H
#define LIB_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum setting_kind { SETTING_TEXT, SETTING_INTEGER, SETTING_DURATION, SETTING_BOOLEAN };

struct setting {
	const char *name;     /* "CAUSERIE_HTTP_LISTEN" */
	const char *fallback; /* in the same form as the variable; NULL: none, value stays NULL/0 */
	const char *help;     /* one line, says the unit */
	enum setting_kind kind;
	void *value;             /* const char ** or int64_t * or bool *; duration in milliseconds */
	int64_t minimum, maximum; /* of a number or duration */
	const char *(*check)(const char *value); /* returns what is wrong, or NULL; may be NULL */
	bool secret;             /* --help and logs never show its value */
};

/* Durations are "90s", "10m", "250ms", "7d", "2h"; booleans "0" or "1". */
#define SETTING_TEXT_(variable, default_, target, help_, check_)                                   \
	{.name = (variable), .fallback = (default_), .help = (help_), .kind = SETTING_TEXT,        \
	 .value = (target), .check = (check_)}
#define SETTING_INTEGER_(variable, default_, target, low, high, help_)                             \
	{.name = (variable), .fallback = (default_), .help = (help_), .kind = SETTING_INTEGER,     \
	 .value = (target), .minimum = (low), .maximum = (high)}
#define SETTING_DURATION_(variable, default_, target, low_ms, high_ms, help_)                      \
	{.name = (variable), .fallback = (default_), .help = (help_), .kind = SETTING_DURATION,    \
	 .value = (target), .minimum = (low_ms), .maximum = (high_ms)}
#define SETTING_BOOLEAN_(variable, default_, target, help_)                                        \
	{.name = (variable), .fallback = (default_), .help = (help_), .kind = SETTING_BOOLEAN,     \
	 .value = (target)}

/* A table ends with a row whose name is NULL; several tables end with NULL. */
struct config_problem {
	char text[512]; /* "CAUSERIE_HTTP_LISTEN: "8080" is not host:port, for example 127.0.0.1:8080" */
};

/* Fills every value from the environment. Returns 0, or -EINVAL with the first problem. */
int config_read(const struct setting *const *tables, struct config_problem *);

/* Prints "NAME  default  help" for --help. */
void config_print(const struct setting *const *tables);

/* Checks for the check column: return what is wrong, or NULL. */
const char *check_listen(const char *value); /* host:port or [v6]:port */
const char *check_endpoint(const char *value); /* ipc:///path or tcp://address:port, comma-separated list */
const char *check_url(const char *value);      /* http:// or https://, no trailing slash, no path */

#endif
