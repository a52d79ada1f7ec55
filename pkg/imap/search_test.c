/* SPDX-License-Identifier: MIT */
#include "testutil/testutil.h"

#include "base/buf.h"
#include "base/limits.h"
#include "imap/imap.h"

static void
key_text(struct buf *b, const struct imap_search *k)
{
	static const char *const names[] = {
		[IMAP_SEARCH_ALL] = "all", [IMAP_SEARCH_NONE] = "none", [IMAP_SEARCH_AND] = "and", [IMAP_SEARCH_OR] = "or", [IMAP_SEARCH_NOT] = "not",
		[IMAP_SEARCH_SEQ] = "seq", [IMAP_SEARCH_UID] = "uid", [IMAP_SEARCH_FLAG] = "flag", [IMAP_SEARCH_BEFORE] = "before", [IMAP_SEARCH_ON] = "on",
		[IMAP_SEARCH_SINCE] = "since", [IMAP_SEARCH_OLDER] = "older", [IMAP_SEARCH_YOUNGER] = "younger", [IMAP_SEARCH_LARGER] = "larger",
		[IMAP_SEARCH_SMALLER] = "smaller", [IMAP_SEARCH_HEADER] = "header", [IMAP_SEARCH_BODY] = "body", [IMAP_SEARCH_TEXT] = "text",
		[IMAP_SEARCH_MODSEQ] = "modseq", [IMAP_SEARCH_SAVEDATESUPPORTED] = "savedatesupported",
	};
	static const char *const dates[] = { "internal", "sent", "saved" };

	buf_addz(b, names[k->op]);
	if (k->set.saved)
		buf_addz(b, " $");
	if (k->set.n > 0) {
		buf_addc(b, ' ');
		imap_add_ranges(b, k->set.v, k->set.n);
	}
	if (k->op == IMAP_SEARCH_BEFORE || k->op == IMAP_SEARCH_ON || k->op == IMAP_SEARCH_SINCE)
		buf_addf(b, " %s %d", dates[k->date], (int)k->day);
	if (k->field.n > 0)
		buf_addf(b, " " STRF ":", STRA(k->field));
	if (k->s.n > 0)
		buf_addf(b, " " STRF, STRA(k->s));
	if (k->op == IMAP_SEARCH_OLDER || k->op == IMAP_SEARCH_YOUNGER || k->op == IMAP_SEARCH_LARGER || k->op == IMAP_SEARCH_SMALLER ||
	    k->op == IMAP_SEARCH_MODSEQ)
		buf_addf(b, " %llu", (unsigned long long)k->n);
	if (k->sub) {
		buf_addc(b, '(');
		for (const struct imap_search *s = k->sub; s; s = s->next) {
			key_text(b, s);
			if (s->next)
				buf_addz(b, ", ");
		}
		buf_addc(b, ')');
	}
}

