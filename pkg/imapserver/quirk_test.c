/* SPDX-License-Identifier: MIT */
/*
 * What clients in the wild do (client-quirks.md, RFC 2683), as the commands they send: what must be seen by them. And
 * attacks of this field (attack-classes.md) that an IMAP server has met.
 */
#include "imapserver/rig_test.h"

#define SELECTED(c, exists, unseen) \
	c "< * FLAGS ...\n" c "< * OK [PERMANENTFLAGS ...\n" c "< * 0 RECENT\n" c "< * " exists " EXISTS\n" unseen \
	c "< * OK [UIDV...\n" c "< * OK [UIDN...\n" c "< * LIST ...\n" c "< x OK [READ-WRITE] done\n"

/*
 * Apple Mail takes special uses only from what a plain LIST shows, unasked; and never ends when an extended LIST has
 * other names than it asked for. rfc/6154:154 lets a server send them always.
 */
TEST(quirk_apple_special_use)
{
	rig_scripts(0,
	    "a> list \"\" \"*\"\na< * LIST (\\Archive) \"/\" Archive\na< * LIST (\\Drafts) \"/\" Drafts\n"
	    "a< * LIST () \"/\" Inbox\n"
	    "a< * LIST (\\Junk) \"/\" Junk\na< * LIST (\\Sent) \"/\" Sent\na< * LIST (\\Trash) \"/\" Trash\n"
	    "a< x OK done\n"
	    "a> list \"\" \"*\" return (special-use)\na< * LIST (\\Archive) \"/\" Archive\n"
	    "a< * LIST (\\Drafts) \"/\" Drafts\na< * LIST () \"/\" Inbox\n"
	    "a< * LIST (\\Junk) \"/\" Junk\na< * LIST (\\Sent) \"/\" Sent\na< * LIST (\\Trash) \"/\" Trash\n"
	    "a< x OK done\n"
	    "a> list \"\" (\"*\") return (special-use subscribed children)\n"
	    "a< * LIST (\\HasNoChildren \\Subscribed \\Archive) \"/\" Archive\n"
	    "a< * LIST ...\na< * LIST (\\HasNoChildren \\Subscribed) \"/\" Inbox\na< * LIST ...\na< * LIST ...\n"
	    "a< * LIST ...\na< x OK done\n"
	    "a> list (special-use) \"\" \"%\"\na< * LIST (\\Archive) ...\na< * LIST (\\Drafts) ...\n"
	    "a< * LIST (\\Junk) ...\na< * LIST (\\Sent) ...\n"
	    "a< * LIST (\\Trash) ...\na< x OK done\n");
}

/* Apple Mail fills an inbox by UID FETCH of ranges that end beyond the last message, and must get each message once. */
TEST(quirk_apple_first_sync)
{
	struct rig r;

	rig_start(&r, 0);
	for (int i = 0; i < 3; i++)
		rig_append(&r, "mjl", "inbox", "", str_of(rig_message));
	rig_script(&r,
	    "a=mjl\na> select INBOX (CONDSTORE)\na< * FLAGS ...\na< * OK [PERM...\na< * 0 RECENT\na< * 3 EXISTS\n"
	    "a< * OK [UNSEEN 1] first unseen\n"
	    "a< * OK [UIDV...\na< * OK [UIDN...\na< * LIST ...\na< * OK [HIGHESTMODSEQ ...\na< x OK [READ-WRITE] done\n"
	    "a> UID FETCH 1:4294967295 (FLAGS UID)\na< * 1 FETCH (UID 1 FLAGS ())\na< * 2 FETCH (UID 2 FLAGS ())\n"
	    "a< * 3 FETCH (UID 3 FLAGS ())\na< x OK done\n"
	    "a> FETCH 1:3 (INTERNALDATE UID RFC822.SIZE FLAGS BODY.PEEK[HEADER.FIELDS (date)])\n"
	    "a< * 1 FETCH (UID 1 INTERNALDATE ... RFC822.SIZE 451 BODY[HEADER.FIELDS (Date)] {40}\na< Date: ...\n"
	    "a< \na<  FLAGS ())\n"
	    "a< * 2 FETCH ...\na< Date: ...\na< \na<  FLAGS ())\na< * 3 FETCH ...\na< Date: ...\na< \na<  FLAGS ())\n"
	    "a< x OK done\n"
	    /* A range beyond the last message is the last message, with "*" only (rfc/9051:7029). */
	    "a> UID FETCH 4:* (FLAGS)\na< * 3 FETCH (UID 3 FLAGS ())\na< x OK done\n"
	    "a> UID FETCH 4:4294967295 (FLAGS)\na< x OK done\n");
	rig_stop(&r);
}

