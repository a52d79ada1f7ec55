/* SPDX-License-Identifier: MIT */
/* SORT (RFC 5256), ESORT (RFC 5267), SORT=DISPLAY (RFC 5957), PARTIAL (RFC 9394), THREAD. */
#include "imapserver/rig_test.h"
#include "imapserver/thread.h"

#define SELECT \
	"a=mjl\na> select inbox\na< * FLAGS ...\na< * OK [PERM...\na< * 0 RECENT\na< * 4 EXISTS\n" \
	"a< * OK [UNSEEN...\na< * OK [U...\na< * OK [U...\na< * LIST ...\na< x OK ...\n"

/* Four messages with UIDs 2 to 5. */
static void
fill(struct rig *r)
{
	rig_append(r, "mjl", "inbox", "\\Deleted", S("Subject: gone\r\n\r\nx\r\n"));
	rig_append(r, "mjl", "inbox", "", S(
	    "From: Zoe <bob@x.example>\r\nTo: one@x.example\r\nCc: carl@x.example\r\nSubject: Re: beta\r\n"
	    "Date: Wed, 3 Jan 2024 10:00:00 +0000\r\n"
	    "Message-Id: <b@x>\r\nReferences: <a@x>\r\n\r\nlong body text here\r\n"));
	rig_append(r, "mjl", "inbox", "", S(
	    "From: =?utf-8?q?=C3=84nne?= <zed@x.example>\r\nTo: Two <two@x.example>\r\nSubject: alpha\r\n"
	    "Date: Mon, 1 Jan 2024 23:00:00 -0800\r\n"
	    "Message-Id: <c@x>\r\n\r\nx\r\n"));
	rig_append(r, "mjl", "inbox", "\\Seen", S(
	    "From: alice@x.example\r\nSubject: beta\r\nDate: Tue, 2 Jan 2024 01:00:00 +0000\r\nMessage-Id: <a@x>\r\n"
	    "\r\nxyz\r\n"));
	rig_append(r, "mjl", "inbox", "", S("Subject: [list] Alpha (fwd)\r\nFrom: \"\" <>\r\n\r\nno date\r\n"));
	rig_login(r, 'd', "mjl");
	rig_send(r, 'd', S("x select inbox\r\nx expunge\r\n"));
	rig_hangup(r, 'd');
	rig_script(r, SELECT);
}

