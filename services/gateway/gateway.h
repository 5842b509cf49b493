/*
 * gateway.h - what the files of the gateway share: the site, routes, visits.
 *
 * A request on its way to its answer is a visit: a task whose struct starts with
 * struct visit. routes.c finds the row for it, visit.c does what every request
 * needs, the handler does the rest:
 *
 *     front -> routes -> page kept? ------------------------------------> answered
 *                            | no
 *                            v
 *              identify -> look_up -> keep_session -> admit -> enter -> handler's first step
 *               Redis      accounts     Redis         Redis
 *
 * By then the session is known (or there is none), the route's demands on it
 * are met, the limits are not exceeded, the form is read and its token and origin
 * are checked, the deadline runs, and task.context says who asks.
 *
 * A handler is a file with a struct and steps, named in routes.c:
 *
 *     struct show_topic {
 *             struct visit visit;
 *             RPC_SLOT(Causerie__Topic) topic;
 *     };
 *
 *     static task_step fetch, render;
 *     const struct handler show_topic = HANDLER(struct show_topic, fetch);
 *
 * and it ends in one of the replies below. A call that failed goes to
 * visit_failed(), which knows the status, the page or the problem for each code.
 *
 * Parts: session.c bearer.c csrf.c limits.c people.c page_cache.c feeds.c stream.c
 * json.c problem.c, pages/ (HTML), api/ (JSON), http/ (the front).
 */
#ifndef GATEWAY_GATEWAY_H
#define GATEWAY_GATEWAY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "accounts.pb-c.h"
#include "gateway/http/http.h"
#include "gateway/views.h"
#include "lib/cache.h"
#include "lib/locale.h"
#include "lib/rpc.h"
#include "lib/task.h"
#include "notifications.pb-c.h"

struct api_call;
struct evbuffer;
struct page_cache;
struct route;
struct visit;

/* --- the site: one per process, filled in by main.c before the first request ---- */

struct site {
	struct event_base *loop;
	const char *name;       /* "Causerie" */
	const char *public_url; /* no slash at the end */
	bool https;             /* of the public address */
	enum locale locale;     /* for whom neither account nor browser says */
	struct rpc_client *accounts, *topics, *comments, *notifications, *related;
	struct cache *redis;
	struct page_cache *pages;
	unsigned char csrf_key[32];
	unsigned char limit_key[32];
	int64_t limit_factor; /* tests and benchmarks raise the limits with it */
	bool access_log;
	const char *mailbox; /* folder of the development mailbox; NULL in production */
};

extern struct site site;

/* --- routes ------------------------------------------------------------------- */

enum route_flag {
	ROUTE_API = 1 << 0,       /* Bearer instead of cookies, problems instead of pages */
	ROUTE_SIGNED_IN = 1 << 1, /* 401, or the sign-in page with next */
	ROUTE_VERIFIED = 1 << 2,  /* and a confirmed address */
	ROUTE_MODERATOR = 1 << 3,
	ROUTE_ORGANIZER = 1 << 4,
	ROUTE_OPEN_FORM =
		1
		<< 5, /* a form on a kept visitor's page: may come without token when signed out */
	ROUTE_ONE_CLICK =
		1 << 6,       /* by a mail program or a crawler: no origin, no token, no cookie */
	ROUTE_KEPT = 1 << 7,  /* visitors' pages may be kept, see page_cache.h */
	ROUTE_SLOW = 1 << 8,  /* waits for a password to be hashed */
	ROUTE_DRAFT = 1 << 9, /* a form whose text is kept for who is signed out, see drafts.h */
};

/* Fixed windows, counted in Redis, of the account or else the network; see limits.c. */
enum rate { RATE_NONE, RATE_WRITE, RATE_SIGN_UP, RATE_MAIL, RATES };

struct handler {
	size_t size; /* of the struct that begins with struct visit */
	struct step first;
};

