/* SPDX-License-Identifier: MIT */
/* dkim_key.h - private keys of the dkim and arc commands. */
#ifndef MOX_DKIM_KEY_H
#define MOX_DKIM_KEY_H

#include <openssl/evp.h>

#include "cmd.h"

void dkim_key_free(EVP_PKEY **key);     /* fits cleanup_() */
/* dkim_key_print writes a new key to stdout in PEM form, with a note of what made it; rv is what making it returned. */
int dkim_key_print(const struct cmd_run *c, int rv, EVP_PKEY *key, const char *kind);

#endif
