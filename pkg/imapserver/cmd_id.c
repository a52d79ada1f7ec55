/* SPDX-License-Identifier: MIT */
/* ID   rfc/2971:129 */
#include "imapserver/imapserver_internal.h"

#include "base/mem.h"

#define FIELDS_MAX 30           /* rfc/2971:191 */
#define AGENT_MAX 1000

/* id = "ID" SP id-params-list; "(" string SP nstring *(SP string SP nstring) ")" / nil   rfc/2971:120 */
static int
parse(struct imapserver_cmd *c, struct strlist *r_keys, struct strlist *r_values)
{
	imap_sp(&c->in);
	if (imap_try_keyword(&c->in, S("NIL")))
		return imapserver_end(c);
	cur_char(&c->in, '(');
	while (cur_ok(&c->in) && !cur_try(&c->in, ')')) {
		if (r_keys->n > 0)
			imap_sp(&c->in);
		struct str key = imap_string(&c->in);
		imap_sp(&c->in);
		struct str value = imap_nstring(&c->in);
		if (!cur_ok(&c->in))
			break;
		if (strlist_ihas(r_keys, key) || r_keys->n == FIELDS_MAX)
			return imapserver_bad(c, "duplicate field, or too many");
		strlist_add(c->a, r_keys, key);
		strlist_add(c->a, r_values, value);
	}
	return imapserver_end(c);
}

int
imapserver_cmd_id(struct imapserver_cmd *c)
{
	struct imapserver_session *s = c->s;
	struct strlist keys = { 0 }, values = { 0 };

	TRY(parse(c, &keys, &values));
	if (keys.n > 0) {
		struct buf b = BUF_ARENA(c->a, AGENT_MAX);
		for (size_t i = 0; i < keys.n && !b.failed; i++) {
			struct str key = str_log(c->a, keys.v[i], 100), value = str_log(c->a, values.v[i], 200);
			buf_addf(&b, "%s" STRF "=\"" STRF "\"", i > 0 ? " " : "", STRA(key), STRA(value));
		}
		mem_free(&s->user_agent);
		s->user_agent = mem_str(buf_str(&b));
		log_info(conn_log(c->conn), "client identified itself", log_s("id", buf_str(&b)));
	}
	/* Which version it is concerns only those who logged in (rfc/2971:265). */
	buf_addf(&c->out, "* ID (\"name\" ");
	imap_add_string(&c->out, s->server->product, false);
	if (s->state != IMAPSERVER_NOT_AUTHENTICATED) {
		buf_addz(&c->out, " \"version\" ");
		imap_add_string(&c->out, s->server->version, false);
	}
	buf_addz(&c->out, ")\r\n");
	return 0;
}
