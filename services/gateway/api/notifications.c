/*
 * notifications.c - /api/v1: follows, the inbox, preferences, and "why this mail".
 */
#include "gateway/api/api.h"
#include "notifications.pb-c.h"

const struct api_call api_get_follow = {
	.name = "get_follow",
	.summary = "How the viewer follows a topic.",
	.service = "notifications",
	.rpc = "GetFollow",
	.status = 200,
	.guard = API_TOPIC,
};

const struct api_call api_put_follow = {
	.name = "put_follow",
	.summary = "Follows a topic: all, replies, milestones or mute.",
	.service = "notifications",
	.rpc = "PutFollow",
	.body = "level",
	.status = 200,
	.guard = API_TOPIC,
};

const struct api_call api_list_notifications = {
	.name = "list_notifications",
	.summary = "The viewer's inbox, newest first.",
	.service = "notifications",
	.rpc = "ListNotifications",
	.query = "cursor limit",
	.items = "notifications",
	.status = 200,
};

const struct api_call api_mark_read = {
	.name = "mark_read",
	.summary = "Marks as read: some by id, all about a topic, or all.",
	.service = "notifications",
	.rpc = "MarkRead",
	.body = "ids topic_id all",
	.status = 204,
};

const struct api_call api_get_preferences = {
	.name = "get_preferences",
	.summary = "What is mailed to the viewer, and how often.",
	.service = "notifications",
	.rpc = "GetPreferences",
	.status = 200,
};

const struct api_call api_put_preferences = {
	.name = "put_preferences",
	.summary = "Sets what is mailed to the viewer, and how often.",
	.service = "notifications",
	.rpc = "PutPreferences",
	.body = "rhythm local_hour replies follows states",
	.status = 200,
};

const struct api_call api_list_deliveries = {
	.name = "list_deliveries",
	.summary = "What was mailed to the viewer and why, or why not; newest first.",
	.service = "notifications",
	.rpc = "ListDeliveries",
	.query = "cursor limit",
	.items = "deliveries",
	.status = 200,
};
