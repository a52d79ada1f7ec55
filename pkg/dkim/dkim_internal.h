/* SPDX-License-Identifier: MIT */
/* dkim_internal.h - shared by the files of dkim. */
#ifndef DKIM_DKIM_INTERNAL_H
#define DKIM_DKIM_INTERNAL_H

#include "dkim/dkim.h"

/* dkim_read_header gives the header with the empty line, or the whole message if it has only a header; ERR_NOTFOUND if that has no end. */
int dkim_read_header(struct arena *a, const struct message_source *msg, struct str *r_header) must_use_;
/* dkim_hash_bodies feeds the message from off to its end to each of the bodies. */
int dkim_hash_bodies(struct arena *a, const struct ctx *ctx, const struct message_source *msg, int64_t off, struct dkim_body *const *bodies, size_t n) must_use_;

#endif
