/* SPDX-License-Identifier: MIT */
#include "config/config.h"
#include "smtp/smtp.h"
#include "testutil/testutil.h"

static const char static_text[] =
    "DataDir: data\nLogLevel: info\nUser: root\nHostname: mail.example.org\n"
    "Listeners:\n"
    "\tmx:\n\t\tIPs:\n\t\t\t- 192.0.2.1\n\t\tHostname: mx.example.org\n\t\tSMTP:\n\t\t\tEnabled: true\n\t\t\tNoSTARTTLS: true\n"
    "\tweb:\n\t\tIPs:\n\t\t\t- 127.0.0.1\n\t\tHostname: web.example.org\n"
    "Postmaster:\n\tAccount: admin\n\tMailbox: Postmaster\n"
    "HostTLSRPT:\n\tAccount: admin\n\tMailbox: TLSRPT\n\tLocalpart: TLSreports\n"
    "Transports:\n\tt1: nil\n\tt2: nil\n\tt3: nil\n";
static const char dynamic_text[] =
    "Domains:\n"
    "\texample.org:\n\t\tLocalpartCatchallSeparators:\n\t\t\t- +\n\t\t\t- --\n"
    "\t\tDMARC:\n\t\t\tLocalpart: dmarc+Reports\n\t\t\tAccount: admin\n\t\t\tMailbox: DMARC\n"
    "\t\tTLSRPT:\n\t\t\tLocalpart: dmarc+reports\n\t\t\tAccount: admin\n\t\t\tMailbox: TLSRPT\n"
    "\t\tAliases:\n\t\t\tTeam:\n\t\t\t\tAddresses:\n\t\t\t\t\t- user@example.org\n"
    "\t\tRoutes:\n\t\t\t-\n\t\t\t\tToDomain:\n\t\t\t\t\t- .example.com\n\t\t\t\tTransport: t2\n"
    "\tcase.example:\n\t\tLocalpartCaseSensitive: true\n\t\tLocalpartCatchallSeparator: -\n"
    "\tcatch.example: nil\n"
    "\tm\xc3\xbcnchen.example:\n\t\tDisabled: true\n"
    "\treports.example:\n\t\tDMARC:\n\t\t\tLocalpart: d\n\t\t\tDomain: example.org\n\t\t\tAccount: admin\n\t\t\tMailbox: DMARC\n"
    "Accounts:\n"
    "\tadmin:\n\t\tDomain: example.org\n\t\tDestinations:\n\t\t\tadmin: nil\n\t\t\tpostmaster@case.example:\n\t\t\t\tMailbox: Own\n"
    "\tuser:\n\t\tDomain: example.org\n\t\tDestinations:\n\t\t\tUser@example.org:\n\t\t\t\tMailbox: U\n"
    "\t\t\t\xc3\x9c@example.org: nil\n\t\t\t\"a b\"@example.org: nil\n\t\t\tUser@case.example: nil\n"
    "\t\t\t@catch.example:\n\t\t\t\tMailbox: Rest\n\t\t\tuser@catch.example: nil\n\t\t\tx@m\xc3\xbcnchen.example: nil\n"
    "\t\tRoutes:\n\t\t\t-\n\t\t\t\tToDomain:\n\t\t\t\t\t- example.net\n\t\t\t\tMinimumAttempts: 2\n\t\t\t\tTransport: t1\n"
    "Routes:\n\t-\n\t\tFromDomain:\n\t\t\t- .\n\t\tTransport: t3\n\t-\n\t\tToDomain:\n\t\t\t- example.net\n\t\tTransport: t2\n";

static struct config *
make(void)
{
	struct config_problems p = { 0 };
	struct config *c = NULL;

	if (config_parse("c", str_of(static_text), str_of(dynamic_text), CONFIG_NO_KEYS, &c, &p) < 0)
		fail_msg(STRF, STRA(config_problems_text(test_arena(), &p)));
	config_problems_done(&p);
	return c;
}

#define ALL (CONFIG_LOOKUP_POSTMASTER | CONFIG_LOOKUP_ALIAS | CONFIG_LOOKUP_ENABLED)

