/* SPDX-License-Identifier: MIT */
#include "message/imap.h"

#include "message/corpus_test.h"
#include "testutil/testutil.h"

static struct message
parse(const char *text, struct message_source *r_src)
{
	struct message m;

	*r_src = message_source_mem(corpus_crlf(str_of(text)));
	assert_ok(message_parse(test_arena(), r_src, 0, &m, NULL));
	return m;
}

TEST(envelope)
{
	static const struct {
		const char *in, *out, *utf8;    /* utf8 NULL: the same */
	} rows[] = {
		{ "", "(NIL NIL NIL NIL NIL NIL NIL NIL NIL NIL)", NULL },
		{ "Date: 1 Jan 2024 00:00:00 +0000\nSubject: a \"b\"\nFrom: A <a@b.example>\nMessage-ID: <x@y>\nIn-Reply-To: <z>\n",
		    "(\"1 Jan 2024 00:00:00 +0000\" \"a \\\"b\\\"\" ((\"A\" NIL \"a\" \"b.example\")) ((\"A\" NIL \"a\" \"b.example\")) ((\"A\" NIL \"a\" \"b.example\"))"
		    " NIL NIL NIL \"<z>\" \"<x@y>\")", NULL },
		{ "Subject:\nTo:\n", "(NIL \"\" NIL NIL NIL NIL NIL NIL NIL NIL)", NULL },              // rfc/9051:6116
		{ "From: a@b\nSender: c@d\nReply-To: e@f\nBcc: g@h\nCc: i@j\n",
		    "(NIL NIL ((NIL NIL \"a\" \"b\")) ((NIL NIL \"c\" \"d\")) ((NIL NIL \"e\" \"f\")) NIL ((NIL NIL \"i\" \"j\")) ((NIL NIL \"g\" \"h\")) NIL NIL)", NULL },
		/* groups: rfc/9051:6110 */
		{ "To: G: a@b;, c@d\n", "(NIL NIL NIL NIL NIL ((NIL NIL \"G\" NIL)(NIL NIL \"a\" \"b\")(NIL NIL NIL NIL)(NIL NIL \"c\" \"d\")) NIL NIL NIL NIL)", NULL },
		{ "To: <@r:a@b>\n", "(NIL NIL NIL NIL NIL ((NIL \"@r\" \"a\" \"b\")) NIL NIL NIL NIL)", NULL },
		{ "To: root\n", "(NIL NIL NIL NIL NIL ((NIL NIL \"root\" \"\")) NIL NIL NIL NIL)", NULL },
		{ "To: \"a b\"@c\n", "(NIL NIL NIL NIL NIL ((NIL NIL \"a b\" \"c\")) NIL NIL NIL NIL)", NULL },
		/* encoded words stay; raw UTF-8 becomes one for who did not ask for it */
		{ "Subject: =?utf-8?q?x?=\n", "(NIL \"=?utf-8?q?x?=\" NIL NIL NIL NIL NIL NIL NIL NIL)", NULL },
		{ "Subject: m\xc3\xb6x\nTo: m\xc3\xb6x <a@m\xc3\xb6x>\n",
		    "(NIL \"=?utf-8?q?m=C3=B6x?=\" NIL NIL NIL ((\"=?utf-8?q?m=C3=B6x?=\" NIL \"a\" \"xn--mx-fka\")) NIL NIL NIL NIL)",
		    "(NIL \"m\xc3\xb6x\" NIL NIL NIL ((\"m\xc3\xb6x\" NIL \"a\" \"m\xc3\xb6x\")) NIL NIL NIL NIL)" },
		{ "Subject: m\xf6x\n", "(NIL \"=?utf-8?q?m=C3=B6x?=\" NIL NIL NIL NIL NIL NIL NIL NIL)", "(NIL \"m\xc3\xb6x\" NIL NIL NIL NIL NIL NIL NIL NIL)" },
		{ "To: m\xc3\xb6x@b\n", "(NIL NIL NIL NIL NIL ((NIL NIL {4}\r\nm\xc3\xb6x \"b\")) NIL NIL NIL NIL)",
		    "(NIL NIL NIL NIL NIL ((NIL NIL \"m\xc3\xb6x\" \"b\")) NIL NIL NIL NIL)" },
		{ "Subject: a\rb\n", "(NIL {3}\r\na\rb NIL NIL NIL NIL NIL NIL NIL NIL)", NULL },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct message_source src;
		struct message m = parse(str_fmt(test_arena(), "%s\n", rows[i].in).p, &src);
		for (int utf8 = 0; utf8 < 2; utf8++) {
			struct buf b = BUF_ARENA(test_arena(), 10000);
			test_row("%s %d", rows[i].in, utf8);
			message_imap_envelope(&b, m.parts[0].envelope, utf8);
			assert_strz(buf_str(&b), utf8 && rows[i].utf8 ? rows[i].utf8 : rows[i].out);
		}
	}
}