TEST(sort)
{
	static const struct { const char *by, *want; } rows[] = {
		/* The internal date of all is 1 Jan 2024 09:00 UTC. */
		{ "arrival", " 1 2 3 4" }, { "reverse arrival", " 1 2 3 4" },       /* rfc/5256:265 */
		{ "size", " 4 3 2 1" }, { "reverse size", " 1 2 3 4" },
		/* by UTC; without a date the internal one: rfc/5256:155 */
		{ "date", " 4 3 2 1" },
		{ "reverse date", " 1 2 3 4" },
		{ "from", " 4 3 1 2" }, { "reverse from", " 2 1 3 4" },
		{ "to", " 3 4 1 2" }, { "cc", " 2 3 4 1" },
		{ "subject", " 2 4 1 3" },                                          /* base subjects: rfc/5256:290 */
		{ "subject date", " 4 2 3 1" }, { "subject reverse date", " 2 4 1 3" },
		{ "reverse subject date", " 3 1 4 2" },
		/* "", alice@x.example, Änne as "A\u0308", Zoe: rfc/5957:99 */
		{ "displayfrom", " 4 3 2 1" },
		{ "displayto", " 3 4 1 2" },
	};
	struct rig r;

	rig_start(&r, 0);
	fill(&r);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		rig_script(&r, rig_fmt("a> sort (%s) us-ascii all\na< * SORT%s\n"
		    "a< x OK done\n", rows[i].by, rows[i].want));
	rig_script(&r,
	    "a> sort (date) utf-8 unseen\na< * SORT 4 2 1\na< x OK done\n"
	    "a> sort (date) \"UTF-8\" text nothing\na< * SORT\na< x OK done\n"            /* rfc/5256:302 */
	    "a> uid sort (date) utf-8 unseen\na< * SORT 5 3 2\na< x OK done\n"
	    "a> uid sort (date) utf-8 1:2\na< * SORT 3 2\na< x OK done\n"                /* rfc/5256:206 */
	    "a> sort (date) latin1 all\na< x NO [BADCHARSET (US-ASCII UTF-8)] unknown charset\n"
	    /* the charset is mandatory: rfc/5256:201 */
	    "a> sort (date) all\na< x BAD ...\n"
	    "a> sort () utf-8 all\na< x BAD ...\na> sort date utf-8 all\na< x BAD ...\na> sort (bogus) utf-8 all\n"
	    "a< x BAD ...\n"
	    "a> sort (date) utf-8\na< x BAD ...\na! x sort (date) utf-8 all \\r\\n\na< x BAD ...\n"
	    "a> sort (date) utf-8 modseq 1\na< * OK [HIGHESTMODSEQ ...\na< * SORT 4 3 2 1 (MODSEQ ...)\n"
	    "a< x OK done\n");
	/* A plain SORT must not be told expunges, as SEARCH: rfc/5256:242 */
	rig_script(&r,
	    "b=mjl\nb> select inbox\nb?\n"
	    "b> store 1 +flags.silent \\Deleted\nb< x OK done\nb> expunge\nb< * 1 EXPUNGE\nb< x OK done\n"
	    "a> sort (size) utf-8 all\na< * SORT 4 3 2 1\na< x OK done\n"
	    "a> uid sort (size) utf-8 all\na< * SORT 5 4 3 2\na< * 1 FETCH ...\na< * 1 EXPUNGE\na< x OK done\n");
	rig_stop(&r);
}

TEST(esort)
{
	static const struct { const char *ret, *want; } rows[] = {
		{ "", " ALL 4,3,2,1" },                                             /* rfc/5267:218 */
		{ "all", " ALL 4,3,2,1" }, { "min", " MIN 4" }, { "max", " MAX 1" }, { "min max count",
		    " MIN 4 MAX 1 COUNT 4" },
		{ "count", " COUNT 4" }, { "count all", " COUNT 4 ALL 4,3,2,1" },
		{ "partial 1:2", " PARTIAL (1:2 4,3)" }, { "partial -1:-2", " PARTIAL (-1:-2 2,1)" }, {
		    "partial 3:9 count", " COUNT 4 PARTIAL (3:9 2,1)" },
		{ "partial 5:9", " PARTIAL (5:9 NIL)" },
	};
	struct rig r;

	rig_start(&r, 0);
	fill(&r);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		rig_script(&r, rig_fmt("a> sort return (%s) (date) utf-8 all\na< * ESEARCH (TAG \"x\")%s\n"
		    "a< x OK done\n", rows[i].ret, rows[i].want));
	rig_script(&r,
	    "a> uid sort return (all) (subject) utf-8 all\na< * ESEARCH (TAG \"x\") UID ALL 3,5,2,4\na< x OK done\n"
	    /* rfc/5267:203 */
	    "a> sort return (all) (arrival) utf-8 all\na< * ESEARCH (TAG \"x\") ALL 1:4\na< x OK done\n"
	    "a> sort return (all min count) (arrival) utf-8 text nothing\na< * ESEARCH (TAG \"x\") COUNT 0\n"
	    "a< x OK done\n"
	    "a> sort return (bogus) (arrival) utf-8 all\na< x BAD ...\n"
	    /* The saved result: rfc/9394:241 */
	    "a> uid sort return (save) (date) utf-8 all\na< x OK done\na> uid search $\na< * SEARCH 2 3 4 5\n"
	    "a< x OK done\n"
	    "a> uid sort return (save min) (date) utf-8 all\na< * ESEARCH (TAG \"x\") UID MIN 5\na< x OK done\n"
	    "a> uid search $\na< * SEARCH 5\na< x OK done\n"
	    "a> uid sort return (save partial 2:3 max) (date) utf-8 all\n"
	    "a< * ESEARCH (TAG \"x\") UID MAX 2 PARTIAL (2:3 4,3)\na< x OK done\n"
	    "a> uid search $\na< * SEARCH 2 3 4\na< x OK done\n");
	rig_stop(&r);
}