/* rfc/5321:3395 (postmaster), ../spec smtpserver "Address lookup rules" */
TEST(addresses)
{
	static const struct {
		const char *address;
		unsigned flags;
		int ret;
		const char *canonical, *account, *mailbox;      /* mailbox NULL: an alias */
		enum config_address_kind kind;
	} rows[] = {
		{ "user@example.org", ALL, 0, "user@example.org", "user", "U", CONFIG_ADDRESS_ACCOUNT },
		{ "USER@EXAMPLE.org", ALL, 0, "user@example.org", "user", "U", CONFIG_ADDRESS_ACCOUNT },
		{ "user+x@example.org", ALL, 0, "user@example.org", "user", "U", CONFIG_ADDRESS_ACCOUNT },
		{ "user--x+y@example.org", ALL, 0, "user@example.org", "user", "U", CONFIG_ADDRESS_ACCOUNT },
		{ "user+a+b@example.org", ALL, 0, "user@example.org", "user", "U", CONFIG_ADDRESS_ACCOUNT },
		{ "user-x@example.org", ALL, CONFIG_NO_ADDRESS, NULL, NULL, NULL, 0 },
		{ "\xc3\xbc@example.org", ALL, 0, "\xc3\xbc@example.org", "user", "Inbox", CONFIG_ADDRESS_ACCOUNT },
		{ "\"A B\"@example.org", ALL, 0, "\"a b\"@example.org", "user", "Inbox", CONFIG_ADDRESS_ACCOUNT },
		{ "admin@example.org", ALL, 0, "admin@example.org", "admin", "Inbox", CONFIG_ADDRESS_ACCOUNT },
		{ "none@example.org", ALL, CONFIG_NO_ADDRESS, NULL, NULL, NULL, 0 },
		{ "+x@example.org", ALL, CONFIG_NO_ADDRESS, NULL, NULL, NULL, 0 },
		/* Reporting addresses are matched with their separators, before what they would be cut to. */
		{ "dmarc+reports@example.org", ALL, 0, "dmarc+reports@example.org", "admin", "TLSRPT", CONFIG_ADDRESS_ACCOUNT },
		{ "DMARC+REPORTS@example.org", ALL, 0, "dmarc+reports@example.org", "admin", "TLSRPT", CONFIG_ADDRESS_ACCOUNT },
		{ "dmarc@example.org", ALL, CONFIG_NO_ADDRESS, NULL, NULL, NULL, 0 },
		{ "d@example.org", ALL, 0, "d@example.org", "admin", "DMARC", CONFIG_ADDRESS_ACCOUNT },
		{ "d@reports.example", ALL, CONFIG_NO_DOMAIN, NULL, NULL, NULL, 0 },
		/* Aliases */
		{ "team@example.org", ALL, 0, "team@example.org", "", NULL, CONFIG_ADDRESS_ALIAS },
		{ "TEAM+x@example.org", ALL, 0, "team@example.org", "", NULL, CONFIG_ADDRESS_ALIAS },
		{ "team@example.org", CONFIG_LOOKUP_POSTMASTER, CONFIG_NO_ADDRESS, NULL, NULL, NULL, 0 },
		/* Case matters */
		{ "User@case.example", ALL, 0, "User@case.example", "user", "Inbox", CONFIG_ADDRESS_ACCOUNT },
		{ "User-x@case.example", ALL, 0, "User@case.example", "user", "Inbox", CONFIG_ADDRESS_ACCOUNT },
		{ "user@case.example", ALL, CONFIG_NO_ADDRESS, NULL, NULL, NULL, 0 },
		/* Catch-all */
		{ "any@catch.example", ALL, 0, "@catch.example", "user", "Rest", CONFIG_ADDRESS_CATCHALL },
		{ "any+x@catch.example", 0, 0, "@catch.example", "user", "Rest", CONFIG_ADDRESS_CATCHALL },
		{ "user@catch.example", ALL, 0, "user@catch.example", "user", "Inbox", CONFIG_ADDRESS_ACCOUNT },
		{ "postmaster@catch.example", ALL, 0, "@catch.example", "user", "Rest", CONFIG_ADDRESS_CATCHALL },
		/* Postmaster */
		{ "postmaster", ALL, 0, "postmaster", "admin", "Postmaster", CONFIG_ADDRESS_POSTMASTER },
		{ "PostMaster", ALL, 0, "postmaster", "admin", "Postmaster", CONFIG_ADDRESS_POSTMASTER },
		{ "postmaster", 0, CONFIG_NO_ADDRESS, NULL, NULL, NULL, 0 },
		{ "POSTMASTER@mail.example.org", ALL, 0, "postmaster", "admin", "Postmaster", CONFIG_ADDRESS_POSTMASTER },
		{ "postmaster@mx.example.org", ALL, 0, "postmaster", "admin", "Postmaster", CONFIG_ADDRESS_POSTMASTER },
		{ "postmaster@web.example.org", ALL, CONFIG_NO_DOMAIN, NULL, NULL, NULL, 0 },
		{ "postmaster+x@mx.example.org", ALL, CONFIG_NO_DOMAIN, NULL, NULL, NULL, 0 },
		{ "Postmaster@example.org", ALL, 0, "postmaster", "admin", "Postmaster", CONFIG_ADDRESS_POSTMASTER },
		{ "postmaster@example.org", CONFIG_LOOKUP_ALIAS, CONFIG_NO_ADDRESS, NULL, NULL, NULL, 0 },
		{ "postmaster@case.example", ALL, 0, "postmaster@case.example", "admin", "Own", CONFIG_ADDRESS_ACCOUNT },
		{ "POSTMASTER@case.example", ALL, 0, "postmaster", "admin", "Postmaster", CONFIG_ADDRESS_POSTMASTER },
		/* Reports about the host: as written */
		{ "TLSreports@mail.example.org", ALL, 0, "TLSreports@mail.example.org", "admin", "TLSRPT", CONFIG_ADDRESS_ACCOUNT },
		{ "tlsreports@mail.example.org", ALL, CONFIG_NO_DOMAIN, NULL, NULL, NULL, 0 },
		/* Disabled */
		{ "x@m\xc3\xbcnchen.example", ALL, CONFIG_DOMAIN_DISABLED, NULL, NULL, NULL, 0 },
		{ "x@xn--mnchen-3ya.example", 0, 0, "x@m\xc3\xbcnchen.example", "user", "Inbox", CONFIG_ADDRESS_ACCOUNT },
		{ "x@elsewhere.example", ALL, CONFIG_NO_DOMAIN, NULL, NULL, NULL, 0 },
		{ "x", ALL, ERR_INVALID, NULL, NULL, NULL, 0 },
		{ "x@[127.0.0.1]", ALL, ERR_INVALID, NULL, NULL, NULL, 0 },
	};
	cleanup_(config_unref) struct config *c = make();

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct config_address a = { 0 };

		test_row("%s", rows[i].address);
		assert_int_equal(config_lookup_text(c, test_exact(str_of(rows[i].address)), rows[i].flags, &a), rows[i].ret);
		if (rows[i].ret)
			continue;
		assert_strz(a.canonical, rows[i].canonical);
		assert_strz(a.account_name, rows[i].account);
		assert_int_equal(a.kind, rows[i].kind);
		if (rows[i].mailbox) {
			assert_strz(a.destination->mailbox, rows[i].mailbox);
			assert_ptr_equal(a.account, config_account(c, a.account_name));
			assert_null(a.alias);
		} else {
			assert_strz(a.alias->addresses.v[0], "user@example.org");
			assert_strz(a.alias_address, "team@example.org");
			assert_null(a.destination);
		}
	}
}

