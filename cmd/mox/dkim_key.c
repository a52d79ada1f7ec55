/* SPDX-License-Identifier: MIT */
/* dkim_key.c - private keys of the dkim and arc commands. */
#include "dkim_key.h"

#include "dkim/dkim.h"
#include "version.h"

void
dkim_key_free(EVP_PKEY **key)
{
	EVP_PKEY_free(*key);
	*key = NULL;
}

int
dkim_key_print(const struct cmd_run *c, int rv, EVP_PKEY *key, const char *kind)
{
	struct str pem;

	if (rv < 0 || dkim_key_to_pem(c->arena, key, &pem) < 0)
		return cmd_fail(c, "the key could not be made");
	/* The note stands before the key, not as a header within: OpenSSL does not read keys with such headers. */
	printf("Note: %s private key for DKIM signatures, made by mox %s\n" STRF, kind, version_string(), STRA(pem));
	return CMD_OK;
}
