/* SPDX-License-Identifier: MIT */
/* store_test.h - what the store's tests share: a store in the test's directory whose accounts are checked at close, and short forms. */
#ifndef STORE_STORE_TEST_H
#define STORE_STORE_TEST_H

#include "store/store_internal.h"

/* The configuration of every account of the test; names that start with "no" do not exist. */
extern struct store_account_config test_config;

struct store *test_store(void);                                 /* opened at first use; end with test_store_close */
void test_store_close(void);                                    /* runs the full checks */
struct store *test_store_again(void);                           /* closes and opens */
struct store_account *test_account(const char *name);           /* opened; give back with store_account_close */

/* test_message makes the text of a message with the given header lines (CRLF added) and a body. */
struct str test_message(const char *headers);
struct blob *test_blob(struct str content);
/* test_deliver delivers text into a mailbox; fails the test when it cannot. */
struct store_added test_deliver(struct store_account *a, const char *mailbox, struct str content);
struct store_mailbox test_mailbox(struct store_account *a, const char *name);  /* strings in the test's arena */
struct store_message test_get(struct store_account *a, int64_t id);
/* test_live returns the live messages of a mailbox as "uid:flags:keywords" separated by ", ". */
struct str test_live(struct store_account *a, const char *mailbox);
void test_no_wake(void *arg);                                   /* for comms of tests that look for themselves */
struct str test_content(struct store_account *a, int64_t id);

#endif
