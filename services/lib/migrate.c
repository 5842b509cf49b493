/*
 * migrate.c - brings a database to the schema of this build; blocks, before the loop runs.
 *
 * One session holds an advisory lock while it applies what is missing, so replicas
 * that start together take turns. A migration and its row in schema_migrations are
 * one transaction. Rows that this build does not know are a newer build's: old code
 * runs on the new schema.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "lib/clock.h"
#include "lib/log.h"
#include "lib/sql.h"

/* "causerie" in ASCII; any number that nobody else uses would do. */
#define LOCK "7161118115101114105"

/* Waiting for a lock stops everybody behind us, so a migration gives up early and is tried again.
 */
#define SESSION                                                                                    \
	"SET client_min_messages = warning; SET lock_timeout = '5s'; SET statement_timeout = 0; "  \
	"SET timezone = 'UTC'"

#define TABLE                                                                                      \
	"CREATE TABLE IF NOT EXISTS schema_migrations "                                            \
	"(name text PRIMARY KEY, applied_at timestamptz NOT NULL DEFAULT now())"

/* Server away, going or busy, lock not had, deadlock: none of them says that the migration is
 * wrong. */
static bool is_passing(const char *sqlstate)
{
	return sqlstate == NULL || strncmp(sqlstate, "08", 2) == 0 ||
	       strncmp(sqlstate, "57P", 3) == 0 || strncmp(sqlstate, "53", 2) == 0 ||
	       strcmp(sqlstate, "25006") == 0 || strcmp(sqlstate, "40P01") == 0 ||
	       strcmp(sqlstate, "55P03") == 0;
}

/* Returns 0, -EAGAIN or -EINVAL, and clears the result. what is logged with a failure. */
static int judge(PGresult *result, const char *what)
{
	const ExecStatusType status = PQresultStatus(result);
	const char *sqlstate = PQresultErrorField(result, PG_DIAG_SQLSTATE);
	int judgement = 0;

	if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK) {
		judgement = is_passing(sqlstate) ? -EAGAIN : -EINVAL;
		log_write(judgement == -EAGAIN ? LOG_INFO : LOG_ERROR, NULL, "sql.migration_failed",
			  "migration=%s sqlstate=%s message=%s position=%s", what, sqlstate,
			  PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY),
			  PQresultErrorField(result, PG_DIAG_STATEMENT_POSITION));
	}
	PQclear(result);
	return judgement;
}

static int execute(PGconn *pg, const char *text, const char *what)
{
	return judge(PQexec(pg, text), what);
}

/* 1: it was applied before. */
static int is_applied(PGconn *pg, const char *name)
{
	PGresult *result = PQexecParams(pg, "SELECT 1 FROM schema_migrations WHERE name = $1", 1,
					NULL, &name, NULL, NULL, 0);
	const bool found = PQntuples(result) == 1;
	const int error = judge(result, name);

	return error ? error : found;
}

static int apply_and_note(PGconn *pg, const struct sql_migration *migration)
{
	int error = execute(pg, migration->text, migration->name);

	if (error == 0)
		error = judge(PQexecParams(pg, "INSERT INTO schema_migrations (name) VALUES ($1)",
					   1, NULL, &migration->name, NULL, NULL, 0),
			      migration->name);
	return error ? error : execute(pg, "COMMIT", migration->name);
}

static int apply(PGconn *pg, const struct sql_migration *migration)
{
	const int64_t before = clock_ms();
	int error = is_applied(pg, migration->name);

	if (error != 0)
		return error < 0 ? error : 0;
	error = execute(pg, "BEGIN", migration->name);
	if (error == 0)
		error = apply_and_note(pg, migration);
	if (error == 0)
		log_info(NULL, "sql.migrated", "migration=%s ms=%lld", migration->name,
			 (long long)(clock_ms() - before));
	return error;
}

static int migrate(PGconn *pg, const struct sql_migration *migrations, size_t count)
{
	int error = execute(pg, SESSION, "session");

	if (error == 0)
		error = execute(pg, "SELECT pg_advisory_lock(" LOCK ")", "lock");
	if (error == 0)
		error = execute(pg, TABLE, "schema_migrations");
	for (size_t i = 0; error == 0 && i < count; i++)
		error = apply(pg, &migrations[i]);
	return error;
}

int sql_migrate(const char *url, const struct sql_migration *migrations, size_t count)
{
	const char *const keywords[] = {"connect_timeout", "fallback_application_name", "dbname",
					NULL};
	const char *const values[] = {"3", "causerie-migrate", url, NULL};
	PGconn *pg = PQconnectdbParams(keywords, values, 1);
	int result = -EAGAIN;

	if (PQstatus(pg) == CONNECTION_OK)
		result = migrate(pg, migrations, count);
	else
		log_debug(NULL, "sql.unreachable", "reason=%s", PQerrorMessage(pg));
	PQfinish(pg); /* what is open is rolled back, and the lock goes */
	return result;
}
