/* SPDX-License-Identifier: MIT */
/*
 * AUTH (RFC 4954). Secrets are not in the transcript.
 */
#include "base/enc.h"
#include "smtp/smtp.h"
#include "smtpclient/smtpclient_internal.h"

#define STEPS_MAX 10 /* challenges of one exchange */

static bool
offered(const struct smtpclient *c, enum sasl_mech mech)
{
	struct str rest = c->ext.auth;

	while (rest.n > 0)
		if (str_is(str_split(&rest, ' '), str_of(sasl_mech_name(mech))))
			return true;
	return false;
}

static bool
is_plus(enum sasl_mech m)
{
	return m == SASL_SCRAM_SHA256_PLUS || m == SASL_SCRAM_SHA1_PLUS;
}

static void
get_binding(struct smtpclient *c, struct scram_binding *b)
{
	uint8_t exporter[32];

	*b = (struct scram_binding){ 0 };
	if (tls_exporter(c->ssl, exporter) == 0)
		b->tls_exporter = str_dup(&c->a, str_n((const char *)exporter, sizeof(exporter)));
	else
		ignore_result(tls_unique(&c->a, c->ssl, &b->tls_unique));
}

static void
send_data(struct smtpclient *c, struct arena *a, struct str before, const struct sasl_send *send)
{
	struct str data =
	    send->data.n == 0 && before.n > 0 ? S("=") : enc_base64(a, send->data, ENC_STD); // rfc/4954:216

	if (before.n == 0)
		smtpclient_say(c, data, "(response)");
	else if (!send->has)
		smtpclient_say(c, before, NULL);
	else
		smtpclient_say(c, str_fmt(a, STRF " " STRF, STRA(before), STRA(data)),
		    str_fmt(a, STRF " (initial response)", STRA(before)).p);
}

/* cancel gives the exchange up with "*"; a server that does not answer 501 is out of step. rfc/4954:194 */
static int
cancel(struct smtpclient *c, struct arena *a, struct smtpclient_error *r_e, const char *why)
{
	struct smtpclient_reply r = { 0 };

	smtpclient_say(c, S("*"), NULL);
	TRY(smtpclient_read_reply(c, a, "auth", c->ext.ecodes, c->o.timeout_us, &r, r_e));
	if (r.code != 501)
		c->botched = true;
	return smtpclient_fail(a, r_e, SMTPCLIENT_PROTOCOL, false, "auth", "%s", why);
}

static int
exchange(
    struct smtpclient *c, struct arena *a, struct sasl_client *sasl, struct str command, struct smtpclient_error *r_e)
{
	struct smtpclient_reply r = { 0 };
	struct smtp_reply_line l = { 0 };
	struct sasl_send send = { 0 };
	struct str challenge;

	int err = sasl_client_step(sasl, NULL, &send);
	if (err < 0)
		return smtpclient_fail(
		    a, r_e, SMTPCLIENT_PROTOCOL, true, "auth", "credentials cannot be used with the mechanism");
	send_data(c, a, command, &send);
	for (unsigned step = 0; step < STEPS_MAX; step++) {
		TRY(smtpclient_read_reply(c, a, "auth", true, c->o.timeout_us, &r, r_e));
		if (r.code == 235) {
			if (send.last)
				return 0;
			c->botched = true;
			return smtpclient_fail(
			    a, r_e, SMTPCLIENT_PROTOCOL, false, "auth", "server accepted before it proved itself");
		}
		if (r.code != 334)
			return smtpclient_fail_reply(a, r_e, SMTPCLIENT_STATUS, "auth", &r);
		if (send.last)
			return cancel(c, a, r_e, "server wants more than the mechanism has");
		if (r.more.n > 0 || smtp_parse_reply_line(r.line, &l) < 0 ||
		    enc_unbase64(a, str_from(r.line, MIN(r.line.n, (size_t)4)), ENC_STD, &challenge) < 0)
			return cancel(c, a, r_e, "malformed challenge");
		err = sasl_client_step(sasl, &challenge, &send);
		if (err < 0)
			return cancel(c, a, r_e,
			    err == SASL_BAD_CREDENTIALS || err == SCRAM_BAD_SIGNATURE ?
				"server does not know the password either" :
				"server's challenge is not acceptable");
		send_data(c, a, S(""), &send);
	}
	return cancel(c, a, r_e, "too many challenges");
}

int
smtpclient_login(struct smtpclient *c, struct arena *a, struct smtpclient_error *r_e)
{
	const struct smtpclient_auth *auth = c->o.auth;
	struct scram_binding binding = { 0 };
	bool plus_missing = false;

	if (c->ssl)
		get_binding(c, &binding);
	for (size_t i = 0; i < auth->nmechs; i++) {
		enum sasl_mech m = auth->mechs[i];

		/* Whoever took -PLUS off the list shall not profit: a SCRAM server that has it notices. rfc/5802:791 */
		if (is_plus(m) && c->ssl && !offered(c, m))
			plus_missing = true;
		if (!offered(c, m) ||
		    (is_plus(m) && (!c->ssl || (binding.tls_exporter.n == 0 && binding.tls_unique.n == 0))))
			continue;
		struct sasl_client_args args = {
			.mech = m,
			.user = auth->username,
			.password = auth->password,
			.binding = c->ssl ? &binding : NULL,
			.no_server_plus = plus_missing && (m == SASL_SCRAM_SHA256 || m == SASL_SCRAM_SHA1),
		};
		cleanup_(sasl_client_free) struct sasl_client *sasl = sasl_client_new(&args);
		return exchange(c, a, sasl, str_fmt(a, "AUTH %s", sasl_mech_name(m)), r_e);
	}
	return smtpclient_fail(a, r_e, SMTPCLIENT_PROTOCOL, true, "auth",
	    "no authentication mechanism in common, server has: " STRF, STRA(str_log(a, c->ext.auth, 200)));
}
