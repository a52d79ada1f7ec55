/* SPDX-License-Identifier: MIT */
/*
 * The server side.
 */
#include "base/enc.h"
#include "base/mem.h"
#include "base/utf8.h"
#include "scram/scram_internal.h"

/* pick_binding finds the data of the binding that the client named. */
static int
pick_binding(struct scram_server *s, struct str name)
{
	const struct scram_binding *b = s->args.binding;
	struct str data;

	if (b == NULL)
		return SCRAM_BINDINGS_DONT_MATCH;
	if (str_is(name, S("tls-exporter")))
		data = b->tls_exporter;
	else if (str_is(name, S("tls-unique")))
		data = b->tls_unique;
	else if (str_is(name, S("tls-server-end-point")))
		data = b->tls_server_end_point;
	else
		return SCRAM_UNSUPPORTED_BINDING_TYPE;
	if (data.n == 0)        /* a binding of the other TLS version */
		return SCRAM_BINDINGS_DONT_MATCH;
	s->binding_data = data;
	return 0;
}

/* gs2-cbind-flag = ("p=" cb-name) / "n" / "y"    rfc/5802:903 */
static int
parse_flag(struct scram_server *s, struct cur *p)
{
	if (cur_try(p, 'n'))
		return s->args.plus ? SCRAM_BINDINGS_DONT_MATCH : 0;
	if (cur_try(p, 'y'))
		return SCRAM_SERVER_DOES_SUPPORT_BINDING;       /* rfc/5802:791 */
	struct str name = scram_attr(p, 'p');
	return cur_ok(p) ? pick_binding(s, name) : SCRAM_INVALID_ENCODING;
}

/*
 * client-first-message = gs2-header client-first-message-bare                                     rfc/5802:949
 * gs2-header = gs2-cbind-flag "," [ authzid ] ","                                                  rfc/5802:910
 * client-first-message-bare = [reserved-mext ","] username "," nonce ["," extensions]              rfc/5802:945
 */
int
scram_server_start(struct scram_server *s, struct arena *a, const struct scram_server_args *args, struct str client_first)
{
	*s = (struct scram_server){ .args = *args, .a = a };
	client_first = str_dup(a, client_first);
	struct cur p = cur_of(client_first);

	TRY(parse_flag(s, &p));
	cur_char(&p, ',');
	if (!cur_is(&p, ',')) {
		struct str authzid = scram_attr(&p, 'a');
		if (!cur_ok(&p))
			return SCRAM_INVALID_ENCODING;
		TRY(scram_unescape(a, authzid, &s->authzid));
	}
	cur_char(&p, ',');
	s->gs2_header = str_upto(client_first, cur_off(&p));
	s->first_bare = cur_rest(&p);

	if (cur_is(&p, 'm'))
		return SCRAM_EXTENSIONS_NOT_SUPPORTED;          /* rfc/5802:632 */
	struct str user = scram_attr(&p, 'n');
	cur_char(&p, ',');
	struct str nonce = scram_attr(&p, 'r');
	bool mandatory = false;
	scram_extensions(&p, false, &mandatory);
	if (!cur_done(&p))
		return SCRAM_INVALID_ENCODING;
	if (mandatory)
		return SCRAM_EXTENSIONS_NOT_SUPPORTED;
	if (nonce.n < SCRAM_NONCE_MIN || !scram_nonce_valid(nonce))
		return SCRAM_INVALID_ENCODING;
	TRY(scram_unescape(a, user, &s->user));
	s->nonce = str_cat(a, nonce, scram_nonce(a, args->nonce));
	return 0;
}

/* server-first-message = nonce "," salt "," iteration-count    rfc/5802:959 */
struct str
scram_server_challenge(struct scram_server *s, const struct scram_keys *keys)
{
	s->keys = *keys;
	struct str salt = enc_base64(s->a, keys->salt, ENC_STD);
	s->server_first = str_fmt(s->a, "r=" STRF ",s=" STRF ",i=%u", STRA(s->nonce), STRA(salt), keys->iterations);
	return s->server_first;
}

static int
finish_error(struct scram_server *s, int err)
{
	s->reply = str_fmt(s->a, "e=%s", scram_error_name(err));
	mem_erase(&s->keys, sizeof(s->keys));
	return err;
}

/*
 * client-final-message = channel-binding "," nonce ["," extensions] "," proof    rfc/5802:963, rfc/5802:967
 */
int
scram_server_finish(struct scram_server *s, struct str client_final)
{
	size_t n = scram_hash_len(s->args.hash);
	uint8_t sig[SCRAM_HASH_MAX], key[SCRAM_HASH_MAX], stored[SCRAM_HASH_MAX];
	struct str cbind, proof;
	bool mandatory = false;

	struct cur p = cur_of(client_final);
	struct str c64 = scram_attr(&p, 'c');
	cur_char(&p, ',');
	struct str nonce = scram_attr(&p, 'r');
	scram_extensions(&p, true, &mandatory);
	struct str without_proof = str_upto(client_final, cur_off(&p));
	cur_char(&p, ',');
	struct str p64 = scram_attr(&p, 'p');
	if (!cur_done(&p) || enc_unbase64(s->a, c64, ENC_STD, &cbind) < 0 || enc_unbase64(s->a, p64, ENC_STD, &proof) < 0)
		return finish_error(s, SCRAM_INVALID_ENCODING);
	if (mandatory)
		return finish_error(s, SCRAM_EXTENSIONS_NOT_SUPPORTED);

	/* rfc/5802:805: also without a binding, for the header says that there is none. */
	struct str want = str_cat(s->a, s->gs2_header, s->binding_data);
	if (cbind.n != want.n || !mem_equal(cbind.p, want.p, want.n))
		return finish_error(s, SCRAM_BINDINGS_DONT_MATCH);
	if (!str_is(nonce, s->nonce))
		return finish_error(s, SCRAM_INVALID_PROOF);    /* rfc/5802:646 */
	if (proof.n != n)
		return finish_error(s, SCRAM_INVALID_PROOF);

	/* ClientKey := ClientProof XOR HMAC(StoredKey, AuthMessage); H(ClientKey) must be StoredKey: rfc/5802:424 */
	struct str auth = scram_auth_message(s->a, s->first_bare, s->server_first, without_proof);
	scram_hmac(s->args.hash, str_n((const char *)s->keys.stored_key, n), auth, sig);
	for (size_t i = 0; i < n; i++)
		key[i] = sig[i] ^ (uint8_t)proof.p[i];
	scram_digest(s->args.hash, str_n((const char *)key, n), stored);
	bool good = mem_equal(stored, s->keys.stored_key, n);
	mem_erase(key, sizeof(key));
	if (!good)
		return finish_error(s, SCRAM_INVALID_PROOF);

	scram_hmac(s->args.hash, str_n((const char *)s->keys.server_key, n), auth, sig);
	struct str v = enc_base64(s->a, str_n((const char *)sig, n), ENC_STD);
	s->reply = str_fmt(s->a, "v=" STRF, STRA(v));
	mem_erase(&s->keys, sizeof(s->keys));
	return 0;
}
