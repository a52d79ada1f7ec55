/* SPDX-License-Identifier: MIT */
#include "smtp/smtp.h"

#include "testutil/testutil.h"

/*
 * All ways to end, or to seem to end, message data. What follows the end must be left. A peer that
 * takes another form as the end would see a smuggled command.
 */
TEST(dot)
{
	static const struct {
		const char *in, *out;
		size_t left;                    /* bytes not taken */
		enum smtp_dot_bad bad;
		bool done;
	} rows[] = {
		{ ".\r\n", "", 0, SMTP_DOT_GOOD, true },                                // rfc/5321:2004
		{ "a\r\n.\r\n", "a\r\n", 0, SMTP_DOT_GOOD, true },
		{ "a\r\n.\r\nQUIT\r\n", "a\r\n", 6, SMTP_DOT_GOOD, true },
		{ "a\r\nb\r\n.\r\n", "a\r\nb\r\n", 0, SMTP_DOT_GOOD, true },
		{ "..\r\n.\r\n", ".\r\n", 0, SMTP_DOT_GOOD, true },                     // rfc/5321:3436
		{ "a\r\n..b\r\n.\r\n", "a\r\n.b\r\n", 0, SMTP_DOT_GOOD, true },
		{ "a\r\n.b\r\n.\r\n", "a\r\nb\r\n", 0, SMTP_DOT_GOOD, true },
		{ "a\r\n...\r\n.\r\n", "a\r\n..\r\n", 0, SMTP_DOT_GOOD, true },
		{ "a.\r\n.\r\n", "a.\r\n", 0, SMTP_DOT_GOOD, true },
		{ "a", "a", 0, SMTP_DOT_GOOD, false },
		{ "a\r\n.", "a\r\n", 0, SMTP_DOT_GOOD, false },
		{ "a\r\n.\r", "a\r\n", 0, SMTP_DOT_GOOD, false },
		/* A bare LF is content and becomes CRLF. */
		{ "a\nb\r\n.\r\n", "a\r\nb\r\n", 0, SMTP_DOT_GOOD, true },
		{ "\n\r\n.\r\n", "\r\n\r\n", 0, SMTP_DOT_GOOD, true },
		{ "a\n..b\r\n.\r\n", "a\r\n..b\r\n", 0, SMTP_DOT_GOOD, true },
		{ "a\n.b\r\n.\r\n", "a\r\n.b\r\n", 0, SMTP_DOT_GOOD, true },
		/* A lone dot beside a bare LF is an attempt to smuggle. */
		{ "a\n.\nMAIL\r\n.\r\nQ", "a\r\n", 1, SMTP_DOT_BARE_LF_DOT, true },
		{ "a\n.\r\nMAIL\r\n.\r\n", "a\r\n", 0, SMTP_DOT_BARE_LF_DOT, true },
		{ "a\n.\r\n.\r\n", "a\r\n", 0, SMTP_DOT_BARE_LF_DOT, true },
		{ "a\r\n.\nMAIL\r\n.\r\n", "a\r\n", 0, SMTP_DOT_BARE_LF_DOT, true },
		{ ".\nMAIL\r\n.\r\n", "", 0, SMTP_DOT_BARE_LF_DOT, true },
		{ "\n.\n.\r\n.\r\n", "\r\n", 0, SMTP_DOT_BARE_LF_DOT, true },
		/* A bare CR anywhere. */
		{ "a\rb\r\n.\r\n", "a", 0, SMTP_DOT_BARE_CR, true },
		{ "a\r\r\n.\r\n", "a", 0, SMTP_DOT_BARE_CR, true },
		{ "a\r.\r\n.\r\n", "a", 0, SMTP_DOT_BARE_CR, true },
		{ "a\r.\rMAIL\r\n.\r\n", "a", 0, SMTP_DOT_BARE_CR, true },
		{ "a\r\n.\rMAIL\r\n.\r\n", "a\r\n", 0, SMTP_DOT_BARE_CR, true },
		{ "a\r\n.\r\rMAIL\r\n.\r\n", "a\r\n", 0, SMTP_DOT_BARE_CR, true },
		{ "a\r\n\r.\r\n.\r\n", "a\r\n", 0, SMTP_DOT_BARE_CR, true },
		{ "a\n.\r.\r\n.\r\n", "a\r\n", 0, SMTP_DOT_BARE_CR, true },
		{ "\r.\r\n.\r\n", "", 0, SMTP_DOT_BARE_CR, true },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct str in = str_of(rows[i].in);
		/* Whole, byte by byte, and cut once at every place. */
		for (size_t cut = 0; cut <= in.n + 1; cut++) {
			struct smtp_dot d = { 0 };
			struct buf out = BUF_ARENA(test_arena(), 1000);
			size_t took = 0;
			test_row("%zu cut %zu", i, cut);
			if (cut > in.n) {
				while (took < in.n && !d.done)
					took += smtp_dot_feed(&d, test_exact(str_upto(str_from(in, took), 1)), &out);
			} else {
				took = smtp_dot_feed(&d, test_exact(str_upto(in, cut)), &out);
				if (took == cut)
					took += smtp_dot_feed(&d, test_exact(str_from(in, cut)), &out);
			}
			assert_int_equal(in.n - took, rows[i].left);
			assert_int_equal(d.bad, rows[i].bad);
			assert_int_equal(d.done, rows[i].done);
			/* Of a bad message what came before the fault may have been given out, or less. */
			if (d.bad == SMTP_DOT_GOOD)
				assert_strz(buf_str(&out), rows[i].out);
			else
				assert_true(out.n <= strlen(rows[i].out) + 2);
			if (d.bad == SMTP_DOT_GOOD)
				assert_int_equal(d.content.size_out, out.n);
		}
	}
}

