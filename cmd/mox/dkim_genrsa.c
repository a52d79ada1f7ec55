/* SPDX-License-Identifier: MIT */
/* dkim_genrsa.c - mox dkim genrsa */
#include "commands.h"
#include "dkim/dkim.h"
#include "dkim_key.h"

#define RSA_BITS 2048 /* rfc/8301:149; larger ones do not fit into every DNS answer */

static int
run(struct cmd_run *c)
{
	cleanup_(dkim_key_free) EVP_PKEY *key = NULL;
	int rv = dkim_generate_rsa(RSA_BITS, &key);

	return dkim_key_print(c, rv, key, "RSA-2048");
}

const struct cmd cmd_dkim_genrsa = {
	.words = "dkim genrsa",
	.params = "",
	.help = "Make a 2048-bit RSA key for DKIM signatures and print it.\n"
		"\n"
		"The key is written in PEM form (PKCS #8). Keep it in a file that only mox can read,\n"
		"and name that file in domains.conf. \"mox dkim txt\" makes the DNS record for it.\n"
		"\n"
		"Example:\n"
		"\t(umask 077; mox dkim genrsa > 2026b.rsa2048.pem)\n",
	.run = run,
};
