/* SPDX-License-Identifier: MIT */
/*
 * The parser: one pass over the lines of a message.
 *
 * Implementation notes. Bytes are looked at through a window, so that a message of any size needs little memory; a message below the
 * window's size is read with one call, one in memory is not copied. Lines are found with memchr. A line matters only if it starts with "--" and
 * equals one of the open boundaries, found by hash, so nesting does not multiply the work.
 *
 * `cur` is the part that lines belong to at the moment: a leaf, or a multipart before its first or behind its last boundary. A boundary
 * of an outer multipart ends all inner parts that are still open. The end of a line is accounted when the next line starts, since the one
 * before a boundary belongs to the boundary: rfc/2046:1083
 */
#include "message/message.h"

#include "base/limits.h"
#include "base/mem.h"
#include "message/message_internal.h"

#define WINDOW ((size_t)256 * 1024)             /* bytes read at once */
#define LINE_PIECE ((size_t)64 * 1024)          /* longer lines are seen in pieces */
#define BOUNDARY_MAX 1000                       /* RFC 2046 allows 70; longer ones occur */
#define EMBEDDED_ENCODED_DEPTH 4                /* encoded messages within encoded messages */
#define EMBEDDED_DECODED_MAX ((size_t)32 * 1024 * 1024) /* bytes in memory, of all levels together */

/* Window */

struct window {
	const struct message_source *src;
	char *buf;              /* NULL if the source is all in memory */
	size_t cap;
	const char *p;          /* bytes [off, off+n) of the source */
	int64_t off;
	size_t n;
	int64_t size;           /* of the source */
};

static int
window_open(struct window *w, const struct message_source *src)
{
	*w = (struct window){ .src = src, .size = message_source_size(src) };
	if (w->size <= (int64_t)src->prefix.n) {
		w->p = src->prefix.p ? src->prefix.p : "";
		w->n = (size_t)w->size;
		return 0;
	}
	w->cap = (size_t)MIN(w->size, (int64_t)WINDOW);
	w->buf = malloc(w->cap);
	if (!w->buf)
		w->buf = mem_alloc(w->cap);
	w->p = w->buf;
	w->n = w->cap;
	return message_source_pread(src, 0, w->buf, w->n);
}

static void
window_close(struct window *w)
{
	free(w->buf);
}

/* window_more reads further bytes; what stands before keep may go. There must be more in the source. */
static int
window_more(struct window *w, int64_t keep)
{
	size_t drop = (size_t)(keep - w->off);

	memmove(w->buf, w->buf + drop, w->n - drop);
	w->off = keep;
	w->n -= drop;
	if (w->cap - w->n < LINE_PIECE) {
		w->buf = mem_grow(w->buf, w->cap * 2, w->cap * 2, 1);
		w->cap *= 2;
		w->p = w->buf;
	}
	size_t n = (size_t)MIN((int64_t)(w->cap - w->n), w->size - w->off - (int64_t)w->n);
	TRY(message_source_pread(w->src, w->off + (int64_t)w->n, w->buf + w->n, n));
	w->n += n;
	return 0;
}

/* Parser */

struct boundary {
	uint32_t part;
	uint32_t hash;          /* of the text; compared first */
	uint32_t last;          /* its last child so far; 0: none */
	struct str text;        /* without "--" */
};

struct parser {
	struct arena *a;
	struct window w;
	struct message *m;
	uint32_t cap;           /* of m->parts */
	unsigned flags;
	uint32_t space;         /* coordinate space of the parts being made */
	unsigned encoded_depth;
	size_t *decoded;        /* bytes of encoded embedded messages held by all levels */
	struct message_budget *budget;
	struct arena scratch;   /* reset after each header */

	struct boundary open[LIMIT_MIME_DEPTH];
	unsigned nopen;
	uint32_t cur;
	bool counting;          /* counter is in use for cur */
	struct message_counter counter;
	unsigned pending_eol;   /* line end of the last line of cur, not counted yet: 0, 1, 2 bytes */

	/* The line at hand. A piece of a longer line has eol 0 and whole false. */
	struct str line;        /* without line end */
	int64_t line_off, piece_off;
	unsigned eol;           /* bytes of the line end: 0, 1, 2 */
	bool whole;             /* started and ended within this piece, or ended by the end of input */
	bool first_piece;
	int64_t next_off;       /* where the next line or piece starts */
	bool in_line;           /* the next piece continues this line */
	bool again;             /* the line at hand is to be taken again */
	int64_t lineno;         /* of the line at hand, from 1 */
	int64_t line_len;       /* of all pieces so far, with line end */
	/* The line before. */
	int64_t prev_off;
	unsigned prev_eol;
};