/* Apple Mail takes a MOVE without COPYUID for one that moved nothing, and shows the message again: rfc/6851:254 */
TEST(quirk_apple_move)
{
	rig_scripts(0,
	    "a! x append inbox {2+}\\r\\nm1\\r\\n\na< x OK [APPENDUID ... 1] done\n"
	    "a> select inbox\n" SELECTED("a", "1", "a< * OK [UNSEEN 1] first unseen\n")
	    "b=mjl\nb> select inbox\n" SELECTED("b", "1", "b< * OK [UNSEEN 1] first unseen\n")
	    "a> UID MOVE 1 \"Trash\"\na< * OK [COPYUID ... 1 1] moved\na< * 1 EXPUNGE\na< x OK done\n"
	    "a> UID SEARCH ALL\na< * SEARCH\na< x OK done\n"
	    "b> noop\nb< * 1 EXPUNGE\nb< x OK done\n"
	    "a> status Trash (messages)\na< * STATUS Trash (MESSAGES 1)\na< x OK done\n"
	    "a> UID MOVE 1 \"Trash\"\na< x OK done\n");
}

/* Gmail's app shows an image as text unless BODYSTRUCTURE has its disposition: rfc/9051:6075 */
TEST(quirk_gmail_disposition)
{
	struct rig r;

	rig_start(&r, 0);
	rig_append(&r, "mjl", "inbox", "", S(
	    "Subject: image\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n"
	    "Content-Type: text/plain\r\n\r\nsee\r\n"
	    "--b\r\nContent-Type: image/png\r\nContent-Transfer-Encoding: base64\r\nContent-Disposition: inline\r\n"
	    "\r\nAAAA\r\n"
	    "--b\r\nContent-Type: image/png\r\nContent-Disposition: attachment; filename=\"gr\xc3\xbc.png\"\r\n\r\n"
	    "x\r\n--b--\r\n"));
	rig_script(&r,
	    "a=mjl\na> select inbox\n" SELECTED("a", "1", "a< * OK [UNSEEN 1] first unseen\n")
	    /*
	     * A client that did not enable UTF-8 gets a name beyond ASCII in the form of RFC 2231: raw in quotes it
	     * breaks old ones.
	     */
	    "a> UID FETCH 1 (BODYSTRUCTURE)\n"
	    "a< * 1 FETCH (UID 1 BODYSTRUCTURE ((\"TEXT\" \"PLAIN\" ... NIL NIL NIL NIL)(\"IMAGE\" \"PNG\" NIL NIL "
	    "NIL \"BASE64\" 4 NIL (\"inline\" NIL) NIL NIL)"
	    "(\"IMAGE\" \"PNG\" ... NIL (\"attachment\" (\"filename*\" \"utf-8''gr%C3%BC.png\")) NIL NIL) \"MIXED\" "
	    "(\"BOUNDARY\" \"b\") NIL NIL NIL))\na< x OK done\n"
	    "a> enable utf8=accept\na< * ENABLED utf8=accept\na< x OK done\n"
	    "a> UID FETCH 1 (BODYSTRUCTURE)\n"
	    "a< * 1 FETCH (UID 1 BODYSTRUCTURE (...(\"attachment\" (\"filename\" \"gr\xc3\xbc.png\"))...\n"
	    "a< x OK done\n");
	rig_stop(&r);
}

/*
 * Thunderbird enables UTF8=ACCEPT, then talks of mailboxes in UTF-8; it marks messages \Deleted and does not expunge.
 */
