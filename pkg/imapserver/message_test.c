/* SPDX-License-Identifier: MIT */
/* APPEND, FETCH, STORE, EXPUNGE, COPY, MOVE. */
#include "imapserver/rig_test.h"

#define SELECT(client, name, exists) \
	client "> select " name "\n" client "< * FLAGS ...\n" client "< * OK [PERMANENTFLAGS ...\n" client "< * 0 RECENT\n" client "< * " exists " EXISTS\n" \
	client "< * OK [U...\n" client "< * OK [U...\n" client "< * LIST ...\n" client "< x OK [READ-WRITE] done\n"
#define SELECT_UNSEEN(client, name, exists, unseen) \
	client "> select " name "\n" client "< * FLAGS ...\n" client "< * OK [PERMANENTFLAGS ...\n" client "< * 0 RECENT\n" client "< * " exists " EXISTS\n" \
	client "< * OK [UNSEEN " unseen "] first unseen\n" client "< * OK [U...\n" client "< * OK [U...\n" client "< * LIST ...\n" client "< x OK [READ-WRITE] done\n"
/* n messages of two octets in a row */
#define APPEND(client, name, literals, uids) client "! x append " name literals "\\r\\n\n" client "< x OK [APPENDUID ... " uids "] done\n"
#define M1 " {2+}\\r\\nm1"
#define M2 " {2+}\\r\\nm2"
#define M3 " {2+}\\r\\nm3"

TEST(append)
{
	rig_scripts(0,
	    "b=mjl\n" SELECT("b", "inbox", "0")
	    "c=mjl\n"
	    "a> append\na< x BAD ...\n"
	    "a> append inbox\na< x BAD ...\n"
	    "a> append inbox \"quoted\"\na< x BAD ...\n"
	    "a> append inbox (\\Seen)\na< x BAD ...\n"
	    /* The mailbox is looked at before the client is asked for the octets: rfc/9051:3452 */
	    "a> append nobox {2}\na< x NO [TRYCREATE] no such mailbox\n"
	    "a> append expungebox {2}\na< x NO [TRYCREATE] no such mailbox\n"
	    "a> append inbox {2}\na< + \na! hi\\r\\n\na< x OK [APPENDUID ... 1] done\n"
	    "b> noop\nb< * 1 EXISTS\nb< * 1 FETCH (UID 1 FLAGS ())\nb< x OK done\n"
	    "c> noop\nc< x OK done\n"
	    SELECT_UNSEEN("a", "inbox", "1", "1")
	    "a! x append inbox (\\Seen Label1 $label2) \" 1-Jan-2022 10:10:00 +0100\" {1+}\\r\\nx\\r\\n\n"
	    "a< * 2 EXISTS\n"
	    "a< x OK [APPENDUID ... 2] done\n"
	    "b> noop\nb< * 2 EXISTS\nb< * 2 FETCH (UID 2 FLAGS (\\Seen $label2 label1))\nb< x OK done\n"
	    "a> fetch 2 internaldate\na< * 2 FETCH (UID 2 INTERNALDATE \" 1-Jan-2022 10:10:00 +0100\")\na< x OK done\n"
	    /* Without waiting: what cannot be appended is read and dropped. */
	    "a! x append nobox {2+}\\r\\nhi\\r\\n\na< x NO [TRYCREATE] no such mailbox\n"
	    "a! x append inbox {0+}\\r\\n\\r\\n\na< x NO empty message: nothing is appended\n"         /* rfc/3502:140 */
	    "a> append inbox {0}\na< x NO empty message: nothing is appended\n"
	    "a! x append {5+}\\r\\ninbox {2+}\\r\\nhi\\r\\n\na< * 3 EXISTS\na< x OK [APPENDUID ... 3] done\n"
	    "a! x append inbox utf8 (~{2+}\\r\\nhi)\\r\\n\na< * 4 EXISTS\na< x OK [APPENDUID ... 4] done\n"  /* rfc/6855:219 */
	    "a! x append inbox ~{3+}\\r\\nh\\0i\\r\\n\na< * 5 EXISTS\na< x OK [APPENDUID ... 5] done\n"      /* rfc/3516 */
	    "a> fetch 5 rfc822.size\na< * 5 FETCH (UID 5 RFC822.SIZE 3)\na< x OK done\n"
	    "b> noop\nb< * 5 EXISTS\nb< * 3 FETCH ...\nb< * 4 FETCH ...\nb< * 5 FETCH ...\nb< x OK done\n");
}

