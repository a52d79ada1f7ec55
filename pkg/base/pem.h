/* SPDX-License-Identifier: MIT */
/*
 * pem.h - private keys in PEM form.
 */
#ifndef BASE_PEM_H
#define BASE_PEM_H

#include <openssl/evp.h>

#include "base/str.h"

/*
 * pem_private_key reads the first private key of a text: PKCS #8, or the older forms for RSA and EC. What stands before
 * it does not matter, nor do header lines within ("Note: ..."), which OpenSSL alone refuses and mox in Go writes. Never
 * asks for a password. ERR_INVALID if there is none, ERR_UNSUPPORTED for an encrypted one.
 */
int pem_private_key(struct str pem, EVP_PKEY **r_key) must_use_;

#endif
