/* reasons.c - why somebody is told, as the database and X-Causerie-Reason spell it. */
#include "notifications.h"

const char *reason_name(Causerie__Reason reason)
{
	static const char *const names[] = {
		[CAUSERIE__REASON__REASON_UNSPECIFIED] = "",
		[CAUSERIE__REASON__INVITATION] = "invitation",
		[CAUSERIE__REASON__MENTION] = "mention",
		[CAUSERIE__REASON__REPLY] = "reply",
		[CAUSERIE__REASON__PROPOSER] = "proposer",
		[CAUSERIE__REASON__FOLLOW] = "follow",
		[CAUSERIE__REASON__STATE] = "state",
		[CAUSERIE__REASON__DIGEST] = "digest",
		[CAUSERIE__REASON__ACCOUNT] = "account",
	};

	return (size_t)reason < sizeof names / sizeof *names ? names[reason] : "";
}
