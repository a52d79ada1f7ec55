/* SPDX-License-Identifier: MIT */
/* CREATE, DELETE, RENAME, SUBSCRIBE, UNSUBSCRIBE, LIST, LSUB. Client b watches; client c watches with IMAP4rev2. */
#include "imapserver/rig_test.h"

#define WATCH "b=mjl\nc=mjl\nc> enable imap4rev2\nc< * ENABLED imap4rev2\nc< x OK done\n"
#define NOOP(lines_b, lines_c) "b> noop\n" lines_b "b< x OK done\nc> noop\n" lines_c "c< x OK done\n"

TEST(create)
{
	rig_scripts(0,
	    WATCH
	    "a> create\na< x BAD ...\n"
	    "a> create x y\na< x BAD ...\n"
	    "a> create inbox\na< x NO not possible for Inbox\n"
	    "a> create \"Inbox\"\na< x NO not possible for Inbox\n"
	    "a> create .\na< x NO [CANNOT] ...\n"
	    "a> create ..\na< x NO [CANNOT] ...\n"
	    "a> create legit/..\na< x NO [CANNOT] ...\n"
	    "a> create ...\na< * LIST (\\Subscribed) \"/\" ...\na< x OK [MAILBOXID ...] done\n"
	    NOOP("b< * LIST (\\Subscribed) \"/\" ...\n", "c< * LIST (\\Subscribed) \"/\" ...\n")
	    "a> create inbox/a/c\n"                                          /* parents are made: rfc/9051:1938 */
	    "a< * LIST (\\Subscribed) \"/\" Inbox/a\n"
	    "a< * LIST (\\Subscribed) \"/\" Inbox/a/c\n"
	    "a< x OK [MAILBOXID ...] done\n"
	    NOOP("b< * LIST (\\Subscribed) \"/\" Inbox/a\nb< * LIST (\\Subscribed) \"/\" Inbox/a/c\n",
	    "c< * LIST (\\Subscribed) \"/\" Inbox/a\nc< * LIST (\\Subscribed) \"/\" Inbox/a/c\n")
	    "a> create Inbox/a\na< x NO [ALREADYEXISTS] mailbox exists\n"
	    "a> create Inbox/a/x\na< * LIST (\\Subscribed) \"/\" Inbox/a/x\na< x OK [MAILBOXID ...] done\n"
	    "a> create mailbox/\na< * LIST (\\Subscribed) \"/\" mailbox\na< x OK [MAILBOXID ...] done\n"             /* rfc/9051:1930 */
	    "c> create mailbox2/\nc< * LIST (\\Subscribed) \"/\" mailbox2 (\"OLDNAME\" (mailbox2/))\n"
	    "c< * LIST (\\Subscribed) \"/\" Inbox/a/x\nc< * LIST (\\Subscribed) \"/\" mailbox\nc< x OK [MAILBOXID ...] done\n"
	    "a> noop\na< * LIST (\\Subscribed) \"/\" mailbox2\na< x OK done\n"                    /* no OLDNAME for others */
	    "a> create /bad/root\na< x NO [CANNOT] ...\n"
	    "a> create bad//root\na< x NO [CANNOT] ...\n"
	    "a> create \"\"\na< x NO [CANNOT] ...\n"
	    "a> create #x\na< x NO [CANNOT] ...\n"
	    NOOP("b< * LIST (\\Subscribed) \"/\" Inbox/a/x\nb< * LIST (\\Subscribed) \"/\" mailbox\nb< * LIST (\\Subscribed) \"/\" mailbox2\n", ""));
}

