/* SPDX-License-Identifier: MIT */
#include "conn/testclient.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>

#include "base/buf.h"
#include "base/enc.h"
#include "base/fd.h"
#include "base/timeutil.h"
#include "testutil/testutil.h"
#include "tls/tls.h"

#define LIMIT_SEC 20

void
testclient_adopt(struct testclient *t, int fd)
{
	struct timeval tv = { .tv_sec = LIMIT_SEC };
	int one = 1;

	*t = (struct testclient){ .fd = fd };
	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv)), 0);
	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &tv, sizeof(tv)), 0);
	ignore_result(setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one)));
}

void
testclient_socket(struct testclient *t)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	testclient_adopt(t, fd);
}

bool
testclient_connect(struct testclient *t, uint16_t port, const char *from)
{
	struct ipport to = { .port = port }, local = { 0 };
	struct sockaddr_storage ss;
	socklen_t n;

	if (from) {
		assert_ok(ip_parse(str_of(from), &local.ip));
		n = ipport_sockaddr(&local, &ss);
		assert_int_equal(bind(t->fd, (struct sockaddr *)&ss, n), 0);
	}
	assert_ok(ip_parse(S("127.0.0.1"), &to.ip));
	n = ipport_sockaddr(&to, &ss);
	return connect(t->fd, (struct sockaddr *)&ss, n) == 0;
}

void
testclient_open(struct testclient *t, uint16_t port, const char *from)
{
	testclient_socket(t);
	assert_true(testclient_connect(t, port, from));
}

void
testclient_close(struct testclient *t)
{
	SSL_free(t->ssl);
	t->ssl = NULL;
	fd_close(&t->fd);
}

/* "CLIENT_TRAFFIC_SECRET_0 <client random> <secret>" */
static void
on_key(const SSL *ssl, const char *line)
{
	struct testclient *t = SSL_get_ex_data(ssl, 1);
	struct arena a = { 0 };
	struct str rest = str_of(line), secret;

	if (t && str_is(str_split(&rest, ' '), S("CLIENT_TRAFFIC_SECRET_0"))) {
		str_split(&rest, ' ');
		assert_ok(enc_unhex(&a, rest, &secret));
		assert_true(secret.n <= sizeof(t->secret));
		memcpy(t->secret, secret.p, secret.n);
		t->secret_n = secret.n;
	}
	arena_done(&a);
}

bool
testclient_try_tls(struct testclient *t)
{
	struct tls_ctx *ctx;

	assert_ok(tls_ctx_new(&(struct tls_ctx_opts){ .alpn = t->alpn }, &ctx, NULL));
	SSL_CTX_set_keylog_callback(tls_ctx_raw(ctx), on_key);
	SSL_CTX_set_mode(tls_ctx_raw(ctx), SSL_MODE_AUTO_RETRY);
	/* A suite whose keys testclient_raw knows how to use. */
	assert_int_equal(SSL_CTX_set_ciphersuites(tls_ctx_raw(ctx), "TLS_AES_128_GCM_SHA256"), 1);
	t->ssl = tls_ctx_session(ctx, t->fd, false);
	assert_int_equal(SSL_set_ex_data(t->ssl, 1, t), 1);
	tls_ctx_unref(&ctx);
	if (SSL_do_handshake(t->ssl) == 1)
		return true;
	ERR_clear_error();
	return false;
}

void
testclient_tls(struct testclient *t)
{
	assert_true(testclient_try_tls(t));
}

void
testclient_put(struct testclient *t, struct str s)
{
	while (s.n > 0) {
		ssize_t n = t->ssl ? SSL_write(t->ssl, s.p, (int)s.n) : send(t->fd, s.p, s.n, MSG_NOSIGNAL);

		if (n <= 0 && t->soft) {
			t->broken = true;
			ERR_clear_error();
			return;
		}
		assert_true(n > 0);
		s = str_from(s, (size_t)n);
	}
}

/* Up to n bytes; 0 at the end, however it came; fails the test when nothing comes for too long. */
static size_t
get(struct testclient *t, char *p, size_t n)
{
	ssize_t r;

	errno = 0;
	r = t->ssl ? SSL_read(t->ssl, p, (int)MIN(n, (size_t)INT32_MAX)) : recv(t->fd, p, n, 0);
	ERR_clear_error();
	if (r <= 0 && t->soft)
		t->broken = true;
	else if (r <= 0 && errno == EAGAIN)
		fail_msg("no answer for %d seconds", LIMIT_SEC);
	return r > 0 ? (size_t)r : 0;
}

