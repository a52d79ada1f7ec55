/* SPDX-License-Identifier: MIT */
/*
 * Bombs: what is made to cost much ends with a limit, in time and memory that the size of the message bounds.
 *
 * Work and memory are counted (test_work), so nothing here depends on the machine. Ordinary mail takes some 2
 * steps a byte, what looks worst for a parser up to 150, and what is quadratic takes thousands, so the bounds
 * leave compilers room.
 */
#include "base/enc.h"
#include "base/limits.h"
#include "base/mem.h"
#include "message/body.h"
#include "message/header.h"
#include "message/message.h"
#include "testutil/testutil.h"

#define STEPS_PER_BYTE 400
#define STEPS_MIN 2000000               /* tables, small messages */
#define MEMORY_MAX (24U << 20)          /* of a parse: what limits.h allows a result, growing arrays */

/*
 * spent checks what was done since the last call with n bytes of input. In the ordinary test program nothing is
 * counted.
 */
static void
spent(size_t n, size_t memory)
{
	static uint64_t before;
	static size_t bytes;
	struct test_work w = test_work();
	uint64_t steps = w.steps - before;

	if (n > 0 && getenv("MOX_TEST_DIFFERENCES"))
		fprintf(stderr, "%8zu bytes: %10llu steps (%.1f), %zu KiB\n", n, (unsigned long long)steps,
			(double)steps / (double)n, (w.peak - bytes) / 1024);
	if (n > 0) {
#ifdef MOX_WORK
		assert_true(steps > 0);
#endif
		assert_true(steps <= STEPS_MIN + STEPS_PER_BYTE * (uint64_t)n);
		assert_true(w.peak - bytes <= memory);
	}
	bytes = test_work().bytes;
	before = test_work().steps;
}

/* ready begins a measurement. */
static void
ready(void)
{
	spent(0, 0);
}

static struct message
parse_buf(const struct buf *b, struct message_source *src)
{
	struct message m;
	struct message_source s = message_source_mem(buf_str(b));
	struct buf out = BUF_INIT(SIZE_MAX / 2);

	ready();
	assert_ok(message_parse(test_arena(), &s, 0, &m, NULL));
	spent(b->n, MEMORY_MAX);
	message_serialize(&m, &out);
	spent(b->n, MEMORY_MAX);
	buf_done(&out);
	if (src)
		*src = s;
	return m;
}

TEST(bomb_depth)
{
	for (int n = 10000; n <= 100000; n *= 10) {
		cleanup_(buf_done) struct buf b = BUF_INIT(SIZE_MAX / 2);
		for (int i = 0; i < n; i++)
			buf_addf(&b, "Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n", i, i);
		struct message m = parse_buf(&b, NULL);
		assert_int_equal(m.nparts, LIMIT_MIME_DEPTH);
		assert_true(m.flaws & MESSAGE_FLAW_DEPTH);

		buf_reset(&b);
		for (int i = 0; i < n; i++)
			buf_addz(&b, "Content-Type: message/rfc822\r\n\r\n");
		m = parse_buf(&b, NULL);
		assert_int_equal(m.nparts, LIMIT_MIME_DEPTH);
		assert_true(m.flaws & MESSAGE_FLAW_DEPTH);
	}
}

TEST(bomb_parts)
{
	cleanup_(buf_done) struct buf b = BUF_INIT(SIZE_MAX / 2);

	buf_addz(&b, "Content-Type: multipart/mixed; boundary=b\r\n\r\n");
	for (int i = 0; i < 1000000; i++)
		buf_addz(&b, "--b\r\n\r\n");
	struct message m = parse_buf(&b, NULL);
	assert_int_equal(m.nparts, LIMIT_MIME_PARTS);
	assert_true(m.flaws & MESSAGE_FLAW_PARTS);
	assert_int_equal(m.parts[0].end_off, m.size);
}

