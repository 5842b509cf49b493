/*
 * visit.c - what every request needs before and after its handler.
 *
 *   visit_begin: static file? page kept? -> answered at once
 *   identify -> look_up -> keep_session -> admit -> enter -> the handler's first step
 *                                             +--(signed out, with a text)--> keep_text
 *                                                                              -> text_kept
 *
 * identify asks Redis for the session, look_up accounts where Redis did not
 * know; admit checks what the route demands (session, role, form, token, origin) and
 * asks for the limit; enter looks at the limit and hands over. What was written in a form whose
 * session is over waits behind the sign-in page; a form that fails comes back with the page that
 * says why (pages/error.c). Every answer leaves through finish(): request id, cache rules,
 * access log.
 */
#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <event2/buffer.h>
#include <jansson.h>
#include <sodium.h>

#include "gateway/coding.h"
#include "gateway/drafts.h"
#include "gateway/gateway.h"
#include "gateway/http/address.h"
#include "gateway/page_cache.h"
#include "gateway/pages/error.h"
#include "gateway/problem.h"
#include "gateway/static_files.h"
#include "gateway/words.h"
#include "lib/clock.h"
#include "lib/log.h"
#include "lib/metrics.h"
#include "lib/zone.h"
#include "notifications.pb-c.h"

#define READ_MS    3000
#define WRITE_MS   5000
#define SLOW_MS    10000 /* a password waits in accounts' queue */
#define UNREAD_MS  200   /* a page without the number is a page */
#define KEY_LIMIT  100   /* of an idempotency key, as in common.proto */
#define WORTH_GZIP 1400  /* bytes: below it a packet is a packet */

struct site site;

static struct metric answers[] = {
	METRIC_COUNTER("causerie_gateway_answers_total", "status=\"2xx\"", "Answers by class"),
	METRIC_COUNTER("causerie_gateway_answers_total", "status=\"3xx\"", "Answers by class"),
	METRIC_COUNTER("causerie_gateway_answers_total", "status=\"4xx\"", "Answers by class"),
	METRIC_COUNTER("causerie_gateway_answers_total", "status=\"5xx\"", "Answers by class"),
};
static struct metric duration =
	METRIC_HISTOGRAM("causerie_gateway_visit_ms", "", "From a complete request to its answer");

static task_step identify, look_up, keep_session, admit, enter, keep_text, text_kept, too_late;

/* --- small things ------------------------------------------------------------------------ */

static bool is_api_path(const char *path)
{
	return strncmp(path, "/api/", 5) == 0;
}

static bool is_safe_method(enum http_method method)
{
	return method == HTTP_GET || method == HTTP_HEAD || method == HTTP_OPTIONS;
}

static bool is_api(const struct visit *v)
{
	return v->route->flags & ROUTE_API;
}

const char *visit_parameter(const struct visit *v, const char *name)
{
	for (size_t i = 0; i < v->match.n_parameters; i++)
		if (strlen(name) == v->match.parameters[i].name_length &&
		    strncmp(name, v->match.parameters[i].name, strlen(name)) == 0)
			return v->match.parameters[i].value;
	assert(false && "a parameter that the pattern does not have");
	return "";
}

uint64_t visit_id(const struct visit *v, const char *name)
{
	const char *text = visit_parameter(v, name);
	uint64_t id = 0;

	if (strlen(text) > 19 || strspn(text, "0123456789") != strlen(text))
		return 0;
	id = strtoull(text, NULL, 10);
	return id <= INT64_MAX ? id : 0;
}

bool visit_signed_in(const struct visit *v)
{
	return v->session != NULL;
}

bool visit_has_role(const struct visit *v, unsigned role)
{
	return v->session != NULL && (v->session->roles & role) != 0;
}

const char *visit_network(const struct visit *v)
{
	const char *peer = v->http->peer;
	struct address address;
	char text[ADDRESS_TEXT_SIZE];

	if (strchr(peer, ':') == NULL || !address_parse(peer, strlen(peer), &address))
		return peer;
	memset(address.bytes + 8, 0, 8);
	address_print(&address, text);
	return arena_printf(&((struct visit *)(uintptr_t)v)->task.arena, "%s/64", text);
}

static const char *first_in(const char *text, const char *const *words, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (strcasestr(text, words[i]) != NULL)
			return words[i];
	return NULL;
}