/* The connection cannot go on when octets follow a command that was not understood. */
TEST(append_bad)
{
	static const char *const bad[] = {
		"x append inbox (\\Recent) {2+}\\r\\n", "x append inbox (\\Bogus) {2+}\\r\\n", "x append inbox \"bad date\" {2+}\\r\\n",
		"x append inbox \"32-Jan-2022 10:10:00 +0100\" {2+}\\r\\n", "x append inbox bogus {2+}\\r\\n", "x append inbox utf8 ({2+}\\r\\n",
		"x append inbox {99999999999999999999+}\\r\\n", "x append  {2+}\\r\\n",
	};
	struct rig r;

	rig_start(&r, 0);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		rig_script(&r, rig_fmt("a=mjl\na! %s\na< x BAD ...\na$\n", bad[i]));
	rig_script(&r,
	    "a=mjl\n"
	    "a> append inbox (\\Bogus) {2}\na< x BAD ...\n"               /* with a client that waits it can */
	    "a! x append inbox {2+}\\r\\nhix\\r\\n\na< x BAD ...\n"
	    "a! x append inbox utf8 (~{2+}\\r\\nhi\\r\\n\na< x BAD ...\n"
	    "a! x append inbox {2+}\\r\\nhi {2+}\\r\\nhi bogus\\r\\n\na< x BAD ...\n"
	    "a> status inbox (messages)\na< * STATUS Inbox (MESSAGES 0)\na< x OK done\n");
	rig_stop(&r);
}

TEST(multiappend)
{
	rig_scripts(0,
	    SELECT("a", "inbox", "0")
	    "a! x append inbox (a) {2+}\\r\\nm1 (b) \"01-Jan-2022 10:10:00 +0100\" ~{2+}\\r\\nm2\\r\\n\n"    /* rfc/3502:220 */
	    "a< * 2 EXISTS\na< x OK [APPENDUID ... 1:2] done\n"
	    "a! x append inbox {2}\\r\\n\na< + \na! m1 (c) {2}\\r\\n\na< + \na! m2\\r\\n\n"
	    "a< * 4 EXISTS\na< x OK [APPENDUID ... 3:4] done\n"
	    "a! x append inbox {2+}\\r\\nm1 {0+}\\r\\n\\r\\n\na< x NO empty message: nothing is appended\n"       /* all or nothing */
	    "a! x append inbox {2+}\\r\\nm1 {0}\\r\\n\na< x NO empty message: nothing is appended\n"
	    "a> fetch 1:* flags\n"
	    "a< * 1 FETCH (UID 1 FLAGS (a))\na< * 2 FETCH (UID 2 FLAGS (b))\na< * 3 FETCH (UID 3 FLAGS ())\na< * 4 FETCH (UID 4 FLAGS (c))\na< x OK done\n");
}

TEST(append_quota)
{
	struct rig r;

	rig_start(&r, 0);
	/* 500 octets. */
	rig_script(&r,
	    "a=limit\n" SELECT("a", "inbox", "0")
	    "a> append inbox {501}\na< x NO [OVERQUOTA] over quota\n"
	    "a> append inbox {500}\na< + \n");
	rig_send(&r, 'a', str_fmt(test_arena(), "%0500d\r\n", 0));
	rig_script(&r, "a< * 1 EXISTS\na< x OK [APPENDUID ... 1] done\na> append inbox {1}\na< x NO [OVERQUOTA] over quota\n"
	    "a! x append inbox {1+}\\r\\nx\\r\\n\na< x NO [OVERQUOTA] over quota\n"
	    "a> append nobox {1}\na< x NO [TRYCREATE] no such mailbox\n"
	    "a> copy 1 trash\na< x NO [TRYCREATE] ...\n"
	    "a> copy 1 Trash\na< x NO [OVERQUOTA] over quota\n"
	    "a> move 1 Trash\na< * OK [COPYUID ... 1 1] moved\na< * 1 EXPUNGE\na< x OK done\n"              /* moving costs nothing */
	    "a> close\na< x OK done\n" SELECT_UNSEEN("a", "Trash", "1", "1"));
	rig_stop(&r);
}

