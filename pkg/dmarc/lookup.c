/* SPDX-License-Identifier: MIT */
/* lookup.c - the tree walk (rfc/9989:1211), the record for a domain, and who takes reports. */
#include "dmarc/dmarc_internal.h"
#include "publicsuffix/publicsuffix.h"

#define MAX_LABELS 8 /* and so look-ups for one domain: rfc/9989:1204 */

static void
read_records(struct dmarc_walk *w, const struct dns_result *res, struct dmarc_node *node)
{
	size_t records = 0;

	for (size_t i = 0; i < res->n; i++) {
		struct errmsg e = { 0 };
		bool is;
		int rv = dmarc_parse(w->a, res->v[i].text, 0, &node->record, &is, &e);

		/* What is no DMARC record is nobody's fault; of several none counts: rfc/9989:1220 */
		if (!is)
			continue;
		if (++records > 1) {
			node->kind = DMARC_NODE_NONE;
			node->problem = S("more than one DMARC record");
			return;
		}
		node->txt = res->v[i].text;
		node->kind = rv < 0 ? DMARC_NODE_BAD : DMARC_NODE_RECORD;
		node->problem = str_dup(w->a, str_of(e.text));
	}
}

const struct dmarc_node *
dmarc_node(struct dmarc_walk *w, struct str domain)
{
	struct dmarc_node *node;
	struct dns_result res;
	struct errmsg e = { 0 };

	for (size_t i = 0; i < w->n; i++)
		if (str_is(w->nodes[i]->domain, domain))
			return w->nodes[i];
	node = ARENA_NEW(w->a, struct dmarc_node);
	node->domain = domain;
	node->rv = dns_lookup(w->r, w->a, w->ctx, DNS_TXT, str_cat(w->a, S("_dmarc."), domain), 0, &res, &e);
	w->authentic = w->authentic && res.authentic;
	if (node->rv == 0) {
		read_records(w, &res, node);
	} else if (node->rv != DNS_NOTFOUND && node->rv != DNS_BADNAME) {
		node->kind = DMARC_NODE_FAILED;
		node->problem = str_dup(w->a, str_of(e.text));
	}
	w->nodes = arena_grow(w->a, w->nodes, w->n, w->n + 1, sizeof(struct dmarc_node *));
	w->nodes[w->n++] = node;
	return node;
}

static size_t
count_labels(struct str s)
{
	size_t n = 1;

	for (size_t i = 0; i < s.n; i++)
		n += s.p[i] == '.';
	return n;
}

static struct str
parent(struct str s)
{
	str_split(&s, '.');
	return s;
}

/* The name to look at after one. Behind the first, long names are cut: rfc/9989:1232 */
static struct str
next(struct str name, bool first)
{
	name = parent(name);
	while (first && count_labels(name) >= MAX_LABELS)
		name = parent(name);
	return name;
}

/* The part of name that is one label longer than its end. */
static struct str
one_below(struct str name, struct str end)
{
	while (count_labels(name) > count_labels(end) + 1)
		name = parent(name);
	return name;
}

/*
 * Registries that publish should say psd=y. For those that do not the list tells; else all their customers were one
 * organisation.
 */
static enum dmarc_psd
psd_of(const struct dmarc_node *node)
{
	if (node->record.psd == DMARC_PSD_UNKNOWN && publicsuffix_is(node->domain))
		return DMARC_PSD_YES;
	return node->record.psd;
}

int
dmarc_walk_up(struct dmarc_walk *w, struct str start, struct dmarc_tree *r_tree)
{
	struct dmarc_tree t = { .org = start };

	for (struct str name = start; name.n > 0; name = next(name, name.n == start.n)) {
		const struct dmarc_node *node = dmarc_node(w, name);

		t.last = node;
		if (node->kind == DMARC_NODE_FAILED) {
			*r_tree = t;
			return node->rv;
		}
		if (node->kind == DMARC_NODE_BAD && !t.bad)
			t.bad = node;
		if (node->kind == DMARC_NODE_RECORD) {
			enum dmarc_psd psd = psd_of(node);
			bool first = name.n == start.n;

			/* rfc/9989:1394 */
			if (psd == DMARC_PSD_YES && !first) {
				t.org = one_below(start, name);
				t.psd = node;
			} else {
				t.org = name;
			}
			if (psd != DMARC_PSD_UNKNOWN)
				break;
		}
	}
	*r_tree = t;
	return 0;
}

