/* SPDX-License-Identifier: MIT */
#include "message/message.h"

#include <fcntl.h>

#include "base/enc.h"
#include "base/fd.h"
#include "base/timeutil.h"
#include "message/body.h"
#include "message/corpus_test.h"
#include "message/header.h"
#include "testutil/testutil.h"

/* tree writes the types of parts with what matters of each: "TEXT/PLAIN[body end lines decoded]". */
static void
tree(struct buf *b, const struct message *m, const struct message_part *p)
{
	buf_addf(b, STRF "/" STRF, STRA(p->type), STRA(p->subtype));
	if (p->kind == MESSAGE_LEAF) {
		buf_addf(b, "[%lld %lld]", (long long)p->lines, (long long)p->decoded_size);
		return;
	}
	buf_addc(b, '(');
	for (const struct message_part *q = message_first_child(m, p); q; q = message_next_part(m, q)) {
		if (q != message_first_child(m, p))
			buf_addc(b, ' ');
		tree(b, m, q);
	}
	buf_addc(b, ')');
}

static struct str
tree_of(const struct message *m)
{
	struct buf b = BUF_ARENA(test_arena(), SIZE_MAX / 2);

	tree(&b, m, &m->parts[0]);
	return buf_str(&b);
}

/* Each row in both readings: the tree that the lenient one gives, and what the strict one finds first (NULL: nothing). */
TEST(readings)
{
	static const struct {
		const char *in, *tree, *fault;
	} rows[] = {
		{ "", "TEXT/PLAIN[0 0]", NULL },
		{ "\r\n", "TEXT/PLAIN[0 0]", NULL },
		{ "\r\nbody", "TEXT/PLAIN[1 4]", NULL },
		{ "\r\nbody\r\n", "TEXT/PLAIN[1 6]", NULL },
		{ "\r\na\r\nb", "TEXT/PLAIN[2 4]", NULL },
		{ "a: b\r\n", "TEXT/PLAIN[0 0]", NULL },
		{ "a: b", "TEXT/PLAIN[0 0]", "header ends within a line" },
		{ "a: b\r\n\r\n", "TEXT/PLAIN[0 0]", NULL },
		{ "no colon\r\n\r\n", "TEXT/PLAIN[0 0]", "header line that is no field" },
		{ " start\r\n\r\nx", "TEXT/PLAIN[1 1]", "header line that is no field" },
		/* Line ends: rfc/5322:486 */
		{ "a: b\n\nbody\n", "TEXT/PLAIN[1 6]", "bare LF" },
		{ "a: b\r\n\r\nbo\rdy\r\n", "TEXT/PLAIN[1 7]", "bare CR" },
		{ "a: b\rc\r\n\r\nbody", "TEXT/PLAIN[1 4]", "bare CR" },
		{ "a: b\r\n\r\nbody\n", "TEXT/PLAIN[1 6]", "bare LF" },
		/* Content-Type */
		{ "Content-Type: text/html\r\n\r\nx", "TEXT/HTML[1 1]", NULL },
		{ "Content-Type: text\r\n\r\nx", "TEXT/PLAIN[1 1]", "bad syntax of Content-Type" },
		{ "Content-Type: nonsense\r\n\r\nx", "APPLICATION/OCTET-STREAM[1 1]", "bad syntax of Content-Type" },
		{ "Content-Type: te xt/plain\r\n\r\nx", "APPLICATION/OCTET-STREAM[1 1]", "bad syntax of Content-Type" },
		{ "Content-Type: text/plain; x=1; x=2\r\n\r\nx", "TEXT/PLAIN[1 1]", "bad syntax of Content-Type" },
		{ "Content-Type: text/html; charset\r\n\r\nx", "TEXT/HTML[1 1]", "bad syntax of Content-Type" },
		{ "Content-Type: multipart/mixed\r\n\r\n--x\r\n", "APPLICATION/OCTET-STREAM[1 5]", "multipart without boundary parameter" },
		{ "Content-Type: multipart/mixed; boundary=\"\"\r\n\r\n--x\r\n", "APPLICATION/OCTET-STREAM[1 5]", "multipart without boundary parameter" },
		/* Boundaries */
		{ "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nx\r\n--b--\r\n", "MULTIPART/MIXED(TEXT/PLAIN[1 1])", NULL },
		{ "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nx\r\n--b--", "MULTIPART/MIXED(TEXT/PLAIN[1 1])", NULL },
		{ "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b \t\r\n\r\nx\r\n--b-- \r\nepilogue", "MULTIPART/MIXED(TEXT/PLAIN[1 1])", NULL },
		{ "Content-Type: multipart/mixed; boundary=b\r\n\r\npreamble\r\n--b\r\n\r\nx\r\n\r\n--b--\r\n", "MULTIPART/MIXED(TEXT/PLAIN[1 3])", NULL },
		{ "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\n--b\r\n\r\ny\r\n--b--\r\n", "MULTIPART/MIXED(TEXT/PLAIN[0 0] TEXT/PLAIN[1 1])", NULL },
		{ "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nx\r\n--bb\r\n--b-\r\n--b--\r\n", "MULTIPART/MIXED(TEXT/PLAIN[3 13])", NULL },
		{ "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nx\r\n", "MULTIPART/MIXED(TEXT/PLAIN[1 3])", "missing closing boundary" },
		{ "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nx", "MULTIPART/MIXED(TEXT/PLAIN[1 1])", "missing closing boundary" },
		{ "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b--\r\n", "APPLICATION/OCTET-STREAM[1 7]", "multipart without parts" },
		{ "Content-Type: multipart/mixed; boundary=b\r\n\r\nnothing\r\n", "APPLICATION/OCTET-STREAM[1 9]", "multipart without parts" },
		{ "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nX: y\r\n--b--\r\n", "MULTIPART/MIXED(TEXT/PLAIN[0 0])", "header ended by a boundary" },
		{ "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n--b--\r\n", "MULTIPART/MIXED(TEXT/PLAIN[0 0])", "header ended by a boundary" },
		/* The boundary of the outer one ends the inner one too: rfc/2046:1281 */
		{ "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: multipart/mixed; boundary=c\r\n\r\n--c\r\n\r\nx\r\n--b\r\n\r\ny\r\n--b--\r\n",
		    "MULTIPART/MIXED(MULTIPART/MIXED(TEXT/PLAIN[1 1]) TEXT/PLAIN[1 1])", "missing closing boundary" },
		/* An inner boundary that starts with the outer one. */
		{ "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: multipart/mixed; boundary=bc\r\n\r\n--bc\r\n\r\nx\r\n--bc--\r\n\r\n--b--\r\n",
		    "MULTIPART/MIXED(MULTIPART/MIXED(TEXT/PLAIN[1 1]))", NULL },
		/* Digest: parts are messages by default: rfc/2046:1562 */
		{ "Content-Type: multipart/digest; boundary=b\r\n\r\n--b\r\n\r\nSubject: x\r\n\r\ny\r\n--b--\r\n", "MULTIPART/DIGEST(MESSAGE/RFC822(TEXT/PLAIN[1 1]))", NULL },
		/* Embedded messages */
		{ "Content-Type: message/rfc822\r\n\r\nSubject: x\r\n\r\ny", "MESSAGE/RFC822(TEXT/PLAIN[1 1])", NULL },
		{ "Content-Type: message/rfc822\r\n\r\n", "MESSAGE/RFC822(TEXT/PLAIN[0 0])", NULL },
		{ "Content-Type: message/global\r\nContent-Transfer-Encoding: base64\r\n\r\nU3ViamVjdDogeA0KDQp5\r\n", "MESSAGE/GLOBAL(TEXT/PLAIN[1 1])", NULL },
		{ "Content-Type: message/rfc822\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\nSubject: =78\r\n\r\n=79=3D", "MESSAGE/RFC822(TEXT/PLAIN[1 2])", NULL },
		{ "Content-Type: message/partial; id=x\r\n\r\nSubject: x\r\n\r\ny", "MESSAGE/PARTIAL[3 15]", NULL },
		/* Transfer encodings */
		{ "Content-Transfer-Encoding: base64\r\n\r\nYQpi\r\n", "TEXT/PLAIN[1 4]", NULL },             /* the LF counts as CRLF */
		{ "Content-Type: image/png\r\nContent-Transfer-Encoding: base64\r\n\r\nYQpi\r\n", "IMAGE/PNG[1 3]", NULL },
		{ "Content-Type: text/plain; charset=UTF-16BE\r\nContent-Transfer-Encoding: base64\r\n\r\nAGEACgBi\r\n", "TEXT/PLAIN[1 6]", NULL },
		{ "Content-Type: image/png\r\nContent-Transfer-Encoding: base64\r\n\r\nYQ==\r\n", "IMAGE/PNG[1 1]", NULL },
		{ "Content-Type: image/png\r\nContent-Transfer-Encoding: base64\r\n\r\nYQ\r\n", "IMAGE/PNG[1 1]", "body not correct by its Content-Transfer-Encoding" },
		{ "Content-Type: image/png\r\nContent-Transfer-Encoding: base64\r\n\r\nYQ!==\r\n", "IMAGE/PNG[1 1]", "body not correct by its Content-Transfer-Encoding" },
		{ "Content-Transfer-Encoding: quoted-printable\r\n\r\na=3Db=\r\nc \r\n", "TEXT/PLAIN[2 6]", NULL },
		{ "Content-Transfer-Encoding: quoted-printable\r\n\r\na=0Ab", "TEXT/PLAIN[1 4]", NULL },
		{ "Content-Transfer-Encoding: quoted-printable\r\n\r\n\r \na", "TEXT/PLAIN[2 3]", "bare LF" },
		{ "Content-Transfer-Encoding: quoted-printable\r\n\r\na=xyb", "TEXT/PLAIN[1 5]", "body not correct by its Content-Transfer-Encoding" },
		{ "Content-Transfer-Encoding: x-uuencode\r\n\r\nbegin 644 f\r\n#86)C\r\n`\r\nend\r\n", "TEXT/PLAIN[4 3]", NULL },
		{ "Content-Transfer-Encoding: x-nonsense\r\n\r\nabc", "TEXT/PLAIN[1 3]", NULL },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct message_source src = message_source_mem(test_exact(str_of(rows[i].in)));
		struct message m, strict;
		struct errmsg e = { 0 };
		test_row("%zu %s", i, rows[i].in);
		assert_ok(message_parse(test_arena(), &src, 0, &m, NULL));
		assert_strz(tree_of(&m), rows[i].tree);
		int rc = message_parse(test_arena(), &src, MESSAGE_STRICT, &strict, &e);
		assert_strz(strict.fault.text, rows[i].fault ? rows[i].fault : "");
		assert_int_equal(rc, rows[i].fault ? ERR_INVALID : 0);
		assert_strz(tree_of(&strict), rows[i].tree);
		corpus_check(str_of(rows[i].in));
	}
}

