/* SPDX-License-Identifier: MIT */
#include "smtpclient/fakeserver_test.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include <openssl/err.h>

#include "base/fd.h"

#define WAIT_SEC 20

/* fail_script notes the first difference; the thread must not use the test's assertions. */
static bool
fail_script(struct fakeserver *f, const char *want, struct str got)
{
	if (f->failure[0] == '\0')
		snprintf(f->failure, sizeof(f->failure), "want: %.400s\ngot: %.*s", want, (int)MIN(got.n, (size_t)400),
		    got.p);
	return false;
}

static ssize_t
server_read(struct fakeserver *f, char *p, size_t n)
{
	if (f->ssl) {
		int rv = SSL_read(f->ssl, p, (int)n);
		ERR_clear_error();
		return rv > 0 ? rv : 0;
	}
	return recv(f->fd, p, n, 0);
}

static bool
fill(struct fakeserver *f)
{
	bool room = buf_reserve(&f->in, 4096);
	ssize_t n = room ? server_read(f, buf_tail(&f->in), 4096) : 0;

	if (n <= 0)
		return false;
	buf_wrote(&f->in, (size_t)n);
	return true;
}

static void
server_send(struct fakeserver *f, struct str s)
{
	if (f->ssl) {
		/* The client may be gone; what it says then is what counts. */
		ignore_result(SSL_write(f->ssl, s.p, (int)s.n) <= 0);
		ERR_clear_error();
	} else {
		ignore_result(send(f->fd, s.p, s.n, MSG_NOSIGNAL) < 0);
	}
}

static bool
want_line(struct fakeserver *f, struct str want, bool prefix)
{
	for (;;) {
		ssize_t lf = str_find(buf_str(&f->in), '\n');
		if (lf >= 0) {
			struct str got = str_upto(buf_str(&f->in), (size_t)lf);
			bool crlf = str_ends(got, S("\r"));
			got.n -= crlf;
			bool ok = crlf && (prefix ? str_starts(got, want) : str_is(got, want));
			if (!ok)
				fail_script(f, want.p, got);
			buf_drop(&f->in, (size_t)lf + 1);
			return ok;
		}
		if (!fill(f))
			return fail_script(f, want.p, S("(closed)"));
	}
}

static struct str
decode(struct arena *a, struct str s)
{
	struct buf b = BUF_ARENA(a, 100000);

	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] == '\\' && i + 1 < s.n) {
			i++;
			buf_addc(&b, s.p[i] == 'r' ? '\r' : s.p[i] == 'n' ? '\n' : s.p[i]);
		} else {
			buf_addc(&b, s.p[i]);
		}
	}
	return buf_str(&b);
}

static bool
want_bytes(struct fakeserver *f, struct str want)
{
	while (f->in.n < want.n && fill(f))
		;
	if (!str_starts(buf_str(&f->in), want))
		return fail_script(f, want.p, buf_str(&f->in));
	buf_drop(&f->in, want.n);
	return true;
}

static bool
handshake(struct fakeserver *f)
{
	f->ssl = tls_ctx_session(f->tls, f->fd, true);
	/* A client that does not like the certificate ends it here. */
	ignore_result(SSL_accept(f->ssl) != 1);
	ERR_clear_error();
	return true;
}

/* auth runs the exchange of RFC 4954 as a server that knows user "user" with password "secret". */
static int
check_password(void *arg unused_, struct arena *a unused_, struct str user, struct str password)
{
	return str_is(user, S("user")) && str_is(password, S("secret")) ? 0 : SASL_BAD_CREDENTIALS;
}

static int
scram_keys(void *arg unused_, struct arena *a unused_, struct str user unused_, enum scram_hash hash,
    struct scram_keys *r_keys)
{
	*r_keys = (struct scram_keys){ .salt = S("0123456789abcdef"), .iterations = 4096 };
	scram_derive(hash, S("secret"), r_keys);
	return 0;
}

static int
verified(void *arg unused_, struct arena *a unused_, struct str user)
{
	return str_is(user, S("user")) ? 0 : SASL_BAD_CREDENTIALS;
}

static int
crammd5(void *arg unused_, struct arena *a unused_, struct str user, struct str challenge, struct str digest_hex)
{
	struct sasl_crammd5 states;
	char hex[32];

	sasl_crammd5_derive(S("secret"), &states);
	sasl_crammd5_digest(&states, challenge, hex);
	return str_is(user, S("user")) && str_is(digest_hex, str_n(hex, 32)) ? 0 : SASL_BAD_CREDENTIALS;
}

static const struct sasl_server_ops ops = {
	.password = check_password, .scram_keys = scram_keys, .verified = verified, .crammd5 = crammd5
};

