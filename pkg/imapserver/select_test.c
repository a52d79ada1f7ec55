/* SPDX-License-Identifier: MIT */
/* Connection, states, SELECT, EXAMINE, CLOSE, UNSELECT, CHECK, STATUS, IDLE, and what other sessions see. */
#include "imapserver/rig_test.h"

#define FLAGS_LINE "* FLAGS (\\Seen \\Answered \\Flagged \\Deleted \\Draft $Forwarded $Junk $NotJunk $Phishing $MDNSent"
#define SELECTED(exists, next) \
	"a< " FLAGS_LINE ")\n" \
	"a< * OK [PERMANENTFLAGS (\\Seen \\Answered \\Flagged \\Deleted \\Draft $Forwarded $Junk $NotJunk $Phishing $MDNSent \\*)] flags\n" \
	"a< * 0 RECENT\n" \
	"a< * " exists " EXISTS\n" \
	"a< * OK [UIDVALIDITY ...] valid\n" \
	"a< * OK [UIDNEXT " next "] next\n" \
	"a< * LIST () \"/\" Inbox\n" \
	"a< x OK [READ-WRITE] done\n"

TEST(greeting)
{
	rig_scripts(0,
	    "b+\n"
	    "b< * OK [CAPABILITY IMAP4rev2 IMAP4rev1 ENABLE ... LITERAL- AUTH=SCRAM-SHA-256-PLUS AUTH=SCRAM-SHA-256 AUTH=SCRAM-SHA-1-PLUS "
	    "AUTH=SCRAM-SHA-1 AUTH=PLAIN] mox imap\n"
	    "b> capability\n"
	    "b< * CAPABILITY ... LITERAL- ... AUTH=PLAIN\n"
	    "b< x OK done\n"
	    "b> capability x\n"
	    "b< x BAD syntax error\n"                                      /* no details before login */
	    "b> logout x\n"
	    "b< x BAD syntax error\n"
	    "b> logout\n"                                                    /* rfc/9051:1290 */
	    "b< * BYE thanks\n"
	    "b< x OK done\n"
	    "b$\n"
	    "a> capability\n"
	    "a< * CAPABILITY ... LITERAL+ ...\n"
	    "a< x OK done\n");
}

/* A peer that does not speak IMAP is not answered line by line. */
TEST(not_imap)
{
	static const char *const first[] = { "bogus\\r\\n", "GET / HTTP/1.1\\r\\n", "\\r\\n", "x \\r\\n", " x noop\\r\\n", "x bogus\\r\\n", "+ noop\\r\\n", "x uid noop\\r\\n" };
	struct rig r;

	rig_start(&r, 0);
	for (size_t i = 0; i < ARRAY_LEN(first); i++) {
		rig_script(&r, rig_fmt(
		    "a+\n"
		    "a< * OK ...\n"
		    "a! %s\n"
		    "a< * BYE this is an IMAP server\n"
		    "a< ... BAD ...\n"
		    "a$\n", first[i]));
	}
	/* A known command with wrong arguments is IMAP. */
	rig_script(&r,
	    "a+\n"
	    "a< * OK ...\n"
	    "a> login\n"
	    "a< x BAD syntax error\n"
	    "a> bogus\n"
	    "a< x BAD unknown command\n"
	    "a!  noop\\r\\n\n"
	    "a< * BAD syntax error\n"
	    "a> noop\n"
	    "a< x OK done\n");
	rig_stop(&r);
}

TEST(states)
{
	static const char *const authenticated[] = { "enable", "select", "examine", "create", "delete", "rename", "subscribe", "unsubscribe", "list", "lsub",
	    "namespace", "status", "append", "idle" };
	static const char *const selected[] = { "check", "close", "unselect", "expunge", "search", "fetch", "store", "copy", "move", "uid expunge",
	    "uid search", "uid fetch", "uid store", "uid copy", "uid move" };
	static const char *const fresh[] = { "starttls", "authenticate", "login" };
	struct rig r;

	rig_start(&r, 0);
	rig_script(&r, "a+\na< * OK ...\n");
	/* The state is checked before the parameters. */
	for (size_t i = 0; i < ARRAY_LEN(authenticated); i++)
		rig_script(&r, rig_fmt("a> %s\na< x NO log in first\n", authenticated[i]));
	for (size_t i = 0; i < ARRAY_LEN(selected); i++)
		rig_script(&r, rig_fmt("a> %s\na< x NO log in first\n", selected[i]));
	rig_login(&r, 'a', "mjl");
	for (size_t i = 0; i < ARRAY_LEN(selected); i++)
		rig_script(&r, rig_fmt("a> %s\na< x NO no mailbox is selected\n", selected[i]));
	for (size_t i = 0; i < ARRAY_LEN(fresh); i++)
		rig_script(&r, rig_fmt("a> %s\na< x NO already logged in\n", fresh[i]));
	rig_script(&r,
	    "a> noop\na< x OK done\n"
	    "a> NoOp\na< x OK done\n"
	    "a> bogus\na< x BAD unknown command\n"
	    "a> uid noop\na< x BAD unknown command\n"
	    "a> noop \na< x OK done\n"                                       /* the harness trims */
	    "a! x noop \\r\\n\na< x BAD ...\n"
	    "a! x  noop\\r\\n\na< * BAD ...\n"
	    "a! x\\r\\n\na< * BAD ...\n"
	    "a! x noop\\n\na< x OK done\n");
	rig_stop(&r);
}

