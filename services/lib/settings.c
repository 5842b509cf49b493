/*
 * settings.c - builds the tables of settings from a daemon's name, and reads the key file.
 *
 * Defaults and derived names are texts made at start; they live as long as the
 * process. --help prints the same tables that are read.
 */
#include "lib/settings.h"

#include <assert.h>
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sodium.h>

#include "lib/service.h"

#define TEXT_LIMIT    1024
#define NAME_LIMIT    64
#define PEERS_LIMIT   32
#define RUN_DIR_LIMIT 70 /* a socket's path has 107 bytes, and ours add a name and a pid */

static struct common_settings *common;
static const char *log_level_name;
static char run_dir[PATH_MAX];

static struct {
	char name[NAME_LIMIT];
	char fallback[TEXT_LIMIT];
	const char *value;
} peers[PEERS_LIMIT];

static struct setting peers_table[PEERS_LIMIT + 1];

/* --- checks --- */

static const char *check_log_level(const char *value)
{
	static const char *const names[] = {"debug", "info", "warn", "error"};

	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		if (strcmp(value, names[i]) == 0) {
			common->log_level = (enum log_level)i;
			return NULL;
		}
	return "is not debug, info, warn or error";
}

static const char *check_run_dir(const char *value)
{
	(void)value;
	if (strlen(run_dir) > RUN_DIR_LIMIT)
		return "is too long a path for sockets (70 bytes); choose a shorter one, for "
		       "example /run/causerie";
	return NULL;
}

static const char *check_one_endpoint(const char *value)
{
	if (strchr(value, ',') != NULL || strchr(value, '*') != NULL)
		return "must be one address, without * and comma";
	return check_endpoint(value);
}

static const char *check_database_url(const char *value)
{
	if (strncmp(value, "postgresql://", 13) != 0 && strncmp(value, "postgres://", 11) != 0 &&
	    strchr(value, '=') == NULL)
		return "is neither postgresql://… nor a list of keyword=value";
	return NULL;
}

/* --- texts --- */

