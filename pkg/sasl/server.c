/* SPDX-License-Identifier: MIT */
/*
 * The server side of an exchange: one small function per message of a mechanism.
 */
#include "base/enc.h"
#include "base/mem.h"
#include "base/randutil.h"
#include "base/timeutil.h"
#include "base/utf8.h"
#include "sasl/sasl.h"

struct sasl_server {
	struct sasl_server_args args;
	struct arena a;
	struct scram_binding binding;
	struct scram_server scram;
	struct str user;
	struct str challenge;           /* CRAM-MD5 */
	int step;                       /* messages of the client that were handled */
	int pending;                    /* error to return after the next line, whatever it holds */
	int scram_err;
	bool over;
};

typedef int step_fn(struct sasl_server *s, struct str data, struct str *r_challenge);

/* set_user keeps the name: data of the client lives for one step only. */
static void
set_user(struct sasl_server *s, struct str name)
{
	s->user = str_dup(&s->a, utf8_nfc(&s->a, name));
}

/* --- PLAIN: message = [authzid] UTF8NUL authcid UTF8NUL passwd    rfc/4616:122 --- */

static int
plain_message(struct sasl_server *s, struct str data, struct str *r_challenge unused_)
{
	struct str rest = data;
	struct str authzid = str_split(&rest, '\0');
	struct str user = str_split(&rest, '\0');

	/* Exactly two NULs: what is left is the password. */
	size_t nuls = 0;
	for (size_t i = 0; i < data.n; i++)
		nuls += data.p[i] == '\0';
	if (nuls != 2 || !utf8_valid(authzid) || !utf8_valid(user))
		return SASL_BAD_SYNTAX;
	set_user(s, user);
	if (authzid.n > 0 && !str_is(utf8_nfc(&s->a, authzid), s->user))
		return SASL_BAD_AUTHZID;
	return s->args.ops->password(s->args.arg, &s->a, s->user, rest);
}

static int
plain_ask(struct sasl_server *s unused_, struct str data unused_, struct str *r_challenge)
{
	*r_challenge = S("");
	return SASL_CONTINUE;
}

/* --- LOGIN: two challenges, whose texts Outlook wants exactly so --- */

static int
login_ask(struct sasl_server *s unused_, struct str data unused_, struct str *r_challenge)
{
	*r_challenge = S("Username:");
	return SASL_CONTINUE;
}

static int
login_user(struct sasl_server *s, struct str data, struct str *r_challenge)
{
	if (!utf8_valid(data) || str_has(data, '\0'))
		return SASL_BAD_SYNTAX;
	set_user(s, data);
	*r_challenge = S("Password:");
	return SASL_CONTINUE;
}

static int
login_password(struct sasl_server *s, struct str data, struct str *r_challenge unused_)
{
	return s->args.ops->password(s->args.arg, &s->a, s->user, data);
}

/* --- CRAM-MD5 --- */

/* The challenge has the form of a msg-id, with random digits, a time, and our name: rfc/2195:82 */
static int
cram_challenge(struct sasl_server *s, struct str data unused_, struct str *r_challenge)
{
	if (s->args.nonce.n > 0)
		s->challenge = str_dup(&s->a, s->args.nonce);
	else
		s->challenge = str_fmt(&s->a, "<%llu.%lld@" STRF ">", (unsigned long long)rand_u64(), (long long)time_now_us(), STRA(s->args.host));
	*r_challenge = s->challenge;
	return SASL_CONTINUE;
}

/* Response: user name, a space, 32 lower-case hex digits: rfc/2195:88 */
static int
cram_response(struct sasl_server *s, struct str data, struct str *r_challenge unused_)
{
	ssize_t sp = str_find(data, ' ');
	struct str digest = str_from(data, (size_t)(sp + 1));

	if (sp <= 0 || digest.n != 32 || !utf8_valid(data))
		return SASL_BAD_SYNTAX;
	for (size_t i = 0; i < digest.n; i++)
		if (!(digest.p[i] >= '0' && digest.p[i] <= '9') && !(digest.p[i] >= 'a' && digest.p[i] <= 'f'))
			return SASL_BAD_SYNTAX;
	set_user(s, str_upto(data, (size_t)sp));
	return s->args.ops->crammd5(s->args.arg, &s->a, s->user, s->challenge, digest);
}

