/* SPDX-License-Identifier: MIT */
/*
 * SEARCH   rfc/9051:3716, UID SEARCH, with ESEARCH (rfc/4731), SEARCHRES (rfc/5182), WITHIN (rfc/5032), MODSEQ
 * (rfc/7162:1039). How a message is matched is in search_match.c.
 */
#include "imapserver/imapserver_internal.h"

#define SEARCH_LINE 100                 /* numbers of one SEARCH response: long lines trouble clients */

struct args {
	bool extended;                  /* the answer is ESEARCH */
	unsigned ret;                   /* enum imap_return */
	struct imap_search *key;
	bool modseq;                    /* a MODSEQ key was used: the answer tells the highest */
};

/* Text that is not ASCII needs a charset; UTF-8 is understood without it as well (rfc/9051:3825). */
static bool
charset_known(struct str charset)
{
	return charset.n == 0 || str_icase(charset, S("US-ASCII")) || str_icase(charset, S("UTF-8"));
}

static int
parse(struct imapserver_cmd *c, struct args *args)
{
	struct str charset = { 0 };

	imap_sp(&c->in);
	struct cur t = c->in;
	if (imap_try_keyword(&t, S("RETURN"))) {
		args->extended = true;
		args->ret = imap_search_return(&c->in);
		imap_sp(&c->in);
	}
	imap_search_program(&c->in, &args->key, &charset);
	if (!cur_ok(&c->in))
		return imapserver_syntax(c);
	/* A search that fails with NO empties the saved result, one that is BAD leaves it (rfc/5182:141). */
	if (!charset_known(charset)) {
		if (args->ret & IMAP_RETURN_SAVE)
			imapserver_set_saved(c->s, &(struct imap_ranges){ 0 });
		return imapserver_no(c, "BADCHARSET (US-ASCII UTF-8)", "unknown charset");
	}
	args->modseq = imap_search_uses(args->key, IMAP_SEARCH_MODSEQ);
	if (c->s->enabled & IMAPSERVER_REV2 && !args->extended) {
		args->extended = true;          /* rfc/9051:3737 */
		args->ret = IMAP_RETURN_ALL;
	}
	return 0;
}

struct result {
	struct arena mem;               /* outlives the batches */
	struct imap_ranges uids;        /* of all matches that were looked for */
	uint32_t count;
	int64_t modseq;                 /* highest of them */
	int64_t first_modseq, last_modseq;
};

/* Nothing beyond the first match is wanted. */
static bool
is_min_only(const struct args *args)
{
	return args->extended && (args->ret & ~(unsigned)IMAP_RETURN_SAVE) == IMAP_RETURN_MIN;
}

static int
search(struct imapserver_cmd *c, const struct args *args, struct result *res)
{
	struct imap_ranges all = imapserver_view_all(c->s->view, c->a);
	struct imapserver_match t;
	uint64_t done = 0, total = imap_ranges_count(&all);

	imapserver_match_init(&t, c->s, c->a, args->key);
	struct imapserver_scan scan = { .uids = &all, .with_body = t.with_body };
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
			if (r < 0)
				return imapserver_error(c, r, NULL, "searching messages");
			imapserver_progress(c, ++done, total);
			if (r == 0)
				continue;
			int64_t modseq = rows[i].m.modseq;
			imap_ranges_add(&res->mem, &res->uids, rows[i].m.uid, rows[i].m.uid);
			if (res->count++ == 0)
				res->first_modseq = modseq;
			res->last_modseq = modseq;
			res->modseq = MAX(res->modseq, modseq);
			if (is_min_only(args))
				return 0;
		}
	}
}

/* The matches as the command names messages. */
static struct imap_ranges
numbers(struct imapserver_cmd *c, const struct imap_ranges *uids)
{
	struct imap_ranges r = { 0 };

	if (c->uid)
		return *uids;
	for (size_t i = 0; i < uids->n; i++) {
		for (uint64_t uid = uids->v[i].first; uid <= uids->v[i].last; uid++) {
			uint32_t seq = imapserver_view_seq(c->s->view, (uint32_t)uid);
			imap_ranges_add(c->a, &r, seq, seq);
		}
	}
	return r;
}

