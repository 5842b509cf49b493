/*
 * config.h - settings: environment variables with working defaults, checked at start.
 *
 * A daemon lists its settings in a table; lib modules it uses add theirs with
 * the same macro:
 *
 *     static const struct setting settings[] = {
 *             SETTING_DURATION("CAUSERIE_MAIL_DELAY", "10m", &mail_delay, 0, 86400000,
 *                              "how long a notification waits for others to join it"),
 *             {.name = NULL},
 *     };
 *
 * --help prints the tables, --check validates them. An unknown variable with our
 * prefix is an error (a misspelt setting must not pass in silence); the names
 * known to any daemon are collected at build time from all SETTING_ lines, since
 * one environment may serve all daemons. So the first argument is a literal; names
 * that follow from a daemon's own are listed in tools/compile_settings.py. A
 * variable that is set to nothing counts as not set.
 */
#ifndef LIB_CONFIG_H
#define LIB_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum setting_kind { SETTING_IS_TEXT, SETTING_IS_INTEGER, SETTING_IS_DURATION, SETTING_IS_BOOLEAN };

struct setting {
	const char *name;     /* "CAUSERIE_HTTP_LISTEN" */
	const char *fallback; /* in the same form; NULL: none, the value stays as it is */
	const char *help;     /* one line, says the unit */
	enum setting_kind kind;
	union {
		const char **text;
		int64_t *number; /* a duration in milliseconds */
		bool *flag;
	} to;
	int64_t minimum, maximum;                /* of a number or duration */
	const char *(*check)(const char *value); /* returns what is wrong, or NULL; may be NULL */
	bool secret;                             /* --help and logs never show its value */
};

/* Durations are "90s", "10m", "250ms", "7d", "2h" or "0"; booleans "0" or "1". */
#define SETTING_TEXT(variable, default_, target, help_, check_)                                    \
	{                                                                                          \
		.name = (variable), .fallback = (default_), .help = (help_),                       \
		.kind = SETTING_IS_TEXT, .to.text = (target), .check = (check_)                    \
	}
#define SETTING_SECRET(variable, default_, target, help_, check_)                                  \
	{                                                                                          \
		.name = (variable), .fallback = (default_), .help = (help_),                       \
		.kind = SETTING_IS_TEXT, .to.text = (target), .check = (check_), .secret = true    \
	}
#define SETTING_INTEGER(variable, default_, target, low, high, help_)                              \
	{                                                                                          \
		.name = (variable), .fallback = (default_), .help = (help_),                       \
		.kind = SETTING_IS_INTEGER, .to.number = (target), .minimum = (low),               \
		.maximum = (high)                                                                  \
	}
#define SETTING_DURATION(variable, default_, target, low_ms, high_ms, help_)                       \
	{                                                                                          \
		.name = (variable), .fallback = (default_), .help = (help_),                       \
		.kind = SETTING_IS_DURATION, .to.number = (target), .minimum = (low_ms),           \
		.maximum = (high_ms)                                                               \
	}
#define SETTING_BOOLEAN(variable, default_, target, help_)                                         \
	{                                                                                          \
		.name = (variable), .fallback = (default_), .help = (help_),                       \
		.kind = SETTING_IS_BOOLEAN, .to.flag = (target)                                    \
	}

/* What is wrong, for a person: CAUSERIE_HTTP_LISTEN: "8080" is not host:port, for example … */
struct config_problem {
	char text[512];
};

/*
 * Fills every value from the environment. A table ends with a row whose name is
 * NULL; the list of tables ends with NULL. Returns 0, or -EINVAL with the first
 * problem. Texts point into the environment, which must not change afterwards.
 */
int config_read(const struct setting *const *tables, struct config_problem *);

/* Prints each setting, its default and what it is for, for --help. */
void config_print(const struct setting *const *tables);

/* The daemons that answer calls, by the folders of services/; ends with NULL. */
const char *const *config_services(void);

/* Reads what check_listen() accepts; port 0 stays 0: the system chooses. 0 or -EINVAL. */
struct sockaddr_storage;
int parse_listen(const char *value, struct sockaddr_storage *, int *size);

/* Checks for the check column: return what is wrong, or NULL. */
const char *check_listen(const char *value);   /* 127.0.0.1:8080 or [::1]:8080 */
const char *check_endpoint(const char *value); /* ipc:///path or tcp://host:port, comma-separated */
const char *check_url(const char *value);      /* http:// or https://, no trailing slash, no path */

#endif
