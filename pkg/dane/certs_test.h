/* SPDX-License-Identifier: MIT */
/* certs_test.h - certificates for the tests of dane. */
#ifndef DANE_CERTS_TEST_H
#define DANE_CERTS_TEST_H

#include <openssl/ssl.h>

#include "base/str.h"

/*
 * Made once for the process. Chains below "root": "ca" (intermediate), then the servers "leaf" (mail.example.org and
 * *.wild.example.org), "expired" (the same, out of date), "noname" (no names at all). "self" signed itself, "evil" is a root
 * of others with the server "fake" (mail.example.org). Times are those of test_clock.
 */
X509 *certs_get(const char *name);
EVP_PKEY *certs_key(const char *name);
/* certs_chain makes a chain of names: "leaf ca root". Free with sk_X509_pop_free. */
STACK_OF(X509) *certs_chain(const char *names);
struct str certs_pem(struct arena *a, const char *name, const char *what);      /* "cert", "key", "pub" */

#endif