static bool
auth(struct fakeserver *f, struct arena *a, struct str mech_name)
{
	struct str line, word, challenge = { 0 };
	struct scram_binding binding = { 0 };
	uint8_t exporter[32];
	enum sasl_mech mech;
	int rv;

	while (str_find(buf_str(&f->in), '\n') < 0)
		if (!fill(f))
			return fail_script(f, "AUTH", S("(closed)"));
	line = str_trim(str_dup(a, buf_str(&f->in)));
	buf_reset(&f->in);
	word = str_split(&line, ' ');
	struct str name = str_split(&line, ' ');
	if (!str_is(word, S("AUTH")) || !str_is(name, mech_name) || sasl_mech_parse(name, &mech) < 0)
		return fail_script(f, mech_name.p, name);
	if (f->ssl && tls_exporter(f->ssl, exporter) == 0)
		binding.tls_exporter = str_n((const char *)exporter, 32);
	struct sasl_server_args args = { .mech = mech,
		.ops = &ops,
		.tls = f->ssl != NULL,
		.allow_cleartext = true,
		.binding = &binding,
		.host = S("mx") };
	cleanup_(sasl_server_free) struct sasl_server *s = NULL;
	if (sasl_server_start(&args, &s) < 0)
		return fail_script(f, "sasl", S("cannot start"));
	rv = sasl_server_initial(s, line.n ? &line : NULL, &challenge);
	while (rv == SASL_CONTINUE) {
		server_send(f, str_fmt(a, "334 " STRF "\r\n", STRA(challenge)));
		while (str_find(buf_str(&f->in), '\n') < 0)
			if (!fill(f))
				return true;
		line = str_trim(str_dup(a, buf_str(&f->in)));
		buf_reset(&f->in);
		rv = sasl_server_line(s, line, &challenge);
	}
	server_send(f,
	    rv == 0                ? S("235 2.7.0 welcome\r\n") :
		rv == SASL_ABORTED ? S("501 5.0.0 aborted\r\n") :
		    S("535 5.7.8 bad credentials\r\n"));
	return true;
}

static bool
want_data(struct fakeserver *f, struct str want)
{
	while (str_search(buf_str(&f->in), S("\r\n.\r\n")) < 0 && !str_starts(buf_str(&f->in), S(".\r\n")) && fill(f))
		;
	ssize_t end = str_starts(buf_str(&f->in), S(".\r\n")) ? -2 : str_search(buf_str(&f->in), S("\r\n.\r\n"));
	if (end == -1)
		return fail_script(f, "end of data", buf_str(&f->in));
	struct str got = str_upto(buf_str(&f->in), (size_t)(end + 2));
	bool ok = str_is(got, want) || fail_script(f, want.p, got);
	buf_drop(&f->in, (size_t)(end + 5));
	return ok;
}

static bool
step(struct fakeserver *f, struct arena *a, struct str line)
{
	char what = line.n > 0 ? line.p[0] : ' ';
	bool star = line.n > 1 && line.p[1] == '*';
	struct str text = str_dup(a, str_from(line, star ? 3 : 2));

	switch (what) {
	case 'S': server_send(f, str_cat(a, text, S("\r\n"))); return true;
	case 'R': server_send(f, decode(a, text)); return true;
	case 'C': return want_line(f, text, star);
	case 'D': return want_data(f, decode(a, text));
	case 'B': return want_bytes(f, decode(a, text));
	case 'T': return handshake(f);
	case 'A': return auth(f, a, text);
	case 'X': shutdown(f->fd, SHUT_RDWR); return true;
	case 'E': return f->in.n == 0 && !fill(f) ? true : fail_script(f, "end", buf_str(&f->in));
	default: return fail_script(f, "a known line of the script", line);
	}
}

static void *
server_main(void *arg)
{
	struct fakeserver *f = arg;
	struct arena a = { 0 };
	struct str rest = str_of(f->script);

	while (rest.n > 0)
		if (!step(f, &a, str_split(&rest, '\n')))
			break;
	SSL_free(f->ssl);
	buf_done(&f->in);
	arena_done(&a);
	fd_close(&f->fd);
	return NULL;
}

int
fakeserver_start(struct fakeserver *f, const char *script, struct tls_ctx *tls)
{
	struct timeval tv = { .tv_sec = WAIT_SEC };
	int fds[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
	*f = (struct fakeserver){ .fd = fds[0], .script = script, .tls = tls };
	assert_int_equal(setsockopt(fds[0], SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv)), 0);
	buf_init(&f->in, 10 * 1024 * 1024);
	assert_int_equal(pthread_create(&f->thread, NULL, server_main, f), 0);
	return fds[1];
}

void
fakeserver_end(struct fakeserver *f)
{
	pthread_join(f->thread, NULL);
	if (f->failure[0])
		fail_msg("script not followed:\n%s", f->failure);
}

struct tls_ctx *
fakeserver_tls(const char *name, struct str *r_cert_pem)
{
	struct str key;
	struct tls_ctx *ctx = NULL;

	assert_ok(tls_selfsigned(test_arena(), name, 10, r_cert_pem, &key, NULL));
	assert_ok(tls_ctx_new(&(struct tls_ctx_opts){ .cert_pem = *r_cert_pem, .key_pem = key }, &ctx, NULL));
	return ctx;
}
