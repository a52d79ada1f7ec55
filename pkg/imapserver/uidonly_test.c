/* SPDX-License-Identifier: MIT */
/* UIDONLY, RFC 9586. Client a has it, b acts. */
#include "imapserver/rig_test.h"

#define START \
	"a! x append inbox {2+}\\r\\nm1 {2+}\\r\\nm2 {2+}\\r\\nm3 {2+}\\r\\nm4\\r\\n\na< x OK ...\n" \
	"b=mjl\nb> select inbox\nb?\n" \
	"b> uid store 1 +flags.silent \\Deleted\nb< x OK done\nb> expunge\nb< * 1 EXPUNGE\nb< x OK done\n" \
	"a> enable uidonly\na< * ENABLED uidonly\na< x OK done\n" \
	"a> select inbox\na< * FLAGS ...\na< * OK [PERM...\na< * 0 RECENT\na< * 3 EXISTS\n" \
	"a< * OK [UIDV...\na< * OK [UIDN...\na< * LIST ...\na< x OK [READ-WRITE] done\n"

/* Sequence numbers in any form: rfc/9586:133 */
TEST(uidonly_refused)
{
	static const char *const commands[] = {
		"fetch 1 flags", "store 1 +flags x", "search all", "copy 1 Archive", "move 1 Archive",
		"sort (date) utf-8 all", "thread references utf-8 all",
		"replace 1 inbox {2}", "uid search 1:2", "uid search not (or 1 seen)", "uid sort (date) utf-8 1",
		"uid thread references utf-8 1:*",
	};
	struct rig r;

	rig_start(&r, 0);
	rig_login(&r, 'a', "mjl");
	rig_script(&r, START);
	for (size_t i = 0; i < ARRAY_LEN(commands); i++)
		rig_script(&r, rig_fmt("a> %s\n"
		    "a< x BAD [UIDREQUIRED] message numbers are not allowed with UIDONLY\n", commands[i]));
	rig_script(&r,
	    "a> enable qresync\na< * ENABLED qresync CONDSTORE\na< * OK [HIGHESTMODSEQ ...\na< x OK done\n"
	    "a> select inbox (qresync (1 1 1:3 (1 1)))\na< x BAD [UIDREQUIRED] ...\n"             /* rfc/9586:255 */
	    "a> uid search return (save) uid 3\na< x OK done\na> uid search $\na< * SEARCH 3\na< x OK done\n");
	rig_stop(&r);
}

TEST(uidonly)
{
	rig_scripts(0,
	    START
	    /* UIDFETCH, with UID only where it is asked for: rfc/9586:181 */
	    "a> uid fetch 1:* flags\na< * 2 UIDFETCH (FLAGS ())\na< * 3 UIDFETCH (FLAGS ())\n"
	    "a< * 4 UIDFETCH (FLAGS ())\na< x OK done\n"
	    "a> uid fetch 2 (rfc822.size uid emailid)\na< * 2 UIDFETCH (RFC822.SIZE 2 UID 2 EMAILID (M2))\n"
	    "a< x OK done\n"
	    "a> uid fetch 2 uid\na< * 2 UIDFETCH (UID 2)\na< x OK done\n"
	    "a> uid fetch 2 body[]\na< * 2 UIDFETCH (BODY[] {2}\na< m2 FLAGS ())\na< * 2 UIDFETCH (FLAGS (\\Seen))\n"
	    "a< x OK done\n"
	    "a> uid store 3 +flags \\Flagged\na< * 3 UIDFETCH (FLAGS (\\Flagged))\na< x OK done\n"
	    "a> uid search all\na< * SEARCH 2 3 4\na< x OK done\n"
	    "a> uid search return (all count) all\na< * ESEARCH (TAG \"x\") UID COUNT 3 ALL 2:4\na< x OK done\n"
	    "a> uid sort (arrival) utf-8 all\na< * SORT 2 3 4\na< x OK done\n"
	    "a> uidbatches 500\na< * UIDBATCHES (TAG \"x\") 4:2\na< x OK done\n"
	    /* VANISHED for EXPUNGE: rfc/9586:210 rfc/9586:232 */
	    "a> uid move 4 Archive\na< * OK [COPYUID ... 4 1] moved\na< * VANISHED 4\na< x OK done\n"
	    "a> uid store 3 +flags.silent \\Deleted\na< x OK done\na> expunge\na< * VANISHED 3\na< x OK done\n"
	    "a! x uid replace 2 inbox {2+}\\r\\nm5\\r\\n\na< * OK [APPENDUID ... 5] replaced\na< * 2 EXISTS\n"
	    "a< * VANISHED 2\na< x OK done\n"
	    /* Of others too, in IDLE: rfc/9586:226 */
	    "a> idle\na< + idling\n"
	    "b> noop\nb?\n"
	    "b> uid store 5 +flags.silent (\\Deleted)\nb< x OK done\n"
	    "a< * 5 UIDFETCH (FLAGS (\\Deleted))\n"
	    "b! x append inbox {2+}\\r\\nm6\\r\\n\nb< * 2 EXISTS\nb< x OK ...\n"
	    "a< * 2 EXISTS\na< * 6 UIDFETCH (FLAGS ())\n"
	    "b> expunge\nb< * 1 EXPUNGE\nb< x OK done\n"
	    "a< * VANISHED 5\n"
	    "a! done\\r\\n\na< x OK done\n"
	    /* With CONDSTORE: rfc/9586:251 */
	    "a> uid fetch 6 modseq\na< * OK [HIGHESTMODSEQ ...\na< * 6 UIDFETCH (MODSEQ (...))\na< x OK done\n"
	    "a> uid store 6 +flags.silent y\na< * 6 UIDFETCH (MODSEQ (...))\na< x OK done\n"
	    "a> uid store 6 (unchangedsince 1) +flags.silent z\na< * 6 UIDFETCH (FLAGS (y) MODSEQ (...))\n"
	    "a< x OK [MODIFIED 6] done\n"
	    /* Not for other sessions, nor for a new login. */
	    "b> noop\nb< * 1 FETCH (UID 6 FLAGS (y))\nb< x OK done\n");
}
