/* SPDX-License-Identifier: MIT */
/* dane_tls.h - what the dane commands need of TLS. */
#ifndef MOX_DANE_TLS_H
#define MOX_DANE_TLS_H

#include <openssl/ssl.h>

#include "cmd.h"

/*
 * dane_tls_new makes a context that trusts the system's authorities and those of -tlscerts; NULL after a message on
 * stderr.
 */
SSL_CTX *dane_tls_new(const struct cmd_run *c);
void dane_tls_free(SSL_CTX **ctx);      /* fits cleanup_() */

#endif
