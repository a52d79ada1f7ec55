/* SPDX-License-Identifier: MIT */
/* SEARCH, ESEARCH, SEARCHRES. */
#include "imapserver/rig_test.h"

/* UIDs 2, 3, 4: an old plain one; one with HTML, seen; one with all flags and two keywords. The first was expunged. */
static void
setup(struct rig *r)
{
	rig_start(r, 0);
	rig_append(r, "mjl", "inbox", "\\Deleted", S("x"));
	rig_login(r, 'd', "mjl");
	rig_send(r, 'd', S("x select inbox\r\nx expunge\r\n"));
	rig_hangup(r, 'd');
	rig_append(r, "mjl", "inbox", "", S(
	    "From: =?utf-8?q?J=C3=B6rg?= <joerg@example.org>\r\n"
	    "To: mjl@mox.example, \"Other, One\" <other@mox.example>\r\n"
	    "Cc: cc@mox.example\r\n"
	    "Bcc: bcc@mox.example\r\n"
	    "Subject: weekly\r\n"
	    " =?utf-8?q?Gr=C3=BC=C3=9Fe?= report\r\n"
	    "Date: Sat, 1 Jan 2022 23:30:00 -0800\r\n"
	    "Message-Id: <abc@example.org>\r\n"
	    "X-Empty:\r\n"
	    "X-Other: some value\r\n"
	    "\r\n"
	    "the plain body\r\n"
	    "mentions Unicorns\r\n"));
	rig_append(r, "mjl", "inbox", "\\Seen", S(
	    "From: a@example.org\r\n"
	    "Subject: html\r\n"
	    "Date: Sun, 1 Jan 2023 10:00:00 +0000\r\n"
	    "Content-Type: text/html; charset=utf-8\r\n"
	    "\r\n"
	    "<html><body class=\"hidden\"><b>bold</b> text</body></html>\r\n"));
	rig_append(r, "mjl", "inbox", "\\Seen \\Answered \\Flagged \\Deleted \\Draft $Forwarded work home", S("Subject: last\r\n\r\nx\r\n"));
	rig_login(r, 'a', "mjl");
	rig_script(r, "a> select inbox\na< * FLAGS ...\na< * OK [PERM...\na< * 0 RECENT\na< * 3 EXISTS\na< * OK [UNSEEN...\na< * OK [U...\na< * OK [U...\na< * LIST ...\na< x OK ...\n");
}