TEST(append_quota_multi)
{
	struct rig r;

	rig_start(&r, 0);
	rig_script(&r, "a=limit\na! x append inbox {300+}\\r\\n\n");
	rig_send(&r, 'a', str_fmt(test_arena(), "%0300d {300}\r\n", 0));
	rig_script(&r, "a< x NO [OVERQUOTA] over quota\na! x append inbox {300+}\\r\\n\n");
	rig_send(&r, 'a', str_fmt(test_arena(), "%0300d {300+}\r\n%0300d\r\n", 0, 0));
	rig_script(&r, "a< x NO [OVERQUOTA] over quota\na> status inbox (messages)\na< * STATUS Inbox (MESSAGES 0)\na< x OK done\n");
	rig_stop(&r);
}

/* Changes that are pending for the selected mailbox are told before the own message, also when that goes elsewhere. */
TEST(append_with_changes_pending)
{
	rig_scripts(0,
	    APPEND("a", "inbox", M1 M2, "1:2")
	    SELECT_UNSEEN("a", "inbox", "2", "1")
	    "b=mjl\n" SELECT_UNSEEN("b", "inbox", "2", "1")
	    "b> store 1 +flags.silent \\Deleted\nb< x OK done\nb> expunge\nb< * 1 EXPUNGE\nb< x OK done\n"
	    "b! x append inbox {2+}\\r\\nm3\\r\\n\nb< * 2 EXISTS\nb< x OK [APPENDUID ... 3] done\n"
	    "a! x append inbox {2+}\\r\\nm4\\r\\n\n"
	    "a< * 1 FETCH (UID 1 FLAGS (\\Deleted))\na< * 1 EXPUNGE\na< * 2 EXISTS\na< * 2 FETCH (UID 3 FLAGS ())\n"
	    "a< * 3 EXISTS\na< x OK [APPENDUID ... 4] done\n"
	    "b! x append inbox {2+}\\r\\nm5\\r\\n\n"
	    "b< * 3 EXISTS\nb< * 3 FETCH (UID 4 FLAGS ())\nb< * 4 EXISTS\nb< x OK [APPENDUID ... 5] done\n"
	    "a! x append Sent {2+}\\r\\nm6\\r\\n\na< * 4 EXISTS\na< * 4 FETCH (UID 5 FLAGS ())\na< x OK [APPENDUID ... 1] done\n");
}