TEST(long_lines)
{
	struct buf b = BUF_ARENA(test_arena(), SIZE_MAX / 2);
	struct message_source src;
	struct message m;

	buf_addz(&b, "\r\n");
	for (int i = 0; i < 998; i++)
		buf_addc(&b, 'x');
	buf_addz(&b, "\r\n");
	src = message_source_mem(buf_str(&b));
	assert_ok(message_parse(test_arena(), &src, MESSAGE_STRICT, &m, NULL));
	buf_truncate(&b, b.n - 2);
	buf_addz(&b, "x\r\n");
	src = message_source_mem(buf_str(&b));
	assert_err(message_parse(test_arena(), &src, MESSAGE_STRICT, &m, NULL), ERR_INVALID);    // rfc/5322:363
	assert_true(m.flaws & MESSAGE_FLAW_LONG_LINE);
	assert_ok(message_parse(test_arena(), &src, 0, &m, NULL));
	assert_false(m.flaws & MESSAGE_FLAW_LONG_LINE);

	/* Lines in several pieces, in each encoding, with a boundary behind. */
	static const char *const encodings[] = { "7bit", "quoted-printable", "base64", "x-uuencode" };
	for (size_t k = 0; k < ARRAY_LEN(encodings); k++) {
		for (size_t len = 65530; len < 65540; len++) {
			ARENA_SCOPE(test_arena());
			struct buf c = BUF_ARENA(test_arena(), SIZE_MAX / 2);
			buf_addf(&c, "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Transfer-Encoding: %s\r\n\r\n", encodings[k]);
			for (size_t i = 0; i < len; i++)
				buf_addc(&c, "Qx=3D \t"[i % 7]);
			buf_addz(&c, "=\r\ny\r\n--b--\r\n");
			test_row("%s %zu", encodings[k], len);
			corpus_check(buf_str(&c));
			src = message_source_mem(buf_str(&c));
			assert_ok(message_parse(test_arena(), &src, 0, &m, NULL));
			assert_int_equal(m.nparts, 2);
			assert_int_equal(m.parts[1].lines, 2);
			assert_true(m.flaws & MESSAGE_FLAW_LONG_LINE);
		}
	}
}