const char *visit_device(const struct visit *v)
{
	/* In this order: a browser names the ones it descends from, too. */
	static const char *const browsers[] = {"Firefox", "Edg",  "OPR", "Chromium", "Chrome",
					       "Safari",  "Lynx", "w3m", "curl"};
	static const char *const systems[] = {"Android", "iPhone", "iPad",
					      "Windows", "Mac OS", "Linux"};
	const char *agent = http_header(v->http, "user-agent");
	const char *browser, *system;

	if (agent == NULL)
		return "";
	browser = first_in(agent, browsers, sizeof browsers / sizeof *browsers);
	system = first_in(agent, systems, sizeof systems / sizeof *systems);
	if (browser != NULL && strcmp(browser, "Edg") == 0)
		browser = "Edge";
	if (browser != NULL && strcmp(browser, "OPR") == 0)
		browser = "Opera";
	if (browser == NULL || system == NULL)
		return browser != NULL ? browser : system != NULL ? system : "";
	return arena_printf(&((struct visit *)(uintptr_t)v)->task.arena, "%s, %s", browser, system);
}

/* --- the log and the head of every answer ---------------------------------------------------- */

/* A link in a mail opens doors: its token is not for logs. */
static const char *path_for_log(struct arena *arena, const char *path)
{
	static const char *const doors[] = {"/u/", "/verification/", "/mot-de-passe/",
					    "/compte/garder/"};

	for (size_t i = 0; i < sizeof doors / sizeof *doors; i++)
		if (strncmp(path, doors[i], strlen(doors[i])) == 0)
			return arena_printf(arena, "%s...", doors[i]);
	return path;
}

static void note_answer(struct arena *arena, const char *trace, const char *method,
			const char *path, int status, int64_t ms, size_t bytes)
{
	const int class = status / 100 - 2;

	metric_add(&answers[class < 0 ? 0 : class > 3 ? 3 : class], 1);
	metric_observe_ms(&duration, (double)ms);
	if (site.access_log)
		log_info(trace, "http.request",
			 "method=%s path=%s status=%d ms=%" PRId64 " bytes=%zu", method,
			 path_for_log(arena, path), status, ms, bytes);
}

/* Drawn many at a time: a request that is answered at once would feel a system call of its own. */
static char *new_trace(struct arena *arena)
{
	static unsigned char drawn[64][8];
	static size_t left;
	char *hex = arena_alloc(arena, 2 * sizeof drawn[0] + 1);

	if (left == 0) {
		randombytes_buf(drawn, sizeof drawn);
		left = sizeof drawn / sizeof drawn[0];
	}
	left--;
	return sodium_bin2hex(hex, 2 * sizeof drawn[0] + 1, drawn[left], sizeof drawn[0]);
}

void visit_field(struct visit *v, const char *name, const char *value)
{
	http_response_field(&v->response, name, value);
}

static bool has_field(const struct http_response *response, const char *name)
{
	for (size_t i = 0; i < response->n_fields; i++)
		if (strcasecmp(response->fields[i].name, name) == 0)
			return true;
	return false;
}

static void finish_head(struct visit *v)
{
	assert(!v->answered);
	v->answered = true;
	visit_field(v, "X-Request-Id", v->task.context.trace);
	if (!has_field(&v->response, "Cache-Control"))
		visit_field(v, "Cache-Control", "private, no-store");
}

static size_t body_length(const struct http_response *response)
{
	return response->body != NULL ? evbuffer_get_length(response->body) : 0;
}

static void note(struct visit *v, size_t bytes)
{
	note_answer(&v->task.arena, v->task.context.trace, http_method_name(v->http->method),
		    v->http->path, v->response.status, clock_ms() - v->task.started_ms, bytes);
}

static struct step finish(struct visit *v, int status)
{
	v->response.status = status;
	finish_head(v);
	note(v, body_length(&v->response));
	http_respond(v->http, &v->response);
	return task_done();
}

struct step visit_reply(struct visit *v, int status)
{
	return finish(v, status);
}

struct http_stream *visit_stream(struct visit *v, void (*on_close)(void *), void *argument)
{
	v->response.status = 200;
	visit_field(v, "Cache-Control", "no-store");
	finish_head(v);
	note(v, 0);
	return http_stream_begin(v->http, &v->response, on_close, argument);
}

struct step visit_redirect(struct visit *v, int status, const char *location)
{
	visit_field(v, "Location", location);
	return finish(v, status);
}

/* --- bodies ------------------------------------------------------------------------------------
 */

