/*
 * routes.c - the table of method, path and handler, and what answers a path that is not in it.
 *
 * Names in braces are those of the request's fields in the JSON API, and of parameters
 * in pages. Rows are tried in their order.
 */
#include <stddef.h>

#include "gateway/api/api.h"
#include "gateway/gateway.h"
#include "gateway/pages/pages.h"
#include "gateway/stream.h"

#define API(method, path, call, flags_, rate_)                                                     \
	{                                                                                          \
		HTTP_##method, "/api/v1" path, &api_handler, ROUTE_API | (flags_), (rate_),        \
			&(call)                                                                    \
	}
#define PAGE(method, path, handler_, flags_)                                                       \
	{                                                                                          \
		HTTP_##method, path, &(handler_), (flags_), RATE_NONE, NULL                        \
	}
#define FORM(path, handler_, flags_, rate_)                                                        \
	{                                                                                          \
		HTTP_POST, path, &(handler_), (flags_), (rate_), NULL                              \
	}
#define OPEN   0
#define MEMBER ROUTE_SIGNED_IN
#define WRITER (ROUTE_SIGNED_IN | ROUTE_VERIFIED)

const struct route routes[] = {
	/* accounts */
	API(POST, "/accounts", api_sign_up, ROUTE_SLOW, RATE_SIGN_UP),
	API(POST, "/accounts/verify", api_verify, OPEN, RATE_MAIL),
	API(POST, "/tokens", api_make_token, ROUTE_SLOW, RATE_NONE),
	API(GET, "/tokens", api_list_tokens, MEMBER, RATE_NONE),
	API(DELETE, "/tokens/{session_id}", api_end_token, MEMBER, RATE_WRITE),
	API(GET, "/me", api_get_me, MEMBER, RATE_NONE),
	API(PATCH, "/me", api_change_me, MEMBER, RATE_WRITE),
	API(POST, "/password/forgot", api_forgot_password, OPEN, RATE_MAIL),
	API(POST, "/password/reset", api_reset_password, ROUTE_SLOW, RATE_MAIL),
	API(POST, "/account/erase", api_erase_account, MEMBER | ROUTE_SLOW, RATE_WRITE),
	API(POST, "/account/keep", api_keep_account, OPEN, RATE_MAIL),
	/* topics */
	API(GET, "/topics", api_list_topics, OPEN, RATE_NONE),
	API(POST, "/topics", api_create_topic, WRITER, RATE_WRITE),
	API(GET, "/topics/{id}", api_get_topic, OPEN, RATE_NONE),
	API(PATCH, "/topics/{id}", api_edit_topic, WRITER, RATE_WRITE),
	API(POST, "/topics/{id}/transitions", api_transition_topic, WRITER, RATE_WRITE),
	API(GET, "/topics/{id}/history", api_topic_history, OPEN, RATE_NONE),
	API(GET, "/topics/{id}/opinions", api_get_opinions, OPEN, RATE_NONE),
	API(PUT, "/topics/{topic_id}/opinion", api_put_opinion, WRITER, RATE_WRITE),
	API(DELETE, "/topics/{topic_id}/opinion", api_delete_opinion, WRITER, RATE_WRITE),
	API(GET, "/topics/{topic_id}/related", api_list_related, OPEN, RATE_NONE),
	API(PUT, "/topics/{topic_id}/related/{other_id}", api_pair_topics, WRITER, RATE_WRITE),
	API(DELETE, "/topics/{topic_id}/related/{other_id}", api_unpair_topics, WRITER, RATE_WRITE),
	API(GET, "/topics/{id}/pairs", api_list_pairs, MEMBER, RATE_NONE),
	API(GET, "/taxonomies", api_taxonomies, OPEN, RATE_NONE),
	{HTTP_GET, "/api/v1/topics/{topic_id}/stream", &topic_stream, ROUTE_API, RATE_NONE, NULL},
	/* comments */
	API(GET, "/topics/{topic_id}/comments", api_list_comments, OPEN, RATE_NONE),
	API(POST, "/topics/{topic_id}/comments", api_post_comment, WRITER, RATE_WRITE),
	API(GET, "/comments/{id}", api_get_comment, OPEN, RATE_NONE),
	API(PATCH, "/comments/{id}", api_edit_comment, WRITER, RATE_WRITE),
	API(DELETE, "/comments/{id}", api_delete_comment, WRITER, RATE_WRITE),
	API(GET, "/comments/{id}/history", api_comment_history, OPEN, RATE_NONE),
	API(POST, "/comments/{id}/reports", api_report_comment, WRITER, RATE_WRITE),
	API(POST, "/comments/{id}/moderation", api_moderate_comment, MEMBER, RATE_WRITE),
	/* notifications */
	API(GET, "/topics/{topic_id}/follow", api_get_follow, MEMBER, RATE_NONE),
	API(PUT, "/topics/{topic_id}/follow", api_put_follow, WRITER, RATE_WRITE),
	API(GET, "/notifications", api_list_notifications, MEMBER, RATE_NONE),
	API(POST, "/notifications/read", api_mark_read, MEMBER, RATE_WRITE),
	API(GET, "/preferences", api_get_preferences, MEMBER, RATE_NONE),
	API(PUT, "/preferences", api_put_preferences, MEMBER, RATE_WRITE),
	API(GET, "/deliveries", api_list_deliveries, MEMBER, RATE_NONE),
	/* about the API itself */
	{HTTP_GET, "/api/v1/openapi.json", &api_openapi, ROUTE_API, RATE_NONE, NULL},
	/* pages: topics */
	PAGE(GET, "/", show_home, ROUTE_KEPT),
	PAGE(GET, "/sujets", show_topics, ROUTE_KEPT),
	PAGE(GET, "/sujets/nouveau", new_topic_page, WRITER),
	FORM("/sujets/nouveau", new_topic, WRITER | ROUTE_DRAFT, RATE_WRITE),
	PAGE(GET, "/sujets/{id}/modifier", edit_topic_page, WRITER),
	FORM("/sujets/{id}/modifier", edit_topic, WRITER | ROUTE_DRAFT, RATE_WRITE),
	PAGE(GET, "/sujets/{id}/retirer", withdraw_topic_page, WRITER),
	FORM("/sujets/{id}/retirer", withdraw_topic, WRITER, RATE_WRITE),
	PAGE(GET, "/sujets/{topic}", show_topic, ROUTE_KEPT),
	PAGE(GET, "/s/{id}", go_to_topic, 0),
	FORM("/sujets/{topic_id}/commentaires", post_comment_page, ROUTE_OPEN_FORM | ROUTE_DRAFT,
	     RATE_WRITE),
	FORM("/sujets/{topic_id}/opinion", give_opinion, ROUTE_OPEN_FORM | ROUTE_DRAFT, RATE_WRITE),
	FORM("/sujets/{topic_id}/suivi", follow_topic, ROUTE_OPEN_FORM | ROUTE_DRAFT, RATE_WRITE),
	/* pages: one comment */
	PAGE(GET, "/commentaires/{id}", go_to_comment, 0),
	PAGE(GET, "/commentaires/{id}/modifier", edit_comment_page, WRITER),
	FORM("/commentaires/{id}/modifier", save_comment, WRITER | ROUTE_DRAFT, RATE_WRITE),
	PAGE(GET, "/commentaires/{id}/historique", comment_history, 0),
	PAGE(GET, "/commentaires/{id}/signaler", report_comment_page, WRITER),
	FORM("/commentaires/{id}/signaler", report_comment, WRITER | ROUTE_DRAFT, RATE_WRITE),
	PAGE(GET, "/commentaires/{id}/supprimer", delete_comment_page, MEMBER),
	FORM("/commentaires/{id}/supprimer", delete_comment, MEMBER, RATE_WRITE),
	/* pages: accounts */
	PAGE(GET, "/connexion", sign_in_page, 0),
	FORM("/connexion", sign_in, ROUTE_SLOW | ROUTE_OPEN_FORM, RATE_NONE),
	FORM("/deconnexion", sign_out, 0, RATE_NONE),
	PAGE(GET, "/inscription", sign_up_page, 0),
	FORM("/inscription", sign_up, ROUTE_SLOW, RATE_SIGN_UP),
	PAGE(GET, "/verification", verify_page, 0),
	FORM("/verification", verify_address, 0, RATE_MAIL),
	FORM("/verification/renvoyer", resend_verification, MEMBER, RATE_MAIL),
	PAGE(GET, "/verification/{token}", verify_link, 0),
	PAGE(GET, "/mot-de-passe", forgot_page, 0),
	FORM("/mot-de-passe", forgot_password, 0, RATE_MAIL),
	PAGE(GET, "/mot-de-passe/nouveau", reset_page, 0),
	FORM("/mot-de-passe/nouveau", reset_password, ROUTE_SLOW, RATE_MAIL),
	PAGE(GET, "/mot-de-passe/{token}", reset_link, 0),
	PAGE(GET, "/compte", account_page, MEMBER),
	FORM("/compte/profil", save_account, MEMBER, RATE_WRITE),
	FORM("/compte/mot-de-passe", change_own_password, MEMBER | ROUTE_SLOW, RATE_WRITE),
	FORM("/compte/sessions/fermer", close_other_sessions, MEMBER, RATE_WRITE),
	FORM("/compte/sessions/{session_id}/fermer", close_one_session, MEMBER, RATE_WRITE),
	PAGE(GET, "/compte/effacer", erase_account_page, MEMBER),
	FORM("/compte/effacer", erase_account, MEMBER | ROUTE_SLOW, RATE_WRITE),
	PAGE(GET, "/compte/garder/{token}", keep_account_link, 0),
	FORM("/compte/garder", keep_account, 0, RATE_MAIL),
	/* pages: organizers and moderators */
	PAGE(GET, "/bureau", desk_page, ROUTE_ORGANIZER),
	PAGE(GET, "/bureau/sujets/{id}", desk_topic_page, ROUTE_ORGANIZER),
	FORM("/bureau/sujets/{id}/transition", desk_transition, ROUTE_ORGANIZER, RATE_WRITE),
	PAGE(GET, "/bureau/sujets/{id}/connexes", desk_related_page, ROUTE_ORGANIZER),
	FORM("/bureau/sujets/{id}/connexes", desk_pair, ROUTE_ORGANIZER, RATE_WRITE),
	PAGE(GET, "/moderation", moderation_page, ROUTE_MODERATOR),
	PAGE(GET, "/moderation/{id}", moderate_page, ROUTE_MODERATOR),
	FORM("/moderation/{id}", moderate, ROUTE_MODERATOR, RATE_WRITE),
	/* pages: notifications */
	PAGE(GET, "/notifications", notifications_page, MEMBER),
	FORM("/notifications/lues", mark_all_read, MEMBER, RATE_WRITE),
	PAGE(GET, "/notifications/preferences", preferences_page, MEMBER),
	FORM("/notifications/preferences", save_preferences, MEMBER, RATE_WRITE),
	PAGE(GET, "/u/{token}", unsubscribe_page, ROUTE_ONE_CLICK),
	FORM("/u/{token}", unsubscribe, ROUTE_ONE_CLICK, RATE_NONE),
	/* pages: the site itself */
	PAGE(GET, "/aide", help_page, ROUTE_KEPT),
	FORM("/theme", set_theme, ROUTE_OPEN_FORM, RATE_NONE),
	FORM("/langue", set_language, ROUTE_OPEN_FORM, RATE_WRITE),
	PAGE(GET, "/feeds/sujets.atom", topics_feed, ROUTE_ONE_CLICK),
	PAGE(GET, "/sitemap.xml", sitemap, ROUTE_ONE_CLICK),
	PAGE(GET, "/robots.txt", robots, ROUTE_ONE_CLICK),
	PAGE(GET, "/favicon.ico", favicon, ROUTE_ONE_CLICK),
	PAGE(GET, "/dev/mailbox", mailbox_page, 0),
	PAGE(GET, "/dev/mailbox/messages.json", mailbox_json, 0),
	PAGE(GET, "/dev/mailbox/messages/{message}", mailbox_message, 0),
	/* pages: lines as they happen */
	{HTTP_GET, "/sujets/{topic}/stream", &topic_stream, 0, RATE_NONE, NULL},
	{HTTP_GET, NULL, NULL, 0, RATE_NONE, NULL},
};
