/* SPDX-License-Identifier: MIT */
/*
 * Whole messages as Apache's mime4j reads them: every header field, preamble, body and epilogue in order
 * (NAME.xml), and the decoded bodies (NAME_decoded.xml with one file for each body). Where it reads a broken
 * message otherwise, the file is listed with the reason.
 */
#include <expat.h>

#include "message/body.h"
#include "message/corpus_test.h"
#include "message/header.h"
#include "testutil/testutil.h"

/* Both are written as lines: a mark, and text without white space, which XML and unfolding do not keep. */
static void
put_text(struct buf *b, const char *mark, struct str s)
{
	size_t start = b->n;

	buf_addz(b, mark);
	size_t empty = b->n;
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] != ' ' && s.p[i] != '\t' && s.p[i] != '\r' && s.p[i] != '\n')
			buf_addc(b, s.p[i]);
	}
	/* No preamble, or an empty one: mime4j writes either. */
	if (b->n == empty && mark[0] != 'b')
		buf_truncate(b, start);
	else
		buf_addc(b, '\n');
}

/* Theirs */

struct xml {
	const char *prefix;     /* path of the corpus, for the files of bodies */
	struct buf out, text;
	bool in_text;
};

static bool
has_text(const char *name)
{
	static const char *const names[] = { "field", "preamble", "epilogue", "body" };

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		if (strcmp(name, names[i]) == 0)
			return true;
	}
	return false;
}

static void
on_start(void *arg, const char *name, const char **attr)
{
	struct xml *x = arg;

	x->in_text = has_text(name);
	buf_reset(&x->text);
	if (strcmp(name, "text-body") == 0 || strcmp(name, "binary-body") == 0)
		put_text(&x->out, "body ", test_read(str_fmt(test_arena(), "%s/%s", x->prefix, attr[1]).p));
	else if (strcmp(name, "message") == 0 || strcmp(name, "body-part") == 0 || strcmp(name, "multipart") == 0)
		buf_addf(&x->out, "%s\n", name);
}

static void
on_text(void *arg, const char *s, int n)
{
	struct xml *x = arg;

	if (x->in_text)
		buf_add(&x->text, str_n(s, (size_t)n));
}

static void
on_end(void *arg, const char *name)
{
	struct xml *x = arg;

	if (has_text(name))
		put_text(&x->out, str_fmt(test_arena(), "%s ", name).p, buf_str(&x->text));
	else if (strcmp(name, "multipart") == 0)
		buf_addf(&x->out, "end\n");
	x->in_text = false;
}

static struct str
their_tokens(const char *dir, const char *file)
{
	struct buf empty = BUF_ARENA(test_arena(), SIZE_MAX / 2);
	struct xml x = { .prefix = arena_strdup(test_arena(), test_data(dir)), .out = empty, .text = empty };
	struct str s = test_read(str_fmt(test_arena(), "%s/%s", x.prefix, file).p);
	XML_Parser p = XML_ParserCreate("ISO-8859-1");

	XML_SetUserData(p, &x);
	XML_SetElementHandler(p, on_start, on_end);
	XML_SetCharacterDataHandler(p, on_text);
	if (XML_Parse(p, s.p, (int)s.n, 1) != XML_STATUS_OK)
		fail_msg("%s: %s", file, XML_ErrorString(XML_GetErrorCode(p)));
	XML_ParserFree(p);
	return buf_str(&x.out);
}

/* Ours */

struct reading {
	const struct message *m;
	const struct message_source *src;
	struct buf out;
	bool decoded;
};

static struct str
bytes_of(struct reading *r, const struct message_part *p, int64_t off, int64_t end)
{
	struct message_source s;
	struct str bytes;

	assert_ok(message_part_source(test_arena(), r->m, r->src, p, &s));
	assert_ok(message_source_bytes(test_arena(), &s, off, end - off, &bytes));
	return bytes;
}

/* latin1 gives the characters of raw bytes as their files have them in UTF-8. */
static struct str
latin1(struct str s)
{
	return message_charset_decode(test_arena(), S("iso-8859-1"), s);
}

static void put_part(struct reading *r, const struct message_part *p);

static void
put_multipart(struct reading *r, const struct message_part *p)
{
	const struct message_part *first = message_first_child(r->m, p), *last = first;

	buf_addz(&r->out, "multipart\n");
	/* A multipart in a multipart's place has the same space, so boundary_off counts in it. */
	put_text(&r->out, "preamble ", latin1(bytes_of(r, first, p->body_off, first->boundary_off)));
	for (const struct message_part *q = first; q; q = message_next_part(r->m, q)) {
		put_part(r, q);
		last = q;
	}
	/* Behind the last part stands the end of its last line and the closing boundary. */
	struct str rest = bytes_of(r, last, last->end_off, p->end_off);
	if (!str_starts(rest, S("--")))
		str_split(&rest, '\n');
	str_split(&rest, '\n');
	put_text(&r->out, "epilogue ", latin1(rest));
	buf_addz(&r->out, "end\n");
}