static void compress_if_worth(struct visit *v)
{
	struct evbuffer *body = v->response.body;

	visit_field(v, "Vary", "Accept-Encoding, Accept-Language, Cookie");
	if (body == NULL || evbuffer_get_length(body) < WORTH_GZIP || !accepts_gzip(v->http))
		return;
	gzip_buffer(body);
	visit_field(v, "Content-Encoding", "gzip");
}

static struct step send_as(struct visit *v, int status, const char *type)
{
	visit_field(v, "Content-Type", type);
	compress_if_worth(v);
	return finish(v, status);
}

static struct step send_page(struct visit *v, int status)
{
	return send_as(v, status, "text/html; charset=utf-8");
}

struct step visit_document(struct visit *v, const char *type, struct html_out *out)
{
	if (html_out_send(out, http_response_body(&v->response)) != 0)
		return visit_fail(v, 500, NULL);
	return send_as(v, 200, type);
}

struct step visit_page(struct visit *v, int status, struct html_out *out)
{
	if (html_out_send(out, http_response_body(&v->response)) != 0) {
		log_error(v->task.context.trace, "page.too_large", "path=%s", v->http->path);
		return visit_fail(v, 500, NULL);
	}
	return send_page(v, status);
}

static int add_json(const char *bytes, size_t size, void *buffer)
{
	return evbuffer_add(buffer, bytes, size);
}

static struct step send_json(struct visit *v, int status, const char *type, json_t *object)
{
	if (json_dump_callback(object, add_json, http_response_body(&v->response), JSON_COMPACT) !=
	    0)
		abort();
	json_decref(object);
	visit_field(v, "Content-Type", type);
	compress_if_worth(v);
	return finish(v, status);
}

struct step visit_json(struct visit *v, int status, json_t *object)
{
	return send_json(v, status, "application/json", object);
}

struct step visit_problem(struct visit *v, int status, json_t *problem)
{
	const unsigned wait = problem_retry_after(status);

	if (wait > 0 && !has_field(&v->response, "Retry-After"))
		visit_field(v, "Retry-After", arena_printf(&v->task.arena, "%u", wait));
	return send_json(v, status, PROBLEM_TYPE, problem);
}

/* What a handler had begun to write is not what is sent. */
static void forget_body(struct visit *v)
{
	if (v->response.body != NULL)
		evbuffer_drain(v->response.body, evbuffer_get_length(v->response.body));
}

static struct step fail_page(struct visit *v, int status, const char *detail)
{
	const unsigned wait = problem_retry_after(status);

	if (wait > 0 && !has_field(&v->response, "Retry-After"))
		visit_field(v, "Retry-After", arena_printf(&v->task.arena, "%u", wait));
	draw_error(v, status, detail, http_response_body(&v->response));
	return send_page(v, status);
}

struct step visit_fail(struct visit *v, int status, const char *detail)
{
	forget_body(v);
	if (is_api(v))
		return visit_problem(v, status, problem_new(status, detail));
	return fail_page(v, status, detail);
}

struct step visit_failed(struct visit *v, const struct rpc_answer *answer)
{
	const int status = problem_status(answer->code);

	forget_body(v);
	if (status >= 500)
		log_warn(v->task.context.trace, "visit.failed", "path=%s code=%d detail=%s",
			 path_for_log(&v->task.arena, v->http->path), (int)answer->code,
			 answer->detail);
	if (is_api(v))
		return visit_problem(v, status,
				     problem_of_answer(answer, !is_safe_method(v->http->method)));
	return fail_page(v, status, NULL);
}

/* --- kept pages ----------------------------------------------------------------------------------
 */

static enum theme theme_of(const struct http_request *http)
{
	const char *theme = http_cookie(http, "theme");

	if (theme != NULL && strcmp(theme, "light") == 0)
		return THEME_LIGHT;
	return theme != NULL && strcmp(theme, "dark") == 0 ? THEME_DARK : THEME_AUTO;
}

/* The account's language comes with the session; before it a choice made on the site. */
static enum locale locale_of(const struct http_request *http)
{
	const char *chosen = http_cookie(http, "language");
	enum locale locale;

	if (chosen != NULL && locale_parse(chosen, &locale))
		return locale;
	return locale_accept(http_header(http, "accept-language"), site.locale);
}

static struct page_key key_of(const struct http_request *http)
{
	return (struct page_key){http->target, locale_of(http), (int)theme_of(http)};
}