TEST(fetch_items)
{
	struct rig r;

	for (unsigned bytes = 0; bytes <= RIG_BYTES; bytes += RIG_BYTES) {
		rig_start(&r, bytes);
		rig_append(&r, "mjl", "inbox", "\\Flagged", str_of(rig_message));
		rig_login(&r, 'a', "mjl");
		rig_script(&r,
		    SELECT_UNSEEN("a", "inbox", "1", "1")
		    "a> fetch 1 all\n"                                          /* rfc/9051:4356 */
		    "a< * 1 FETCH (UID 1 INTERNALDATE \" 1-Jan-2024 10:00:00 +0100\" RFC822.SIZE 451 ENVELOPE (\"Mon, 1 Jan 2024 10:00:00 +0100\" "
		    "\"test =?utf-8?q?=E2=98=BA?=\" ((\"Joe\" NIL \"joe\" \"mox.example\")) ((\"Joe\" NIL \"joe\" \"mox.example\")) "
		    "((\"Joe\" NIL \"joe\" \"mox.example\")) ((NIL NIL \"mjl\" \"mox.example\")) NIL NIL NIL \"<1@mox.example>\") FLAGS (\\Flagged))\n"
		    "a< x OK done\n"
		    "a> fetch 1 fast\na< * 1 FETCH (UID 1 INTERNALDATE \" 1-Jan-2024 10:00:00 +0100\" RFC822.SIZE 451 FLAGS (\\Flagged))\na< x OK done\n"
		    "a> fetch 1 body\n"
		    "a< * 1 FETCH (UID 1 BODY ((\"TEXT\" \"PLAIN\" (\"CHARSET\" \"utf-8\") NIL NIL \"7BIT\" 13 1)"
		    "(\"APPLICATION\" \"OCTET-STREAM\" (\"NAME\" \"a.bin\") NIL NIL \"BASE64\" 8) \"MIXED\"))\n"
		    "a< x OK done\n"
		    "a> fetch 1 bodystructure\n"
		    "a< * 1 FETCH (UID 1 BODYSTRUCTURE ((\"TEXT\" \"PLAIN\" (\"CHARSET\" \"utf-8\") NIL NIL \"7BIT\" 13 1 NIL NIL NIL NIL)"
		    "(\"APPLICATION\" \"OCTET-STREAM\" (\"NAME\" \"a.bin\") NIL NIL \"BASE64\" 8 NIL (\"attachment\" (\"filename\" \"a.bin\")) NIL NIL) "
		    "\"MIXED\" (\"BOUNDARY\" \"x\") NIL NIL NIL))\n"
		    "a< x OK done\n"
		    "a> fetch 1 (body.peek[1] body.peek[2])\na< * 1 FETCH (UID 1 BODY[1] {13}\na< hello world\na<  BODY[2] {8}\na< AAECAw==)\na< x OK done\n"
		    "a> fetch 1 body.peek[1]<0.5>\na< * 1 FETCH (UID 1 BODY[1]<0> {5}\na< hello)\na< x OK done\n"
		    "a> fetch 1 body.peek[1]<6.100>\na< * 1 FETCH (UID 1 BODY[1]<6> {7}\na< world\na< )\na< x OK done\n"
		    "a> fetch 1 body.peek[1]<100.5>\na< * 1 FETCH (UID 1 BODY[1]<100> {0}\na< )\na< x OK done\n"
		    "a> fetch 1 body.peek[]<0.10>\na< * 1 FETCH (UID 1 BODY[]<0> {10}\na< From: Joe )\na< x OK done\n"
		    "a> fetch 1 body.peek[text]<0.8>\na< * 1 FETCH (UID 1 BODY[TEXT]<0> {8}\na< preamble)\na< x OK done\n"
		    "a> fetch 1 body.peek[header.fields (TO message-id)]\n"
		    "a< * 1 FETCH (UID 1 BODY[HEADER.FIELDS (To Message-Id)] {52}\na< To: mjl@mox.example\na< Message-Id: <1@mox.example>\na< \na< )\na< x OK done\n"
		    "a> fetch 1 body.peek[header.fields.not (from to subject date message-id mime-version)]\n"
		    "a< * 1 FETCH (UID 1 BODY[HEADER.FIELDS.NOT (From To Subject Date Message-Id Mime-Version)] {45}\n"
		    "a< Content-Type: multipart/mixed; boundary=x\na< \na< )\na< x OK done\n"
		    "a> fetch 1 body.peek[1.mime]\na< * 1 FETCH (UID 1 BODY[1.MIME] {...}\na< Content-Type: text/plain; charset=utf-8\na?\n"
		    "a> fetch 1 rfc822.header\na< * 1 FETCH (UID 1 RFC822.HEADER {...}\na?\n"
		    "a> fetch 1 (binary.size[2] binary.peek[2] binary.size[1])\n"         /* rfc/3516 */
		    "a< * 1 FETCH (UID 1 BINARY.SIZE[2] 4 BINARY[2] ~{4}\n"
		    "a< \\0\1\2\3 BINARY.SIZE[1] 13)\na< x OK done\n"
		    "a> fetch 1 binary.peek[1]\na< * 1 FETCH (UID 1 BINARY[1] {13}\na< hello world\na< )\na< x OK done\n"
		    "a> fetch 1 binary.peek[1]<6.5>\na< * 1 FETCH (UID 1 BINARY[1] {5}\na< world)\na< x OK done\n"
		    "a> fetch 1 preview\na< * 1 FETCH (UID 1 PREVIEW \"hello world\")\na< x OK done\n"      /* rfc/8970 */
		    "a> fetch 1 (preview (lazy))\na< * 1 FETCH (UID 1 PREVIEW \"hello world\")\na< x OK done\n"
		    "a> fetch 1 savedate\na< * 1 FETCH (UID 1 SAVEDATE \"...\")\na< x OK done\n"
		    /* What does not exist fails the command, and nothing of the message is sent. */
		    "a> fetch 1 body.peek[3]\na< x NO no such part\n"
		    "a> fetch 1 (uid body.peek[1] body.peek[1.header])\na< x NO no such part\n"
		    "a> fetch 1 body.peek[2.text]\na< x NO no such part\n"
		    "a> fetch 1 binary.peek[9]\na< x NO no such part\n"
		    "a> fetch 1 binary.size[9]\na< x NO no such part\n"
		    "a> noop\na< x OK done\n");
		rig_stop(&r);
	}
}

