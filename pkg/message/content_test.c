/* SPDX-License-Identifier: MIT */
#include "message/body.h"

#include <gumbo.h>

#include "base/utf8.h"
#include "message/corpus_test.h"
#include "message/header.h"
#include "testutil/testutil.h"

static struct message
parse(struct str s, struct message_source *r_src)
{
	struct message m;

	*r_src = message_source_mem(s);
	assert_ok(message_parse(test_arena(), r_src, 0, &m, NULL));
	return m;
}

static struct str
preview_of(const char *text)
{
	struct message_source src;
	struct message m = parse(corpus_crlf(str_of(text)), &src);
	struct str p;

	assert_ok(message_preview(test_arena(), &m, &src, &p));
	return p;
}

TEST(preview_text)
{
	static const char *const rows[][2] = {
		{ "\nhello\n", "hello\n" },
		{ "\n  hello  \n\n\nthere\n", "hello\nthere\n" },
		{ "\n", "" },
		{ "\n> quoted\n> more\nnew\n", "[...]\nnew\n" },
		{ "\nOn 1 Jan 2024, X wrote:\n> quoted\nnew\n", "[...]\nnew\n" },
		{ "\nOn 1 Jan 2024, X wrote:\n\n> quoted\nnew\n", "[...]\nnew\n" },
		/* without a digit only at the start */
		{ "\nX wrote:\n> quoted\nnew\n", "[...]\nnew\n" },
		{ "\nnew\nX wrote:\n> quoted\n", "new\nX wrote:\n[...]\n" },
		{ "\nnew\n1 Jan, X wrote:\n> quoted\nmore\n", "new\n[...]\nmore\n" },
		{ "\nlist:\nitem\n", "list:\nitem\n" },
		/* wrapped introduction */
		{ "\nOn Monday the first of January, somebody\nwith a long name wrote:\n> q\nnew\n", "[...]\nnew\n" },
		/* the author's own snips are not doubled */
		{ "\n> q\n[...]\n> q\nnew\n", "[...]\nnew\n" },
		{ "\n[...]\nnew\n", "[...]\nnew\n" },
		{ "\nnew\n[\xe2\x80\xa6]\n...\nend\n", "new\n[\xe2\x80\xa6]\nend\n" },
		/* signature */
		{ "\nnew\n-- \nme\nmy address\n", "new\n" },
		{ "\nnew\n---\nme\n\n\n", "new\n" },
		{ "\nnew\n--\na\n\nb\n", "new\n--\na\nb\n" },
		{ "\nnew\n--\n1\n2\n3\n4\n5\n", "new\n--\n1\n2\n3\n4\n5\n" },
		{ "\n-->\nx\n", "-->\nx\n" },
		/* structure */
		{ "Content-Type: text/html\n\n<p>Hello <b>there</b></p><p>x</p>", "Hello there\nx\n" },
		{ "Content-Type: image/png\n\nx", "" },
		{ "Content-Type: text/plain\nContent-Disposition: attachment\n\nx", "" },
		{ "Content-Type: multipart/alternative; boundary=b\n\n--b\n\n\n--b\nContent-Type: text/html\n\n<i>h</i>\n--b--\n", "h\n" },
		{ "Content-Type: multipart/alternative; boundary=b\n\n--b\n\nplain\n--b\nContent-Type: text/html\n\n<i>h</i>\n--b--\n", "plain\n" },
		{ "Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Disposition: attachment\n\na\n--b\n\nsecond\n--b--\n", "second\n" },
		{ "Content-Type: multipart/encrypted; boundary=b\n\n--b\n\nx\n--b--\n", "" },
		{ "Content-Type: multipart/signed; boundary=b\n\n--b\n\n\n--b\n\nsignature\n--b--\n", "" },
		{ "Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: message/rfc822\n\n\ninner\n--b--\n", "" },
		{ "Content-Type: text/plain; charset=iso-8859-1\nContent-Transfer-Encoding: quoted-printable\n\nm=F6x\n", "m\xc3\xb6x\n" },
		{ "Content-Type: text/plain\n\nm\xf6x\n", "m\xc3\xb6x\n" },
		{ "Content-Type: text/plain; charset=nonsense\n\nm\xc3\xb6x\n", "m\xc3\xb6x\n" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		test_row("%s", rows[i][0]);
		assert_strz(preview_of(rows[i][0]), rows[i][1]);
	}
}

TEST(preview_size)
{
	struct buf b = BUF_ARENA(test_arena(), SIZE_MAX / 2);

	/* Counted in characters, and cut at the end of one: rfc/8970:211 */
	buf_addc(&b, '\n');
	for (int i = 0; i < 300; i++)
		buf_addz(&b, "\xe2\x98\xba");
	buf_addc(&b, '\n');
	struct str p = preview_of(buf_str(&b).p);
	assert_int_equal(utf8_count(p), 256);
	assert_true(utf8_valid(p));

	/* A line of any length is a long line, not an error. */
	buf_reset(&b);
	buf_addc(&b, '\n');
	for (int i = 0; i < 200000; i++)
		buf_addc(&b, 'x');
	assert_int_equal(preview_of(buf_str(&b).p).n, 256);

	/* Far down behind quotes: found up to 1 MiB. */
	buf_reset(&b);
	buf_addc(&b, '\n');
	while (b.n < 900 * 1000)
		buf_addz(&b, "> quoted line of some length, again and again\n");
	buf_addz(&b, "new\n");
	assert_strz(preview_of(buf_str(&b).p), "[...]\nnew\n");
	while (b.n < 1200 * 1000)
		buf_addz(&b, "\n");
	buf_reset(&b);
	buf_addc(&b, '\n');
	while (b.n < 1200 * 1000)
		buf_addz(&b, "> quoted line of some length, again and again\n");
	buf_addz(&b, "new\n");
	assert_strz(preview_of(buf_str(&b).p), "");
}

TEST(html)
{
	static const char *const rows[][2] = {
		{ "", "" },
		{ "plain", "plain\n" },
		{ "a<b>b</b>c", "abc\n" },
		{ "a <b> b</b>\n\t c", "a b c\n" },
		{ "<div>a</div><div>b</div>", "a\nb\n" },
		{ "a<div>b</div>c", "a\nb\nc\n" },
		{ "a<br>b<br/>c", "a\nb\nc\n" },
		{ "<p>a</p><p></p><p></p><p></p><p>b</p>", "a\n\nb\n" },
		{ "<table><tr><td>a</td><td>b</td></tr><tr><td>c</td></tr></table>", "a b\nc\n" },
		{ "<blockquote>a<br>b<blockquote>c</blockquote></blockquote>d", "> a\n> b\n> > c\n\nd\n" },
		{ "<pre>a\n  b</pre>", "a\nb\n" },
		{ "<script>var x = '<p>no</p>';</script>a", "a\n" },
		{ "<SCRIPT>no</sCrIpT >a", "a\n" },
		{ "<style>p { }</style>a<style>x</style\n>b", "ab\n" },
		{ "<script>no</scriptx>no</script>a", "a\n" },
		{ "<script>no", "" },
		{ "<head><title>no</title><meta charset=x></head>a", "a\n" },
		{ "<head><title>no</title><p>a", "a\n" },
		{ "<svg><text>no</text></svg>a", "a\n" },
		{ "<svg><svg>no</svg>no</svg>a", "a\n" },
		{ "<svg>no<p>a</p>", "a\n" },
		{ "<svg/>a", "a\n" },
		{ "<template>no<template>no</template>no</template>a", "a\n" },
		{ "<map><area>no</map>a<dialog>no</dialog>b", "ab\n" },
		{ "<!-- no > no --> a", "a\n" },
		{ "<!-->a", "a\n" },
		{ "<!---->a", "a\n" },
		{ "<!-- a --!>b", "b\n" },
		{ "<!-- - -- > -->b", "b\n" },
		{ "<!doctype html>a", "a\n" },
		{ "<!-x>a", "a\n" },
		{ "<?xml version='1'?>a", "a\n" },
		{ "<![if !mso]>a<![endif]>", "a\n" },
		{ "</>a", "a\n" },
		{ "</ x>a", "a\n" },
		{ "<a href=\"x>y\" title='a>b'>l</a>", "l\n" },
		{ "<a href=x>l</a>", "l\n" },
		{ "<a href=x/>l</a>", "l\n" },
		{ "<a b=\"", "" },
		{ "a < b", "a < b\n" },
		{ "a<", "a\n" },
		{ "1 <2", "1 <2\n" },
		/* entities */
		{ "&amp;&lt;&gt;&quot;&apos;", "&<>\"'\n" },
		{ "&eacute;&#233;&#xe9;&#XE9;", "\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\n" },
		{ "&amp", "&\n" },
		{ "a&b;c & d", "a&b;c & d\n" },
		{ "&#;&#x;&", "&#;&#x;&\n" },
		{ "&#0;&#xd800;&#x110000;", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\n" },
		{ "&#128;&#150;", "\xe2\x82\xac\xe2\x80\x93\n" },
		{ "&#99999999999999999999;", "\xef\xbf\xbd\n" },
		{ "a&nbsp;b", "a\xc2\xa0" "b\n" },
		{ "a&nbsp;&nbsp;&zwnj; &nbsp;&#847;b", "a b\n" },
		{ "&nbsp;&zwnj;&nbsp;&zwnj;", "" },
		{ "<p>&nbsp;</p><p>a</p>", "a\n" },
		{ "m\xc3\xb6x", "m\xc3\xb6x\n" },
		{ "a\xff" "b", "a\xef\xbf\xbd" "b\n" },
		{ "<textarea>a</textarea>", "a\n" },
		{ "<verylongelementnamethatisnone>a</verylongelementnamethatisnone>", "a\n" },
		{ "<p>a<p>b", "a\nb\n" },
		{ "</blockquote></pre>a", "a\n" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct str in = str_of(rows[i][0]);
		struct buf b = BUF_ARENA(test_arena(), 100000);
		test_row("%s", rows[i][0]);
		message_html_text(test_exact(in), &b, 10000);
		assert_strz(buf_str(&b), rows[i][1]);
		/* Byte by byte, but for characters of several bytes. */
		if (str_is_ascii(in)) {
			struct buf c = BUF_ARENA(test_arena(), 100000);
			struct message_html *h = message_html_open(&c, 10000);
			for (size_t k = 0; k < in.n; k++)
				message_html_add(h, test_exact(str_upto(str_from(in, k), 1)));
			message_html_close(&h);
			assert_str(buf_str(&c), buf_str(&b));
		}
		for (size_t n = 0; n < in.n; n++) {
			struct buf c = BUF_ARENA(test_arena(), 100000);
			message_html_text(test_exact(str_upto(in, n)), &c, 10000);
			assert_true(utf8_valid(buf_str(&c)));
		}
	}
	struct buf b = BUF_ARENA(test_arena(), 100000);
	buf_addz(&b, "before:");
	message_html_text(S("<p>abcdefgh</p><p>more</p>"), &b, 5);
	assert_strz(buf_str(&b), "before:abcde");
}

/* The words of the HTML parts of the corpora, as a tree of gumbo has them. */

static void
gumbo_words(const GumboNode *node, struct buf *out)
{
	if (node->type == GUMBO_NODE_TEXT || node->type == GUMBO_NODE_CDATA || node->type == GUMBO_NODE_WHITESPACE) {
		buf_addz(out, node->v.text.text);
		return;
	}
	if (node->type != GUMBO_NODE_ELEMENT)
		return;
	static const GumboTag skip[] = {
		GUMBO_TAG_SCRIPT, GUMBO_TAG_STYLE, GUMBO_TAG_TITLE, GUMBO_TAG_SVG, GUMBO_TAG_MATH, GUMBO_TAG_TEMPLATE, GUMBO_TAG_MAP,
		GUMBO_TAG_IFRAME, GUMBO_TAG_NOEMBED, GUMBO_TAG_NOFRAMES,
	};
	for (size_t i = 0; i < ARRAY_LEN(skip); i++) {
		if (node->v.element.tag == skip[i])
			return;
	}
	static const GumboTag cells[] = { GUMBO_TAG_TD, GUMBO_TAG_TH, GUMBO_TAG_BR, GUMBO_TAG_DIV, GUMBO_TAG_P, GUMBO_TAG_LI, GUMBO_TAG_TR, GUMBO_TAG_TABLE };
	for (size_t i = 0; i < ARRAY_LEN(cells); i++) {
		if (node->v.element.tag == cells[i])
			buf_addc(out, ' ');
	}
	for (unsigned i = 0; i < node->v.element.children.length; i++)
		gumbo_words(node->v.element.children.data[i], out);
}

/* letters keeps what both must have in the same order: letters and digits of ASCII. */
static struct str
letters(struct str s)
{
	char *out = arena_bytes(test_arena(), s.n + 1);
	size_t n = 0;

	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];
		if ((c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z'))
			out[n++] = c;
	}
	return str_n(out, n);
}

static void
compare_html(const char *name, struct str content, void *arg)
{
	struct message_source src;
	struct message m = parse(content, &src);

	for (uint32_t i = 0; i < m.nparts; i++) {
		struct str html;
		if (m.parts[i].kind != MESSAGE_LEAF || !message_part_is(&m.parts[i], S("TEXT"), S("HTML")))
			continue;
		assert_ok(message_part_text(test_arena(), &m, &src, &m.parts[i], MESSAGE_READ_TEXT, SIZE_MAX / 2, &html));
		if (html.n == 0 || str_has(html, '\0'))
			continue;
		struct buf ours = BUF_ARENA(test_arena(), SIZE_MAX / 2), theirs = ours;
		message_html_text(html, &ours, SIZE_MAX / 4);
		GumboOutput *tree = gumbo_parse_with_options(&kGumboDefaultOptions, html.p, html.n);
		gumbo_words(tree->root, &theirs);
		gumbo_destroy_output(&kGumboDefaultOptions, tree);
		size_t *n = arg;
		n[0]++;
		if (!str_is(letters(buf_str(&ours)), letters(buf_str(&theirs)))) {
			n[1]++;
			if (getenv("MOX_TEST_DIFFERENCES"))
				fprintf(stderr, "%s %u\n\tours  " STRF "\n\ttheir " STRF "\n", name, i, STRA(buf_str(&ours)), STRA(buf_str(&theirs)));
		}
	}
}

TEST(html_like_gumbo)
{
	size_t n[2] = { 0 };

	corpus_each("mime", compare_html, n);
	corpus_each("bounces/eml", compare_html, n);
	print_message("%zu parts, %zu different\n", n[0], n[1]);
	assert_true(n[0] > 150);
	assert_int_equal(n[1], 0);
}

TEST(flowed)
{
	static const struct {
		const char *in;
		bool delsp;
		const char *out;
	} rows[] = {
		{ "a \r\nb\r\nc\r\n", false, "a b\nc\n" },
		{ "a \r\nb\r\n", true, "ab\n" },
		{ " From x\r\n > not quoted\r\n", false, "From x\n> not quoted\n" },             // rfc/3676:298
		{ "> a \r\n> b\r\n>> c \r\nd\r\n", false, "> a b\n>> c \nd\n" },                 // rfc/3676:324
		{ "a \r\n-- \r\nme\r\n", false, "a \n-- \nme\n" },                               // rfc/3676:303
		{ "a ", false, "a \n" },
		{ "", false, "" },
		{ "a\n\nb\n", false, "a\n\nb\n" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct buf b = BUF_ARENA(test_arena(), 10000);
		test_row("%s", rows[i].in);
		message_flowed_text(test_exact(str_of(rows[i].in)), rows[i].delsp, &b);
		assert_strz(buf_str(&b), rows[i].out);
	}
}

static struct str
display_of(const struct message *m, const struct message_source *src, uint32_t part)
{
	struct buf b = BUF_ARENA(test_arena(), SIZE_MAX / 2);

	assert_ok(message_display_text(test_arena(), m, src, &m->parts[part], SIZE_MAX / 4, &b));
	return buf_str(&b);
}

/* Texts as they are shown, through whole messages: RFC 3676 with the transfer encodings and charsets it meets. */
TEST(display)
{
	static const struct {
		const char *in, *display, *preview;
	} rows[] = {
		{ "Content-Type: text/plain; format=flowed\n\none \ntwo\nthree\n",
		    "one two\nthree\n", "one two\nthree\n" },
		{ "Content-Type: text/plain; Format=Flowed; DelSp=Yes\n\none \ntwo\n",
		    "onetwo\n", "onetwo\n" },  // rfc/3676:307
		{ "Content-Type: text/plain; format=flowed; delsp=no\n\none \ntwo\n",
		    "one two\n", "one two\n" },
		{ "Content-Type: text/plain\n\none \ntwo\n", "one \ntwo\n", "one\ntwo\n" },
		{ "Content-Type: text/plain; format=fixed\n\n stuffed \ntwo\n", " stuffed \ntwo\n", "stuffed\ntwo\n" },
		/* Quotes of two depths; a space-stuffed line is no quote, nor one of mbox: rfc/3676:298 */
		{ "Content-Type: text/plain; format=flowed\n\n>> a \n>> b\n> c\n > d\n From e\n",
		    ">> a b\n> c\n> d\nFrom e\n", "[...]\nFrom e\n" },
		/* A signature is no paragraph, though its line ends in a space: rfc/3676:303 */
		{ "Content-Type: text/plain; format=flowed\n\na \nb \n-- \nme\n",
		    "a b \n-- \nme\n", "a b\n" },
		{ "Content-Type: text/plain; format=flowed; charset=iso-8859-1\n"
		    "Content-Transfer-Encoding: quoted-printable\n\nm=F6=20\nx=\ny\n", "m\xc3\xb6 xy\n", "m\xc3\xb6 xy\n" },
		/* "a \r\nb\r\n" */
		{ "Content-Type: text/plain; format=flowed\nContent-Transfer-Encoding: base64\n\nYSANCmINCg==\n",
		    "a b\n", "a b\n" },
		{ "Content-Type: text/html; format=flowed\n\n<p>one \ntwo</p>\n", "one two\n", "one two\n" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct message_source src;
		struct message m = parse(corpus_crlf(str_of(rows[i].in)), &src);
		test_row("%s", rows[i].in);
		assert_strz(display_of(&m, &src, 0), rows[i].display);
		assert_strz(preview_of(rows[i].in), rows[i].preview);
	}
}

TEST(charsets)
{
	static const struct {
		const char *name, *in, *out;    /* out NULL: unknown charset */
	} rows[] = {
		{ "utf-8", "m\xc3\xb6x\xf0\x9f\x98\x80", "m\xc3\xb6x\xf0\x9f\x98\x80" },
		{ "UTF8", "a\xff\xc3" "b", "a\xef\xbf\xbd\xef\xbf\xbd" "b" },
		{ "utf-8", "a\xe2\x98", "a\xef\xbf\xbd" },
		{ "iso-8859-1", "\xe4\x80", "\xc3\xa4\xe2\x82\xac" },
		{ "ISO-8859-15", "\xa4", "\xe2\x82\xac" },
		{ "windows-1251", "\xcf\xf0\xe8", "\xd0\x9f\xd1\x80\xd0\xb8" },
		{ "koi8-r", "\xf0", "\xd0\x9f" },
		{ "shift_jis", "\x83\x65\x83\x58", "\xe3\x83\x86\xe3\x82\xb9" },
		{ "iso-2022-jp", "\033$B%F%9\033(B", "\xe3\x83\x86\xe3\x82\xb9" },
		{ "euc-kr", "\xc7\xd1", "\xed\x95\x9c" },
		{ "gb2312", "\xc4\xe3", "\xe4\xbd\xa0" },
		{ "big5", "\xa4\xa4", "\xe4\xb8\xad" },
		{ "utf-7", "+AOQ-x", "\xc3\xa4x" },
		{ "cp437", "\x84", "\xc3\xa4" },
		{ "us-ascii", "\xc3\xa4\xe4 ", "\xc3\xa4\xc3\xa4 " },    /* guessed */
		{ "gb2312", "a\xc4", "a\xef\xbf\xbd" },
		{ " utf-8 ", "a", "a" },
		{ "iso-8859-12", "a", NULL },
		{ "iso-2022-cn-ext", "a", NULL },
		{ "utf-8//translit", "a", NULL },
		{ "cp99999", "a", NULL },
		{ "", "a", NULL },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct str in = str_of(rows[i].in);
		test_row("%s %zu", rows[i].name, i);
		struct message_charset *c = message_charset_open(str_of(rows[i].name));
		assert_int_equal(c != NULL, rows[i].out != NULL);
		if (!c)
			continue;
		message_charset_close(&c);
		/* Whole, and cut at every place. */
		for (size_t cut = 0; cut <= in.n + 1; cut++) {
			struct buf b = BUF_ARENA(test_arena(), 1000);
			c = message_charset_open(str_of(rows[i].name));
			for (size_t k = 0; cut > in.n && k < in.n; k++)
				message_charset_add(c, test_exact(str_upto(str_from(in, k), 1)), &b);
			if (cut <= in.n) {
				message_charset_add(c, test_exact(str_upto(in, cut)), &b);
				message_charset_add(c, test_exact(str_from(in, cut)), &b);
			}
			message_charset_end(c, &b);
			message_charset_close(&c);
			assert_strz(buf_str(&b), rows[i].out);
		}
	}
}

/* Line ends of UTF-16 are not touched: an inserted byte would shift all that follows. */
TEST(utf16_text)
{
	struct message_source src;
	struct message m = parse(S("Content-Type: text/plain; charset=utf-16be\r\nContent-Transfer-Encoding: base64\r\n\r\nAGEACgBi\r\n"), &src);
	struct str text;

	assert_ok(message_part_text(test_arena(), &m, &src, &m.parts[0], MESSAGE_READ_TEXT, 100, &text));
	assert_strz(text, "a\nb");
	assert_ok(message_part_text(test_arena(), &m, &src, &m.parts[0], MESSAGE_READ_DECODED, 100, &text));
	assert_str(text, S("\0a\0\n\0b"));
}

TEST(filenames)
{
	static const struct {
		const char *header, *disposition, *name;
		bool bad;
	} rows[] = {
		{ "", "", "", false },
		{ "Content-Type: a/b; name=x.txt\n", "", "x.txt", false },
		{ "Content-Type: a/b; name=x.txt\nContent-Disposition: attachment; filename=y.txt\n", "attachment", "y.txt", false },
		{ "Content-Disposition: INLINE\nContent-Type: a/b; name=x.txt\n", "inline", "x.txt", false },
		{ "Content-Disposition: attachment; filename*=utf-8''m%C3%B6x.txt\n", "attachment", "m\xc3\xb6x.txt", false },
		{ "Content-Disposition: attachment; filename*0*=iso-8859-1''m%F6; filename*1=x.txt\n", "attachment", "m\xc3\xb6x.txt", false },
		{ "Content-Disposition: attachment; filename=\"=?utf-8?q?m=C3=B6x=2Etxt?=\"\n", "attachment", "m\xc3\xb6x.txt", false },
		{ "Content-Disposition: attachment; filename=\"=?utf-8?q?m=C3=B6x?=.txt\"\n", "attachment", "m\xc3\xb6x.txt", false },
		{ "Content-Disposition: attachment; filename=\"=?broken\"\n", "attachment", "=?broken", true },
		{ "Content-Disposition: attachment; filename=\"m\xf6x\"\n", "attachment", "m\xc3\xb6x", true },
		{ "Content-Disposition: attachment; filename=\"../../etc/passwd\"\n", "attachment", "passwd", false },
		{ "Content-Disposition: attachment; filename=\"C:\\\\dir\\\\f.txt\"\n", "attachment", "f.txt", false },
		{ "Content-Disposition: attachment; filename=\"..\"\n", "attachment", "", false },
		{ "Content-Disposition: attachment; filename*=utf-8''a%0D%0Ab%E2%80%AEc\n", "attachment", "abc", false },
		{ "Content-Disposition: ; filename=x\n", "", "", true },
		{ "Content-Type: application/ms-tnef\n", "", "winmail.dat", false },
		{ "Content-Type: text/calendar; method=request\n", "", "invite.ics", false },
		{ "Content-Type: application/ms-tnef; name=x.dat\n", "", "x.dat", false },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct message_source src;
		struct message m = parse(corpus_crlf(str_fmt(test_arena(), "%s\n", rows[i].header)), &src);
		struct str disposition, name;
		bool bad;
		test_row("%s", rows[i].header);
		message_filename(test_arena(), &m.parts[0], &disposition, &name, &bad);
		assert_strz(disposition, rows[i].disposition);
		assert_strz(name, rows[i].name);
		assert_int_equal(bad, rows[i].bad);
	}
}

TEST(attachments)
{
	struct message_source src;
	struct message m = parse(corpus_crlf(S("Content-Type: multipart/mixed; boundary=b\n\n--b\n\ntext\n--b\nContent-Type: text/html\n\nx\n"
		"--b\nContent-Type: image/png\n\nx\n--b\nContent-Disposition: attachment\n\nx\n--b\nContent-Type: message/rfc822\n\n\n"
		"--b\nContent-Type: text/calendar\n\nx\n--b\nContent-Type: application/ms-tnef\n\nx\n--b--\n")), &src);
	static const bool want[] = { false, false, false, true, true, true, false, true, true };

	assert_int_equal(m.nparts, ARRAY_LEN(want));
	for (uint32_t i = 0; i < m.nparts; i++) {
		test_row("%u", i);
		assert_int_equal(message_is_attachment(&m, &m.parts[i]), want[i]);
	}
	m = parse(corpus_crlf(S("Content-Type: multipart/signed; boundary=b\n\n--b\n\ntext\n--b\nContent-Type: application/pgp-signature\n\nx\n--b--\n")), &src);
	assert_false(message_is_attachment(&m, &m.parts[2]));
	m = parse(corpus_crlf(S("Content-Type: multipart/encrypted; boundary=b\n\n--b\nContent-Type: application/pgp-encrypted\n\nx\n--b\n"
		"Content-Type: application/octet-stream\n\nx\n--b--\n")), &src);
	assert_false(message_is_attachment(&m, &m.parts[1]));
	assert_true(message_is_attachment(&m, &m.parts[2]));
}

TEST(search_text)
{
	struct message_source src;
	struct message m = parse(corpus_crlf(S("Subject: =?utf-8?q?=C3=84rger?= X\nTo:  A\n B <a@b>\nContent-Type: multipart/mixed; boundary=b\n\n"
		"--b\nContent-Type: text/plain; charset=iso-8859-1\nContent-Transfer-Encoding: quoted-printable\n\nM=D6X and\nmore   words=\n joined\n"
		"--b\nContent-Type: text/html\n\n<p>Hello <b>HTML</b></p><script>no</script>\n"
		"--b\nContent-Type: text/plain; format=flowed\n\none \ntwo\n"
		"--b\nContent-Type: message/rfc822\n\nSubject: Inner\n\nInner body\n"
		"--b\nContent-Type: image/png\n\nnot searched\n--b--\n")), &src);
	struct buf h = BUF_ARENA(test_arena(), 10000), b = h;

	assert_ok(message_search_text(&m, &src, &h, &b));
	assert_strz(buf_str(&h), "subject: \xc3\xa4rger x\nto: a b <a@b>\ncontent-type: multipart/mixed; boundary=b\n"
		"content-type: text/plain; charset=iso-8859-1\ncontent-transfer-encoding: quoted-printable\ncontent-type: text/html\n"
		"content-type: text/plain; format=flowed\ncontent-type: message/rfc822\nsubject: inner\ncontent-type: image/png\n");
	assert_strz(buf_str(&b), "m\xc3\xb6x and\nmore words joined\nhello html\n\none two\n\ninner body\n");
	assert_strz(message_search_fold(test_arena(), S("M\xc3\x96X  And\n\xc3\x84")), "m\xc3\xb6x and \xc3\xa4");
	/* Decomposed characters are found too. */
	assert_strz(message_search_fold(test_arena(), S("Mo\xcc\x88X")), "m\xc3\xb6x");
	struct buf small = BUF_ARENA(test_arena(), 10);
	assert_ok(message_search_text(&m, &src, NULL, &small));
	assert_strz(buf_str(&small), "m\xc3\xb6x and\nm");
	assert_false(small.failed);
}