void
testclient_expect(struct testclient *t, const char *want)
{
	size_t n = strlen(want), have = 0, r = 0;
	char *p = arena_bytes(test_arena(), n + 1);

	while (have < n && (r = get(t, p + have, n - have)) > 0)
		have += r;
	assert_strz(str_n(p, have), want);
}

void
testclient_expect_end(struct testclient *t)
{
	char p[1000];

	assert_str(str_n(p, get(t, p, sizeof(p))), S(""));
}

uint64_t
testclient_skip(struct testclient *t, uint64_t n)
{
	char p[16384];
	uint64_t have = 0;
	size_t r;

	while (have < n && (r = get(t, p, MIN((uint64_t)sizeof(p), n - have))) > 0)
		have += r;
	return have;
}

/* HKDF-Expand-Label of RFC 8446 7.1, with an empty context. */
static void
expand_label(const struct testclient *t, const char *label, uint8_t *out, size_t n)
{
	EVP_PKEY_CTX *k = EVP_PKEY_CTX_new_id(EVP_PKEY_HKDF, NULL);
	uint8_t info[64];
	size_t len = 0, full = 6 + strlen(label);

	info[len++] = (uint8_t)(n >> 8);
	info[len++] = (uint8_t)n;
	info[len++] = (uint8_t)full;
	memcpy(info + len, "tls13 ", 6);
	memcpy(info + len + 6, label, strlen(label));
	len += full;
	info[len++] = 0;
	assert_int_equal(EVP_PKEY_derive_init(k), 1);
	assert_int_equal(EVP_PKEY_CTX_set_hkdf_mode(k, EVP_PKEY_HKDEF_MODE_EXPAND_ONLY), 1);
	assert_int_equal(EVP_PKEY_CTX_set_hkdf_md(k, EVP_sha256()), 1);
	assert_int_equal(EVP_PKEY_CTX_set1_hkdf_key(k, t->secret, (int)t->secret_n), 1);
	assert_int_equal(EVP_PKEY_CTX_add1_hkdf_info(k, info, (int)len), 1);
	assert_int_equal(EVP_PKEY_derive(k, out, &n), 1);
	EVP_PKEY_CTX_free(k);
}

void
testclient_raw(struct testclient *t, uint8_t type, struct str content)
{
	uint8_t key[16], iv[12], record[5 + 300 + 16], plain[300];
	size_t n = content.n + 1, len = n + 16;
	EVP_CIPHER_CTX *e = EVP_CIPHER_CTX_new();
	SSL *ssl = t->ssl;
	int out;

	assert_int_equal(t->secret_n, 32);
	assert_true(n <= sizeof(plain));
	expand_label(t, "key", key, sizeof(key));
	expand_label(t, "iv", iv, sizeof(iv));
	for (int i = 0; i < 8; i++)
		iv[4 + i] ^= (uint8_t)(t->seq >> (56 - 8 * i));
	t->seq++;
	memcpy(plain, content.p, content.n);
	plain[content.n] = type;
	memcpy(record, (uint8_t[]){ 23, 3, 3, (uint8_t)(len >> 8), (uint8_t)len }, 5);
	assert_int_equal(EVP_EncryptInit_ex(e, EVP_aes_128_gcm(), NULL, key, iv), 1);
	assert_int_equal(EVP_EncryptUpdate(e, NULL, &out, record, 5), 1);
	assert_int_equal(EVP_EncryptUpdate(e, record + 5, &out, plain, (int)n), 1);
	assert_int_equal(EVP_EncryptFinal_ex(e, record + 5 + n, &out), 1);
	assert_int_equal(EVP_CIPHER_CTX_ctrl(e, EVP_CTRL_GCM_GET_TAG, 16, record + 5 + n), 1);
	EVP_CIPHER_CTX_free(e);
	t->ssl = NULL;
	testclient_put(t, str_n((char *)record, 5 + len));
	t->ssl = ssl;
}