TEST(report_destinations)
{
	cleanup_(config_unref) struct config *c = make();
	struct config_address a;

	assert_ok(config_lookup_text(c, S("dmarc+reports@example.org"), ALL, &a));
	assert_true(a.destination->dmarc_reports && a.destination->domain_tls_reports && !a.destination->host_tls_reports);
	assert_ok(config_lookup_text(c, S("TLSreports@mail.example.org"), ALL, &a));
	assert_true(a.destination->host_tls_reports && !a.destination->dmarc_reports);
	assert_ok(config_lookup_text(c, S("user@example.org"), ALL, &a));
	assert_false(a.destination->dmarc_reports || a.destination->domain_tls_reports || a.destination->host_tls_reports);
}

TEST(routes)
{
	static const struct { const char *account, *from, *to; int64_t attempts; const char *want; } rows[] = {
		{ "user", "example.org", "example.net", 2, "t1" },
		{ "user", "example.org", "example.net", 1, "t2" },
		{ "user", "example.org", "a.example.com", 0, "t2" },
		{ "user", "example.org", "example.com", 0, "t2" },
		{ "user", "example.org", "notexample.com", 0, "" },
		{ "user", "case.example", "example.com", 0, "" },
		{ NULL, "", "example.net", 0, "t3" },           /* the null sender */
		{ NULL, "x.example", "example.net", 0, "t2" },
		{ "admin", "example.org", "x.example", 9, "" },
	};
	cleanup_(config_unref) struct config *c = make();

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct idna_domain from = { .ascii = str_of(rows[i].from) }, to = { .ascii = str_of(rows[i].to) };

		test_row("%zu", i);
		assert_strz(config_route(c, rows[i].account ? config_account(c, str_of(rows[i].account)) : NULL, &from, &to, rows[i].attempts), rows[i].want);
	}
}

TEST(things_by_name)
{
	cleanup_(config_unref) struct config *c = make();

	assert_null(config_account(c, S("nobody")));
	assert_null(config_listener(c, S("x")));
	assert_non_null(config_listener(c, S("mx")));
	assert_null(config_domain_text(c, S("elsewhere.example")));
	assert_null(config_domain_text(c, S("not a domain")));
	assert_non_null(config_domain_text(c, S("M\xc3\x9cNCHEN.example")));
	assert_int_equal(config_send_ips(c)->n, 1);
	assert_strz(config_send_ips(c)->v[0], "192.0.2.1");
	assert_strz(config_canonical(test_arena(), config_domain_text(c, S("example.org")), S("A--b+c")), "a");
	assert_strz(config_canonical(test_arena(), config_domain_text(c, S("case.example")), S("A-b")), "A");
}
