/* SPDX-License-Identifier: MIT */
/* OBJECTID, RFC 8474. Client b watches. */
#include "imapserver/rig_test.h"

#include <stdlib.h>

#define SELECT(client, name, exists, id) \
	client "> select " name "\n" client "< * FLAGS ...\n" client "< * OK [PERMANENTFLAGS ...\n" client \
	    "< * 0 RECENT\n" \
	client "< * " exists " EXISTS\n" client "< * OK [U...\n" client "< * OK [U...\n" client "< * OK [U...\n" \
	client "< * LIST ...\n" client "< * OK [MAILBOXID (" id ")] mailbox\n" client "< x OK [READ-WRITE] done\n"

static struct str
message(const char *id, const char *references, const char *subject)
{
	return str_fmt(test_arena(), "Message-Id: <%s@x.example>\r\n%sSubject: %s\r\n\r\n"
	    "body\r\n", id, references, subject);
}

TEST(objectid_messages)
{
	struct rig r;

	rig_start(&r, 0);
	rig_append(&r, "mjl", "inbox", "", message("a", "", "one"));
	rig_append(&r, "mjl", "inbox", "", message("b", "References: <a@x.example>\r\n", "Re: one"));
	rig_append(&r, "mjl", "inbox", "", message("c", "", "other"));
	rig_script(&r,
	    "a=mjl\n" SELECT("a", "inbox", "3", "F1")
	    "a> fetch 1:* (emailid threadid)\n"                                              /* rfc/8474:353 */
	    "a< * 1 FETCH (UID 1 EMAILID (M1) THREADID (T1))\na< * 2 FETCH (UID 2 EMAILID (M2) THREADID (T1))\n"
	    "a< * 3 FETCH (UID 3 EMAILID (M3) THREADID (T3))\na< x OK done\n"
	    "a> search emailid M2\na< * SEARCH 2\na< x OK done\n"                            /* rfc/8474:468 */
	    "a> search threadid T1\na< * SEARCH 1 2\na< x OK done\n"
	    "a> search or emailid M3 emailid M1\na< * SEARCH 1 3\na< x OK done\n"
	    /* Case matters, and a thread is no message: rfc/8474:348 */
	    "a> search or emailid m2 or emailid T1 or threadid M1 emailid 2\na< * SEARCH\na< x OK done\n"
	    "a> search emailid\na< x BAD ...\na> search emailid \"M1\"\na< x BAD ...\na> search threadid a+b\n"
	    "a< x BAD ...\n"
	    /* Copies and moved messages keep it: rfc/8474:299 */
	    "a> copy 1 Archive\na< x OK ...\na> move 2 Archive\na< * OK [COPYUID ...] moved\na< * 2 EXPUNGE\n"
	    "a< x OK done\n"
	    "a> select Archive\na< * OK [CLOSED] ...\na< * FLAGS ...\na< * OK [PERM...\na< * 0 RECENT\n"
	    "a< * 2 EXISTS\na< * OK [UNSEEN...\n"
	    "a< * OK [UIDV...\na< * OK [UIDN...\na< * LIST ...\na< x OK ...\n"
	    "a> fetch 1:* (emailid threadid)\n"
	    "a< * 1 FETCH (UID 1 EMAILID (M1) THREADID (T1))\na< * 2 FETCH (UID 2 EMAILID (M2) THREADID (T1))\n"
	    "a< x OK done\n"
	    "a> copy 1 Trash\na< x OK ...\na> search emailid M1\na< * SEARCH 1\na< x OK done\n"
	    /* What replaces a message is another one: rfc/8508:429 */
	    "a! x replace 1 Archive {2+}\\r\\nhi\\r\\n\na< * OK [APPENDUID...\na< * 3 EXISTS\na< * 1 EXPUNGE\n"
	    "a< x OK done\n"
	    "a> search emailid M1\na< * SEARCH\na< x OK done\n");
	rig_stop(&r);
}

TEST(objectid_mailboxes)
{
	rig_scripts(0,
	    /* rfc/8474:231 */
	    "a> status inbox (mailboxid)\na< * STATUS Inbox (MAILBOXID (F1))\na< x OK done\n"
	    "a> create box\na< * LIST ...\na< x OK [MAILBOXID (F8)] done\n"                           /* rfc/8474:186 */
	    "a> list \"\" box return (status (mailboxid messages))\na< * LIST () \"/\" box\n"
	    "a< * STATUS box (MESSAGES 0 MAILBOXID (F8))\na< x OK done\n"
	    "a> examine box\na< * FLAGS ...\na< * OK [PERM...\na< * 0 RECENT\na< * 0 EXISTS\na< * OK [UIDV...\n"
	    "a< * OK [UIDN...\na< * LIST ...\n"
	    "a< * OK [MAILBOXID (F8)] mailbox\na< x OK [READ-ONLY] done\n"
	    /* It survives a new name: rfc/8474:175 */
	    "a> rename box new\na< x OK done\na> status new (mailboxid)\na< * STATUS new (MAILBOXID (F8))\n"
	    "a< x OK done\n"
	    /* A mailbox made again is another one: rfc/8474:160 */
	    "a> delete new\na< x OK done\na> create new\na< * LIST ...\na< x OK [MAILBOXID (F9)] done\n"
	    /* RENAME INBOX makes a mailbox: rfc/8474:177 */
	    "a> rename inbox old\na< x OK done\na> status inbox (mailboxid)\na< * STATUS Inbox (MAILBOXID (F1))\n"
	    "a< x OK done\n"
	    "a> status old (mailboxid)\na< * STATUS old (MAILBOXID (F10))\na< x OK done\n");
}
