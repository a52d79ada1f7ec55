/* SPDX-License-Identifier: MIT */
/*
 * format=flowed (RFC 3676): lines that end in a space go on in the next one.
 */
#include "message/body.h"

#include "message/message_internal.h"

bool
message_is_flowed(const struct message_part *p, bool *r_delsp)
{
	struct str format, delsp = { 0 };

	if (!str_is(p->subtype, S("PLAIN")) || !message_part_param(p, S("format"), &format))
		return false;
	if (!str_icase(format, S("flowed")))
		return false;
	message_part_param(p, S("delsp"), &delsp);
	*r_delsp = str_icase(delsp, S("yes"));
	return true;
}

struct line {
	unsigned depth;         /* of quoting */
	struct str text;        /* without quote marks and space-stuffing */
	bool flowed;
};

/* take_line: quote marks, then a stuffed space, then the content: rfc/3676:298 */
static struct line
take_line(struct str *s)
{
	struct str l = str_split(s, '\n');
	struct line r = { 0 };

	if (l.n > 0 && l.p[l.n - 1] == '\r')
		l.n--;
	while (l.n > 0 && l.p[0] == '>') {
		r.depth++;
		l = str_from(l, 1);
	}
	if (l.n > 0 && l.p[0] == ' ')
		l = str_from(l, 1);
	r.text = l;
	/* The line before a signature is not flowed, though it ends in a space: rfc/3676:303 */
	r.flowed = l.n > 0 && l.p[l.n - 1] == ' ' && !str_is(l, S("-- "));
	return r;
}

void
message_flowed_text(struct str text, bool delsp, struct buf *out)
{
	bool open = false;      /* the paragraph goes on */
	unsigned depth = 0;

	while (text.n > 0) {
		struct line l = take_line(&text);
		/* A paragraph ends where the depth changes, whatever its last line says: rfc/3676:324 */
		if (open && (l.depth != depth || str_is(l.text, S("-- ")))) {
			buf_addc(out, '\n');
			open = false;
		}
		if (!open) {
			for (unsigned i = 0; i < l.depth; i++)
				buf_addc(out, '>');
			if (l.depth > 0)
				buf_addc(out, ' ');
		}
		if (l.flowed && delsp)
			l.text.n--;
		buf_add(out, l.text);
		open = l.flowed;
		depth = l.depth;
		if (!open)
			buf_addc(out, '\n');
	}
	if (open)
		buf_addc(out, '\n');
}
