/* SPDX-License-Identifier: MIT */
/* STORE   rfc/9051:4543, UID STORE, with UNCHANGEDSINCE (rfc/7162:541) */
#include "imapserver/imapserver_internal.h"

#define CHUNK 500
#define CODE_MAX (64 * 1024 * 1024)     /* a set that names each message of a huge mailbox */

struct args {
	struct imap_set set;
	bool conditional;
	uint64_t unchanged_since;
	enum store_flag_op op;
	bool silent;
	unsigned flags;
	struct str keywords;
};

/* store-att-flags = (["+" / "-"] "FLAGS" [".SILENT"]) SP (flag-list / (flag *(SP flag)))   rfc/9051:7078 */
static int
parse(struct imapserver_cmd *c, struct args *args)
{
	struct cur *in = &c->in;
	struct strlist flags = { 0 };
	struct errmsg e = { 0 };

	imap_sp(in);
	imap_set(in, &args->set);
	imap_sp(in);
	/* store-modifier: "(" "UNCHANGEDSINCE" SP mod-sequence-valzer ")"   rfc/7162:2471 */
	if (cur_try(in, '(')) {
		if (!imap_try_keyword(in, S("UNCHANGEDSINCE")))
			cur_fail(in, "UNCHANGEDSINCE");
		imap_sp(in);
		args->conditional = true;
		args->unchanged_since = imap_number64(in);
		cur_char(in, ')');
		imap_sp(in);
	}
	args->op = cur_try(in, '+') ? STORE_FLAG_ADD : cur_try(in, '-') ? STORE_FLAG_REMOVE : STORE_FLAG_SET;
	args->silent = imap_try_keyword(in, S("FLAGS.SILENT"));
	if (!args->silent && !imap_try_keyword(in, S("FLAGS")))
		cur_fail(in, "FLAGS");
	imap_sp(in);
	if (cur_is(in, '(')) {
		imap_flag_list(in, &flags);
	} else {
		do
			strlist_add(c->a, &flags, imap_flag(in));
		while (cur_try(in, ' '));
	}
	TRY(imapserver_end(c));
	int r = store_flags_parse(c->a, &flags, &args->flags, &args->keywords, &e);
	return r < 0 ? imapserver_error(c, r, &e, "changing flags") : 0;
}

/* What happened to a message, to be told after the commit. */
struct result {
	uint32_t uid;
	bool modified;                  /* refused by UNCHANGEDSINCE */
	unsigned flags;
	struct str keywords;
	int64_t modseq;
};
struct results {
	struct result *v;
	size_t n, cap;
	bool changed;
};

static void
add_result(struct imapserver_cmd *c, struct results *res, const struct store_message *m, bool modified)
{
	if (res->n == res->cap) {
		size_t more = res->cap ? 2 * res->cap : 64;
		res->v = arena_grow(c->a, res->v, res->cap, more, sizeof(*res->v));
		res->cap = more;
	}
	res->v[res->n++] = (struct result){
		.uid = m->uid, .modified = modified, .flags = m->flags, .keywords = str_dup(c->a, m->keywords), .modseq = m->modseq,
	};
}

/* As change() wants it for \Seen after FETCH. */
static const struct args add_seen = { .op = STORE_FLAG_ADD, .flags = STORE_SEEN };

/* Changes the flags of all messages of the set that are still there, in one transaction, reading them in chunks. */
static int
change(struct imapserver_cmd *c, struct store_tx *tx, struct store_mailbox *mb, const struct args *args, const struct imap_ranges *uids,
	struct results *res)
{
	struct store_message *v = ARENA_NEWN(c->a, CHUNK, struct store_message);
	struct imap_ranges rest = *uids;