TEST(fetch_sets)
{
	rig_scripts(0,
	    SELECT("a", "inbox", "0")
	    "a> fetch * uid\na< x BAD no such message sequence number\n"            /* rfc/9051:7018 */
	    "a> fetch 1:* uid\na< x BAD no such message sequence number\n"
	    "a> fetch 1 uid\na< x BAD no such message sequence number\n"
	    "a> uid fetch * uid\na< x OK done\n"
	    "a> uid fetch 1:* uid\na< x OK done\n"
	    "a> uid fetch 1 uid\na< x OK done\n"
	    "a> search return (save) all\na< x OK done\n"
	    "a> fetch $ uid\na< x OK done\n"
	    "a! x append inbox" M1 M2 M3 "\\r\\n\na< * 3 EXISTS\na< x OK [APPENDUID ... 1:3] done\n"
	    "a> store 2 +flags.silent \\Deleted\na< x OK done\na> expunge\na< * 2 EXPUNGE\na< x OK done\n"
	    "a> fetch 2:1,1 uid\na< * 1 FETCH (UID 1)\na< * 2 FETCH (UID 3)\na< x OK done\n"
	    "a> fetch *:1 uid\na< * 1 FETCH (UID 1)\na< * 2 FETCH (UID 3)\na< x OK done\n"
	    "a> fetch * uid\na< * 2 FETCH (UID 3)\na< x OK done\n"
	    "a> fetch 2:* uid\na< * 2 FETCH (UID 3)\na< x OK done\n"
	    "a> fetch 3 uid\na< x BAD no such message sequence number\n"
	    "a> fetch 1:3 uid\na< x BAD no such message sequence number\n"
	    "a> fetch 3:* uid\na< x BAD no such message sequence number\n"
	    "a> uid fetch 1:2 uid\na< * 1 FETCH (UID 1)\na< x OK done\n"
	    "a> uid fetch 2 uid\na< x OK done\n"
	    "a> uid fetch 4:* uid\na< * 2 FETCH (UID 3)\na< x OK done\n"          /* rfc/9051:7029 */
	    "a> uid fetch *:100 uid\na< * 2 FETCH (UID 3)\na< x OK done\n"
	    "a> uid fetch 1:4294967295 flags\na< * 1 FETCH (UID 1 FLAGS ())\na< * 2 FETCH (UID 3 FLAGS ())\na< x OK done\n"
	    "a> search return (save) uid 3\na< x OK done\n"
	    "a> fetch $ flags\na< * 2 FETCH (UID 3 FLAGS ())\na< x OK done\n"
	    "a> uid fetch $ flags\na< * 2 FETCH (UID 3 FLAGS ())\na< x OK done\n"
	    "a> fetch 1 (uid flags) (changedsince 1 bogus)\na< x BAD ...\n"
	    "a> fetch 1\na< x BAD ...\n"
	    "a> fetch 1 ()\na< x BAD ...\n"
	    "a> fetch 1 (all)\na< x BAD ...\n"
	    "a> uid fetch 0 uid\na< x BAD ...\n");
}

/* A structure kept by a version of mox that parsed otherwise, or damaged, is made anew from the message, and kept. */
TEST(fetch_structure_again)
{
	static const char *const kept[] = { "\x01" "an older form", "\x7f" "a newer form", "\x02" "cut off" };
	struct rig r;

	rig_start(&r, 0);
	rig_append(&r, "mjl", "inbox", "", str_of(rig_message));
	for (size_t i = 0; i < ARRAY_LEN(kept); i++) {
		struct store_account *acct;
		struct store_tx tx;
		struct store_body body;
		struct message m;
		assert_ok(store_account_open(r.store, S("mjl"), false, &acct, NULL));
		assert_ok(store_write(acct, &tx));
		assert_int_equal(store_message_body(&tx, test_arena(), 1, &body), 1);
		struct str current = str_dup(test_arena(), body.parsed);
		assert_ok(message_load(test_arena(), current, &m));
		assert_ok(store_save_parsed(&tx, 1, str_of(kept[i])));
		assert_ok(store_tx_commit(&tx, NULL));
		rig_script(&r, "a=mjl\n" SELECT_UNSEEN("a", "inbox", "1", "1")
		    "a> fetch 1 bodystructure\na< * 1 FETCH (UID 1 BODYSTRUCTURE ((\"TEXT\" ...\n"
		    "a< x OK done\n"
		    "a> logout\na?\n");
		assert_ok(store_read(acct, &tx));
		assert_int_equal(store_message_body(&tx, test_arena(), 1, &body), 1);
		assert_str(body.parsed, current);
		store_tx_rollback(&tx);
		store_account_close(&acct);
	}
	rig_stop(&r);
}