TEST(bodystructure)
{
	static const struct {
		const char *in, *body, *ext;    /* BODY; what BODYSTRUCTURE has instead of the final ")" */
	} rows[] = {
		{ "\nx\n", "(\"TEXT\" \"PLAIN\" (\"CHARSET\" \"US-ASCII\") NIL NIL \"7BIT\" 3 1)", " NIL NIL NIL NIL)" },
		{ "Content-Type: text/html; charset=UTF-8; Format=x\nContent-Transfer-Encoding: base64\nContent-ID: <x>\nContent-Description: d\n\nYQ==\n",
		    "(\"TEXT\" \"HTML\" (\"CHARSET\" \"UTF-8\" \"FORMAT\" \"x\") \"<x>\" \"d\" \"BASE64\" 6 1)", " NIL NIL NIL NIL)" },
		{ "Content-Type: image/png\nContent-MD5: m\nContent-Language: en, de\nContent-Location: l\nContent-Disposition: Attachment\n\nx",
		    "(\"IMAGE\" \"PNG\" NIL NIL NIL \"7BIT\" 1)", " \"m\" (\"attachment\" NIL) (\"en\" \"de\") \"l\")" },
		{ "Content-Type: image/png\nContent-Language: en\nContent-Disposition: inline; filename=x; Size=3\n\nx",
		    "(\"IMAGE\" \"PNG\" NIL NIL NIL \"7BIT\" 1)", " NIL (\"inline\" (\"filename\" \"x\" \"size\" \"3\")) \"en\" NIL)" },
		{ "Content-Type: image/png; name*=utf-8''m%C3%B6x\n\nx", "(\"IMAGE\" \"PNG\" (\"NAME*\" \"utf-8''m%C3%B6x\") NIL NIL \"7BIT\" 1)", " NIL NIL NIL NIL)" },
		{ "Content-Type: image/png; name*0=a; name*1=b\nContent-Transfer-Encoding: X-New\n\nx", "(\"IMAGE\" \"PNG\" (\"NAME\" \"ab\") NIL NIL \"X-NEW\" 1)", " NIL NIL NIL NIL)" },
		{ "Content-Type: message/rfc822\n\nSubject: s\n\nx\n",
		    "(\"MESSAGE\" \"RFC822\" NIL NIL NIL \"7BIT\" 17 (NIL \"s\" NIL NIL NIL NIL NIL NIL NIL NIL) (\"TEXT\" \"PLAIN\" (\"CHARSET\" \"US-ASCII\") NIL NIL \"7BIT\" 3 1) 3)", NULL },
		{ "Content-Type: multipart/mixed; boundary=b\nContent-Language: en\n\n--b\n\nx\n--b\nContent-Type: a/b\n\ny\n--b--\n",
		    "((\"TEXT\" \"PLAIN\" (\"CHARSET\" \"US-ASCII\") NIL NIL \"7BIT\" 1 1)(\"A\" \"B\" NIL NIL NIL \"7BIT\" 1) \"MIXED\")", NULL },
		{ "Content-Type: multipart/mixed\n\nx", "(\"APPLICATION\" \"OCTET-STREAM\" NIL NIL NIL \"7BIT\" 1)", " NIL NIL NIL NIL)" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct message_source src;
		struct message m = parse(rows[i].in, &src);
		struct buf b = BUF_ARENA(test_arena(), 10000);
		test_row("%s", rows[i].in);
		message_imap_bodystructure(&b, &m, false, false);
		assert_strz(buf_str(&b), rows[i].body);
		if (!rows[i].ext)
			continue;
		buf_reset(&b);
		message_imap_bodystructure(&b, &m, true, false);
		struct str want = str_cat(test_arena(), str_upto(str_of(rows[i].body), strlen(rows[i].body) - 1), str_of(rows[i].ext));
		assert_str(buf_str(&b), want);
	}

	struct message_source src;
	struct message m = parse("Content-Type: multipart/mixed; boundary=b\nContent-Language: en\n\n--b\nContent-Type: message/rfc822\n\n\nx\n--b--\n", &src);
	struct buf b = BUF_ARENA(test_arena(), 10000);
	message_imap_bodystructure(&b, &m, true, true);
	assert_strz(buf_str(&b), "((\"MESSAGE\" \"RFC822\" NIL NIL NIL \"7BIT\" 3 (NIL NIL NIL NIL NIL NIL NIL NIL NIL NIL) (\"TEXT\" \"PLAIN\" (\"CHARSET\" \"US-ASCII\")"
		" NIL NIL \"7BIT\" 1 1 NIL NIL NIL NIL) 2 NIL NIL NIL NIL) \"MIXED\" (\"BOUNDARY\" \"b\") NIL \"en\" NIL)");
}

/* The message of RFC 3501's and 9051's example of part specifiers, with its numbers as content. */
static const char nested[] =
	"Subject: top\nX-A: 1\nContent-Type: multipart/mixed; boundary=a\n\npreamble\n"
	"--a\nContent-Type: text/plain\nX-A: 2\n\npart 1\n"
	"--a\nContent-Type: application/octet-stream\nContent-Transfer-Encoding: base64\nContent-Description: folded\n line\n\ncGFydCAy\n"
	"--a\nContent-Type: message/rfc822\n\n"
		"Subject: three\nContent-Type: multipart/mixed; boundary=b\n\n--b\n\npart 3.1\n--b\nContent-Type: application/octet-stream\n\npart 3.2\n--b--\n"
	"\n--a\nContent-Type: multipart/mixed; boundary=c\n\n--c\nContent-Type: image/gif\n\npart 4.1\n"
		"--c\nContent-Type: message/rfc822\n\nSubject: four two\n\npart 4.2.1\n--c--\n"
	"\n--a--\nepilogue\n";

TEST(sections)
{
	static const struct str a_names[] = { S("x-a"), S("Missing") };
	static const struct {
		uint32_t path[4];
		size_t npath;
		enum message_section_kind kind;
		const char *out;        /* NULL: there is none */
	} rows[] = {
		{ { 0 }, 0, MESSAGE_SECTION_HEADER, "Subject: top\r\nX-A: 1\r\nContent-Type: multipart/mixed; boundary=a\r\n\r\n" },
		{ { 0 }, 0, MESSAGE_SECTION_HEADER_FIELDS, "X-A: 1\r\n\r\n" },
		{ { 0 }, 0, MESSAGE_SECTION_HEADER_FIELDS_NOT, "Subject: top\r\nContent-Type: multipart/mixed; boundary=a\r\n\r\n" },
		{ { 0 }, 0, MESSAGE_SECTION_MIME, NULL },
		{ { 1 }, 1, MESSAGE_SECTION_ALL, "part 1" },
		{ { 1 }, 1, MESSAGE_SECTION_MIME, "Content-Type: text/plain\r\n" },
		{ { 1 }, 1, MESSAGE_SECTION_HEADER, NULL },
		{ { 1 }, 1, MESSAGE_SECTION_TEXT, NULL },
		{ { 1, 1 }, 2, MESSAGE_SECTION_ALL, NULL },
		{ { 2 }, 1, MESSAGE_SECTION_ALL, "cGFydCAy" },
		{ { 2 }, 1, MESSAGE_SECTION_MIME, "Content-Type: application/octet-stream\r\nContent-Transfer-Encoding: base64\r\nContent-Description: folded\r\n line\r\n" },
		{ { 3 }, 1, MESSAGE_SECTION_HEADER, "Subject: three\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n" },
		{ { 3 }, 1, MESSAGE_SECTION_HEADER_FIELDS, "\r\n" },
		{ { 3 }, 1, MESSAGE_SECTION_TEXT, "--b\r\n\r\npart 3.1\r\n--b\r\nContent-Type: application/octet-stream\r\n\r\npart 3.2\r\n--b--\r\n" },
		{ { 3, 1 }, 2, MESSAGE_SECTION_ALL, "part 3.1" },
		{ { 3, 1 }, 2, MESSAGE_SECTION_MIME, "" },
		{ { 3, 2 }, 2, MESSAGE_SECTION_ALL, "part 3.2" },
		{ { 3, 3 }, 2, MESSAGE_SECTION_ALL, NULL },
		{ { 3, 1 }, 2, MESSAGE_SECTION_HEADER, NULL },
		{ { 4, 1 }, 2, MESSAGE_SECTION_ALL, "part 4.1" },
		{ { 4, 2 }, 2, MESSAGE_SECTION_ALL, "Subject: four two\r\n\r\npart 4.2.1" },
		{ { 4, 2 }, 2, MESSAGE_SECTION_HEADER, "Subject: four two\r\n\r\n" },
		{ { 4, 2 }, 2, MESSAGE_SECTION_TEXT, "part 4.2.1" },
		{ { 4, 2, 1 }, 3, MESSAGE_SECTION_ALL, "part 4.2.1" },
		{ { 4, 2, 1 }, 3, MESSAGE_SECTION_HEADER, NULL },
		{ { 4, 2, 2 }, 3, MESSAGE_SECTION_ALL, NULL },
		{ { 4, 2, 1, 1 }, 4, MESSAGE_SECTION_ALL, NULL },
		{ { 4 }, 1, MESSAGE_SECTION_HEADER, NULL },
		{ { 5 }, 1, MESSAGE_SECTION_ALL, NULL },
	};
	struct message_source src;
	struct message m = parse(nested, &src);

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct message_section s = { .path = rows[i].path, .npath = rows[i].npath, .kind = rows[i].kind, .names = a_names, .nnames = 2 };
		struct message_bytes b;
		struct str got;
		test_row("%zu", i);
		int rc = message_section(test_arena(), &m, &src, &s, &b);
		assert_int_equal(rc, rows[i].out ? 0 : ERR_NOTFOUND);
		if (rc < 0)
			continue;
		assert_ok(message_source_bytes(test_arena(), &b.src, b.off, b.end - b.off, &got));
		assert_strz(got, rows[i].out);
	}
	struct message_section all = { .kind = MESSAGE_SECTION_ALL };
	struct message_bytes b;
	assert_ok(message_section(test_arena(), &m, &src, &all, &b));
	assert_int_equal(b.off, 0);
	assert_int_equal(b.end, m.size);
	assert_ptr_equal(message_section_part(&m, NULL, 0), &m.parts[0]);
	assert_null(message_section_part(&m, (uint32_t[]){ 0 }, 1));
}