/* --- SCRAM --- */

static bool
is_plus(enum sasl_mech m)
{
	return m == SASL_SCRAM_SHA256_PLUS || m == SASL_SCRAM_SHA1_PLUS;
}

static enum scram_hash
hash_of(enum sasl_mech m)
{
	return m == SASL_SCRAM_SHA256 || m == SASL_SCRAM_SHA256_PLUS ? SCRAM_SHA256 : SCRAM_SHA1;
}

static int
scram_first(struct sasl_server *s, struct str data, struct str *r_challenge)
{
	struct scram_server_args args = {
		.hash = hash_of(s->args.mech),
		.plus = is_plus(s->args.mech),
		.binding = s->args.tls && s->args.binding ? &s->binding : NULL,
		.nonce = s->args.nonce,
	};
	struct scram_keys keys = { 0 };

	s->scram_err = scram_server_start(&s->scram, &s->a, &args, data);
	s->user = s->scram.user;
	if (s->scram_err < 0)
		return SASL_BAD_FIRST;
	if (s->scram.authzid.n > 0 && !str_is(s->scram.authzid, s->scram.user))
		return SASL_BAD_AUTHZID;
	TRY(s->args.ops->scram_keys(s->args.arg, &s->a, s->user, args.hash, &keys));
	*r_challenge = scram_server_challenge(&s->scram, &keys);
	mem_erase(&keys, sizeof(keys));
	return SASL_CONTINUE;
}

static int
scram_final(struct sasl_server *s, struct str data, struct str *r_challenge)
{
	s->scram_err = scram_server_finish(&s->scram, data);
	*r_challenge = s->scram.reply;
	switch (s->scram_err) {
	case 0: break;
	case SCRAM_INVALID_PROOF: s->pending = SASL_BAD_CREDENTIALS; break;
	case SCRAM_BINDINGS_DONT_MATCH: s->pending = SASL_BAD_BINDING; break;
	default: s->pending = SASL_BAD_FINAL;
	}
	return SASL_CONTINUE;
}

/* After server-final the client sends an empty response; what it holds does not matter. */
static int
scram_end(struct sasl_server *s, struct str data unused_, struct str *r_challenge unused_)
{
	return s->args.ops->verified(s->args.arg, &s->a, s->user);
}

/* --- EXTERNAL: the response is an authorization identity, mostly empty: rfc/4422:1618 --- */

static int
external_message(struct sasl_server *s, struct str data, struct str *r_challenge unused_)
{
	if (!utf8_valid(data) || str_has(data, '\0'))
		return SASL_BAD_SYNTAX;
	set_user(s, data);
	return s->args.ops->external(s->args.arg, &s->a, s->user);
}

/* --- the table --- */

struct mech {
	bool tls;               /* needs TLS in any case */
	step_fn *ask;           /* first challenge, when the client sent no initial response */
	bool server_first;      /* the server speaks first: no initial response */
	step_fn *steps[3];
};

static const struct mech table[SASL_MECHS] = {
	[SASL_EXTERNAL] = { .tls = true, .ask = plain_ask, .steps = { external_message } },
	[SASL_SCRAM_SHA256_PLUS] = { .tls = true, .ask = plain_ask, .steps = { scram_first, scram_final, scram_end } },
	[SASL_SCRAM_SHA256] = { .ask = plain_ask, .steps = { scram_first, scram_final, scram_end } },
	[SASL_SCRAM_SHA1_PLUS] = { .tls = true, .ask = plain_ask, .steps = { scram_first, scram_final, scram_end } },
	[SASL_SCRAM_SHA1] = { .ask = plain_ask, .steps = { scram_first, scram_final, scram_end } },
	[SASL_CRAM_MD5] = { .ask = cram_challenge, .server_first = true, .steps = { cram_response } },
	[SASL_PLAIN] = { .ask = plain_ask, .steps = { plain_message } },
	[SASL_LOGIN] = { .ask = login_ask, .steps = { login_user, login_password } },
};

