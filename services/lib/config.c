/*
 * config.c - reads settings from the environment and says what is wrong with them.
 *
 * First every variable with our prefix must be known to some daemon; then each
 * row of the tables is read and checked. The first problem ends it, in words that
 * name the variable, its value (unless it is secret) and what is expected.
 */
#include "lib/config.h"

#include <assert.h>
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <event2/util.h>

#include "known_settings.h"

#define PREFIX         "CAUSERIE_"
#define NAME_LIMIT     64
#define ENDPOINT_LIMIT 512
#define IPC            "ipc://"
#define TCP            "tcp://"

const char *const *config_services(void)
{
	return known_services;
}

/* --- unknown names --- */

static size_t smallest(size_t a, size_t b, size_t c)
{
	if (b < a)
		a = b;
	return c < a ? c : a;
}

/* Levenshtein's distance, row by row. */
static size_t distance(const char *a, size_t length, const char *b)
{
	size_t row[NAME_LIMIT + 1], corner, above;
	const size_t width = strnlen(b, NAME_LIMIT);

	for (size_t j = 0; j <= width; j++)
		row[j] = j;
	for (size_t i = 1; i <= length; i++) {
		corner = row[0];
		row[0] = i;
		for (size_t j = 1; j <= width; j++) {
			above = row[j];
			row[j] = smallest(row[j - 1] + 1, above + 1,
					  corner + (a[i - 1] != b[j - 1]));
			corner = above;
		}
	}
	return row[width];
}

static bool is_known(const char *name, size_t length)
{
	for (const char *const *known = known_settings; *known != NULL; known++)
		if (strlen(*known) == length && memcmp(*known, name, length) == 0)
			return true;
	return false;
}

static const char *nearest(const char *name, size_t length)
{
	const char *best = NULL;
	size_t best_distance = length / 3 + 1, d;

	if (length > NAME_LIMIT)
		return NULL;
	for (const char *const *known = known_settings; *known != NULL; known++) {
		d = distance(name, length, *known);
		if (d < best_distance) {
			best = *known;
			best_distance = d;
		}
	}
	return best;
}

static int check_names(struct config_problem *problem)
{
	for (char **variable = environ; variable != NULL && *variable != NULL; variable++) {
		const size_t length = strcspn(*variable, "=");
		const char *meant;

		if (strncmp(*variable, PREFIX, strlen(PREFIX)) != 0 || is_known(*variable, length))
			continue;
		meant = nearest(*variable, length);
		snprintf(problem->text, sizeof problem->text,
			 "%.*s: there is no such setting%s%s%s",
			 (int)(length > NAME_LIMIT ? NAME_LIMIT : length), *variable,
			 meant ? "; did you mean " : "", meant ? meant : "", meant ? "?" : "");
		return -EINVAL;
	}
	return 0;
}

/* --- values --- */

static int refuse(struct config_problem *problem, const struct setting *setting, const char *value,
		  const char *why)
{
	if (setting->secret)
		snprintf(problem->text, sizeof problem->text, "%s: the value %s", setting->name,
			 why);
	else
		snprintf(problem->text, sizeof problem->text, "%s: \"%.200s\" %s", setting->name,
			 value, why);
	return -EINVAL;
}

static int refuse_range(struct config_problem *problem, const struct setting *setting,
			const char *value, const char *unit)
{
	char why[128];

	snprintf(why, sizeof why, "is not between %" PRId64 "%s and %" PRId64 "%s",
		 setting->minimum, unit, setting->maximum, unit);
	return refuse(problem, setting, value, why);
}

/* Digits only: strtoll() alone would take blanks and signs. Returns what follows them, or NULL. */
static const char *read_digits(const char *text, int64_t *number)
{
	char *end;

	if (!isdigit((unsigned char)text[0]))
		return NULL;
	errno = 0;
	*number = strtoll(text, &end, 10);
	return errno ? NULL : end;
}

static int read_text(const struct setting *setting, const char *value,
		     struct config_problem *problem)
{
	const char *wrong = setting->check ? setting->check(value) : NULL;

	if (wrong != NULL)
		return refuse(problem, setting, value, wrong);
	*setting->to.text = value;
	return 0;
}

static int read_integer(const struct setting *setting, const char *value,
			struct config_problem *problem)
{
	const char *digits = value[0] == '-' ? value + 1 : value;
	int64_t number;
	const char *end = read_digits(digits, &number);

	if (end == NULL || *end != '\0')
		return refuse(problem, setting, value, "is not a whole number");
	if (digits != value)
		number = -number;
	if (number < setting->minimum || number > setting->maximum)
		return refuse_range(problem, setting, value, "");
	*setting->to.number = number;
	return 0;
}

/* Milliseconds in one unit; 0 for a unit we do not know. */
static int64_t unit_ms(const char *unit)
{
	static const struct {
		const char *name;
		int64_t ms;
	} units[] = {{"ms", 1}, {"s", 1000}, {"m", 60000}, {"h", 3600000}, {"d", 86400000}};

	for (size_t i = 0; i < sizeof units / sizeof units[0]; i++)
		if (strcmp(units[i].name, unit) == 0)
			return units[i].ms;
	return 0;
}

static int read_duration(const struct setting *setting, const char *value,
			 struct config_problem *problem)
{
	int64_t number, unit;
	const char *end = read_digits(value, &number);

