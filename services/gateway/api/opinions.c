/*
 * opinions.c - /api/v1/topics/{id}/opinion: the viewer's own, and how all are spread.
 */
#include "gateway/api/api.h"

const struct api_call api_put_opinion = {
	.name = "put_opinion",
	.summary = "Gives or changes the viewer's opinion: 4 passionnant, 3 intéressant, 2 moyen, "
		   "1 sans intérêt.",
	.service = "topics",
	.rpc = "PutOpinion",
	.body = "value reason",
	.status = 200,
};

const struct api_call api_delete_opinion = {
	.name = "delete_opinion",
	.summary = "Withdraws the viewer's opinion.",
	.service = "topics",
	.rpc = "DeleteOpinion",
	.status = 204,
};

const struct api_call api_get_opinions = {
	.name = "get_opinions",
	.summary = "The distribution, from five opinions on, and the viewer's own.",
	.service = "topics",
	.rpc = "GetOpinions",
	.status = 200,
};