TEST(select)
{
	rig_scripts(0,
	    "a> select\na< x BAD ...\n"
	    "a> select inbox x\na< x BAD ...\n"
	    "a> select nobox\na< x NO [NONEXISTENT] no such mailbox\n"
	    "a> select expungebox\na< x NO [NONEXISTENT] no such mailbox\n"
	    "a> select inbox\n"
	    SELECTED("0", "1")
	    "a> select \"iNbOx\"\n"                                       /* rfc/9051:6669 */
	    "a< * OK [CLOSED] previous mailbox closed\n"                     /* rfc/9051:1814 */
	    SELECTED("0", "1")
	    "a> check\na< x OK done\n"
	    "a> close\na< x OK done\n"
	    "a> check\na< x NO ...\n"
	    "a> examine inbox\n"                                            /* rfc/9051:1868 */
	    "a< " FLAGS_LINE ")\n"
	    "a< * OK [PERMANENTFLAGS ()] read-only\n"
	    "a< * 0 RECENT\n"
	    "a< * 0 EXISTS\n"
	    "a< * OK [UIDVALIDITY ...] valid\n"
	    "a< * OK [UIDNEXT 1] next\n"
	    "a< * LIST () \"/\" Inbox\n"
	    "a< x OK [READ-ONLY] done\n"
	    "a> unselect x\na< x BAD ...\n"
	    "a> unselect\na< x OK done\n"
	    "a> fetch 1 all\na< x NO no mailbox is selected\n"
	    /* A failed SELECT leaves the mailbox that was selected: none is (rfc/9051:1812). */
	    "a> select inbox\n"
	    SELECTED("0", "1")
	    "a> select nobox\n"
	    "a< * OK [CLOSED] previous mailbox closed\n"
	    "a< x NO [NONEXISTENT] no such mailbox\n"
	    "a> check\na< x NO ...\n");
}

TEST(select_names)
{
	static const struct { const char *name, *want; } rows[] = {
		{ "\"e\xcc\x81\"", "NO [CANNOT] ..." },                    /* not in NFC */
		{ "/inbox", "NO [CANNOT] ..." },
		{ "a//b", "NO [CANNOT] ..." },
		{ "Inbox/", "NO [CANNOT] ..." },
		{ "\"\x01\"", "NO [CANNOT] ..." },
		{ "\"\x7f\"", "NO [CANNOT] ..." },
		{ "\"\x80\"", "BAD ..." },
		{ "\"\xe2\x80\xa8\"", "NO [CANNOT] ..." },
		{ "{3+}\\r\\n\xe2\x80\xa9", "NO [CANNOT] ..." },
		{ "\" \"", "NO [NONEXISTENT] ..." },
		{ "\"a\\\\nb\"", "BAD ..." },                              /* no such escape */
		{ "&Jjo", "BAD ..." },
	};
	struct rig r;

	rig_start(&r, 0);
	rig_login(&r, 'a', "mjl");
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		rig_script(&r, rig_fmt("a! x select %s\\r\\n\na< x %s\n", rows[i].name, rows[i].want));
	rig_stop(&r);
}

TEST(select_rev2)
{
	rig_scripts(0,
	    "a> enable imap4rev2\na< * ENABLED imap4rev2\na< x OK done\n"
	    "d=mjl\n"
	    "d! x append inbox {3+}\\r\\nhi!\\r\\n\nd< x OK [APPENDUID ... 1] done\n"
	    "a> select inbox\n"                                             /* neither RECENT nor UNSEEN */
	    "a< " FLAGS_LINE ")\n"
	    "a< * OK [PERMANENTFLAGS (...)] flags\n"
	    "a< * 1 EXISTS\n"
	    "a< * OK [UIDVALIDITY ...] valid\n"
	    "a< * OK [UIDNEXT 2] next\n"
	    "a< * LIST () \"/\" Inbox\n"
	    "a< x OK [READ-WRITE] done\n");
}

