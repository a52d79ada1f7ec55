/* SPDX-License-Identifier: MIT */
/*
 * randutil.h - randomness from the kernel. Failure aborts: nothing sensible can follow.
 */
#ifndef BASE_RANDUTIL_H
#define BASE_RANDUTIL_H

#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

void rand_bytes(void *p, size_t n);
uint64_t rand_u64(void);
uint64_t rand_below(uint64_t n);                          /* unbiased, 0..n-1; n > 0 */
/* rand_text returns n characters drawn without bias from the alphabet (at most 256 characters). */
struct str rand_text(struct arena *a, size_t n, struct str alphabet);
struct str rand_token(struct arena *a, size_t nbytes);    /* unpadded base64url of nbytes random bytes */

#endif