TEST(create_more)
{
	rig_scripts(0,
	    "a> create test#\na< * LIST (\\Subscribed) \"/\" test#\na< x OK [MAILBOXID ...] done\n"
	    "a> create \"a%b\"\na< * LIST (\\Subscribed) \"/\" \"a%b\"\na< x OK [MAILBOXID ...] done\n"
	    "a> create \"a*b\"\na< * LIST (\\Subscribed) \"/\" \"a*b\"\na< x OK [MAILBOXID ...] done\n"
	    "a> create \"&\"\na< x BAD ...\n"
	    "a> create &-\na< * LIST (\\Subscribed) \"/\" &-\na< x OK [MAILBOXID ...] done\n"
	    "a> create &Jjo-\na< * LIST (\\Subscribed) \"/\" &Jjo-\na< x OK [MAILBOXID ...] done\n"
	    "a> create \"\xe2\x98\xba\"\na< x NO [ALREADYEXISTS] ...\n"                          /* the same name */
	    "a> create \"\xe2\x98\xba&-\"\na< * LIST (\\Subscribed) \"/\" &Jjo-&-\na< x OK [MAILBOXID ...] done\n"
	    "a> select &Jjo-&-\na< * FLAGS ...\na< * OK [PERM...\na< * 0 RECENT\na< * 0 EXISTS\na< * OK ...\na< * OK ...\na< * LIST () \"/\" &Jjo-&-\na< x OK ...\n"
	    "b=mjl\n"
	    "b> enable imap4rev2\nb< * ENABLED imap4rev2\nb< x OK done\n"
	    "b> create &x\nb< * LIST (\\Subscribed) \"/\" &x\nb< x OK [MAILBOXID ...] done\n"
	    "b> list \"\" \"\xe2\x98\xba*\"\nb< * LIST () \"/\" \"\xe2\x98\xba\"\nb< * LIST () \"/\" \"\xe2\x98\xba&\"\nb< x OK done\n"
	    "a> noop\na< * LIST (\\Subscribed) \"/\" &-x\na< x OK done\n");
}

/* rfc/6154:256 */
TEST(create_use)
{
	rig_scripts(0,
	    "a> create x (use)\na< x BAD ...\n"
	    "a> create x (bogus (\\Archive))\na< x BAD ...\n"
	    "a> create x (use (\\Archive)\na< x BAD ...\n"
	    "a> create x (use (Archive))\na< x BAD ...\n"
	    "a> create x (use (\\All))\na< x NO [USEATTR] ...\n"
	    "a> create x (use (\\Bogus))\na< x NO [USEATTR] ...\n"
	    "a> create x (use ())\na< * LIST (\\Subscribed) \"/\" x\na< x OK [MAILBOXID ...] done\n"
	    "a> create y (use (\\Archive \\Drafts) use (\\Junk))\na< * LIST (\\Subscribed) \"/\" y\na< x OK [MAILBOXID ...] done\n"
	    "a> list \"\" y\na< * LIST (\\Archive \\Drafts \\Junk) \"/\" y\na< x OK done\n"
	    "a> list \"\" Archive\na< * LIST () \"/\" Archive\na< x OK done\n");         /* the role moved on */
}

TEST(delete)
{
	rig_scripts(0,
	    WATCH
	    "a> delete\na< x BAD ...\n"
	    "a> delete inbox\na< x NO not possible for Inbox\n"
	    "a> delete nobox\na< x NO [NONEXISTENT] no such mailbox\n"
	    "a> delete \"nobox\"\na< x NO [NONEXISTENT] no such mailbox\n"
	    "a> delete expungebox\na< x NO [NONEXISTENT] no such mailbox\n"
	    "a> subscribe nobox\na< x OK done\n"
	    "a> delete nobox\na< x NO [NONEXISTENT] no such mailbox\n"
	    "a> create a/b\na< * LIST ...\na< * LIST ...\na< x OK [MAILBOXID ...] done\n"
	    NOOP("b< * LIST (\\Subscribed \\NonExistent) \"/\" nobox\nb< * LIST (\\Subscribed) \"/\" a\nb< * LIST (\\Subscribed) \"/\" a/b\n",
	    "c< * LIST (\\Subscribed \\NonExistent) \"/\" nobox\nc< * LIST (\\Subscribed) \"/\" a\nc< * LIST (\\Subscribed) \"/\" a/b\n")
	    "a> delete a\na< x NO [HASCHILDREN] mailbox has children\n"
	    "a! x append a/b {2+}\\r\\nm1\\r\\n\na< x OK ...\n"
	    "a> delete a/b\na< x OK done\n"
	    NOOP("", "c< * LIST (\\NonExistent) \"/\" a/b\n")
	    "a> delete a/b\na< x NO [NONEXISTENT] no such mailbox\n"
	    "a> delete a\na< x OK done\n"
	    NOOP("", "c< * LIST (\\NonExistent) \"/\" a\n")
	    "a> list (subscribed) \"\" a*\n"                                  /* subscriptions stay: rfc/9051:2190 */
	    "a< * LIST (\\Subscribed \\NonExistent) \"/\" a\n"
	    "a< * LIST (\\Subscribed \\NonExistent) \"/\" a/b\n"
	    "a< x OK done\n");
}