/* The example of RFC 2046 5.1.1, with exact line counts. */
TEST(rfc2046_example)
{
	struct str s = S("From: Nathaniel Borenstein <nsb@bellcore.com>\r\n"
		"To: Ned Freed <ned@innosoft.com>\r\n"
		"Date: Sun, 21 Mar 1993 23:56:48 -0800 (PST)\r\n"
		"Subject: Sample message\r\n"
		"MIME-Version: 1.0\r\n"
		"Content-type: multipart/mixed; boundary=\"simple boundary\"\r\n"
		"\r\n"
		"This is the preamble.  It is to be ignored, though it\r\n"
		"is a handy place for composition agents to include an\r\n"
		"explanatory note to non-MIME conformant readers.\r\n"
		"\r\n"
		"--simple boundary\r\n"
		"\r\n"
		"This is implicitly typed plain US-ASCII text.\r\n"
		"It does NOT end with a linebreak.\r\n"
		"--simple boundary\r\n"
		"Content-type: text/plain; charset=us-ascii\r\n"
		"\r\n"
		"This is explicitly typed plain US-ASCII text.\r\n"
		"It DOES end with a linebreak.\r\n"
		"\r\n"
		"--simple boundary--\r\n"
		"\r\n"
		"This is the epilogue.  It is also to be ignored.\r\n");      // rfc/2046:1171
	struct message_source src = message_source_mem(s);
	struct message m;
	struct str text;

	assert_ok(message_parse(test_arena(), &src, MESSAGE_STRICT, &m, NULL));
	assert_strz(tree_of(&m), "MULTIPART/MIXED(TEXT/PLAIN[2 80] TEXT/PLAIN[2 78])");
	assert_true(m.parts[1].no_type);
	assert_ok(message_part_text(test_arena(), &m, &src, &m.parts[1], MESSAGE_READ_DECODED, 1000, &text));
	assert_strz(text, "This is implicitly typed plain US-ASCII text.\r\nIt does NOT end with a linebreak.");
	assert_ok(message_part_text(test_arena(), &m, &src, &m.parts[2], MESSAGE_READ_DECODED, 1000, &text));
	assert_strz(text, "This is explicitly typed plain US-ASCII text.\r\nIt DOES end with a linebreak.\r\n");
	assert_err(message_part_text(test_arena(), &m, &src, &m.parts[2], MESSAGE_READ_RAW, 10, &text), ERR_LIMIT);
	const struct message_envelope *env = m.parts[0].envelope;
	assert_true(env->has_date);
	assert_int_equal(env->tz_min, -480);
	assert_int_equal(env->date_us, INT64_C(732787008) * 1000000);
	assert_int_equal(m.parts[0].lines, 17);
}

