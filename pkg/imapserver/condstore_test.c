/* SPDX-License-Identifier: MIT */
/*
 * CONDSTORE and QRESYNC, RFC 7162. Client a acts; b has CONDSTORE, c has QRESYNC. Modseqs are those of the store:
 * they differ, so they are read.
 */
#include "imapserver/rig_test.h"

#define SELECT_CS(client, name, exists, unseen) \
	client "> select " name "\n" client "< * FLAGS ...\n" client "< * OK [PERMANENTFLAGS ...\n" client "< * 0 RECENT\n" client "< * " exists " EXISTS\n" \
	unseen client "< * OK [UIDV...\n" client "< * OK [UIDN...\n" client "< * LIST ...\n" client "< * OK [HIGHESTMODSEQ ...\n" client "< x OK [READ-WRITE] done\n"
#define SELECT(client, name, exists, unseen) \
	client "> select " name "\n" client "< * FLAGS ...\n" client "< * OK [PERMANENTFLAGS ...\n" client "< * 0 RECENT\n" client "< * " exists " EXISTS\n" \
	unseen client "< * OK [UIDV...\n" client "< * OK [UIDN...\n" client "< * LIST ...\n" client "< x OK [READ-WRITE] done\n"
#define UNSEEN(client, n) client "< * OK [UNSEEN " n "] first unseen\n"

/* The modseq of a mailbox. */
static long long
modseq(struct rig *r, const char *mailbox)
{
	char *end;

	rig_login(r, 'd', "mjl");
	rig_send(r, 'd', str_fmt(test_arena(), "x status %s (highestmodseq)\r\n", mailbox));
	char *z = str_z(test_arena(), buf_str(&r->clients[3].in));
	char *p = strstr(z, "HIGHESTMODSEQ ");
	assert_non_null(p);
	long long m = strtoll(p + 14, &end, 10);
	rig_hangup(r, 'd');
	return m;
}

TEST(condstore_enabling)
{
	static const char *const enabling[] = { "status inbox (highestmodseq)", "list \"\" inbox return (status (highestmodseq))", "fetch 1 modseq",
	    "fetch 1 flags (changedsince 1)", "search modseq 1", "store 1 (unchangedsince 99999) +flags x", "enable condstore", "enable qresync" };
	struct rig r;

	rig_start(&r, 0);
	rig_append(&r, "mjl", "inbox", "", S("m1"));
	rig_login(&r, 'b', "mjl");
	rig_script(&r, SELECT("b", "inbox", "1", UNSEEN("b", "1")));
	for (size_t i = 0; i < ARRAY_LEN(enabling); i++) {
		rig_login(&r, 'a', "mjl");
		rig_script(&r, SELECT("a", "inbox", "1", UNSEEN("a", "1")));
		rig_send(&r, 'a', str_fmt(test_arena(), "x %s\r\n", enabling[i]));
		/* The first enabling command tells HIGHESTMODSEQ: rfc/7162:403 */
		assert_true(str_search(buf_str(&r.clients[0].in), S("* OK [HIGHESTMODSEQ ")) >= 0);
		assert_true(str_search(buf_str(&r.clients[0].in), S("x OK ")) >= 0);
		buf_reset(&r.clients[0].in);
		rig_send(&r, 'b', S("x noop\r\n"));
		buf_reset(&r.clients[1].in);
		rig_script(&r, rig_fmt(
		    "b> store 1 flags.silent (k%zu)\nb< x OK done\n"
		    "a> noop\na< * 1 FETCH (UID 1 FLAGS (k%zu) MODSEQ (...))\na< x OK done\n"
		    "a> status inbox (highestmodseq)\na< * STATUS ...\na< x OK done\n", i, i));
	}
	/* As a parameter of SELECT. */
	rig_script(&r,
	    "a=mjl\n"
	    "a> select inbox (condstore condstore)\na< x BAD ...\n"
	    "a> select inbox (condstore)\na< * FLAGS ...\na< * OK [PERM...\na< * 0 RECENT\na< * 1 EXISTS\na< * OK [UNSEEN...\na< * OK [UIDV...\na< * OK [UIDN...\na< * LIST ...\n"
	    "a< * OK [HIGHESTMODSEQ ...\na< x OK ...\n"
	    "a> fetch 1 flags\na< * 1 FETCH (UID 1 FLAGS (k7))\na< x OK done\n"            /* not unasked: rfc/7162:947 */
	    "a> fetch 1 (flags modseq)\na< * 1 FETCH (UID 1 FLAGS (k7) MODSEQ (...))\na< x OK done\n"
	    "a> uid fetch 1 flags\na< * 1 FETCH (UID 1 FLAGS (k7))\na< x OK done\n");
	rig_stop(&r);
}