TEST(search_partial)
{
	static const struct { const char *ret, *want, *saved; } rows[] = {
		/* rfc/9394:332 */
		{ "partial 1:2", " PARTIAL (1:2 2:3)", " 2 3" }, { "partial 2:1", " PARTIAL (2:1 2:3)", " 2 3" },
		{ "partial -1:-2", " PARTIAL (-1:-2 4:5)", " 4 5" },                            /* rfc/9394:143 */
		/* rfc/9394:156 */
		{ "partial 4:9", " PARTIAL (4:9 5)", " 5" }, { "partial 5:9", " PARTIAL (5:9 NIL)", "" },
		{ "partial 2:2 min", " MIN 2 PARTIAL (2:2 3)", " 2 3" }, { "partial 2:2 max",
		    " MAX 5 PARTIAL (2:2 3)", " 3 5" },
		{ "partial 2:2 min max", " MIN 2 MAX 5 PARTIAL (2:2 3)", " 2 3 5" },
		{ "partial 1:2 min", " MIN 2 PARTIAL (1:2 2:3)", " 2 3" },
		{ "partial 2:2 count", " COUNT 4 PARTIAL (2:2 3)", " 2 3 4 5" },                /* rfc/9394:231 */
	};
	struct rig r;

	rig_start(&r, 0);
	fill(&r);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		rig_script(&r, rig_fmt("a> uid search return (save %s) all\na< * ESEARCH (TAG \"x\") UID%s\n"
		    "a< x OK done\na> uid search $\na< * SEARCH%s\na< x OK done\n",
		    rows[i].ret, rows[i].want, rows[i].saved));
	rig_script(&r,
	    "a> search return (partial 1:2) all\na< * ESEARCH (TAG \"x\") PARTIAL (1:2 1:2)\na< x OK done\n"
	    "a> search return (partial 1:2 all) all\na< x BAD ...\n"                              /* rfc/9394:149 */
	    /* UID FETCH with PARTIAL: rfc/9394:257 */
	    "a> uid fetch 1:* flags (partial 1:2)\na< * 1 FETCH (UID 2 FLAGS ())\na< * 2 FETCH (UID 3 FLAGS ())\n"
	    "a< x OK done\n"
	    "a> uid fetch 1:* flags (partial -1:-2)\na< * 3 FETCH (UID 4 FLAGS (\\Seen))\n"
	    "a< * 4 FETCH (UID 5 FLAGS ())\na< x OK done\n"
	    "a> uid fetch 1:3 flags (partial 2:9)\na< * 2 FETCH (UID 3 FLAGS ())\na< x OK done\n"
	    "a> uid fetch 1:* flags (partial 5:9)\na< x OK done\n"
	    /* rfc/9394:287 */
	    "a> uid fetch 1:* uid (partial 1:1 changedsince 1)\na< * OK [HIGHESTMODSEQ ...\n"
	    "a< * 1 FETCH (UID 2 MODSEQ (...))\na< x OK done\n"
	    "a> fetch 1:* flags (partial 1:2)\na< x BAD ...\n"
	    "a> uid fetch 1:* flags (partial 1:2 partial 1:3)\na< x BAD ...\n"
	    "a> uid fetch 1:* flags (partial 1:*)\na< x BAD ...\n");
	rig_stop(&r);
}

