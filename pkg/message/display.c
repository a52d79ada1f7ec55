/* SPDX-License-Identifier: MIT */
/*
 * The text of a part as people read it.
 */
#include "message/body.h"

#include "message/message_internal.h"

/* add_lf appends text with line ends LF. */
static void
add_lf(struct str s, struct buf *out)
{
	while (s.n > 0) {
		bool last = str_find(s, '\n') < 0;
		struct str l = str_split(&s, '\n');
		if (!last && l.n > 0 && l.p[l.n - 1] == '\r')
			l.n--;
		buf_add(out, l);
		if (!last)
			buf_addc(out, '\n');
	}
}

int
message_display_text(struct arena *a, const struct message *m, const struct message_source *src,
	const struct message_part *p, size_t max, struct buf *out)
{
	cleanup_(message_reader_close) struct message_reader *r = NULL;
	cleanup_(buf_done) struct buf text = BUF_INIT(SIZE_MAX / 2);
	bool html = str_is(p->subtype, S("HTML")), delsp;
	struct str chunk;
	int rc;

	TRY(message_reader_open(a, m, src, p, MESSAGE_READ_TEXT, &r));
	struct message_html *h = html ? message_html_open(out, max) : NULL;
	while ((rc = message_reader_next(r, &chunk)) > 0 && text.n < max) {
		if (!html)
			buf_add(&text, chunk);
		else if (!message_html_add(h, chunk))
			break;
	}
	message_html_close(&h);
	TRY(rc);
	if (message_is_flowed(p, &delsp))
		message_flowed_text(buf_str(&text), delsp, out);
	else
		add_lf(buf_str(&text), out);
	return 0;
}
