/* SPDX-License-Identifier: MIT */
/* Transports of mox.conf. */
#include "base/ip.h"
#include "config/config_internal.h"

static void
check_auth(struct config_check *c, const char *field, struct config_smtp_auth *auth)
{
	static const enum config_sasl_mechanism usual[] = {
		CONFIG_SASL_MECHANISM_SCRAM_SHA_256_PLUS,
		CONFIG_SASL_MECHANISM_SCRAM_SHA_256,
		CONFIG_SASL_MECHANISM_SCRAM_SHA_1_PLUS,
		CONFIG_SASL_MECHANISM_SCRAM_SHA_1,
		CONFIG_SASL_MECHANISM_CRAM_MD5,
	};
	struct config_sasl_mechanism_list *m = &auth->mechanisms;

	config_enter(c, str_of(field));
	config_enter(c, S("Auth"));
	if (auth->username.n == 0)
		config_errorf(c, "Username", "is empty");
	if (auth->password.n == 0)
		config_errorf(c, "Password", "is empty");
	for (size_t i = 0; i < m->n; i++)
		for (size_t k = 0; k < i; k++)
			if (m->v[i] == m->v[k])
				config_errorf(c, "Mechanisms", "%s is there twice",
				    typedesc_enum_text(&config_sasl_mechanism_desc, &m->v[i]));
	if (m->n == 0) {
		m->v = ARENA_NEWN(c->a, ARRAY_LEN(usual), enum config_sasl_mechanism);
		m->n = ARRAY_LEN(usual);
		memcpy(m->v, usual, sizeof(usual));
	}
	config_leave(c, 2);
}

static void
check_smtp(struct config_check *c, const char *field, struct config_transport_smtp *t, int64_t port, bool tls)
{
	struct idna_domain d;

	config_enter(c, str_of(field));
	if (t->port == 0)
		t->port = port;
	if (config_check_domain(c, "Host", t->host, &d))
		t->host = d.ascii;
	if (tls && (t->no_starttls || t->starttls_insecure_skip_verify))
		config_errorf(
		    c, NULL, "NoSTARTTLS and STARTTLSInsecureSkipVerify are not for connections with TLS from the start");
	config_leave(c, 1);
	if (t->auth)
		check_auth(c, field, t->auth);
}

static void
check_socks(struct config_check *c, struct config_transport_socks *t)
{
	struct idna_domain d;
	ssize_t colon = str_rfind(t->address, ':');
	uint32_t port = 0;

	config_enter(c, S("Socks"));
	if (colon <= 0 || str_u32(str_from(t->address, (size_t)colon + 1), &port) < 0 || port == 0 || port > 65535)
		config_errorf(c, "Address", "\"" STRF "\" is not host:port", STRA(t->address));
	config_check_ips(c, "RemoteIPs", &t->remote_ips);
	if (config_check_domain(c, "RemoteHostname", t->remote_hostname, &d))
		t->remote_hostname = idna_text(&d, true);
	config_leave(c, 1);
}

static void
check_fail(struct config_check *c, struct config_transport_fail *t)
{
	config_enter(c, S("Fail"));
	if (t->smtp_code < 400 || t->smtp_code > 599)
		config_errorf(c, "SMTPCode", "must be from 400 to 599");
	config_check_text(c, "SMTPMessage", t->smtp_message);
	t->code = t->smtp_code;
	t->message = t->smtp_message.n ? t->smtp_message : S("delivery fails as configured (transport)");
	config_leave(c, 1);
}

static void
check_transport(struct config_check *c, struct config_transport *t)
{
	int n = (t->submissions != NULL) + (t->submission != NULL) + (t->smtp != NULL) + (t->socks != NULL) +
	    (t->direct != NULL) + (t->fail != NULL);

	if (n > 1)
		config_errorf(c, NULL, "only one kind of transport can be given");
	if (t->submissions)
		check_smtp(c, "Submissions", t->submissions, 465, true);
	if (t->submission)
		check_smtp(c, "Submission", t->submission, 587, false);
	if (t->smtp)
		check_smtp(c, "SMTP", t->smtp, 25, false);
	if (t->socks)
		check_socks(c, t->socks);
	if (t->direct && t->direct->disable_ipv4 && t->direct->disable_ipv6)
		config_errorf(c, "Direct", "IPv4 and IPv6 cannot both be disabled");
	if (t->fail)
		check_fail(c, t->fail);
}

void
config_check_transports(struct config_check *c, struct config_static *s)
{
	config_enter(c, S("Transports"));
	for (size_t i = 0; i < s->transports.n; i++) {
		config_enter(c, s->transports.v[i].k);
		check_transport(c, &s->transports.v[i].v);
		config_leave(c, 1);
	}
	config_leave(c, 1);
}
