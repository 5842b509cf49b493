/*
 * problem.h - what went wrong, for programs (RFC 9457) and by status.
 *
 * One table maps the codes of rpc to statuses, types and titles. Details of
 * services are for developers; nothing in them is secret, and nothing from the
 * inside of an INTERNAL one is shown.
 */
#ifndef GATEWAY_PROBLEM_H
#define GATEWAY_PROBLEM_H

#include <jansson.h>

#include "common.pb-c.h"
#include "lib/rpc.h"

struct json_errors;

/* The status for a code; writes that timed out and reads alike are 503. */
int problem_status(Causerie__Code);

/* Seconds for Retry-After with this status; 0: none. */
unsigned problem_retry_after(int status);

/* {"type", "title", "status", "detail"}; a new reference. detail may be NULL. */
json_t *problem_new(int status, const char *detail);

/* With "errors": [{"field", "reason"}]. */
void problem_add_error(json_t *problem, const char *field, const char *reason);
void problem_add_errors(json_t *problem, const struct json_errors *);

/* Of a call that failed; writing: says that the same Idempotency-Key may be repeated. */
json_t *problem_of_answer(const struct rpc_answer *, bool writing);

#define PROBLEM_TYPE "application/problem+json"

#endif