TEST(quirk_thunderbird)
{
	rig_scripts(0,
	    "a> ID (\"name\" \"Thunderbird\" \"version\" \"128.5.2\")\na< * ID (\"name\" \"mox\" ...)\na< x OK done\n"
	    "a> ENABLE UTF8=ACCEPT\na< * ENABLED UTF8=ACCEPT\na< x OK done\n"
	    "a> create \"Entw\xc3\xbcrfe\"\na< * LIST (\\Subscribed) \"/\" \"Entw\xc3\xbcrfe\"\na< x OK [MAILBOXID ...] done\n"
	    "a> list (subscribed) \"\" \"Ent*\" return (special-use)\n"
	    "a< * LIST (\\Subscribed) \"/\" \"Entw\xc3\xbcrfe\"\na< x OK done\n"
	    "b=mjl\nb> lsub \"\" \"Ent*\"\nb< * LSUB () \"/\" Entw&APw-rfe\nb< x OK done\n"
	    "a! x append inbox (\\Seen) {2+}\\r\\nm1\\r\\n\na< x OK [APPENDUID ... 1] done\n"
	    "a> select \"INBOX\"\n" SELECTED("a", "1", "")
	    "a> getquotaroot \"INBOX\"\na< x ...\n"                 /* whatever the answer, the session goes on */
	    "a? \n"
	    "a> UID STORE 1 +Flags (\\Deleted \\Seen)\na< * 1 FETCH (UID 1 FLAGS (\\Seen \\Deleted))\na< x OK done\n"
	    "a> UID SEARCH UNDELETED\na< * SEARCH\na< x OK done\n"
	    /* Still there, for this client and others: rfc/9051:3687 */
	    "a> noop\na< x OK done\na> UID FETCH 1:* (FLAGS)\na< * 1 FETCH (UID 1 FLAGS (\\Seen \\Deleted))\n"
	    "a< x OK done\n"
	    "b> status INBOX (messages unseen)\nb< * STATUS Inbox (MESSAGES 1 UNSEEN 0)\nb< x OK done\n"
	    "a> unselect\na< x OK done\nb> status INBOX (messages)\nb< * STATUS Inbox (MESSAGES 1)\nb< x OK done\n");
}

/* Roundcube and FairEmail write INBOX in their own case, also as the parent of other names: rfc/9051:959 */
TEST(quirk_inbox_case)
{
	static const char *const names[] = { "INBOX", "inbox", "Inbox", "iNbOx", "\"INBOX\"", "\"inBox\"" };
	struct rig r;

	rig_start(&r, 0);
	rig_script(&r, "a=mjl\na> create INBOX/Work\na< * LIST (\\Subscribed) \"/\" Inbox/Work\na< x OK [MAILBOXID ...] done\n");
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		rig_script(&r, rig_fmt(
		    "a> status %s (messages)\na< * STATUS Inbox (MESSAGES 0)\na< x OK done\n"
		    "a> list \"\" %s\na< * LIST () \"/\" Inbox\na< x OK done\n"
		    "a> subscribe %s\na< x OK done\n"
		    "a> create %s\na< x NO not possible for Inbox\n"
		    "a> delete %s\na< x NO not possible for Inbox\n", names[i], names[i], names[i], names[i],
		    names[i]));
		struct str bare = str_starts(str_of(names[i]), S("\"")) ? str_n(names[i] + 1, 5) : str_of(names[i]);
		rig_script(&r, rig_fmt("a> status \"" STRF "/Work\" (messages)\na< * STATUS Inbox/Work (MESSAGES 0)\n"
		    "a< x OK done\n", STRA(bare)));
	}
	rig_stop(&r);
}

/*
 * Outlook logs in with quoted strings and pipelines nothing; it lists with LSUB and LIST "" "", and polls with NOOP
 * and IDLE in turn.
 */
TEST(quirk_outlook)
{
	struct rig r;

	rig_start(&r, RIG_PASSWORDS);
	rig_script(&r,
	    "a+\na< * OK ...\n"
	    "a> CAPABILITY\na< * CAPABILITY ...\na< x OK done\n"
	    "a> LOGIN \"mjl@mox.example\" \"testtest1\"\na< x OK ...\n"
	    "a> ID (\"name\" \"Microsoft.Exchange.Imap4.Imap4Server\" \"version\" \"15.20.1.1\")\na< * ID ...\n"
	    "a< x OK done\n"
	    "a> NAMESPACE\na< * NAMESPACE ((\"\" \"/\")) NIL NIL\na< x OK done\n"
	    "a> LIST \"\" \"\"\na< * LIST () \"/\" \"\"\na< x OK done\n"
	    "a> LSUB \"\" \"*\"\na< * LSUB () \"/\" Archive\na< * LSUB () \"/\" Drafts\na< * LSUB () \"/\" Inbox\n"
	    "a< * LSUB ...\na< * LSUB ...\na< * LSUB ...\na< * LSUB () \"/\" expungebox\na< x OK done\n"
	    "a> SELECT \"INBOX\"\n" SELECTED("a", "0", "")
	    "a> UID FETCH 1:* (UID FLAGS)\na< x OK done\n"
	    "a> IDLE\na< + idling\n"
	    "b=mjl\nb! x append inbox {2+}\\r\\nm1\\r\\n\nb< x OK ...\n"
	    "a< * 1 EXISTS\na< * 1 FETCH (UID 1 FLAGS ())\n"
	    "a! DONE\\r\\n\na< x OK done\n"
	    "a> NOOP\na< x OK done\n");
	rig_stop(&r);
}