TEST(rename)
{
	rig_scripts(0,
	    WATCH
	    "a> rename\na< x BAD ...\n"
	    "a> rename x\na< x BAD ...\n"
	    "a! x rename x  y\\r\\n\na< x BAD ...\n"
	    "a> rename x y z\na< x BAD ...\n"
	    "a> rename nobox y\na< x NO [NONEXISTENT] no such mailbox\n"
	    "a> rename expungebox y\na< x NO [NONEXISTENT] no such mailbox\n"
	    "a> rename Sent Trash\na< x NO [ALREADYEXISTS] mailbox exists\n"
	    "a> rename Sent inbox\na< x NO ...\n"
	    "a> rename Sent Sent2\na< x OK done\n"                                /* rfc/9051:2062 */
	    NOOP("b< * LIST () \"/\" Sent2\n", "c< * LIST () \"/\" Sent2 (\"OLDNAME\" (Sent))\n")
	    "a> rename Sent2 Sent\na< x OK done\n"                                /* subscribed by name */
	    NOOP("b< * LIST (\\Subscribed) \"/\" Sent\n", "c< * LIST (\\Subscribed) \"/\" Sent (\"OLDNAME\" (Sent2))\n")
	    "a> create a/b/c\na< * LIST ...\na< * LIST ...\na< * LIST ...\na< x OK [MAILBOXID ...] done\n"
	    NOOP("b< * LIST ...\nb< * LIST ...\nb< * LIST ...\n", "c< * LIST ...\nc< * LIST ...\nc< * LIST ...\n")
	    "a> rename a/b a\na< x NO [ALREADYEXISTS] mailbox exists\n"
	    "a> rename a/b x/y\na< x OK done\n"                                   /* parent made, children move along */
	    NOOP("b< * LIST () \"/\" x\nb< * LIST () \"/\" x/y/c\nb< * LIST () \"/\" x/y\n",
	    "c< * LIST () \"/\" x\nc< * LIST () \"/\" x/y/c (\"OLDNAME\" (a/b/c))\nc< * LIST () \"/\" x/y (\"OLDNAME\" (a/b))\n")
	    "a! x rename {3}\\r\\nx/y {1}\\r\\nz\\r\\n\na< + \na< + \na< x OK done\n"
	    NOOP("b< * LIST () \"/\" z/c\nb< * LIST () \"/\" z\n", "c< * LIST () \"/\" z/c ...\nc< * LIST () \"/\" z ...\n"));
}

/* rfc/9051:2102 */
TEST(rename_inbox)
{
	rig_scripts(0,
	    WATCH
	    "a! x append inbox {2+}\\r\\nm1 (work) {2+}\\r\\nm2\\r\\n\na< x OK [APPENDUID ... 1:2] done\n"
	    "a> create inbox/sub\na< * LIST ...\na< x OK [MAILBOXID ...] done\n"
	    "a> select inbox\na< * FLAGS ...\na< * OK [PERM...\na< * 0 RECENT\na< * 2 EXISTS\na< * OK [UNSEEN...\na< * OK ...\na< * OK ...\na< * LIST ...\na< x OK ...\n"
	    "a> store 1 +flags (\\Deleted)\na< * 1 FETCH ...\na< x OK done\n"
	    "a> expunge\na< * 1 EXPUNGE\na< x OK done\n"
	    NOOP("b< * LIST ...\n", "c< * LIST ...\n")
	    "b> select inbox\nb< * FLAGS ...\nb< * OK [PERM...\nb< * 0 RECENT\nb< * 1 EXISTS\nb< * OK [UNSEEN...\nb< * OK ...\nb< * OK ...\nb< * LIST ...\nb< x OK ...\n"
	    "a> rename inbox old/inbox\n"
	    "a< * 1 EXPUNGE\n"                                              /* the session has it selected itself */
	    "a< x OK done\n"
	    "b> noop\nb< * LIST () \"/\" old\nb< * LIST () \"/\" old/inbox\nb< * 1 EXPUNGE\nb< x OK done\n"
	    "c> noop\nc< * LIST () \"/\" old\nc< * LIST () \"/\" old/inbox\nc< x OK done\n"
	    "a> noop\na< x OK done\n"
	    "a> list \"\" Inbox*\na< * LIST () \"/\" Inbox\na< * LIST () \"/\" Inbox/sub\na< x OK done\n"
	    "a> examine old/inbox\na< * OK [CLOSED]...\na< * FLAGS (... work)\na< * OK [PERM...\na< * 0 RECENT\na< * 1 EXISTS\na< * OK [UNSEEN 1]...\na< * OK ...\n"
	    "a< * OK [UIDNEXT 2] next\na< * LIST ...\na< x OK ...\n"
	    "a> fetch 1 (flags)\na< * 1 FETCH (UID 1 FLAGS (work))\na< x OK done\n");
}