/* A message that came before SELECT is not told twice. */
TEST(select_with_changes_pending)
{
	rig_scripts(0,
	    "b=mjl\n"
	    "b! x append inbox (\\Seen) {3+}\\r\\nhi!\\r\\n\nb< x OK [APPENDUID ... 1] done\n"
	    "b! x append inbox {3+}\\r\\nhi!\\r\\n\nb< x OK [APPENDUID ... 2] done\n"
	    "a> select inbox\n"
	    "a< " FLAGS_LINE ")\n"
	    "a< * OK [PERMANENTFLAGS (...)] flags\n"
	    "a< * 0 RECENT\n"
	    "a< * 2 EXISTS\n"
	    "a< * OK [UNSEEN 2] first unseen\n"
	    "a< * OK [UIDVALIDITY ...] valid\n"
	    "a< * OK [UIDNEXT 3] next\n"
	    "a< * LIST () \"/\" Inbox\n"
	    "a< x OK [READ-WRITE] done\n"
	    "a> noop\na< x OK done\n"
	    "a> status inbox (messages uidnext uidvalidity unseen deleted size recent)\n"
	    "a< * STATUS Inbox (MESSAGES 2 UIDNEXT 3 UIDVALIDITY ... UNSEEN 1 DELETED 0 SIZE 6 RECENT 0)\n"
	    "a< x OK done\n");
}

TEST(status)
{
	rig_scripts(0,
	    "a> status\na< x BAD ...\n"
	    "a> status inbox\na< x BAD ...\n"
	    "a> status inbox ()\na< x BAD ...\n"
	    "a> status inbox (bogus)\na< x BAD ...\n"
	    "a> status inbox (messages) x\na< x BAD ...\n"
	    "a! x status inbox (messages )\\r\\n\na< x BAD ...\n"
	    "a> status nobox (messages)\na< x NO [NONEXISTENT] no such mailbox\n"
	    "a> status expungebox (messages)\na< x NO [NONEXISTENT] no such mailbox\n"
	    "a> status inbox (uidnext messages)\na< * STATUS Inbox (MESSAGES 0 UIDNEXT 1)\na< x OK done\n"  /* rfc/9051:3328 */
	    "a! x append inbox (\\Deleted) {3+}\\r\\nhi!\\r\\n\na< x OK [APPENDUID ... 1] done\n"
	    "a> status inbox (messages deleted unseen size)\na< * STATUS Inbox (MESSAGES 1 UNSEEN 1 DELETED 1 SIZE 3)\na< x OK done\n"
	    "a> status inbox (highestmodseq)\na< * STATUS Inbox (HIGHESTMODSEQ ...)\na< x OK done\n");
}

TEST(idle)
{
	rig_scripts(0,
	    "a> idle x\na< x BAD ...\n"
	    "a> idle\na< + idling\n"                                         /* rfc/2177 */
	    "a! done\\r\\n\na< x OK done\n"
	    "a> select inbox\n"
	    SELECTED("0", "1")
	    "a> idle\na< + idling\n"
	    "b=mjl\n"
	    "b! x append inbox (\\Seen work) {3+}\\r\\nhi!\\r\\n\nb< x OK [APPENDUID ... 1] done\n"
	    "a< * 1 EXISTS\n"
	    "a< * 1 FETCH (UID 1 FLAGS (\\Seen work))\n"
	    "b! x append inbox {3+}\\r\\nhi!\\r\\n\nb< x OK [APPENDUID ... 2] done\n"
	    "a< * 2 EXISTS\n"
	    "a< * 2 FETCH (UID 2 FLAGS ())\n"
	    "a! DONE\\r\\n\na< x OK done\n"
	    "a> noop\na< x OK done\n"
	    "a> idle\na< + idling\n"
	    "a! x noop\\r\\n\na< x BAD expected DONE\na$\n");
}

