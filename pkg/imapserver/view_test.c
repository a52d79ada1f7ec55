/* SPDX-License-Identifier: MIT */
#include "imapserver/rig_test.h"

/* The view against a plain array of UIDs, over random additions and removals. */
TEST(view_random)
{
	struct store_mailbox mb = { .id = 1, .uidvalidity = 1, .uidnext = 1 };
	struct imapserver_view *v = imapserver_view_new(&mb, &(struct store_uidset){ 0 }, false);
	uint32_t uids[4000], n = 0, next = 1;
	uint32_t seed = 1;

	for (int round = 0; round < 300; round++) {
		ARENA_SCOPE(test_arena());
		for (uint32_t i = 0; i < 10; i++, next++) {
			seed = seed * 1664525 + 1013904223;
			next += seed >> 30 == 0;
			uids[n++] = next;
			imapserver_view_add(v, next);
		}
		struct imap_ranges gone = { 0 };
		for (uint32_t uid = 1; uid < next; uid++) {
			seed = seed * 1664525 + 1013904223;
			if (seed >> 28 == 0)
				imap_ranges_add(test_arena(), &gone, uid, uid + (seed >> 20 & 3));
		}
		struct imapserver_gone *g;
		size_t ng;
		imapserver_view_remove(v, test_arena(), &gone, &g, &ng);
		/* As a client would: one by one. */
		for (size_t i = 0; i < ng; i++) {
			for (uint32_t k = 0; k < g[i].count; k++) {
				assert_int_equal(uids[g[i].seq - 1], g[i].first + k);
				assert_true(imap_ranges_has(&gone, g[i].first + k));
				memmove(&uids[g[i].seq - 1], &uids[g[i].seq], (n - g[i].seq) * sizeof(*uids));
				n--;
			}
		}
		assert_int_equal(v->count, n);
		for (uint32_t i = 0; i < n; i++) {
			assert_false(imap_ranges_has(&gone, uids[i]));
			assert_int_equal(imapserver_view_seq(v, uids[i]), i + 1);
		}
		struct imap_ranges all = imapserver_view_all(v, test_arena());
		assert_int_equal(imap_ranges_count(&all), n);
		assert_int_equal(imapserver_view_last_uid(v), n ? uids[n - 1] : 0);
	}
	imapserver_view_free(&v);
}

TEST(session_size)
{
	/* An idle session: this, its view with a span or two, and what it waits in. */
	assert_true(sizeof(struct imapserver_session) + sizeof(struct imapserver_view) + sizeof(struct imapserver_running) < 512);
}
