/* SPDX-License-Identifier: MIT */
#include "testutil/testutil.h"

#include "base/buf.h"
#include "base/err.h"
#include "base/limits.h"
#include "imap/frame.h"

static const struct imap_framer session = { .max_line = 100, .max_literal = 50, .max_nonsync = 50, .max_literals = 300, .max_command = 400 };
static const struct imap_framer before_login = { .max_line = 100, .max_literal = 50, .max_nonsync = 20, .max_literals = 120, .max_command = 120 };

/*
 * Feeds the input, `step` octets more at a time, and writes what comes: "+" for a continuation, "[data]" for a unit
 * with letters for its flags, "!" for an error. Octets of message data are taken as the spool would.
 */
static struct str
events(const struct imap_framer *limits, struct str in, size_t step, bool lines)
{
	struct imap_framer f = *limits;
	struct buf out = BUF_ARENA(test_arena(), 1 << 20);
	size_t start = 0, have = 0;
	uint64_t skip = 0;

	f.lines = lines;
	while (have < in.n) {
		have = MIN(have + step, in.n);
		for (;;) {
			size_t skipped = MIN(skip, have - start);
			start += skipped;
			skip -= skipped;
			if (skip > 0)
				break;
			struct imap_unit u = { 0 };
			int r = imap_frame(&f, test_exact(str_n(in.p + start, have - start)), &u);
			if (r == IMAP_FRAME_MORE)
				break;
			if (r < 0) {
				assert_int_equal(r, ERR_LIMIT);
				buf_addc(&out, '!');
				return buf_str(&out);
			}
			if (r == IMAP_FRAME_CONTINUE) {
				buf_addc(&out, '+');
				continue;
			}
			buf_addf(&out, "%s%s%s%s%s[" STRF "]", u.flags & IMAP_UNIT_MESSAGE ? "M" : "", u.flags & IMAP_UNIT_SYNC ? "s" : "",
			    u.flags & IMAP_UNIT_LITERAL8 ? "8" : "", u.flags & IMAP_UNIT_CONTINUED ? "c" : "", u.flags & IMAP_UNIT_TOOBIG ? "T" : "",
			    STRA(u.data));
			start += u.used;
			if (u.flags & IMAP_UNIT_MESSAGE)
				skip = u.literal;
		}
	}
	return buf_str(&out);
}

TEST(frame)
{
	static const struct {
		const char *in, *want;
		bool lines;
	} rows[] = {
		{ "a noop\r\n", "[a noop]", false },
		{ "a noop\nb noop\n", "[a noop][b noop]", false },                                      /* LF alone ends a line */
		{ "\r\n\n", "[][]", false },
		{ "a noop", "", false },
		{ "a login {3}\r\njoe {2}\r\npw\r\n", "++[a login {3}\r\njoe {2}\r\npw]", false },      /* rfc/9051:6655 */
		{ "a login {3+}\r\njoe {2+}\r\npw\r\nb noop\r\n", "[a login {3+}\r\njoe {2+}\r\npw][b noop]", false }, /* rfc/7888:163 */
		{ "a x {0}\r\n\r\n", "+[a x {0}\r\n]", false },
		{ "a x {2}\r\n\r\n\r\n", "+[a x {2}\r\n\r\n]", false },                                 /* line ends inside the literal */
		{ "a x {5}\r\n{2}\r\n\r\n", "+[a x {5}\r\n{2}\r\n]", false },                           /* what looks like an announcement inside */
		{ "a x {5\r\n", "[a x {5]", false },
		{ "a x 5}\r\n", "[a x 5}]", false },
		{ "a x {}\r\n", "[a x {}]", false },
		{ "a x {+}\r\n", "[a x {+}]", false },
		{ "a x {9223372036854775808}\r\n", "[a x {9223372036854775808}]", false },              /* no number64 */
		{ "a x {51}\r\nb y\r\n", "sT[a x {51}][b y]", false },
		{ "a x {51+}\r\n", "T[a x {51+}]", false },
		{ "a x ~{2}\r\n\0\0\r\n", "+[a x ~{2}\r\n", false },
		/* Message data: rfc/9051:6325. The mailbox may be a literal itself. */
		{ "a append box {5}\r\nhello\r\nb noop\r\n", "Ms[a append box {5}]c[][b noop]", false },
		{ "a APPEND {3}\r\nbox {5+}\r\nhello\r\n", "+M[a APPEND {3}\r\nbox {5+}]c[]", false },
		{ "a append box (\\Seen) \"x\" ~{500+}\r\n", "M8[a append box (\\Seen) \"x\" ~{500+}]", false },
		{ "a append box {2}\r\nhi {3}\r\nyou\r\n", "Ms[a append box {2}]Msc[ {3}]c[]", false },   /* rfc/3502:220 */
		{ "a append box utf8 (~{2+}\r\nhi)\r\n", "M8[a append box utf8 (~{2+}]c[)]", false },
		{ "a append \"b x\" {2+}\r\nhi\r\n", "M[a append \"b x\" {2+}]c[]", false },
		{ "a append  {2+}\r\nhi\r\n", "M[a append  {2+}]c[]", false },                          /* malformed: the handler sees it first */
		{ "a replace 4 {3}\r\nbox {2}\r\nhi\r\n", "+Ms[a replace 4 {3}\r\nbox {2}]c[]", false },
		{ "a replace 4 box {2}\r\nhi\r\n", "Ms[a replace 4 box {2}]c[]", false },
		{ "a uid replace 4 {3+}\r\nbox {2}\r\nhi\r\n", "Ms[a uid replace 4 {3+}\r\nbox {2}]c[]", false },
		{ "a uid fetch {3+}\r\nbox {2}\r\nhi\r\n", "+[a uid fetch {3+}\r\nbox {2}\r\nhi]", false },
		{ "a appendix {3+}\r\nbox\r\n", "[a appendix {3+}\r\nbox]", false },
		/* Inside IDLE and AUTHENTICATE nothing is a literal. */
		{ "done {3}\r\n=\r\n", "[done {3}][=]", true },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		test_row("%s", rows[i].in);
		struct str in = str_of(rows[i].in);
		if (strstr(rows[i].in, "~{2}"))
			in = S("a x ~{2}\r\n\0\0\r\n");
		for (size_t step = 1; step <= in.n; step++) {
			struct str got = events(&session, in, step, rows[i].lines);
			assert_str(str_upto(got, strlen(rows[i].want)), str_of(rows[i].want));
			if (!strstr(rows[i].in, "~{2}"))
				assert_int_equal(got.n, strlen(rows[i].want));
		}
	}
}