TEST(dot_counts)
{
	struct smtp_dot d = { 0 };
	struct buf out = BUF_ARENA(test_arena(), 1000);

	smtp_dot_feed(&d, S("Subject: x\n\n..b\xff\r\n.\r\n"), &out);
	assert_true(d.done);
	assert_int_equal(d.content.size_in, 18);        /* the dot after a bare LF is not stuffed */
	assert_int_equal(d.content.size_out, 20);
	assert_true(d.content.has_8bit);
	assert_true(d.content.has_body);
	assert_true(d.content.bare_lf);
	assert_int_equal(d.content.header_size, 14);
}

/* A CRLF cut by the end of a buffer is no bare CR, whatever the buffer's size. */
TEST(dot_long_lines)
{
	for (size_t len = 4090; len < 4100; len++) {
		struct smtp_dot d = { 0 };
		struct buf in = BUF_ARENA(test_arena(), 10000), out = BUF_ARENA(test_arena(), 10000);
		for (size_t i = 0; i < len; i++)
			buf_addc(&in, 'x');
		buf_addz(&in, "\r\n.\r\n");
		smtp_dot_feed(&d, str_upto(buf_str(&in), 4096), &out);
		smtp_dot_feed(&d, str_from(buf_str(&in), 4096), &out);
		assert_true(d.done);
		assert_int_equal(d.bad, SMTP_DOT_GOOD);
		assert_int_equal(out.n, len + 2);
	}
}

