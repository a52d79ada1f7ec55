/* SPDX-License-Identifier: MIT */
#include "smtpserver/rig_test.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include <openssl/err.h>
#include <openssl/pem.h>

#include "base/enc.h"
#include "base/fd.h"
#include "base/hash.h"
#include "base/mem.h"
#include "dkim/dkim.h"
#include "queue/queue.h"

static const char static_conf[] =
    "DataDir: data\n"
    "LogLevel: error\n"
    "User: 0\n"
    "Hostname: mox.example\n"
    "Postmaster:\n"
    "\tAccount: mjl\n"
    "\tMailbox: Postmaster\n"
    "Listeners:\n"
    "\tlocal:\n"
    "\t\tIPs:\n"
    "\t\t\t- 127.0.0.1\n";

static const char dynamic_conf[] =
    "Domains:\n"
    "\tmox.example:\n"
    "\t\tLocalpartCatchallSeparator: +\n"
    "\t\tAliases:\n"
    "\t\t\tpublic:\n"
    "\t\t\t\tAddresses:\n"
    "\t\t\t\t\t- mjl@mox.example\n"
    "\t\t\t\t\t- other@mox.example\n"
    "\t\t\t\tPostPublic: true\n"
    "\t\t\tclosed:\n"
    "\t\t\t\tAddresses:\n"
    "\t\t\t\t\t- mjl@mox.example\n"
    "\t\t\t\t\t- other@mox.example\n"
    "\t\t\tsend:\n"
    "\t\t\t\tAddresses:\n"
    "\t\t\t\t\t- mjl@mox.example\n"
    "\t\t\t\tAllowMsgFrom: true\n"
    "\tcatch.example: nil\n"
    "\tcase.example:\n"
    "\t\tLocalpartCaseSensitive: true\n"
    "\tdisabled.example:\n"
    "\t\tDisabled: true\n"
    "Accounts:\n"
    "\tmjl:\n"
    "\t\tDomain: mox.example\n"
    "\t\tDestinations:\n"
    "\t\t\tmjl@mox.example: nil\n"
    "\t\t\tt\xc3\xa9st@mox.example:\n"
    "\t\t\t\tMailbox: International\n"
    "\t\t\tMixed@case.example: nil\n"
    "\t\t\t\"\"@mox.example: nil\n"
    "\t\t\t@catch.example: nil\n"
    "\t\t\tmjl@disabled.example: nil\n"
    "\t\t\ttemp@mox.example:\n"
    "\t\t\t\tSMTPError: 421 come back later\n"
    "\t\t\tperm@mox.example:\n"
    "\t\t\t\tSMTPError: 550\n"
    "\tother:\n"
    "\t\tDomain: mox.example\n"
    "\t\tDestinations:\n"
    "\t\t\tother@mox.example: nil\n"
    "\tfull:\n"
    "\t\tDomain: mox.example\n"
    "\t\tQuotaMessageSize: 2000\n"
    "\t\tDestinations:\n"
    "\t\t\tfull@mox.example: nil\n"
    "\tgone:\n"
    "\t\tDomain: mox.example\n"
    "\t\tLoginDisabled: we miss you\n"
    "\t\tDestinations:\n"
    "\t\t\tgone@mox.example: nil\n";

static struct config *
current_config(void *arg)
{
	struct rig *r = arg;

	return config_ref(r->cfg);
}

static int
account_config(void *arg, struct arena *a, struct str name, struct store_account_config *r_c)
{
	struct rig *r = arg;
	const struct config_account *acct = config_account(r->cfg, name);

	if (acct == NULL)
		return ERR_NOTFOUND;
	*r_c = (struct store_account_config){ .login_disabled = str_dup(a, acct->login_disabled), .quota = acct->quota };
	return 0;
}