TEST(questions)
{
	struct message_source src = message_source_mem(S("Content-Type: multipart/report; boundary=b; report-type=\"delivery-status\"\r\n\r\n"
		"--b\r\n\r\nx\r\n--b\r\nContent-Type: message/delivery-status\r\n\r\nx\r\n--b\r\nContent-Type: message/rfc822\r\n\r\nSubject: m\xc3\xb6\r\n\r\n--b\r\n\r\n--b--\r\n"));
	struct message m;
	struct str v;

	assert_ok(message_parse(test_arena(), &src, 0, &m, NULL));
	assert_true(message_is_dsn(&m));
	assert_true(message_part_param(&m.parts[0], S("report-type"), &v));
	assert_strz(v, "delivery-status");
	assert_false(message_part_param(&m.parts[0], S("x"), &v));
	assert_true(message_part_is(&m.parts[0], S("multipart"), S("")));
	assert_true(message_part_is(&m.parts[0], S("multipart"), S("report")));
	assert_false(message_part_is(&m.parts[0], S("multipart"), S("mixed")));
	/* 8-bit only within the embedded message. */
	assert_false(message_needs_smtputf8(&m));
	assert_true(m.parts[4].header_8bit);
	src = message_source_mem(S("Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Description: \xc3\xb6\r\n\r\nx\r\n--b--\r\n"));
	assert_ok(message_parse(test_arena(), &src, 0, &m, NULL));
	assert_true(message_needs_smtputf8(&m));
	assert_false(message_is_dsn(&m));
	src = message_source_mem(S("Subject: x\r\n\r\n\xc3\xb6"));
	assert_ok(message_parse(test_arena(), &src, 0, &m, NULL));
	assert_false(message_needs_smtputf8(&m));
}

