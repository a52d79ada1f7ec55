/* SPDX-License-Identifier: MIT */
/*
 * UIDBATCHES   rfc/10022:136: the UIDs of the mailbox in ranges of n messages, the newest first. The view has them, so
 * nothing is read.
 */
#include "imapserver/imapserver_internal.h"

#define SIZE_MIN 500                    /* rfc/10022:270 */
#define SPAN_MAX 100000                 /* messages that a range of batches covers: rfc/10022:438 */

struct args {
	uint32_t size, first, last;     /* batches; last 0 = all */
};

/* message-batches = "UIDBATCHES" SP nz-number [SP nz-number ":" nz-number]   rfc/10022:559 */
static int
parse(struct imapserver_cmd *c, struct args *args)
{
	imap_sp(&c->in);
	args->size = imap_nz_number(&c->in);
	args->first = 1;
	if (cur_try(&c->in, ' ')) {
		args->first = imap_nz_number(&c->in);
		cur_char(&c->in, ':');
		args->last = imap_nz_number(&c->in);
	}
	TRY(imapserver_end(c));
	if (args->last > 0 && args->last < args->first) {
		ignore_result(imapserver_bad(c, "batch range in the wrong order"));
		c->code = S("CLIENTBUG");       /* rfc/10022:414 */
		return IMAPSERVER_FAILED;
	}
	if (args->size < SIZE_MIN)
		return imapserver_no(c, "TOOFEW", "minimum batch size is %d", SIZE_MIN);
	if (args->last > 0 && ((uint64_t)args->last - args->first + 1) * args->size > SPAN_MAX)
		return imapserver_no(c, "TOOMANY", "too many messages");
	return 0;
}

/*
 * The same batches again are only due after half a batch of messages came or went (rfc/10022:189). Batches further
 * down are not the same, and one of overlap is fine (rfc/10022:426).
 */
static bool
is_repeated(struct imapserver_view *v, const struct args *args)
{
	struct imapserver_batches *b = &v->batches;
	bool changed = v->added - b->added + (v->removed - b->removed) > b->size / 2;
	bool further = args->size == b->size && args->first >= b->last && !(b->last == 1 && args->first == 1);
	bool repeated = b->size > 0 && !changed && !further;

	if (b->size == 0 || changed) {
		b->size = args->size;
		b->added = v->added;
		b->removed = v->removed;
	}
	if (!repeated)
		b->last = args->last > 0 ? args->last : UINT32_MAX;
	return repeated;
}

int
imapserver_cmd_uidbatches(struct imapserver_cmd *c)
{
	struct imapserver_view *v = c->s->view;
	struct args args = { 0 };
	bool first = true;

	TRY(parse(c, &args));
	if (is_repeated(v, &args))
		return imapserver_no(c, "LIMIT", "the batches have hardly changed");
	/* uidbatches-response   rfc/10022:562 */
	buf_addz(&c->out, "* UIDBATCHES (TAG ");
	imap_add_string(&c->out, c->tag, false);
	buf_addc(&c->out, ')');
	for (uint64_t i = args.first; (args.last == 0 || i <= args.last) && (i - 1) * args.size < v->count; i++) {
		uint32_t high = v->count - (uint32_t)((i - 1) * args.size), low = high > args.size ? high -
		    args.size + 1 : 1;
		buf_addf(&c->out, "%c%u:%u", first ? ' ' : ',', (unsigned)imapserver_view_uid(v, high),
		    (unsigned)imapserver_view_uid(v, low));
		first = false;
		imapserver_send(c, false);
	}
	buf_addz(&c->out, "\r\n");
	return 0;
}