TEST(search_keys)
{
	static const struct { const char *key, *want; } rows[] = {
		{ "all", " 1 2 3" },                            /* rfc/9051:3716 */
		{ "1", " 1" }, { "2:*", " 2 3" }, { "*", " 3" }, { "10", "" }, { "10:*", " 3" }, { "3:2", " 2 3" },
		{ "uid 2", " 1" }, { "uid 1", "" }, { "uid 3:*", " 2 3" }, { "uid 100:*", " 3" }, { "not uid 2", " 2 3" },
		{ "seen", " 2 3" }, { "unseen", " 1" }, { "answered", " 3" }, { "unanswered", " 1 2" }, { "flagged", " 3" }, { "unflagged", " 1 2" },
		{ "deleted", " 3" }, { "undeleted", " 1 2" }, { "draft", " 3" }, { "undraft", " 1 2" },
		{ "new", "" }, { "recent", "" }, { "old", " 1 2 3" },
		{ "keyword $FORWARDED", " 3" }, { "unkeyword $Forwarded", " 1 2" }, { "keyword Work", " 3" }, { "keyword wor", "" }, { "unkeyword home", " 1 2" },
		{ "from joerg", " 1" }, { "from \"J\xc3\xb6RG\"", " 1" }, { "from \"example.org\"", " 1 2" }, { "from nobody", "" },
		{ "to \"other, one\"", " 1" }, { "to \"<other@mox\"", " 1" }, { "to \"\"", " 1" }, { "cc cc@", " 1" }, { "bcc bcc@", " 1" }, { "to x@", "" },
		{ "to \"mjl@mox.example, \"", " 1" }, { "from \"J\xc3\xb6rg <joerg\"", " 1" },
		{ "subject REPORT", " 1" }, { "subject \"weekly gr\xc3\xbc\"", " 1" }, { "subject utf-8", "" },     /* decoded: rfc/9051:3899 */
		{ "header subject last", " 3" }, { "header x-empty \"\"", " 1" }, { "header x-other value", " 1" }, { "header x-other nope", "" },
		{ "header x-absent \"\"", "" }, { "header message-id \"<abc@\"", " 1" }, { "header message-id \"\"", " 1" }, { "header date 2023", " 2" },
		{ "body unicorns", " 1" }, { "body weekly", "" }, { "text weekly", " 1" }, { "body bold", " 2" },
		{ "body hidden", "" }, { "body \"bold text\"", " 2" }, { "not body bold", " 1 3" }, { "not not body bold", " 2" }, { "body \"\"", " 1 2 3" },
		{ "text bold text unicorns", "" }, { "or text bold text unicorns", " 1 2" },
		{ "larger 100", " 1 2" }, { "smaller 30", " 3" }, { "larger 100000", "" },
		{ "on 1-Jan-2024", " 1 2 3" }, { "before 1-Jan-2024", "" }, { "before 2-Jan-2024", " 1 2 3" }, { "since 1-Jan-2024", " 1 2 3" }, { "since 2-Jan-2024", "" },
		{ "senton 1-Jan-2022", " 1" }, { "sentbefore 1-Jan-2023", " 1" }, { "sentsince 1-Jan-2023", " 2" }, { "sentsince 1-Jan-2022", " 1 2" },
		{ "savedsince 1-Jan-2020", " 1 2 3" }, { "savedbefore 1-Jan-2020", "" }, { "savedatesupported", " 1 2 3" },         /* rfc/8514:231 */
		{ "younger 10", "" }, { "older 10", " 1 2 3" },                                                                   /* rfc/5032:78 */
		{ "or seen subject weekly", " 1 2 3" }, { "or (seen undeleted) draft", " 2 3" }, { "(1:2 seen)", " 2" }, { "(seen) (deleted)", " 3" },
		{ "charset utf-8 subject {9+}\\r\\ngr\xc3\xbc\xc3\x9f" "e r", " 1" }, { "charset us-ascii subject html", " 2" },
	};
	struct rig r;

	setup(&r);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		test_row("search %s", rows[i].key);
		rig_script(&r, rig_fmt("a! x search %s\\r\\n\na< * SEARCH%s\na< x OK done\n", rows[i].key, rows[i].want));
		/* The same as UIDs, and negated. */
		struct buf uids = BUF_ARENA(test_arena(), 100), rest = BUF_ARENA(test_arena(), 100);
		for (char c = '1'; c <= '3'; c++)
			buf_addf(strchr(rows[i].want, c) ? &uids : &rest, " %c", c + 1);
		rig_script(&r, rig_fmt("a! x uid search %s\\r\\n\na< * SEARCH" STRF "\na< x OK done\n", rows[i].key, STRA(buf_str(&uids))));
		if (strncmp(rows[i].key, "charset", 7) != 0 && strcmp(rows[i].key, "text bold text unicorns") != 0)
			rig_script(&r, rig_fmt("a! x uid search not (%s)\\r\\n\na< * SEARCH" STRF "\na< x OK done\n", rows[i].key, STRA(buf_str(&rest))));
	}
	rig_stop(&r);
}

TEST(search_errors)
{
	rig_scripts(0,
	    "a> select inbox\na< * FLAGS ...\na< * OK [PERM...\na< * 0 RECENT\na< * 0 EXISTS\na< * OK [U...\na< * OK [U...\na< * LIST ...\na< x OK ...\n"
	    "a> search\na< x BAD ...\n"
	    "a> search bogus\na< x BAD ...\n"
	    "a> search return (bogus) all\na< x BAD ...\n"
	    "a> search charset x-unknown all\na< x NO [BADCHARSET (US-ASCII UTF-8)] unknown charset\n"
	    "a> search all\na< * SEARCH\na< x OK done\n"
	    "a> search 1:*\na< * SEARCH\na< x OK done\n"
	    "a> search *\na< * SEARCH\na< x OK done\n"
	    "a> uid search *\na< * SEARCH\na< x OK done\n"
	    "a> search return (min max count all) all\na< * ESEARCH (TAG \"x\") COUNT 0\na< x OK done\n");
}

