/* SPDX-License-Identifier: MIT */
/*
 * gzip.h - the gzip format (RFC 1952) in memory, over zlib.
 */
#ifndef BASE_GZIP_H
#define BASE_GZIP_H

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

/* gzip_pack appends s compressed, as one member without name and time, so that equal input gives equal output. */
void gzip_pack(struct buf *out, struct str s);
/*
 * gzip_unpack appends what s holds, all members; zero bytes and other garbage behind the last are ignored. ERR_INVALID for
 * damaged or unfinished input, ERR_LIMIT when it would pass out->max. No more memory is used than out->max allows.
 */
int gzip_unpack(struct buf *out, struct str s, struct errmsg *e) must_use_;

#endif