/*
 * K-9 and FairEmail ask for structure and previews in one FETCH, of sets in any order; each message is answered once,
 * ascending.
 */
TEST(quirk_k9)
{
	struct rig r;

	rig_start(&r, 0);
	for (int i = 0; i < 3; i++)
		rig_append(&r, "mjl", "inbox", "", S("Subject: s\r\n\r\nm\r\n"));
	rig_script(&r,
	    "a=mjl\na> SELECT \"INBOX\"\n" SELECTED("a", "3", "a< * OK [UNSEEN 1] first unseen\n")
	    "a> UID SEARCH 1:* NOT DELETED\na< * SEARCH 1 2 3\na< x OK done\n"
	    "a> UID FETCH 3,1,2,3 (UID FLAGS BODYSTRUCTURE BODY.PEEK[HEADER.FIELDS (Subject reply-to)])\n"
	    "a< * 1 FETCH (UID 1 BODYSTRUCTURE (\"TEXT\" \"PLAIN\" ...) BODY[HEADER.FIELDS (Subject Reply-To)] {14}\n"
	    "a< Subject: s\na< \na<  FLAGS ())\n"
	    "a< * 2 FETCH (UID 2 ...\na< Subject: s\na< \na<  FLAGS ())\na< * 3 FETCH (UID 3 ...\na< Subject: s\n"
	    "a< \na<  FLAGS ())\na< x OK done\n"
	    "a> UID FETCH 2 (BODY.PEEK[TEXT]<0.2048>)\na< * 2 FETCH (UID 2 BODY[TEXT]<0> {3}\na< m\na< )\n"
	    "a< x OK done\n"
	    "a> UID COPY 1:3 \"Archive\"\na< x OK [COPYUID ... 1:3 1:3] done\n"
	    "a> UID STORE 1:3 +FLAGS.SILENT (\\Deleted)\na< x OK done\n"
	    "a> UID EXPUNGE 1:3\na< * 1 EXPUNGE\na< * 1 EXPUNGE\na< * 1 EXPUNGE\na< x OK done\n");
	rig_stop(&r);
}

/* A client that is told ALREADYEXISTS for a COPY tries again for ever: a second copy is simply made (rfc/9051:4602). */
TEST(quirk_copy_twice)
{
	rig_scripts(0,
	    "a! x append inbox {2+}\\r\\nm1\\r\\n\na< x OK ...\n"
	    "a> select inbox\n" SELECTED("a", "1", "a< * OK [UNSEEN 1] first unseen\n")
	    "a> copy 1 Archive\na< x OK [COPYUID ... 1 1] done\na> copy 1 Archive\na< x OK [COPYUID ... 1 2] done\n");
}

/* Advice of RFC 2683. */
TEST(quirk_rfc2683)
{
	rig_scripts(0,
	    "a! x append inbox {2+}\\r\\nm1 {2+}\\r\\nm2\\r\\n\na< x OK ...\n"
	    /* STATUS of the selected mailbox, as some clients poll: rfc/2683:108 */
	    "a> select inbox\n" SELECTED("a", "2", "a< * OK [UNSEEN 1] first unseen\n")
	    "a> status inbox (messages uidnext)\na< * STATUS Inbox (MESSAGES 2 UIDNEXT 3)\na< x OK done\n"
	    /* Literals where a string may stand: rfc/2683:645 */
	    "a! x status {5}\\r\\n\na< + \na! inbox (messages)\\r\\n\na< * STATUS Inbox (MESSAGES 2)\na< x OK done\n"
	    "a! x search header {7+}\\r\\nsubject {0+}\\r\\n\\r\\n\na< * SEARCH\na< x OK done\n"
	    /* No ambiguity: FETCH of several items, the answer of one message is one response: rfc/2683:293 */
	    "a> fetch 1:2 (flags uid rfc822.size)\na< * 1 FETCH (UID 1 RFC822.SIZE 2 FLAGS ())\n"
	    "a< * 2 FETCH (UID 2 RFC822.SIZE 2 FLAGS ())\na< x OK done\n"
	    /* Commands that arrive together are answered one after the other: rfc/9051:1121 */
	    "a! 1 noop\\r\\n2 uid search all\\r\\n3 check\\r\\n\na< 1 OK done\na< * SEARCH 1 2\na< 2 OK done\n"
	    "a< 3 OK done\n"
	    /* LF alone, as scripts send it */
	    "a! 4 noop\\n\na< 4 OK done\n");
}

