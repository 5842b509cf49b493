/*
 * call.c - runs an operation of the JSON API.
 *
 *   read --(guard)--> check_guard or check_topic -> call -> answered -> write
 *    |                                          |
 *    +-- path, query, body become the request   +-> CONFLICT: fetch_fresh -> name_fresh ->
 * write_conflict
 *
 * What is wrong with the request's form is found here and told all at once; what is
 * wrong with its content the service tells, by the fields' names in its message,
 * which are given back under the names the client used.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "comments.pb-c.h"
#include "gateway/api/api.h"
#include "gateway/problem.h"
#include "notifications.pb-c.h"
#include "related.pb-c.h"
#include "topics.pb-c.h"

#define LIMIT_MOST 100

static task_step read_request, check_guard, check_topic, call_service, answered, fetch_fresh,
	name_fresh, write_conflict, write_answer;

const struct handler api_handler = HANDLER(struct api_visit, read_request);

/* --- services and methods ------------------------------------------------------------- */

const ProtobufCServiceDescriptor *api_service(const struct api_call *call,
					      struct rpc_client **client)
{
	const struct {
		const char *name;
		const ProtobufCServiceDescriptor *descriptor;
		struct rpc_client *client;
	} services[] = {
		{"accounts", &causerie__accounts__descriptor, site.accounts},
		{"topics", &causerie__topics__descriptor, site.topics},
		{"comments", &causerie__comments__descriptor, site.comments},
		{"notifications", &causerie__notifications__descriptor, site.notifications},
		{"related", &causerie__related__descriptor, site.related},
	};

	for (size_t i = 0; i < sizeof services / sizeof *services; i++)
		if (strcmp(services[i].name, call->service) == 0) {
			if (client != NULL)
				*client = services[i].client;
			return services[i].descriptor;
		}
	assert(false && "a service that no daemon has");
	return NULL;
}

const ProtobufCMethodDescriptor *api_method(const struct api_call *call, const char *rpc)
{
	const ProtobufCMethodDescriptor *method =
		protobuf_c_service_descriptor_get_method_by_name(api_service(call, NULL), rpc);

	assert(method != NULL);
	return method;
}

static void ask(struct api_visit *a, const char *rpc, const ProtobufCMessage *message,
		struct rpc_answer *answer)
{
	struct rpc_client *client;
	const ProtobufCServiceDescriptor *descriptor = api_service(a->call, &client);
	const ProtobufCMethodDescriptor *method = api_method(a->call, rpc);
	ProtobufCService *service = rpc_begin(&a->visit.task, answer, client);

	service->invoke(service, (unsigned)(method - descriptor->methods), message,
			(ProtobufCClosure)rpc_arrived, NULL);
}

static ProtobufCMessage *new_message(struct api_visit *a, const ProtobufCMessageDescriptor *type)
{
	ProtobufCMessage *message = arena_alloc(&a->visit.task.arena, type->sizeof_message);

	type->message_init(message);
	return message;
}

static const ProtobufCFieldDescriptor *field_of(const ProtobufCMessage *message, const char *name)
{
	return protobuf_c_message_descriptor_get_field_by_name(message->descriptor, name);
}

static void *value_of(ProtobufCMessage *message, const char *name)
{
	const ProtobufCFieldDescriptor *field = field_of(message, name);

	assert(field != NULL);
	return (char *)message + field->offset;
}

/* --- reading the request ------------------------------------------------------------------- */

static bool read_path(struct api_visit *a)
{
	const struct route_match *match = &a->visit.match;

	for (size_t i = 0; i < match->n_parameters; i++) {
		const struct parameter *parameter = &match->parameters[i];
		const char *name = arena_strndup(&a->visit.task.arena, parameter->name,
						 parameter->name_length);

		if (!json_id_read(parameter->value, value_of(a->ask, name)))
			return false;
	}
	return true;
}

/* The field that a parameter's name stands for, or NULL. */
static const ProtobufCFieldDescriptor *allowed_parameter(struct api_visit *a, const char *name)
{
	const char *list = a->call->query;
	struct json_allowed allowed;

	while ((list = json_next_allowed(list, &allowed)) != NULL)
		if (strlen(name) == allowed.name_length &&
		    strncmp(name, allowed.name, allowed.name_length) == 0)
			return field_of(a->ask, arena_strndup(&a->visit.task.arena, allowed.field,
							      allowed.field_length));
	return NULL;
}

static void check_limit(struct api_visit *a)
{
	const char *text = http_query_value(a->visit.http, "limit");

	if (text == NULL)
		return;
	if (strtoul(text, NULL, 10) < 1 || strtoul(text, NULL, 10) > LIMIT_MOST)
		json_add_error(&a->errors, "limit", "out_of_range");
}