TEST(search_program)
{
	static const struct {
		const char *in, *want, *charset;
	} rows[] = {
		{ "ALL", "all", "" },
		{ "FLAGGED SINCE 1-Feb-1994 NOT FROM \"Smith\"", "and(flag \\Flagged, since internal 8797, not(header From: Smith))", "" }, /* rfc/9051:4162 */
		{ "TEXT \"string not in mailbox\"", "text string not in mailbox", "" },
		{ "CHARSET UTF-8 TEXT {6}\r\n\xd0\xbc\xd0\xb0\xd0\xbc", "text \xd0\xbc\xd0\xb0\xd0\xbc", "UTF-8" },
		{ "charset \"us-ascii\" seen", "flag \\Seen", "us-ascii" },
		{ "1:3,5", "seq 1:3,5", "" },
		{ "*", "seq 0", "" },
		{ "$", "seq $", "" },
		{ "UID 1:*", "uid 1:0", "" },
		{ "UID $", "uid $", "" },
		{ "unseen undeleted unflagged unanswered undraft",
		    "and(not(flag \\Seen), not(flag \\Deleted), not(flag \\Flagged), not(flag \\Answered), not(flag \\Draft))", "" },
		{ "keyword $Forwarded unkeyword x", "and(flag $Forwarded, not(flag x))", "" },
		{ "new old recent", "and(none, all, none)", "" },
		{ "or seen (1 draft)", "or(flag \\Seen, and(seq 1, flag \\Draft))", "" },
		{ "or or 1 2 or 3 4", "or(or(seq 1, seq 2), or(seq 3, seq 4))", "" },
		{ "((1))", "seq 1", "" },
		{ "not not 1", "not(not(seq 1))", "" },
		{ "bcc x cc y to z subject w", "and(header Bcc: x, header Cc: y, header To: z, header Subject: w)", "" },
		{ "header X-Foo \"\"", "header X-Foo:", "" },
		{ "before 1-Jan-1970 on 2-Jan-1970 sentbefore 3-Jan-1970 senton 4-Jan-1970 sentsince \"5-Jan-1970\"",
		    "and(before internal 0, on internal 1, before sent 2, on sent 3, since sent 4)", "" },
		{ "savedbefore 1-Jan-1970 savedon 1-Jan-1970 savedsince 1-Jan-1970 savedatesupported",
		    "and(before saved 0, on saved 0, since saved 0, savedatesupported)", "" },          /* rfc/8514:267 */
		{ "older 10 younger 4294967295", "and(older 10, younger 4294967295)", "" },             /* rfc/5032:100 */
		{ "larger 0 smaller 9223372036854775807", "and(larger 0, smaller 9223372036854775807)", "" },
		{ "modseq 620162338", "modseq 620162338", "" },                                         /* rfc/7162:2499 */
		{ "MODSEQ \"/flags/\\\\draft\" all 620162338", "modseq 620162338", "" },
		{ "modseq 0", "modseq 0", "" },
		{ "", NULL, NULL },
		{ "()", NULL, NULL },
		{ "(1", NULL, NULL },
		{ "1 ", NULL, NULL },
		{ "1  2", NULL, NULL },
		{ "bogus", NULL, NULL },
		{ "not", NULL, NULL },
		{ "or 1", NULL, NULL },
		{ "older 0", NULL, NULL },
		{ "since", NULL, NULL },
		{ "since x", NULL, NULL },
		{ "keyword \\Seen", NULL, NULL },
		{ "modseq \"/flags/x\" 1", NULL, NULL },
		{ "charset utf-8", NULL, NULL },
		{ "all)", NULL, NULL },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct str in = str_of(rows[i].in);
		test_row("%s", rows[i].in);
		for (size_t n = 0; n <= in.n; n++) {
			struct cur c = cur_in(test_arena(), test_exact(str_upto(in, n)));
			struct imap_search *k = NULL;
			struct str charset = { 0 };
			imap_search_program(&c, &k, &charset);
			if (n < in.n)
				continue;
			assert_int_equal(cur_ok(&c), rows[i].want != NULL);
			if (!rows[i].want)
				continue;
			struct buf b = BUF_ARENA(test_arena(), 1 << 16);
			key_text(&b, k);
			assert_strz(buf_str(&b), rows[i].want);
			assert_strz(charset, rows[i].charset);
		}
	}
}

TEST(search_depth)
{
	for (int n = LIMIT_IMAP_DEPTH - 1; n <= LIMIT_IMAP_DEPTH; n++) {
		struct buf b = BUF_ARENA(test_arena(), 1 << 16);
		for (int i = 0; i < n; i++)
			buf_addz(&b, i & 1 ? "not " : "(");
		buf_addz(&b, "1");
		for (int i = 0; i < n; i += 2)
			buf_addc(&b, ')');
		struct cur c = cur_in(test_arena(), buf_str(&b));
		struct imap_search *k = NULL;
		struct str charset;
		imap_search_program(&c, &k, &charset);
		assert_int_equal(cur_ok(&c), n < LIMIT_IMAP_DEPTH);
	}
}

