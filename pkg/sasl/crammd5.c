/* SPDX-License-Identifier: MIT */
/*
 * CRAM-MD5 without the password: MD5 whose state after one block can be kept and continued. OpenSSL does not give that state out, so the
 * compression function (RFC 1321) is here. MD5 is broken as a hash; as a MAC of a random challenge it is merely old, and offered for old clients only.
 */
#include "base/enc.h"
#include "base/mem.h"
#include "sasl/sasl.h"

#define BLOCK 64


/* floor(2^32 * abs(sin(i + 1))) */
static const uint32_t sines[64] = {
	0xd76aa478, 0xe8c7b756, 0x242070db, 0xc1bdceee, 0xf57c0faf, 0x4787c62a, 0xa8304613, 0xfd469501,
	0x698098d8, 0x8b44f7af, 0xffff5bb1, 0x895cd7be, 0x6b901122, 0xfd987193, 0xa679438e, 0x49b40821,
	0xf61e2562, 0xc040b340, 0x265e5a51, 0xe9b6c7aa, 0xd62f105d, 0x02441453, 0xd8a1e681, 0xe7d3fbc8,
	0x21e1cde6, 0xc33707d6, 0xf4d50d87, 0x455a14ed, 0xa9e3e905, 0xfcefa3f8, 0x676f02d9, 0x8d2a4c8a,
	0xfffa3942, 0x8771f681, 0x6d9d6122, 0xfde5380c, 0xa4beea44, 0x4bdecfa9, 0xf6bb4b60, 0xbebfbc70,
	0x289b7ec6, 0xeaa127fa, 0xd4ef3085, 0x04881d05, 0xd9d4d039, 0xe6db99e5, 0x1fa27cf8, 0xc4ac5665,
	0xf4292244, 0x432aff97, 0xab9423a7, 0xfc93a039, 0x655b59c3, 0x8f0ccc92, 0xffeff47d, 0x85845dd1,
	0x6fa87e4f, 0xfe2ce6e0, 0xa3014314, 0x4e0811a1, 0xf7537e82, 0xbd3af235, 0x2ad7d2bb, 0xeb86d391,
};
static const uint8_t shifts[4][4] = { { 7, 12, 17, 22 }, { 5, 9, 14, 20 }, { 4, 11, 16, 23 }, { 6, 10, 15, 21 } };
static const uint32_t initial[4] = { 0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476 };

static uint32_t
get32(const uint8_t *p)
{
	return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static void
put32(uint8_t *p, uint32_t v)
{
	for (int i = 0; i < 4; i++)
		p[i] = (uint8_t)(v >> (8 * i));
}

static void
md5_block(uint32_t state[4], const uint8_t p[BLOCK])
{
	uint32_t a = state[0], b = state[1], c = state[2], d = state[3];

	for (unsigned i = 0; i < 64; i++) {
		uint32_t f;
		unsigned g;
		switch (i / 16) {
		case 0: f = (b & c) | (~b & d); g = i; break;
		case 1: f = (d & b) | (~d & c); g = (5 * i + 1) % 16; break;
		case 2: f = b ^ c ^ d; g = (3 * i + 5) % 16; break;
		default: f = c ^ (b | ~d); g = (7 * i) % 16; break;
		}
		f += a + sines[i] + get32(p + 4 * g);
		unsigned s = shifts[i / 16][i % 4];
		a = d;
		d = c;
		c = b;
		b += f << s | f >> (32 - s);
	}
	state[0] += a;
	state[1] += b;
	state[2] += c;
	state[3] += d;
}

/* md5_finish hashes data behind done bytes that made up the given state, and pads. */
static void
md5_finish(const uint32_t start[4], uint64_t done, struct str data, uint8_t r_out[16])
{
	uint32_t state[4];
	uint8_t last[2 * BLOCK] = { 0 };
	const uint8_t *p = (const uint8_t *)data.p;
	size_t n = data.n;

	memcpy(state, start, sizeof(state));
	for (; n >= BLOCK; n -= BLOCK, p += BLOCK)
		md5_block(state, p);
	if (n > 0)
		memcpy(last, p, n);
	last[n] = 0x80;
	size_t blocks = n + 9 > BLOCK ? 2 : 1;
	uint64_t bits = (done + data.n) * 8;
	put32(last + blocks * BLOCK - 8, (uint32_t)bits);
	put32(last + blocks * BLOCK - 4, (uint32_t)(bits >> 32));
	for (size_t i = 0; i < blocks; i++)
		md5_block(state, last + i * BLOCK);
	for (int i = 0; i < 4; i++)
		put32(r_out + 4 * i, state[i]);
}

static void
pad_state(const uint8_t key[BLOCK], uint8_t pad, uint8_t r_out[16])
{
	uint8_t block[BLOCK];
	uint32_t state[4];

	for (int i = 0; i < BLOCK; i++)
		block[i] = key[i] ^ pad;
	memcpy(state, initial, sizeof(state));
	md5_block(state, block);
	for (int i = 0; i < 4; i++)
		put32(r_out + 4 * i, state[i]);
	mem_erase(block, sizeof(block));
}

void
sasl_crammd5_derive(struct str password, struct sasl_crammd5 *r_states)
{
	uint8_t key[BLOCK] = { 0 };

	if (password.n > BLOCK)         /* rfc/2104:128 */
		md5_finish(initial, 0, password, key);
	else if (password.n > 0)
		memcpy(key, password.p, password.n);
	pad_state(key, 0x36, r_states->ipad);
	pad_state(key, 0x5c, r_states->opad);
	mem_erase(key, sizeof(key));
}

void
sasl_crammd5_digest(const struct sasl_crammd5 *states, struct str challenge, char r_hex[32])
{
	uint32_t in[4], out[4];
	uint8_t digest[16];

	for (int i = 0; i < 4; i++) {
		in[i] = get32(states->ipad + 4 * i);
		out[i] = get32(states->opad + 4 * i);
	}
	md5_finish(in, BLOCK, challenge, digest);
	md5_finish(out, BLOCK, str_n((const char *)digest, sizeof(digest)), digest);
	for (int i = 0; i < 16; i++) {
		r_hex[2 * i] = "0123456789abcdef"[digest[i] >> 4];
		r_hex[2 * i + 1] = "0123456789abcdef"[digest[i] & 15];
	}
}
