/*
 * dead_letters.h - what an operator does with events that were parked (lib/consumer.h).
 *
 *   causerie-topics --dead-letters                        lists them, oldest first
 *   causerie-topics --dead-letters retry comments 42      the running daemon tries it once more
 *   causerie-topics --dead-letters drop comments 42       forgets it
 *
 * 42 is the event's number in that source's stream; `all` in its place means all of that source.
 */
#ifndef LIB_DEAD_LETTERS_H
#define LIB_DEAD_LETTERS_H

/* argv behind --dead-letters, on the service's database. Returns the exit status: 0, 1 when nothing
 * was found or the database is away, 2 for a wrong argument. */
int dead_letters_command(const char *service, const char *database_url, int argc, char **argv);

#endif
