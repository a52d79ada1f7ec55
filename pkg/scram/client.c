/* SPDX-License-Identifier: MIT */
/*
 * The client side.
 */
#include "base/enc.h"
#include "base/mem.h"
#include "base/utf8.h"
#include "scram/scram_internal.h"

/* pick_binding chooses the strongest binding that the connection offers; NULL without. */
static const char *
pick_binding(const struct scram_binding *b, struct str *r_data)
{
	if (b == NULL)
		return NULL;
	if (b->tls_exporter.n > 0) {
		*r_data = b->tls_exporter;
		return "tls-exporter";
	}
	if (b->tls_unique.n > 0) {
		*r_data = b->tls_unique;
		return "tls-unique";
	}
	if (b->tls_server_end_point.n > 0) {
		*r_data = b->tls_server_end_point;
		return "tls-server-end-point";
	}
	return NULL;
}

int
scram_client_first(struct scram_client *c, struct arena *a, const struct scram_client_args *args, struct str *r_msg)
{
	const char *name;

	*c = (struct scram_client){ .args = *args, .a = a };
	struct str flag = args->no_server_plus ? S("y") : S("n");
	if (args->plus) {
		name = pick_binding(args->binding, &c->binding_data);
		if (name == NULL)
			return SCRAM_BINDING_NOT_SUPPORTED;
		flag = str_fmt(a, "p=%s", name);
	}
	struct str authzid = args->authzid.n ? str_cat(a, S("a="), scram_escape(a, utf8_nfc(a, args->authzid))) : S("");
	c->gs2_header = str_fmt(a, STRF "," STRF ",", STRA(flag), STRA(authzid));
	c->nonce = scram_nonce(a, args->nonce);
	struct str user = scram_escape(a, utf8_nfc(a, args->user));
	c->first_bare = str_fmt(a, "n=" STRF ",r=" STRF, STRA(user), STRA(c->nonce));
	*r_msg = str_cat(a, c->gs2_header, c->first_bare);
	return 0;
}

int
scram_client_final(struct scram_client *c, struct str server_first, struct str *r_msg)
{
	enum scram_hash h = c->args.hash;
	size_t n = scram_hash_len(h);
	uint8_t client_key[SCRAM_HASH_MAX], sig[SCRAM_HASH_MAX];
	struct scram_keys keys = { 0 };
	bool mandatory = false;

	server_first = str_dup(c->a, server_first);
	struct cur p = cur_of(server_first);
	if (cur_is(&p, 'm'))
		return SCRAM_EXTENSIONS_NOT_SUPPORTED;
	struct str nonce = scram_attr(&p, 'r');
	cur_char(&p, ',');
	struct str s64 = scram_attr(&p, 's');
	cur_char(&p, ',');
	cur_str(&p, S("i="));
	if (cur_is(&p, '0'))
		cur_fail(&p, "iteration count");        /* posit-number, rfc/5802:880 */
	uint64_t iterations = cur_u64(&p, 12, UINT64_MAX, "iteration count");
	scram_extensions(&p, false, &mandatory);
	if (!cur_done(&p) || enc_unbase64(c->a, s64, ENC_STD, &keys.salt) < 0 || !scram_nonce_valid(nonce))
		return SCRAM_INVALID_ENCODING;
	if (mandatory)
		return SCRAM_EXTENSIONS_NOT_SUPPORTED;
	if (!str_starts(nonce, c->nonce))
		return SCRAM_INVALID_ENCODING;          /* rfc/5802:644 */
	if (nonce.n < c->nonce.n + SCRAM_NONCE_MIN || keys.salt.n < SCRAM_SALT_MIN || iterations < SCRAM_ITERATIONS_MIN ||
	    iterations > SCRAM_ITERATIONS_MAX)
		return SCRAM_WEAK_SERVER;
	keys.iterations = (unsigned)iterations;

	struct str cbind = enc_base64(c->a, str_cat(c->a, c->gs2_header, c->binding_data), ENC_STD);
	struct str without_proof = str_fmt(c->a, "c=" STRF ",r=" STRF, STRA(cbind), STRA(nonce));
	struct str auth = scram_auth_message(c->a, c->first_bare, server_first, without_proof);

	scram_client_key(h, c->args.password, &keys, client_key);
	scram_hmac(h, str_n((const char *)keys.stored_key, n), auth, sig);
	for (size_t i = 0; i < n; i++)
		sig[i] ^= client_key[i];
	scram_hmac(h, str_n((const char *)keys.server_key, n), auth, c->server_signature);
	struct str proof = enc_base64(c->a, str_n((const char *)sig, n), ENC_STD);
	*r_msg = str_fmt(c->a, STRF ",p=" STRF, STRA(without_proof), STRA(proof));
	mem_erase(client_key, sizeof(client_key));
	mem_erase(&keys, sizeof(keys));
	return 0;
}

/* server-final-message = (server-error / verifier) ["," extensions]    rfc/5802:995 */
int
scram_client_verify(struct scram_client *c, struct str server_final)
{
	size_t n = scram_hash_len(c->args.hash);
	struct str sig;
	bool mandatory = false;

	struct cur p = cur_of(server_final);
	if (cur_is(&p, 'e')) {
		struct str text = scram_attr(&p, 'e');
		if (!cur_ok(&p))
			return SCRAM_INVALID_ENCODING;
		for (int e = SCRAM_INVALID_ENCODING; e > SCRAM_OTHER_ERROR; e--)
			if (str_is(text, str_of(scram_error_name(e))))
				return e;
		c->server_error = str_dup(c->a, text);
		return SCRAM_OTHER_ERROR;
	}
	struct str v64 = scram_attr(&p, 'v');
	scram_extensions(&p, false, &mandatory);
	if (!cur_done(&p) || enc_unbase64(c->a, v64, ENC_STD, &sig) < 0)
		return SCRAM_INVALID_ENCODING;
	if (mandatory)
		return SCRAM_EXTENSIONS_NOT_SUPPORTED;
	if (sig.n != n || !mem_equal(sig.p, c->server_signature, n))
		return SCRAM_BAD_SIGNATURE;
	return 0;
}