TEST(frame_limits)
{
	struct str line = str_fmt(test_arena(), "a %0*d\r\n", 96, 0);

	assert_int_equal(line.n, 100);
	for (size_t step = 1; step <= 101; step += 10) {
		assert_strz(str_upto(events(&session, line, step, false), 1), "[");
		assert_strz(events(&session, str_fmt(test_arena(), "x" STRF, STRA(line)), step, false), "!");
		assert_strz(events(&session, str_fmt(test_arena(), "x%0200d", 0), step, false), "!");
		/* LITERAL-: rfc/7888:277 */
		assert_strz(events(&before_login, S("a login {21+}\r\n"), step, false), "T[a login {21+}]");
		assert_strz(events(&before_login, S("a login {21}\r\n"), step, false), "+");
		/* All literals together: two of 45 fit into 120 octets, then a third does not. */
		struct str two = str_fmt(test_arena(), "a b {45}\r\n%045d {45}\r\n%045d {20}\r\n", 0, 0);
		assert_strz(str_upto(events(&before_login, two, step, false), 4), "++sT");
		struct str one = str_fmt(test_arena(), "a b {45}\r\n%045d %080d\r\n", 0, 0);
		assert_strz(events(&before_login, one, step, false), "+!");
	}
}

TEST(frame_literal_octets)
{
	struct imap_framer f = { .max_line = 100, .max_literal = 50, .max_nonsync = 50, .max_literals = 100, .max_command = 1000 };
	struct imap_unit u = { 0 };

	struct str full = str_fmt(test_arena(), "a x {50+}\r\n%050d {50+}\r\n%050d", 0, 0);
	assert_int_equal(imap_frame(&f, str_cat(test_arena(), full, S(" {1+}\r\n")), &u), IMAP_FRAME_UNIT);
	assert_int_equal(u.flags, IMAP_UNIT_TOOBIG);
	assert_int_equal(imap_frame(&f, str_cat(test_arena(), full, S("\r\n")), &u), IMAP_FRAME_UNIT);
	assert_int_equal(u.flags, 0);
}

TEST(frame_literal_count)
{
	struct imap_framer f = { .max_line = 100, .max_literal = 50, .max_nonsync = 50,
	    .max_literals = LIMIT_IMAP_COMMAND, .max_command = LIMIT_IMAP_COMMAND };
	struct buf b = BUF_ARENA(test_arena(), 1 << 20);
	struct imap_unit u = { 0 };

	buf_addz(&b, "a x");
	for (int i = 0; i < LIMIT_IMAP_LITERALS; i++)
		buf_addz(&b, " {1+}\r\nx");
	size_t full = b.n;
	buf_addz(&b, "\r\n");
	assert_int_equal(imap_frame(&f, buf_str(&b), &u), IMAP_FRAME_UNIT);
	assert_int_equal(u.flags, 0);
	assert_int_equal(u.data.n, full);
	buf_truncate(&b, full);
	buf_addz(&b, " {1}\r\n");
	assert_int_equal(imap_frame(&f, buf_str(&b), &u), IMAP_FRAME_UNIT);
	assert_int_equal(u.flags, IMAP_UNIT_TOOBIG | IMAP_UNIT_SYNC);
	/* The stream goes on with a new command. */
	assert_int_equal(imap_frame(&f, S("b noop\r\n"), &u), IMAP_FRAME_UNIT);
	assert_strz(u.data, "b noop");
}

TEST(frame_refused_message)
{
	struct imap_framer f = session;
	struct imap_unit u = { 0 };

	assert_int_equal(imap_frame(&f, S("a append nobox {5}\r\n"), &u), IMAP_FRAME_UNIT);
	assert_int_equal(u.flags, IMAP_UNIT_MESSAGE | IMAP_UNIT_SYNC);
	assert_int_equal(u.literal, 5);
	imap_frame_end_command(&f);
	assert_int_equal(imap_frame(&f, S("b noop\r\n"), &u), IMAP_FRAME_UNIT);
	assert_int_equal(u.flags, 0);
}