#define HANDLER(type, first_step)                                                                  \
	{                                                                                          \
		.size = sizeof(type), .first = {(first_step), #first_step }                        \
	}

#define ROUTE_PARAMETERS 3

/* pattern: "/api/v1/topics/{topic_id}/opinion"; a name that ends in "id" matches digits alone. */
struct route {
	enum http_method method;
	const char *pattern;
	const struct handler *handler;
	unsigned flags;
	enum rate rate;
	const struct api_call *call; /* of the JSON API, see api/api.h */
};

struct parameter {
	const char *name; /* in the pattern, not ended by NUL */
	size_t name_length;
	const char *value;
};

struct route_match {
	const struct route *route; /* NULL: not found, or not with this method */
	unsigned allowed;          /* bits of enum http_method at this path */
	struct parameter parameters[ROUTE_PARAMETERS];
	size_t n_parameters;
};

/* All rows; ends with a NULL pattern. */
extern const struct route routes[];

/* The first row that fits; HEAD finds GET's. */
struct route_match route_find(const struct route *, struct arena *, enum http_method,
			      const char *path);

/* The row that answers a path or method that no row has: 404, 405, or OPTIONS. */
const struct route *route_of_miss(const struct http_request *, const struct route_match *);

/* "GET, HEAD, POST, OPTIONS", as Allow wants it. */
const char *route_allow(struct arena *, unsigned allowed);

/* --- visits ------------------------------------------------------------------- */

struct visit {
	struct task task;
	struct http_request *http;
	const struct route *route;
	struct route_match match;

	/* Who asks. */
	const Causerie__Session *session; /* NULL: a visitor, or nobody could say */
	bool session_unknown;             /* a token came and nobody could say whose it is */
	const char *token;                /* as it came; NULL without one */
	unsigned char token_hash[32];

	/* How to answer. */
	enum locale locale;
	enum theme theme;
	const struct zone *zone;
	unsigned missing;      /* enum missing: parts that did not answer so far */
	struct http_form form; /* of an unsafe page request, or a draft that is given back */
	struct http_response response;
	bool answered;

	/* For visit.c and its parts. */
	struct cache_slot cached_session;
	RPC_SLOT(Causerie__Session) found_session;
	struct cache_slot limit_slot;
	RPC_SLOT(Causerie__ListNotificationsReply) inbox; /* asked for the number of unread ones */
	uint64_t kept_since;     /* position of the page cache when this visit began */
	const char *pre_session; /* made for this visit's forms, to be set as cookie */
	bool csrf_given;         /* a form of this page has a token: it is nobody else's */
	struct cache_slot draft; /* what Redis said about it */
};

/* Handles one request of the front, from routing to answer. */
void visit_begin(void *nothing, struct http_request *);

/* A parameter of the pattern; never NULL for a name that is in it. */
const char *visit_parameter(const struct visit *, const char *name);
/* The same as a number; 0 when it is none below 2^63. */
uint64_t visit_id(const struct visit *, const char *name);

bool visit_signed_in(const struct visit *);
bool visit_has_role(const struct visit *, unsigned role); /* CAUSERIE__ROLE__… */

/* The client's network for limits and the list of sessions: "192.0.2.1", "2001:db8:1:2::/64". */
const char *visit_network(const struct visit *);

/* "Firefox, Linux" from User-Agent, for the list of sessions. */
const char *visit_device(const struct visit *);

/* Adds a field to the answer; strings are borrowed until it is sent. */
void visit_field(struct visit *, const char *name, const char *value);

/* Each ends the visit: `return visit_reply(v, 200);` */
struct step visit_reply(struct visit *, int status);
struct step visit_redirect(struct visit *, int status, const char *location); /* 303, 301 */
struct step visit_fail(struct visit *, int status,
		       const char *detail); /* detail is for programs; may be NULL */
struct step visit_failed(struct visit *, const struct rpc_answer *);

/*
 * A page that is not kept. The output is taken over. A visitor's ROUTE_KEPT page goes to
 * visit_page_kept() in page_cache.h instead.
 */
struct step visit_page(struct visit *, int status, struct html_out *);

/* The same for what is no page: a feed, a list for machines. */
struct step visit_document(struct visit *, const char *type, struct html_out *);

/* Sends a JSON object, and releases it; as a problem with Retry-After where the status has one. */
struct json_t;
struct step visit_json(struct visit *, int status, struct json_t *);
struct step visit_problem(struct visit *, int status, struct json_t *);

/* Begins an answer without an end, see http_stream_begin(); the visit is then over. */
struct http_stream *visit_stream(struct visit *, void (*on_close)(void *), void *argument);

/* --- sessions (session.c, bearer.c) ------------------------------------------- */

/* "__Host-session" under https, "session" otherwise: browsers refuse the prefix without Secure. */
const char *session_cookie_name(void);
bool session_is_token(const char *);

/* The new session's cookie, or with NULL its removal, on this answer. */
void session_set_cookie(struct visit *, const char *token);
/* It has ended: this page is a visitor's already. */
void session_leave(struct visit *);

/* For visit.c: what came, what to ask, and what the answers mean. */
void session_take_cookie(struct visit *);
void session_take_bearer(struct visit *, const char *token);
void session_ask_redis(struct visit *);
bool session_from_redis(struct visit *); /* false: ask accounts */
void session_ask_accounts(struct visit *);
void session_from_accounts(struct visit *);

bool bearer_take(struct visit *); /* false: an Authorization that is no token */
struct step bearer_refuse(struct visit *, const char *detail); /* 401 with WWW-Authenticate */

/* The key in Redis, "session:<hex of SHA-256>". */
char *session_key(struct arena *, const unsigned char hash[32]);

/* --- cross-site requests (csrf.c) ----------------------------------------------- */

/* The token for this visit's forms; signed out, makes the pre-session cookie at need. */
const char *csrf_token(struct visit *);

enum csrf_verdict { CSRF_FINE, CSRF_FOREIGN, CSRF_NO_TOKEN, CSRF_BAD_TOKEN };
enum csrf_verdict csrf_check(struct visit *);

/* Whether the request says that it comes from our own pages: Origin, Sec-Fetch-Site or Referer. */
bool csrf_same_origin(const struct http_request *, const char *public_url);

/* next when it is a path of this site that a browser takes for nothing else, or fallback. */
const char *safe_next(const char *next, const char *fallback);

/* 32 random bytes as base64url without padding. */
char *random_token(struct arena *);

/* --- limits (limits.c) -------------------------------------------------------------- */

/* Counts this request in the route's rate; an operation of the visit's task. */
void limit_ask(struct visit *, enum rate);

/*
 * What came of it: 0, or the seconds to wait. Adds the RateLimit fields. Without Redis sign-in and
 * mail wait, everything else goes on.
 */
unsigned limit_verdict(struct visit *, enum rate);

/* A try to sign in, counted by account and by network before the password is looked at. */
struct sign_in_limit {
	struct cache_slot slot;
};
void limit_sign_in(struct visit *, struct sign_in_limit *, const char *email);
unsigned limit_sign_in_verdict(const struct sign_in_limit *); /* 0, or the seconds to wait */
bool limit_is_unknown(const struct sign_in_limit *); /* Redis is away: nobody may try for now */
void limit_sign_in_succeeded(struct visit *, const char *email);

/* Account mail to an address (forgotten password…): at most a few an hour; beyond it, and without
   Redis, none is sent and the answer is the usual one, which tells nothing. */
void limit_mail(struct visit *, struct sign_in_limit *, const char *email);
bool limit_mail_allows(const struct sign_in_limit *);

/* 429 with Retry-After; 503 when the limit could not be looked up. */
struct step limit_refuse(struct visit *, unsigned seconds);
struct step limit_refuse_unknown(struct visit *);

#endif
