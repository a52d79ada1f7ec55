/* SPDX-License-Identifier: MIT */
/* UNAUTHENTICATE (RFC 8437), APPENDLIMIT (RFC 7889), INPROGRESS (RFC 9585). */
#include "imapserver/rig_test.h"

TEST(unauthenticate)
{
	struct rig r;

	rig_start(&r, RIG_PASSWORDS);
	rig_append(&r, "mjl", "inbox", "", S("m1"));
	rig_script(&r,
	    "a+\na< * OK ...\n"
	    "a> unauthenticate\na< x BAD not logged in\n"                          /* never NO: rfc/8437:139 */
	    "a> login mjl@mox.example testtest1\na< x OK ...\n"
	    "a> unauthenticate x\na< x BAD ...\n"
	    "a> enable imap4rev2 qresync\na< * ENABLED imap4rev2 qresync CONDSTORE\na< x OK done\n"
	    "a> select inbox\na< * FLAGS ...\na< * OK [PERM...\na< * 1 EXISTS\na< * OK [UIDV...\na< * OK [UIDN...\n"
	    "a< * LIST ...\na< * OK [HIGHEST...\na< x OK ...\n"
	    "a> store 1 +flags.silent \\Deleted\na< * 1 FETCH (UID 1 MODSEQ (...))\na< x OK done\n"
	    "a> uid search return (save) all\na< x OK done\n"
	    "a> unauthenticate\na< x OK done\n"
	    "a> select inbox\na< x NO log in first\n"
	    "a> capability\na< * CAPABILITY ... LITERAL- ... AUTH=PLAIN\na< x OK done\n"
	    "a> login {4097+}\na< * BYE [ALERT] literal too large\na< x BAD [TOOBIG] literal too large\na$\n");
	/* Pipelined with a login, which is of another kind of session: rfc/8437:145 */
	rig_script(&r,
	    "a+\na< * OK ...\na> login mjl@mox.example testtest1\na< x OK ...\n"
	    "a> enable imap4rev2 condstore\na< * ENABLED imap4rev2 condstore\na< x OK done\n"
	    "a! 1 unauthenticate\\r\\n2 login m\xc3\xb3x@mox.example bad\\r\\n\na< 1 OK done\na< 2 BAD ...\n"
	    "a! 3 login mjl@mox.example bad\\r\\n4 login mjl@mox.example testtest1\\r\\n\n"
	    "a< 3 NO [AUTHENTICATIONFAILED] ...\na< 4 OK ...\n"
	    /* Nothing was expunged, nothing is enabled, "$" is empty: rfc/8437:187 */
	    "a> select inbox\na< * FLAGS ...\na< * OK [PERM...\na< * 0 RECENT\na< * 1 EXISTS\n"
	    "a< * OK [UNSEEN 1] ...\na< * OK [UIDV...\na< * OK [UIDN...\n"
	    "a< * LIST ...\na< x OK ...\n"
	    "a> uid search $\na< * SEARCH\na< x OK done\n"
	    "a> uid fetch 1 flags\na< * 1 FETCH (UID 1 FLAGS (\\Deleted))\na< x OK done\n");
	/* Changes by others do not come any more. */
	rig_script(&r,
	    "a> unauthenticate\na< x OK done\n"
	    "b=mjl\nb! x append inbox {2+}\\r\\nm2\\r\\n\nb< x OK ...\n"
	    "a> noop\na< x OK done\na> logout\na< * BYE ...\na< x OK done\na$\n");
	rig_stop(&r);
}

/* The key of a client stays, and may be used again: rfc/8437:242 */
TEST(unauthenticate_key)
{
	struct rig r;

	rig_start(&r, RIG_IMPLICIT | RIG_KEYS);
	rig_client_key(&r, "mjl", "mjl@mox.example", false);
	rig_script(&r,
	    "a+\na< * PREAUTH ...\n"
	    "a> unauthenticate\na< x OK done\n"
	    "a> status inbox (messages)\na< x NO log in first\n"
	    "a> authenticate external =\na< x OK [CAPABILITY ...] done\n"
	    "a> status inbox (messages)\na< * STATUS Inbox (MESSAGES 0)\na< x OK done\n");
	rig_stop(&r);
}

TEST(appendlimit)
{
	rig_scripts(0,
	    "a> capability\na< * CAPABILITY ... APPENDLIMIT=104857600 ...\na< x OK done\n"        /* rfc/7889:129 */
	    /* rfc/7889:175 */
	    "a> status inbox (appendlimit messages)\na< * STATUS Inbox (MESSAGES 0 APPENDLIMIT 104857600)\n"
	    "a< x OK done\n"
	    "a> list \"\" inbox return (status (appendlimit))\na< * LIST () \"/\" Inbox\n"
	    "a< * STATUS Inbox (APPENDLIMIT 104857600)\na< x OK done\n"
	    "a> append inbox {104857601}\na< x NO [TOOBIG] message too large\n"                       /* rfc/7889:219 */
	    "a> append inbox {104857600}\na< + \n"
	    "b=mjl\nb! x append inbox {9223372036854775807+}\\r\\n\nb< * BYE [ALERT] message too large\n"
	    "b< x NO [TOOBIG] message too large\nb$\n"
	    "b=mjl\nb> append inbox {9223372036854775807}\nb< x NO [TOOBIG] message too large\nb> noop\n"
	    "b< x OK done\n");
}

TEST(inprogress)
{
	struct rig r;

	rig_start(&r, RIG_PROGRESS);
	for (int i = 0; i < 3; i++)
		rig_append(&r, "mjl", "inbox", "", str_of(rig_message));
	rig_script(&r,
	    "a=mjl\na> select inbox\na< * FLAGS ...\na< * OK [PERM...\na< * 0 RECENT\na< * 3 EXISTS\n"
	    "a< * OK [UNS...\na< * OK [U...\na< * OK [U...\na< * LIST ...\na< x OK ...\n"
	    /* The last message is not told: what follows says it (rfc/9585:186). */
	    "a> search text hello\na< * OK [INPROGRESS (\"x\" 1 3)] still at work\n"
	    "a< * OK [INPROGRESS (\"x\" 2 3)] still at work\na< * SEARCH 1 2 3\na< x OK done\n"
	    /* rfc/9585:121 */
	    "a! x]y search text hello\\r\\n\na< * OK [INPROGRESS (NIL 1 3)] still at work\n"
	    "a< * OK [INPROGRESS (NIL 2 3)] still at work\na< * SEARCH 1 2 3\na< x]y OK done\n");
	rig_stop(&r);
}