	while (rest.n > 0) {
		struct store_uidset set = imapserver_uidset(c->a, &rest);
		struct store_scan scan = { .tx = tx, .mailbox_id = mb->id, .set = &set, .live_only = true };
		size_t n = 0;
		int r = 0;

		while (n < CHUNK && (r = store_scan_next(&scan, c->a, &v[n], NULL)) > 0)
			n++;
		store_scan_done(&scan);
		for (size_t i = 0; i < n && r >= 0; i++) {
			/* 0 always fails: rfc/7162:640 */
			bool modified = args->conditional && (args->unchanged_since == 0 || (uint64_t)v[i].modseq > args->unchanged_since);
			r = modified ? 0 : store_message_flags(tx, mb, &v[i], args->op, args->flags, args->keywords);
			res->changed = res->changed || r > 0;
			add_result(c, res, &v[i], modified);
		}
		if (r < 0)
			return r;
		if (n < CHUNK)
			break;
		struct imap_ranges done = { 0 }, left;
		imap_ranges_add(c->a, &done, 1, v[n - 1].uid);
		imap_ranges_minus(c->a, &rest, &done, &left);
		rest = left;
	}
	return 0;
}

/* The change goes to all sessions, this one too, since FETCH showed the flags before it. */
int
imapserver_set_seen(struct imapserver_cmd *c, const struct imap_ranges *uids, bool *r_all)
{
	cleanup_(store_tx_rollback) struct store_tx tx = { 0 };
	struct results res = { 0 };
	struct store_mailbox mb;

	int r = store_write(c->s->acct, &tx);
	if (r < 0)
		return imapserver_error(c, r, NULL, "marking messages as seen");
	TRY(imapserver_selected(c, &tx, &mb));
	r = change(c, &tx, &mb, &add_seen, uids, &res);
	if (r == 0)
		r = store_tx_commit(&tx, NULL);
	if (r < 0)
		return imapserver_error(c, r, NULL, "marking messages as seen");
	*r_all = res.n == imap_ranges_count(uids);
	return 0;
}

static void
tell(struct imapserver_cmd *c, const struct args *args, const struct results *res)
{
	struct imapserver_view *v = c->s->view;
	bool condstore = c->s->enabled & IMAPSERVER_CONDSTORE;
	struct imap_ranges modified = { 0 };

	for (size_t i = 0; i < res->n; i++) {
		const struct result *r = &res->v[i];
		uint32_t seq = imapserver_view_seq(v, r->uid);
		if (r->modified)
			imap_ranges_add(c->a, &modified, c->uid ? r->uid : seq, c->uid ? r->uid : seq);
		if (!args->silent || r->modified)
			imapserver_add_fetch_flags(c, seq, r->uid, r->flags, r->keywords, r->modseq);
		else if (condstore)             /* rfc/7162:585: the new modseq in any case */
			buf_addf(&c->out, "%sMODSEQ (%lld))\r\n", imapserver_begin_fetch(c, seq, r->uid) ? "" : " ",
			    (long long)r->modseq);
		imapserver_send(c, false);
	}
	if (modified.n > 0) {
		struct buf b = BUF_ARENA(c->a, CODE_MAX);
		buf_addz(&b, "MODIFIED ");
		imap_add_ranges(&b, modified.v, modified.n);
		c->code = buf_str(&b);
	}
}

int
imapserver_cmd_store(struct imapserver_cmd *c)
{
	cleanup_(store_tx_rollback) struct store_tx tx = { 0 };
	struct imapserver_session *s = c->s;
	struct args args = { 0 };
	struct results res = { 0 };
	struct imap_ranges uids;
	struct store_mailbox mb;

	TRY(parse(c, &args));
	if (s->view->readonly)
		return imapserver_no(c, NULL, "mailbox is read-only");
	TRY(imapserver_resolve(c, &args.set, &uids));
	if (args.conditional)
		TRY(imapserver_enable_condstore(c));
	int r = store_write(s->acct, &tx);
	if (r < 0)
		return imapserver_error(c, r, NULL, "changing flags");
	TRY(imapserver_selected(c, &tx, &mb));
	r = change(c, &tx, &mb, &args, &uids, &res);
	if (r == 0 && res.changed) {
		r = store_tx_modseq(&tx, &s->view->own_modseq);
		if (r == 0)
			r = store_tx_commit(&tx, s->comm);
	}
	if (r < 0)
		return imapserver_error(c, r, NULL, "changing flags");
	store_tx_rollback(&tx);
	tell(c, &args, &res);
	return 0;
}
