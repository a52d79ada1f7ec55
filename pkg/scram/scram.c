/* SPDX-License-Identifier: MIT */
/*
 * What both sides share: hashes, keys, attributes, names.
 */
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "base/enc.h"
#include "base/mem.h"
#include "base/randutil.h"
#include "base/utf8.h"
#include "scram/scram_internal.h"

static const EVP_MD *
evp(enum scram_hash h)
{
	return h == SCRAM_SHA1 ? EVP_sha1() : EVP_sha256();
}

size_t
scram_hash_len(enum scram_hash h)
{
	return h == SCRAM_SHA1 ? 20 : 32;
}

void
scram_hmac(enum scram_hash h, struct str key, struct str data, uint8_t *r_out)
{
	if (HMAC(evp(h), key.n ? key.p : "", (int)key.n, (const uint8_t *)data.p, data.n, r_out, NULL) == NULL)
		bug("HMAC failed");
}

void
scram_digest(enum scram_hash h, struct str data, uint8_t *r_out)
{
	if (EVP_Digest(data.p, data.n, r_out, NULL, evp(h), NULL) != 1)
		bug("digest failed");
}

const char *
scram_error_name(int err)
{
	/* rfc/5802:972 */
	switch (err) {
	case SCRAM_INVALID_ENCODING: return "invalid-encoding";
	case SCRAM_EXTENSIONS_NOT_SUPPORTED: return "extensions-not-supported";
	case SCRAM_INVALID_PROOF: return "invalid-proof";
	case SCRAM_BINDINGS_DONT_MATCH: return "channel-bindings-dont-match";
	case SCRAM_SERVER_DOES_SUPPORT_BINDING: return "server-does-support-channel-binding";
	case SCRAM_BINDING_NOT_SUPPORTED: return "channel-binding-not-supported";
	case SCRAM_UNSUPPORTED_BINDING_TYPE: return "unsupported-channel-binding-type";
	case SCRAM_UNKNOWN_USER: return "unknown-user";
	case SCRAM_INVALID_USERNAME_ENCODING: return "invalid-username-encoding";
	case SCRAM_NO_RESOURCES: return "no-resources";
	default: return "other-error";
	}
}

void
scram_client_key(enum scram_hash h, struct str password, struct scram_keys *k, uint8_t *r_client_key)
{
	uint8_t salted[SCRAM_HASH_MAX];
	size_t n = scram_hash_len(h);

	/* Hi() is PBKDF2 with the output length of the hash, rfc/5802:367. */
	if (PKCS5_PBKDF2_HMAC(password.n ? password.p : "", (int)password.n, (const uint8_t *)k->salt.p, (int)k->salt.n, (int)k->iterations, evp(h),
	    (int)n, salted) != 1)
		bug("PBKDF2 failed");
	struct str key = str_n((const char *)salted, n);
	scram_hmac(h, key, S("Client Key"), r_client_key);
	scram_digest(h, str_n((const char *)r_client_key, n), k->stored_key);
	scram_hmac(h, key, S("Server Key"), k->server_key);
	mem_erase(salted, sizeof(salted));
}

void
scram_derive(enum scram_hash h, struct str password, struct scram_keys *k)
{
	uint8_t client_key[SCRAM_HASH_MAX];

	scram_client_key(h, password, k, client_key);
	mem_erase(client_key, sizeof(client_key));
}

/* attr-val = ALPHA "=" value    rfc/5802:853. Names are case-sensitive, rfc/5802:547. */
struct str
scram_attr(struct cur *p, char name)
{
	cur_char(p, name);
	cur_char(p, '=');
	struct str v = cur_until(p, ',');
	if (v.n == 0 || str_has(v, '\0'))
		cur_fail(p, "value");
	return v;
}

/* extensions = attr-val *("," attr-val)    rfc/5802:998 */
void
scram_extensions(struct cur *p, bool before_proof, bool *r_mandatory)
{
	while (cur_is(p, ',')) {
		struct cur save = *p;
		cur_char(p, ',');
		int name = cur_peek(p);
		if (before_proof && name == 'p') {
			*p = save;
			return;
		}
		if (name < 0 || !cur_class_has(&cur_alpha, (unsigned char)name)) {
			cur_fail(p, "attribute");
			return;
		}
		if (name == 'm')
			*r_mandatory = true;
		scram_attr(p, (char)name);
	}
}

/* printable = %x21-2B / %x2D-7E    rfc/5802:865 */
bool
scram_nonce_valid(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] == ',' || !cur_class_has(&cur_vchar, (unsigned char)s.p[i]))
			return false;
	return s.n > 0;
}

struct str
scram_nonce(struct arena *a, struct str given)
{
	char raw[SCRAM_NONCE_BYTES];

	if (given.n > 0)
		return str_dup(a, given);
	rand_bytes(raw, sizeof(raw));
	return enc_base64(a, str_n(raw, sizeof(raw)), ENC_STD);
}

struct str
scram_escape(struct arena *a, struct str s)
{
	char *p = arena_bytes(a, 3 * s.n + 1);
	size_t n = 0;

	/* rfc/5802:627 */
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] == ',' || s.p[i] == '=') {
			memcpy(p + n, s.p[i] == ',' ? "=2C" : "=3D", 3);
			n += 3;
		} else {
			p[n++] = s.p[i];
		}
	}
	return str_n(p, n);
}

/* saslname = 1*(value-safe-char / "=2C" / "=3D")    rfc/5802:883 */
int
scram_unescape(struct arena *a, struct str s, struct str *r_out)
{
	char *p = arena_bytes(a, s.n + 1);
	size_t n = 0;

	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] != '=') {
			p[n++] = s.p[i];
			continue;
		}
		struct str code = str_upto(str_from(s, i + 1), 2);
		if (!str_is(code, S("2C")) && !str_is(code, S("3D")))
			return SCRAM_INVALID_USERNAME_ENCODING;
		p[n++] = code.p[0] == '2' ? ',' : '=';
		i += 2;
	}
	struct str out = str_n(p, n);
	/* A name that is not normalised would have to be hashed as it came, and be looked up otherwise: rfc/5802:606. */
	if (n == 0 || !utf8_is_nfc(out))
		return SCRAM_INVALID_USERNAME_ENCODING;
	*r_out = out;
	return 0;
}

struct str
scram_auth_message(struct arena *a, struct str first_bare, struct str server_first, struct str final_without_proof)
{
	return str_fmt(a, STRF "," STRF "," STRF, STRA(first_bare), STRA(server_first), STRA(final_without_proof));
}