TEST(subscribe)
{
	rig_scripts(0,
	    WATCH
	    "a> subscribe\na< x BAD ...\n"
	    "a> subscribe x y\na< x BAD ...\n"
	    "a> unsubscribe\na< x BAD ...\n"
	    "a> subscribe a/b\na< x OK done\n"                                    /* rfc/9051:2172 */
	    NOOP("b< * LIST (\\Subscribed \\NonExistent) \"/\" a/b\n", "c< * LIST (\\Subscribed \\NonExistent) \"/\" a/b\n")
	    "a> subscribe a/b\na< x OK done\n"
	    NOOP("", "")
	    "a> subscribe /x\na< x NO [CANNOT] ...\n"
	    "a> unsubscribe a/b\na< x OK done\n"
	    NOOP("b< * LIST (\\NonExistent) \"/\" a/b\n", "c< * LIST (\\NonExistent) \"/\" a/b\n")
	    "a> unsubscribe a/b\na< x NO [NONEXISTENT] ...\n"
	    "a> unsubscribe nobox\na< x NO [NONEXISTENT] ...\n"
	    "a> unsubscribe expungebox\na< x OK done\n"                           /* deleted, but still subscribed */
	    "a> unsubscribe expungebox\na< x NO [NONEXISTENT] ...\n"
	    NOOP("b< * LIST (\\NonExistent) \"/\" expungebox\n", "c< * LIST (\\NonExistent) \"/\" expungebox\n")
	    "a> unsubscribe inbox\na< x OK done\n"
	    "a> unsubscribe inbox\na< x OK done\n"
	    NOOP("b< * LIST () \"/\" Inbox\n", "c< * LIST () \"/\" Inbox\n"));
}

#define ALL "a< * LIST (\\Archive) \"/\" Archive\na< * LIST (\\Drafts) \"/\" Drafts\na< * LIST () \"/\" Inbox\na< * LIST (\\Junk) \"/\" Junk\n" \
	"a< * LIST (\\Sent) \"/\" Sent\na< * LIST (\\Trash) \"/\" Trash\n"

TEST(list)
{
	rig_scripts(0,
	    "a> list\na< x BAD ...\n"
	    "a> list \"\"\na< x BAD ...\n"
	    "a> list \"\" x y\na< x BAD ...\n"
	    "a> list \"\" \"\"\na< * LIST () \"/\" \"\"\na< x OK done\n"      /* rfc/9051:2277 */
	    "a> list \"\" inbox\na< * LIST () \"/\" Inbox\na< x OK done\n"
	    "a> list \"\" \"INBOX\"\na< * LIST () \"/\" Inbox\na< x OK done\n"
	    "a> list \"\" expungebox\na< x OK done\n"
	    "a> list \"\" %\n" ALL "a< x OK done\n"
	    "a> list \"\" *\n" ALL "a< x OK done\n"
	    "a> list \"\" A*\na< * LIST (\\Archive) \"/\" Archive\na< x OK done\n"
	    "a> create Inbox/todo\na< * LIST ...\na< x OK [MAILBOXID ...] done\n"
	    "a> list \"\" Inbox*\na< * LIST () \"/\" Inbox\na< * LIST () \"/\" Inbox/todo\na< x OK done\n"
	    "a> list \"\" Inbox/%\na< * LIST () \"/\" Inbox/todo\na< x OK done\n"
	    "a> list \"\" INBOX/*\na< * LIST () \"/\" Inbox/todo\na< x OK done\n"
	    "a> list inbox todo\na< * LIST () \"/\" Inbox/todo\na< x OK done\n"
	    "a> list inbox %\na< * LIST () \"/\" Inbox/todo\na< x OK done\n"
	    "a> list \"\" INBO*\na< x OK done\n"
	    "a> list /inbox *\na< x OK done\n"
	    "a> list \"\" /*\na< x OK done\n"
	    "a> list \"\" ()\na< x BAD ...\n");
}

