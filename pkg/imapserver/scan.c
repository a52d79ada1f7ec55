/* SPDX-License-Identifier: MIT */
#include "imapserver/imapserver_internal.h"

/* A batch grows from small, so that the first answers come early, to what makes a transaction per batch cheap. */
#define BATCH_FIRST 32
#define BATCH_MAX 512
#define BATCH_BYTES (512 * 1024)

/* The ranges that are left, from s->next on. */
static struct store_uidset
remaining(struct arena *a, const struct imapserver_scan *s)
{
	struct imap_ranges left = { .v = s->uids->v + s->range, .n = s->uids->n - s->range };
	struct store_uidset set = imapserver_uidset(a, &left);

	if (set.n > 0 && s->next > set.v[0].first)
		set.v[0].first = s->next;
	return set;
}

/* Moves behind uid. */
static void
advance(struct imapserver_scan *s, uint32_t uid)
{
	while (s->range < s->uids->n && s->uids->v[s->range].last <= uid)
		s->range++;
	s->next = uid + (uid < UINT32_MAX);
}

/* The store shows bodies until the next step only. */
static void
keep(struct arena *a, struct store_body *body)
{
	body->prefix = str_dup(a, body->prefix);
	body->preview = str_dup(a, body->preview);
	body->parsed = str_dup(a, body->parsed);
}

int
imapserver_scan(struct imapserver_cmd *c, struct imapserver_scan *s, struct imapserver_row **r_rows, size_t *r_n)
{
	cleanup_(store_tx_rollback) struct store_tx tx = { 0 };
	size_t n = 0, used = c->a->used;

	if (s->range >= s->uids->n)
		return 0;
	int r = ctx_check(conn_ctx(c->conn));
	if (r < 0)
		return imapserver_error(c, r, NULL, "reading messages");
	s->batch = s->batch ? MIN(2 * s->batch, (size_t)BATCH_MAX) : BATCH_FIRST;
	struct imapserver_row *rows = ARENA_NEWN(c->a, s->batch, struct imapserver_row);
	struct store_uidset set = remaining(c->a, s);

	r = store_read(c->s->acct, &tx);
	if (r < 0)
		return imapserver_error(c, r, NULL, "reading messages");
	cleanup_(store_scan_done) struct store_scan scan = {
		.tx = &tx, .mailbox_id = c->s->view->mailbox_id, .set = &set, .live_only = s->live_only, .with_body = s->with_body,
		.changed_since = s->changed_since,
	};
	while (n < s->batch && c->a->used - used < BATCH_BYTES) {
		r = store_scan_next(&scan, c->a, &rows[n].m, s->with_body ? &rows[n].body : NULL);
		if (r < 0)
			return imapserver_error(c, r, NULL, "reading messages");
		if (r == 0) {
			s->range = s->uids->n;
			break;
		}
		if (s->with_body)
			keep(c->a, &rows[n].body);
		n++;
	}
	if (n > 0 && r > 0)
		advance(s, rows[n - 1].m.uid);
	*r_rows = rows;
	*r_n = n;
	return n > 0;
}