TEST(esearch)
{
	struct rig r;

	setup(&r);
	rig_script(&r,
	    "a> search return () all\na< * ESEARCH (TAG \"x\") ALL 1:3\na< x OK done\n"                 /* rfc/4731:149 */
	    "a> search return (all) seen\na< * ESEARCH (TAG \"x\") ALL 2:3\na< x OK done\n"
	    "a> search return (min) seen\na< * ESEARCH (TAG \"x\") MIN 2\na< x OK done\n"
	    "a> search return (max) seen\na< * ESEARCH (TAG \"x\") MAX 3\na< x OK done\n"
	    "a> search return (min max) all\na< * ESEARCH (TAG \"x\") MIN 1 MAX 3\na< x OK done\n"
	    "a> search return (count) all\na< * ESEARCH (TAG \"x\") COUNT 3\na< x OK done\n"
	    "a> uid search return (min max count all) or 1 3\na< * ESEARCH (TAG \"x\") UID MIN 2 MAX 4 COUNT 2 ALL 2,4\na< x OK done\n"
	    "a> search return (min all) draft seen unseen\na< * ESEARCH (TAG \"x\")\na< x OK done\n"
	    /* SEARCHRES: rfc/5182 */
	    "a> search return (save) seen\na< x OK done\n"
	    "a> search $\na< * SEARCH 2 3\na< x OK done\n"
	    "a> uid search uid $\na< * SEARCH 3 4\na< x OK done\n"
	    "a> uid search not $\na< * SEARCH 2\na< x OK done\n"
	    "a> search return (save) $ deleted\na< x OK done\n"
	    "a> fetch $ flags\na< * 3 FETCH (UID 4 FLAGS (...))\na< x OK done\n"
	    "a> search return (save min) all\na< * ESEARCH (TAG \"x\") MIN 1\na< x OK done\n"
	    "a> search $\na< * SEARCH 1\na< x OK done\n"
	    "a> search return (save max) all\na< * ESEARCH (TAG \"x\") MAX 3\na< x OK done\n"
	    "a> search $\na< * SEARCH 3\na< x OK done\n"
	    "a> search return (save min max) all\na< * ESEARCH (TAG \"x\") MIN 1 MAX 3\na< x OK done\n"
	    "a> search $\na< * SEARCH 1 3\na< x OK done\n"
	    "a> search return (save min count) all\na< * ESEARCH (TAG \"x\") MIN 1 COUNT 3\na< x OK done\n"
	    "a> search $\na< * SEARCH 1 2 3\na< x OK done\n"
	    "a> search return (save all min) all\na< * ESEARCH (TAG \"x\") MIN 1 ALL 1:3\na< x OK done\n"
	    "a> search return (save bogus) all\na< x BAD ...\n"
	    "a> search $\na< * SEARCH 1 2 3\na< x OK done\n"                                            /* BAD leaves it: rfc/5182:141 */
	    "a> search return (save) charset x-y all\na< x NO [BADCHARSET ...] ...\n"
	    "a> search $\na< * SEARCH\na< x OK done\n"
	    /* What was expunged drops out of it. */
	    "a> search return (save) all\na< x OK done\n"
	    "a> expunge\na< * 3 EXPUNGE\na< x OK done\n"
	    "a> fetch $ uid\na< * 1 FETCH (UID 2)\na< * 2 FETCH (UID 3)\na< x OK done\n"
	    "a> store $ +flags.silent \\Flagged\na< x OK done\n"
	    "a> copy $ Trash\na< x OK [COPYUID ... 2:3 1:2] done\n"
	    "a> uid move $ Trash\na< * OK [COPYUID ... 2:3 3:4] moved\na< * 1 EXPUNGE\na< * 1 EXPUNGE\na< x OK done\n"
	    "a> search $\na< * SEARCH\na< x OK done\n"
	    "a> enable imap4rev2\na< * ENABLED imap4rev2\na< x OK done\n"
	    "a> search all\na< * ESEARCH (TAG \"x\")\na< x OK done\n"
	    "a> uid search all\na< * ESEARCH (TAG \"x\") UID\na< x OK done\n");
	rig_stop(&r);
}

/* Long answers come in lines of 100 numbers. */
TEST(search_many)
{
	struct rig r;
	struct buf b = BUF_ARENA(test_arena(), 1 << 20);

	rig_start(&r, 0);
	rig_login(&r, 'a', "mjl");
	rig_script(&r, "a> select inbox\na< * FLAGS ...\na< * OK [PERM...\na< * 0 RECENT\na< * 0 EXISTS\na< * OK [U...\na< * OK [U...\na< * LIST ...\na< x OK ...\n");
	buf_addz(&b, "x append inbox");
	for (int i = 0; i < 250; i++)
		buf_addz(&b, " {1+}\r\nx");
	buf_addz(&b, "\r\n");
	rig_send(&r, 'a', buf_str(&b));
	rig_script(&r,
	    "a< * 250 EXISTS\na< x OK [APPENDUID ... 1:250] done\n"
	    "a> search all\na< * SEARCH 1 2 ... 99 100\na< * SEARCH 101 ... 200\na< * SEARCH 201 ... 250\na< x OK done\n"
	    "a> search return (all count) 2:249\na< * ESEARCH (TAG \"x\") COUNT 248 ALL 2:249\na< x OK done\n"
	    "a> search return (min max) 200:240\na< * ESEARCH (TAG \"x\") MIN 200 MAX 240\na< x OK done\n"
	    "a> fetch 250 rfc822.size\na< * 250 FETCH (UID 250 RFC822.SIZE 1)\na< x OK done\n"
	    "a> store 1:* +flags.silent \\Deleted\na< x OK done\n"
	    "a> search 3\na< * SEARCH 3\na< x OK done\n");
	buf_reset(&b);
	buf_addz(&b, "a> uid expunge 2:249\n");
	for (int i = 0; i < 248; i++)
		buf_addz(&b, "a< * 2 EXPUNGE\n");
	buf_addz(&b, "a< x OK done\na> uid search all\na< * SEARCH 1 250\na< x OK done\n");
	rig_script(&r, str_z(test_arena(), buf_str(&b)));
	rig_stop(&r);
}