	if (end == NULL)
		return refuse(problem, setting, value,
			      "is not a duration, for example 250ms, 90s, 10m");
	unit = number == 0 && *end == '\0' ? 1 : unit_ms(end);
	if (unit == 0)
		return refuse(problem, setting, value, "needs a unit: ms, s, m, h or d");
	if (number > INT64_MAX / unit || number * unit < setting->minimum ||
	    number * unit > setting->maximum)
		return refuse_range(problem, setting, value, "ms");
	*setting->to.number = number * unit;
	return 0;
}

static int read_boolean(const struct setting *setting, const char *value,
			struct config_problem *problem)
{
	if (strcmp(value, "0") != 0 && strcmp(value, "1") != 0)
		return refuse(problem, setting, value, "is neither 0 nor 1");
	*setting->to.flag = value[0] == '1';
	return 0;
}

static int read_setting(const struct setting *setting, struct config_problem *problem)
{
	const char *value = getenv(setting->name);

	if (value == NULL || value[0] == '\0')
		value = setting->fallback;
	if (value == NULL)
		return 0;
	switch (setting->kind) {
	case SETTING_IS_TEXT:
		return read_text(setting, value, problem);
	case SETTING_IS_INTEGER:
		return read_integer(setting, value, problem);
	case SETTING_IS_DURATION:
		return read_duration(setting, value, problem);
	case SETTING_IS_BOOLEAN:
		return read_boolean(setting, value, problem);
	}
	assert(false && "a kind of setting that does not exist");
	return -EINVAL;
}

int config_read(const struct setting *const *tables, struct config_problem *problem)
{
	if (check_names(problem) < 0)
		return -EINVAL;
	for (; *tables != NULL; tables++)
		for (const struct setting *setting = *tables; setting->name != NULL; setting++)
			if (read_setting(setting, problem) < 0)
				return -EINVAL;
	return 0;
}

void config_print(const struct setting *const *tables)
{
	for (; *tables != NULL; tables++)
		for (const struct setting *setting = *tables; setting->name != NULL; setting++)
			printf("  %s=%s\n      %s\n", setting->name,
			       setting->fallback == NULL ? ""
			       : setting->secret         ? "(secret)"
							 : setting->fallback,
			       setting->help);
}

/* --- checks --- */

static void set_port(struct sockaddr_storage *address, uint16_t port)
{
	if (address->ss_family == AF_INET6)
		((struct sockaddr_in6 *)address)->sin6_port = htons(port);
	else
		((struct sockaddr_in *)address)->sin_port = htons(port);
}

/* evutil knows addresses but takes no port 0, and none at all for a port; so it only sees ":1". */
int parse_listen(const char *value, struct sockaddr_storage *address, int *size)
{
	const char *colon = strrchr(value, ':');
	char host[64];
	int64_t port;
	const char *end = colon ? read_digits(colon + 1, &port) : NULL;

	if (end == NULL || *end != '\0' || port > UINT16_MAX || colon - value > 60)
		return -EINVAL;
	if (value[0] == '[' ? colon[-1] != ']' : strchr(value, ':') != colon)
		return -EINVAL;
	snprintf(host, sizeof host, "%.*s:1", (int)(colon - value), value);
	*size = sizeof *address;
	if (evutil_parse_sockaddr_port(host, (struct sockaddr *)address, size) < 0)
		return -EINVAL;
	set_port(address, (uint16_t)port);
	return 0;
}

const char *check_listen(const char *value)
{
	struct sockaddr_storage address;
	int size;

	if (parse_listen(value, &address, &size) < 0)
		return "is not address:port, for example 127.0.0.1:8080 or [::1]:8080";
	return NULL;
}

static const char *check_ipc(const char *path)
{
	const char *star = strchr(path, '*');

	if (path[0] != '/')
		return "needs an absolute path behind ipc://";
	if (strlen(path) + strlen(".4194304.bus") >= sizeof((struct sockaddr_un *)0)->sun_path)
		return "is too long a path for a socket";
	if (star != NULL && (strchr(star, '/') != NULL || strchr(star + 1, '*') != NULL))
		return "may hold one *, in the last part of the path";
	return NULL;
}

static const char *check_tcp(const char *host)
{
	const char *colon = strrchr(host, ':');
	int64_t port;
	const char *end = colon ? read_digits(colon + 1, &port) : NULL;

	if (end == NULL || *end != '\0' || colon == host || port < 1 || port > 65534)
		return "needs host:port behind tcp://, port 1 to 65534";
	return NULL;
}

const char *check_endpoint(const char *value)
{
	char list[ENDPOINT_LIMIT], *rest = list, *one;
	const char *wrong;

	if (strlen(value) >= sizeof list)
		return "is too long";
	strcpy(list, value);
	while ((one = strsep(&rest, ",")) != NULL) {
		if (strncmp(one, IPC, strlen(IPC)) == 0)
			wrong = check_ipc(one + strlen(IPC));
		else if (strncmp(one, TCP, strlen(TCP)) == 0)
			wrong = check_tcp(one + strlen(TCP));
		else
			wrong = "is neither ipc:///path nor tcp://host:port";
		if (wrong != NULL)
			return wrong;
	}
	return NULL;
}

const char *check_url(const char *value)
{
	static const char expected[] = "is not http://host or https://host without a path";
	const char *host = NULL;

	if (strncmp(value, "http://", 7) == 0)
		host = value + 7;
	else if (strncmp(value, "https://", 8) == 0)
		host = value + 8;
	if (host == NULL || host[0] == '\0')
		return expected;
	for (const char *at = host; *at != '\0'; at++)
		if (!isalnum((unsigned char)*at) && strchr(".-:[]", *at) == NULL)
			return expected;
	return NULL;
}