static void
load_config(struct rig *r)
{
	struct arena *a = test_arena();
	struct config_problems problems = { 0 };
	struct str text = str_of(static_conf);

	struct str dynamic = str_of(dynamic_conf);
	unsigned flags = CONFIG_NO_KEYS;

	if (r->flags & RIG_PEDANTIC)
		text = str_cat(a, S("Pedantic: true\n"), text);
	if (r->flags & RIG_QUEUE) {
		EVP_PKEY *key;
		struct str pem;

		assert_ok(dkim_generate_ed25519(&key));
		assert_ok(dkim_key_to_pem(a, key, &pem));
		EVP_PKEY_free(key);
		assert_ok(fd_write_file(str_fmt(a, "%s/sel.pem", test_dir()).p, pem, 0600, NULL));
		struct str first = S("Domains:\n\tmox.example:\n");
		dynamic = str_fmt(a, STRF "\t\tDKIM:\n\t\t\tSelectors:\n\t\t\t\tsel:\n\t\t\t\t\tPrivateKeyFile: sel.pem\n"
		    "\t\t\tSign:\n\t\t\t\t- sel\n" STRF, STRA(first), (int)(dynamic.n - first.n), dynamic.p + first.n);
		flags = CONFIG_CHECK_ONLY;
	}
	int err = config_parse(test_dir(), text, dynamic, flags, &r->cfg, &problems);
	if (err < 0)
		fail_msg("config: " STRF, STRA(config_problems_text(a, &problems)));
	config_problems_done(&problems);
}

void
rig_connect(struct rig *r)
{
	int fds[2];
	struct ipport remote = { .port = 12345 }, local = { .port = 25 };
	struct conn_listener_opts o = { .name = "test", .proto = &smtpserver_proto, .arg = &r->listener,
	    .tls = r->flags & (RIG_TLS | RIG_IMPLICIT) ? r->tls : NULL, .implicit_tls = r->flags & RIG_IMPLICIT };

	assert_ok(ip_parse(S("10.1.2.3"), &remote.ip));
	assert_ok(ip_parse(S("127.0.0.1"), &local.ip));
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
	fd_nonblock(fds[1], true);
	r->fd = fds[1];
	r->c = conn_inline_new(fds[0], &o, &remote, &local);
	r->open = true;
	if (r->flags & RIG_IMPLICIT)
		rig_handshake(r);
}

void
rig_hangup(struct rig *r)
{
	conn_inline_free(&r->c);
	if (r->ssl != NULL)
		SSL_set_shutdown(r->ssl, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);    /* else its session is spoiled */
	SSL_free(r->ssl);
	r->ssl = NULL;
	fd_close(&r->fd);
	buf_reset(&r->in);
}

static bool
verify_key(void *arg, struct str fingerprint)
{
	return auth_key_verify(arg, fingerprint);
}

static void
set_passwords(struct rig *r)
{
	static const char *const accounts[] = { "mjl", "gone" };

	for (size_t i = 0; i < ARRAY_LEN(accounts); i++)
		assert_ok(auth_set_password(r->auth, str_of(accounts[i]), S("test password"), NULL));
}

void
rig_start(struct rig *r, unsigned flags)
{
	struct errmsg e = { 0 };
	char *dir = str_z(test_arena(), str_fmt(test_arena(), "%s/data", test_dir()));
	struct str cert, key;

	*r = (struct rig){ .flags = flags, .fd = -1, .in = BUF_INIT(64 << 20) };
	ignore_result(fd_remove_tree(dir, NULL));
	assert_ok(fd_mkdirs(dir, 0770, &e));
	load_config(r);
	assert_ok(store_open(&(struct store_opts){ .data_dir = dir, .account_config = account_config, .arg = r, .check_on_close = true }, &r->store, &e));
	assert_ok(auth_open(&(struct auth_opts){ .data_dir = dir, .store = r->store, .config = current_config, .config_arg = r, .secret = S("installation"),
	    .crammd5 = flags & RIG_CRAMMD5 }, &r->auth, &e));
	if (flags & RIG_PASSWORDS)
		set_passwords(r);
	if (flags & RIG_QUEUE)
		assert_ok(queue_open(&(struct queue_opts){ .data_dir = dir, .config = current_config, .config_arg = r }, &r->queue, &e));
	r->srv = smtpserver_new(&(struct smtpserver_opts){
		.store = r->store, .auth = r->auth, .queue = r->queue, .config = current_config, .config_arg = r, .software = S("mox"),
		.localserve_account = flags & RIG_LOCALSERVE ? S("mjl") : S(""), .no_delays = !(flags & RIG_DELAYS),
	});
	r->listener = (struct smtpserver_listener){
		.server = r->srv, .submission = flags & RIG_SUBMISSION, .max_message_size = 100000,
		.no_require_starttls = flags & RIG_NO_REQUIRE_STARTTLS, .require_starttls = flags & RIG_REQUIRE_STARTTLS,
	};
	assert_ok(idna_parse(test_arena(), S("mx.mox.example"), 0, &r->listener.hostname, NULL));
	if (flags & (RIG_TLS | RIG_IMPLICIT)) {
		assert_ok(tls_selfsigned(test_arena(), "localhost", 10, &cert, &key, &e));
		assert_ok(tls_ctx_new(&(struct tls_ctx_opts){ .cert_pem = cert, .key_pem = key, .request_client_cert = flags & RIG_SUBMISSION,
		    .tickets = true, .verify_key = flags & RIG_SUBMISSION ? verify_key : NULL, .verify_arg = r->auth }, &r->tls, &e));
		assert_ok(tls_ctx_new(&(struct tls_ctx_opts){ .tickets = true }, &r->client_tls, &e));
		if (flags & RIG_TLS12)
			SSL_CTX_set_max_proto_version(tls_ctx_raw(r->client_tls), TLS1_2_VERSION);
	}
	rig_connect(r);
}

