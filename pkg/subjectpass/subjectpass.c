/* SPDX-License-Identifier: MIT */
/*
 * A token is base64url of 16 bytes: 4 bits version 0 and 28 bits of the Unix time in units of 256 s, then the first 12 bytes of HMAC-SHA256 over those
 * 4 bytes and the address. ../spec/junk.md 6.
 */
#include "subjectpass/subjectpass.h"

#include <openssl/crypto.h>

#include "base/enc.h"
#include "base/hash.h"
#include "base/timeutil.h"
#include "metrics/metrics.h"

#define TIME_SIZE 4
#define MAC_SIZE 12
#define START "(pass:"

static struct metric metric_generate = METRICS_COUNTER_INIT("mox_subjectpass_generate_total", "Tokens for subjects made.");
static struct metric metric_verify = METRICS_COUNTER_INIT("mox_subjectpass_verify_total", "Tokens in subjects looked at.", "result");

static void
mac(struct arena *a, struct str key, const char stamp[TIME_SIZE], struct str from, uint8_t r_mac[32])
{
	hash_hmac_sha256(key, str_cat(a, str_n(stamp, TIME_SIZE), from), r_mac);
}

struct str
subjectpass_generate(struct arena *a, struct str key, struct str from, int64_t now_us)
{
	uint32_t t = (uint32_t)(now_us / TIME_SEC >> 8) & 0x0fffffff;
	char token[TIME_SIZE + MAC_SIZE] = { (char)(t >> 24), (char)(t >> 16), (char)(t >> 8), (char)t };
	uint8_t sum[32];

	mac(a, key, token, from, sum);
	memcpy(token + TIME_SIZE, sum, MAC_SIZE);
	metrics_add(&metric_generate, 1, NULL);
	return str_fmt(a, START STRF ")", STRA(enc_base64(a, str_n(token, sizeof(token)), ENC_URL)));
}

const char *
subjectpass_result_text(enum subjectpass_result r)
{
	static const char *const text[] = { "ok", "none", "malformed", "forged", "expired" };

	return text[r];
}

static enum subjectpass_result
verify(struct arena *a, struct str key, struct str subject, struct str from, int64_t period_us, int64_t now_us)
{
	ssize_t at = str_search(subject, S(START));
	struct str rest, token;
	uint8_t sum[32];
	int64_t made_s;

	if (at < 0)
		return SUBJECTPASS_NONE;
	rest = str_from(subject, (size_t)at + strlen(START));
	if (!str_has(rest, ')') || enc_unbase64(a, str_split(&rest, ')'), ENC_URL, &token) < 0 || token.n != TIME_SIZE + MAC_SIZE ||
	    (uint8_t)token.p[0] >> 4 != 0)
		return SUBJECTPASS_MALFORMED;
	mac(a, key, token.p, from, sum);
	if (CRYPTO_memcmp(sum, token.p + TIME_SIZE, MAC_SIZE) != 0)
		return SUBJECTPASS_FORGED;
	made_s = (int64_t)((uint32_t)(uint8_t)token.p[0] << 24 | (uint32_t)(uint8_t)token.p[1] << 16 | (uint32_t)(uint8_t)token.p[2] << 8 |
	    (uint32_t)(uint8_t)token.p[3]) << 8;
	return now_us - made_s * TIME_SEC > period_us ? SUBJECTPASS_EXPIRED : SUBJECTPASS_OK;
}

enum subjectpass_result
subjectpass_verify(struct arena *a, struct str key, struct str subject, struct str from, int64_t period_us, int64_t now_us)
{
	enum subjectpass_result r = verify(a, key, subject, from, period_us, now_us);

	metrics_add(&metric_verify, 1, subjectpass_result_text(r), NULL);
	return r;
}
