/*
 * accounts.c - /api/v1/accounts, /tokens, /me, /password, /account: people and how they prove it.
 *
 * Signing up and forgetting a password answer alike for every address: what there
 * is to say is said by mail.
 */

#include "accounts.pb-c.h"
#include "gateway/api/api.h"

const struct api_call api_sign_up = {
	.name = "sign_up",
	.summary = "Asks for an account; the rest is in a mail to the address.",
	.service = "accounts",
	.rpc = "SignUp",
	.body = "email password display_name language time_zone",
	.status = 202,
};

const struct api_call api_verify = {
	.name = "verify",
	.summary = "Confirms an address with the token from the mail.",
	.service = "accounts",
	.rpc = "Verify",
	.body = "token",
	.status = 204,
};

static void prepare_sign_in(struct api_visit *a)
{
	Causerie__SignInRequest *ask = (Causerie__SignInRequest *)a->ask;

	ask->api = true;
	ask->network = arena_strdup(&a->visit.task.arena, visit_network(&a->visit));
}

const struct api_call api_make_token = {
	.name = "make_token",
	.summary = "Makes a token for programs; it is shown once.",
	.service = "accounts",
	.rpc = "SignIn",
	.body = "email password label",
	.status = 201,
	.guard = API_SIGN_IN,
	.prepare = prepare_sign_in,
};

static void prepare_list(struct api_visit *a)
{
	Causerie__ListSessionsRequest *ask = (Causerie__ListSessionsRequest *)a->ask;

	ask->token_hash = (ProtobufCBinaryData){sizeof a->visit.token_hash, a->visit.token_hash};
}

const struct api_call api_list_tokens = {
	.name = "list_tokens",
	.summary = "The account's tokens and browser sessions.",
	.service = "accounts",
	.rpc = "ListSessions",
	.items = "sessions",
	.status = 200,
	.prepare = prepare_list,
};

const struct api_call api_end_token = {
	.name = "end_token",
	.summary = "Ends one token or session.",
	.service = "accounts",
	.rpc = "EndSession",
	.status = 204,
};

const struct api_call api_get_me = {
	.name = "get_me",
	.summary = "The account itself.",
	.service = "accounts",
	.rpc = "GetAccount",
	.status = 200,
};

const struct api_call api_change_me = {
	.name = "change_me",
	.summary = "Changes what is given.",
	.service = "accounts",
	.rpc = "ChangeAccount",
	.body = "display_name language time_zone organisation bio expertises",
	.names_set = true,
	.status = 200,
};

const struct api_call api_forgot_password = {
	.name = "forgot_password",
	.summary = "Sends a link to set a new password, if there is such an account.",
	.service = "accounts",
	.rpc = "ForgotPassword",
	.body = "email",
	.status = 202,
	.guard = API_MAIL,
};

const struct api_call api_reset_password = {
	.name = "reset_password",
	.summary = "Sets a new password with the token from the mail; ends every session.",
	.service = "accounts",
	.rpc = "ResetPassword",
	.body = "token password",
	.status = 204,
};

const struct api_call api_erase_account = {
	.name = "erase_account",
	.summary = "Ends every session and token, this one too, and erases the account at the time "
		   "that is "
		   "answered; until then a link in a mail takes it back.",
	.service = "accounts",
	.rpc = "EraseAccount",
	.body = "password remove_comments",
	.status = 202,
};

const struct api_call api_keep_account = {
	.name = "keep_account",
	.summary = "Takes an erasure back with the token from the mail.",
	.service = "accounts",
	.rpc = "KeepAccount",
	.body = "token",
	.status = 204,
};