TEST(thread_command)
{
	struct rig r;

	rig_start(&r, 0);
	fill(&r);
	rig_script(&r,
	    "a> thread orderedsubject utf-8 all\na< * THREAD (4 2)(3 1)\na< x OK done\n"
	    "a> thread references us-ascii all\na< * THREAD (3 1)(2 4)\na< x OK done\n"
	    "a> thread refs utf-8 all\na< * THREAD (2)(3 1)(4)\na< x OK done\n"
	    "a> uid thread references utf-8 unseen\na< * THREAD (3 5)(2)\na< x OK done\n"
	    "a> thread references utf-8 text nothing\na< * THREAD\na< x OK done\n"           /* rfc/5256:654 */
	    "a> thread bogus utf-8 all\na< x BAD ...\na> thread references all\na< x BAD ...\n"
	    "a> thread references latin1 all\na< x NO [BADCHARSET (US-ASCII UTF-8)] unknown charset\n");
	rig_stop(&r);
}

/* --- the algorithms --- */

struct one {
	const char *id, *references, *subject;
	int sent;
	bool response;
};

static void
check(enum thread_algorithm how, const struct one *v, size_t n, const char *want)
{
	struct thread_message *m = ARENA_NEWN(test_arena(), n, struct thread_message);
	struct buf b = BUF_ARENA(test_arena(), 1 << 20);

	for (size_t i = 0; i < n; i++) {
		m[i] = (struct thread_message){
			.number = (uint32_t)i + 1, .sent_us = v[i].sent, .received_us = v[i].sent,
			.subject = str_of(v[i].subject), .is_response = v[i].response, .id = str_of(v[i].id),
		};
		for (struct str rest = str_of(v[i].references); rest.n > 0;)
			strlist_add(test_arena(), &m[i].references, str_split(&rest, ' '));
	}
	imapserver_thread_messages(test_arena(), how, m, n, &b);
	assert_strz(buf_str(&b), want);
}
#define CHECK(how, want, ...) \
	check(how, (struct one[]){ __VA_ARGS__ }, ARRAY_LEN(((struct one[]){ __VA_ARGS__ })), want)

TEST(thread_references)
{
	/* The tree of rfc/5256:719, in its own numbers: 2; 3-6-(4-23, 44-7-96). */
	CHECK(THREAD_REFS, "(1)(2 5 (3 6)(7 4 8))",
	    { "a", "", "A", 1, false }, { "b", "", "B", 2, false }, { "d", "b c", "D", 4, false },
	    { "f", "b c e", "F", 6, false }, { "c", "b", "C", 3, false }, { "g", "b c d", "G", 7, false },
	    { "e", "b c", "E", 5, false }, { "h", "b c e f", "H", 8, false });
	/* Siblings of a message that is not there: rfc/5256:746 */
	CHECK(THREAD_REFERENCES, "((1)(2))", { "a", "x", "A", 1, false }, { "b", "x", "B", 2, false });
	/* A dummy with one child goes, also a chain of them: rfc/5256:529 */
	CHECK(THREAD_REFERENCES, "(1)", { "a", "x y z", "A", 1, false });
	CHECK(THREAD_REFERENCES, "(1 2)", { "a", "", "A", 1, false }, { "b", "a x y", "B", 2, false });
	CHECK(THREAD_REFERENCES, "(1 (2)(3))", { "a", "", "A", 1, false }, { "b", "a x", "B", 2, false }, { "c",
	    "a x", "C", 3, false });
	/* No loops: rfc/5256:490 */
	CHECK(THREAD_REFERENCES, "(2 1)", { "a", "b", "A", 1, false }, { "b", "a", "B", 2, false });
	CHECK(THREAD_REFERENCES, "(1)", { "a", "a", "A", 1, false });
	CHECK(THREAD_REFERENCES, "(2 3 1)", { "a", "b c", "A", 1, false }, { "b", "c a", "B", 2, false }, { "c",
	    "a b", "C", 3, false });
	/* A Message-ID counts once; the own last reference wins: rfc/5256:471 rfc/5256:497 */
	CHECK(THREAD_REFERENCES, "(1 3)(2)", { "a", "", "A", 1, false }, { "a", "", "X", 2, false }, { "b", "a",
	    "B", 3, false });
	CHECK(THREAD_REFERENCES, "(1 2 3)", { "a", "", "A", 1, false }, { "b", "", "B", 2, false }, { "c", "a b",
	    "C", 3, false });
	CHECK(THREAD_REFERENCES, "(1)(2)", { "", "", "A", 1, false }, { "", "", "B", 2, false });
	check(THREAD_REFERENCES, NULL, 0, "");
}