static bool is_visitor(const struct visit *v)
{
	return v->session == NULL && !v->session_unknown;
}

struct step visit_page_kept(struct visit *v, int status, struct html_out *out,
			    const struct page_tags *tags)
{
	const struct kept_page *page = NULL;
	const struct page_key key = key_of(v->http);
	const struct html html = html_written(out);

	if (is_visitor(v) && v->missing == 0 && !v->csrf_given && !out->full &&
	    (v->route->flags & ROUTE_KEPT))
		page = page_cache_put(site.pages, &key, status, "text/html; charset=utf-8",
				      html.bytes, html.size, tags, v->kept_since);
	if (page == NULL)
		return visit_page(v, status, out);
	html_out_free(out);
	kept_page_answer(page, v->http, &v->response);
	return finish(v, v->response.status);
}

static void write_notice(struct visit *v, struct html_out *out, const char *text)
{
	html_markup(out, HTML("<p class=\"notice warning\" role=\"status\" lang=\""));
	html_text(out, locale_tag(v->locale));
	html_markup(out, HTML("\">"));
	html_text(out, tr(v->locale, text));
	html_markup(out, HTML("</p>\n"));
}

/* Nothing on a visitors' page is for fewer than all, so a member may see it, too. */
bool visit_last_good(struct visit *v, unsigned missing, struct step *reply)
{
	const struct page_key key = {v->http->target, v->locale, (int)v->theme};
	const struct kept_page *page = page_cache_last_good(site.pages, &key);
	struct html_out notice = {.locale = v->locale};
	const char *body, *place;
	struct evbuffer *out;
	size_t size;

	if (page == NULL || kept_page_status(page) != 200)
		return false;
	body = kept_page_body(page, &size);
	place = memmem(body, size, NOTICE_PLACE, strlen(NOTICE_PLACE));
	if (place == NULL)
		return false;
	place += strlen(NOTICE_PLACE);
	write_notice(v, &notice, missing_sentence(missing));
	if (kept_page_locale(page) != v->locale)
		write_notice(v, &notice, TR("Elle n’est gardée que dans une autre langue."));
	if (!is_visitor(v))
		write_notice(
			v, &notice,
			TR("Vous restez connecté, mais cette page est celle de tout le monde."));
	out = http_response_body(&v->response);
	evbuffer_add(out, body, (size_t)(place - body));
	html_out_send(&notice, out);
	evbuffer_add(out, place, size - (size_t)(place - body));
	visit_field(v, "Warning", "110 - \"Response is Stale\"");
	*reply = send_page(v, 200);
	return true;
}

static void answer_at_once(struct http_request *http, struct http_response *response,
			   int64_t started_ms)
{
	char *trace = new_trace(&http->arena);

	http_response_field(response, "X-Request-Id", trace);
	note_answer(&http->arena, trace, http_method_name(http->method), http->path,
		    response->status, clock_ms() - started_ms, body_length(response));
	http_respond(http, response);
}

static bool answered_from_cache(struct http_request *http)
{
	const int64_t started_ms = clock_ms();
	struct http_response response = {0};
	const struct kept_page *page;
	struct page_key key;

	if (is_api_path(http->path) || http_cookie(http, session_cookie_name()) != NULL)
		return false;
	key = key_of(http);
	page = page_cache_find(site.pages, &key);
	if (page == NULL)
		return false;
	kept_page_answer(page, http, &response);
	answer_at_once(http, &response, started_ms);
	return true;
}

/* --- the start
 * -------------------------------------------------------------------------------------- */

static void on_leave(void *argument)
{
	struct visit *v = argument;

	if (v->answered || v->task.done)
		return;
	v->response.status = 499; /* nginx's number for it */
	note(v, 0);
	task_abandon(&v->task);
}

static int deadline_of(const struct route *route)
{
	if (route->flags & ROUTE_SLOW)
		return SLOW_MS;
	return is_safe_method(route->method) ? READ_MS : WRITE_MS;
}

static void start_visit(struct http_request *http, const struct route_match *match)
{
	const struct request_context context = {.trace = new_trace(&http->arena)};
	struct visit *v =
		task_new(site.loop, &http->arena, match->route->handler->size, task_then(identify),
			 task_then(too_late), deadline_of(match->route), &context);

	v->http = http;
	v->match = *match;
	v->route = match->route;
	v->locale = locale_of(http);
	v->theme = theme_of(http);
	v->zone = zone_find("Europe/Paris");
	v->kept_since = page_cache_position(site.pages);
	http_on_abandon(http, on_leave, v);
}

