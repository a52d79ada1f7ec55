/* SPDX-License-Identifier: MIT */
/*
 * What searching looks at: decoded headers and the text of a message, folded for comparing.
 */
#include "message/body.h"

#include "base/utf8.h"
#include "message/header.h"
#include "message/message_internal.h"

/* add_folded appends text in lower case and NFC; runs of white space become one space, or one LF if they hold one. */
static void
add_folded(struct buf *out, struct str s)
{
	cleanup_(arena_done) struct arena a = { .block_size = s.n + 256 };
	struct str low = utf8_lower(&a, utf8_nfc(&a, s));

	for (size_t i = 0; i < low.n && !out->failed;) {
		size_t from = i;
		bool lf = false;
		while (i < low.n && low.p[i] != ' ' && low.p[i] != '\t' && low.p[i] != '\r' && low.p[i] != '\n')
			i++;
		if (i > from)
			buf_add(out, utf8_cut(str_n(low.p + from, i - from), out->max - out->n));
		from = i;
		while (i < low.n && (low.p[i] == ' ' || low.p[i] == '\t' || low.p[i] == '\r' || low.p[i] == '\n'))
			lf |= low.p[i++] == '\n';
		if (i > from)
			buf_addc(out, lf ? '\n' : ' ');
	}
}

struct str
message_search_fold(struct arena *a, struct str s)
{
	struct buf b = BUF_ARENA(a, SIZE_MAX / 2);

	add_folded(&b, message_to_utf8(a, s));
	for (size_t i = 0; i < b.n; i++) {
		if (b.p[i] == '\n')
			b.p[i] = ' ';
	}
	return buf_str(&b);
}

static void
add_header(struct arena *a, struct str header, struct buf *out)
{
	struct message_field f;

	while (message_field_next(&header, &f, NULL) && !out->failed) {
		ARENA_SCOPE(a);
		add_folded(out, f.name);
		buf_add(out, S(": "));
		add_folded(out, message_field_text(a, f.body));
		buf_addc(out, '\n');
	}
}

/* add_text appends a text part. */
static int
add_text(struct arena *a, const struct message *m, const struct message_source *src, const struct message_part *p, struct buf *out)
{
	cleanup_(buf_done) struct buf text = BUF_INIT(SIZE_MAX / 2);

	TRY(message_display_text(a, m, src, p, out->max - out->n, &text));
	add_folded(out, buf_str(&text));
	buf_addc(out, '\n');
	return 0;
}

int
message_search_text(const struct message *m, const struct message_source *src, struct buf *header, struct buf *body)
{
	cleanup_(arena_done) struct arena a = { .block_size = 16 * 1024 };

	for (uint32_t i = 0; i < m->nparts; i++) {
		const struct message_part *p = &m->parts[i];
		ARENA_SCOPE(&a);
		if (header && !header->failed) {
			struct str h;
			TRY(message_part_header(&a, m, src, p, &h));
			add_header(&a, h, header);
		}
		if (body && !body->failed && p->kind == MESSAGE_LEAF && message_is_text(p))
			TRY(add_text(&a, m, src, p, body));
	}
	if (header)
		header->failed = false;
	if (body)
		body->failed = false;
	return 0;
}