static void format_text(char *text, size_t size, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

static void format_text(char *text, size_t size, const char *format, ...)
{
	va_list arguments;
	int length;

	va_start(arguments, format);
	length = vsnprintf(text, size, format, arguments);
	va_end(arguments);
	if (length < 0 || (size_t)length >= size)
		log_fatal("the current folder's path is too long for default settings");
}

static void upper(char out[NAME_LIMIT], const char *name)
{
	size_t i = 0;

	assert(strlen(name) < NAME_LIMIT);
	for (; name[i] != '\0'; i++)
		out[i] = (char)toupper((unsigned char)name[i]);
	out[i] = '\0';
}

static void current_folder(char folder[PATH_MAX])
{
	if (getcwd(folder, PATH_MAX) == NULL)
		log_fatal("cannot tell the current folder: %s", strerror(errno));
}

/* The run dir decides other defaults, so it is looked up before the tables are read. */
static void find_run_dir(void)
{
	const char *set = getenv("CAUSERIE_RUN_DIR");
	char folder[PATH_MAX];

	if (set == NULL || set[0] == '\0')
		set = "var/run";
	if (set[0] == '/') {
		format_text(run_dir, sizeof run_dir, "%s", set);
		return;
	}
	current_folder(folder);
	format_text(run_dir, sizeof run_dir, "%s/%s", folder, set);
}

/* The private PostgreSQL of `make run`, by its socket's folder, percent-encoded (RFC 3986 2.1). */
static void default_database_url(char *url, size_t size, const char *name)
{
	char folder[PATH_MAX], encoded[3 * PATH_MAX], *out = encoded;

	current_folder(folder);
	for (const char *at = folder; *at != '\0'; at++) {
		if (isalnum((unsigned char)*at) || strchr("/-_.~", *at) != NULL)
			*out++ = *at;
		else
			out += sprintf(out, "%%%02X", (unsigned char)*at);
	}
	*out = '\0';
	format_text(url, size, "postgresql:///causerie_%s?host=%s/var/postgres&user=causerie_%s",
		    name, encoded, name);
}

/* --- tables --- */

#define TABLE_END                                                                                  \
	{                                                                                          \
		.name = NULL                                                                       \
	}

static const struct setting *common_table(void)
{
	static struct setting table[] = {
		SETTING_TEXT("CAUSERIE_PUBLIC_URL", "http://127.0.0.1:8080", NULL,
			     "how people reach the site; links in pages and mails begin with it",
			     check_url),
		SETTING_TEXT("CAUSERIE_RUN_DIR", "var/run", NULL,
			     "folder for the daemons' sockets and <name>.<pid>.admin files",
			     check_run_dir),
		SETTING_TEXT("CAUSERIE_RPC_KEY_FILE", "var/rpc.key", NULL,
			     "the key that all daemons share: 64 hexadecimal digits or 32 bytes",
			     NULL),
		SETTING_TEXT("CAUSERIE_LOG_LEVEL", "info", NULL,
			     "lines below it are not written: debug, info, warn or error",
			     check_log_level),
		SETTING_DURATION("CAUSERIE_DRAIN_TIME", "0", NULL, 0, 30000,
				 "how long to go on serving after SIGTERM, while a load balancer "
				 "learns of it"),
		SETTING_DURATION("CAUSERIE_START_TIMEOUT", "60s", NULL, 0, 3600000,
				 "how long to wait for the database at start"),
		SETTING_INTEGER("CAUSERIE_DATABASE_CONNECTIONS", "4", NULL, 1, 64,
				"connections to the database, per process"),
		SETTING_INTEGER("CAUSERIE_DATABASE_IN_FLIGHT", "64", NULL, 1, 1024,
				"statements waiting on one connection before more are refused"),
		SETTING_INTEGER("CAUSERIE_RPC_LIMIT", "256", NULL, 1, 65536,
				"calls in progress before more are refused, per process"),
		SETTING_INTEGER("CAUSERIE_RPC_WINDOW", "64", NULL, 1, 1024,
				"calls in flight to one replica of another daemon"),
		TABLE_END,
	};

	table[0].to.text = &common->public_url;
	table[1].to.text = &common->run_dir;
	table[2].to.text = &common->key_file;
	table[3].to.text = &log_level_name;
	table[4].to.number = &common->drain_ms;
	table[5].to.number = &common->start_timeout_ms;
	table[6].to.number = &common->database_connections;
	table[7].to.number = &common->database_in_flight;
	table[8].to.number = &common->rpc_limit;
	table[9].to.number = &common->rpc_window;
	return table;
}

/* What CAUSERIE_<NAME>_… says about this daemon. */
static const struct setting *own_table(const struct service *service)
{
	static char admin_name[NAME_LIMIT * 2], listen_name[NAME_LIMIT * 2];
	static char database_name[NAME_LIMIT * 2];
	static char listen_default[TEXT_LIMIT], database_default[4 * PATH_MAX];
	static struct setting table[4];
	char name[NAME_LIMIT];
	size_t n = 0;

	upper(name, service->name);
	format_text(admin_name, sizeof admin_name, "CAUSERIE_%s_ADMIN_LISTEN", name);
	table[n++] = (struct setting)SETTING_TEXT(
		admin_name, "127.0.0.1:0", &common->admin_listen,
		"/healthz, /readyz, /metrics; port 0 takes a free one, see <name>.<pid>.admin",
		check_listen);
	if (service->rpc != NULL) {
		format_text(listen_name, sizeof listen_name, "CAUSERIE_%s_LISTEN", name);
		format_text(listen_default, sizeof listen_default, "ipc://%s/%s.%%d.rpc", run_dir,
			    service->name);
		table[n++] = (struct setting)SETTING_TEXT(
			listen_name, listen_default, &common->listen,
			"where other daemons call this one; %d becomes the pid",
			check_one_endpoint);
	}
	if (service->queries != NULL) {
		format_text(database_name, sizeof database_name, "CAUSERIE_%s_DATABASE_URL", name);
		default_database_url(database_default, sizeof database_default, service->name);
		table[n++] = (struct setting)SETTING_SECRET(
			database_name, database_default, &common->database_url,
			"PostgreSQL, as libpq reads it; default: var/postgres of this folder",
			check_database_url);
	}
	table[n] = (struct setting)TABLE_END;
	return table;
}

static const struct setting *build_peers_table(void)
{
	const char *const *services = config_services();
	char name[NAME_LIMIT];
	size_t n = 0;

	for (; n < PEERS_LIMIT && services[n] != NULL; n++) {
		upper(name, services[n]);
		format_text(peers[n].name, sizeof peers[n].name, "CAUSERIE_%s_PEERS", name);
		format_text(peers[n].fallback, sizeof peers[n].fallback, "ipc://%s/%s.*.rpc",
			    run_dir, services[n]);
		peers_table[n] = (struct setting)SETTING_TEXT(
			peers[n].name, peers[n].fallback, &peers[n].value,
			"where to find it: endpoints separated by commas", check_endpoint);
	}
	peers_table[n] = (struct setting)TABLE_END;
	return peers_table;
}

#define TABLES 4

static void build_tables(const struct service *service, const struct setting *tables[TABLES + 1])
{
	size_t n = 0;

	find_run_dir();
	if (service->settings != NULL)
		tables[n++] = service->settings;
	tables[n++] = common_table();
	tables[n++] = own_table(service);
	tables[n++] = build_peers_table();
	tables[n] = NULL;
}

const char *settings_peers(const char *service)
{
	const char *const *services = config_services();

	for (size_t i = 0; i < PEERS_LIMIT && services[i] != NULL; i++)
		if (strcmp(services[i], service) == 0)
			return peers[i].value;
	return NULL;
}

void settings_print(const struct service *service)
{
	const struct setting *tables[TABLES + 1];
	struct common_settings unread = {0};

	common = &unread;
	build_tables(service, tables);
	config_print(tables);
	common = NULL;
}

/* --- the key --- */

static int parse_key(const unsigned char *bytes, size_t length, unsigned char *key)
{
	size_t got;

	if (length == SETTINGS_KEY_BYTES) {
		memcpy(key, bytes, length);
		return 0;
	}
	while (length > 0 && isspace(bytes[length - 1]))
		length--;
	if (length != 2 * SETTINGS_KEY_BYTES ||
	    sodium_hex2bin(key, SETTINGS_KEY_BYTES, (const char *)bytes, length, NULL, &got,
			   NULL) != 0 ||
	    got != SETTINGS_KEY_BYTES)
		return -EINVAL;
	return 0;
}

static int read_key(const char *path, unsigned char *key, struct config_problem *problem)
{
	unsigned char bytes[2 * SETTINGS_KEY_BYTES + 16];
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t length;
	int result;

	if (fd < 0) {
		snprintf(problem->text, sizeof problem->text,
			 "CAUSERIE_RPC_KEY_FILE: cannot open %.200s (%s); to make one: (umask 077; "
			 "openssl rand -hex 32 > %.200s)",
			 path, strerror(errno), path);
		return -EINVAL;
	}
	length = read(fd, bytes, sizeof bytes);
	close(fd);
	result = length < 0 ? -EINVAL : parse_key(bytes, (size_t)length, key);
	sodium_memzero(bytes, sizeof bytes);
	if (result < 0)
		snprintf(problem->text, sizeof problem->text,
			 "CAUSERIE_RPC_KEY_FILE: %.200s holds neither 64 hexadecimal digits nor 32 "
			 "bytes",
			 path);
	return result;
}

int settings_read(const struct service *service, struct common_settings *into,
		  struct config_problem *problem)
{
	const struct setting *tables[TABLES + 1];

	common = into;
	build_tables(service, tables);
	if (config_read(tables, problem) < 0)
		return -EINVAL;
	into->run_dir = run_dir;
	return read_key(into->key_file, into->key, problem);
}
