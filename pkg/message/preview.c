/* SPDX-License-Identifier: MIT */
/*
 * The short text of a message for lists (RFC 8970): what its author wrote first, without what is quoted.
 *
 * Implementation notes. The rules look up to ten lines ahead. They run over the text read so far; if they reach its end before they have
 * enough, more is read, twice as much each time, and they start anew.
 */
#include "message/body.h"

#include "base/mem.h"
#include "base/utf8.h"
#include "message/message_internal.h"

#define LOOK_AHEAD 10
#define ENOUGH 250                      /* bytes of output, then stop */
#define MAX_CHARS 256                   /* rfc/8970:211 */
#define READ_FIRST ((size_t)16 * 1024)
#define READ_MAX ((size_t)1024 * 1024)  /* a text that needs more to find a preview has none */
#define HTML_MAX ((size_t)4096)         /* text that is made of HTML */
#define LINE_MAX_BYTES ((size_t)64 * 1024)

/* Lines */

struct lines {
	struct str v[LOOK_AHEAD];       /* trimmed */
	size_t n;
	struct str rest;
	bool complete;                  /* rest goes to the end of the text */
	bool starved;                   /* more lines were wanted than there are yet */
};

static void
fill(struct lines *l)
{
	while (l->n < LOOK_AHEAD && l->rest.n > 0) {
		const char *lf = memchr(l->rest.p, '\n', l->rest.n);
		if (!lf && !l->complete && l->rest.n < LINE_MAX_BYTES)
			break;
		l->v[l->n++] = str_trim(str_split(&l->rest, '\n'));
	}
	if (l->n < LOOK_AHEAD && !l->complete)
		l->starved = true;
}

static void
drop(struct lines *l, size_t n)
{
	l->n -= n;
	memmove(l->v, l->v + n, l->n * sizeof(l->v[0]));
	fill(l);
}

static bool
is_snip(struct str s)
{
	return str_is(s, S("[...]")) || str_is(s, S("[\xe2\x80\xa6]")) || str_is(s, S("..."));
}

/* quote_follows tells whether line i introduces a quote: the next line, or the one after an empty line, is one. */
static bool
quote_follows(const struct lines *l, size_t i)
{
	if (i + 1 < l->n && l->v[i + 1].n == 0)
		i++;
	return i + 1 < l->n && (str_starts(l->v[i + 1], S(">")) || is_snip(l->v[i + 1]));
}

/* is_signature: dashes only, and then fewer than five lines without an empty one between, to the end of the text. */
static bool
is_signature(const struct lines *l)
{
	size_t n = l->n;

	if (!str_starts(l->v[0], S("--")))
		return false;
	for (size_t i = 0; i < l->v[0].n; i++) {
		if (l->v[0].p[i] != '-')
			return false;
	}
	while (n > 1 && l->v[n - 1].n == 0)
		n--;
	if (n - 1 >= 5)
		return false;
	for (size_t i = 1; i < n; i++) {
		if (l->v[i].n == 0)
			return false;
	}
	return true;
}

static bool
has_digit(struct str s)
{
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] >= '0' && s.p[i] <= '9')
			return true;
	}
	return false;
}

static bool
ends_in_snip(const struct buf *out)
{
	return str_ends(buf_str(out), S("[...]\n")) || str_ends(buf_str(out), S("[\xe2\x80\xa6]\n"));
}

static void
add_snip(struct buf *out)
{
	if (!ends_in_snip(out))
		buf_add(out, S("[...]\n"));
}

/* preview_text writes the preview of a text. False if the text is not complete and the end of what there is matters. */
static bool
preview_text(struct str text, bool complete, struct buf *out)
{
	struct lines l = { .rest = text, .complete = complete };

	buf_reset(out);
	fill(&l);
	/* A wrapped introduction at the very start: "On ... /  wrote:". */
	if (l.n > 3 && str_starts(l.v[0], S("On ")) && !str_ends(l.v[0], S("wrote:")) && str_ends(l.v[1], S(":")) && quote_follows(&l, 1)) {
		add_snip(out);
		drop(&l, 3);
	}
	while (l.n > 0 && !is_signature(&l) && out->n <= ENOUGH) {
		struct str line = l.v[0];
		if (str_starts(line, S(">"))) {
			add_snip(out);
		} else if (str_ends(line, S(":")) && (has_digit(line) || out->n == 0) && quote_follows(&l, 0)) {
			add_snip(out);
		} else if (line.n > 0 && !(is_snip(line) && ends_in_snip(out))) {
			buf_add(out, utf8_cut(line, 4 * MAX_CHARS));
			buf_addc(out, '\n');
		}
		drop(&l, 1);
	}
	return !l.starved || out->n > ENOUGH;
}

