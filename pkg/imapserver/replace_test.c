/* SPDX-License-Identifier: MIT */
/* REPLACE, RFC 8508. */
#include "imapserver/rig_test.h"

#define SELECT(client, name, exists, unseen) \
	client "> select " name "\n" client "< * FLAGS ...\n" client "< * OK [PERMANENTFLAGS ...\n" client \
	    "< * 0 RECENT\n" \
	client "< * " exists " EXISTS\n" unseen client "< * OK [UIDV...\n" client "< * OK [UIDN...\n" client \
	    "< * LIST ...\n" \
	client "< x OK [READ-WRITE] done\n"
#define UNSEEN(client, n) client "< * OK [UNSEEN " n "] first unseen\n"
#define THREE "a! x append inbox {2+}\\r\\nm1 {2+}\\r\\nm2 {2+}\\r\\nm3\\r\\n\na< x OK [APPENDUID ... 1:3] done\n"

TEST(replace)
{
	rig_scripts(0,
	    "a> replace 1 inbox {2}\na< x NO no mailbox is selected\n"          /* rfc/8508:287 */
	    SELECT("a", "inbox", "0", "")
	    "a> replace * inbox {2}\na< x BAD ...\n"
	    "a> uid replace * inbox {2}\na< x NO no such message\n"
	    "a> unselect\na< x OK done\n" THREE
	    SELECT("a", "inbox", "3", UNSEEN("a", "1"))
	    "b=mjl\n" SELECT("b", "inbox", "3", UNSEEN("b", "1"))
	    "a> replace\na< x BAD ...\n"
	    "a> replace 1\na< x BAD ...\n"
	    "a> replace 1 inbox\na< x BAD ...\n"
	    "a> replace 1:2 inbox {2}\na< x BAD ...\n"
	    "a> replace $ inbox {2}\na< x BAD ...\n"
	    "a> replace 0 inbox {2}\na< x BAD ...\n"
	    "a> replace 9 inbox {2}\na< x BAD no such message sequence number\n"
	    "a> uid replace 9 inbox {2}\na< x NO no such message\n"
	    /* Looked at before the octets are asked for. */
	    "a> replace 1 nobox {2}\na< x NO [TRYCREATE] no such mailbox\n"
	    "a> replace 1 expungebox {2}\na< x NO [TRYCREATE] no such mailbox\n"
	    "a! x replace 1 nobox {2+}\\r\\nhi\\r\\n\na< x NO [TRYCREATE] no such mailbox\n"
	    "a> replace 1 inbox {0}\na< x NO empty message: nothing is appended\n"
	    /* rfc/8508:435 */
	    "a! x replace 1 inbox {2+}\\r\\nhi {2+}\\r\\nho\\r\\n\na< x BAD one message only\n"
	    "a! x replace 1 inbox {2+}\\r\\nhi bogus\\r\\n\na< x BAD ...\n"
	    "a> uid search all\na< * SEARCH 1 2 3\na< x OK done\n"
	    /* rfc/8508:181 */
	    "a> replace 2 inbox (\\Seen work) \"01-Jan-2022 10:10:00 +0100\" {3}\na< + \na! new\\r\\n\n"
	    "a< * OK [APPENDUID ... 4] replaced\na< * 4 EXISTS\na< * 2 EXPUNGE\na< x OK done\n"
	    "a> fetch 3 (uid flags internaldate body.peek[])\n"
	    "a< * 3 FETCH (UID 4 INTERNALDATE \" 1-Jan-2022 10:10:00 +0100\" BODY[] {3}\n"
	    "a< new FLAGS (\\Seen work))\na< x OK done\n"
	    "b> noop\nb< * 4 EXISTS\nb< * 4 FETCH (UID 4 FLAGS (\\Seen work))\nb< * 2 EXPUNGE\nb< x OK done\n"
	    "a! x uid replace 3 {5+}\\r\\ninbox ~{2+}\\r\\n\\0\\0\\r\\n\n"
	    "a< * OK [APPENDUID ... 5] replaced\na< * 4 EXISTS\na< * 2 EXPUNGE\na< x OK done\n"
	    "a! x replace * inbox utf8 (~{2+}\\r\\nhi)\\r\\n\na< * OK [APPENDUID ... 6] replaced\na< * 4 EXISTS\n"
	    "a< * 3 EXPUNGE\na< x OK done\n"
	    "a> uid search all\na< * SEARCH 1 4 6\na< x OK done\n"
	    /* Into another mailbox: rfc/8508:263 */
	    "a! x replace 1 Sent (\\Seen) {2+}\\r\\nhi\\r\\n\na< * OK [APPENDUID ... 1] replaced\na< * 1 EXPUNGE\n"
	    "a< x OK done\n"
	    "a> status Sent (messages uidnext)\na< * STATUS Sent (MESSAGES 1 UIDNEXT 2)\na< x OK done\n"
	    "b> noop\nb< * 4 EXISTS\nb< * 4 FETCH (UID 5 FLAGS ())\nb< * 2 EXPUNGE\nb< * 4 EXISTS\n"
	    "b< * 4 FETCH (UID 6 FLAGS ())\nb< * 3 EXPUNGE\n"
	    "b< * 1 EXPUNGE\nb< x OK done\n"
	    "a> examine inbox\na< * OK [CLOSED] ...\na< * FLAGS ...\na< * OK [PERM...\na< * 0 RECENT\na< * 2 EXISTS\n"
	    "a< * OK [UNSEEN 2] ...\na< * OK [U...\n"
	    "a< * OK [U...\na< * LIST ...\na< x OK [READ-ONLY] done\n"
	    "a> replace 1 inbox {2}\na< x NO mailbox is read-only\n"
	    "a> uid replace 4 inbox {2}\na< x NO mailbox is read-only\n");
}

