/*
 * command.c - what an operator does to accounts from the shell.
 *
 *   causerie-accounts --hash-password < password      prints its hash (for a site's initial data)
 *   causerie-accounts --name-skeleton < names         prints what each looks like (likewise)
 *   causerie-accounts --grant organizer ana@example.org   makes the first organizer
 */
#include "accounts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "lib/arena.h"
#include "lib/settings.h"
#include "lib/text.h"

#define LINE_BYTES 1024

static int hash_passwords(void)
{
	char line[LINE_BYTES];

	while (fgets(line, sizeof line, stdin) != NULL) {
		struct password_work work = {.password = line};

		line[strcspn(line, "\n")] = '\0';
		password_make(&work);
		if (work.failed)
			return EXIT_FAILURE;
		puts(work.made);
	}
	return EXIT_SUCCESS;
}

static int name_skeletons(void)
{
	struct arena arena = {0};
	char line[LINE_BYTES];

	while (fgets(line, sizeof line, stdin) != NULL) {
		const char *skeleton;

		line[strcspn(line, "\n")] = '\0';
		skeleton = text_name_skeleton(&arena, line);
		if (skeleton == NULL)
			return EXIT_FAILURE;
		puts(skeleton);
		arena_free(&arena);
	}
	return EXIT_SUCCESS;
}

static int role_bits(const char *name)
{
	if (strcmp(name, "organizer") == 0)
		return CAUSERIE__ROLE__ROLE_ORGANIZER | CAUSERIE__ROLE__ROLE_MODERATOR;
	if (strcmp(name, "moderator") == 0)
		return CAUSERIE__ROLE__ROLE_MODERATOR;
	if (strcmp(name, "trusted") == 0)
		return CAUSERIE__ROLE__ROLE_TRUSTED;
	return strcmp(name, "none") == 0 ? 0 : -1;
}

static int grant(const char *role, const char *email)
{
	static const char text[] = "UPDATE accounts SET roles = $1, version = version + 1 WHERE "
				   "email_folded = lower($2)";
	char bits[16];
	const char *const values[] = {bits, email};
	struct common_settings common;
	struct config_problem problem;
	PGconn *connection;
	PGresult *result;
	int status = EXIT_FAILURE;

	if (role_bits(role) < 0) {
		fprintf(stderr,
			"causerie-accounts: no role %s: organizer, moderator, trusted or none\n",
			role);
		return 2;
	}
	snprintf(bits, sizeof bits, "%d", role_bits(role));
	if (settings_read(&accounts_service, &common, &problem) != 0) {
		fprintf(stderr, "causerie-accounts: %s\n", problem.text);
		return 2;
	}
	connection = PQconnectdb(common.database_url);
	result = PQexecParams(connection, text, 2, NULL, values, NULL, NULL, 0);
	if (PQresultStatus(result) != PGRES_COMMAND_OK)
		fprintf(stderr, "causerie-accounts: %s", PQerrorMessage(connection));
	else if (strcmp(PQcmdTuples(result), "1") != 0)
		fprintf(stderr, "causerie-accounts: no account has the address %s\n", email);
	else
		status = EXIT_SUCCESS;
	PQclear(result);
	PQfinish(connection);
	return status;
}

bool accounts_command(int argc, char **argv, int *status)
{
	if (argc == 2 && strcmp(argv[1], "--hash-password") == 0) {
		if (sodium_init() < 0)
			return false;
		*status = hash_passwords();
		return true;
	}
	if (argc == 2 && strcmp(argv[1], "--name-skeleton") == 0) {
		*status = name_skeletons();
		return true;
	}
	if (argc == 4 && strcmp(argv[1], "--grant") == 0) {
		*status = grant(argv[2], argv[3]);
		return true;
	}
	return false;
}
