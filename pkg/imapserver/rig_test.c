/* SPDX-License-Identifier: MIT */
#include "imapserver/rig_test.h"

#include <sys/socket.h>
#include <unistd.h>

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include "base/enc.h"
#include "base/fd.h"
#include "base/hash.h"
#include "base/mem.h"

static const char static_conf[] =
    "DataDir: data\n"
    "LogLevel: error\n"
    "User: 1000\n"
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
    "\tmox.example: nil\n"
    "Accounts:\n"
    "\tmjl:\n"
    "\t\tDomain: mox.example\n"
    "\t\tDestinations:\n"
    "\t\t\tmjl@mox.example: nil\n"
    "\t\t\t\"\"@mox.example: nil\n"
    "\t\t\tm\xc3\xb3x@mox.example: nil\n"
    "\tother:\n"
    "\t\tDomain: mox.example\n"
    "\t\tDestinations:\n"
    "\t\t\tother@mox.example: nil\n"
    "\tlimit:\n"
    "\t\tDomain: mox.example\n"
    "\t\tQuotaMessageSize: 500\n"
    "\t\tDestinations:\n"
    "\t\t\tlimit@mox.example: nil\n"
    "\tgone:\n"
    "\t\tDomain: mox.example\n"
    "\t\tLoginDisabled: we miss you\n"
    "\t\tDestinations:\n"
    "\t\t\tgone@mox.example: nil\n"
    "\tcaps:\n"
    "\t\tDomain: mox.example\n"
    "\t\tIMAPCapabilitiesDisabled:\n"
    "\t\t\t- CONDSTORE\n"
    "\t\tDestinations:\n"
    "\t\t\tcaps@mox.example: nil\n";

const char rig_message[] =
    "From: Joe <joe@mox.example>\r\n"
    "To: mjl@mox.example\r\n"
    "Subject: test =?utf-8?q?=E2=98=BA?=\r\n"
    "Date: Mon, 1 Jan 2024 10:00:00 +0100\r\n"
    "Message-Id: <1@mox.example>\r\n"
    "MIME-Version: 1.0\r\n"
    "Content-Type: multipart/mixed; boundary=x\r\n"
    "\r\n"
    "preamble\r\n"
    "--x\r\n"
    "Content-Type: text/plain; charset=utf-8\r\n"
    "\r\n"
    "hello world\r\n"
    "\r\n"
    "--x\r\n"
    "Content-Type: application/octet-stream; name=a.bin\r\n"
    "Content-Transfer-Encoding: base64\r\n"
    "Content-Disposition: attachment; filename=a.bin\r\n"
    "\r\n"
    "AAECAw==\r\n"
    "--x--\r\n";

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

	if (!acct)
		return ERR_NOTFOUND;
	*r_c = (struct store_account_config){ .login_disabled = str_dup(a, acct->login_disabled), .quota = acct->quota_message_size };
	return 0;
}

static void
make_expungebox(struct rig *r)
{
	struct store_account *acct;
	struct store_tx tx;
	struct store_mailbox *made;
	size_t n;

	assert_ok(store_account_open(r->store, S("mjl"), false, &acct, NULL));
	assert_ok(store_write(acct, &tx));
	assert_ok(store_mailbox_create(&tx, S("expungebox"), 0, true, &made, &n));
	assert_ok(store_tx_commit(&tx, NULL));
	struct store_mailbox mb;
	assert_ok(store_write(acct, &tx));
	assert_int_equal(store_mailbox_find(&tx, S("expungebox"), &mb), 1);
	assert_ok(store_mailbox_delete(&tx, &mb));
	assert_ok(store_tx_commit(&tx, NULL));
	store_account_close(&acct);
}