static struct message_part *
part(struct parser *p, uint32_t i)
{
	return &p->m->parts[i];
}

/* flaw notes what is wrong; a text makes it a fault for strict readers. */
static void
flaw(struct parser *p, uint32_t i, enum message_flaw bit, int64_t off, const char *text)
{
	part(p, i)->flaws |= bit;
	if (text && p->m->fault.text.n == 0) {
		p->m->fault.part = i;
		p->m->fault.off = off;
		p->m->fault.text = str_of(text);
	}
}

/*
 * next_line takes the next line or piece of one, or the line at hand if it is to be taken again: 1, 0 at the end of input, or an error.
 * Bytes from keep on stay in the window.
 */
static int
next_line(struct parser *p, int64_t keep)
{
	struct window *w = &p->w;
	int64_t off = p->next_off;

	if (p->again) {
		p->again = false;
		return 1;
	}
	if (off == w->size)
		return 0;
	size_t have = (size_t)(w->off + (int64_t)w->n - off);
	const char *s = w->p + (off - w->off);
	const char *lf = have > 0 ? memchr(s, '\n', MIN(have, LINE_PIECE)) : NULL;
	if (!lf && have < LINE_PIECE && off + (int64_t)have < w->size) {
		TRY(window_more(w, MIN(keep, off)));
		have = (size_t)(w->off + (int64_t)w->n - off);
		s = w->p + (off - w->off);
		lf = memchr(s, '\n', MIN(have, LINE_PIECE));
	}
	size_t n = lf ? (size_t)(lf - s) + 1 : MIN(have, LINE_PIECE);
	/* A piece does not end between CR and LF. */
	if (!lf && n > 1 && s[n - 1] == '\r' && off + (int64_t)n < w->size)
		n--;
	bool last = lf || off + (int64_t)n == w->size;

	if (!p->in_line) {
		p->prev_off = p->line_off;
		p->lineno++;
		p->line_off = off;
		p->line_len = 0;
	}
	p->prev_eol = p->eol;
	p->first_piece = !p->in_line;
	p->piece_off = off;
	p->whole = !p->in_line && last;
	p->in_line = !last;
	p->line_len += (int64_t)n;
	p->next_off = off + (int64_t)n;
	p->eol = !lf ? 0 : n > 1 && s[n - 2] == '\r' ? 2 : 1;
	p->line = str_n(s, n - p->eol);
	return 1;
}

/* check_line looks for what strict readers refuse in any line, of header or body. */
static void
check_line(struct parser *p, uint32_t i)
{
	bool strict = p->flags & MESSAGE_STRICT;

	if (p->eol == 1)
		flaw(p, i, MESSAGE_FLAW_BARE_LF, p->line_off, "bare LF");               // rfc/5322:486
	if (p->line_len > (strict ? LIMIT_LINE_STRICT : LIMIT_LINE_LENIENT))
		flaw(p, i, MESSAGE_FLAW_LONG_LINE, p->line_off, "line too long");       // rfc/5322:363
	if (strict && p->line.n > 0 && memchr(p->line.p, '\r', p->line.n))
		flaw(p, i, MESSAGE_FLAW_BARE_CR, p->line_off, "bare CR");
}

/*
 * match_boundary tells which open multipart the line is a delimiter of: its index in p->open, or -1. *r_close: the closing one. White
 * space at the end is padding: rfc/2046:1239. Behind the "--" of a closing one anything may stand; some senders put more there.
 */
static int
match_boundary(struct parser *p, bool *r_close)
{
	struct str s = p->line;

	if (p->nopen == 0 || !p->first_piece || s.n < 3 || s.p[0] != '-' || s.p[1] != '-')
		return -1;
	s = str_from(s, 2);
	while (s.n > 0 && (s.p[s.n - 1] == ' ' || s.p[s.n - 1] == '\t'))
		s.n--;
	uint32_t hash = s.n <= BOUNDARY_MAX ? message_hash(s) : 0;

	for (int i = (int)p->nopen - 1; i >= 0; i--) {
		const struct boundary *b = &p->open[i];
		*r_close = false;
		if (b->hash == hash && str_is(b->text, s))
			return i;
		*r_close = true;
		if (s.n >= b->text.n + 2 && s.p[b->text.n] == '-' && s.p[b->text.n + 1] == '-' && str_starts(s, b->text))
			return i;
	}
	return -1;
}