/* Changes are told where the protocol allows them (rfc/9051:5862). */
TEST(changes_by_others)
{
	rig_scripts(0,
	    "b=mjl\n"
	    "b! x append inbox {2+}\\r\\nm1 {2+}\\r\\nm2 {2+}\\r\\nm3\\r\\n\nb< x OK [APPENDUID ... 1:3] done\n"
	    "a> select inbox\n"
	    "a< " FLAGS_LINE ")\na< * OK [PERMANENTFLAGS ...\na< * 0 RECENT\na< * 3 EXISTS\na< * OK [UNSEEN 1] first unseen\na< * OK [UIDV...\na< * OK [UIDNEXT 4] next\n"
	    "a< * LIST () \"/\" Inbox\na< x OK [READ-WRITE] done\n"
	    "b> select inbox\n"
	    "b< " FLAGS_LINE ")\nb< * OK [PERMANENTFLAGS ...\nb< * 0 RECENT\nb< * 3 EXISTS\nb< * OK [UNSEEN 1] first unseen\nb< * OK [UIDV...\nb< * OK [UIDNEXT 4] next\n"
	    "b< * LIST () \"/\" Inbox\nb< x OK [READ-WRITE] done\n"
	    "b> store 1 +flags (\\Deleted)\nb< * 1 FETCH (UID 1 FLAGS (\\Deleted))\nb< x OK done\n"
	    "b> store 3 +flags (\\Deleted new)\nb< * 3 FETCH (UID 3 FLAGS (\\Deleted new))\nb< x OK done\n"
	    "b> expunge\nb< * 1 EXPUNGE\nb< * 2 EXPUNGE\nb< x OK done\n"
	    /* FETCH, STORE, SEARCH with sequence numbers say nothing; numbers still mean what they meant. */
	    "a> fetch 1:3 flags\n"
	    "a< * 1 FETCH (UID 1 FLAGS (\\Deleted))\n"
	    "a< * 2 FETCH (UID 2 FLAGS ())\n"
	    "a< * 3 FETCH (UID 3 FLAGS (\\Deleted new))\n"
	    "a< x OK [EXPUNGEISSUED] done\n"                                  /* rfc/5530:202 */
	    "a> fetch 1 rfc822.size\na< * 1 FETCH (UID 1 RFC822.SIZE 2)\na< x OK [EXPUNGEISSUED] done\n"
	    "a> fetch 3 body.peek[]\na< * 3 FETCH (UID 3 BODY[] {2}\na< m3)\na< x OK [EXPUNGEISSUED] done\n"   /* still readable */
	    "a> search all\na< * SEARCH 1 2 3\na< x OK done\n"
	    "a> store 2 +flags.silent \\Flagged\na< x OK done\n"
	    "a> uid search all\n"
	    "a< * SEARCH 1 2 3\n"
	    "a< * 1 FETCH (UID 1 FLAGS (\\Deleted))\n"
	    "a< * 3 FETCH (UID 3 FLAGS (\\Deleted new))\n"
	    "a< * 1 EXPUNGE\n"
	    "a< * 2 EXPUNGE\n"
	    "a< x OK done\n"
	    "a> search all\na< * SEARCH 1\na< x OK done\n"
	    "b> noop\nb< * 1 FETCH (UID 2 FLAGS (\\Flagged))\nb< x OK done\n");
}

/* A queued flag change of another session must not overwrite, in the client's mind, what it did itself later. */
TEST(own_flags_after_queued_ones)
{
	rig_scripts(0,
	    "a! x append inbox {2+}\\r\\nm1\\r\\n\na< x OK [APPENDUID ... 1] done\n"
	    "a> select inbox\n"
	    "a< " FLAGS_LINE ")\na< * OK [PERMANENTFLAGS ...\na< * 0 RECENT\na< * 1 EXISTS\na< * OK [UNSEEN 1] first unseen\na< * OK [UIDV...\na< * OK [UIDNEXT 2] next\n"
	    "a< * LIST () \"/\" Inbox\na< x OK [READ-WRITE] done\n"
	    "b=mjl\nb> select inbox\n"
	    "b< " FLAGS_LINE ")\nb< * OK [PERMANENTFLAGS ...\nb< * 0 RECENT\nb< * 1 EXISTS\nb< * OK [UNSEEN 1] first unseen\nb< * OK [UIDV...\nb< * OK [UIDNEXT 2] next\n"
	    "b< * LIST () \"/\" Inbox\nb< x OK [READ-WRITE] done\n"
	    "b> store 1 +flags.silent \\Flagged\nb< x OK done\n"
	    "a> store 1 +flags \\Seen\na< * 1 FETCH (UID 1 FLAGS (\\Seen \\Flagged))\na< x OK done\n"
	    "a> noop\na< * 1 FETCH (UID 1 FLAGS (\\Seen \\Flagged))\na< x OK done\n"
	    "b> noop\nb< * 1 FETCH (UID 1 FLAGS (\\Seen \\Flagged))\nb< x OK done\n");
}

