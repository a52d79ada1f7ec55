/* SPDX-License-Identifier: MIT */
/*
 * Message data: normalising line ends, reading and writing the dot-stuffed form.
 *
 * All three take pieces cut anywhere. They search lines with memchr and pass long stretches on unchanged; per byte work is left for
 * the few bytes around line ends and dots.
 */
#include "smtp/smtp.h"

static bool
has_8bit(struct str s)
{
	unsigned char any = 0;

	for (size_t i = 0; i < s.n; i++)        // vectorised by the compiler
		any |= (unsigned char)s.p[i];
	return any & 0x80;
}

/* Content */

/* at_line_start: nothing of the current line was seen. */
static bool
at_line_start(const struct smtp_content *w)
{
	return w->last == 0 || w->last == '\n';
}

/* note_header_end notes an empty line that ends now, before its LF is written. */
static void
note_header_end(struct smtp_content *w, bool crlf)
{
	bool empty = crlf ? w->last2 == 0 || w->last2 == '\n' : at_line_start(w);

	if (empty && !w->has_body) {
		w->has_body = true;
		w->header_size = w->size_out + (crlf ? 1 : 2);
	}
}

static void
give(struct smtp_content *w, struct str s, struct buf *out)
{
	buf_add(out, s);
	w->size_out += (int64_t)s.n;
}

/* note_last keeps the last two bytes of what was taken; a NUL is kept as 1, since 0 stands for "nothing yet". */
static void
note_last(struct smtp_content *w, struct str s)
{
	unsigned char c1 = (unsigned char)s.p[s.n - 1];

	w->last2 = w->last;
	if (s.n > 1) {
		unsigned char c2 = (unsigned char)s.p[s.n - 2];
		w->last2 = c2 ? c2 : 1;
	}
	w->last = c1 ? c1 : 1;
}

void
smtp_content_add(struct smtp_content *w, struct str in, struct buf *out)
{
	if (in.n == 0)
		return;
	w->size_in += (int64_t)in.n;
	if (!w->has_8bit && has_8bit(in))
		w->has_8bit = true;
	if (w->last == '\r' && in.p[0] != '\n')
		w->bare_cr = true;

	while (in.n > 0) {
		const char *lf = memchr(in.p, '\n', in.n);
		struct str line = str_n(in.p, lf ? (size_t)(lf - in.p) : in.n);         /* without the LF */
		if (line.n > 0) {
			/* A CR that is last in the line may be followed by its LF, here or in the next piece. */
			if (!w->bare_cr && memchr(line.p, '\r', line.n - 1))
				w->bare_cr = true;
			give(w, line, out);
			note_last(w, line);
		}
		in = str_from(in, line.n);
		if (!lf)
			break;
		if (w->last == '\r') {
			note_header_end(w, true);
			give(w, S("\n"), out);
		} else {
			w->bare_lf = true;
			note_header_end(w, false);
			give(w, S("\r\n"), out);
		}
		w->last2 = '\r';
		w->last = '\n';
		in = str_from(in, 1);
	}
	if (!w->has_body)
		w->header_size = w->size_out;
}

/* DATA, reading */

/*
 * Where in a line the next byte stands. Held back, not given out yet: the dot of DOT and LF_DOT, and the bytes of DOT_CR and
 * LF_DOT_CR. "After LF" means a bare one.
 */
enum dot_state {
	START,          /* after CRLF, or at the very beginning: rfc/5321:2004 */
	MIDDLE,
	CR,             /* CR in the middle of a line */
	DOT,            /* "." after CRLF */
	DOT_CR,         /* ".CR" after CRLF */
	LF_START,       /* after LF */
	LF_DOT,         /* "." after LF */
	LF_DOT_CR,      /* ".CR" after LF */
};

static void
content(struct smtp_dot *d, const char *from, const char *to, struct buf *out)
{
	if (to <= from)
		return;
	if (d->bad)
		d->content.size_in += to - from;
	else
		smtp_content_add(&d->content, str_n(from, (size_t)(to - from)), out);
}

static void
set_bad(struct smtp_dot *d, enum smtp_dot_bad why)
{
	if (d->bad == SMTP_DOT_GOOD)
		d->bad = why;
}

