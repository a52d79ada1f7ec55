/* SPDX-License-Identifier: MIT */
/* ENABLE   rfc/9051:1652 rfc/5161 */
#include "imapserver/imapserver_internal.h"

static const struct {
	struct str name;
	unsigned bit;
} extensions[] = {
	{ { "IMAP4REV2", 9 }, IMAPSERVER_REV2 },
	{ { "UTF8=ACCEPT", 11 }, IMAPSERVER_UTF8 },
	{ { "CONDSTORE", 9 }, IMAPSERVER_CONDSTORE },
	{ { "QRESYNC", 7 }, IMAPSERVER_QRESYNC },
	{ { "UIDONLY", 7 }, IMAPSERVER_UIDONLY },
};

int
imapserver_cmd_enable(struct imapserver_cmd *c)
{
	struct imapserver_session *s = c->s;
	struct strlist names = { 0 };
	unsigned condstore = s->enabled & IMAPSERVER_CONDSTORE;

	/* enable = "ENABLE" 1*(SP capability)   rfc/9051:6518 */
	do {
		imap_sp(&c->in);
		strlist_add(c->a, &names, imap_atom(&c->in));
	} while (cur_ok(&c->in) && !cur_end(&c->in));
	TRY(imapserver_end(c));

	/* What is unknown, or cannot be enabled, is left out of the answer (rfc/9051:1680). */
	struct buf told = BUF_ARENA(c->a, LIMIT_IMAP_COMMAND);
	for (size_t i = 0; i < names.n; i++) {
		for (size_t k = 0; k < ARRAY_LEN(extensions); k++) {
			if (!str_icase(names.v[i], extensions[k].name) || imapserver_capability_disabled(s, extensions[k].name))
				continue;
			buf_addf(&told, " " STRF, STRA(names.v[i]));
			if (extensions[k].bit != IMAPSERVER_CONDSTORE)
				s->enabled |= extensions[k].bit;
			if (extensions[k].bit == IMAPSERVER_QRESYNC && !condstore && !strlist_ihas(&names, S("CONDSTORE")))
				buf_addz(&told, " CONDSTORE");          /* rfc/7162:1325 */
			if (extensions[k].bit & (IMAPSERVER_CONDSTORE | IMAPSERVER_QRESYNC))
				condstore = IMAPSERVER_CONDSTORE;
		}
	}
	buf_addf(&c->out, "* ENABLED" STRF "\r\n", STRA(buf_str(&told)));
	return condstore ? imapserver_enable_condstore(c) : 0;
}