/* depth_of counts how deep a part is nested. */
static unsigned
depth_of(struct parser *p, uint32_t i)
{
	unsigned n = 0;

	for (; i != MESSAGE_NONE; i = part(p, i)->parent)
		n++;
	return n;
}

static uint32_t
add_part(struct parser *p, uint32_t parent, bool root, int64_t boundary_off, int64_t header_off)
{
	uint32_t i = p->m->nparts;

	MESSAGE_GROW(p->a, p->m->parts, p->m->nparts, p->cap);
	p->m->nparts++;
	*part(p, i) = (struct message_part){
		.parent = parent, .next = MESSAGE_NONE, .root = root, .boundary_off = boundary_off, .header_off = header_off,
		.space = p->space,
	};
	if (parent != MESSAGE_NONE)
		part(p, parent)->nchildren++;
	return i;
}

static void
make_opaque(struct parser *p, uint32_t i)
{
	struct message_part *q = part(p, i);

	q->kind = MESSAGE_LEAF;
	q->type = S("APPLICATION");
	q->subtype = S("OCTET-STREAM");
}

static bool
is_identity(const struct message_part *q)
{
	return q->encoding == MESSAGE_7BIT || q->encoding == MESSAGE_8BIT || q->encoding == MESSAGE_BINARY || q->encoding == MESSAGE_UNKNOWN;
}

static bool
is_message(const struct message_part *q)
{
	return str_is(q->type, S("MESSAGE")) && (str_is(q->subtype, S("RFC822")) || str_is(q->subtype, S("GLOBAL")));
}

static void
begin_multipart(struct parser *p, uint32_t i)
{
	struct message_part *q = part(p, i);
	struct str b = { 0 };

	message_part_param(q, S("boundary"), &b);
	while (b.n > 0 && (b.p[b.n - 1] == ' ' || b.p[b.n - 1] == '\t'))
		b.n--;
	if (b.n == 0 || b.n > BOUNDARY_MAX) {
		flaw(p, i, MESSAGE_FLAW_NO_BOUNDARY, q->header_off, "multipart without boundary parameter");
		make_opaque(p, i);
		return;
	}
	if (p->nopen == ARRAY_LEN(p->open) || depth_of(p, i) >= LIMIT_MIME_DEPTH) {
		flaw(p, i, MESSAGE_FLAW_DEPTH, q->header_off, "parts nested too deeply");
		make_opaque(p, i);
		return;
	}
	q->kind = MESSAGE_MULTIPART;
	p->open[p->nopen++] = (struct boundary){ .part = i, .hash = message_hash(b), .text = b };
}

/* Only encoded bodies, and text for its bare LFs, need counting. */
static void
begin_leaf(struct parser *p, uint32_t i)
{
	const struct message_part *q = part(p, i);

	p->cur = i;
	p->pending_eol = 0;
	bool crlf = message_wants_crlf(q);
	p->counting = !is_identity(q) || crlf;
	if (p->counting)
		message_counter_init(&p->counter, q->encoding, crlf);
}

static int begin_part(struct parser *p, uint32_t parent, bool root, int64_t boundary_off);

/* begin_body decides, after the header, how the body is read. */
static int
begin_body(struct parser *p, uint32_t i)
{
	struct message_part *q = part(p, i);

	if (str_is(q->type, S("MULTIPART"))) {
		begin_multipart(p, i);
		p->cur = i;
		p->counting = false;
		if (part(p, i)->kind == MESSAGE_MULTIPART)
			return 0;
	} else if (is_message(q) && is_identity(q)) {
		if (depth_of(p, i) < LIMIT_MIME_DEPTH && p->m->nparts < LIMIT_MIME_PARTS) {
			q->kind = MESSAGE_EMBEDDED;
			return begin_part(p, i, true, -1);
		}
		if (p->m->nparts < LIMIT_MIME_PARTS)
			flaw(p, i, MESSAGE_FLAW_DEPTH, q->header_off, "parts nested too deeply");
		else
			flaw(p, i, MESSAGE_FLAW_PARTS, q->header_off, "too many parts");
		make_opaque(p, i);
	}
	begin_leaf(p, i);
	return 0;
}