void
rig_start(struct rig *r, unsigned flags)
{
	static const char *const accounts[] = { "mjl", "gone" };
	struct arena *a = test_arena();
	struct errmsg e = { 0 };
	char *dir = str_z(a, str_fmt(a, "%s/data", test_dir()));
	struct config_problems problems = { 0 };

	*r = (struct rig){ .flags = flags };
	for (size_t i = 0; i < RIG_CLIENTS; i++)
		r->clients[i] = (struct rig_client){ .fd = -1, .in = BUF_INIT(256 << 20) };
	ignore_result(fd_remove_tree(dir, NULL));
	assert_ok(fd_mkdirs(dir, 0770, &e));
	if (config_parse(test_dir(), str_of(static_conf), str_of(dynamic_conf), CONFIG_NO_KEYS, &r->cfg, &problems) < 0)
		fail_msg("config: " STRF, STRA(config_problems_text(a, &problems)));
	config_problems_done(&problems);
	assert_ok(store_open(&(struct store_opts){ .data_dir = dir, .account_config = account_config, .arg = r, .check_on_close = true }, &r->store, &e));
	assert_ok(auth_open(&(struct auth_opts){ .data_dir = dir, .store = r->store, .config = current_config, .config_arg = r }, &r->auth, &e));
	if (flags & RIG_PASSWORDS)
		for (size_t i = 0; i < ARRAY_LEN(accounts); i++)
			assert_ok(auth_set_password(r->auth, str_of(accounts[i]), S("testtest1"), NULL));
	make_expungebox(r);
	r->srv = imapserver_new(&(struct imapserver_opts){
		.store = r->store, .auth = r->auth, .config = current_config, .config_arg = r, .product = S("mox"), .version = S("1"),
		.hostname = S("mox.example"), .no_delays = !(flags & RIG_DELAYS), .pedantic = flags & RIG_PEDANTIC,
		.progress_period_us = flags & RIG_PROGRESS ? -1 : 0,
	});
	r->listener = (struct imapserver_listener){ .server = r->srv, .no_require_starttls = !(flags & RIG_REQUIRE_TLS) };
	if (flags & (RIG_TLS | RIG_IMPLICIT)) {
		struct str cert, key;
		assert_ok(tls_selfsigned(a, "localhost", 10, &cert, &key, &e));
		assert_ok(tls_ctx_new(&(struct tls_ctx_opts){ .cert_pem = cert, .key_pem = key, .tickets = true, .request_client_cert = true,
		    .verify_key = flags & RIG_KEYS ? auth_key_verify : NULL, .verify_arg = r->auth }, &r->tls, &e));
		assert_ok(tls_ctx_new(&(struct tls_ctx_opts){ 0 }, &r->client_tls, &e));
	}
}

static struct rig_client *
client_of(struct rig *r, char client)
{
	if (client < 'a' || client >= 'a' + RIG_CLIENTS)
		fail_msg("no client %c", client);
	return &r->clients[client - 'a'];
}

void
rig_hangup(struct rig *r, char client)
{
	struct rig_client *k = client_of(r, client);

	conn_inline_free(&k->c);
	if (k->ssl)
		SSL_set_shutdown(k->ssl, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);    /* else its session is spoiled */
	SSL_free(k->ssl);
	k->ssl = NULL;
	fd_close(&k->fd);
	buf_reset(&k->in);
	k->open = false;
}

void
rig_stop(struct rig *r)
{
	for (size_t i = 0; i < RIG_CLIENTS; i++) {
		rig_hangup(r, (char)('a' + i));
		buf_done(&r->clients[i].in);
	}
	imapserver_free(&r->srv);
	auth_close(&r->auth);
	store_close(&r->store);
	tls_ctx_unref(&r->tls);
	tls_ctx_unref(&r->client_tls);
	config_unref(&r->cfg);
}

/* Reads what there is; false when there was nothing. */
static bool
drain(struct rig_client *k)
{
	bool some = false;

	for (;;) {
		char p[16 * 1024];
		ssize_t n;
		if (k->ssl) {
			ERR_clear_error();
			n = SSL_read(k->ssl, p, sizeof(p));
		} else {
			n = k->fd >= 0 ? recv(k->fd, p, sizeof(p), MSG_DONTWAIT) : -1;
		}
		if (n <= 0)
			return some;
		buf_add(&k->in, str_n(p, (size_t)n));
		some = true;
	}
}

void
rig_run(struct rig *r)
{
	bool again = true;

	while (again) {
		again = false;
		for (size_t i = 0; i < RIG_CLIENTS; i++) {
			struct rig_client *k = &r->clients[i];
			if (!k->c)
				continue;
			if (k->open) {
				conn_inline_wake(k->c);
				k->open = conn_inline_run(k->c, true);
			}
			again = drain(k) || again;
		}
	}
}

static void
write_all(struct rig_client *k, struct str s)
{
	while (s.n > 0) {
		ssize_t n = k->ssl ? SSL_write(k->ssl, s.p, (int)s.n) : send(k->fd, s.p, s.n, MSG_NOSIGNAL | MSG_DONTWAIT);
		if (n > 0) {
			s = str_from(s, (size_t)n);
			continue;
		}
		if (!k->open)
			return;
		k->open = conn_inline_run(k->c, true);
		drain(k);
	}
}