static void read_query(struct api_visit *a)
{
	const struct http_form *query = &a->visit.http->query_form;

	for (size_t i = 0; i < query->n_fields; i++) {
		const char *name = query->fields[i].name, *value = query->fields[i].value;
		const ProtobufCFieldDescriptor *field = allowed_parameter(a, name);

		if (field == NULL)
			json_add_error(&a->errors, arena_strndup(&a->visit.task.arena, name, 60),
				       "unknown");
		else if (*value != '\0' &&
			 !json_read_text(&a->visit.task.arena, field, value, a->ask))
			json_add_error(&a->errors, name, "malformed");
	}
	check_limit(a);
}

static bool is_json(const struct http_request *http)
{
	const char *type = http_header(http, "content-type");
	size_t length;

	if (type == NULL)
		return false;
	length = strcspn(type, "; \t");
	return length == strlen("application/json") &&
	       strncasecmp(type, "application/json", length) == 0;
}

/* The members that came, for requests that change only what they name. */
static void name_what_came(struct api_visit *a, const json_t *object)
{
	const ProtobufCFieldDescriptor *field = field_of(a->ask, "set");
	char **names = ARENA_ARRAY(&a->visit.task.arena, char *, json_object_size(object));
	size_t n = 0;
	const char *name;
	json_t *value, *members;

	memcpy(&members, &object, sizeof members); /* the macro only reads */
	json_object_foreach(members, name, value) if (!json_is_null(value) &&
						      json_lists(a->call->body, name) &&
						      !json_lists(a->call->unset, name))
		names[n++] = arena_strdup(&a->visit.task.arena, name);
	*(char ***)(void *)((char *)a->ask + field->offset) = names;
	*(size_t *)(void *)((char *)a->ask + field->quantifier_offset) = n;
}

/* 0, or the status to fail with. */
static int read_body(struct api_visit *a, const char **why)
{
	const struct http_request *http = a->visit.http;
	struct arena *arena = &a->visit.task.arena;
	json_t *object;

	if (a->call->body == NULL || http->body_length == 0)
		return 0;
	if (!is_json(http)) {
		*why = "The body must be application/json.";
		return 415;
	}
	object = json_body(arena, http->body, http->body_length, why);
	if (object == NULL)
		return 400;
	json_read(arena, object, a->call->body, a->ask, &a->errors);
	if (a->call->names_set)
		name_what_came(a, object);
	return 0;
}

static struct step refuse_fields(struct api_visit *a)
{
	json_t *problem = problem_new(422, NULL);

	problem_add_errors(problem, &a->errors);
	return visit_problem(&a->visit, 422, problem);
}

static const char *email_of(struct api_visit *a)
{
	const char *const *email = value_of(a->ask, "email");

	return *email;
}

static void ask_for_topic(struct api_visit *a)
{
	Causerie__GetTopicSummariesRequest ask = CAUSERIE__GET_TOPIC_SUMMARIES_REQUEST__INIT;

	ask.ids = value_of(a->ask, "topic_id");
	ask.n_ids = 1;
	RPC_CALL(&a->visit.task, &a->topic, causerie__topics__get_topic_summaries, site.topics,
		 &ask);
}

static struct step read_request(struct task *task)
{
	struct api_visit *a = (struct api_visit *)task;
	const char *why = NULL;
	int status;

	a->call = a->visit.route->call;
	a->method = api_method(a->call, a->call->rpc);
	a->ask = new_message(a, a->method->input);
	status = read_body(a, &why);
	if (status != 0)
		return visit_fail(&a->visit, status, why);
	if (!read_path(a))
		return visit_fail(&a->visit, 404, NULL);
	read_query(a);
	if (a->errors.n > 0)
		return refuse_fields(a);
	if (a->call->prepare != NULL)
		a->call->prepare(a);
	if (a->call->guard == API_UNGUARDED)
		return task_then(call_service);
	if (a->call->guard == API_TOPIC) {
		ask_for_topic(a);
		return task_then(check_topic);
	}
	if (a->call->guard == API_SIGN_IN)
		limit_sign_in(&a->visit, &a->limit, email_of(a));
	else
		limit_mail(&a->visit, &a->limit, email_of(a));
	return task_then(check_guard);
}

static struct step check_guard(struct task *task)
{
	struct api_visit *a = (struct api_visit *)task;
	unsigned wait;

	if (a->call->guard == API_MAIL)
		return limit_mail_allows(&a->limit) ? task_then(call_service)
						    : visit_reply(&a->visit, a->call->status);
	if (limit_is_unknown(&a->limit))
		return limit_refuse_unknown(&a->visit);
	wait = limit_sign_in_verdict(&a->limit);
	return wait == 0 ? task_then(call_service) : limit_refuse(&a->visit, wait);
}

/* What this viewer may not see is not there, whatever others keep about it. */
static struct step check_topic(struct task *task)
{
	struct api_visit *a = (struct api_visit *)task;

