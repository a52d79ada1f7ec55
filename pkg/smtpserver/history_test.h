/* SPDX-License-Identifier: MIT */
/*
 * history_test.h - a history of judged messages for tests, written as text.
 *
 * Entries are separated by ';': "key value [valid] age verdict [*n]", e.g. "from me@a.example valid 10d junk", "dkim a.example 1d ham *3",
 * "sent me@a.example 5d", "senddomain a.example 5d", "sendorg a.example 5d". Keys: from, domain (its value is an address), org (likewise),
 * dkim, mailfrom, mailfromdomain, ehlo, ip1, ip2, ip3. A localpart with '#' becomes the number of the copy.
 */
#ifndef SMTPSERVER_HISTORY_TEST_H
#define SMTPSERVER_HISTORY_TEST_H

#include "smtpserver/reputation.h"

#define SMTPSERVER_HISTORY_NOW (INT64_C(2000000000) * 1000000)

struct test_history {
	struct test_entry {
		int key;                /* enum store_history_key; or STORE_HISTORY_KEYS + 0 sent, 1 senddomain, 2 sendorg */
		struct str value, localpart;
		bool valid, junk;
		int64_t at_us;
	} v[200];
	size_t n;
	int err;                        /* to return instead of an answer */
};
void test_history_read(struct test_history *h, const char *text);
struct history test_history_hooks(struct test_history *h);

#endif