/* --- attacks --- */

/*
 * What a plaintext attacker puts behind STARTTLS is discarded, in each form; also a tagged response of before does
 * not count.
 */
TEST(attack_starttls_injection)
{
	static const char *const injected[] = {
		"x starttls\\r\\ny noop\\r\\n", "x starttls\\r\\ny login mjl@mox.example testtest1\\r\\n",
		"x starttls\\ny noop\\r\\n",
		"x starttls\\r\\ny login {15}\\r\\n", "x starttls\\r\\ny authenticate plain\\r\\nAAAA\\r\\n",
	};
	struct rig r;

	rig_start(&r, RIG_PASSWORDS | RIG_TLS);
	for (size_t i = 0; i < ARRAY_LEN(injected); i++) {
		rig_script(&r, rig_fmt("a+\na< * OK ...\na! %s\na< x OK begin TLS ...\na~\n"
		    /* Nothing of it was run, and the session is new: rfc/9051:1356 */
		    "a> select inbox\na< x NO log in first\na> login mjl@mox.example testtest1\n"
		    "a< x OK ...\n", injected[i]));
	}
	/* Logged in before STARTTLS: not possible any more. */
	rig_script(&r, "a+\na< * OK ...\na> login mjl@mox.example testtest1\na< x OK ...\na> starttls\n"
	    "a< x NO already logged in\n");
	rig_stop(&r);
}

/* Cross-protocol: a browser or mail transfer client that ended up here is sent away at its first line. */
TEST(attack_cross_protocol)
{
	static const char *const first[] = {
		"GET / HTTP/1.1\\r\\nHost: x\\r\\n", "POST /imap HTTP/1.1\\r\\n", "EHLO example.org\\r\\n",
		"HEAD /x login y z HTTP/1.1\\r\\n", "PRI * HTTP/2.0\\r\\n",
		"USER joe\\r\\n", "\\0\\r\\n",
	};
	struct rig r;

	rig_start(&r, 0);
	for (size_t i = 0; i < ARRAY_LEN(first); i++)
		rig_script(&r, rig_fmt("a+\na< * OK ...\na! %s\na< * BYE this is an IMAP server\na< ... BAD ...\n"
		    "a$\n", first[i]));
	rig_stop(&r);
}

/*
 * Many literals, or deep parentheses: one budget for a command, and before login hardly any (CVE-2024-34055,
 * CVE-2026-27857).
 */
TEST(attack_parser_memory)
{
	struct rig r;

	rig_start(&r, 0);
	rig_script(&r, "a+\na< * OK ...\n");
	rig_send(&r, 'a', str_fmt(test_arena(), "x login %.*s", 15000, str_z(test_arena(), str_fmt(test_arena(),
	    "%015000d", 0))));
	rig_send(&r, 'a', S(" {4000}\r\n"));
	rig_script(&r, "a< x BAD [TOOBIG] literal too large\n");
	struct buf deep = BUF_ARENA(test_arena(), 1 << 20);
	buf_addz(&deep, "x search ");
	for (int i = 0; i < LIMIT_IMAP_DEPTH + 1; i++)
		buf_addc(&deep, '(');
	buf_addz(&deep, "all\r\n");
	rig_login(&r, 'a', "mjl");
	rig_script(&r, "a> select inbox\n" SELECTED("a", "0", ""));
	rig_send(&r, 'a', buf_str(&deep));
	rig_script(&r, "a< x BAD ...\n");
	buf_reset(&deep);
	buf_addz(&deep, "x search");
	for (int i = 0; i < 2000; i++)
		buf_addz(&deep, " not");
	buf_addz(&deep, " all\r\n");
	rig_send(&r, 'a', buf_str(&deep));
	rig_script(&r, "a< x BAD ...\na> noop\na< x OK done\n");
	rig_stop(&r);
}

