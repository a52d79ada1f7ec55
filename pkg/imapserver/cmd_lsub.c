/* SPDX-License-Identifier: MIT */
/* LSUB   rfc/3501:2374. For clients of old; others use LIST (SUBSCRIBED). */
#include "imapserver/imapserver_internal.h"

static void
tell(struct imapserver_cmd *c, struct str name, const char *attributes)
{
	buf_addf(&c->out, "* LSUB (%s) \"/\" ", attributes);
	imapserver_add_mailbox(c, name);
	buf_addz(&c->out, "\r\n");
}

/* The part of a subscribed name that the pattern ends at with its "%": "a/b" of "a/b/c" for "a/%". Empty if there is none. */
static struct str
matching_parent(struct str pattern, struct str name)
{
	for (size_t i = 0; i < name.n; i++)
		if (name.p[i] == '/' && imap_pattern_match(pattern, str_upto(name, i)))
			return str_upto(name, i);
	return (struct str){ 0 };
}

int
imapserver_cmd_lsub(struct imapserver_cmd *c)
{
	cleanup_(store_tx_rollback) struct store_tx tx = { 0 };
	bool utf8 = imapserver_utf8(c->s);
	struct strlist names = { 0 }, told = { 0 };

	imap_sp(&c->in);
	struct str reference = imap_mailbox(&c->in, utf8);
	imap_sp(&c->in);
	struct str pattern = imap_list_mailbox(&c->in, utf8);
	TRY(imapserver_end(c));
	pattern = imap_pattern_join(c->a, reference, pattern);
	if (!pattern.p)
		return 0;
	int r = store_read(c->s->acct, &tx);
	if (r == 0)
		r = store_subscriptions(&tx, &names);
	if (r < 0)
		return imapserver_error(c, r, NULL, "listing subscriptions");
	for (size_t i = 0; i < names.n; i++) {
		struct str name = names.v[i];
		if (imap_pattern_match(pattern, name)) {
			tell(c, name, "");
			continue;
		}
		/* rfc/3501:2394: a name that is not subscribed itself, but has subscribed ones below */
		struct str parent = str_ends(pattern, S("%")) ? matching_parent(pattern, name) : (struct str){ 0 };
		if (parent.n > 0 && !strlist_has(&names, parent) && !strlist_has(&told, parent)) {
			strlist_add(c->a, &told, parent);
			tell(c, parent, "\\NoSelect");
		}
	}
	return 0;
}
