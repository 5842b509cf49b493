/*
 * misses.c - answers what no row of the table does: 404, 405 with Allow, OPTIONS.
 */
#include <string.h>

#include "gateway/gateway.h"

static task_step not_found, not_allowed, say_options;

static const struct handler not_found_handler = HANDLER(struct visit, not_found);
static const struct handler not_allowed_handler = HANDLER(struct visit, not_allowed);
static const struct handler options_handler = HANDLER(struct visit, say_options);

/* Nothing is done there, so no token is asked for; a reader stays signed in on the page of a 404.
 */
static const struct route page_not_found = {
	.pattern = "", .handler = &not_found_handler, .flags = 0};
static const struct route post_not_found = {
	.pattern = "", .handler = &not_found_handler, .flags = ROUTE_ONE_CLICK};
static const struct route api_not_found = {
	.pattern = "", .handler = &not_found_handler, .flags = ROUTE_API};
static const struct route page_not_allowed = {
	.pattern = "", .handler = &not_allowed_handler, .flags = ROUTE_ONE_CLICK};
static const struct route api_not_allowed = {
	.pattern = "", .handler = &not_allowed_handler, .flags = ROUTE_API};
static const struct route options = {
	.pattern = "", .handler = &options_handler, .flags = ROUTE_ONE_CLICK};

const struct route *route_of_miss(const struct http_request *http, const struct route_match *match)
{
	const bool api = strncmp(http->path, "/api/", 5) == 0;
	const bool reads = http->method == HTTP_GET || http->method == HTTP_HEAD;

	if (http->method == HTTP_OPTIONS && (match->allowed != 0 || strcmp(http->target, "*") == 0))
		return &options;
	if (match->allowed != 0)
		return api ? &api_not_allowed : &page_not_allowed;
	if (api)
		return &api_not_found;
	return reads ? &page_not_found : &post_not_found;
}

static struct step not_found(struct task *task)
{
	return visit_fail((struct visit *)task, 404, NULL);
}

static void allow(struct visit *v)
{
	visit_field(v, "Allow", route_allow(&v->task.arena, v->match.allowed));
}

static struct step not_allowed(struct task *task)
{
	struct visit *v = (struct visit *)task;

	allow(v);
	return visit_fail(v, 405, NULL);
}

static struct step say_options(struct task *task)
{
	struct visit *v = (struct visit *)task;

	allow(v);
	return visit_reply(v, 204);
}