static void
apply(struct dmarc_found *f, const struct dmarc_node *node)
{
	f->domain = node->domain;
	f->txt = node->txt;
	f->problem = node->problem;
	f->found = node->kind == DMARC_NODE_RECORD;
	if (f->found)
		f->record = node->record;
	else if (node->kind == DMARC_NODE_BAD)
		f->status = DMARC_STATUS_PERMERROR;
	else if (node->kind == DMARC_NODE_FAILED)
		f->status = DMARC_STATUS_TEMPERROR;
}

void
dmarc_find(struct dmarc_walk *w, struct str domain, struct dmarc_found *r_found)
{
	struct dmarc_found f = { .status = DMARC_STATUS_NONE };
	const struct dmarc_node *node = dmarc_node(w, domain), *org;
	struct dmarc_tree tree;

	apply(&f, node);
	if (node->kind == DMARC_NODE_NONE) {
		if (dmarc_walk_up(w, domain, &tree) < 0) {
			apply(&f, tree.last);
		} else {
			/* The organisation's, else that of the public suffix: rfc/9989:1276 */
			org = dmarc_node(w, tree.org);
			if (org->kind == DMARC_NODE_RECORD)
				apply(&f, org);
			else if (tree.bad)
				apply(&f, tree.bad);
			else if (tree.psd)
				apply(&f, tree.psd);
			else if (node->problem.n == 0)
				apply(&f, tree.last);
			f.from_parent = f.found;
		}
	}
	f.authentic = w->authentic;
	*r_found = f;
}

void
dmarc_lookup(
    struct dns_resolver *r, struct arena *a, const struct ctx *ctx, struct str domain, struct dmarc_found *r_found)
{
	struct dmarc_walk w = { .r = r, .a = a, .ctx = ctx, .authentic = true };

	dmarc_find(&w, domain, r_found);
}

int
dmarc_org(struct dns_resolver *r, struct arena *a, const struct ctx *ctx, struct str domain, struct str *r_org,
    struct errmsg *e)
{
	struct dmarc_walk w = { .r = r, .a = a, .ctx = ctx, .authentic = true };
	struct dmarc_tree tree;
	int rv = dmarc_walk_up(&w, domain, &tree);

	if (rv < 0)
		return err_set(e, rv, STRF, STRA(tree.last->problem));
	*r_org = tree.org;
	return 0;
}

static void
add_external(struct arena *a, struct str txt, struct dmarc_external *x, struct errmsg *why)
{
	struct dmarc_record record;
	bool is;
	int rv = dmarc_parse(a, txt, DMARC_REPORT_RECORD, &record, &is, why);

	if (is)
		strlist_add(a, &x->txts, txt);
	if (rv < 0)
		return;
	x->records = arena_grow(a, x->records, x->n, x->n + 1, sizeof(record));
	x->records[x->n++] = record;
}

void
dmarc_check_external(struct dns_resolver *r, struct arena *a, const struct ctx *ctx, struct str policy_domain,
    struct str host, struct dmarc_external *r_external)
{
	struct str name = str_fmt(a, STRF "._report._dmarc." STRF, STRA(policy_domain), STRA(host));
	struct dmarc_external x = { .status = DMARC_STATUS_NONE };
	struct errmsg why = { 0 }, malformed = { 0 };
	struct dns_result res;
	int rv = dns_lookup(r, a, ctx, DNS_TXT, name, 0, &res, &why);

	x.authentic = res.authentic;
	for (size_t i = 0; rv == 0 && i < res.n; i++)
		add_external(a, res.v[i].text, &x, &malformed);
	x.accepted = x.n > 0;
	if (rv < 0)
		x.problem = str_dup(a, str_of(why.text));
	/* A name too long for DNS is no consent: rfc/9990:961 */
	if (rv < 0 && dns_is_temporary(rv)) {
		x.status = DMARC_STATUS_TEMPERROR;
	} else if (!x.accepted && x.txts.n > 0) {
		x.status = DMARC_STATUS_PERMERROR;
		x.problem = str_dup(a, str_of(malformed.text));
	}
	*r_external = x;
}
