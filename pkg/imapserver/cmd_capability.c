/* SPDX-License-Identifier: MIT */
/*
 * CAPABILITY   rfc/9051:1208
 *
 * What is listed works. The same list stands in the greeting and in the OK of LOGIN and AUTHENTICATE.
 */
#include "imapserver/imapserver_internal.h"

static const struct capability {
	const char *name;               /* RFC where it is not plain from the name */
} always[] = {
	{ "IMAP4rev2" },                /* 9051 */
	{ "IMAP4rev1" },                /* 3501 */
	{ "ENABLE" },                   /* 5161 */
	{ "IDLE" },                     /* 2177 */
	{ "SASL-IR" },                  /* 4959 */
	{ "BINARY" },                   /* 3516 */
	{ "UNSELECT" },                 /* 3691 */
	{ "UIDPLUS" },                  /* 4315 */
	{ "ESEARCH" },                  /* 4731 */
	{ "SEARCHRES" },                /* 5182 */
	{ "MOVE" },                     /* 6851 */
	{ "UTF8=ACCEPT" },              /* 6855 */
	{ "LIST-EXTENDED" },            /* 5258 */
	{ "SPECIAL-USE" },              /* 6154 */
	{ "CREATE-SPECIAL-USE" },
	{ "LIST-STATUS" },              /* 5819 */
	{ "CHILDREN" },                 /* 3348 */
	{ "ID" },                       /* 2971 */
	{ "CONDSTORE" },                /* 7162 */
	{ "QRESYNC" },
	{ "STATUS=SIZE" },              /* 8438 */
	{ "SAVEDATE" },                 /* 8514 */
	{ "WITHIN" },                   /* 5032 */
	{ "NAMESPACE" },                /* 2342 */
	{ "MULTIAPPEND" },              /* 3502 */
	{ "PREVIEW" },                  /* 8970 */
	{ "REPLACE" },                  /* 8508 */
	{ "SORT" },                     /* 5256 */
	{ "SORT=DISPLAY" },             /* 5957 */
	{ "ESORT" },                    /* 5267 */
	{ "THREAD=ORDEREDSUBJECT" },    /* 5256 */
	{ "THREAD=REFERENCES" },
	{ "THREAD=REFS" },
	{ "UIDONLY" },                  /* 9586 */
	{ "PARTIAL" },                  /* 9394 */
	{ "OBJECTID" },                 /* 8474 */
	{ "INPROGRESS" },               /* 9585 */
	{ "UNAUTHENTICATE" },           /* 8437 */
	{ "UIDBATCHES" },               /* 10022 */
};

/* The account's option IMAPCapabilitiesDisabled: names in upper case. */
static bool
is_disabled(const struct config_account *acct, struct str name)
{
	if (!acct)
		return false;
	for (size_t i = 0; i < acct->imap_capabilities_disabled.n; i++)
		if (str_icase(acct->imap_capabilities_disabled.v[i], name))
			return true;
	return false;
}

/* The account's options in the configuration at hand; NULL before login and when it has none. */
static const struct config_account *
account(struct imapserver_session *s, struct config **r_cfg)
{
	if (!s->server->config || !s->acct)
		return NULL;
	*r_cfg = s->server->config(s->server->config_arg);
	return config_account(*r_cfg, store_account_name(s->acct));
}

bool
imapserver_capability_disabled(struct imapserver_session *s, struct str name)
{
	cleanup_(config_unref) struct config *cfg = NULL;
	return is_disabled(account(s, &cfg), name);
}

static void
add_mechanisms(struct imapserver_session *s, struct buf *b)
{
	for (enum sasl_mech m = 0; m < SASL_MECHS; m++) {
		if (m == SASL_LOGIN)            /* the LOGIN command does that */
			continue;
		if (m == SASL_PLAIN && !imapserver_cleartext_allowed(s))
			continue;
		if (m == SASL_CRAM_MD5 && !auth_crammd5_enabled(s->server->auth))
			continue;
		if (m == SASL_EXTERNAL) {
			const struct tls_info *info = conn_tls(s->conn);
			if (!info || info->client_key.n == 0 || s->listener->client_auth_disabled)
				continue;
		}
		/* -PLUS also without TLS: clients need to see it to detect a downgrade (rfc/5802:1183). */
		buf_addf(b, " AUTH=%s", sasl_mech_name(m));
	}
}

void
imapserver_add_capabilities(struct imapserver_session *s, struct buf *b)
{
	cleanup_(config_unref) struct config *cfg = NULL;
	const struct config_account *acct = account(s, &cfg);
	bool fresh = s->state == IMAPSERVER_NOT_AUTHENTICATED;
	size_t start = b->n;

	for (size_t i = 0; i < ARRAY_LEN(always); i++)
		if (!is_disabled(acct, str_of(always[i].name)))
			buf_addf(b, "%s%s", b->n > start ? " " : "", always[i].name);
	if (!is_disabled(acct, S("APPENDLIMIT")))
		buf_addf(b, "%sAPPENDLIMIT=%d", b->n > start ? " " : "", LIMIT_IMAP_APPEND);    /* rfc/7889:129 */
	/* Memory for literals is lent freely only to those who are known (rfc/7888:133). */
	buf_addz(b, fresh ? " LITERAL-" : " LITERAL+");
	if (fresh && !conn_is_tls(s->conn) && conn_tls_ctx(s->conn))
		buf_addz(b, " STARTTLS");
	if (fresh && !imapserver_cleartext_allowed(s))
		buf_addz(b, " LOGINDISABLED");
	add_mechanisms(s, b);
}

int
imapserver_cmd_capability(struct imapserver_cmd *c)
{
	TRY(imapserver_end(c));
	buf_addz(&c->out, "* CAPABILITY ");
	imapserver_add_capabilities(c->s, &c->out);
	buf_addz(&c->out, "\r\n");
	return 0;
}

void
imapserver_capability_code(struct imapserver_cmd *c)
{
	struct buf b = BUF_ARENA(c->a, 4096);

	buf_addz(&b, "CAPABILITY ");
	imapserver_add_capabilities(c->s, &b);
	c->code = buf_str(&b);
}