TEST(replace_expunged_meanwhile)
{
	rig_scripts(0,
	    THREE SELECT("a", "inbox", "3", UNSEEN("a", "1"))
	    "b=mjl\n" SELECT("b", "inbox", "3", UNSEEN("b", "1"))
	    "a> replace 2 inbox {2}\na< + \n"
	    "b> store 2 +flags.silent \\Deleted\nb< x OK done\nb> expunge\nb< * 2 EXPUNGE\nb< x OK done\n"
	    "a! hi\\r\\n\na< * 2 FETCH (UID 2 FLAGS (\\Deleted))\na< * 2 EXPUNGE\n"
	    "a< x NO [EXPUNGEISSUED] a message was expunged meanwhile\n"
	    "a> uid search all\na< * SEARCH 1 3\na< x OK done\n"
	    /* And before: the client does not know yet. */
	    "b> store 2 +flags.silent \\Deleted\nb< x OK done\nb> expunge\nb< * 2 EXPUNGE\nb< x OK done\n"
	    "a> replace 2 inbox {2}\na< * 2 FETCH ...\na< * 2 EXPUNGE\na< x NO [EXPUNGEISSUED] ...\n");
}

/* With CONDSTORE and QRESYNC as UID EXPUNGE would: rfc/8508:420 */
TEST(replace_qresync)
{
	rig_scripts(0,
	    THREE
	    "a> enable qresync\na< * ENABLED qresync CONDSTORE\na< x OK done\n"
	    "a> select inbox\na< * FLAGS ...\na< * OK [PERM...\na< * 0 RECENT\na< * 3 EXISTS\na< * OK [UNSEEN...\n"
	    "a< * OK [U...\na< * OK [U...\na< * LIST ...\n"
	    "a< * OK [HIGHESTMODSEQ ...\na< x OK ...\n"
	    "a! x uid replace 2 inbox {2+}\\r\\nhi\\r\\n\na< * OK [APPENDUID ... 4] replaced\na< * 4 EXISTS\n"
	    "a< * VANISHED 2\na< x OK [HIGHESTMODSEQ ...] done\n"
	    "a> status inbox (messages)\na< * STATUS Inbox (MESSAGES 3)\na< x OK done\n");
}

/* Only what is more than before counts: rfc/8508:245 */
TEST(replace_quota)
{
	struct rig r;

	rig_start(&r, 0);
	rig_script(&r, "a=limit\na> append inbox {400}\na< + \n");
	rig_send(&r, 'a', str_fmt(test_arena(), "%0400d\r\n", 0));
	rig_script(&r, "a< x OK ...\n" SELECT("a", "inbox", "1", UNSEEN("a", "1"))
	    "a> replace 1 inbox {501}\na< x NO [OVERQUOTA] over quota\n"
	    "a> replace 1 inbox {480}\na< + \n");
	rig_send(&r, 'a', str_fmt(test_arena(), "%0480d\r\n", 0));
	rig_script(&r, "a< * OK [APPENDUID ... 2] replaced\na< * 2 EXISTS\na< * 1 EXPUNGE\na< x OK done\n"
	    "a! x replace 1 inbox {520+}\\r\\n\n");
	rig_send(&r, 'a', str_fmt(test_arena(), "%0520d\r\n", 0));
	rig_script(&r, "a< x NO [OVERQUOTA] over quota\na> status inbox (messages size)\n"
	    "a< * STATUS Inbox (MESSAGES 1 SIZE 480)\na< x OK done\n");
	rig_stop(&r);
}