TEST(fetch_sets_seen)
{
	struct rig r;

	rig_start(&r, 0);
	for (int i = 0; i < 2; i++)
		rig_append(&r, "mjl", "inbox", "", str_of(rig_message));
	rig_script(&r,
	    "a=mjl\n" SELECT_UNSEEN("a", "inbox", "2", "1")
	    "b=mjl\n" SELECT_UNSEEN("b", "inbox", "2", "1")
	    "a> fetch 1 body.peek[1]\na< * 1 FETCH (UID 1 BODY[1] {13}\na< hello world\na< )\na< x OK done\n"
	    "a> noop\na< x OK done\n"
	    /* The flags before; the change comes with the next command, or at once with a UID command. */
	    "a> fetch 1 body[1]\na< * 1 FETCH (UID 1 BODY[1] {13}\na< hello world\na<  FLAGS ())\na< x OK done\n"
	    "a> noop\na< * 1 FETCH (UID 1 FLAGS (\\Seen))\na< x OK done\n"
	    "a> fetch 1 body[1]\na< * 1 FETCH (UID 1 BODY[1] {13}\na< hello world\na< )\na< x OK done\n"
	    "a> noop\na< x OK done\n"
	    "a> uid fetch 2 binary[1]\na< * 2 FETCH (UID 2 BINARY[1] {13}\na< hello world\na<  FLAGS ())\na< * 2 FETCH (UID 2 FLAGS (\\Seen))\na< x OK done\n"
	    "b> noop\nb< * 1 FETCH (UID 1 FLAGS (\\Seen))\nb< * 2 FETCH (UID 2 FLAGS (\\Seen))\nb< x OK done\n"
	    "a> store 1:2 -flags.silent \\Seen\na< x OK done\n"
	    "a> examine inbox\na< * OK [CLOSED] ...\na< * FLAGS ...\na< * OK [PERM...\na< * 0 RECENT\na< * 2 EXISTS\na< * OK [UNSEEN...\na< * OK [U...\na< * OK [U...\n"
	    "a< * LIST ...\na< x OK [READ-ONLY] done\n"
	    "a> fetch 1 body[1]\na< * 1 FETCH (UID 1 BODY[1] {13}\na< hello world\na< )\na< x OK done\n"
	    "a> noop\na< x OK done\n"
	    "b> noop\nb< * 1 FETCH (UID 1 FLAGS ())\nb< * 2 FETCH (UID 2 FLAGS ())\nb< x OK done\n");
	rig_stop(&r);
}

TEST(store)
{
	rig_scripts(0,
	    APPEND("a", "inbox", M1 M2 M3, "1:3")
	    SELECT_UNSEEN("a", "inbox", "3", "1")
	    "b=mjl\n" SELECT_UNSEEN("b", "inbox", "3", "1")
	    "a> store\na< x BAD ...\n"
	    "a> store 1\na< x BAD ...\n"
	    "a> store 1 flags\na< x BAD ...\n"
	    "a> store 1 bogus (\\Seen)\na< x BAD ...\n"
	    "a> store 1 flags (\\Recent)\na< x BAD ...\n"
	    "a> store 1 flags (\\bad)\na< x BAD ...\n"
	    "a> store 4 flags ()\na< x BAD no such message sequence number\n"
	    "a> uid store 4 flags ()\na< x OK done\n"
	    "a> store 1 flags.silent (a)\na< x OK done\n"                            /* rfc/9051:4543 */
	    "b> noop\nb< * 1 FETCH (UID 1 FLAGS (a))\nb< x OK done\n"
	    "a> store 1 flags (b \\Seen)\na< * 1 FETCH (UID 1 FLAGS (\\Seen b))\na< x OK done\n"
	    "a> store 1 flags b c\na< * 1 FETCH (UID 1 FLAGS (b c))\na< x OK done\n"
	    "a> store 1 +flags (New $FORWARDED new \\answered)\na< * 1 FETCH (UID 1 FLAGS (\\Answered $Forwarded b c new))\na< x OK done\n"
	    "a> store 1 -flags (b $forwarded)\na< * 1 FETCH (UID 1 FLAGS (\\Answered c new))\na< x OK done\n"
	    "a> store 1 flags ()\na< * 1 FETCH (UID 1 FLAGS ())\na< x OK done\n"
	    "a> store 1 flags ()\na< * 1 FETCH (UID 1 FLAGS ())\na< x OK done\n"    /* no change, but an answer */
	    "b> noop\nb< * 1 FETCH (UID 1 FLAGS (\\Seen b))\nb< * 1 FETCH (UID 1 FLAGS (b c))\nb< * 1 FETCH (UID 1 FLAGS (\\Answered $Forwarded b c new))\n"
	    "b< * 1 FETCH (UID 1 FLAGS (\\Answered c new))\nb< * 1 FETCH (UID 1 FLAGS ())\nb< x OK done\n"
	    "a> uid store 1:* +flags \\Flagged\na< * 1 FETCH (UID 1 FLAGS (\\Flagged))\na< * 2 FETCH (UID 2 FLAGS (\\Flagged))\na< * 3 FETCH (UID 3 FLAGS (\\Flagged))\na< x OK done\n"
	    "a> store 1,1 +flags.silent \\Flagged\na< x OK done\n"
	    "a> examine inbox\na< * OK [CLOSED] ...\na< * FLAGS (... a b c new)\na< * OK [PERM...\na< * 0 RECENT\na< * 3 EXISTS\na< * OK [UNSEEN...\na< * OK [U...\na< * OK [U...\n"
	    "a< * LIST ...\na< x OK [READ-ONLY] done\n"
	    "a> store 1 flags ()\na< x NO mailbox is read-only\n"
	    "b> noop\nb< * 1 FETCH ...\nb< * 2 FETCH ...\nb< * 3 FETCH ...\nb< x OK done\n");
}

