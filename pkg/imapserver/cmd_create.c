/* SPDX-License-Identifier: MIT */
/* CREATE   rfc/9051:1900, with the parameter USE (rfc/6154:256) */
#include "imapserver/imapserver_internal.h"

static const struct {
	struct str name;
	enum store_use use;
} uses[] = {
	{ { "\\Archive", 8 }, STORE_USE_ARCHIVE }, { { "\\Drafts", 7 }, STORE_USE_DRAFT }, { { "\\Junk", 5 }, STORE_USE_JUNK },
	{ { "\\Sent", 5 }, STORE_USE_SENT }, { { "\\Trash", 6 }, STORE_USE_TRASH },
};

/*
 * create-param =/ "USE" SP "(" [use-attr *(SP use-attr)] ")"; the list of parameters may have it more than once
 * rfc/6154:468
 */
static int
parse_params(struct imapserver_cmd *c, unsigned *r_use, struct str *r_unknown)
{
	if (!cur_try(&c->in, ' '))
		return imapserver_end(c);
	cur_char(&c->in, '(');
	do {
		if (!imap_try_keyword(&c->in, S("USE")))
			cur_fail(&c->in, "USE");
		imap_sp(&c->in);
		cur_char(&c->in, '(');
		if (cur_try(&c->in, ')'))
			continue;
		do {
			const char *start = c->in.p;
			cur_char(&c->in, '\\');
			imap_atom(&c->in);
			struct str attr = str_n(start, (size_t)(c->in.p - start));
			size_t i = 0;
			while (i < ARRAY_LEN(uses) && !str_icase(attr, uses[i].name))
				i++;
			if (i < ARRAY_LEN(uses))
				*r_use |= uses[i].use;
			else
				*r_unknown = attr;
		} while (cur_try(&c->in, ' '));
		cur_char(&c->in, ')');
	} while (cur_try(&c->in, ' '));
	cur_char(&c->in, ')');
	return imapserver_end(c);
}

int
imapserver_cmd_create(struct imapserver_cmd *c)
{
	cleanup_(store_tx_rollback) struct store_tx tx = { 0 };
	struct str asked, name, unknown = { 0 };
	struct store_mailbox *made;
	struct errmsg e = { 0 };
	unsigned use = 0;
	size_t n;

	imap_sp(&c->in);
	TRY(imapserver_mailbox_arg(c, &asked));
	TRY(parse_params(c, &use, &unknown));
	if (unknown.n > 0)
		return imapserver_no(c, "USEATTR", "special use not supported");

	/* A name that ends in the separator only says that children will follow (rfc/9051:1930). */
	struct str stripped = asked;
	while (str_ends(stripped, S("/")))
		stripped.n--;
	int r = store_mailbox_name(c->a, stripped, false, &name, &e);
	if (r < 0)
		return imapserver_error(c, r, &e, "creating a mailbox");
	r = store_write(c->s->acct, &tx);
	if (r == 0)
		r = store_mailbox_create(&tx, name, use, true, &made, &n);
	if (r < 0)
		return imapserver_error(c, r, &e, "creating a mailbox");
	struct strlist names = { 0 };
	for (size_t i = 0; i < n; i++)
		strlist_add(c->a, &names, str_dup(c->a, made[i].name));
	long long id = (long long)made[n - 1].id;
	r = store_tx_commit(&tx, c->s->comm);
	if (r < 0)
		return imapserver_error(c, r, NULL, "creating a mailbox");
	imapserver_code(c, "MAILBOXID (F%lld)", id);    /* rfc/8474:186 */
	for (size_t i = 0; i < n; i++) {
		bool altered = i == n - 1 && stripped.n != asked.n;
		imapserver_add_list_change(c, S("\\Subscribed"), names.v[i], altered ? asked : S(""));
	}
	return 0;
}
