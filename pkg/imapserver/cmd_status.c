/* SPDX-License-Identifier: MIT */
/*
 * STATUS   rfc/9051:3328, with SIZE (rfc/8438), HIGHESTMODSEQ (rfc/7162:1127), APPENDLIMIT (rfc/7889:175) and
 * MAILBOXID (rfc/8474:231). All of it stands in the row of the mailbox.
 */
#include "imapserver/imapserver_internal.h"

enum item {
	MESSAGES = 1, UIDNEXT = 2, UIDVALIDITY = 4, UNSEEN = 8, DELETED = 16, SIZE = 32, RECENT = 64, HIGHESTMODSEQ = 128,
	APPENDLIMIT = 256, MAILBOXID = 512,
};

static const struct {
	struct str name;
	enum item bit;
} items[] = {
	{ { "MESSAGES", 8 }, MESSAGES }, { { "UIDNEXT", 7 }, UIDNEXT }, { { "UIDVALIDITY", 11 }, UIDVALIDITY }, { { "UNSEEN", 6 }, UNSEEN },
	{ { "DELETED", 7 }, DELETED }, { { "SIZE", 4 }, SIZE }, { { "RECENT", 6 }, RECENT }, { { "HIGHESTMODSEQ", 13 }, HIGHESTMODSEQ },
	{ { "APPENDLIMIT", 11 }, APPENDLIMIT }, { { "MAILBOXID", 9 }, MAILBOXID },
};

/* "(" status-att *(SP status-att) ")"   rfc/9051:7053 */
unsigned
imapserver_status_items(struct cur *c)
{
	unsigned bits = 0;

	cur_char(c, '(');
	do {
		size_t i = 0;
		while (i < ARRAY_LEN(items) && !imap_try_keyword(c, items[i].name))
			i++;
		if (i < ARRAY_LEN(items))
			bits |= items[i].bit;
		else
			cur_fail(c, "status item");
	} while (cur_try(c, ' '));
	cur_char(c, ')');
	return bits;
}

static int64_t
value(const struct store_mailbox *mb, enum item item)
{
	switch (item) {
	case MESSAGES: return mb->total + mb->deleted;
	case UIDNEXT: return mb->uidnext;
	case UIDVALIDITY: return mb->uidvalidity;
	case UNSEEN: return mb->unseen;
	case DELETED: return mb->deleted;
	case SIZE: return mb->size;
	case RECENT: return 0;
	case HIGHESTMODSEQ: return mb->modseq;
	case APPENDLIMIT: return LIMIT_IMAP_APPEND;
	case MAILBOXID: return mb->id;
	}
	return 0;
}

void
imapserver_add_status(struct imapserver_cmd *c, const struct store_mailbox *mb, unsigned bits)
{
	bool first = true;

	buf_addz(&c->out, "* STATUS ");
	imapserver_add_mailbox(c, mb->name);
	buf_addz(&c->out, " (");
	for (size_t i = 0; i < ARRAY_LEN(items); i++) {
		if (!(bits & items[i].bit))
			continue;
		buf_addf(&c->out, "%s%s ", first ? "" : " ", items[i].name.p);
		if (items[i].bit == MAILBOXID)
			imapserver_add_object_id(&c->out, 'F', mb->id);
		else
			buf_addf(&c->out, "%lld", (long long)value(mb, items[i].bit));
		first = false;
	}
	buf_addz(&c->out, ")\r\n");
}

bool
imapserver_status_is_condstore(unsigned bits)
{
	return bits & HIGHESTMODSEQ;
}

int
imapserver_cmd_status(struct imapserver_cmd *c)
{
	cleanup_(store_tx_rollback) struct store_tx tx = { 0 };
	struct store_mailbox mb;
	struct str name;

	imap_sp(&c->in);
	TRY(imapserver_mailbox_arg(c, &name));
	imap_sp(&c->in);
	unsigned bits = imapserver_status_items(&c->in);
	TRY(imapserver_end(c));
	if (imapserver_status_is_condstore(bits))
		TRY(imapserver_enable_condstore(c));
	int r = store_read(c->s->acct, &tx);
	if (r < 0)
		return imapserver_error(c, r, NULL, "reading the status of a mailbox");
	TRY(imapserver_find(c, &tx, name, "NONEXISTENT", &mb));
	imapserver_add_status(c, &mb, bits);
	return 0;
}
