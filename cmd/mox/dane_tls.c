/* SPDX-License-Identifier: MIT */
/* dane_tls.c - what the dane commands need of TLS. */
#include "dane_tls.h"

#include <openssl/err.h>

#include "base/err.h"

SSL_CTX *
dane_tls_new(const struct cmd_run *c)
{
	const char *path = cmd_value(c, "tlscerts");
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());

	bug_if(!ctx);
	ERR_clear_error();
	SSL_CTX_set_default_verify_paths(ctx);
	if (path && SSL_CTX_load_verify_file(ctx, path) != 1) {
		cmd_fail(c, "%s: no certificates in PEM form", path);
		dane_tls_free(&ctx);
	}
	ERR_clear_error();
	return ctx;
}

void
dane_tls_free(SSL_CTX **ctx)
{
	SSL_CTX_free(*ctx);
	*ctx = NULL;
}