TEST(source)
{
	struct message_source mem = message_source_mem(S("abcdef"));
	struct str s;
	char c[8];

	assert_ok(message_source_pread(&mem, 2, c, 3));
	assert_memory_equal(c, "cde", 3);
	assert_err(message_source_pread(&mem, 4, c, 3), ERR_INVALID);
	assert_err(message_source_pread(&mem, -1, c, 1), ERR_INVALID);
	assert_err(message_source_pread(&mem, 7, c, 0), ERR_INVALID);
	assert_ok(message_source_bytes(test_arena(), &mem, 6, 0, &s));
	assert_int_equal(s.n, 0);
	assert_err(message_source_bytes(test_arena(), &mem, 3, 4, &s), ERR_INVALID);
	/* A file that is shorter than it was said to be. */
	struct str path = str_fmt(test_arena(), "%s/f", test_dir());
	assert_ok(fd_write_file(path.p, S("\r\nxyz"), 0600, NULL));
	cleanup_(fd_close) int fd = open(path.p, O_RDONLY);
	struct message_source file = message_source_file(S("ab"), fd, 5);
	assert_ok(message_source_bytes(test_arena(), &file, 1, 4, &s));
	assert_strz(s, "b\r\nx");
	struct message m;
	file = message_source_file(S("a: b"), fd, 500);
	assert_err(message_parse(test_arena(), &file, 0, &m, NULL), ERR_CORRUPT);
}

/* Encoded messages within encoded ones are entered a few levels deep only: each level takes memory. */
TEST(encoded_depth)
{
	struct str s = S("Subject: x\r\n\r\ny");

	for (int i = 0; i < 20; i++) {
		struct buf b = BUF_ARENA(test_arena(), SIZE_MAX / 2);
		buf_addz(&b, "Content-Type: message/rfc822\r\nContent-Transfer-Encoding: base64\r\n\r\n");
		enc_base64_lines(&b, s);
		s = buf_str(&b);
	}
	struct message_source src = message_source_mem(s);
	struct message m;
	assert_ok(message_parse(test_arena(), &src, 0, &m, NULL));
	assert_int_equal(m.nparts, 5);
	assert_true(m.flaws & MESSAGE_FLAW_EMBEDDED);
	corpus_check(s);
}