/* Messages that are no multipart have a part 1; one that is itself message/rfc822 has the parts of that. */
TEST(sections_single)
{
	struct message_source src;
	struct message m = parse("Subject: x\nContent-Type: text/plain\n\nbody\n", &src);
	struct message_section s = { .path = (uint32_t[]){ 1, 1 }, .npath = 1 };
	struct message_bytes b;
	struct str got;

	assert_ok(message_section(test_arena(), &m, &src, &s, &b));
	assert_ok(message_source_bytes(test_arena(), &b.src, b.off, b.end - b.off, &got));
	assert_strz(got, "body\r\n");
	s.kind = MESSAGE_SECTION_MIME;
	assert_ok(message_section(test_arena(), &m, &src, &s, &b));
	assert_ok(message_source_bytes(test_arena(), &b.src, b.off, b.end - b.off, &got));
	assert_strz(got, "Content-Type: text/plain\r\n");
	s.npath = 2;
	assert_err(message_section(test_arena(), &m, &src, &s, &b), ERR_NOTFOUND);

	m = parse("Content-Type: message/rfc822\nContent-Transfer-Encoding: base64\n\nU3ViamVjdDogeA0KDQp5\n", &src);
	s = (struct message_section){ .path = (uint32_t[]){ 1, 1 }, .npath = 1, .kind = MESSAGE_SECTION_HEADER };
	assert_ok(message_section(test_arena(), &m, &src, &s, &b));
	assert_ok(message_source_bytes(test_arena(), &b.src, b.off, b.end - b.off, &got));
	assert_strz(got, "Subject: x\r\n\r\n");
	s.kind = MESSAGE_SECTION_ALL;
	s.npath = 2;
	assert_ok(message_section(test_arena(), &m, &src, &s, &b));
	assert_ok(message_source_bytes(test_arena(), &b.src, b.off, b.end - b.off, &got));
	assert_strz(got, "y");
}