/* So many changes that the queue gives up: the view is brought up to date all the same. */
TEST(changes_overflow)
{
	struct rig r;
	struct buf b = BUF_ARENA(test_arena(), 1 << 20), want = BUF_ARENA(test_arena(), 1 << 20);
	int n = 250;

	rig_start(&r, 0);
	rig_login(&r, 'b', "mjl");
	buf_addz(&b, "x append inbox");
	for (int i = 0; i < n; i++)
		buf_addz(&b, " {1+}\r\nx");
	buf_addz(&b, "\r\n");
	rig_send(&r, 'b', buf_str(&b));
	rig_login(&r, 'a', "mjl");
	rig_script(&r, "b?\na> select inbox\na?\nb> select inbox\nb?\n");
	for (int i = 0; i <= LIMIT_CHANGES_PENDING / n; i++)
		rig_send(&r, 'b', str_fmt(test_arena(), "x store 1:* flags.silent (k%d)\r\n", i));
	rig_script(&r, "b> uid store 2,4 +flags.silent \\Deleted\nb> expunge\nb! x append inbox {1+}\\r\\nx\\r\\n\nb?\n");
	buf_addz(&want, "a> noop\na< * 2 EXPUNGE\na< * 3 EXPUNGE\na< * 249 EXISTS\n");
	for (int seq = 1; seq < 249; seq++)
		buf_addf(&want, "a< * %d FETCH (UID %d FLAGS (k%d))\n", seq, seq == 1 ? 1 : seq == 2 ? 3 : seq + 2, LIMIT_CHANGES_PENDING / n);
	buf_addz(&want, "a< * 249 FETCH (UID 251 FLAGS ())\na< x OK done\na> noop\na< x OK done\na> create after\na< * LIST ...\na< x OK [MAILBOXID ...] done\n");
	rig_script(&r, str_z(test_arena(), buf_str(&want)));
	rig_stop(&r);
}

/* Every command finds out that its mailbox is gone. */
TEST(mailbox_deleted_by_others)
{
	static const char *const commands[] = { "check", "expunge", "uid expunge 1", "search all", "uid search all", "fetch 1 all", "uid fetch 1 all",
	    "store 1 flags ()", "uid store 1 flags ()", "copy 1 inbox", "uid copy 1 inbox", "move 1 inbox", "uid move 1 inbox" };
	struct rig r;

	rig_start(&r, 0);
	rig_login(&r, 'a', "mjl");
	rig_login(&r, 'b', "mjl");
	for (int close = 0; close < 2; close++) {
		rig_script(&r,
		    "a> create gone\na< * LIST (\\Subscribed) \"/\" gone\na< x OK [MAILBOXID ...] done\n"
		    "a! x append gone (\\Seen) {2+}\\r\\nm1\\r\\n\na< x OK [APPENDUID ... 1] done\n"
		    "a> select gone\n"
		    "a< " FLAGS_LINE ")\na< * OK [PERMANENTFLAGS ...\na< * 0 RECENT\na< * 1 EXISTS\na< * OK [UIDV...\na< * OK [UIDNEXT 2] next\n"
		    "a< * LIST () \"/\" gone\na< x OK [READ-WRITE] done\n"
		    "b> delete gone\nb< * LIST (\\Subscribed) \"/\" gone\nb< x OK done\n");
		/* The first of them tells that the message is gone as well. */
		for (size_t i = 0; i < ARRAY_LEN(commands); i++)
			rig_script(&r, rig_fmt("a> %s\n%sa< x ...\n", commands[i], i == 0 ? "a< * 1 EXPUNGE\n" : ""));
		for (size_t i = 0; i < 6; i++)
			rig_script(&r, rig_fmt("a> %s\na< x NO [NONEXISTENT] the mailbox was deleted\n", commands[i == 3 ? 4 : i == 5 ? 1 : i]));
		rig_script(&r, close ? "a> close\na< x OK done\n" : "a> unselect\na< x OK done\n");
	}
	rig_stop(&r);
}

