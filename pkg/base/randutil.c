/* SPDX-License-Identifier: MIT */
#include "base/randutil.h"

#include <errno.h>
#include <sys/random.h>

#include "base/arena.h"
#include "base/enc.h"
#include "base/err.h"
#include "base/mem.h"

void
rand_bytes(void *p, size_t n)
{
	char *at = p;

	while (n > 0) {
		ssize_t r = getrandom(at, n, 0);

		if (r < 0 && errno == EINTR)    /* GCOVR_EXCL_BR_LINE: only reads of more than 256 bytes can be interrupted */
			continue;               /* GCOVR_EXCL_LINE */
		bug_if(r <= 0);
		at += r;
		n -= (size_t)r;
	}
}

uint64_t
rand_u64(void)
{
	uint64_t v;

	rand_bytes(&v, sizeof(v));
	return v;
}

uint64_t
rand_below(uint64_t n)
{
	uint64_t v, skip;

	bug_if(n == 0);
	/* 2^64 mod n values at the bottom would make some results more likely than others. */
	skip = -n % n;
	do
		v = rand_u64();
	while (v < skip);
	return v % n;
}

struct str
rand_text(struct arena *a, size_t n, struct str alphabet)
{
	char *p = arena_bytes(a, n + 1);
	unsigned char pool[64];
	size_t left = 0;
	unsigned limit;

	bug_if(alphabet.n == 0 || alphabet.n > 256);
	limit = 256 - 256 % (unsigned)alphabet.n;
	for (size_t i = 0; i < n;) {
		unsigned char c;

		if (left == 0) {
			rand_bytes(pool, sizeof(pool));
			left = sizeof(pool);
		}
		c = pool[--left];
		if (c < limit)
			p[i++] = alphabet.p[c % alphabet.n];
	}
	mem_erase(pool, sizeof(pool));
	p[n] = '\0';
	return str_n(p, n);
}

struct str
rand_token(struct arena *a, size_t nbytes)
{
	char *p = arena_bytes(a, nbytes);

	rand_bytes(p, nbytes);
	return enc_base64(a, str_n(p, nbytes), ENC_URL);
}