void
rig_send(struct rig *r, char client, struct str s)
{
	struct rig_client *k = client_of(r, client);
	size_t step = r->flags & RIG_BYTES ? 1 : s.n;

	k->sent = str_log(test_arena(), s, 1000);

	for (; s.n > 0; s = str_from(s, step)) {
		write_all(k, str_upto(s, step));
		if (k->open)
			k->open = conn_inline_run(k->c, true);
		drain(k);
	}
	rig_run(r);
}

void
rig_handshake(struct rig *r, char client)
{
	struct rig_client *k = client_of(r, client);

	k->ssl = tls_ctx_session(r->client_tls, k->fd, false);
	SSL_set_mode(k->ssl, SSL_MODE_AUTO_RETRY);      /* else session tickets look like nothing to read */
	if (r->resume)
		SSL_set_session(k->ssl, r->resume);
	for (int i = 0; i < 20; i++) {
		ERR_clear_error();
		if (SSL_do_handshake(k->ssl) == 1)
			break;
		conn_inline_run(k->c, false);
	}
	assert_true(SSL_is_init_finished(k->ssl));
	rig_run(r);
}

struct str
rig_client_key(struct rig *r, const char *account, const char *address, bool no_preauth)
{
	struct str cert_pem, key_pem, fingerprint;
	SSL_CTX *ctx = tls_ctx_raw(r->client_tls);
	unsigned char *der = NULL;
	uint8_t digest[32];

	assert_ok(tls_selfsigned(test_arena(), "laptop", 10, &cert_pem, &key_pem, NULL));
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
	fingerprint = enc_base64(test_arena(), str_n((char *)digest, 32), ENC_URL);
	OPENSSL_free(der);
	X509_free(cert);
	EVP_PKEY_free(key);
	if (account) {
		assert_ok(store_tls_key_add(auth_db(r->auth), &(struct store_tls_key){
			.fingerprint = fingerprint, .created_us = 1, .type = S("ecdsa-p256"), .name = S("laptop"), .account = str_of(account),
			.address = str_of(address), .cert_der = S("x"), .no_imap_preauth = no_preauth }));
		assert_ok(auth_keys_changed(r->auth));
	}
	return fingerprint;
}

void
rig_connect(struct rig *r, char client)
{
	struct rig_client *k = client_of(r, client);
	struct ipport remote = { .port = 12345 }, local = { .port = 143 };
	struct conn_listener_opts o = {
		.name = "test", .proto = &imapserver_proto, .arg = &r->listener, .tls = r->tls, .implicit_tls = r->flags & RIG_IMPLICIT,
	};
	int fds[2];

	rig_hangup(r, client);
	assert_ok(ip_parse(S("10.1.2.3"), &remote.ip));
	assert_ok(ip_parse(S("127.0.0.1"), &local.ip));
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
	fd_nonblock(fds[1], true);
	k->fd = fds[1];
	k->c = conn_inline_new(fds[0], &o, &remote, &local);
	k->open = true;
	if (r->flags & RIG_IMPLICIT)
		rig_handshake(r, client);
	rig_run(r);
}

struct imapserver_session *
rig_session(struct rig *r, char client)
{
	return conn_data(client_of(r, client)->c);
}

void
rig_login(struct rig *r, char client, const char *account)
{
	struct rig_client *k = client_of(r, client);
	struct auth_user user = { .account = str_of(account), .address = str_fmt(test_arena(), "%s@mox.example", account) };

	rig_connect(r, client);
	assert_true(str_starts(buf_str(&k->in), S("* OK [CAPABILITY ")));
	buf_reset(&k->in);
	assert_ok(store_account_open(r->store, user.account, true, &user.acct, NULL));
	imapserver_login(rig_session(r, client), &user);
	rig_session(r, client)->started = true;
}

void
rig_append(struct rig *r, const char *account, const char *mailbox, const char *flags, struct str message)
{
	struct rig_client *d = client_of(r, 'd');

	rig_login(r, 'd', account);
	rig_send(r, 'd', str_fmt(test_arena(), "x append \"%s\" (%s) \"01-Jan-2024 10:00:00 +0100\" {%zu+}\r\n" STRF "\r\n", mailbox, flags, message.n, STRA(message)));
	if (!str_starts(buf_str(&d->in), S("x OK [APPENDUID ")))
		fail_msg("append: " STRF, STRA(buf_str(&d->in)));
	rig_hangup(r, 'd');
}