/* mailbox-data: "SEARCH" *(SP nz-number) [SP "(" "MODSEQ" SP n ")"]   rfc/3501:4832 rfc/7162:2557 */
static void
tell_search(struct imapserver_cmd *c, const struct args *args, const struct result *res, const struct imap_ranges *found)
{
	unsigned on_line = 0;

	buf_add(&c->out, S("* SEARCH"));
	for (size_t i = 0; i < found->n; i++) {
		for (uint64_t v = found->v[i].first; v <= found->v[i].last; v++) {
			if (on_line++ == SEARCH_LINE) {
				if (args->modseq)
					buf_addf(&c->out, " (MODSEQ %lld)", (long long)res->modseq);
				buf_add(&c->out, S("\r\n* SEARCH"));
				imapserver_send(c, false);
				on_line = 1;
			}
			buf_addc(&c->out, ' ');
			buf_addu(&c->out, v);
		}
	}
	if (args->modseq && res->count > 0)
		buf_addf(&c->out, " (MODSEQ %lld)", (long long)res->modseq);
	buf_add(&c->out, S("\r\n"));
}

/* The highest modseq of what the answer names: of MIN and MAX only those (rfc/7162:1206). */
static int64_t
told_modseq(const struct args *args, const struct result *res)
{
	if (args->ret & (IMAP_RETURN_ALL | IMAP_RETURN_COUNT))
		return res->modseq;
	int64_t min = args->ret & IMAP_RETURN_MIN ? res->first_modseq : 0, max = args->ret & IMAP_RETURN_MAX ? res->last_modseq : 0;
	return MAX(min, max);
}

/* esearch-response   rfc/9051:6546 */
static void
tell_esearch(struct imapserver_cmd *c, const struct args *args, const struct result *res, const struct imap_ranges *found)
{
	if (args->ret == IMAP_RETURN_SAVE)
		return;
	buf_add(&c->out, S("* ESEARCH (TAG "));
	imap_add_string(&c->out, c->tag, false);
	buf_add(&c->out, c->uid ? S(") UID") : S(")"));
	if (args->ret & IMAP_RETURN_MIN && found->n > 0)
		buf_addf(&c->out, " MIN %u", (unsigned)found->v[0].first);
	if (args->ret & IMAP_RETURN_MAX && found->n > 0)
		buf_addf(&c->out, " MAX %u", (unsigned)found->v[found->n - 1].last);
	if (args->ret & IMAP_RETURN_COUNT)
		buf_addf(&c->out, " COUNT %u", (unsigned)res->count);
	if (args->ret & IMAP_RETURN_ALL && found->n > 0) {
		buf_add(&c->out, S(" ALL "));
		imap_add_ranges(&c->out, found->v, found->n);
	}
	if (args->modseq && found->n > 0)
		buf_addf(&c->out, " MODSEQ %lld", (long long)told_modseq(args, res));
	buf_add(&c->out, S("\r\n"));
}

/* The table of rfc/9051:4104: with only MIN or MAX or both, just these are saved. */
static void
save(struct imapserver_cmd *c, const struct args *args, const struct imap_ranges *uids)
{
	struct imap_ranges ends = { 0 };

	if (!(args->ret & (IMAP_RETURN_MIN | IMAP_RETURN_MAX)) || args->ret & (IMAP_RETURN_ALL | IMAP_RETURN_COUNT)) {
		imapserver_set_saved(c->s, uids);
		return;
	}
	if (uids->n > 0) {
		uint32_t min = uids->v[0].first, max = uids->v[uids->n - 1].last;
		if (args->ret & IMAP_RETURN_MIN)
			imap_ranges_add(c->a, &ends, min, min);
		if (args->ret & IMAP_RETURN_MAX)
			imap_ranges_add(c->a, &ends, max, max);
	}
	imapserver_set_saved(c->s, &ends);
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
imapserver_cmd_search(struct imapserver_cmd *c)
{
	struct args args = { 0 };
	struct result res = { 0 };

	TRY(parse(c, &args));
	if (args.modseq)
		TRY(imapserver_enable_condstore(c));
	int r = check_mailbox(c);
	if (r == 0)
		r = search(c, &args, &res);
	if (r == 0) {
		struct imap_ranges found = numbers(c, &res.uids);
		if (args.extended)
			tell_esearch(c, &args, &res, &found);
		else
			tell_search(c, &args, &res, &found);
	}
	if (args.ret & IMAP_RETURN_SAVE)
		save(c, &args, r == 0 ? &res.uids : &(struct imap_ranges){ 0 });
	arena_done(&res.mem);
	return r;
}