	if (a->topic.code != CAUSERIE__CODE__OK)
		return visit_failed(&a->visit, &a->topic.answer);
	if (a->topic.reply->n_topics == 0)
		return visit_fail(&a->visit, 404, NULL);
	return task_then(call_service);
}

/* --- asking ------------------------------------------------------------------------------------
 */

static struct step call_service(struct task *task)
{
	struct api_visit *a = (struct api_visit *)task;

	ask(a, a->call->rpc, a->ask, &a->answer);
	return task_then(answered);
}

static const char *client_name(struct api_visit *a, const char *list, const char *field)
{
	struct json_allowed allowed;

	while ((list = json_next_allowed(list, &allowed)) != NULL)
		if (strlen(field) == allowed.field_length &&
		    strncmp(field, allowed.field, allowed.field_length) == 0)
			return arena_strndup(&a->visit.task.arena, allowed.name,
					     allowed.name_length);
	return NULL;
}

/* The service's errors under the names that the client used. */
static struct step refuse_invalid(struct api_visit *a)
{
	for (size_t i = 0; i < a->answer.n_errors; i++) {
		const char *field = a->answer.errors[i]->field;
		const char *name = client_name(a, a->call->body, field);

		if (name == NULL)
			name = client_name(a, a->call->query, field);
		json_add_error(&a->errors, name != NULL ? name : field,
			       a->answer.errors[i]->reason);
	}
	return refuse_fields(a);
}

static void want_person(void *argument, uint64_t id)
{
	struct api_visit *a = argument;

	people_want(&a->visit.task, &a->people, id);
}

static void load_people_in(struct api_visit *a, const ProtobufCMessage *message)
{
	json_each_person(message, want_person, a);
	people_load(&a->visit.task, &a->people);
}

static struct step answered(struct task *task)
{
	struct api_visit *a = (struct api_visit *)task;

	if (a->answer.code == CAUSERIE__CODE__INVALID && a->answer.n_errors > 0)
		return refuse_invalid(a);
	if (a->answer.code == CAUSERIE__CODE__CONFLICT && a->call->fresh != NULL)
		return task_then(fetch_fresh);
	if (a->answer.code == CAUSERIE__CODE__UNAUTHENTICATED)
		return bearer_refuse(&a->visit,
				     a->call->guard == API_SIGN_IN
					     ? "The address and the password do not match."
					     : "This needs a valid token.");
	if (a->answer.code != CAUSERIE__CODE__OK)
		return visit_failed(&a->visit, &a->answer);
	if (a->call->guard == API_SIGN_IN)
		limit_sign_in_succeeded(&a->visit, email_of(a));
	load_people_in(a, a->answer.message);
	return task_then(write_answer);
}

/* --- a conflict, with what is there now
 * ----------------------------------------------------------- */

static struct step fetch_fresh(struct task *task)
{
	struct api_visit *a = (struct api_visit *)task;
	ProtobufCMessage *message = new_message(a, api_method(a->call, a->call->fresh)->input);

	*(uint64_t *)value_of(message, "id") = *(uint64_t *)value_of(a->ask, "id");
	ask(a, a->call->fresh, message, &a->fresh);
	return task_then(name_fresh);
}

static struct step name_fresh(struct task *task)
{
	struct api_visit *a = (struct api_visit *)task;

	if (a->fresh.code == CAUSERIE__CODE__OK)
		load_people_in(a, a->fresh.message);
	return task_then(write_conflict);
}

static struct json_writer writer_of(struct api_visit *a)
{
	return (struct json_writer){
		.shapes = api_shapes,
		.people = &a->people,
		.arena = &a->visit.task.arena,
	};
}

static struct step write_conflict(struct task *task)
{
	struct api_visit *a = (struct api_visit *)task;
	const struct json_writer writer = writer_of(a);
	json_t *problem = problem_of_answer(&a->answer, true);

	if (a->fresh.code == CAUSERIE__CODE__OK)
		json_object_set_new(problem, "current", json_write(&writer, a->fresh.message));
	return visit_problem(&a->visit, 409, problem);
}

/* --- the answer
 * ---------------------------------------------------------------------------------------- */

/* The reply's list under the name that all lists have. */
static void rename_items(json_t *object, const char *items)
{
	json_object_set(object, "items", json_object_get(object, items));
	json_object_del(object, items);
	if (json_object_get(object, "next_cursor") == NULL)
		json_object_set_new(object, "next_cursor", json_null());
}

static struct step write_answer(struct task *task)
{
	struct api_visit *a = (struct api_visit *)task;
	const struct json_writer writer = writer_of(a);
	json_t *object;

	if (a->call->answered != NULL)
		a->call->answered(a);
	if (a->call->status == 204 || a->answer.message->descriptor == &causerie__empty__descriptor)
		return visit_reply(&a->visit, a->call->status);
	object = json_write(&writer, a->answer.message);
	if (a->call->items != NULL)
		rename_items(object, a->call->items);
	return visit_json(&a->visit, a->call->status, object);
}
