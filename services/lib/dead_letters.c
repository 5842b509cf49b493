/*
 * dead_letters.c - lists, retries and drops parked events, over a connection of its own.
 *
 * To retry is a wish, stored in the row: the consumer of the running daemon takes it, since
 * only the daemon knows what an event does.
 */
#include "lib/dead_letters.h"

#include <inttypes.h>
#include <libpq-fe.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "events.pb-c.h"
#include "lib/arena.h"
#include "lib/scan.h"

#define LIST                                                                                       \
	"SELECT source, seq::text, type, coalesce(sqlstate, 'ended the daemon'), retry, "          \
	"to_char(parked_at AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"'), event "          \
	"FROM dead_letters ORDER BY parked_at, source, seq"
#define WHICH " WHERE source = $1 AND ($2 = 'all' OR seq::text = $2)"
#define RETRY "UPDATE dead_letters SET retry = true" WHICH
#define DROP  "DELETE FROM dead_letters" WHICH

static int complain(const char *service, PGconn *connection, PGresult *result)
{
	fprintf(stderr, "causerie-%s: %s", service, PQerrorMessage(connection));
	PQclear(result);
	return EXIT_FAILURE;
}

/* One field of an event, where it is set: topic_id=7. */
static void print_field(const ProtobufCFieldDescriptor *field, const ProtobufCMessage *message)
{
	const void *at = (const char *)message + field->offset;

	if (field->label == PROTOBUF_C_LABEL_REPEATED)
		return;
	if (field->type == PROTOBUF_C_TYPE_UINT64 && *(const uint64_t *)at != 0)
		printf(" %s=%" PRIu64, field->name, *(const uint64_t *)at);
	if (field->type == PROTOBUF_C_TYPE_STRING && **(const char *const *)at != '\0')
		printf(" %s=%s", field->name, *(const char *const *)at);
}

static void print_event(const void *bytes, size_t size)
{
	struct arena arena = {0};
	const ProtobufCMessageDescriptor *type = &causerie__event__descriptor;
	ProtobufCMessage *message;

	if (scan_unpack(&arena, type, bytes, size, &message) < 0)
		printf(" (not readable)");
	else
		for (unsigned i = 0; i < type->n_fields; i++)
			print_field(&type->fields[i], message);
	arena_free(&arena);
}

static void print_row(PGresult *result, int row)
{
	size_t size;
	unsigned char *event = PQunescapeBytea((unsigned char *)PQgetvalue(result, row, 6), &size);

	printf("%s %s %s %s, parked %s%s:", PQgetvalue(result, row, 0), PQgetvalue(result, row, 1),
	       PQgetvalue(result, row, 2), PQgetvalue(result, row, 3), PQgetvalue(result, row, 5),
	       *PQgetvalue(result, row, 4) == 't' ? ", to be tried again" : "");
	if (event != NULL)
		print_event(event, size);
	putchar('\n');
	PQfreemem(event);
}

static int list(const char *service, PGconn *connection)
{
	PGresult *result = PQexec(connection, LIST);

	if (PQresultStatus(result) != PGRES_TUPLES_OK)
		return complain(service, connection, result);
	for (int row = 0; row < PQntuples(result); row++)
		print_row(result, row);
	if (PQntuples(result) == 0)
		puts("no dead letters");
	PQclear(result);
	return EXIT_SUCCESS;
}

static int change(const char *service, PGconn *connection, const char *statement,
		  const char *const *which)
{
	PGresult *result = PQexecParams(connection, statement, 2, NULL, which, NULL, NULL, 0);
	int status = EXIT_SUCCESS;

	if (PQresultStatus(result) != PGRES_COMMAND_OK)
		return complain(service, connection, result);
	if (strcmp(PQcmdTuples(result), "0") == 0) {
		fprintf(stderr, "causerie-%s: no dead letter %s %s; --dead-letters lists them\n",
			service, which[0], which[1]);
		status = EXIT_FAILURE;
	} else {
		printf("%s\n", PQcmdTuples(result));
	}
	PQclear(result);
	return status;
}

int dead_letters_command(const char *service, const char *database_url, int argc, char **argv)
{
	const bool retries = argc == 3 && strcmp(argv[0], "retry") == 0;
	const bool drops = argc == 3 && strcmp(argv[0], "drop") == 0;
	PGconn *connection;
	int status;

	if (argc != 0 && !retries && !drops) {
		fprintf(stderr, "usage: causerie-%s --dead-letters [retry|drop SOURCE SEQ|all]\n",
			service);
		return 2;
	}
	connection = PQconnectdb(database_url);
	if (PQstatus(connection) != CONNECTION_OK)
		status = complain(service, connection, NULL);
	else if (argc == 0)
		status = list(service, connection);
	else
		status = change(service, connection, retries ? RETRY : DROP,
				(const char *const[]){argv[1], argv[2]});
	PQfinish(connection);
	return status;
}