TEST(content)
{
	static const struct {
		const char *in, *out;
		int64_t header;
		bool body, lf, cr, bit8;
	} rows[] = {
		{ "", "", 0, false, false, false, false },
		{ "a: b\r\n\r\nbody\r\n", "a: b\r\n\r\nbody\r\n", 8, true, false, false, false },
		{ "a: b\r\n", "a: b\r\n", 6, false, false, false, false },
		{ "\r\nbody", "\r\nbody", 2, true, false, false, false },
		{ "\nbody", "\r\nbody", 2, true, true, false, false },
		{ "a\n\nb\n", "a\r\n\r\nb\r\n", 5, true, true, false, false },
		{ "a\r\n\nb", "a\r\n\r\nb", 5, true, true, false, false },
		{ "a\n\r\nb", "a\r\n\r\nb", 5, true, true, false, false },
		{ "a\rb\r\n", "a\rb\r\n", 5, false, false, true, false },
		{ "a\r\r\n", "a\r\r\n", 4, false, false, true, false },
		{ "a\r", "a\r", 2, false, false, false, false },
		{ "\r\r\n", "\r\r\n", 3, false, false, true, false },
		{ "a\xc3\xb6\r\n", "a\xc3\xb6\r\n", 5, false, false, false, true },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct str in = str_of(rows[i].in);
		for (size_t cut = 0; cut <= in.n + 1; cut++) {
			struct smtp_content w = { 0 };
			struct buf out = BUF_ARENA(test_arena(), 1000);
			test_row("%zu cut %zu", i, cut);
			for (size_t k = 0; cut > in.n && k < in.n; k++)
				smtp_content_add(&w, test_exact(str_upto(str_from(in, k), 1)), &out);
			if (cut <= in.n) {
				smtp_content_add(&w, test_exact(str_upto(in, cut)), &out);
				smtp_content_add(&w, test_exact(str_from(in, cut)), &out);
			}
			assert_strz(buf_str(&out), rows[i].out);
			assert_int_equal(w.size_in, in.n);
			assert_int_equal(w.size_out, out.n);
			assert_int_equal(w.header_size, rows[i].header);
			assert_int_equal(w.has_body, rows[i].body);
			assert_int_equal(w.bare_lf, rows[i].lf);
			assert_int_equal(w.bare_cr, rows[i].cr);
			assert_int_equal(w.has_8bit, rows[i].bit8);
		}
	}
}

TEST(stuff)
{
	static const struct {
		const char *in, *out;           /* NULL: refused */
	} rows[] = {
		{ "", ".\r\n" },
		{ "a\r\n", "a\r\n.\r\n" },
		{ ".\r\n", "..\r\n.\r\n" },
		{ "..a\r\n.b\r\nc.\r\n", "...a\r\n..b\r\nc.\r\n.\r\n" },
		{ "\r\n", "\r\n.\r\n" },
		{ "a", NULL },
		{ "a\n", NULL },
		{ "a\r", NULL },
		{ "a\rb\r\n", NULL },
		{ "a\r\r\n", NULL },
		{ "\n", NULL },
		{ "a\r\n.\n", NULL },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct str in = str_of(rows[i].in);
		for (size_t cut = 0; cut <= in.n + 1; cut++) {
			struct smtp_stuff w = { 0 };
			struct buf out = BUF_ARENA(test_arena(), 1000);
			int rc = 0;
			test_row("%zu cut %zu", i, cut);
			for (size_t k = 0; cut > in.n && k < in.n && rc == 0; k++)
				rc = smtp_stuff_add(&w, test_exact(str_upto(str_from(in, k), 1)), &out);
			if (cut <= in.n) {
				rc = smtp_stuff_add(&w, test_exact(str_upto(in, cut)), &out);
				if (rc == 0)
					rc = smtp_stuff_add(&w, test_exact(str_from(in, cut)), &out);
			}
			if (rc == 0)
				rc = smtp_stuff_end(&w, &out);
			assert_int_equal(rc, rows[i].out ? 0 : ERR_INVALID);
			if (rc < 0)
				continue;
			assert_strz(buf_str(&out), rows[i].out);
			/* Reading gives back what was written. */
			struct smtp_dot d = { 0 };
			struct buf back = BUF_ARENA(test_arena(), 1000);
			assert_int_equal(smtp_dot_feed(&d, buf_str(&out), &back), out.n);
			assert_true(d.done);
			assert_str(buf_str(&back), in);
		}
	}
}
