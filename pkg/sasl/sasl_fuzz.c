/* SPDX-License-Identifier: MIT */
/*
 * The first byte chooses the mechanism; the rest is lines of the client, encoded as on the wire. Also feeds passwords to OpaqueString.
 */
#include "sasl/sasl.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int
no_password(void *arg unused_, struct arena *a unused_, struct str user, struct str password)
{
	return str_is(user, password) ? 0 : SASL_BAD_CREDENTIALS;
}

static int
some_keys(void *arg unused_, struct arena *a unused_, struct str user unused_, enum scram_hash h unused_, struct scram_keys *r_keys)
{
	*r_keys = (struct scram_keys){ .salt = S("12345678"), .iterations = 1 };
	return 0;
}

static int
yes(void *arg unused_, struct arena *a unused_, struct str user unused_)
{
	return 0;
}

static int
no_crammd5(void *arg unused_, struct arena *a unused_, struct str user unused_, struct str challenge unused_, struct str digest unused_)
{
	return SASL_NO_SECRET;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct sasl_server_ops ops = { no_password, some_keys, yes, no_crammd5, yes };
	struct scram_binding b = { .tls_exporter = S("data") };
	struct sasl_server *s;
	struct arena a = { 0 };
	struct str out;

	if (size == 0)
		return 0;
	struct str in = str_n((const char *)data + 1, size - 1);
	ignore_result(sasl_opaque_string(&a, in, &out));
	arena_done(&a);

	struct sasl_server_args args = { .mech = data[0] % SASL_MECHS, .ops = &ops, .tls = data[0] & 128, .allow_cleartext = true, .binding = &b,
	    .host = S("h"), .nonce = S("nonce") };
	if (sasl_server_start(&args, &s) < 0)
		return 0;
	struct str line = str_split(&in, '\n');
	int status = sasl_server_initial(s, data[0] & 64 ? NULL : &line, &out);
	while (status == SASL_CONTINUE && in.n > 0)
		status = sasl_server_line(s, str_split(&in, '\n'), &out);
	sasl_server_free(&s);
	return 0;
}