void
rig_stop(struct rig *r)
{
	rig_hangup(r);
	buf_done(&r->in);
	smtpserver_free(&r->srv);
	queue_close(&r->queue);
	auth_close(&r->auth);
	store_close(&r->store);
	tls_ctx_unref(&r->client_tls);
	tls_ctx_unref(&r->tls);
	config_unref(&r->cfg);
}

void
rig_client_key(struct rig *r, const char *name, struct str *r_fingerprint)
{
	struct str cert_pem, key_pem;
	SSL_CTX *ctx = tls_ctx_raw(r->client_tls);
	unsigned char *der = NULL;
	uint8_t digest[32];

	assert_ok(tls_selfsigned(test_arena(), name, 10, &cert_pem, &key_pem, NULL));
	BIO *bio = BIO_new_mem_buf(cert_pem.p, (int)cert_pem.n);
	X509 *cert = PEM_read_bio_X509(bio, NULL, NULL, NULL);
	BIO_free(bio);
	bio = BIO_new_mem_buf(key_pem.p, (int)key_pem.n);
	EVP_PKEY *key = PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL);
	BIO_free(bio);
	assert_int_equal(SSL_CTX_use_certificate(ctx, cert), 1);
	assert_int_equal(SSL_CTX_use_PrivateKey(ctx, key), 1);
	int n = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(cert), &der);
	assert_true(n > 0);
	hash_sha256(str_n((char *)der, (size_t)n), digest);
	*r_fingerprint = enc_base64(test_arena(), str_n((char *)digest, 32), ENC_URL);
	OPENSSL_free(der);
	X509_free(cert);
	EVP_PKEY_free(key);
}

/* --- talking --- */

static void
run(struct rig *r)
{
	if (r->open)
		r->open = conn_inline_run(r->c, !(r->flags & RIG_DELAYS));
}

static void
drain(struct rig *r)
{
	char p[16384];
	ssize_t n;

	while ((n = r->ssl ? SSL_read(r->ssl, p, sizeof(p)) : recv(r->fd, p, sizeof(p), 0)) > 0)
		buf_add(&r->in, str_n(p, (size_t)n));
	ERR_clear_error();
}

static void
send_piece(struct rig *r, struct str s)
{
	while (s.n > 0 && r->open) {
		ssize_t n = r->ssl ? SSL_write(r->ssl, s.p, (int)MIN(s.n, (size_t)16384)) : send(r->fd, s.p, s.n, MSG_NOSIGNAL);
		if (n > 0)
			s = str_from(s, (size_t)n);
		run(r);
		drain(r);
	}
}

void
rig_send(struct rig *r, struct str s)
{
	if (!(r->flags & RIG_BYTES)) {
		send_piece(r, s);
		return;
	}
	for (size_t i = 0; i < s.n; i++)
		send_piece(r, str_n(s.p + i, 1));
}

struct str
rig_read(struct rig *r)
{
	run(r);
	drain(r);
	struct str s = str_dup(test_arena(), buf_str(&r->in));
	buf_reset(&r->in);
	return s;
}

void
rig_handshake(struct rig *r)
{
	r->ssl = tls_ctx_session(r->client_tls, r->fd, false);
	SSL_set_mode(r->ssl, SSL_MODE_AUTO_RETRY);      /* else session tickets look like nothing to read */
	if (r->resume != NULL)
		SSL_set_session(r->ssl, r->resume);
	for (int i = 0; i < 10 && SSL_do_handshake(r->ssl) != 1; i++)
		run(r);
	run(r);
}