static struct str
cut_chars(struct str s)
{
	size_t n = 0, off = 0;

	while (off < s.n && n < MAX_CHARS) {
		uint32_t cp;
		int len = utf8_next(str_from(s, off), &cp);
		off += len > 0 ? (size_t)len : 1;
		n++;
	}
	return str_upto(s, off);
}

/* Parts */

/* preview_plain gathers decoded text until a preview is found in it. */
static int
preview_plain(const struct message_part *p, struct message_reader *r, struct buf *out)
{
	cleanup_(buf_done) struct buf text = BUF_INIT(READ_MAX + READ_FIRST * 8), plain = BUF_INIT(SIZE_MAX / 2);
	struct str chunk;
	bool delsp, flowed = message_is_flowed(p, &delsp);
	int rc = 1;

	for (size_t want = READ_FIRST; rc > 0; want *= 2) {
		while (text.n < want && (rc = message_reader_next(r, &chunk)) > 0)
			buf_add(&text, chunk);
		TRY(rc);
		buf_reset(&plain);
		if (flowed)
			message_flowed_text(buf_str(&text), delsp, &plain);
		if (preview_text(buf_str(flowed ? &plain : &text), rc == 0, out))
			return 0;
		if (text.n >= READ_MAX)
			break;
	}
	buf_reset(out);
	return 0;
}

static int
preview_html(struct message_reader *r, struct buf *out)
{
	cleanup_(buf_done) struct buf text = BUF_INIT(HTML_MAX * 8);
	struct message_html *h = message_html_open(&text, HTML_MAX);
	struct str chunk;
	int64_t read = 0;
	int rc;

	while ((rc = message_reader_next(r, &chunk)) > 0 && read < (int64_t)READ_MAX) {
		read += (int64_t)chunk.n;
		if (!message_html_add(h, chunk))
			break;
	}
	message_html_close(&h);
	TRY(rc);
	preview_text(buf_str(&text), true, out);
	return 0;
}

static int
preview_leaf(struct arena *a, const struct message *m, const struct message_source *src, const struct message_part *p, struct buf *out)
{
	cleanup_(message_reader_close) struct message_reader *r = NULL;
	bool html = str_is(p->subtype, S("HTML"));

	if (!message_is_text(p) || (!html && !str_is(p->subtype, S("PLAIN"))) || str_is(p->disposition, S("attachment")))
		return 0;
	TRY(message_reader_open(a, m, src, p, MESSAGE_READ_TEXT, &r));
	return html ? preview_html(r, out) : preview_plain(p, r, out);
}

/* preview_part looks for text in a part and below; embedded messages are not entered. */
static int
preview_part(struct arena *a, const struct message *m, const struct message_source *src, const struct message_part *p, struct buf *out)
{
	if (p->kind == MESSAGE_LEAF)
		return preview_leaf(a, m, src, p, out);
	if (p->kind == MESSAGE_EMBEDDED || str_is(p->subtype, S("ENCRYPTED")))
		return 0;
	for (const struct message_part *q = message_first_child(m, p); q && out->n == 0; q = message_next_part(m, q)) {
		TRY(preview_part(a, m, src, q, out));
		if (str_is(p->subtype, S("SIGNED")))
			break;
	}
	return 0;
}

int
message_preview(struct arena *a, const struct message *m, const struct message_source *src, struct str *r_preview)
{
	cleanup_(buf_done) struct buf out = BUF_INIT(16 * 1024);

	TRY(preview_part(a, m, src, &m->parts[0], &out));
	*r_preview = str_dup(a, cut_chars(buf_str(&out)));
	if (!r_preview->p)
		*r_preview = S("");
	return 0;
}