void visit_begin(void *nothing, struct http_request *http)
{
	struct route_match match;

	(void)nothing;
	if ((http->method == HTTP_GET || http->method == HTTP_HEAD) &&
	    (static_answer(http) || answered_from_cache(http)))
		return;
	match = route_find(routes, &http->arena, http->method, http->path);
	if (match.route == NULL)
		match.route = route_of_miss(http, &match);
	start_visit(http, &match);
}

static struct step too_late(struct task *task)
{
	return visit_fail((struct visit *)task, 503, "The answer took too long.");
}

/* --- who asks
 * ------------------------------------------------------------------------------------------ */

static struct step identify(struct task *task)
{
	struct visit *v = (struct visit *)task;

	if (is_api(v)) {
		if (!bearer_take(v))
			return bearer_refuse(v,
					     "Authorization is not a Bearer token of this site.");
	} else if (!(v->route->flags & ROUTE_ONE_CLICK)) {
		session_take_cookie(v);
	}
	if (v->token == NULL)
		return task_then(admit);
	session_ask_redis(v);
	return task_then(look_up);
}

static struct step look_up(struct task *task)
{
	struct visit *v = (struct visit *)task;

	if (session_from_redis(v))
		return task_then(admit);
	session_ask_accounts(v);
	return task_then(keep_session);
}

static struct step keep_session(struct task *task)
{
	struct visit *v = (struct visit *)task;

	session_from_accounts(v);
	return task_then(admit);
}

/* --- what the route demands
 * ------------------------------------------------------------------------------- */

/* Where to come back to: what was asked for, or the page whose form was sent. */
static const char *page_of(const struct visit *v)
{
	const char *from = http_header(v->http, "referer");
	size_t origin;

	if (is_safe_method(v->http->method))
		return v->http->target;
	if (from == NULL || !csrf_same_origin(v->http, site.public_url))
		return "/";
	origin = strcspn(from, ":");
	if (strncmp(from + origin, "://", 3) != 0)
		return "/";
	from += origin + 3;
	return safe_next(from + strcspn(from, "/"), "/");
}

static struct step ask_to_sign_in(struct visit *v, const char *next)
{
	struct html_out encoded = {0};
	size_t size;
	char *text;
	struct step step;

	html_url_part(&encoded, next);
	text = html_out_take(&encoded, &size);
	step = visit_redirect(v, 303,
			      arena_printf(&v->task.arena, "/connexion?next=%s", text ? text : ""));
	free(text);
	return step;
}

/* A form of one of our own pages, opened while there was a session; it is read for that. */
static bool brings_text(struct visit *v)
{
	return (v->route->flags & ROUTE_DRAFT) && !is_safe_method(v->http->method) &&
	       csrf_same_origin(v->http, site.public_url) &&
	       http_form_read(v->http, &v->task.arena, &v->form) == 0;
}

static struct step refuse_unknown(struct visit *v)
{
	return visit_fail(v, 503, "Sessions cannot be looked up at the moment.");
}

static struct step refuse_stranger(struct visit *v)
{
	const bool has_text = brings_text(v);

	if (v->session_unknown)
		return refuse_unknown(v);
	if (is_api(v))
		return bearer_refuse(v, "This needs a valid token.");
	if (!has_text)
		return ask_to_sign_in(v, page_of(v));
	limit_ask(v, v->route->rate);
	return task_then(keep_text);
}

static bool is_verified(const struct visit *v)
{
	return v->task.context.viewer.verified;
}

/* Like a page, an organizer's route is not there for others. */
static bool has_demanded_role(const struct visit *v)
{
	if (v->route->flags & ROUTE_ORGANIZER)
		return visit_has_role(v, CAUSERIE__ROLE__ROLE_ORGANIZER);
	if (v->route->flags & ROUTE_MODERATOR)
		return visit_has_role(v, CAUSERIE__ROLE__ROLE_MODERATOR |
						 CAUSERIE__ROLE__ROLE_ORGANIZER);
	return true;
}

static const char *csrf_reason(enum csrf_verdict verdict)
{
	switch (verdict) {
	case CSRF_FOREIGN:
		return "The request does not come from a page of this site.";
	case CSRF_NO_TOKEN:
		return "The form's token is missing.";
	default:
		return "The form's token is not valid any more; load the page again.";
	}
}

