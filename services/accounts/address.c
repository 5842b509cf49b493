/*
 * address.c - e-mail addresses: which we accept, and which are the same.
 */
#include "accounts.h"

#include <ctype.h>
#include <string.h>

#define LONGEST       254 /* RFC 5321 4.5.3.1.3, less the angle brackets */
#define LONGEST_LOCAL 64
#define LONGEST_LABEL 63

/* Dots separate atoms: none at the ends, no two together (RFC 5322 3.4.1 dot-atom). */
static bool local_part_valid(const char *text, size_t length)
{
	static const char special[] = "!#$%&'*+-/=?^_`{|}~";

	if (length == 0 || length > LONGEST_LOCAL || text[0] == '.' || text[length - 1] == '.')
		return false;
	for (size_t i = 0; i < length; i++) {
		const unsigned char c = (unsigned char)text[i];

		if (c == '.' ? text[i + 1] == '.'
			     : c >= 0x80 || (!isalnum(c) && strchr(special, c) == NULL))
			return false;
	}
	return true;
}

static bool label_valid(const char *text, size_t length)
{
	if (length == 0 || length > LONGEST_LABEL || text[0] == '-' || text[length - 1] == '-')
		return false;
	for (size_t i = 0; i < length; i++)
		if ((unsigned char)text[i] >= 0x80 ||
		    (!isalnum((unsigned char)text[i]) && text[i] != '-'))
			return false;
	return true;
}

static bool domain_valid(const char *domain)
{
	size_t labels = 0;

	for (;;) {
		const size_t length = strcspn(domain, ".");

		if (!label_valid(domain, length))
			return false;
		labels++;
		if (domain[length] == '\0')
			return labels >= 2;
		domain += length + 1;
	}
}

bool address_valid(const char *address)
{
	const char *at = strrchr(address, '@');

	return at != NULL && strlen(address) <= LONGEST &&
	       local_part_valid(address, (size_t)(at - address)) && domain_valid(at + 1);
}

char *address_fold(struct arena *arena, const char *address)
{
	char *folded = arena_strdup(arena, address);

	for (char *c = folded; *c != '\0'; c++)
		*c = (char)tolower((unsigned char)*c);
	return folded;
}