TEST(expunge)
{
	rig_scripts(0,
	    APPEND("a", "inbox", M1 M2 M3, "1:3")
	    SELECT_UNSEEN("a", "inbox", "3", "1")
	    "b=mjl\n" SELECT_UNSEEN("b", "inbox", "3", "1")
	    "a> expunge x\na< x BAD ...\n"
	    "a> uid expunge\na< x BAD ...\n"
	    "a> uid expunge x\na< x BAD ...\n"
	    "a> expunge\na< x OK done\n"
	    "a> store 1,3 +flags.silent \\Deleted\na< x OK done\n"
	    "a> uid expunge 2\na< x OK done\n"                                       /* rfc/9051:4777 */
	    "a> uid expunge 2:3\na< * 3 EXPUNGE\na< x OK done\n"
	    "a> expunge\na< * 1 EXPUNGE\na< x OK done\n"
	    "b> noop\nb< * 1 FETCH (UID 1 FLAGS (\\Deleted))\nb< * 3 FETCH (UID 3 FLAGS (\\Deleted))\nb< * 3 EXPUNGE\nb< * 1 EXPUNGE\nb< x OK done\n"
	    "c=mjl\nc> list \"\" inbox return (status (messages))\nc< * LIST () \"/\" Inbox\nc< * STATUS Inbox (MESSAGES 1)\nc< x OK done\n"
	    "a> store 1 +flags.silent \\Deleted\na< x OK done\n"
	    "c> examine inbox\nc< * FLAGS ...\nc< * OK [PERM...\nc< * 0 RECENT\nc< * 1 EXISTS\nc< * OK [UNSEEN...\nc< * OK [U...\nc< * OK [U...\nc< * LIST ...\nc< x OK [READ-ONLY] done\n"
	    "c> expunge\nc< x NO mailbox is read-only\n"
	    "c> uid expunge 1\nc< x NO mailbox is read-only\n"
	    "c> close\nc< x OK done\n"
	    "b> noop\nb< * 1 FETCH (UID 2 FLAGS (\\Deleted))\nb< x OK done\n"
	    "a> close\na< x OK done\n"                                               /* rfc/9051:3636: removes, tells nothing */
	    "b> noop\nb< * 1 EXPUNGE\nb< x OK done\n");
}