TEST(bomb_params)
{
	cleanup_(buf_done) struct buf b = BUF_INIT(SIZE_MAX / 2);

	buf_addz(&b, "Content-Type: text/plain");
	for (int i = 0; i < 1000000; i++)
		buf_addf(&b, ";\r\n a%d*%d*=x", i % 1000, i);
	buf_addz(&b, "\r\n\r\nx");
	struct message m = parse_buf(&b, NULL);
	assert_true(m.flaws & (MESSAGE_FLAW_HEADER_SIZE | MESSAGE_FLAW_PARAMS));
	assert_true(m.parts[0].nparams <= LIMIT_HEADER_PARAMS);

	/* The most parameters in the most parts. */
	buf_reset(&b);
	buf_addz(&b, "Content-Type: multipart/mixed; boundary=b\r\n\r\n");
	for (int i = 0; i < 1000; i++) {
		buf_addz(&b, "--b\r\nContent-Type: text/plain");
		for (int k = 0; k < 260; k++)
			buf_addf(&b, ";a%x*=''x", k);
		buf_addz(&b, "\r\n\r\n");
	}
	m = parse_buf(&b, NULL);
	assert_int_equal(m.nparts, 1001);
	assert_true(m.flaws & MESSAGE_FLAW_LEFT_OUT);
}

TEST(bomb_header)
{
	cleanup_(buf_done) struct buf b = BUF_INIT(SIZE_MAX / 2);

	while (b.n < 100 * 1024 * 1024)
		buf_addz(&b, "X-Filler: xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\r\n");
	struct message m = parse_buf(&b, NULL);
	assert_true(m.flaws & MESSAGE_FLAW_HEADER_SIZE);
	assert_true(m.parts[0].body_off <= LIMIT_HEADER_SIZE);
	assert_int_equal(m.parts[0].end_off, m.size);

	/* One line of a header as long. */
	buf_reset(&b);
	buf_addz(&b, "To: ");
	while (b.n < 100 * 1024 * 1024)
		buf_addz(&b, "a@b, ");
	m = parse_buf(&b, NULL);
	assert_true(m.flaws & MESSAGE_FLAW_HEADER_SIZE);
	assert_true(m.parts[0].envelope->to.n <= LIMIT_ADDRESSES);
}

/* Headers made of what is worst for each parser. */
TEST(bomb_fields)
{
	static const char *const pieces[] = {
		"<a;", "a@b ", "\"", "(", "a:", ";", ",", "<@a,", "=?", "=?utf-8?q?",
		"=?utf-8?q?a?= ", "[", "<<", "@", "a b <", "\\", "> ", "=?a?b?", "[a] ", "(fwd)", "re:",
	};
	static const char *const names[] = { "To", "Content-Type", "Subject", "Date", "References",
		"Content-Disposition" };

	for (size_t k = 0; k < ARRAY_LEN(pieces); k++) {
		for (size_t i = 0; i < ARRAY_LEN(names); i++) {
			ARENA_SCOPE(test_arena());
			cleanup_(buf_done) struct buf b = BUF_INIT(SIZE_MAX / 2);
			struct strlist ids = { 0 };
			bool response;
			test_row("%s: %s", names[i], pieces[k]);
			buf_addf(&b, "%s: ", names[i]);
			while (b.n < 250 * 1000)
				buf_addz(&b, pieces[k]);
			buf_addz(&b, "\r\n\r\nx");
			parse_buf(&b, NULL);
			ready();
			struct str s = message_field_text(test_arena(), str_from(buf_str(&b), strlen(names[i]) + 1));
			message_base_subject(test_arena(), s, &response);
			message_references(test_arena(), buf_str(&b), &ids);
			spent(b.n, 6 * MEMORY_MAX);
		}
	}
}

/* Lines that all look like boundaries of the deepest nesting. */
TEST(bomb_boundaries)
{
	cleanup_(buf_done) struct buf b = BUF_INIT(SIZE_MAX / 2);

	for (int i = 0; i < LIMIT_MIME_DEPTH; i++)
		buf_addf(&b, "Content-Type: multipart/mixed; boundary=%060d\r\n\r\n--%060d\r\n", i, i);
	while (b.n < 10 * 1024 * 1024)
		buf_addz(&b, "--000000000000000000000000000000000000000000000000000000000xx\r\n");
	parse_buf(&b, NULL);
	buf_reset(&b);
	for (int i = 0; i < LIMIT_MIME_DEPTH; i++)
		buf_addf(&b, "Content-Type: multipart/mixed; boundary=%d\r\n\r\n--%d\r\n", i, i);
	while (b.n < 10 * 1024 * 1024)
		buf_addz(&b, "--\n");
	parse_buf(&b, NULL);
}