/*
 * begin_part makes a part whose header starts at the next line, reads the header, and goes on to its body. A line that ends the
 * header without being the empty one is left at hand, to be taken again.
 */
static int
begin_part(struct parser *p, uint32_t parent, bool root, int64_t boundary_off)
{
	int64_t start = p->again ? p->piece_off : p->next_off, body = -1, first_line;
	bool digest = parent != MESSAGE_NONE && str_is(part(p, parent)->type, S("MULTIPART")) && str_is(part(p, parent)->subtype, S("DIGEST"));
	uint32_t i = add_part(p, parent, root, boundary_off, start);
	bool close;
	int rc;

	p->cur = i;
	while (body < 0 && (rc = next_line(p, start)) != 0) {
		TRY(rc);
		if (p->first_piece && p->line.n == 0 && p->eol > 0) {
			check_line(p, i);
			body = p->next_off;
			first_line = p->lineno + 1;
		} else if (match_boundary(p, &close) >= 0) {
			flaw(p, i, MESSAGE_FLAW_HEADER_END, p->line_off, "header ended by a boundary");
			p->again = true;
		} else if (p->next_off - start > LIMIT_HEADER_SIZE) {
			flaw(p, i, MESSAGE_FLAW_HEADER_SIZE, start, "header too large");
			p->again = true;
		} else {
			check_line(p, i);
		}
		if (p->again) {
			body = p->piece_off;
			first_line = p->lineno;
		}
	}
	if (body < 0) {
		body = p->w.size;
		first_line = p->lineno + 1;
		if (body > start && p->eol == 0)
			flaw(p, i, MESSAGE_FLAW_HEADER_END, p->line_off, "header ends within a line");
	}

	struct message_part *q = part(p, i);
	q->body_off = body;
	q->lines = first_line;          /* becomes the count at the end of the part */
	struct str header = str_n(p->w.p + (start - p->w.off), (size_t)(body - start));
	message_read_part_header(p->a, &p->scratch, p->budget, q, header, digest);
	arena_reset(&p->scratch);
	if (q->flaws & MESSAGE_FLAW_HEADER_LINE)
		flaw(p, i, MESSAGE_FLAW_HEADER_LINE, start, "header line that is no field");
	if (q->flaws & (MESSAGE_FLAW_CONTENT_TYPE | MESSAGE_FLAW_PARAMS))
		flaw(p, i, 0, start, "bad syntax of Content-Type");
	return begin_body(p, i);
}

/* recount gives the decoded size of a body that was not counted on the way, by reading it again. */
static int
recount(struct parser *p, struct message_part *q)
{
	struct message_decoder d;
	cleanup_(buf_done) struct buf out = BUF_INIT(SIZE_MAX / 2);
	cleanup_(mem_cleanup) char *buf = mem_alloc(LINE_PIECE);

	q->decoded_size = 0;
	message_decoder_init(&d, q->encoding, message_wants_crlf(q));
	for (int64_t off = q->body_off; off < q->end_off;) {
		size_t n = (size_t)MIN((int64_t)LINE_PIECE, q->end_off - off);
		TRY(message_source_pread(p->w.src, off, buf, n));
		message_decoder_add(&d, str_n(buf, n), &out);
		q->decoded_size += (int64_t)out.n;
		buf_reset(&out);
		off += (int64_t)n;
	}
	message_decoder_end(&d, &out);
	q->decoded_size += (int64_t)out.n;
	return 0;
}

static int parse_embedded(struct parser *p, uint32_t i);