/*
 * step takes the byte c at p in any state but the middle of a long line. *from is where content starts that is still to be given
 * out; it moves where bytes must not be given out, or stand before p in an earlier piece.
 */
static void
step(struct smtp_dot *d, const char *p, char c, const char **from, struct buf *out)
{
	static const char dot[1] = ".";
	bool held_dot = false;

	switch ((enum dot_state)d->state) {
	case START:
		if (c == '.') {
			content(d, *from, p, out);
			*from = p + 1;
			d->state = DOT;
			return;
		}
		break;
	case DOT:
		if (c == '\r') {
			content(d, *from, p, out);
			*from = p + 1;
			d->state = DOT_CR;
			return;
		}
		if (c == '\n')
			set_bad(d, SMTP_DOT_BARE_LF_DOT);
		/* A dot before anything else was stuffed: it stays dropped. */
		break;
	case DOT_CR:
		if (c == '\n') {
			d->done = true;
			return;
		}
		set_bad(d, SMTP_DOT_BARE_CR);
		break;
	case LF_START:
		if (c == '.') {
			content(d, *from, p, out);
			*from = p + 1;
			d->state = LF_DOT;
			return;
		}
		break;
	case LF_DOT:
		if (c == '\r') {
			d->state = LF_DOT_CR;
			*from = p + 1;
			return;
		}
		if (c == '\n')
			set_bad(d, SMTP_DOT_BARE_LF_DOT);
		held_dot = true;
		break;
	case LF_DOT_CR:
		set_bad(d, c == '\n' ? SMTP_DOT_BARE_LF_DOT : SMTP_DOT_BARE_CR);
		if (c == '\n') {
			d->state = START;
			*from = p + 1;
			return;
		}
		break;
	case CR:
		if (c == '\n') {
			d->state = START;
			return;
		}
		set_bad(d, SMTP_DOT_BARE_CR);
		break;
	case MIDDLE:
		break;
	}
	if (held_dot)
		content(d, dot, dot + 1, out);
	d->state = c == '\n' ? LF_START : c == '\r' ? CR : MIDDLE;
}

size_t
smtp_dot_feed(struct smtp_dot *d, struct str in, struct buf *out)
{
	const char *p = in.p, *end = in.p + in.n, *from = in.p;

	while (p < end && !d->done) {
		if (d->state == MIDDLE) {
			/* The rest of a line without CR needs no look at its bytes. */
			const char *lf = memchr(p, '\n', (size_t)(end - p));
			const char *stop = lf ? lf : end;
			const char *cr = memchr(p, '\r', (size_t)(stop - p));
			if (cr)
				stop = cr;
			p = stop;
			if (p == end)
				break;
		}
		step(d, p, *p, &from, out);
		p++;
	}
	if (!d->done)
		content(d, from, p, out);
	return (size_t)(p - in.p);
}

/* DATA, writing */

int
smtp_stuff_add(struct smtp_stuff *w, struct str in, struct buf *out)
{
	while (in.n > 0) {
		if (w->cr) {
			if (in.p[0] != '\n')
				return ERR_INVALID;
			buf_addc(out, '\n');
			w->cr = w->in_line = false;
			in = str_from(in, 1);
			continue;
		}
		if (!w->in_line && in.p[0] == '.')
			buf_addc(out, '.');                             // rfc/5321:3436
		const char *lf = memchr(in.p, '\n', in.n);
		struct str line = str_n(in.p, lf ? (size_t)(lf - in.p) : in.n);
		const char *cr = line.n > 0 ? memchr(line.p, '\r', line.n) : NULL;
		if (cr && cr != line.p + line.n - 1)
			return ERR_INVALID;
		if (lf && !cr)
			return ERR_INVALID;
		buf_add(out, line);
		w->in_line = true;
		w->cr = cr != NULL;
		in = str_from(in, line.n);
	}
	return 0;
}

int
smtp_stuff_end(struct smtp_stuff *w, struct buf *out)
{
	if (w->in_line || w->cr)
		return ERR_INVALID;
	buf_add(out, S(".\r\n"));
	return 0;
}
