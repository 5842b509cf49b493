/*
 * pages.h - the handlers of the HTML pages, named in routes.c; one file per page or form.
 */
#ifndef GATEWAY_PAGES_PAGES_H
#define GATEWAY_PAGES_PAGES_H

#include "gateway/gateway.h"

/* topics */
extern const struct handler show_home, show_topics, show_topic, go_to_topic;
extern const struct handler new_topic_page, new_topic, edit_topic_page, edit_topic;
extern const struct handler withdraw_topic_page, withdraw_topic;
/* what a member says of a topic */
extern const struct handler post_comment_page, give_opinion, follow_topic;
/* one comment */
extern const struct handler go_to_comment, edit_comment_page, save_comment, comment_history;
extern const struct handler report_comment_page, report_comment, delete_comment_page,
	delete_comment;

/* signing in and up, passwords, one's account */
extern const struct handler sign_in_page, sign_in, sign_out, sign_up_page, sign_up;
extern const struct handler verify_link, verify_page, verify_address, resend_verification;
extern const struct handler forgot_page, forgot_password, reset_link, reset_page, reset_password;
extern const struct handler account_page, save_account, change_own_password;
extern const struct handler close_one_session, close_other_sessions;
extern const struct handler erase_account_page, erase_account, keep_account_link, keep_account;

/* organizers and moderators */
extern const struct handler desk_page, desk_topic_page, desk_transition;
extern const struct handler desk_related_page, desk_pair;
extern const struct handler moderation_page, moderate_page, moderate;
/* notifications */
extern const struct handler notifications_page, mark_all_read, preferences_page, save_preferences;
extern const struct handler unsubscribe_page, unsubscribe;
/* the site itself */
extern const struct handler help_page, set_theme, set_language;
extern const struct handler topics_feed, sitemap, robots, favicon;
extern const struct handler mailbox_page, mailbox_json, mailbox_message;

#endif