/* finish ends a part. end_line: number of the first line behind it. at_boundary: the line end before belongs to a boundary. */
static int
finish(struct parser *p, uint32_t i, int64_t end, int64_t end_line, bool at_boundary)
{
	struct message_part *q = part(p, i);
	int64_t first_line = q->lines;

	q->end_off = MAX(q->body_off, end);
	q->lines = end_line - first_line;
	if (at_boundary && p->prev_off >= q->end_off)
		q->lines--;             /* the last line was empty but for the boundary's line end */
	if (q->end_off == q->body_off)
		q->lines = 0;

	q->decoded_size = q->end_off - q->body_off;
	if (p->counting && i == p->cur) {
		size_t bad;
		p->counting = false;
		q->decoded_size = message_counter_end(&p->counter, &bad);
		if (bad > 0)
			flaw(p, i, MESSAGE_FLAW_DECODE, q->body_off, "body not correct by its Content-Transfer-Encoding");
	}
	if (q->kind == MESSAGE_MULTIPART && q->nchildren == 0) {
		flaw(p, i, MESSAGE_FLAW_NO_PARTS, q->header_off, "multipart without parts");
		make_opaque(p, i);
		if (!is_identity(q))
			TRY(recount(p, q));
	}
	return q->kind == MESSAGE_LEAF && is_message(q) && !is_identity(q) ? parse_embedded(p, i) : 0;
}

/* finish_until ends the current part and its parents up to, but not including, the given one. */
static int
finish_until(struct parser *p, uint32_t stop, int64_t end, int64_t end_line, bool at_boundary)
{
	for (uint32_t i = p->cur; i != stop; i = part(p, i)->parent) {
		TRY(finish(p, i, end, end_line, at_boundary));
		/* The line end before a boundary may be the empty line of a part without body: then its parents contain that. */
		if (part(p, i)->space == p->space)
			end = part(p, i)->end_off;
	}
	p->cur = stop;
	return 0;
}

/* drop_open closes multiparts that lack their closing boundary, down to n open ones. */
static void
drop_open(struct parser *p, unsigned n)
{
	while (p->nopen > n) {
		uint32_t i = p->open[--p->nopen].part;
		if (part(p, i)->nchildren > 0)
			flaw(p, i, MESSAGE_FLAW_NOT_CLOSED, part(p, i)->header_off, "missing closing boundary");
	}
}

/* take_boundary acts on the delimiter of open multipart k. */
static int
take_boundary(struct parser *p, unsigned k, bool close)
{
	struct boundary *b = &p->open[k];
	int64_t off = p->line_off;

	drop_open(p, k + 1);
	TRY(finish_until(p, b->part, off - p->prev_eol, p->lineno, true));
	if (close) {
		p->nopen = k;
		return 0;
	}
	if (p->m->nparts >= LIMIT_MIME_PARTS) {
		flaw(p, b->part, MESSAGE_FLAW_PARTS, off, "too many parts");
		return 0;
	}
	uint32_t i = p->m->nparts;
	if (b->last != 0)
		part(p, b->last)->next = i;
	b->last = i;
	return begin_part(p, b->part, false, off);
}

/* take_body_line accounts a line, or a piece of one, to the current part. */
static void
take_body_line(struct parser *p)
{
	check_line(p, p->cur);
	if (!p->counting)
		return;
	if (p->pending_eol)
		message_counter_eol(&p->counter, p->pending_eol == 2 ? S("\r\n") : S("\n"));
	message_counter_content(&p->counter, p->line, p->whole);
	p->pending_eol = p->eol;
}

/* run parses the source of the window as a message, the child of parent. */
static int
run(struct parser *p, uint32_t parent)
{
	bool close = false;
	int rc;

	TRY(begin_part(p, parent, true, -1));
	while ((rc = next_line(p, INT64_MAX)) > 0) {
		int k = match_boundary(p, &close);
		if (k >= 0)
			TRY(take_boundary(p, (unsigned)k, close));
		else
			take_body_line(p);
	}
	TRY(rc);
	if (p->counting && p->pending_eol)
		message_counter_eol(&p->counter, p->pending_eol == 2 ? S("\r\n") : S("\n"));
	drop_open(p, 0);
	return finish_until(p, parent, p->w.size, p->lineno + 1, false);
}

/* decode_body decodes a whole body into memory. */
static int
decode_body(struct parser *p, const struct message_part *q, struct buf *out)
{
	struct message_decoder d;
	cleanup_(mem_cleanup) char *buf = mem_alloc(LINE_PIECE);

	message_decoder_init(&d, q->encoding, false);
	for (int64_t off = q->body_off; off < q->end_off;) {
		size_t n = (size_t)MIN((int64_t)LINE_PIECE, q->end_off - off);
		TRY(message_source_pread(p->w.src, off, buf, n));
		message_decoder_add(&d, str_n(buf, n), out);
		off += (int64_t)n;
	}
	message_decoder_end(&d, out);
	return 0;
}

