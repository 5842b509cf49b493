/*
 * api.h - an operation of the JSON API, as a row of facts.
 *
 * Nearly every operation is one call to one service: the path's, query's and body's
 * values become the request's fields of those names, the reply's fields become the
 * answer. So an operation is a struct api_call; call.c runs them all, json.c
 * reads and writes, and openapi.c describes them from the same facts.
 */
#ifndef GATEWAY_API_API_H
#define GATEWAY_API_API_H

#include <stdbool.h>

#include "gateway/gateway.h"
#include "gateway/json.h"
#include "gateway/people.h"
#include "topics.pb-c.h"

struct api_visit;

enum api_guard {
	API_UNGUARDED,
	API_SIGN_IN, /* tries are counted by the body's e-mail address and by network */
	API_MAIL,  /* sends mail to the body's address: at most a few an hour, and never says so */
	API_TOPIC, /* about a topic, by a service that does not know who may see it */
};

struct api_call {
	const char *name;    /* operationId: "list_topics" */
	const char *summary; /* one sentence for the OpenAPI document */
	const char *service; /* "topics" */
	const char *rpc;     /* "ListTopics" */
	const char *query;   /* parameters that may come, "state=states q=query"; NULL: none */
	const char *body;    /* members that may come; NULL: no body */
	const char *items;   /* the reply's list that is shown as "items" */
	bool names_set;    /* of the body's members, those that came are named in the field "set" */
	const char *unset; /* members that are never named there: "version reason" */
	int status;        /* when it went well */
	const char *fresh; /* on CONFLICT: the rpc that gives the "current" state, by id */
	enum api_guard guard;
	void (*prepare)(struct api_visit *);  /* sets fields that come from elsewhere */
	void (*answered)(struct api_visit *); /* adds fields to the answer's head */
};

/* Runs a route's struct api_call. */
extern const struct handler api_handler;

struct api_visit {
	struct visit visit;
	const struct api_call *call;
	const ProtobufCMethodDescriptor *method;
	ProtobufCMessage *ask;
	struct json_errors errors;
	struct sign_in_limit limit;
	struct rpc_answer answer, fresh;
	RPC_SLOT(Causerie__TopicSummaries) topic;
	struct people people;
};

/* How messages differ from their fields in answers; ends with a NULL descriptor. */
extern const struct json_shape api_shapes[];

/* The service of a call, and where to ask. */
const ProtobufCServiceDescriptor *api_service(const struct api_call *, struct rpc_client **);
const ProtobufCMethodDescriptor *api_method(const struct api_call *, const char *rpc);

/* GET /api/v1/openapi.json */
extern const struct handler api_openapi;
char *openapi_text(const struct route *); /* malloc'ed; of any table */
void openapi_stop(void);

/* accounts.c */
extern const struct api_call api_sign_up, api_verify, api_make_token, api_list_tokens,
	api_end_token, api_get_me, api_change_me, api_forgot_password, api_reset_password,
	api_erase_account, api_keep_account;
/* topics.c */
extern const struct api_call api_list_topics, api_create_topic, api_get_topic, api_edit_topic,
	api_transition_topic, api_topic_history, api_taxonomies;
/* opinions.c */
extern const struct api_call api_put_opinion, api_delete_opinion, api_get_opinions;
/* comments.c */
extern const struct api_call api_list_comments, api_post_comment, api_get_comment, api_edit_comment,
	api_delete_comment, api_comment_history, api_report_comment, api_moderate_comment;
/* related.c */
extern const struct api_call api_list_related, api_pair_topics, api_unpair_topics, api_list_pairs;
/* notifications.c */
extern const struct api_call api_get_follow, api_put_follow, api_list_notifications, api_mark_read,
	api_get_preferences, api_put_preferences, api_list_deliveries;

#endif