TEST(thread_subjects)
{
	/* rfc/5256:623: a reply under the message; rfc/5256:628: equals under a dummy */
	CHECK(THREAD_REFERENCES, "(1 2)", { "a", "", "S", 1, false }, { "b", "", "S", 2, true });
	CHECK(THREAD_REFERENCES, "(2 1)", { "a", "", "S", 1, true }, { "b", "", "S", 2, false });
	CHECK(THREAD_REFERENCES, "((1)(2))", { "a", "", "S", 1, false }, { "b", "", "S", 2, false });
	CHECK(THREAD_REFERENCES, "((1)(2)(3))", { "a", "", "S", 1, false }, { "b", "", "S", 2, false }, { "c", "",
	    "S", 3, true });
	CHECK(THREAD_REFERENCES, "(1)(2)", { "a", "", "", 1, false }, { "b", "", "", 2, false });
	/* rfc/5256:604: dummies are joined */
	CHECK(THREAD_REFERENCES, "((1)(2)(3)(4))",
	    { "a", "x", "S", 1, false }, { "b", "x", "S", 2, false }, { "c", "y", "S", 3, false }, { "d", "y", "S",
	    4, false });
	CHECK(THREAD_REFERENCES, "((1)(2)(3))", { "a", "x", "S", 1, false }, { "b", "x", "S", 2, false }, { "c", "",
	    "S", 3, false });
	/* Order by date, then by number: rfc/5256:638 */
	CHECK(THREAD_REFERENCES, "(3)(2)(1)", { "a", "", "A", 3, false }, { "b", "", "B", 2, false }, { "c", "",
	    "C", 1, false });
	CHECK(THREAD_REFERENCES, "(1 (3)(2))", { "a", "", "A", 5, false }, { "b", "a", "B", 4, false }, { "c", "a",
	    "C", 3, false });
	/* REFS leaves subjects alone, and looks at the newest of a thread. */
	CHECK(THREAD_REFS, "(2)(1 3)", { "a", "", "S", 1, false }, { "b", "", "S", 2, false }, { "c", "a", "S", 3,
	    true });
	CHECK(THREAD_ORDEREDSUBJECT, "(3)(1 (2)(4))",                                    /* rfc/5256:360 */
	    { "a", "", "S", 2, false }, { "b", "", "S", 3, false }, { "c", "", "T", 1, false }, { "d", "", "S", 4,
	    false });
}

/* A chain as long as a mailbox, in both orders, and a star: nothing recurses, nothing is quadratic. */
TEST(thread_long)
{
	const size_t n = 20000;
	struct one *v = ARENA_NEWN(test_arena(), n, struct one);
	struct buf up = BUF_ARENA(test_arena(), 1 << 20), down = BUF_ARENA(test_arena(), 1 << 20);

	for (size_t i = 0; i < n; i++) {
		v[i] = (struct one){ rig_fmt("m%zu", i), i > 0 ? rig_fmt("m%zu", i - 1) : "", "s", 1, false };
		buf_addf(&up, "%s%zu", i > 0 ? " " : "(", i + 1);
		buf_addf(&down, "%s%zu", i > 0 ? " " : "(", n - i);
	}
	buf_addc(&up, ')');
	buf_addc(&down, ')');
	check(THREAD_REFS, v, n, str_z(test_arena(), buf_str(&up)));
	for (size_t i = 0; i < n; i++)
		v[i] = (struct one){ rig_fmt("m%zu", n - i), i + 1 < n ? rig_fmt("m%zu", n - i - 1) : "", "s", 1,
		    false };
	check(THREAD_REFS, v, n, str_z(test_arena(), buf_str(&down)));
}
