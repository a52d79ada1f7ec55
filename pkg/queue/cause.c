/* SPDX-License-Identifier: MIT */
/*
 * What a refusal means, in plain words. Codes say little and are often wrong; the texts of the large providers say
 * more.
 */
#include "queue/queue_internal.h"

static const struct {
	const char *words; /* in the reply, any case */
	const char *cause;
} texts[] = {
	{ "spamhaus", "our address, or a name in the message, is on a block list (Spamhaus)" },
	{ "blocklist", "our address is on a block list" },
	{ "black"
	    "list",
	    "our address is on a block list" },
	{ "dnsbl", "our address is on a block list" },
	{ "greylist", "the server makes unknown senders wait" },
	{ "graylist", "the server makes unknown senders wait" },
	{ "over quota", "the mailbox is full" },
	{ "quota exceeded", "the mailbox is full" },
	{ "mailbox full", "the mailbox is full" },
	{ "mailbox is full", "the mailbox is full" },
	{ "out of storage", "the mailbox is full" },
	{ "dmarc", "the message does not pass DMARC of the sender's domain" },
	{ "dkim", "the message's DKIM signature is missing or not valid" },
	{ "spf", "our address is not allowed to send for the sender's domain (SPF)" },
	{ "ptr record", "our address has no (matching) reverse name" },
	{ "reverse dns", "our address has no (matching) reverse name" },
	{ "rate limit", "we send too much for the server" },
	{ "too many connections", "we make too many connections for the server" },
	{ "unusual rate", "we send too much for the server" },
	{ "reputation", "the server does not trust our address or domain" },
	{ "spam", "the server takes the message for spam" },
	{ "user unknown", "the address does not exist" },
	{ "no such user", "the address does not exist" },
	{ "does not exist", "the address does not exist" },
	{ "unknown user", "the address does not exist" },
	{ "relay", "the server does not take mail for this domain" },
	{ "account is disabled", "the account is disabled" },
};

static const struct {
	const char *secode, *cause;
} codes[] = {
	{ "1.1", "the address does not exist" },
	{ "1.2", "the domain does not exist" },
	{ "1.6", "the recipient has moved" },
	{ "1.10", "the domain does not accept mail" },
	{ "2.1", "the account is disabled" },
	{ "2.2", "the mailbox is full" },
	{ "2.3", "the message is too large" },
	{ "3.4", "the message is too large" },
	{ "4.6", "the message goes in circles" },
	{ "7.20", "the message has no valid DKIM signature" },
	{ "7.23", "our address is not allowed to send for the sender's domain (SPF)" },
	{ "7.25", "our address has no (matching) reverse name" },
	{ "7.26", "the message passes neither SPF nor DKIM" },
	{ "7.30", "TLS that was required is not to be had" },
};

struct str
queue_cause(int code, const char *secode, struct str lines)
{
	if (code == 0)
		return S("");
	for (size_t i = 0; i < ARRAY_LEN(codes); i++)
		if (strcmp(secode, codes[i].secode) == 0)
			return str_of(codes[i].cause);
	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		if (str_isearch(lines, str_of(texts[i].words)) >= 0)
			return str_of(texts[i].cause);
	return code == 552 ? S("the message is too large, or the mailbox is full") : S("");
}
