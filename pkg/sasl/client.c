/* SPDX-License-Identifier: MIT */
/*
 * The client side of an exchange.
 */
#include "base/cur.h"
#include "base/enc.h"
#include "base/mem.h"
#include "base/utf8.h"
#include "sasl/sasl.h"

struct sasl_client {
	struct sasl_client_args args;
	struct arena a;
	struct scram_binding binding;
	struct scram_client scram;
	int step;
	bool over;
};

/* prepared applies OpaqueString, and keeps the password as it is where that fails: the server may take it all the same. */
static struct str
prepared(struct sasl_client *c)
{
	struct str p = c->args.password;

	ignore_result(sasl_opaque_string(&c->a, p, &p) < 0);
	return p;
}

static int
plain_step(struct sasl_client *c, struct str data unused_, struct sasl_send *send)
{
	/* message = [authzid] UTF8NUL authcid UTF8NUL passwd    rfc/4616:122 */
	char *p = arena_bytes(&c->a, c->args.authzid.n + c->args.user.n + c->args.password.n + 2);
	const struct str fields[] = { c->args.authzid, c->args.user, c->args.password };
	size_t n = 0;

	for (size_t i = 0; i < ARRAY_LEN(fields); i++) {
		if (str_has(fields[i], '\0'))
			return SASL_BAD_SYNTAX;
		if (i > 0)
			p[n++] = '\0';
		if (fields[i].n > 0)
			memcpy(p + n, fields[i].p, fields[i].n);
		n += fields[i].n;
	}
	*send = (struct sasl_send){ .has = true, .data = str_n(p, n), .last = true };
	return 0;
}

static int
login_step(struct sasl_client *c, struct str data unused_, struct sasl_send *send)
{
	/* What the challenges say does not matter: servers word them differently. */
	*send = (struct sasl_send){ .has = true, .data = c->step == 0 ? c->args.user : c->args.password, .last = c->step > 0 };
	return 0;
}

static int
external_step(struct sasl_client *c, struct str data unused_, struct sasl_send *send)
{
	*send = (struct sasl_send){ .has = true, .data = c->args.authzid, .last = true };
	return 0;
}

/* cram_challenge_ok: "<" digits "." stamp "@" host ">", of which only the frame is checked. */
static bool
cram_challenge_ok(struct str s)
{
	struct cur p = cur_of(s);

	cur_char(&p, '<');
	cur_until(&p, '.');
	cur_char(&p, '.');
	bool stamp = cur_until(&p, '@').n > 0;
	cur_char(&p, '@');
	bool host = cur_until(&p, '>').n > 0;
	cur_char(&p, '>');
	return stamp && host && cur_done(&p);
}

static int
cram_step(struct sasl_client *c, struct str data, struct sasl_send *send)
{
	struct sasl_crammd5 states;
	char hex[32];

	if (c->step == 0) {
		*send = (struct sasl_send){ .has = false };
		return 0;
	}
	if (!cram_challenge_ok(data))
		return SASL_BAD_SYNTAX;
	sasl_crammd5_derive(prepared(c), &states);
	sasl_crammd5_digest(&states, data, hex);
	mem_erase(&states, sizeof(states));
	*send = (struct sasl_send){ .has = true, .last = true, .data = str_fmt(&c->a, STRF " %.32s", STRA(c->args.user), hex) };
	return 0;
}

static int
scram_step(struct sasl_client *c, struct str data, struct sasl_send *send)
{
	enum sasl_mech m = c->args.mech;
	struct scram_client_args args = {
		.hash = m == SASL_SCRAM_SHA256 || m == SASL_SCRAM_SHA256_PLUS ? SCRAM_SHA256 : SCRAM_SHA1,
		.plus = m == SASL_SCRAM_SHA256_PLUS || m == SASL_SCRAM_SHA1_PLUS,
		.user = c->args.user,
		.no_server_plus = c->args.no_server_plus,
		.binding = &c->binding,
		.nonce = c->args.nonce,
	};
	struct str msg;

	switch (c->step) {
	case 0:
		args.password = prepared(c);
		TRY(scram_client_first(&c->scram, &c->a, &args, &msg));
		*send = (struct sasl_send){ .has = true, .data = msg };
		return 0;
	case 1:
		TRY(scram_client_final(&c->scram, data, &msg));
		*send = (struct sasl_send){ .has = true, .data = msg };
		return 0;
	default: {
		int err = scram_client_verify(&c->scram, data);
		if (err == SCRAM_INVALID_PROOF || err == SCRAM_UNKNOWN_USER || err == SCRAM_BAD_SIGNATURE)
			return SASL_BAD_CREDENTIALS;
		TRY(err);
		*send = (struct sasl_send){ .has = false, .last = true };
		return 0;
	}
	}
}

static const struct {
	int (*step)(struct sasl_client *c, struct str data, struct sasl_send *send);
	int steps;
} table[SASL_MECHS] = {
	[SASL_EXTERNAL] = { external_step, 1 },
	[SASL_SCRAM_SHA256_PLUS] = { scram_step, 3 },
	[SASL_SCRAM_SHA256] = { scram_step, 3 },
	[SASL_SCRAM_SHA1_PLUS] = { scram_step, 3 },
	[SASL_SCRAM_SHA1] = { scram_step, 3 },
	[SASL_CRAM_MD5] = { cram_step, 2 },
	[SASL_PLAIN] = { plain_step, 1 },
	[SASL_LOGIN] = { login_step, 2 },
};

struct sasl_client *
sasl_client_new(const struct sasl_client_args *args)
{
	struct sasl_client *c = mem_alloc(sizeof(*c));

	c->args = *args;
	arena_init(&c->a, 1024);
	c->args.user = str_dup(&c->a, args->user);
	c->args.password = str_dup(&c->a, args->password);
	c->args.authzid = str_dup(&c->a, args->authzid);
	c->args.nonce = str_dup(&c->a, args->nonce);
	if (args->binding != NULL) {
		c->binding.tls_unique = str_dup(&c->a, args->binding->tls_unique);
		c->binding.tls_exporter = str_dup(&c->a, args->binding->tls_exporter);
		c->binding.tls_server_end_point = str_dup(&c->a, args->binding->tls_server_end_point);
	}
	return c;
}

int
sasl_client_step(struct sasl_client *c, const struct str *data, struct sasl_send *r_send)
{
	if (c->over || c->step == table[c->args.mech].steps || (data == NULL) != (c->step == 0))
		return ERR_INVALID;
	int status = table[c->args.mech].step(c, data ? *data : S(""), r_send);
	c->over = status < 0;
	c->step++;
	return status;
}

void
sasl_client_free(struct sasl_client **cp)
{
	struct sasl_client *c = *cp;

	if (c == NULL)
		return;
	arena_erase(&c->a);
	mem_erase(c, sizeof(*c));
	mem_free(cp);
}