TEST(limits)
{
	struct rig r;

	rig_start(&r, 0);
	/* Before login 16 KiB in all. */
	rig_script(&r, "a+\na< * OK ...\n");
	rig_send(&r, 'a', str_fmt(test_arena(), "x login %0*d", LIMIT_IMAP_LINE, 0));
	rig_script(&r, "a< * BYE [ALERT] line too long\na$\na+\na< * OK ...\n");
	rig_script(&r,
	    "a> login {4097+}\na< * BYE [ALERT] literal too large\na< x BAD [TOOBIG] literal too large\na$\n"
	    "a+\na< * OK ...\n"
	    "a> login {20000}\na< x BAD [TOOBIG] literal too large\n"
	    "a> noop\na< x OK done\n");
	/* After it a line of 16 KiB, literals of 100 KiB, 1000 KiB in all. */
	rig_login(&r, 'a', "mjl");
	rig_send(&r, 'a', str_fmt(test_arena(), "x subscribe {%d}\r\n", LIMIT_IMAP_LITERAL + 1));
	rig_script(&r, "a< x BAD [TOOBIG] literal too large\n");
	rig_send(&r, 'a', str_fmt(test_arena(), "x subscribe {%d}\r\n", LIMIT_IMAP_LITERAL));
	rig_script(&r, "a< + \n");
	rig_send(&r, 'a', str_fmt(test_arena(), "%0*d\r\n", LIMIT_IMAP_LITERAL, 0));
	rig_script(&r, "a< x NO [CANNOT] ...\n");
	for (int i = 0; i < 10; i++) {
		rig_send(&r, 'a', str_fmt(test_arena(), i == 0 ? "x rename {%d+}\r\n%0*d" : " {%d+}\r\n%0*d", LIMIT_IMAP_LITERAL, LIMIT_IMAP_LITERAL, 0));
	}
	rig_send(&r, 'a', S(" {10000}\r\n"));
	rig_script(&r, "a< x BAD [TOOBIG] literal too large\na> noop\na< x OK done\n");
	rig_send(&r, 'a', str_fmt(test_arena(), "x select %0*d\r\n", LIMIT_IMAP_LINE, 0));
	rig_script(&r, "a< * BYE [ALERT] line too long\na$\n");
	rig_stop(&r);
}

TEST(timeouts_and_stop)
{
	struct rig r;

	rig_start(&r, 0);
	rig_script(&r, "a+\na< * OK ...\n");
	conn_inline_due(r.clients[0].c, CONN_TIMEOUT);
	rig_run(&r);
	rig_script(&r, "a< * BYE inactive\na$\n");
	rig_login(&r, 'b', "mjl");
	rig_script(&r, "b> idle\nb< + idling\n");
	conn_inline_due(r.clients[1].c, CONN_SHUTDOWN);
	rig_run(&r);
	rig_script(&r, "b< * BYE shutting down\nb$\n");
	rig_stop(&r);
}

TEST(id_enable_namespace)
{
	rig_scripts(0,
	    "b+\nb< * OK ...\n"
	    "b> id nil\nb< * ID (\"name\" \"mox\")\nb< x OK done\n"         /* no version before login: rfc/2971:265 */
	    "a> id\na< x BAD ...\n"
	    "a> id nil\na< * ID (\"name\" \"mox\" \"version\" \"1\")\na< x OK done\n"
	    "a> id ()\na< * ID ...\na< x OK done\n"
	    "a> id (\"name\" \"rig\" \"version\" nil)\na< * ID ...\na< x OK done\n"
	    "a> id (\"name\" \"rig\" \"NAME\" \"x\")\na< x BAD ...\n"
	    "a> id (\"name\")\na< x BAD ...\n"
	    "a> id nil x\na< x BAD ...\n"
	    "a> namespace x\na< x BAD ...\n"
	    "a> namespace\na< * NAMESPACE ((\"\" \"/\")) NIL NIL\na< x OK done\n"  /* rfc/9051:3098 */
	    "a> enable\na< x BAD ...\n"
	    "a> enable  x\na< x BAD ...\n"
	    "a> enable bogus imap4rev1\na< * ENABLED\na< x OK done\n"             /* rfc/9051:1652 */
	    "a> enable Utf8=Accept\na< * ENABLED Utf8=Accept\na< x OK done\n"
	    "a> enable qresync\na< * ENABLED qresync CONDSTORE\na< x OK done\n"
	    "a> enable condstore qresync\na< * ENABLED condstore qresync\na< x OK done\n"
	    "b=caps\n"
	    "b> capability\nb< * CAPABILITY IMAP4rev2 ... ID QRESYNC ...\nb< x OK done\n"  /* CONDSTORE is disabled for the account */
	    "b> enable condstore imap4rev2\nb< * ENABLED imap4rev2\nb< x OK done\n");
}