/* done releases what a parser holds besides its result, also after an error in the middle. */
static void
done(struct parser *p)
{
	window_close(&p->w);
	arena_done(&p->scratch);
	if (p->counting)
		message_counter_end(&p->counter, &(size_t){ 0 });
}

/* parse_embedded parses a message that its part carries transfer-encoded, which message/global may: rfc/6532:298 */
static int
parse_embedded(struct parser *p, uint32_t i)
{
	int64_t size = part(p, i)->decoded_size;

	if (p->encoded_depth >= EMBEDDED_ENCODED_DEPTH || size > (int64_t)(EMBEDDED_DECODED_MAX - *p->decoded)) {
		flaw(p, i, MESSAGE_FLAW_EMBEDDED, part(p, i)->header_off, "encoded message too large or too deep");
		make_opaque(p, i);
		return 0;
	}
	if (depth_of(p, i) >= LIMIT_MIME_DEPTH || p->m->nparts >= LIMIT_MIME_PARTS) {
		flaw(p, i, MESSAGE_FLAW_DEPTH, part(p, i)->header_off, "parts nested too deeply");
		make_opaque(p, i);
		return 0;
	}

	cleanup_(buf_done) struct buf body = BUF_INIT(EMBEDDED_DECODED_MAX);
	TRY(decode_body(p, part(p, i), &body));
	*p->decoded += body.n;
	struct message_source src = message_source_mem(buf_str(&body));
	cleanup_(mem_cleanup) struct parser *sub = mem_alloc(sizeof(*sub));
	*sub = (struct parser){
		.a = p->a, .m = p->m, .cap = p->cap, .flags = p->flags, .space = i, .encoded_depth = p->encoded_depth + 1, .decoded = p->decoded,
		.budget = p->budget,
	};
	part(p, i)->kind = MESSAGE_EMBEDDED;
	TRY(window_open(&sub->w, &src));
	int rc = run(sub, i);
	done(sub);
	p->cap = sub->cap;
	*p->decoded -= body.n;
	return rc;
}

/* section_name writes the number of a part as IMAP counts, for people: "part 2.1". */
static struct str
section_name(struct arena *a, const struct message *m, uint32_t i)
{
	struct str s = { 0 };

	for (; m->parts[i].parent != MESSAGE_NONE; i = m->parts[i].parent) {
		uint32_t parent = m->parts[i].parent, number = 1;
		if (m->parts[i].root)
			continue;
		for (uint32_t k = parent + 1; k != i; k = m->parts[k].next)
			number++;
		s = s.n > 0 ? str_fmt(a, "%u." STRF, number, STRA(s)) : str_fmt(a, "%u", number);
	}
	return s.n > 0 ? str_fmt(a, "part " STRF, STRA(s)) : S("message");
}

int
message_parse(struct arena *a, const struct message_source *src, unsigned flags, struct message *r_m, struct errmsg *e)
{
	size_t decoded = 0;
	struct message_budget budget = { .strings = LIMIT_MESSAGE_STRINGS, .params = LIMIT_MESSAGE_PARAMS, .addrs = LIMIT_MESSAGE_ADDRESSES };
	cleanup_(mem_cleanup) struct parser *p = mem_alloc(sizeof(*p));
	struct message m = { .size = message_source_size(src) };

	*p = (struct parser){ .a = a, .m = &m, .flags = flags, .space = MESSAGE_NONE, .decoded = &decoded, .budget = &budget };
	int rc = window_open(&p->w, src);
	if (rc == 0)
		rc = run(p, MESSAGE_NONE);
	done(p);
	if (rc < 0)
		return err_set(e, rc, "reading message: %s", err_text(rc));

	for (uint32_t i = 0; i < m.nparts; i++)
		m.flaws |= m.parts[i].flaws;
	*r_m = m;
	if (!(flags & MESSAGE_STRICT) || m.fault.text.n == 0)
		return 0;
	unsigned limits = MESSAGE_FLAW_HEADER_SIZE | MESSAGE_FLAW_DEPTH | MESSAGE_FLAW_PARTS | MESSAGE_FLAW_EMBEDDED;
	return err_set(e, m.parts[m.fault.part].flaws & limits ? ERR_LIMIT : ERR_INVALID, STRF ": " STRF ", at offset %lld",
		STRA(section_name(a, &m, m.fault.part)), STRA(m.fault.text), (long long)m.fault.off);
}