static struct str
binary_of(const struct message *m, const struct message_source *src, const uint32_t *path, size_t npath, int64_t *r_size)
{
	cleanup_(message_reader_close) struct message_reader *r = NULL;
	struct buf b = BUF_ARENA(test_arena(), SIZE_MAX / 2);
	struct str chunk;
	int64_t size;

	assert_ok(message_binary_size(test_arena(), m, src, path, npath, r_size));
	assert_ok(message_binary_open(test_arena(), m, src, path, npath, &size, &r));
	assert_int_equal(size, *r_size);
	while (message_reader_next(r, &chunk) > 0)
		buf_add(&b, chunk);
	assert_int_equal(b.n, size);
	return buf_str(&b);
}

TEST(binary)
{
	struct message_source src;
	struct message m = parse(nested, &src);
	int64_t size;

	assert_strz(binary_of(&m, &src, (uint32_t[]){ 2 }, 1, &size), "part 2");
	assert_strz(binary_of(&m, &src, (uint32_t[]){ 1 }, 1, &size), "part 1");
	assert_int_equal(binary_of(&m, &src, NULL, 0, &size).n, m.size);
	assert_err(message_binary_size(test_arena(), &m, &src, (uint32_t[]){ 3 }, 1, &size), ERR_NOTFOUND);
	assert_err(message_binary_size(test_arena(), &m, &src, (uint32_t[]){ 4 }, 1, &size), ERR_NOTFOUND);
	assert_err(message_binary_size(test_arena(), &m, &src, (uint32_t[]){ 9 }, 1, &size), ERR_NOTFOUND);

	m = parse("Subject: x\nContent-Transfer-Encoding: quoted-printable\n\na=3Db\n", &src);
	assert_strz(binary_of(&m, &src, NULL, 0, &size), "Subject: x\r\n\r\na=b\r\n");
	assert_strz(binary_of(&m, &src, (uint32_t[]){ 1 }, 1, &size), "a=b\r\n");
	m = parse("Content-Transfer-Encoding: x-unknown\n\nabc\n", &src);
	assert_err(message_binary_size(test_arena(), &m, &src, (uint32_t[]){ 1 }, 1, &size), ERR_UNSUPPORTED);
	assert_strz(binary_of(&m, &src, NULL, 0, &size), "\r\nabc\r\n");
}
