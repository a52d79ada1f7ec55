/* SPDX-License-Identifier: MIT */
/* localserve_init.c - the files of a new localserve directory: certificate, keys, configuration. */
#include "localserve.h"

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#include "auth/auth.h"
#include "base/arena.h"
#include "base/buf.h"
#include "base/fd.h"
#include "base/randutil.h"
#include "dkim/dkim.h"
#include "tls/tls.h"

#define CONFIG_MAX (64 * 1024)

static const char mox_conf[] =
    "# Configuration of mox localserve: a mail server for development and tests on this machine only.\n"
    "# domains.conf beside this file has the domains and accounts.\n"
    "DataDir: .\n"
    "# error, warn, info, debug, or trace, traceauth, tracedata to see the protocol dialogues.\n"
    "LogLevel: info\n"
    "User: %u\n"
    "Hostname: localhost\n"
    "AdminPasswordFile: adminpasswd\n"
    "TLS:\n"
    "\tCA:\n"
    "\t\tAdditionalToSystem: true\n"
    "\t\tCertFiles:\n"
    "\t\t\t- localhost.crt\n"
    "Listeners:\n"
    "\tlocal:\n"
    "\t\tIPs:\n"
    "%s"
    "\t\tTLS:\n"
    "\t\t\tKeyCerts:\n"
    "\t\t\t\t-\n"
    "\t\t\t\t\tCertFile: localhost.crt\n"
    "\t\t\t\t\tKeyFile: localhost.key\n"
    "\t\tSMTP:\n"
    "\t\t\tEnabled: true\n"
    "\t\t\tPort: 1025\n"
    "\t\tSubmission:\n"
    "\t\t\tEnabled: true\n"
    "\t\t\tPort: 1587\n"
    "\t\t\tNoRequireSTARTTLS: true\n"
    "\t\tSubmissions:\n"
    "\t\t\tEnabled: true\n"
    "\t\t\tPort: 1465\n"
    "\t\tIMAP:\n"
    "\t\t\tEnabled: true\n"
    "\t\t\tPort: 1143\n"
    "\t\t\tNoRequireSTARTTLS: true\n"
    "\t\tIMAPS:\n"
    "\t\t\tEnabled: true\n"
    "\t\t\tPort: 1993\n"
    "\t\tAccountHTTP:\n"
    "\t\t\tEnabled: true\n"
    "\t\t\tPort: 1080\n"
    "\t\tAccountHTTPS:\n"
    "\t\t\tEnabled: true\n"
    "\t\t\tPort: 1443\n"
    "\t\tMetricsHTTP:\n"
    "\t\t\tEnabled: true\n"
    "\t\t\tPort: 1081\n"
    "Postmaster:\n"
    "\tAccount: mox\n"
    "\tMailbox: Inbox\n";

static const char domains_conf[] =
    "# Domains and accounts. Changes are picked up while the server runs.\n"
    "# A new account gets its password with: mox -config %s/mox.conf setaccountpassword NAME\n"
    "Domains:\n"
    "\tlocalhost:\n"
    "\t\tLocalpartCatchallSeparator: +\n"
    "\t\tDKIM:\n"
    "\t\t\tSelectors:\n"
    "\t\t\t\tlocalserve:\n"
    "\t\t\t\t\tExpiration: 72h\n"
    "\t\t\t\t\tPrivateKeyFile: dkim.localserve.privatekey.pkcs8.pem\n"
    "\t\t\tSign:\n"
    "\t\t\t\t- localserve\n"
    "Accounts:\n"
    "\tmox:\n"
    "\t\tDomain: localhost\n"
    "\t\tDestinations:\n"
    "\t\t\tmox@localhost: nil\n"
    "\t\tKeepRetiredMessagePeriod: 72h0m0s\n"
    "\t\tKeepRetiredWebhookPeriod: 72h0m0s\n"
    "\t\tRejectsMailbox: Rejects\n"
    "\t\tAutomaticJunkFlags:\n"
    "\t\t\tEnabled: true\n"
    "\t\t\tJunkMailboxRegexp: ^(junk|spam)\n"
    "\t\t\tNeutralMailboxRegexp: ^(inbox|introbox|neutral|postmaster|dmarc|tlsrpt|rejects)\n"
    "\t\tJunkFilter:\n"
    "\t\t\tThreshold: 0.950000\n"
    "\t\t\tParams:\n"
    "\t\t\t\tOnegrams: true\n"
    "\t\t\t\tTwograms: true\n"
    "\t\t\t\tMaxPower: 0.020000\n"
    "\t\t\t\tTopWords: 1000\n"
    "\t\t\t\tIgnoreWords: 0.100000\n"
    "\t\t\t\tRareWords: 6\n"
    "\t\tNoFirstTimeSenderDelay: true\n";

static int
write_in(const char *dir, const char *name, struct str content, mode_t mode, struct errmsg *e)
{
	struct arena a = { 0 };
	struct str path = str_fmt(&a, "%s/%s", dir, name);
	int rv = fd_write_file(path.p, content, mode, e);

	arena_done(&a);
	return rv;
}

/* A fresh Ed25519 key as PKCS #8 PEM. */
static int
dkim_pem(struct arena *a, struct str *r_pem, struct errmsg *e)
{
	EVP_PKEY *key = NULL;
	int rv = dkim_generate_ed25519(&key);

	if (rv == 0)
		rv = dkim_key_to_pem(a, key, r_pem);
	EVP_PKEY_free(key);
	return rv < 0 ? err_set(e, rv, "generating a DKIM key failed") : 0;
}

static int
make_files(struct arena *a, const char *dir, const char *ip, struct errmsg *e)
{
	struct str cert = { 0 }, key = { 0 }, dkim = { 0 }, admin = { 0 };
	struct buf conf = BUF_ARENA(a, CONFIG_MAX);
	char received_id[24];

	TRY(tls_selfsigned(a, "localhost", 4 * 365, &cert, &key, e));
	TRY(write_in(dir, "localhost.crt", cert, 0644, e));
	TRY(write_in(dir, "localhost.key", key, 0600, e));
	TRY(dkim_pem(a, &dkim, e));
	TRY(write_in(dir, "dkim.localserve.privatekey.pkcs8.pem", dkim, 0600, e));
	admin = auth_bcrypt_make(a, S(LOCALSERVE_ADMIN_PASSWORD));
	TRY(write_in(dir, "adminpasswd", admin, 0600, e));
	rand_bytes(received_id, sizeof(received_id));
	TRY(write_in(dir, "receivedid.key", str_n(received_id, sizeof(received_id)), 0600, e));

	buf_addf(&conf, mox_conf, (unsigned)getuid(), ip ? str_fmt(a, "\t\t\t- %s\n", ip).p : "\t\t\t- 127.0.0.1\n\t\t\t- ::1\n");
	TRY(write_in(dir, "mox.conf", buf_str(&conf), 0644, e));
	buf_reset(&conf);
	buf_addf(&conf, domains_conf, dir);
	return write_in(dir, "domains.conf", buf_str(&conf), 0644, e);
}

int
localserve_init(const char *dir, const char *ip, struct errmsg *e)
{
	struct arena a = { 0 };
	struct stat st;
	bool existed = stat(dir, &st) == 0;
	int rv = fd_mkdirs(dir, 0700, e);

	if (rv == 0)
		rv = make_files(&a, dir, ip, e);
	if (rv < 0 && !existed)
		ignore_result(fd_remove_tree(dir, NULL));
	arena_done(&a);
	return rv;
}