/* "..." in the pattern matches any text. */
static bool
line_matches(struct str pattern, struct str line)
{
	ssize_t dots = str_search(pattern, S("..."));

	if (dots < 0)
		return str_is(pattern, line);
	if (!str_starts(line, str_upto(pattern, (size_t)dots)))
		return false;
	struct str rest = str_from(pattern, (size_t)dots + 3);
	for (size_t i = (size_t)dots; i <= line.n; i++)
		if (line_matches(rest, str_from(line, i)))
			return true;
	return false;
}

static struct str
decoded(struct str s)
{
	struct buf b = BUF_ARENA(test_arena(), 1 << 20);

	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i] == '\\' && i + 1 < s.n ? s.p[i + 1] : 0;
		char special = c == 'r' ? '\r' : c == 'n' ? '\n' : c == '0' ? '\0' : c == '\\' ? '\\' : 1;
		buf_addc(&b, special == 1 ? s.p[i] : special);
		i += special != 1;
	}
	return buf_str(&b);
}

static void
want_line(struct rig_client *k, struct str want)
{
	struct str in = buf_str(&k->in);
	ssize_t lf = str_find(in, '\n');

	if (lf < 0)
		fail_msg("nothing came; wanted: " STRF, STRA(want));
	struct str line = str_upto(in, (size_t)lf);
	if (str_ends(line, S("\r")))
		line.n--;
	if (str_starts(line, S("* OK [MAILBOXID ")) && !str_starts(want, S("* OK [MAILBOXID "))) {
		buf_drop(&k->in, (size_t)lf + 1);
		want_line(k, want);
		return;
	}
	if (!line_matches(want, line))
		fail_msg("got:    " STRF "\nwanted: " STRF "\nafter:  " STRF, STRA(str_log(test_arena(), line, 2000)), STRA(want), STRA(k->sent));
	buf_drop(&k->in, (size_t)lf + 1);
}

static void
want_nothing(struct rig_client *k)
{
	if (k->in.n > 0)
		fail_msg("not expected: " STRF, STRA(buf_str(&k->in)));
}

static void
script_line(struct rig *r, struct str line)
{
	char client = line.p[0], what = line.n > 1 ? line.p[1] : 0;
	struct rig_client *k = client_of(r, client);
	struct str rest = str_trim(str_from(line, 2));

	switch (what) {
	case '>':
		rig_send(r, client, str_fmt(test_arena(), "x " STRF "\r\n", STRA(rest)));
		break;
	case '!':
		rig_send(r, client, decoded(str_from(line, 3)));
		break;
	case '<':
		rest = str_from(line, 2);
		want_line(k, decoded(str_starts(rest, S(" ")) ? str_from(rest, 1) : rest));
		break;
	case '-':
		want_nothing(k);
		break;
	case '$':
		want_nothing(k);
		assert_false(k->open);
		break;
	case '+':
		rig_connect(r, client);
		break;
	case '=':
		rig_login(r, client, str_z(test_arena(), rest));
		break;
	case '?':
		buf_reset(&k->in);
		break;
	case '~':
		rig_handshake(r, client);
		break;
	default:
		fail_msg("script: " STRF, STRA(line));
	}
}

const char *
rig_fmt(const char *fmt, ...)
{
	struct buf b = BUF_ARENA(test_arena(), 1 << 20);
	va_list ap;

	va_start(ap, fmt);
	buf_addv(&b, fmt, ap);
	va_end(ap);
	return str_z(test_arena(), buf_str(&b));
}

void
rig_script(struct rig *r, const char *script)
{
	struct str rest = str_of(script);
	size_t number = 0;

	while (rest.n > 0) {
		struct str line = str_split(&rest, '\n');
		number++;
		ssize_t remark = str_search(line, S("  //"));
		if (remark >= 0)
			line = str_upto(line, (size_t)remark);
		if (str_trim(line).n == 0)
			continue;
		test_row("line %zu: " STRF, number, STRA(line));
		script_line(r, line);
	}
	for (size_t i = 0; i < RIG_CLIENTS; i++) {
		test_row("end of script, client %c", (char)('a' + i));
		want_nothing(&r->clients[i]);
	}
}

void
rig_scripts(unsigned flags, const char *script)
{
	for (unsigned bytes = 0; bytes <= RIG_BYTES; bytes += RIG_BYTES) {
		struct rig r;
		rig_start(&r, flags | bytes);
		rig_login(&r, 'a', "mjl");
		rig_script(&r, script);
		rig_stop(&r);
	}
}