/* repeat adds the piece until there are n bytes, with a number for "#". */
static void
repeat(struct buf *b, const char *piece, size_t n)
{
	for (unsigned i = 0; b->n < n; i++) {
		struct str s = str_of(piece);
		while (s.n > 0) {
			buf_add(b, str_split(&s, '#'));
			if (s.n > 0)
				buf_addi(b, i);
		}
	}
}

/* HTML on which tree builders take quadratic time or memory, or recurse: see html.c for what they did with it. */
TEST(bomb_html)
{
	static const struct {
		const char *first, *then;       /* half of the text each */
	} rows[] = {
		{ "<div>", "<div>" }, { "<li><ul>", "<li><ul>" }, { "<div>", "</p>" }, { "<blockquote>", "a\n" },
		{ "<p><font color=#>", "<p>x" }, { "<b>", "<div></b>" }, { "<a a#", " a# " }, { "<i><div>", "</i>" },
		{ "<table>", "x" }, { "<svg>", "</svg>" }, { "<script>", "</scrip" }, { "<!--", "--" }, { "<", "<" },
		{ "&", "&amp" }, { "&nbsp;", "&zwnj;" }, { "<a href=\"", "'>" },
		{ "<pre>", "\n" }, { "x", "y" }, { "x\n", " " },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		cleanup_(buf_done) struct buf b = BUF_INIT(SIZE_MAX / 2), out = b;
		test_row("%s %s", rows[i].first, rows[i].then);
		repeat(&b, rows[i].first, 300 * 1000);
		repeat(&b, rows[i].then, 600 * 1000);
		ready();
		message_html_text(buf_str(&b), &out, SIZE_MAX / 2);
		/* Lines behind many quotes are the longest output; a caller limits it. */
		spent(b.n + out.n, 2 * b.n + 8 * out.n + 64 * 1024);
	}
}

/* What a message shows and is searched by costs in proportion as well, also where one body stands in many parts. */
TEST(bomb_texts)
{
	static const char *const types[] = {
		"text/plain", "text/plain; format=flowed", "text/plain; charset=utf-7", "text/html",
		"text/plain; charset=iso-2022-jp",
	};
	static const char *const pieces[] = {
		"> ", "x\n", "x \n", ">>>>>>>> \n", "On 1:\n", "--\n", "[...]\n", "\033$B", "+",
		"\xe2\x80\x8b", "a\xcc\x88", "",
	};

	for (size_t i = 0; i < ARRAY_LEN(types); i++) {
		for (size_t k = 0; k < ARRAY_LEN(pieces); k++) {
			ARENA_SCOPE(test_arena());
			cleanup_(buf_done) struct buf b = BUF_INIT(SIZE_MAX / 2), text = BUF_INIT(16 << 20);
			struct message_source src;
			struct str preview;
			test_row("%s: %s", types[i], pieces[k]);
			buf_addf(&b, "Content-Type: multipart/mixed; boundary=b\r\n\r\n");
			for (int part = 0; part < (pieces[k][0] ? 4 : 5000); part++) {
				buf_addf(&b, "--b\r\nContent-Type: %s\r\n\r\n", types[i]);
				if (pieces[k][0])
					repeat(&b, pieces[k], b.n + 100 * 1000);
				buf_addz(&b, "\r\n");
			}
			struct message m = parse_buf(&b, &src);
			ready();
			assert_ok(message_preview(test_arena(), &m, &src, &preview));
			spent(b.n, MEMORY_MAX);
			assert_ok(message_search_text(&m, &src, NULL, &text));
			spent(b.n, 2 * MEMORY_MAX);
		}
	}
}
