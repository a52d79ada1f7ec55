/* SPDX-License-Identifier: MIT */
/*
 * The words of a message: of its address fields and subject, of its texts, and signals.
 *
 * Signals say how a message is built and where it comes from: which fields its header has, words of those that programs write, types of its parts,
 * elements of its HTML, hosts of its links. They contain ':', which words of texts never do.
 */
#include "base/limits.h"
#include "junk/junk_internal.h"
#include "message/body.h"
#include "message/header.h"

struct extract {
	struct arena *a;
	const struct junk_params *p;
	const struct message *m;
	const struct message_source *src;
	struct junk_words *w;
	struct buf text, signals;
	size_t room;                    /* bytes of text still taken */
};

static bool
is_one_of(struct str name, const char *const *v, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (str_icase(name, str_of(v[i])))
			return true;
	return false;
}

/*
 * says_nothing: what we write ourselves, what mailing lists and relays write, and when it was. A list has the same many fields in all its messages, so
 * that junk sent through it would look like its other messages: without these fields 94 instead of 89 % of the junk is found, without Received 95.
 */
static bool
says_nothing(struct str name)
{
	static const char *const names[] = {
		"Authentication-Results", "Date", "Delivered-To", "Errors-To", "Mailing-List", "Old-Return-Path", "Precedence", "Received", "Received-SPF",
		"Return-Path", "Sender", "X-Apparently-To", "X-Authentication-Warning", "X-Beenthere", "X-Egroups-Return", "X-Loop", "X-Mailing-List",
		"X-Mailman-Version", "X-Mox-Reason", "X-Original-Date", "X-Reply-To", "X-Sender",
	};
	return str_istarts(name, S("List-")) || is_one_of(name, names, ARRAY_LEN(names));
}

static void
field(struct extract *x, const struct message_field *f)
{
	if (f->name.n > JUNK_WORD_MAX / 2 || says_nothing(f->name))
		return;
	struct str name = message_field_name(x->a, f->name);
	junk_words_add(x->a, x->w, str_cat(x->a, S("field:"), name));
	junk_text_words(x->a, x->p, name, f->body, x->w);
}

static int
header(struct extract *x)
{
	struct str h;
	struct message_field f;
	TRY(message_part_header(x->a, x->m, x->src, &x->m->parts[0], &h));
	while (message_field_next(&h, &f, NULL))
		field(x, &f);
	return 0;
}

static void
add_signals(struct extract *x)
{
	struct str rest = buf_str(&x->signals);
	while (rest.n)
		junk_words_add(x->a, x->w, str_split(&rest, '\n'));
	buf_reset(&x->signals);
}

static int
text_part(struct extract *x, const struct message_part *p)
{
	cleanup_(message_reader_close) struct message_reader *r = NULL;
	cleanup_(buf_done) struct buf body = BUF_INIT(x->room);
	struct str chunk;
	int got = 1;
	TRY(message_reader_open(x->a, x->m, x->src, p, MESSAGE_READ_TEXT, &r));
	while (body.n < x->room && (got = message_reader_next(r, &chunk)) > 0)
		buf_add(&body, str_upto(chunk, x->room - body.n));
	TRY(got);
	x->room -= body.n;
	struct str text = buf_str(&body);
	if (message_part_is(p, S("TEXT"), S("HTML"))) {
		buf_reset(&x->text);
		junk_html(text, &x->text, &x->signals);
		text = buf_str(&x->text);
	}
	junk_links(text, &x->signals);
	junk_text_words(x->a, x->p, S(""), text, x->w);
	add_signals(x);
	return 0;
}

static int
parts(struct extract *x)
{
	for (uint32_t i = 0; i < x->m->nparts; i++) {
		const struct message_part *p = &x->m->parts[i];
		struct str type = str_fmt(x->a, "type:" STRF "/" STRF, STRA(p->type), STRA(p->subtype));
		junk_words_add(x->a, x->w, str_lower(x->a, type));
		if (p->kind == MESSAGE_LEAF && message_part_is(p, S("TEXT"), S("")))
			TRY(text_part(x, p));
	}
	return 0;
}

int
junk_words_of(struct arena *a, const struct junk_params *p, const struct message *m, const struct message_source *src, struct junk_words *r_w)
{
	struct junk_words w = { 0 };
	/* HTML may grow a little: line ends between blocks. */
	struct extract x = {
		.a = a, .p = p, .m = m, .src = src, .w = &w, .text = BUF_INIT(2 * LIMIT_JUNK_TEXT), .signals = BUF_INIT(2 * LIMIT_JUNK_TEXT),
		.room = LIMIT_JUNK_TEXT,
	};
	int err = header(&x);
	if (err == 0)
		err = parts(&x);
	buf_done(&x.text);
	buf_done(&x.signals);
	if (err == 0)
		*r_w = w;
	return err;
}