TEST(condstore)
{
	struct rig r;

	rig_start(&r, 0);
	for (int i = 0; i < 3; i++)
		rig_append(&r, "mjl", "inbox", "", S("m1"));
	long long m = modseq(&r, "inbox");
	rig_login(&r, 'a', "mjl");
	rig_login(&r, 'b', "mjl");
	rig_script(&r,
	    SELECT("a", "inbox", "3", UNSEEN("a", "1"))
	    "b> enable condstore\nb< * ENABLED condstore\nb< x OK done\n"
	    SELECT_CS("b", "inbox", "3", UNSEEN("b", "1")));
	/* Changes of others, and CHANGEDSINCE. */
	rig_script(&r, rig_fmt(
	    "a> store 2 +flags.silent \\Flagged\na< x OK done\n"
	    "b> noop\nb< * 2 FETCH (UID 2 FLAGS (\\Flagged) MODSEQ (%lld))\nb< x OK done\n"
	    "b> fetch 1:* flags (changedsince %lld)\nb< * 2 FETCH (UID 2 FLAGS (\\Flagged) MODSEQ (%lld))\nb< x OK done\n"     /* rfc/7162:866 */
	    "b> fetch 1:* uid (changedsince %lld)\nb< x OK done\n"
	    "b> fetch 1:3 flags (changedsince 0)\nb< * 1 FETCH (UID 1 FLAGS () MODSEQ (...))\nb< * 2 FETCH ...\nb< * 3 FETCH ...\nb< x OK done\n"
	    "b> search modseq %lld\nb< * SEARCH 2 (MODSEQ %lld)\nb< x OK done\n"                                              /* rfc/7162:1101 */
	    "b> search modseq %lld\nb< * SEARCH\nb< x OK done\n"
	    "b> search or modseq %lld 1\nb< * SEARCH 1 2 (MODSEQ %lld)\nb< x OK done\n"
	    "b> search return (all min) modseq 1\nb< * ESEARCH (TAG \"x\") MIN 1 ALL 1:3 MODSEQ %lld\nb< x OK done\n"         /* rfc/7162:1206 */
	    "b> search return (max) modseq 1\nb< * ESEARCH (TAG \"x\") MAX 3 MODSEQ %lld\nb< x OK done\n",
	    m + 1, m, m + 1, m + 1, m + 1, m + 1, m + 2, m + 1, m + 1, m + 1, m));
	/* UNCHANGEDSINCE: rfc/7162:541 */
	rig_script(&r, rig_fmt(
	    "b> store 1 (unchangedsince 0) +flags x\nb< * 1 FETCH (UID 1 FLAGS () MODSEQ (...))\nb< x OK [MODIFIED 1] done\n"
	    "b> store 1:3 (unchangedsince %lld) +flags x\n"
	    "b< * 1 FETCH (UID 1 FLAGS (x) MODSEQ (%lld))\nb< * 2 FETCH (UID 2 FLAGS (\\Flagged) MODSEQ (%lld))\nb< * 3 FETCH (UID 3 FLAGS (x) MODSEQ (%lld))\n"
	    "b< x OK [MODIFIED 2] done\n"
	    "b> uid store 2,3 (unchangedsince %lld) +flags.silent y\nb< * 2 FETCH (UID 2 MODSEQ (%lld))\nb< * 3 FETCH (UID 3 FLAGS (x) MODSEQ (%lld))\nb< x OK [MODIFIED 3] done\n"
	    "b> store 2,2 (unchangedsince %lld) +flags.silent z\nb< * 2 FETCH (UID 2 MODSEQ (%lld))\nb< x OK done\n"
	    /* Nothing changes: no modseq, nothing for others. */
	    "a> noop\na< * 1 FETCH (UID 1 FLAGS (x))\na< * 3 FETCH (UID 3 FLAGS (x))\na< * 2 FETCH (UID 2 FLAGS (\\Flagged y))\na< * 2 FETCH (UID 2 FLAGS (\\Flagged y z))\na< x OK done\n"
	    "b> store 2 +flags z\nb< * 2 FETCH (UID 2 FLAGS (\\Flagged y z) MODSEQ (%lld))\nb< x OK done\n"
	    "b> store 9 (unchangedsince 1) +flags z\nb< x BAD ...\n"
	    "b> uid store 9 (unchangedsince 1) +flags z\nb< x OK done\n"
	    "b> store 1 (bogus 1) +flags z\nb< x BAD ...\n"
	    "a> noop\na< x OK done\n",
	    m, m + 2, m + 1, m + 2, m + 1, m + 3, m + 2, m + 3, m + 4, m + 4));
	/* Expunge. */
	rig_script(&r, rig_fmt(
	    "b> store 2 +flags.silent \\Deleted\nb< * 2 FETCH (UID 2 MODSEQ (%lld))\nb< x OK done\n"
	    "b> expunge\nb< * 2 EXPUNGE\nb< x OK [HIGHESTMODSEQ %lld] done\n"
	    "a> noop\na< * 2 FETCH ...\na< * 2 EXPUNGE\na< x OK done\n"
	    "b> status inbox (highestmodseq messages)\nb< * STATUS Inbox (MESSAGES 2 HIGHESTMODSEQ %lld)\nb< x OK done\n"
	    "b> fetch 1:* flags (changedsince %lld)\nb< x OK done\n"
	    "b> move 1 Trash\nb< * OK [COPYUID ...] moved\nb< * 1 EXPUNGE\nb< x OK done\n",
	    m + 5, m + 6, m + 6, m + 4));
	rig_stop(&r);
}