int
sasl_server_start(const struct sasl_server_args *args, struct sasl_server **r_s)
{
	bool need_tls = table[args->mech].tls || (sasl_mech_cleartext(args->mech) && !args->allow_cleartext);

	if (need_tls && !args->tls)
		return SASL_TLS_REQUIRED;
	struct sasl_server *s = mem_alloc(sizeof(*s));
	s->args = *args;
	arena_init(&s->a, 1024);
	s->args.host = str_dup(&s->a, args->host);
	s->args.nonce = str_dup(&s->a, args->nonce);
	if (args->binding != NULL) {
		s->binding.tls_unique = str_dup(&s->a, args->binding->tls_unique);
		s->binding.tls_exporter = str_dup(&s->a, args->binding->tls_exporter);
		s->binding.tls_server_end_point = str_dup(&s->a, args->binding->tls_server_end_point);
	}
	*r_s = s;
	return 0;
}

int
sasl_server_step(struct sasl_server *s, const struct str *data, struct str *r_challenge)
{
	const struct mech *m = &table[s->args.mech];
	int status;

	bug_if(s->over || (data == NULL && s->step > 0));
	if (s->pending < 0) {
		status = s->pending;
	} else if (data == NULL) {
		s->step = 1;
		status = m->ask(s, S(""), r_challenge);
	} else if (s->step == 0 && m->server_first) {
		status = SASL_NO_INITIAL;
	} else {
		/* Step 1 is the first message of the client, with or without a challenge before it. */
		if (s->step == 0)
			s->step = 1;
		status = m->steps[s->step - 1](s, *data, r_challenge);
		s->step++;
	}
	s->over = status != SASL_CONTINUE;
	return status;
}

static int
step_encoded(struct sasl_server *s, const struct str *data, struct str *r_challenge_encoded)
{
	struct str challenge = { 0 };

	int status = sasl_server_step(s, data, &challenge);
	if (status == SASL_CONTINUE)
		*r_challenge_encoded = enc_base64(&s->a, challenge, ENC_STD);
	return status;
}

int
sasl_server_initial(struct sasl_server *s, const struct str *encoded, struct str *r_challenge_encoded)
{
	if (encoded == NULL)
		return step_encoded(s, NULL, r_challenge_encoded);
	if (str_is(*encoded, S("="))) {
		struct str empty = S("");
		return step_encoded(s, &empty, r_challenge_encoded);
	}
	return sasl_server_line(s, *encoded, r_challenge_encoded);
}

int
sasl_server_line(struct sasl_server *s, struct str line, struct str *r_challenge_encoded)
{
	struct str data = { 0 };

	/* When the exchange has failed already the client may as well abort: that is still its failure. */
	if (s->pending == 0) {
		if (str_is(line, S("*")))
			return SASL_ABORTED;
		if (enc_unbase64(&s->a, line, ENC_STD, &data) < 0)
			return SASL_BAD_BASE64;
	}
	return step_encoded(s, &data, r_challenge_encoded);
}

enum sasl_mech
sasl_server_mech(const struct sasl_server *s)
{
	return s->args.mech;
}

struct str
sasl_server_user(const struct sasl_server *s)
{
	return s->user;
}

int
sasl_server_scram_err(const struct sasl_server *s)
{
	return s->scram_err;
}

void
sasl_server_free(struct sasl_server **sp)
{
	struct sasl_server *s = *sp;

	if (s == NULL)
		return;
	arena_erase(&s->a);
	mem_erase(s, sizeof(*s));
	mem_free(sp);
}
