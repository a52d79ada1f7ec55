/* SPDX-License-Identifier: MIT */
/* What SEARCH, SORT and THREAD share: arguments, and the walk over the messages. How one is matched is in search_match.c. */
#include "imapserver/imapserver_internal.h"

/* Text that is not ASCII needs a charset; UTF-8 is understood without it as well (rfc/9051:3825). */
static bool
charset_known(struct str charset)
{
	return charset.n == 0 || str_icase(charset, S("US-ASCII")) || str_icase(charset, S("UTF-8"));
}

/* A key is a set of sequence numbers, which "$" is not. */
static bool
has_numbers(const struct imap_search *k)
{
	if (k->op == IMAP_SEARCH_SEQ && !k->set.saved)
		return true;
	for (const struct imap_search *s = k->sub; s; s = s->next)
		if (has_numbers(s))
			return true;
	return false;
}

int
imapserver_search_parse(struct imapserver_cmd *c, struct imapserver_search *q, bool criteria)
{
	struct str charset = { 0 };

	if (criteria)
		imap_search_criteria(&c->in, &q->key, &charset);
	else
		imap_search_program(&c->in, &q->key, &charset);
	if (!cur_ok(&c->in))
		return imapserver_syntax(c);
	if (c->s->enabled & IMAPSERVER_UIDONLY && has_numbers(q->key))
		return imapserver_uid_required(c);      /* rfc/9586:222 */
	/* A search that fails with NO empties the saved result, one that is BAD leaves it (rfc/5182:141). */
	if (!charset_known(charset)) {
		if (q->ret & IMAP_RETURN_SAVE)
			imapserver_set_saved(c->s, &(struct imap_ranges){ 0 });
		return imapserver_no(c, "BADCHARSET (US-ASCII UTF-8)", "unknown charset");
	}
	q->modseq = imap_search_uses(q->key, IMAP_SEARCH_MODSEQ);
	return 0;
}

void
imapserver_search_return(struct imapserver_cmd *c, struct imapserver_search *q)
{
	struct cur t = c->in;

	if (!imap_try_keyword(&t, S("RETURN")))
		return;
	q->extended = true;
	q->ret = imap_search_return(&c->in, &q->partial);
	imap_sp(&c->in);
}

static int
check_mailbox(struct imapserver_cmd *c)
{
	cleanup_(store_tx_rollback) struct store_tx tx = { 0 };
	struct store_mailbox mb;

	int r = store_read(c->s->acct, &tx);
	if (r < 0)
		return imapserver_error(c, r, NULL, "searching messages");
	return imapserver_selected(c, &tx, &mb);
}

int
imapserver_search_run(struct imapserver_cmd *c, const struct imapserver_search *q, bool with_body,
	int (*each)(void *arg, struct imapserver_cmd *c, const struct imapserver_row *row), void *arg)
{
	struct imap_ranges all = imapserver_view_all(c->s->view, c->a);
	uint64_t done = 0, total = imap_ranges_count(&all);
	struct imapserver_match t;

	if (q->modseq)
		TRY(imapserver_enable_condstore(c));
	TRY(check_mailbox(c));
	imapserver_match_init(&t, c->s, c->a, q->key);
	struct imapserver_scan scan = { .uids = &all, .with_body = with_body || t.with_body };
	for (;;) {
		ARENA_SCOPE(c->a);
		struct imapserver_row *rows;
		size_t n;
		int r = imapserver_scan(c, &scan, &rows, &n);
		if (r <= 0)
			return r;
		for (size_t i = 0; i < n; i++) {
			ARENA_SCOPE(c->a);
			r = ctx_check(conn_ctx(c->conn));
			if (r == 0)
				r = imapserver_match(&t, c->s->acct, c->a, &rows[i]);
			if (r > 0)
				r = each(arg, c, &rows[i]);
			if (r < 0)
				return imapserver_error(c, r, NULL, "searching messages");
			if (r > 0)
				return 0;
			imapserver_progress(c, ++done, total);
		}
	}
}

struct imap_ranges
imapserver_part_of(struct arena *a, const struct imap_partial *p, const struct imap_ranges *all)
{
	struct imap_ranges part = { 0 };
	uint64_t skip, n;

	imap_partial_of(p, imap_ranges_count(all), &skip, &n);
	for (size_t i = 0; i < all->n && n > 0; i++) {
		uint64_t len = (uint64_t)all->v[i].last - all->v[i].first + 1, off = MIN(skip, len), take = MIN(n, len - off);
		uint32_t first = all->v[i].first + (uint32_t)off;
		skip -= off;
		n -= take;
		if (take > 0)
			imap_ranges_add(a, &part, first, first + (uint32_t)(take - 1));
	}
	return part;
}

void
imapserver_add_esearch(struct imapserver_cmd *c)
{
	buf_add(&c->out, S("* ESEARCH (TAG "));
	imap_add_string(&c->out, c->tag, false);
	buf_add(&c->out, c->uid ? S(") UID") : S(")"));
}

uint32_t
imapserver_number(const struct imapserver_cmd *c, uint32_t uid)
{
	return c->uid ? uid : imapserver_view_seq(c->s->view, uid);
}
