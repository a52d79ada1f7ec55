/* SPDX-License-Identifier: MIT */
/*
 * LIST   rfc/9051:2224, with LIST-EXTENDED (rfc/5258), LIST-STATUS (rfc/5819), SPECIAL-USE (rfc/6154).
 *
 * All mailboxes and subscriptions of the account are read, both sorted by name, and walked together.
 */
#include "imapserver/imapserver_internal.h"

struct options {
	bool extended;                  /* not the command of RFC 3501 */
	/* selection */
	bool subscribed, recursive, special;
	/* return */
	bool return_subscribed, return_children, return_status;
	unsigned status_items;
	struct str *patterns;           /* joined with the reference */
	size_t npatterns;
	bool empty_pattern;             /* LIST "" "": asks for the separator */
};

/* list-select-opts   rfc/9051:2425, with the option of rfc/6154:160 */
static void
parse_selection(struct cur *in, struct options *o)
{
	bool remote = false;

	o->extended = true;
	cur_char(in, '(');
	if (!cur_try(in, ')')) {
		do {
			if (imap_try_keyword(in, S("SUBSCRIBED")))
				o->subscribed = true;
			else if (imap_try_keyword(in, S("RECURSIVEMATCH")))
				o->recursive = true;
			else if (imap_try_keyword(in, S("SPECIAL-USE")))
				o->special = true;
			else if (imap_try_keyword(in, S("REMOTE")))
				remote = true;          /* there are none */
			else
				cur_fail(in, "selection option");
		} while (cur_try(in, ' '));
		cur_char(in, ')');
	}
	(void)remote;
	/* It modifies another option, which REMOTE is not (rfc/9051:2466). */
	if (o->recursive && !o->subscribed && !o->special)
		cur_fail(in, "SUBSCRIBED with RECURSIVEMATCH");
	imap_sp(in);
}

/* list-return-opts   rfc/9051:2490 */
static void
parse_return(struct cur *in, struct options *o)
{
	o->extended = true;
	if (!imap_try_keyword(in, S("RETURN")))
		cur_fail(in, "RETURN");
	imap_sp(in);
	cur_char(in, '(');
	if (cur_try(in, ')'))
		return;
	do {
		if (imap_try_keyword(in, S("SUBSCRIBED"))) {
			o->return_subscribed = true;
		} else if (imap_try_keyword(in, S("CHILDREN"))) {
			o->return_children = true;
		} else if (imap_try_keyword(in, S("SPECIAL-USE"))) {
			continue;               /* always returned */
		} else if (imap_try_keyword(in, S("STATUS"))) {
			imap_sp(in);
			o->return_status = true;
			o->status_items = imapserver_status_items(in);
		} else {
			cur_fail(in, "return option");
		}
	} while (cur_try(in, ' '));
	cur_char(in, ')');
}

static void
add_pattern(struct imapserver_cmd *c, struct options *o, size_t *cap, struct str reference, struct str pattern)
{
	struct str joined = imap_pattern_join(c->a, reference, pattern);

	if (!joined.p)
		return;                         /* starts with the separator: matches nothing */
	if (o->npatterns == *cap) {
		size_t more = *cap ? 2 * *cap : 4;
		o->patterns = arena_grow(c->a, o->patterns, *cap, more, sizeof(*o->patterns));
		*cap = more;
	}
	o->patterns[o->npatterns++] = joined;
}

/* list = "LIST" [SP list-select-opts] SP mailbox SP mbox-or-pat [SP list-return-opts]   rfc/9051:6600 */
static int
parse(struct imapserver_cmd *c, struct options *o)
{
	bool utf8 = imapserver_utf8(c->s);
	struct cur *in = &c->in;
	size_t cap = 0;

	imap_sp(in);
	if (cur_is(in, '('))
		parse_selection(in, o);
	struct str reference = imap_mailbox(in, utf8);
	imap_sp(in);
	if (cur_try(in, '(')) {
		o->extended = true;
		do {
			struct str pattern = imap_list_mailbox(in, utf8);
			if (cur_ok(in) && pattern.n > 0)        /* rfc/5258:210: an empty one is no special request here */
				add_pattern(c, o, &cap, reference, pattern);
		} while (cur_try(in, ' '));
		cur_char(in, ')');
	} else {
		struct str pattern = imap_list_mailbox(in, utf8);
		o->empty_pattern = cur_ok(in) && pattern.n == 0;
		if (cur_ok(in) && pattern.n > 0)
			add_pattern(c, o, &cap, reference, pattern);
	}
	if (cur_try(in, ' '))
		parse_return(in, o);
	return imapserver_end(c);
}

static bool
matches(const struct options *o, struct str name)
{
	for (size_t i = 0; i < o->npatterns; i++)
		if (imap_pattern_match(o->patterns[i], name))
			return true;
	return false;
}

struct mailboxes {
	struct store_mailbox *v;
	size_t n;
	struct strlist subscribed;
};

/* First element of the sorted list that is not below the key. */
#define LOWER_BOUND(count, name_at, key) ({ \
	size_t lo_ = 0, hi_ = (count); \
	while (lo_ < hi_) { \
		size_t mid_ = lo_ + (hi_ - lo_) / 2; \
		if (str_cmp(name_at(mid_), (key)) < 0) \
			lo_ = mid_ + 1; \
		else \
			hi_ = mid_; \
	} \
	lo_; })

