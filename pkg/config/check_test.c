/* SPDX-License-Identifier: MIT */
/* Each rule of the checks: what fails it, and what does not. */
#include "config/config.h"
#include "testutil/testutil.h"

/* Where the text of a row goes in a configuration that is good without it. */
enum slot { STATIC, LISTENER, LISTENER2, DOMAIN, ACCOUNT, DEST, DYNAMIC, NSLOTS };

static const char static_text[] =
    "DataDir: data\nLogLevel: info\nUser: root\nHostname: mail.example.org\n"
    "Postmaster:\n\tAccount: a\n\tMailbox: Postmaster\n"
    "%s"
    "Listeners:\n\tl:\n\t\tIPs:\n\t\t\t- 127.0.0.1\n"
    "%s"
    "\tm:\n\t\tIPs:\n\t\t\t- 127.0.0.2\n"
    "%s";
static const char dynamic_text[] =
    "Domains:\n\texample.net:\n\t\tLocalpartCaseSensitive: true\n\texample.org:\n\t\tDescription: x\n"
    "%s"
    "Accounts:\n\ta:\n\t\tDomain: example.org\n"
    "%s"
    "\t\tDestinations:\n\t\t\ta@example.org: nil\n"
    "%s"
    "\tb:\n\t\tDomain:\n\t\tDestinations:\n\t\t\tb@example.org: nil\n\t\t\tB@example.net: nil\n"
    "%s";

#define NOTHING ""

/* Without the reasons that other packages give in their words. */
static struct str
plain(struct str errors)
{
	static const struct str before[] = { S(" is no domain name: "), S(" is no address: "), S(": no address: ") };
	struct buf b = BUF_ARENA(test_arena(), 100000);

	while (errors.n) {
		ssize_t end = str_search(errors, S("; "));
		struct str one = str_upto(errors, end < 0 ? errors.n : (size_t)end);

		errors = str_from(errors, one.n + 2);
		for (size_t i = 0; i < ARRAY_LEN(before); i++) {
			ssize_t at = str_search(one, before[i]);

			if (at >= 0)
				one = str_upto(one, (size_t)at + before[i].n - 2);
		}
		buf_addf(&b, "%s" STRF, b.n ? "; " : "", STRA(one));
	}
	return buf_str(&b);
}

static struct str
check(enum slot slot, const char *text, unsigned flags, const char *dir)
{
	const char *t[NSLOTS];
	struct config_problems p = { 0 };
	struct config *c = NULL;
	struct str errors;

	for (size_t i = 0; i < NSLOTS; i++)
		t[i] = i == slot ? text : "";
	struct str s = str_fmt(test_arena(), static_text, t[STATIC], t[LISTENER], t[LISTENER2]);
	struct str d = str_fmt(test_arena(), dynamic_text, t[DOMAIN], t[ACCOUNT], t[DEST], t[DYNAMIC]);
	int r = config_parse(dir, test_exact(s), test_exact(d), flags, &c, &p);
	errors = plain(config_problems_text(test_arena(), &p));
	assert_int_equal(r, errors.n ? ERR_INVALID : 0);
	config_problems_done(&p);
	config_unref(&c);
	return errors;
}

struct row {
	enum slot slot;
	const char *text, *error;       /* "" if it is good */
};

static void
run(const struct row *rows, size_t n, unsigned flags)
{
	for (size_t i = 0; i < n; i++) {
		test_row("%s", rows[i].text);
		assert_strz(check(rows[i].slot, rows[i].text, flags, "c"), rows[i].error);
	}
}
#define RUN(rows, flags) run(rows, ARRAY_LEN(rows), flags)

/* A file of its own in place of the base's lines. */
static struct str
check_static(const char *text)
{
	struct config_problems p = { 0 };
	struct config *c = NULL;

	ignore_result(config_parse("c", str_of(text), str_fmt(test_arena(), dynamic_text, "", "", "", ""), CONFIG_NO_KEYS, &c, &p));
	struct str errors = plain(config_problems_text(test_arena(), &p));
	config_problems_done(&p);
	config_unref(&c);
	return errors;
}

