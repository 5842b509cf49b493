/*
 * problem.c - the table of codes, statuses and titles, and the objects made of it.
 */
#include "gateway/problem.h"

#include <stddef.h>

#include "gateway/http/http.h"
#include "gateway/json.h"

static const struct {
	Causerie__Code code;
	int status;
} statuses[] = {
	{CAUSERIE__CODE__OK, 200},          {CAUSERIE__CODE__NOT_FOUND, 404},
	{CAUSERIE__CODE__INVALID, 422},     {CAUSERIE__CODE__FORBIDDEN, 403},
	{CAUSERIE__CODE__CONFLICT, 409},    {CAUSERIE__CODE__EXHAUSTED, 429},
	{CAUSERIE__CODE__GONE, 410},        {CAUSERIE__CODE__UNAUTHENTICATED, 401},
	{CAUSERIE__CODE__UNAVAILABLE, 503}, {CAUSERIE__CODE__OVERLOADED, 503},
	{CAUSERIE__CODE__DRAINING, 503},    {CAUSERIE__CODE__TIMED_OUT, 503},
	{CAUSERIE__CODE__INTERNAL, 500},
};

/* What a status means to a program; types are relative references (RFC 9457, 3.1.1). */
static const struct {
	int status;
	unsigned retry_after;
	const char *type, *title;
} kinds[] = {
	{400, 0, "/problems/malformed", "The request cannot be read"},
	{401, 0, "/problems/unauthenticated", "A valid token is needed"},
	{403, 0, "/problems/forbidden", "This may not be done"},
	{404, 0, "/problems/not-found", "There is no such thing"},
	{405, 0, "/problems/method-not-allowed", "This method is not offered here"},
	{409, 0, "/problems/conflict", "Another version is there already"},
	{410, 0, "/problems/gone", "It is no longer there"},
	{413, 0, "/problems/too-large", "The request is too large"},
	{415, 0, "/problems/unsupported-media-type", "The body must be application/json"},
	{422, 0, "/problems/invalid", "The request breaks a rule"},
	{429, 60, "/problems/exhausted", "Too many requests"},
	{500, 0, "/problems/internal", "A defect on our side"},
	{503, 2, "/problems/unavailable", "A part of the site does not answer"},
};

int problem_status(Causerie__Code code)
{
	for (size_t i = 0; i < sizeof statuses / sizeof *statuses; i++)
		if (statuses[i].code == code)
			return statuses[i].status;
	return 503; /* nobody answered */
}

unsigned problem_retry_after(int status)
{
	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
		if (kinds[i].status == status)
			return kinds[i].retry_after;
	return 0;
}

json_t *problem_new(int status, const char *detail)
{
	const char *type = "about:blank", *title = http_reason(status);
	json_t *problem = json_object();

	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
		if (kinds[i].status == status) {
			type = kinds[i].type;
			title = kinds[i].title;
		}
	json_object_set_new(problem, "type", json_string(type));
	json_object_set_new(problem, "title", json_string(title));
	json_object_set_new(problem, "status", json_integer(status));
	if (detail != NULL && *detail != '\0')
		json_object_set_new(problem, "detail", json_string(detail));
	return problem;
}

void problem_add_error(json_t *problem, const char *field, const char *reason)
{
	json_t *errors = json_object_get(problem, "errors"), *error = json_object();

	if (errors == NULL) {
		errors = json_array();
		json_object_set_new(problem, "errors", errors);
	}
	json_object_set_new(error, "field", json_string(field));
	json_object_set_new(error, "reason", json_string(reason));
	json_array_append_new(errors, error);
}

void problem_add_errors(json_t *problem, const struct json_errors *errors)
{
	for (size_t i = 0; i < errors->n; i++)
		problem_add_error(problem, errors->list[i].field, errors->list[i].reason);
}

static const char *detail_of(const struct rpc_answer *answer, bool writing)
{
	if (writing && answer->code == CAUSERIE__CODE__TIMED_OUT)
		return "It may have been executed: repeat it with the same Idempotency-Key.";
	if (problem_status(answer->code) >= 500)
		return NULL; /* what is inside stays inside */
	return answer->detail;
}

json_t *problem_of_answer(const struct rpc_answer *answer, bool writing)
{
	json_t *problem = problem_new(problem_status(answer->code), detail_of(answer, writing));

	for (size_t i = 0; i < answer->n_errors; i++)
		problem_add_error(problem, answer->errors[i]->field, answer->errors[i]->reason);
	return problem;
}