#define QSELECT(params) "c> select inbox (qresync (" params "))\n"
#define CSELECTED(exists, unseen) "c< * FLAGS ...\nc< * OK [PERM...\nc< * 0 RECENT\nc< * " exists " EXISTS\n" unseen "c< * OK [UIDV...\nc< * OK [UIDN...\nc< * LIST ...\nc< * OK [HIGHEST...\n"

TEST(qresync)
{
	struct rig r;

	rig_start(&r, 0);
	for (int i = 0; i < 6; i++)
		rig_append(&r, "mjl", "inbox", "\\Seen", S("m1"));
	long long m = modseq(&r, "inbox");
	rig_login(&r, 'a', "mjl");
	rig_login(&r, 'c', "mjl");
	rig_script(&r,
	    QSELECT("1 1") "c< x BAD QRESYNC must be enabled first\n"                 /* rfc/7162:1413 */
	    "c> enable qresync\nc< * ENABLED qresync CONDSTORE\nc< x OK done\n"
	    QSELECT("0 1") "c< x BAD ...\n"
	    QSELECT("1 0") "c< x BAD ...\n"
	    QSELECT("1") "c< x BAD ...\n"
	    QSELECT("1 1 *") "c< x BAD ...\n"
	    QSELECT("1 1 1:*") "c< x BAD ...\n"
	    QSELECT("1 1 1:3 (*)") "c< x BAD ...\n"
	    QSELECT("1 1 1:3 (1)") "c< x BAD ...\n"
	    QSELECT("1 1 1:3 (1:*  1:2)") "c< x BAD ...\n"
	    QSELECT("1 1 (1:2 1:3)") "c< x BAD match data...\n"
	    QSELECT("1 1 (2,1 1:2)") "c< x NO match data...\n"
	    "c> select inbox\n" CSELECTED("6", "") "c< x OK ...\n"
	    SELECT("a", "inbox", "6", "")
	    "a> store 1,3,5 +flags.silent \\Deleted\na< x OK done\na> expunge\na< * 1 EXPUNGE\na< * 2 EXPUNGE\na< * 3 EXPUNGE\na< x OK done\n"
	    "a> store 1 +flags.silent \\Flagged\na< x OK done\n"
	    /* Expunges by others come as VANISHED: rfc/7162:1407 */
	    "c> noop\nc< * 1 FETCH (UID 1 FLAGS (\\Seen \\Deleted) MODSEQ (...))\nc< * 3 FETCH ...\nc< * 5 FETCH ...\nc< * VANISHED 1,3,5\n"
	    "c< * 1 FETCH (UID 2 FLAGS (\\Seen \\Flagged) MODSEQ (...))\nc< x OK done\n"
	    "c> uid fetch 1:* flags\nc< * 1 FETCH (UID 2 FLAGS (\\Seen \\Flagged) MODSEQ (...))\nc< * 2 FETCH (UID 4 FLAGS (\\Seen) MODSEQ (...))\n"
	    "c< * 3 FETCH (UID 6 FLAGS (\\Seen) MODSEQ (...))\nc< x OK done\n"
	    "c> fetch 1 flags\nc< * 1 FETCH (UID 2 FLAGS (\\Seen \\Flagged))\nc< x OK done\n");
	/* UID FETCH with VANISHED: rfc/7162:1687 */
	rig_script(&r, rig_fmt(
	    "c> uid fetch 1:* flags (changedsince %lld vanished)\nc< * VANISHED (EARLIER) 1,3,5\nc< * 1 FETCH (UID 2 FLAGS (\\Seen \\Flagged) MODSEQ (...))\nc< x OK done\n"
	    "c> uid fetch 2:3 uid (vanished changedsince %lld)\nc< * VANISHED (EARLIER) 3\nc< * 1 FETCH (UID 2 MODSEQ (...))\nc< x OK done\n"
	    "c> uid fetch 1:* flags (changedsince %lld vanished)\nc< x OK done\n"
	    "c> fetch 1:* flags (changedsince 1 vanished)\nc< x BAD ...\n"
	    "c> uid fetch 1:* flags (vanished)\nc< x BAD ...\n"
	    "a> uid fetch 1:* flags (changedsince 1 vanished)\na< x BAD ...\n", m, m, m + 9));
	uint32_t v = rig_session(&r, 'c')->view->uidvalidity;
	rig_script(&r, rig_fmt(
	    "c> close\nc< x OK done\n"
	    QSELECT("%u %lld") CSELECTED("3", "") "c< * VANISHED (EARLIER) 1,3,5\nc< * 1 FETCH (UID 2 FLAGS (\\Seen \\Flagged) MODSEQ (...))\nc< x OK ...\n"
	    QSELECT("%u 1") "c< * OK [CLOSED] ...\n" CSELECTED("3", "") "c< x OK ...\n"                       /* other uidvalidity: nothing */
	    QSELECT("%u %lld 1:4") "c< * OK [CLOSED] ...\n" CSELECTED("3", "") "c< * VANISHED (EARLIER) 1,3\nc< * 1 FETCH (UID 2 ...\nc< x OK ...\n"
	    QSELECT("%u %lld 4:6") "c< * OK [CLOSED] ...\n" CSELECTED("3", "") "c< * VANISHED (EARLIER) 5\nc< x OK ...\n"
	    QSELECT("%u %lld 1:100") "c< * OK [CLOSED] ...\n" CSELECTED("3", "") "c< * VANISHED (EARLIER) 1,3,5\nc< * 1 FETCH (UID 2 ...\nc< x OK ...\n"
	    QSELECT("%u %lld") "c< * OK [CLOSED] ...\n" CSELECTED("3", "") "c< x OK ...\n"
	    "c> select inbox (condstore qresync (%u %lld 1:4))\n" "c< * OK [CLOSED] ...\n" CSELECTED("3", "") "c< * VANISHED (EARLIER) 1,3\nc< * 1 FETCH (UID 2 ...\nc< x OK ...\n"
	    /* Match data: the client's number 2 was UID 4, so what is below is in step (rfc/7162:1579). */
	    QSELECT("%u %lld 1:6 (1:2 2,4)") "c< * OK [CLOSED] ...\n" CSELECTED("3", "") "c< * VANISHED (EARLIER) 5\nc< * 1 FETCH (UID 2 ...\nc< x OK ...\n"
	    QSELECT("%u %lld 1:6 (1,3,5 2,3,4)") "c< * OK [CLOSED] ...\n" CSELECTED("3", "") "c< * VANISHED (EARLIER) 3,5\nc< * 1 FETCH (UID 2 ...\nc< x OK ...\n",
	    v, m, v + 1, v, m, v, m, v, m, v, m + 9, v, m, v, m, v, m));
	/* A client that says it knows a modseq, but not what was expunged before it. */
	rig_script(&r, rig_fmt(
	    QSELECT("%u %lld (1 1)") "c< * OK [CLOSED] ...\n" CSELECTED("3", "") "c< * OK [ALERT] ...\nc< * VANISHED (EARLIER) 1,3,5\nc< * 1 FETCH (UID 2 ...\nc< x OK ...\n",
	    v, m + 3));
	rig_script(&r, rig_fmt(
	    "c> uid store 2,4 +flags.silent \\Deleted\nc< * 1 FETCH (UID 2 MODSEQ (...))\nc< * 2 FETCH (UID 4 MODSEQ (...))\nc< x OK done\n"
	    "c> uid expunge 2,3,4\nc< * VANISHED 2,4\nc< x OK [HIGHESTMODSEQ %lld] done\n"
	    "c> uid move 6 Trash\nc< * OK [COPYUID ... 6 1] moved\nc< * VANISHED 6\nc< x OK [HIGHESTMODSEQ %lld] done\n"
	    "a> noop\na< * 1 FETCH ...\na< * 2 FETCH ...\na< * 1 EXPUNGE\na< * 1 EXPUNGE\na< * 1 EXPUNGE\na< x OK done\n", m + 5, m + 6));
	rig_stop(&r);
}