static bool is_key(const char *key)
{
	const size_t length = strlen(key);

	for (const char *at = key; *at != '\0'; at++)
		if (*at <= ' ' || *at >= 0x7F)
			return false;
	return length > 0 && length <= KEY_LIMIT;
}

static struct step check_api_write(struct visit *v)
{
	const char *key = http_header(v->http, "idempotency-key");

	if (key != NULL && !is_key(key))
		return visit_fail(v, 400, "Idempotency-Key is 1 to 100 visible ASCII characters.");
	v->task.context.idempotency_key = key;
	return task_then(enter);
}

static struct step check_form(struct visit *v)
{
	const int status = http_form_read(v->http, &v->task.arena, &v->form);
	const char *key;
	enum csrf_verdict verdict;

	if (v->route->flags & ROUTE_ONE_CLICK)
		return task_then(enter); /* its body says the same in any coding (RFC 8058 3.2) */
	if (status != 0)
		return visit_fail(v, status, NULL);
	verdict = csrf_check(v);
	if (verdict == CSRF_FOREIGN)
		v->form = (struct http_form){0}; /* nor is it shown: nobody here wrote it */
	if (verdict != CSRF_FINE)
		return visit_fail(v, 403, csrf_reason(verdict));
	if (v->session_unknown && (v->route->flags & ROUTE_DRAFT))
		return refuse_unknown(v);
	key = http_form_value(&v->form, "key");
	v->task.context.idempotency_key = key != NULL && is_key(key) ? key : NULL;
	return task_then(enter);
}

/* For the head of a member's page, which does not wait long for it. */
static void ask_unread(struct visit *v)
{
	Causerie__ListNotificationsRequest ask = CAUSERIE__LIST_NOTIFICATIONS_REQUEST__INIT;

	if (is_api(v) || v->session == NULL || !is_safe_method(v->http->method))
		return;
	ask.limit = 1;
	RPC_CALL_WITHIN(UNREAD_MS, &v->task, &v->inbox, causerie__notifications__list_notifications,
			site.notifications, &ask);
}

static bool had_dead_cookie(const struct visit *v)
{
	return !is_api(v) && v->token != NULL && is_visitor(v);
}

static struct step admit(struct task *task)
{
	struct visit *v = (struct visit *)task;
	const unsigned flags = v->route->flags;
	const bool needs_session =
		flags & (ROUTE_SIGNED_IN | ROUTE_VERIFIED | ROUTE_MODERATOR | ROUTE_ORGANIZER);

	if (had_dead_cookie(v))
		session_set_cookie(v, NULL);
	if (is_api(v) && v->token != NULL && v->session == NULL)
		return refuse_stranger(v);
	if (needs_session && v->session == NULL)
		return refuse_stranger(v);
	if (!has_demanded_role(v))
		return visit_fail(v, 404, NULL);
	if ((flags & ROUTE_VERIFIED) && !is_verified(v))
		return visit_fail(v, 403, "The account's address is not confirmed yet.");

	limit_ask(v, v->route->rate);
	ask_unread(v);
	if (is_safe_method(v->http->method))
		return task_then(enter);
	return is_api(v) ? check_api_write(v) : check_form(v);
}

static struct step refuse_too_many(struct visit *v, unsigned wait)
{
	return v->limit_slot.kind == CACHE_LIST ? limit_refuse(v, wait) : limit_refuse_unknown(v);
}

static struct step enter(struct task *task)
{
	struct visit *v = (struct visit *)task;
	const unsigned wait = limit_verdict(v, v->route->rate);

	return wait > 0 ? refuse_too_many(v, wait) : v->route->handler->first;
}

/* --- a text whose session is over ----------------------------------------------------------- */

static struct step keep_text(struct task *task)
{
	struct visit *v = (struct visit *)task;
	const unsigned wait = limit_verdict(v, v->route->rate);

	if (wait > 0)
		return refuse_too_many(v, wait);
	draft_keep(v);
	return task_then(text_kept);
}

/* The form's page has the form's address. */
static struct step text_kept(struct task *task)
{
	struct visit *v = (struct visit *)task;

	if (!draft_is_kept(v))
		return visit_fail(v, 503, "What was written cannot be kept at the moment.");
	return ask_to_sign_in(v, arena_printf(&task->arena, "%s?brouillon=1", v->http->path));
}