void
rig_timer(struct rig *r)
{
	conn_inline_due(r->c, CONN_TIMER);
	run(r);
}

/* --- scripts --- */

static struct str
next_line(struct rig *r)
{
	struct str all = buf_str(&r->in);
	ssize_t lf = str_find(all, '\n');

	if (lf < 0) {
		run(r);
		drain(r);
		all = buf_str(&r->in);
		lf = str_find(all, '\n');
	}
	if (lf < 0)
		return str_dup(test_arena(), all);
	struct str line = str_dup(test_arena(), str_upto(all, (size_t)lf));
	assert_true(str_ends(line, S("\r")));
	assert_true(line.n <= LIMIT_SMTP_REPLY_LINE + 1);
	buf_drop(&r->in, (size_t)lf + 1);
	return str_upto(line, line.n - 1);
}

static struct str
unescape(struct str s)
{
	struct buf b = BUF_ARENA(test_arena(), 1 << 20);

	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];
		if (c == '\\' && i + 1 < s.n)
			switch (c = s.p[++i]) {
			case 'r': c = '\r'; break;
			case 'n': c = '\n'; break;
			case '0': c = '\0'; break;
			}
		buf_addc(&b, c);
	}
	return buf_str(&b);
}

static void
want(struct rig *r, struct str text, bool last_line)
{
	struct str line = next_line(r);

	while (last_line && line.n > 3 && line.p[3] == '-')
		line = next_line(r);
	if (!str_starts(line, text))
		fail_msg("want \"" STRF "\", got \"" STRF "\"", STRA(text), STRA(line));
}

void
rig_script(struct rig *r, const char *script)
{
	struct str rest = str_of(script);

	while (rest.n > 0) {
		struct str line = str_split(&rest, '\n');
		ssize_t remark = str_search(line, S("  //"));
		if (remark >= 0)
			line = str_upto(line, (size_t)remark);
		struct str arg = str_from(line, 2);
		if (str_starts(line, S("S* ")))
			want(r, str_from(line, 3), true);
		else if (str_starts(line, S("S ")))
			want(r, arg, false);
		else if (str_starts(line, S("C ")))
			rig_send(r, str_cat(test_arena(), arg, S("\r\n")));
		else if (str_starts(line, S("B ")))
			rig_send(r, unescape(arg));
		else if (str_starts(line, S("P "))) {
			struct buf b = BUF_ARENA(test_arena(), 1 << 20);
			while (arg.n > 0) {
				buf_add(&b, str_split(&arg, '|'));
				buf_add(&b, S("\r\n"));
			}
			rig_send(r, buf_str(&b));
		} else if (str_is(line, S("T")))
			rig_handshake(r);
		else if (str_is(line, S("N")))
			assert_str(rig_read(r), S(""));
		else if (str_is(line, S("X"))) {
			run(r);
			assert_false(r->open);
		} else if (line.n > 0)
			fail_msg("bad script line \"" STRF "\"", STRA(line));
	}
}

/* --- what arrived --- */

struct strlist
rig_messages(struct rig *r, const char *account, const char *mailbox)
{
	struct arena *a = test_arena();
	struct strlist list = { 0 };
	struct store_account *acct;
	struct store_tx tx = { 0 };
	struct store_mailbox mb;
	struct store_message m;
	struct store_body body;

	assert_ok(store_account_open(r->store, str_of(account), false, &acct, NULL));
	assert_ok(store_read(acct, &tx));
	int found = store_mailbox_find(&tx, str_of(mailbox), &mb);
	assert_true(found >= 0);
	struct store_scan scan = { .tx = &tx, .mailbox_id = mb.id, .live_only = true, .with_body = true };
	while (found == 1 && store_scan_next(&scan, a, &m, &body) == 1) {
		struct blob_file *f;
		assert_ok(store_message_open(acct, m.id, &f));
		int64_t n = blob_file_size(f);
		char *p = arena_bytes(a, (size_t)n + 1);
		assert_ok(blob_file_read(f, p, (size_t)n, 0));
		blob_close(&f);
		strlist_add(a, &list, str_cat(a, body.prefix, str_n(p, (size_t)n)));
	}
	if (found == 1)
		store_scan_done(&scan);
	store_tx_rollback(&tx);
	store_account_close(&acct);
	return list;
}
