/* SPDX-License-Identifier: MIT */
/* dane_internal.h - shared by the files of dane. */
#ifndef DANE_DANE_INTERNAL_H
#define DANE_DANE_INTERNAL_H

#include "base/buf.h"
#include "dane/dane.h"

#define DANE_MAX_TEXT 65536     /* octets of a record's data, or digits of its text: those of a DNS record */

#define DANE_CONNECT_US (30 * TIME_SEC)     /* for each address, without a deadline */

/* dane_cert_der encodes a certificate or its key; empty if that fails. */
struct str dane_cert_der(struct arena *a, X509 *cert, uint8_t selector);
/* The certificate or key that is the data of a record; NULL for other bytes. */
X509 *dane_record_cert(const struct dane_record *r);
EVP_PKEY *dane_record_key(const struct dane_record *r);

#endif