TEST(top)
{
	static const struct { const char *text, *error; } rows[] = {
		{ "DataDir: d\nLogLevel: none\nUser: root\nHostname: h.example\nListeners: nil\nPostmaster:\n\tAccount: a\n\tMailbox: x\n",
		    "c/mox.conf:2: LogLevel: unknown value, expected one of: error, warn, info, debug, trace, traceauth, tracedata, fatal, print" },
		{ "DataDir: d\nLogLevel: info\nUser: nosuchuser\nHostname: xn--mnchen-3ya.example\nListeners: nil\nPostmaster:\n\tAccount: nobody\n\tMailbox: a//b\n",
		    "c/mox.conf:3: User: there is no user \"nosuchuser\"; add one: useradd -d $PWD nosuchuser; "
		    "c/mox.conf:4: Hostname: \"xn--mnchen-3ya.example\" must be written as \"m\xc3\xbcnchen.example\"; "
		    "c/mox.conf:5: Listeners: there is none; "
		    "c/mox.conf:8: Postmaster.Mailbox: \"a//b\" cannot be the name of a mailbox here: empty part between slashes; "
		    "c/domains.conf:6: Accounts: there is no account \"nobody\", which mox.conf names as Postmaster" },
		{ "DataDir:\nLogLevel: info\nUser: 4711\nHostname: a b\nListeners:\n\tl:\n\t\tIPs:\n\t\t\t- 127.0.0.1\nPostmaster:\n\tAccount: a\n\tMailbox: x\n",
		    "c/mox.conf:1: DataDir: is empty; c/mox.conf:4: Hostname: \"a b\" is no domain name" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		test_row("%zu", i);
		assert_strz(check_static(rows[i].text), rows[i].error);
	}
}

TEST(static_options)
{
	static const struct row rows[] = {
		{ STATIC, NOTHING, "" },
		{ STATIC, "QuotaMessageSize: -1\n", "c/mox.conf:8: QuotaMessageSize: must not be negative" },
		{ STATIC, "PackageLogLevels:\n\tx: trace\n", "" },
		{ STATIC, "HostTLSRPT:\n\tAccount: a\n\tMailbox: TLSRPT\n\tLocalpart: tls\n", "" },
		{ STATIC, "HostTLSRPT:\n\tAccount: z\n\tMailbox: TLSRPT\n\tLocalpart: tls\n",
		    "c/domains.conf:6: Accounts: there is no account \"z\", which mox.conf names in HostTLSRPT" },
		{ STATIC, "HostTLSRPT:\n\tAccount: a\n\tMailbox: TLSRPT\n\tLocalpart: \xc3\xbc\n", "c/mox.conf:11: HostTLSRPT.Localpart: must be ASCII" },
		{ STATIC, "HostTLSRPT:\n\tAccount: a\n\tMailbox: #x\n\tLocalpart: t\n",
		    "c/mox.conf:10: HostTLSRPT.Mailbox: \"#x\" cannot be the name of a mailbox here: begins with #" },
		{ STATIC, "ACME:\n\tx:\n\t\tDirectoryURL:\n\t\tContactEmail:\n",
		    "c/mox.conf:10: ACME.x.DirectoryURL: is empty; c/mox.conf:11: ACME.x.ContactEmail: is empty" },
		{ STATIC, "ACME:\n\tx:\n\t\tDirectoryURL: ftp://x\n\t\tContactEmail: x@y\n", "c/mox.conf:10: ACME.x.DirectoryURL: must begin with http:// or https://" },
		{ STATIC, "ACME:\n\tx:\n\t\tDirectoryURL: https://x\n\t\tContactEmail: x@y\n\t\tPort: 70000\n", "c/mox.conf:12: Port: must be at most 65535" },
		{ STATIC, "ACME:\n\tx:\n\t\tDirectoryURL: https://x\n\t\tContactEmail: x@y\n\t\tExternalAccountBinding:\n\t\t\tKeyID:\n\t\t\tKeyFile: k\n",
		    "c/mox.conf:13: ACME.x.ExternalAccountBinding.KeyID: is empty" },
		{ STATIC, "DefaultMailboxes:\n\t- Inbox\n\t- Sent\n", "" },
		{ STATIC, "DefaultMailboxes:\n\t- a/b\n", "c/mox.conf:8: DefaultMailboxes: \"a/b\" is below another mailbox, which is not possible here" },
		{ STATIC, "DefaultMailboxes:\n\t- Sent\nInitialMailboxes:\n\tRegular:\n\t\t- x\n", "c/mox.conf:8: DefaultMailboxes: cannot be used together with InitialMailboxes" },
		{ STATIC, "InitialMailboxes:\n\tSpecialUse:\n\t\tSent: iNBOX\n\tRegular:\n\t\t- a/b\n",
		    "c/mox.conf:10: InitialMailboxes.SpecialUse.Sent: \"iNBOX\" cannot be the name of a mailbox here: it is Inbox; "
		    "c/mox.conf:11: InitialMailboxes.Regular: \"a/b\" is below another mailbox, which is not possible here" },
	};

	RUN(rows, CONFIG_NO_KEYS);
}

TEST(check_only_lets_acme_be_empty)
{
	static const struct row rows[] = {
		{ STATIC, "ACME:\n\tx:\n\t\tDirectoryURL:\n\t\tContactEmail:\n", "" },
	};

	RUN(rows, CONFIG_NO_KEYS | CONFIG_CHECK_ONLY);
}

#define KEYCERT "\t\tTLS:\n\t\t\tKeyCerts:\n\t\t\t\t-\n\t\t\t\t\tCertFile: x\n\t\t\t\t\tKeyFile: y\n"

TEST(listeners)
{
	static const struct row rows[] = {
		{ LISTENER, "\t\t\t- 1.2.3\n", "c/mox.conf:10: Listeners.l.IPs: \"1.2.3\" is no IP address" },
		{ LISTENER, "\t\tHostname: -x\n", "c/mox.conf:12: Listeners.l.Hostname: \"-x\" is no domain name" },
		{ LISTENER, "\t\tNATIPs:\n\t\t\t- 192.0.2.1\n", "" },
		{ LISTENER, "\t\tNATIPs:\n\t\t\t- ::1\n\t\t\t- 0.0.0.0\n",
		    "c/mox.conf:12: Listeners.l.NATIPs: ::1 is not a public address; c/mox.conf:12: Listeners.l.NATIPs: 0.0.0.0 is not a public address" },
		{ LISTENER, "\t\tNATIPs:\n\t\t\t- 192.0.2.1\n\t\tIPsNATed: true\n", "c/mox.conf:14: Listeners.l.IPsNATed: cannot be used together with NATIPs" },
		{ LISTENER, KEYCERT "\t\tIMAPS:\n\t\t\tEnabled: true\n", "" },
		{ LISTENER, "\t\tIMAPS:\n\t\t\tEnabled: true\n\t\tIMAP:\n\t\t\tEnabled: true\n\t\tSMTP:\n\t\t\tEnabled: true\n\t\tSubmissions:\n\t\t\tEnabled: true\n"
		    "\t\tSubmission:\n\t\t\tEnabled: true\n\t\tAccountHTTPS:\n\t\t\tEnabled: true\n\t\tAdminHTTPS:\n\t\t\tEnabled: true\n\t\tWebmailHTTPS:\n\t\t\tEnabled: true\n"
		    "\t\tWebAPIHTTPS:\n\t\t\tEnabled: true\n\t\tAutoconfigHTTPS:\n\t\t\tEnabled: true\n\t\tMTASTSHTTPS:\n\t\t\tEnabled: true\n\t\tWebserverHTTPS:\n\t\t\tEnabled: true\n",
		    "c/mox.conf:9: Listeners.l: without TLS these services are not possible: IMAPS, IMAP without NoRequireSTARTTLS, SMTP without NoSTARTTLS, Submissions, "
		    "Submission without NoRequireSTARTTLS, AccountHTTPS, AdminHTTPS, WebmailHTTPS, WebAPIHTTPS, AutoconfigHTTPS without NonTLS, MTASTSHTTPS without NonTLS, "
		    "WebserverHTTPS" },
		{ LISTENER, "\t\tIMAP:\n\t\t\tEnabled: true\n\t\t\tNoRequireSTARTTLS: true\n\t\tSMTP:\n\t\t\tEnabled: true\n\t\t\tNoSTARTTLS: true\n\t\tSubmission:\n\t\t\tEnabled: true\n"
		    "\t\t\tNoRequireSTARTTLS: true\n\t\tAutoconfigHTTPS:\n\t\t\tEnabled: true\n\t\t\tNonTLS: true\n\t\tMTASTSHTTPS:\n\t\t\tEnabled: true\n\t\t\tNonTLS: true\n", "" },
		{ LISTENER, "\t\tTLS:\n\t\t\tMinVersion: TLSv1.2\n", "c/mox.conf:12: Listeners.l.TLS: either ACME or KeyCerts is needed" },
		{ LISTENER, "\t\tTLS:\n\t\t\tMinVersion: TLSv1.4\n\t\t\tACME: x\n",
		    "c/mox.conf:13: MinVersion: unknown value, expected one of: TLSv1.0, TLSv1.1, TLSv1.2, TLSv1.3" },
		{ LISTENER, "\t\tTLS:\n\t\t\tACME: x\n", "c/mox.conf:13: Listeners.l.TLS.ACME: there is no provider \"x\"" },
		{ LISTENER, KEYCERT "\t\t\tACME: x\n",
		    "c/mox.conf:17: Listeners.l.TLS.ACME: cannot be used together with KeyCerts; c/mox.conf:17: Listeners.l.TLS.ACME: there is no provider \"x\"" },
		{ LISTENER, KEYCERT "\t\tAutoconfigHTTPS:\n\t\t\tEnabled: true\n\t\tMTASTSHTTPS:\n\t\t\tEnabled: true\n\t\t\tPort: 443\n\t\t\tNonTLS: true\n",
		    "c/mox.conf:19: Listeners.l.MTASTSHTTPS: is on the port of AutoconfigHTTPS, so NonTLS must be the same for both" },
		{ LISTENER, KEYCERT "\t\tAutoconfigHTTPS:\n\t\t\tEnabled: true\n\t\tMTASTSHTTPS:\n\t\t\tEnabled: true\n\t\t\tPort: 444\n\t\t\tNonTLS: true\n", "" },
		{ LISTENER, "\t\tSMTP:\n\t\t\tEnabled: false\n\t\t\tDNSBLs:\n\t\t\t\t- a..b\n",
		    "c/mox.conf:14: Listeners.l.SMTP.DNSBLs: \"a..b\" is no domain name" },
		{ LISTENER, "\t\tAdminHTTP:\n\t\t\tEnabled: true\n\t\t\tPath: admin\n", "c/mox.conf:14: Listeners.l.AdminHTTP.Path: must begin with a slash" },
		{ LISTENER, "\t\tAdminHTTP:\n\t\t\tEnabled: false\n\t\t\tPath: admin\n", "" },
	};

	RUN(rows, CONFIG_NO_KEYS);
}

TEST(transports)
{
	static const struct row rows[] = {
		{ STATIC, "Transports:\n\tt: nil\n", "" },
		{ STATIC, "Transports:\n\tt:\n\t\tSMTP:\n\t\t\tHost: a.example\n\t\tDirect:\n\t\t\tDisableIPv4: true\n", "c/mox.conf:9: Transports.t: only one kind of transport can be given" },
		{ STATIC, "Transports:\n\tt:\n\t\tSubmissions:\n\t\t\tHost: a_b\n\t\t\tNoSTARTTLS: true\n",
		    "c/mox.conf:10: Transports.t.Submissions: NoSTARTTLS and STARTTLSInsecureSkipVerify are not for connections with TLS from the start; "
		    "c/mox.conf:11: Transports.t.Submissions.Host: \"a_b\" is no domain name" },
		{ STATIC, "Transports:\n\tt:\n\t\tSMTP:\n\t\t\tHost: a.example\n\t\t\tAuth:\n\t\t\t\tUsername:\n\t\t\t\tPassword:\n\t\t\t\tMechanisms:\n\t\t\t\t\t- PLAIN\n\t\t\t\t\t- PLAIN\n",
		    "c/mox.conf:13: Transports.t.SMTP.Auth.Username: is empty; c/mox.conf:14: Transports.t.SMTP.Auth.Password: is empty; "
		    "c/mox.conf:15: Transports.t.SMTP.Auth.Mechanisms: PLAIN is there twice" },
		{ STATIC, "Transports:\n\tt:\n\t\tSMTP:\n\t\t\tHost: a.example\n\t\t\tAuth:\n\t\t\t\tUsername: u\n\t\t\t\tPassword: p\n\t\t\t\tMechanisms:\n\t\t\t\t\t- LOGIN\n",
		    "c/mox.conf:16: unknown value, expected one of: SCRAM-SHA-256-PLUS, SCRAM-SHA-256, SCRAM-SHA-1-PLUS, SCRAM-SHA-1, CRAM-MD5, PLAIN" },
		{ STATIC, "Transports:\n\tt:\n\t\tSocks:\n\t\t\tAddress: host\n\t\t\tRemoteIPs:\n\t\t\t\t- x\n\t\t\tRemoteHostname: -\n",
		    "c/mox.conf:11: Transports.t.Socks.Address: \"host\" is not host:port; c/mox.conf:12: Transports.t.Socks.RemoteIPs: \"x\" is no IP address; "
		    "c/mox.conf:14: Transports.t.Socks.RemoteHostname: \"-\" is no domain name" },
		{ STATIC, "Transports:\n\tt:\n\t\tDirect:\n\t\t\tDisableIPv4: true\n\t\t\tDisableIPv6: true\n", "c/mox.conf:10: Transports.t.Direct: IPv4 and IPv6 cannot both be disabled" },
		{ STATIC, "Transports:\n\tt:\n\t\tFail:\n\t\t\tSMTPCode: 250\n\t\t\tSMTPMessage: \xc3\xbc\n",
		    "c/mox.conf:11: Transports.t.Fail.SMTPCode: must be from 400 to 599; c/mox.conf:12: Transports.t.Fail.SMTPMessage: may only have printable ASCII characters" },
		{ STATIC, "Transports:\n\tt:\n\t\tFail:\n\t\t\tSMTPCode: 0\n", "" },
	};

	RUN(rows, CONFIG_NO_KEYS);
}

TEST(domains)
{
	static const struct row rows[] = {
		{ DOMAIN, "\tEXAMPLE.com: nil\n", "c/domains.conf:6: Domains.EXAMPLE.com: \"EXAMPLE.com\" must be written as \"example.com\"" },
		{ DOMAIN, "\txn--mnchen-3ya.example: nil\n", "c/domains.conf:6: Domains.xn--mnchen-3ya.example: \"xn--mnchen-3ya.example\" must be written as \"m\xc3\xbcnchen.example\"" },
		{ DOMAIN, "\t\tClientSettingsDomain: a b\n", "c/domains.conf:6: Domains.example.org.ClientSettingsDomain: \"a b\" is no domain name" },
		{ DOMAIN, "\t\tLocalpartCatchallSeparator: +\n\t\tLocalpartCatchallSeparators:\n\t\t\t- -\n",
		    "c/domains.conf:7: Domains.example.org.LocalpartCatchallSeparators: cannot be used together with LocalpartCatchallSeparator" },
		{ DOMAIN, "\t\tLocalpartCatchallSeparators:\n\t\t\t- -\n\t\t\t- +\n\t\t\t- -\n\t\t\t-\n",
		    "c/domains.conf:6: Domains.example.org.LocalpartCatchallSeparators: \"-\" is there twice; "
		    "c/domains.conf:6: Domains.example.org.LocalpartCatchallSeparators: an empty separator" },
		{ DOMAIN, "\t\tLocalpartCatchallSeparator: a\n", "c/domains.conf:11: Accounts.a.Destinations.a@example.org: has a catch-all separator of the domain" },
		{ DOMAIN, "\t\tDKIM:\n\t\t\tSelectors:\n\t\t\t\ts:\n\t\t\t\t\tPrivateKeyFile: k\n\t\t\tSign:\n\t\t\t\t- t\n", "c/domains.conf:10: Domains.example.org.DKIM.Sign: there is no selector \"t\"" },
		{ DOMAIN, "\t\tDKIM:\n\t\t\tSelectors:\n\t\t\t\ts:\n\t\t\t\t\tPrivateKeyFile: k\n\t\t\t\t\tExpiration: 3d\n\t\t\t\t\tHeaders:\n\t\t\t\t\t\t- To\n",
		    "c/domains.conf:10: Domains.example.org.DKIM.Selectors.s.Expiration: \"3d\" is no duration of at least a second, like 72h; "
		    "c/domains.conf:11: Domains.example.org.DKIM.Selectors.s.Headers: From must be signed" },
		{ DOMAIN, "\t\tDKIM:\n\t\t\tSelectors:\n\t\t\t\tS:\n\t\t\t\t\tPrivateKeyFile: k\n\t\t\t\t\tHash: md5\n", "c/domains.conf:10: Hash: unknown value, expected one of: sha256, sha1" },
		{ DOMAIN, "\t\tDKIM:\n\t\t\tSelectors:\n\t\t\t\tS:\n\t\t\t\t\tPrivateKeyFile: k\n", "c/domains.conf:8: Domains.example.org.DKIM.Selectors.S: \"S\" must be written as \"s\"" },
		{ DOMAIN, "\t\tMTASTS:\n\t\t\tPolicyID: a b\n\t\t\tMode: enforce\n\t\t\tMaxAge: 24h\n\t\t\tMX:\n\t\t\t\t- *.x\n\t\t\t\t- *\n",
		    "c/domains.conf:6: Domains.example.org.MTASTS: the policy is not served: MTASTSHTTPS is enabled in no listener; "
		    "c/domains.conf:7: Domains.example.org.MTASTS.PolicyID: must have 1 to 32 letters and digits; "
		    "c/domains.conf:10: Domains.example.org.MTASTS.MX: \"*\" is no domain name" },
		{ DOMAIN, "\t\tMTASTS:\n\t\t\tPolicyID: a\n\t\t\tMode:\n\t\t\tMaxAge: -1h\n",
		    "c/domains.conf:8: Mode: unknown value, expected one of: enforce, testing, none; c/domains.conf:9: MaxAge: must be at least 0s" },
		{ DOMAIN, "\t\tRoutes:\n\t\t\t-\n\t\t\t\tTransport: x\n\t\t\t\tFromDomain:\n\t\t\t\t\t- .\n\t\t\t\t\t- .a\n\t\t\t\t\t- ..\n",
		    "c/domains.conf:8: Domains.example.org.Routes[0].Transport: there is no transport \"x\" in mox.conf; "
		    "c/domains.conf:9: Domains.example.org.Routes[0].FromDomain: \".\" is no domain name" },
	};

	RUN(rows, CONFIG_NO_KEYS);
}

TEST(report_addresses)
{
	static const struct row rows[] = {
		{ DOMAIN, "\t\tDMARC:\n\t\t\tLocalpart: d+x\n\t\t\tAccount: a\n\t\t\tMailbox: DMARC\n\t\tLocalpartCatchallSeparator: +\n", "" },
		{ DOMAIN, "\t\tDMARC:\n\t\t\tLocalpart: a\n\t\t\tAccount: a\n\t\t\tMailbox: DMARC\n", "" },       /* replaces the destination */
		{ DOMAIN, "\t\tDMARC:\n\t\t\tLocalpart: \xc3\xbc\n\t\t\tAccount: z\n\t\t\tMailbox: x/\n",
		    "c/domains.conf:7: Domains.example.org.DMARC.Localpart: must be ASCII; "
		    "c/domains.conf:9: Domains.example.org.DMARC.Mailbox: \"x/\" cannot be the name of a mailbox here: empty part between slashes" },
		{ DOMAIN, "\t\tTLSRPT:\n\t\t\tLocalpart: t\n\t\t\tDomain: elsewhere.example\n\t\t\tAccount: a\n\t\t\tMailbox: x\n",
		    "c/domains.conf:8: Domains.example.org.TLSRPT.Domain: \"elsewhere.example\" is not one of our domains" },
		{ DOMAIN, "\t\tTLSRPT:\n\t\t\tLocalpart: t\n\t\t\tDomain: example.net\n\t\t\tAccount: z\n\t\t\tMailbox: x\n",
		    "c/domains.conf:9: Domains.example.org.TLSRPT.Account: there is no account \"z\"" },
	};

	RUN(rows, CONFIG_NO_KEYS);
}

#define ALIASES "\t\tAliases:\n\t\t\tteam:\n\t\t\t\tAddresses:\n\t\t\t\t\t- "

TEST(aliases)
{
	static const struct row rows[] = {
		{ DOMAIN, ALIASES "a@example.org\n\t\t\t\t\t- B@example.net\n", "" },
		{ DOMAIN, ALIASES "A@example.org\n", "c/domains.conf:8: Domains.example.org.Aliases.team.Addresses: \"A@example.org\" is not an address of an account in its canonical form" },
		{ DOMAIN, ALIASES "b@example.net\n", "c/domains.conf:8: Domains.example.org.Aliases.team.Addresses: \"b@example.net\" is not an address of an account in its canonical form" },
		{ DOMAIN, ALIASES "x\n", "c/domains.conf:8: Domains.example.org.Aliases.team.Addresses: \"x\" is no address" },
		{ DOMAIN, ALIASES "team@example.org\n", "c/domains.conf:8: Domains.example.org.Aliases.team.Addresses: \"team@example.org\" is an alias too" },
		{ DOMAIN, ALIASES "a@example.org\n\t\t\t\t\t- a@example.org\n", "c/domains.conf:8: Domains.example.org.Aliases.team.Addresses: \"a@example.org\" is there twice" },
		{ DOMAIN, "\t\tAliases:\n\t\t\tteam:\n\t\t\t\tAddresses: nil\n", "c/domains.conf:8: Domains.example.org.Aliases.team.Addresses: there is none" },
		{ DOMAIN, "\t\tAliases:\n\t\t\ta:\n\t\t\t\tAddresses:\n\t\t\t\t\t- b@example.org\n", "c/domains.conf:7: Domains.example.org.Aliases.a: a@example.org is an address of an account too" },
		{ DOMAIN, "\t\tLocalpartCatchallSeparator: +\n\t\tAliases:\n\t\t\tx+y:\n\t\t\t\tAddresses:\n\t\t\t\t\t- b@example.org\n",
		    "c/domains.conf:8: Domains.example.org.Aliases.x+y: \"x+y\" has a catch-all separator" },
	};

	RUN(rows, CONFIG_NO_KEYS);
}

TEST(accounts)
{
	static const struct row rows[] = {
		{ DYNAMIC, "\t..:\n\t\tDomain: example.org\n", "c/domains.conf:16: Accounts...: the name must be fit for a directory: no slash, no control character, not \".\" or \"..\"" },
		{ DYNAMIC, "\tx/y:\n\t\tDomain: example.org\n", "c/domains.conf:16: Accounts.x/y: the name must be fit for a directory: no slash, no control character, not \".\" or \"..\"" },
		{ ACCOUNT, "\t\tLoginDisabled: no \xc3\xbc\n", "c/domains.conf:9: Accounts.a.LoginDisabled: may only have printable ASCII characters" },
		{ ACCOUNT, "\t\tOutgoingWebhook:\n\t\t\tURL: ftp://x/\n", "c/domains.conf:10: Accounts.a.OutgoingWebhook.URL: must begin with http:// or https://" },
		{ ACCOUNT, "\t\tOutgoingWebhook:\n\t\t\tURL: https://x/\n\t\t\tEvents:\n\t\t\t\t- sent\n",
		    "c/domains.conf:12: unknown value, expected one of: delivered, suppressed, delayed, failed, relayed, expanded, canceled, unrecognized" },
		{ ACCOUNT, "\t\tIncomingWebhook:\n\t\t\tURL: https:///x\n", "c/domains.conf:10: Accounts.a.IncomingWebhook.URL: has no host" },
		{ ACCOUNT, "\t\tRejectsMailbox: inbox\n", "c/domains.conf:9: Accounts.a.RejectsMailbox: \"inbox\" cannot be the name of a mailbox here: it is Inbox" },
		{ ACCOUNT, "\t\tRejectsMailbox: x\n\t\tIntrobox: x\n", "c/domains.conf:10: Accounts.a.Introbox: is the RejectsMailbox too" },
		{ ACCOUNT, "\t\tRejectsMailbox: u\xcc\x88\n", "c/domains.conf:9: Accounts.a.RejectsMailbox: \"u\xcc\x88\" cannot be the name of a mailbox here: not in Unicode normal form C" },
		{ ACCOUNT, "\t\tAutomaticJunkFlags:\n\t\t\tEnabled: true\n\t\t\tJunkMailboxRegexp: (\n",
		    "c/domains.conf:11: Accounts.a.AutomaticJunkFlags.JunkMailboxRegexp: regular expression: missing closing parenthesis at offset 1" },
		{ ACCOUNT, "\t\tJunkFilter:\n\t\t\tThreshold: 0.95\n\t\t\tParams:\n\t\t\t\tMaxPower: 0.6\n\t\t\t\tTopWords: -1\n\t\t\t\tIgnoreWords: -0.1\n",
		    "c/domains.conf:13: TopWords: must be at least 0" },
		{ ACCOUNT, "\t\tJunkFilter:\n\t\t\tThreshold: 0.95\n\t\t\tParams:\n\t\t\t\tMaxPower: 0.6\n\t\t\t\tTopWords: 1\n\t\t\t\tIgnoreWords: -0.1\n",
		    "c/domains.conf:12: Accounts.a.JunkFilter.Params.MaxPower: must be from 0 to 0.5; c/domains.conf:14: Accounts.a.JunkFilter.Params.IgnoreWords: must be from 0 to 0.5" },
		{ ACCOUNT, "\t\tIMAPCapabilitiesDisabled:\n\t\t\t- UIDONLY\n\t\t\t- idle\n", "c/domains.conf:9: Accounts.a.IMAPCapabilitiesDisabled: \"idle\" is no capability in upper case" },
		{ ACCOUNT, "\t\tFromIDLoginAddresses:\n\t\t\t- a@example.org\n", "c/domains.conf:9: Accounts.a.FromIDLoginAddresses: the domain of \"a@example.org\" has no catch-all separator" },
		{ ACCOUNT, "\t\tFromIDLoginAddresses:\n\t\t\t- a@elsewhere.example\n",
		    "c/domains.conf:9: Accounts.a.FromIDLoginAddresses: the domain of \"a@elsewhere.example\" is not one of ours" },
		{ ACCOUNT, "\t\tMaxOutgoingMessagesPerDay: -1\n", "c/domains.conf:9: MaxOutgoingMessagesPerDay: must be at least 0" },
		{ ACCOUNT, "\t\tKeepRetiredMessagePeriod: 1\n", "c/domains.conf:9: KeepRetiredMessagePeriod: expected a duration like 1h30m" },
		{ DEST, "\t\t\tA@example.org: nil\n", "c/domains.conf:10: Accounts.a.Destinations.a@example.org: a@example.org is there twice, also for account \"a\"" },
		{ DEST, "\t\t\tb@example.org: nil\n", "c/domains.conf:15: Accounts.b.Destinations.b@example.org: b@example.org is there twice, also for account \"a\"" },
		{ DEST, "\t\t\tb@example.net: nil\n", "" },     /* case matters there */
		{ DEST, "\t\t\t@example.org: nil\n", "" },
		{ DEST, "\t\t\t\"\"@example.org: nil\n", "" },
		{ DEST, "\t\t\tx: nil\n", "" },
		{ DEST, "\t\t\tx@elsewhere.example: nil\n", "c/domains.conf:11: Accounts.a.Destinations.x@elsewhere.example: elsewhere.example is not one of our domains" },
		{ DEST, "\t\t\tx y@example.org: nil\n", "c/domains.conf:11: Accounts.a.Destinations.x y@example.org: no address" },
	};

	RUN(rows, CONFIG_NO_KEYS);
}

#define RULE "\t\t\tr@example.org:\n\t\t\t\tRulesets:\n\t\t\t\t\t-\n\t\t\t\t\t\tMailbox: x\n"

TEST(destinations)
{
	static const struct row rows[] = {
		{ DEST, "\t\t\tx@example.org:\n\t\t\t\tSMTPError: 550\n", "" },
		{ DEST, "\t\t\tx@example.org:\n\t\t\t\tSMTPError: 421 a b\n", "" },
		{ DEST, "\t\t\tx@example.org:\n\t\t\t\tSMTPError: 500 x\n", "c/domains.conf:12: Accounts.a.Destinations.x@example.org.SMTPError: must begin with 421 or 550" },
		{ DEST, "\t\t\tx@example.org:\n\t\t\t\tSMTPError: 550 \xc3\xbc\n\t\t\t\tMailbox: y\n",
		    "c/domains.conf:12: Accounts.a.Destinations.x@example.org.SMTPError: may only have printable ASCII characters; "
		    "c/domains.conf:12: Accounts.a.Destinations.x@example.org.SMTPError: cannot be used together with Mailbox or Rulesets" },
		{ DEST, RULE, "c/domains.conf:13: Accounts.a.Destinations.r@example.org.Rulesets[0]: needs a criterion: SMTPMailFromRegexp, MsgFromRegexp, VerifiedDomain or HeadersRegexp" },
		{ DEST, RULE "\t\t\t\t\t\tMsgFromRegexp: [\n",
		    "c/domains.conf:15: Accounts.a.Destinations.r@example.org.Rulesets[0].MsgFromRegexp: regular expression: class without end at offset 1" },
		{ DEST, RULE "\t\t\t\t\t\tHeadersRegexp:\n\t\t\t\t\t\t\tList-Id: x\n",
		    "c/domains.conf:15: Accounts.a.Destinations.r@example.org.Rulesets[0].HeadersRegexp: \"List-Id\" and its value must be in lower case" },
		{ DEST, RULE "\t\t\t\t\t\tHeadersRegexp:\n\t\t\t\t\t\t\tlist-id:\n", "" },
		{ DEST, RULE "\t\t\t\t\t\tVerifiedDomain: a b\n",
		    "c/domains.conf:15: Accounts.a.Destinations.r@example.org.Rulesets[0].VerifiedDomain: \"a b\" is no domain name" },
		{ DEST, RULE "\t\t\t\t\t\tVerifiedDomain: x.example\n\t\t\t\t\t\tIsForward: true\n",
		    "c/domains.conf:16: Accounts.a.Destinations.r@example.org.Rulesets[0].IsForward: needs SMTPMailFromRegexp and VerifiedDomain" },
		{ DEST, RULE "\t\t\t\t\t\tVerifiedDomain: x.example\n\t\t\t\t\t\tSMTPMailFromRegexp: x\n\t\t\t\t\t\tIsForward: true\n\t\t\t\t\t\tListAllowDomain: x.example\n",
		    "c/domains.conf:17: Accounts.a.Destinations.r@example.org.Rulesets[0].IsForward: cannot be used together with ListAllowDomain" },
		{ DEST, RULE "\t\t\t\t\t\tMsgFromRegexp: x\n\t\t\t\t\t\tAcceptRejectsToMailbox: Inbox\n",
		    "c/domains.conf:16: Accounts.a.Destinations.r@example.org.Rulesets[0].AcceptRejectsToMailbox: \"Inbox\" cannot be the name of a mailbox here: it is Inbox" },
		{ DEST, "\t\t\tr@example.org:\n\t\t\t\tRulesets:\n\t\t\t\t\t-\n\t\t\t\t\t\tMsgFromRegexp: x\n", "c/domains.conf:14: missing required key \"Mailbox\" in -" },
	};

	RUN(rows, CONFIG_NO_KEYS);
}

#define HANDLER "WebHandlers:\n\t-\n\t\tDomain: example.org\n\t\tPathRegexp: ^/\n"

TEST(web)
{
	static const struct row rows[] = {
		{ DYNAMIC, HANDLER "\t\tWebStatic:\n\t\t\tRoot: .\n", "c/domains.conf:16: WebHandlers: WebserverHTTP and WebserverHTTPS are enabled in no listener" },
		{ DYNAMIC, "WebDomainRedirects:\n\ta.example: b.example\n", "c/domains.conf:16: WebDomainRedirects: WebserverHTTP and WebserverHTTPS are enabled in no listener" },
		{ DYNAMIC, "MonitorDNSBLs:\n\t- a.example\n\t- A.example\n\t- -\n",
		    "c/domains.conf:16: MonitorDNSBLs: a.example is there twice; c/domains.conf:16: MonitorDNSBLs: \"-\" is no domain name" },
		{ DYNAMIC, "Routes:\n\t-\n\t\tTransport: x\n", "c/domains.conf:18: Routes[0].Transport: there is no transport \"x\" in mox.conf" },
	};

	RUN(rows, CONFIG_NO_KEYS);
}

/* The same with a web server. */
static struct str
check_web(const char *text)
{
	struct config_problems p = { 0 };
	struct config *c = NULL;
	struct str s = str_fmt(test_arena(), static_text, "", "\t\tWebserverHTTP:\n\t\t\tEnabled: true\n", "");

	ignore_result(config_parse("c", s, str_fmt(test_arena(), dynamic_text, "", "", "", text), CONFIG_NO_KEYS, &c, &p));
	struct str errors = plain(config_problems_text(test_arena(), &p));
	config_problems_done(&p);
	config_unref(&c);
	return errors;
}

TEST(web_handlers)
{
	static const struct { const char *text, *error; } rows[] = {
		{ HANDLER "\t\tWebStatic:\n\t\t\tRoot: .\n", "" },
		{ HANDLER, "c/domains.conf:17: WebHandlers[0]: needs one of WebStatic, WebRedirect, WebForward and WebInternal" },
		{ HANDLER "\t\tWebStatic:\n\t\t\tRoot: .\n\t\tWebForward:\n\t\t\tURL: http://x\n",
		    "c/domains.conf:17: WebHandlers[0]: needs one of WebStatic, WebRedirect, WebForward and WebInternal, not more" },
		{ HANDLER "\t\tWebStatic:\n\t\t\tRoot:\n\t\t\tStripPrefix: x\n\t\t\tResponseHeaders:\n\t\t\t\ta b: x\n",
		    "c/domains.conf:21: WebHandlers[0].WebStatic.Root: is empty; c/domains.conf:22: WebHandlers[0].WebStatic.StripPrefix: must begin with a slash; "
		    "c/domains.conf:23: WebHandlers[0].WebStatic.ResponseHeaders: \"a b\" is no name of a header field" },
		{ HANDLER "\t\tWebRedirect:\n\t\t\tStatusCode: 301\n", "c/domains.conf:20: WebHandlers[0].WebRedirect: needs BaseURL, or OrigPathRegexp and ReplacePath" },
		{ HANDLER "\t\tWebRedirect:\n\t\t\tBaseURL: https://x.example/y\n\t\t\tStatusCode: 200\n",
		    "c/domains.conf:21: WebHandlers[0].WebRedirect.BaseURL: must be a scheme and a host, without path, query or fragment; "
		    "c/domains.conf:22: WebHandlers[0].WebRedirect.StatusCode: must be from 300 to 399" },
		{ HANDLER "\t\tWebRedirect:\n\t\t\tBaseURL: //x.example/\n", "" },
		{ HANDLER "\t\tWebRedirect:\n\t\t\tBaseURL: %zz\n", "c/domains.conf:21: WebHandlers[0].WebRedirect.BaseURL: must begin with http:// or https://" },
		{ HANDLER "\t\tWebRedirect:\n\t\t\tOrigPathRegexp: ^/(\n\t\t\tReplacePath: /$1\n",
		    "c/domains.conf:21: WebHandlers[0].WebRedirect.OrigPathRegexp: regular expression: missing closing parenthesis at offset 3" },
		{ HANDLER "\t\tWebRedirect:\n\t\t\tReplacePath: /$1\n",
		    "c/domains.conf:20: WebHandlers[0].WebRedirect: OrigPathRegexp and ReplacePath need each other; "
		    "c/domains.conf:20: WebHandlers[0].WebRedirect: needs BaseURL, or OrigPathRegexp and ReplacePath" },
		{ HANDLER "\t\tWebForward:\n\t\t\tURL: x\n", "c/domains.conf:21: WebHandlers[0].WebForward.URL: must begin with http:// or https://" },
		{ HANDLER "\t\tWebInternal:\n\t\t\tBasePath:\n\t\t\tService: webmail\n", "c/domains.conf:21: WebHandlers[0].WebInternal.BasePath: must begin and end with a slash" },
		{ HANDLER "\t\tWebInternal:\n\t\t\tBasePath: /x/\n\t\t\tService: imap\n", "c/domains.conf:22: Service: unknown value, expected one of: admin, account, webmail, webapi" },
		{ "WebHandlers:\n\t-\n\t\tDomain: a b\n\t\tPathRegexp: /\n\t\tWebStatic:\n\t\t\tRoot: .\n",
		    "c/domains.conf:18: WebHandlers[0].Domain: \"a b\" is no domain name; c/domains.conf:19: WebHandlers[0].PathRegexp: must begin with ^" },
		{ "WebDomainRedirects:\n\ta.example: A.example\n\tb.example: c.example\n\tB.example: d.example\n\tc d: e\n",
		    "c/domains.conf:16: WebDomainRedirects: b.example is there twice; c/domains.conf:17: WebDomainRedirects.a.example: is a redirect to itself; "
		    "c/domains.conf:20: WebDomainRedirects.c d: \"c d\" is no domain name" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		test_row("%s", rows[i].text);
		assert_strz(check_web(rows[i].text), rows[i].error);
	}
}

/* Files that options name; relative to testdata/config/full. */
#define DKIM(file, more) "\t\tDKIM:\n\t\t\tSelectors:\n\t\t\t\ts:\n\t\t\t\t\tPrivateKeyFile: keys/" file "\n" more
#define CERT(cert, key) "\t\tTLS:\n\t\t\tKeyCerts:\n\t\t\t\t-\n\t\t\t\t\tCertFile: keys/" cert "\n\t\t\t\t\tKeyFile: keys/" key "\n"

TEST(key_files)
{
	static const struct row rows[] = {
		{ DOMAIN, DKIM("rsa2048.pem", ""), "" },
		{ DOMAIN, DKIM("rsa1024.pem", ""), "" },
		{ DOMAIN, DKIM("ed25519.pem", ""), "" },
		{ DOMAIN, DKIM("rsa512.pem", ""), "D:9: Domains.example.org.DKIM.Selectors.s.PrivateKeyFile: an RSA key must have at least 1024 bits, not 512" },
		{ DOMAIN, DKIM("p256.pem", ""), "D:9: Domains.example.org.DKIM.Selectors.s.PrivateKeyFile: must be an RSA or ed25519 key" },
		{ DOMAIN, DKIM("ed25519.pem", "\t\t\t\t\tHash: sha1\n"), "D:10: Domains.example.org.DKIM.Selectors.s.Hash: an ed25519 key needs sha256" },
		{ DOMAIN, DKIM("none.pem", ""), "D:9: Domains.example.org.DKIM.Selectors.s.PrivateKeyFile: F/none.pem: No such file or directory" },
		{ DOMAIN, DKIM("eab.key", ""), "D:9: Domains.example.org.DKIM.Selectors.s.PrivateKeyFile: F/eab.key: no private key in PEM form" },
		{ DOMAIN, DKIM("encrypted.pem", ""), "D:9: Domains.example.org.DKIM.Selectors.s.PrivateKeyFile: F/encrypted.pem: no private key in PEM form" },
		{ LISTENER, CERT("rsa2048.crt", "rsa2048.pem"), "" },
		{ LISTENER, CERT("rsa2048.crt", "p256.pem"), "S:16: Listeners.l.TLS.KeyCerts[0].KeyFile: the key is not that of the first certificate in CertFile" },
		{ LISTENER, CERT("rsa2048.pem", "none.pem"), "S:15: Listeners.l.TLS.KeyCerts[0].CertFile: F/rsa2048.pem: no certificate in PEM form; "
		    "S:16: Listeners.l.TLS.KeyCerts[0].KeyFile: F/none.pem: No such file or directory" },
		{ LISTENER, CERT("rsa2048.crt", "rsa2048.pem") "\t\t\tHostPrivateKeyFiles:\n\t\t\t\t- keys/none\n",
		    "S:17: Listeners.l.TLS.HostPrivateKeyFiles: F/none: No such file or directory" },
		{ LISTENER, CERT("rsa2048.crt", "rsa2048.pem") "\t\t\tHostPrivateKeyFiles:\n\t\t\t\t- keys/p384.pem\n", "" },
		{ STATIC, "TLS:\n\tCA:\n\t\tCertFiles:\n\t\t\t- keys/rsa2048.crt\n", "" },
		{ STATIC, "TLS:\n\tCA:\n\t\tCertFiles:\n\t\t\t- keys/eab.key\n", "S:10: TLS.CA.CertFiles: F/eab.key: no certificate in PEM form" },
		{ STATIC, "ACME:\n\tx:\n\t\tDirectoryURL: https://x\n\t\tContactEmail: x@y\n\t\tExternalAccountBinding:\n\t\t\tKeyID: i\n\t\t\tKeyFile: keys/eab.key\n", "" },
		{ STATIC, "ACME:\n\tx:\n\t\tDirectoryURL: https://x\n\t\tContactEmail: x@y\n\t\tExternalAccountBinding:\n\t\t\tKeyID: i\n\t\t\tKeyFile: keys/p256.pem\n",
		    "S:14: ACME.x.ExternalAccountBinding.KeyFile: F/p256.pem: not base64url without padding" },
	};
	const char *dir = test_data("config/full");

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct buf b = BUF_ARENA(test_arena(), 10000);

		test_row("%s", rows[i].text);
		for (const char *p = rows[i].error; *p; p++) {          /* D, S, F: domains.conf, mox.conf, files */
			bool start = p == rows[i].error || p[-1] == ' ';

			if (start && strncmp(p, "D:", 2) == 0)
				buf_addf(&b, "%s/domains.conf", dir);
			else if (start && strncmp(p, "S:", 2) == 0)
				buf_addf(&b, "%s/mox.conf", dir);
			else if (start && strncmp(p, "F/", 2) == 0)
				buf_addf(&b, "%s/keys", dir);
			else
				buf_addc(&b, *p);
		}
		assert_str(check(rows[i].slot, rows[i].text, 0, dir), buf_str(&b));
		assert_strz(check(rows[i].slot, rows[i].text, CONFIG_NO_KEYS, dir), "");
	}
}

TEST(mailbox_names)
{
	static const struct { const char *name; bool inbox_ok; const char *want; } rows[] = {
		{ "Inbox", true, "Inbox" }, { "iNbOx", true, "Inbox" }, { "INBOX/a", true, "Inbox/a" }, { "inbox", false, NULL }, { "inbox/x", false, "Inbox/x" },
		{ "Inboxes", false, "Inboxes" }, { "a/b/c", true, "a/b/c" }, { "", true, NULL }, { "/a", true, NULL }, { "a/", true, NULL }, { "a//b", true, NULL },
		{ "a/./b", true, NULL }, { "..", true, NULL }, { "a..b", true, "a..b" }, { "#a", true, NULL }, { "a#", true, "a#" }, { "a\tb", true, NULL },
		{ "a\x7f", true, NULL }, { "a\xc2\x85", true, NULL }, { "a\xe2\x80\xa8", true, NULL }, { "\xc3\xbc", true, "\xc3\xbc" }, { "u\xcc\x88", true, NULL },
		{ "\xff", true, NULL },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct str got = { 0 };

		test_row("%s", rows[i].name);
		assert_int_equal(config_check_mailbox(test_arena(), str_of(rows[i].name), rows[i].inbox_ok, &got, NULL), rows[i].want ? 0 : ERR_INVALID);
		assert_strz(got, rows[i].want ? rows[i].want : "");
	}
}