static bool
has_children(struct arena *a, const struct mailboxes *m, struct str name)
{
	struct str prefix = str_cat(a, name, S("/"));
#define NAME_AT(i) m->v[i].name
	size_t i = LOWER_BOUND(m->n, NAME_AT, prefix);
#undef NAME_AT
	return i < m->n && str_starts(m->v[i].name, prefix);
}

#define SUBSCRIBED_AT(i) m->subscribed.v[i]
static bool
is_subscribed(const struct mailboxes *m, struct str name)
{
	size_t i = LOWER_BOUND(m->subscribed.n, SUBSCRIBED_AT, name);
	return i < m->subscribed.n && str_is(m->subscribed.v[i], name);
}

static bool
has_subscribed_child(struct arena *a, const struct mailboxes *m, struct str name)
{
	struct str prefix = str_cat(a, name, S("/"));
	size_t i = LOWER_BOUND(m->subscribed.n, SUBSCRIBED_AT, prefix);
	return i < m->subscribed.n && str_starts(m->subscribed.v[i], prefix);
}
#undef SUBSCRIBED_AT

/* Below a name: a mailbox with a special use. */
static bool
has_special_child(struct arena *a, const struct mailboxes *m, struct str name)
{
	struct str prefix = str_cat(a, name, S("/"));

	for (size_t i = 0; i < m->n; i++)
		if (m->v[i].use && str_starts(m->v[i].name, prefix))
			return true;
	return false;
}

static void
add_attribute(struct buf *b, const char *attribute)
{
	if (b->n > 0)
		buf_addc(b, ' ');
	buf_addz(b, attribute);
}

static void
add_uses(struct buf *b, unsigned use)
{
	static const struct { unsigned use; const char *name; } names[] = {
		{ STORE_USE_ARCHIVE, "\\Archive" }, { STORE_USE_DRAFT, "\\Drafts" }, { STORE_USE_JUNK, "\\Junk" },
		{ STORE_USE_SENT, "\\Sent" }, { STORE_USE_TRASH, "\\Trash" },
	};

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (use & names[i].use)
			add_attribute(b, names[i].name);
}

/* One name: a mailbox, or (mb NULL) a subscription without one. */
static void
tell(struct imapserver_cmd *c, const struct options *o, const struct mailboxes *m, struct str name, const struct store_mailbox *mb)
{
	bool subscribed = is_subscribed(m, name);
	bool child_subscribed = o->recursive && o->subscribed && has_subscribed_child(c->a, m, name);
	bool child_special = o->recursive && o->special && has_special_child(c->a, m, name);

	bool by_subscription = !o->subscribed || subscribed || child_subscribed;
	bool by_use = !o->special || (mb && mb->use) || child_special;
	if (!by_subscription || !by_use || (!mb && !o->subscribed))
		return;
	struct buf attributes = BUF_ARENA(c->a, 300);
	if (o->subscribed && subscribed)
		add_attribute(&attributes, "\\Subscribed");
	if (!mb)
		add_attribute(&attributes, "\\NonExistent");
	if (o->return_children && mb)
		add_attribute(&attributes, has_children(c->a, m, name) ? "\\HasChildren" : "\\HasNoChildren");
	if (o->return_subscribed && subscribed && !o->subscribed)
		add_attribute(&attributes, "\\Subscribed");
	if (mb)
		add_uses(&attributes, mb->use);

	buf_addf(&c->out, "* LIST (" STRF ") \"/\" ", STRA(buf_str(&attributes)));
	imapserver_add_mailbox(c, name);
	/* childinfo-extended-item   rfc/9051:2655 */
	if (child_subscribed)
		buf_addz(&c->out, " (\"CHILDINFO\" (\"SUBSCRIBED\"))");
	else if (child_special)
		buf_addz(&c->out, " (\"CHILDINFO\" (\"SPECIAL-USE\"))");
	buf_addz(&c->out, "\r\n");
	if (o->return_status && mb)
		imapserver_add_status(c, mb, o->status_items);
}

int
imapserver_cmd_list(struct imapserver_cmd *c)
{
	cleanup_(store_tx_rollback) struct store_tx tx = { 0 };
	struct options o = { 0 };
	struct mailboxes m = { 0 };

	TRY(parse(c, &o));
	if (o.empty_pattern && !o.extended) {
		buf_addz(&c->out, "* LIST () \"/\" \"\"\r\n");     /* rfc/9051:2277 */
		return 0;
	}
	if (imapserver_status_is_condstore(o.status_items))
		TRY(imapserver_enable_condstore(c));
	int r = store_read(c->s->acct, &tx);
	if (r == 0)
		r = store_mailbox_list(&tx, &m.v, &m.n);
	if (r == 0)
		r = store_subscriptions(&tx, &m.subscribed);
	if (r < 0)
		return imapserver_error(c, r, NULL, "listing mailboxes");

	for (size_t i = 0, k = 0; i < m.n || k < m.subscribed.n;) {
		ARENA_SCOPE(c->a);
		int order = i == m.n ? 1 : k == m.subscribed.n ? -1 : str_cmp(m.v[i].name, m.subscribed.v[k]);
		struct str name = order <= 0 ? m.v[i].name : m.subscribed.v[k];
		if (matches(&o, name))
			tell(c, &o, &m, name, order <= 0 ? &m.v[i] : NULL);
		i += order <= 0;
		k += order >= 0;
	}
	return 0;
}
