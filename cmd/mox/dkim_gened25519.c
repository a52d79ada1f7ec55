/* SPDX-License-Identifier: MIT */
/* dkim_gened25519.c - mox dkim gened25519 */
#include "commands.h"
#include "dkim/dkim.h"
#include "dkim_key.h"

static int
run(struct cmd_run *c)
{
	cleanup_(dkim_key_free) EVP_PKEY *key = NULL;
	int rv = dkim_generate_ed25519(&key);

	return dkim_key_print(c, rv, key, "Ed25519");
}

const struct cmd cmd_dkim_gened25519 = {
	.words = "dkim gened25519",
	.params = "",
	.help = "Make an Ed25519 key for DKIM signatures and print it.\n"
		"\n"
		"The key is written in PEM form (PKCS #8). Keep it in a file that only mox can read,\n"
		"and name that file in domains.conf. \"mox dkim txt\" makes the DNS record for it.\n"
		"Ed25519 keys and signatures are small and fast, but not all receivers know them:\n"
		"sign with an RSA key as well.\n"
		"\n"
		"Example:\n"
		"\t(umask 077; mox dkim gened25519 > 2026a.ed25519.pem)\n",
	.run = run,
};