/* rfc/9051:2425 rfc/5258 */
TEST(list_extended)
{
	rig_scripts(0,
	    "a> list \"\" (\"inbox\")\na< * LIST () \"/\" Inbox\na< x OK done\n"
	    "a> list () \"\" (\"inbox\" \"\" Sent) return ()\na< * LIST () \"/\" Inbox\na< * LIST (\\Sent) \"/\" Sent\na< x OK done\n"
	    "a> list () \"\" \"\"\na< x OK done\n"                               /* not the basic form */
	    "a> list (remote) \"\" inbox\na< * LIST () \"/\" Inbox\na< x OK done\n"
	    "a> list (recursivematch) \"\" *\na< x BAD ...\n"
	    "a> list (recursivematch remote) \"\" *\na< x BAD ...\n"
	    "a> list (bogus) \"\" *\na< x BAD ...\n"
	    "a> list \"\" * return (bogus)\na< x BAD ...\n"
	    "a> list \"\" * return\na< x BAD ...\n"
	    "a> list \"\" * return (children\na< x BAD ...\n"
	    "a> list \"\" * return (status)\na< x BAD ...\n"
	    "a> list \"\" * return (status ())\na< x BAD ...\n"
	    "a> create Inbox/todo\na< * LIST ...\na< x OK [MAILBOXID ...] done\n"
	    "a> list \"\" Inbox* return (subscribed children special-use status (messages uidnext) children)\n"
	    "a< * LIST (\\HasChildren \\Subscribed) \"/\" Inbox\n"
	    "a< * STATUS Inbox (MESSAGES 0 UIDNEXT 1)\n"                         /* rfc/5819 */
	    "a< * LIST (\\HasNoChildren \\Subscribed) \"/\" Inbox/todo\n"
	    "a< * STATUS Inbox/todo (MESSAGES 0 UIDNEXT 1)\n"
	    "a< x OK done\n"
	    "a> list (subscribed) \"\" expunge* return (status (messages) children)\n"
	    "a< * LIST (\\Subscribed \\NonExistent) \"/\" expungebox\na< x OK done\n"
	    "a> unsubscribe inbox\na< x OK done\n"
	    "a> list (subscribed) \"\" Inbox\na< x OK done\n"
	    "a> list (subscribed recursivematch) \"\" Inbox\n"                    /* rfc/9051:2655 */
	    "a< * LIST () \"/\" Inbox (\"CHILDINFO\" (\"SUBSCRIBED\"))\na< x OK done\n"
	    "a> list (subscribed recursivematch) \"\" Inbox*\n"
	    "a< * LIST () \"/\" Inbox (\"CHILDINFO\" (\"SUBSCRIBED\"))\na< * LIST (\\Subscribed) \"/\" Inbox/todo\na< x OK done\n"
	    "a> delete Inbox/todo\na< x OK done\n"
	    "a> list (subscribed recursivematch) \"\" Inbox\n"
	    "a< * LIST () \"/\" Inbox (\"CHILDINFO\" (\"SUBSCRIBED\"))\na< x OK done\n"
	    "a> list (special-use) \"\" * return (children)\n"                    /* rfc/6154:160 */
	    "a< * LIST (\\HasNoChildren \\Archive) \"/\" Archive\na< * LIST (\\HasNoChildren \\Drafts) \"/\" Drafts\na< * LIST (\\HasNoChildren \\Junk) \"/\" Junk\n"
	    "a< * LIST (\\HasNoChildren \\Sent) \"/\" Sent\na< * LIST (\\HasNoChildren \\Trash) \"/\" Trash\na< x OK done\n"
	    "a> list (special-use subscribed) \"\" S*\na< * LIST (\\Subscribed \\Sent) \"/\" Sent\na< x OK done\n");
}

TEST(lsub)
{
	rig_scripts(0,
	    "a> lsub\na< x BAD ...\n"
	    "a> lsub \"\"\na< x BAD ...\n"
	    "a> lsub \"\" x y\na< x BAD ...\n"
	    "a> lsub \"\" nobox\na< x OK done\n"
	    "a> lsub \"\" expunge*\na< * LSUB () \"/\" expungebox\na< x OK done\n"  /* rfc/3501:2374 */
	    "a> lsub \"\" s%\na< x OK done\n"
	    "a> lsub \"\" S%\na< * LSUB () \"/\" Sent\na< x OK done\n"
	    "a> create a/b/c\na< * LIST ...\na< * LIST ...\na< * LIST ...\na< x OK [MAILBOXID ...] done\n"
	    "a> lsub \"\" a/*\na< * LSUB () \"/\" a/b\na< * LSUB () \"/\" a/b/c\na< x OK done\n"
	    "a> unsubscribe a\na< x OK done\n"
	    "a> unsubscribe a/b\na< x OK done\n"
	    "a> lsub \"\" a/%\na< * LSUB (\\NoSelect) \"/\" a/b\na< x OK done\n"    /* rfc/3501:2394 */
	    "a> unsubscribe a/b/c\na< x OK done\n"
	    "a> lsub \"\" a/%\na< x OK done\n");
}