TEST(copy)
{
	rig_scripts(0,
	    APPEND("a", "inbox", M1 M2 M3, "1:3")
	    SELECT_UNSEEN("a", "inbox", "3", "1")
	    "b=mjl\n" SELECT("b", "Trash", "0")
	    "a> store 1 +flags.silent \\Deleted\na< x OK done\na> expunge\na< * 1 EXPUNGE\na< x OK done\n"
	    "a> copy\na< x BAD ...\n"
	    "a> copy 1\na< x BAD ...\n"
	    "a> copy 1 x y\na< x BAD ...\n"
	    "a> copy 9 Trash\na< x BAD no such message sequence number\n"
	    "a> copy 1 nobox\na< x NO [TRYCREATE] no such mailbox\n"                  /* rfc/9051:4602 */
	    "a> copy 1 expungebox\na< x NO [TRYCREATE] no such mailbox\n"
	    "a> copy 1 inbox\na< x NO source and destination are the same\n"
	    "a> uid copy 9 Trash\na< x OK done\n"                                      /* rfc/9051:4770 */
	    "a> copy 1:* Trash\na< x OK [COPYUID ... 2:3 1:2] done\n"                 /* rfc/4315:183 */
	    "b> noop\nb< * 2 EXISTS\nb< * 1 FETCH (UID 1 FLAGS ())\nb< * 2 FETCH (UID 2 FLAGS ())\nb< x OK done\n"
	    "a> store 1 +flags.silent (\\Seen work)\na< x OK done\n"
	    "a> uid copy 3,2 Trash\na< x OK [COPYUID ... 2:3 3:4] done\n"
	    "b> noop\nb< * 4 EXISTS\nb< * 3 FETCH (UID 3 FLAGS (\\Seen work))\nb< * 4 FETCH (UID 4 FLAGS ())\nb< x OK done\n"
	    "b> fetch 3 body.peek[]\nb< * 3 FETCH (UID 3 BODY[] {2}\nb< m2)\nb< x OK done\n"
	    /* All or nothing: one that someone else removed. */
	    "c=mjl\nc> select inbox\nc< * FLAGS ...\nc< * OK [PERM...\nc< * 0 RECENT\nc< * 2 EXISTS\nc< * OK [UNSEEN...\nc< * OK [U...\nc< * OK [U...\nc< * LIST ...\nc< x OK ...\n"
	    "c> store 1 +flags.silent \\Deleted\nc< x OK done\nc> expunge\nc< * 1 EXPUNGE\nc< x OK done\n"
	    "a> copy 1:2 Trash\na< * 1 FETCH (UID 2 FLAGS (\\Seen \\Deleted work))\na< * 1 EXPUNGE\na< x NO [EXPUNGEISSUED] ...\n"
	    "b> noop\nb< x OK done\n");
}

TEST(move)
{
	rig_scripts(0,
	    APPEND("a", "inbox", M1 M2 M3, "1:3")
	    SELECT_UNSEEN("a", "inbox", "3", "1")
	    "b=mjl\n" SELECT("b", "Trash", "0")
	    "c=mjl\n" SELECT_UNSEEN("c", "inbox", "3", "1")
	    "a> move 1\na< x BAD ...\n"
	    "a> move 1 nobox\na< x NO [TRYCREATE] no such mailbox\n"
	    "a> move 1 inbox\na< x NO source and destination are the same\n"
	    "a> uid move 9 Trash\na< x OK done\n"
	    "a> move 1:2 Trash\n"                                                    /* rfc/9051:4650 */
	    "a< * OK [COPYUID ... 1:2 1:2] moved\na< * 1 EXPUNGE\na< * 1 EXPUNGE\na< x OK done\n"
	    "b> noop\nb< * 2 EXISTS\nb< * 1 FETCH (UID 1 FLAGS ())\nb< * 2 FETCH (UID 2 FLAGS ())\nb< x OK done\n"
	    "c> fetch 1 body.peek[]\nc< * 1 FETCH (UID 1 BODY[] {2}\nc< m1)\nc< x OK [EXPUNGEISSUED] done\n"
	    "c> noop\nc< * 1 EXPUNGE\nc< * 1 EXPUNGE\nc< x OK done\n"
	    "a> uid move 3 Trash\na< * OK [COPYUID ... 3 3] moved\na< * 1 EXPUNGE\na< x OK done\n"
	    "b> examine Trash\nb< * OK [CLOSED] ...\nb< * FLAGS ...\nb< * OK [PERM...\nb< * 0 RECENT\nb< * 3 EXISTS\nb< * OK [UNSEEN...\nb< * OK [U...\nb< * OK [U...\n"
	    "b< * LIST ...\nb< x OK [READ-ONLY] done\n"
	    "b> move 1 inbox\nb< x NO mailbox is read-only\n"
	    "b> copy 1 inbox\nb< x OK [COPYUID ... 1 4] done\n"
	    "c> noop\nc< * 1 EXPUNGE\nc< * 1 EXISTS\nc< * 1 FETCH (UID 4 FLAGS ())\nc< x OK done\n");
}
