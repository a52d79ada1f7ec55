/* SPDX-License-Identifier: MIT */
/* UIDBATCHES, RFC 10022. */
#include "imapserver/rig_test.h"

/* n messages that are in no mailbox of the store: the view is all that the command looks at. */
static void
fill(struct rig *r, char client, uint32_t n)
{
	struct imapserver_view *v = rig_session(r, client)->view;

	for (uint32_t uid = v->uidnext; n > 0; n--, uid += 2)
		imapserver_view_add(v, uid);
}

static void
empty(struct rig *r, char client, uint32_t first, uint32_t last)
{
	struct imap_ranges gone = { 0 };
	struct imapserver_gone *g;
	size_t n;

	imap_ranges_add(test_arena(), &gone, first, last);
	imapserver_view_remove(rig_session(r, client)->view, test_arena(), &gone, &g, &n);
}

TEST(uidbatches)
{
	struct rig r;

	rig_start(&r, 0);
	rig_script(&r,
	    "a=mjl\na> uidbatches 500\na< x NO no mailbox is selected\n"
	    "a> select inbox\na< * FLAGS ...\na< * OK [PERM...\na< * 0 RECENT\na< * 0 EXISTS\na< * OK [U...\n"
	    "a< * OK [U...\na< * LIST ...\na< x OK ...\n"
	    "a> uidbatches\na< x BAD ...\n"
	    "a> uidbatches 0\na< x BAD ...\n"
	    "a> uidbatches 500 1\na< x BAD ...\n"
	    "a> uidbatches 500 1:*\na< x BAD ...\n"
	    "a> uidbatches 500 0:1\na< x BAD ...\n"
	    /* rfc/10022:414 */
	    "a> uidbatches 500 4:1\na< x BAD [CLIENTBUG] batch range in the wrong order\n"
	    /* rfc/10022:278 */
	    "a> uidbatches 499\na< x NO [TOOFEW] minimum batch size is 500\n"
	    /* rfc/10022:438 */
	    "a> uidbatches 2000 1:100\na< x NO [TOOMANY] too many messages\n"
	    "a> uidbatches 4294967295 1:4294967295\na< x NO [TOOMANY] too many messages\n"
	    /* rfc/10022:452 */
	    "a> uidbatches 500\na< * UIDBATCHES (TAG \"x\")\na< x OK done\n");
	/* UIDs 1, 3, ... 2399 */
	fill(&r, 'a', 1200);
	rig_script(&r,
	    /* rfc/10022:136 */
	    "a> uidbatches 500\na< * UIDBATCHES (TAG \"x\") 2399:1401,1399:401,399:1\na< x OK done\n"
	    /* Again without a change: rfc/10022:199 */
	    "a> uidbatches 500\na< x NO [LIMIT] the batches have hardly changed\n"
	    "a> uidbatches 600\na< x NO [LIMIT] the batches have hardly changed\n");
	empty(&r, 'a', 1, 499);
	rig_script(&r, "a> uidbatches 500\na< x NO [LIMIT] the batches have hardly changed\n");
	empty(&r, 'a', 500, 501);
	rig_script(&r,
	    "a> uidbatches 500 2:2\na< * UIDBATCHES (TAG \"x\") 1399:503\na< x OK done\n"
	    /* rfc/10022:459 */
	    "a> uidbatches 500 3:9\na< * UIDBATCHES (TAG \"x\")\na< x OK done\n"
	    "a> uidbatches 500 1:2\na< x NO [LIMIT] the batches have hardly changed\n");
	fill(&r, 'a', 251);
	/* rfc/10022:296 */
	rig_script(&r, "a> uidbatches 5000\na< * UIDBATCHES (TAG \"x\") 2900:503\na< x OK done\n");
	fill(&r, 'a', 2501);
	/* One overlapping batch is what clients that page are told to ask for: rfc/10022:426 */
	rig_script(&r,
	    "a> uidbatches 500 1:3\na< * UIDBATCHES (TAG \"x\") 7901:6903,6901:5903,5901:4903\na< x OK done\n"
	    "a> uidbatches 500 3:5\na< * UIDBATCHES (TAG \"x\") 5901:4903,4901:3903,3901:2903\na< x OK done\n"
	    "a> unselect\na< x OK done\n");
	rig_stop(&r);
}