static void
put_part(struct reading *r, const struct message_part *p)
{
	struct message_field f;
	struct str header, body;

	buf_addf(&r->out, "%s\n", p->root ? "message" : "body-part");
	assert_ok(message_part_header(test_arena(), r->m, r->src, p, &header));
	while (message_field_next(&header, &f, NULL))
		put_text(&r->out, "field ", latin1(f.raw));
	if (p->kind == MESSAGE_MULTIPART) {
		put_multipart(r, p);
	} else if (p->kind == MESSAGE_EMBEDDED) {
		put_part(r, message_first_child(r->m, p));
	} else {
		enum message_read_as as = r->decoded ? MESSAGE_READ_DECODED : MESSAGE_READ_RAW;
		assert_ok(message_part_text(test_arena(), r->m, r->src, p, as, SIZE_MAX / 2, &body));
		put_text(&r->out, "body ", r->decoded ? body : latin1(body));
	}
}

/* Comparison */

/* "NAME decoded" is one of its decoded bodies, NAME both comparisons. */
static const struct {
	const char *file, *why;
} own[] = {
	{ "mimetools/badbound", "a multipart without parts is opaque with us" },
	{ "mimetools/frag decoded", "broken base64: where it ends" },
	{ "mimetools/multi-frag decoded", "broken base64: where it ends" },
	{ "testmsgs/ending-boundaries", "text behind a boundary: the line is none with us, so there are no parts" },
	{ "testmsgs/malformedHeaderStartsBody-nocrlfcrlf", "a line that is no field does not end the header with us" },
	{ "testmsgs/malformedHeaderStartsBody-noheader", "a line that is no field does not end the header with us" },
	{ "testmsgs/missing-boundary", "a multipart without parts is opaque with us" },
	{ "testmsgs/missing-inner-boundary", "a multipart without parts is opaque with us" },
	{ "testmsgs/missing-inner-start-boundary", "a multipart without parts is opaque with us" },
	{ "testmsgs/multipartnopart", "a multipart without parts is opaque with us" },
	{ "testmsgs/very-long-boundary", "spaces at the end of a boundary do not count with us" },
	{ "testmsgs/very-very-long-boundary", "a boundary beyond our limit" },
	{ "testmsgs/weird-boundary", "spaces at the end of a boundary do not count with us" },
};

static const char *
find_own(struct str file)
{
	for (size_t i = 0; i < ARRAY_LEN(own); i++) {
		if (str_is(file, str_of(own[i].file)))
			return own[i].why;
	}
	return NULL;
}

/* first_difference is for people: the first line that differs. */
static void
print_difference(struct str file, struct str got, struct str want)
{
	while (got.n > 0 || want.n > 0) {
		struct str g = str_split(&got, '\n'), w = str_split(&want, '\n');
		if (!str_is(g, w)) {
			g = str_upto(g, 300);
			w = str_upto(w, 300);
			fprintf(stderr, STRF "\n\tours  " STRF "\n\ttheir " STRF "\n", STRA(file), STRA(g), STRA(w));
			return;
		}
	}
}

static void
compare(const char *name, struct str content, void *arg)
{
	struct message_source src = message_source_mem(content);
	struct str file = str_of(name), base = str_upto(file, file.n - 4);
	struct message m;

	if (!str_ends(file, S(".msg")))
		return;
	assert_ok(message_parse(test_arena(), &src, 0, &m, NULL));
	for (int decoded = 0; decoded < 2; decoded++) {
		struct buf out = BUF_ARENA(test_arena(), SIZE_MAX / 2);
		struct reading r = { .m = &m, .src = &src, .out = out, .decoded = decoded };
		const char *dir = str_starts(file, S("testmsgs/")) ? "mime/mime4j/testmsgs" : "mime/mime4j/mimetools";
		struct str stem = str_from(base, (size_t)str_find(base, '/') + 1);
		struct str xml = str_fmt(test_arena(), STRF "%s.xml", STRA(stem), decoded ? "_decoded" : "");
		struct str want = their_tokens(dir, xml.p);
		put_part(&r, &m.parts[0]);
		struct str got = buf_str(&r.out), key = str_cat(test_arena(), base, decoded ? S(" decoded") : S(""));
		++*(size_t *)arg;
		if (getenv("MOX_TEST_DIFFERENCES")) {
			print_difference(key, got, want);
			continue;
		}
		bool same = str_is(got, want), listed = find_own(base) || find_own(key);
		if (same && listed)
			fail_msg(STRF " is listed as different, but is not", STRA(key));
		if (!same && !listed)
			assert_str(got, want);
	}
}

TEST(mime4j_messages)
{
	size_t n = 0;

	corpus_each("mime/mime4j", compare, &n);
	assert_int_equal(n, 160);
}