/* Bad base64 in one login must not matter to another (CVE-2025-59028); nor does an aborted one. */
TEST(attack_sasl)
{
	struct rig r;

	rig_start(&r, RIG_PASSWORDS);
	rig_script(&r,
	    "a+\na< * OK ...\nb+\nb< * OK ...\n"
	    "a> authenticate plain\na< + \nb> authenticate scram-sha-256\nb< + \n"
	    "a! AAA!\\r\\n\na< x BAD malformed base64\n"
	    "b! =====\\r\\n\nb< x BAD malformed base64\n"
	    "b> authenticate plain\nb< + \n"
	    "a> login mjl@mox.example testtest1\na< x OK ...\n"
	    "b! AG1qbEBtb3guZXhhbXBsZQB0ZXN0dGVzdDE=\\r\\n\nb< x OK ...\n");
	rig_stop(&r);
}

/* Names and searches with the metacharacters of SQL and of patterns are data. */
TEST(attack_injection)
{
	rig_scripts(0,
	    "a> create \"x' or '1'='1\"\na< * LIST (\\Subscribed) \"/\" \"x' or '1'='1\"\na< x OK [MAILBOXID ...] done\n"
	    "a> status \"y' or '1'='1\" (messages)\na< x NO [NONEXISTENT] no such mailbox\n"
	    "a> create \"a%_b\"\na< * LIST ...\na< x OK [MAILBOXID ...] done\n"
	    "a> list \"\" \"a%_b\"\na< * LIST () \"/\" \"a%_b\"\na< x OK done\n"
	    "a! x append inbox (k';drop) {2+}\\r\\nm1\\r\\n\na< x OK ...\n"
	    "a> select inbox\na< * FLAGS (... k';drop)\na< * OK [PERM...\na< * 0 RECENT\na< * 1 EXISTS\n"
	    "a< * OK [UNSEEN...\na< * OK [U...\na< * OK [U...\na< * LIST ...\na< x OK ...\n"
	    "a> search text \"' or 1=1 --\"\na< * SEARCH\na< x OK done\n"
	    "a> search keyword k';drop\na< * SEARCH 1\na< x OK done\n"
	    "a> search header \"x' or '1\" \"%\"\na< * SEARCH\na< x OK done\n");
}

/* A message cannot write responses: line ends in its header stay within strings, and those of names are refused. */
TEST(attack_response_injection)
{
	struct rig r;

	rig_start(&r, 0);
	rig_append(&r, "mjl", "inbox", "", S(
	    "Subject: =?utf-8?q?a=0D=0Ax_OK_done=0D=0A*_BYE?=\r\nFrom: =?utf-8?q?=22=0D=0A=5C?= <a\"b@x.example>\r\n"
	    "Content-Type: text/plain; name*=utf-8''a%0D%0A%22b\r\nContent-Id: <a\rb>\r\n\r\nbody\r\n"));
	rig_login(&r, 'a', "mjl");
	rig_send(&r, 'a', S("x select inbox\r\n"));
	buf_reset(&r.clients[0].in);
	rig_send(&r, 'a', S("x fetch 1 (envelope bodystructure preview)\r\n"));
	struct str in = buf_str(&r.clients[0].in);
	/* Octets of literals taken away, there is one line of data and one of the result. */
	size_t lines = 0;
	while (in.n > 0) {
		ssize_t lf = str_find(in, '\n');
		assert_true(lf > 0);
		struct str line = str_upto(in, (size_t)lf);
		in = str_from(in, (size_t)lf + 1);
		assert_true(str_ends(line, S("\r")));
		line.n--;
		ssize_t brace = -1;
		for (size_t i = 0; i < line.n; i++)
			if (line.p[i] == '{')
				brace = (ssize_t)i;
		uint64_t octets;
		if (brace >= 0 && str_ends(line, S("}")) && str_u64(str_n(line.p + brace + 1, line.n - (size_t)brace
		    - 2), &octets) == 0)
			in = str_from(in, (size_t)octets);
		else
			lines++;
	}
	assert_int_equal(lines, 2);
	buf_reset(&r.clients[0].in);
	rig_script(&r, "a! x create {9+}\\r\\na\\r\\n* BYE\\0\\r\\n\na< x BAD ...\n"
	    "a! x create {8+}\\r\\na\\r\\n* BYE\\r\\n\na< x NO [CANNOT] ...\n");
	rig_stop(&r);
}