TEST(search_return)
{
	static const struct {
		const char *in;
		unsigned want;
		bool ok;
	} rows[] = {
		{ "RETURN ()", IMAP_RETURN_ALL, true },                 /* rfc/4731:149 */
		{ "return (min max)", IMAP_RETURN_MIN | IMAP_RETURN_MAX, true },
		{ "RETURN (ALL COUNT SAVE COUNT)", IMAP_RETURN_ALL | IMAP_RETURN_COUNT | IMAP_RETURN_SAVE, true },
		{ "RETURN (MIN", 0, false },
		{ "RETURN ( MIN)", 0, false },
		{ "RETURN (BOGUS)", 0, false },
		{ "RETURN", 0, false },
		{ "RETURN(MIN)", 0, false },
		{ "RETURN (PARTIAL 1:5)", IMAP_RETURN_PARTIAL, true },          /* rfc/9394:327 */
		{ "RETURN (COUNT PARTIAL -100:-1 MIN)",
		    IMAP_RETURN_PARTIAL | IMAP_RETURN_COUNT | IMAP_RETURN_MIN, true },
		/* rfc/9394:149 */
		{ "RETURN (PARTIAL 1:5 ALL)", 0, false }, { "RETURN (PARTIAL 1:5 PARTIAL 6:9)", 0, false },
		{ "RETURN (PARTIAL 1:*)", 0, false }, { "RETURN (PARTIAL -1:5)", 0, false },
		{ "RETURN (PARTIAL 1:-5)", 0, false },
		{ "RETURN (PARTIAL 0:5)", 0, false }, { "RETURN (PARTIAL 5)", 0, false },
		{ "RETURN (PARTIAL)", 0, false },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct cur c = cur_in(test_arena(), test_exact(str_of(rows[i].in)));
		test_row("%s", rows[i].in);
		struct imap_partial partial = { 0 };
		unsigned bits = imap_search_return(&c, &partial);
		assert_int_equal(cur_done(&c), rows[i].ok);
		if (rows[i].ok)
			assert_int_equal(bits, rows[i].want);
	}
}

TEST(partial_of)
{
	static const struct { struct imap_partial p; uint64_t n, from, count; } rows[] = {
		{ { 1, 5, false }, 10, 0, 5 }, { { 5, 1, false }, 10, 0, 5 }, { { 8, 20, false }, 10, 7, 3 },
		{ { 11, 20, false }, 10, 0, 0 },
		{ { 1, 5, true }, 10, 5, 5 }, { { 5, 1, true }, 3, 0, 3 }, { { 2, 3, true }, 10, 7, 2 }, { { 11, 12, true }, 10, 0, 0 },
		{ { 1, 1, false }, 0, 0, 0 }, { { 1, 4294967295, true }, 2, 0, 2 },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		uint64_t from, count;
		test_row("%zu", i);
		imap_partial_of(&rows[i].p, rows[i].n, &from, &count);
		assert_int_equal(from, rows[i].from);
		assert_int_equal(count, rows[i].count);
	}
}

TEST(sort_criteria)
{
	static const struct { const char *in; size_t n; } rows[] = {
		{ "(DATE)", 1 }, { "(REVERSE date SUBJECT)", 2 }, { "(arrival cc date from size subject to displayfrom displayto)", 9 },
		{ "()", 0 }, { "(REVERSE)", 0 }, { "(REVERSE REVERSE DATE)", 0 }, { "(bogus)", 0 }, { "(DATE  FROM)", 0 }, { "DATE", 0 }, { "(DATE", 0 },
		{ "(date date date date date date date date date date date date date date date date date)", 0 },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct imap_sort v[IMAP_SORT_MAX];
		struct cur c = cur_in(test_arena(), test_exact(str_of(rows[i].in)));
		test_row("%s", rows[i].in);
		size_t n = imap_sort_criteria(&c, v);
		assert_int_equal(cur_done(&c), rows[i].n > 0);
		if (rows[i].n > 0)
			assert_int_equal(n, rows[i].n);
	}
}
