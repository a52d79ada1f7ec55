/* SPDX-License-Identifier: MIT */
/* dmarcrpt_internal.h - shared by the files of dmarcrpt. */
#ifndef DMARCRPT_DMARCRPT_INTERNAL_H
#define DMARCRPT_DMARCRPT_INTERNAL_H

#include "dmarcrpt/dmarcrpt.h"

#define DMARCRPT_NAMESPACE "urn:ietf:params:xml:ns:dmarc-2.0"   /* rfc/9990:1086 */

/* dmarcrpt_element gives the name of a field's element, from its own name: "SourceIP" is "source_ip". */
struct str dmarcrpt_element(const struct typedesc_field *f, char r_buf[64]);
/* dmarcrpt_unzip appends the one file of a zip archive. ERR_INVALID, ERR_LIMIT. */
int dmarcrpt_unzip(struct buf *out, struct str zip, struct errmsg *e) must_use_;

#endif
