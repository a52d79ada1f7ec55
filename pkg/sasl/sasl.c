/* SPDX-License-Identifier: MIT */
/*
 * Names of mechanisms and words for outcomes.
 */
#include "sasl/sasl.h"

static const struct {
	const char *name, *lower;
	bool cleartext;
} mechs[SASL_MECHS] = {
	[SASL_EXTERNAL] = { "EXTERNAL", "external", false },
	[SASL_SCRAM_SHA256_PLUS] = { "SCRAM-SHA-256-PLUS", "scram-sha-256-plus", false },
	[SASL_SCRAM_SHA256] = { "SCRAM-SHA-256", "scram-sha-256", false },
	[SASL_SCRAM_SHA1_PLUS] = { "SCRAM-SHA-1-PLUS", "scram-sha-1-plus", false },
	[SASL_SCRAM_SHA1] = { "SCRAM-SHA-1", "scram-sha-1", false },
	[SASL_CRAM_MD5] = { "CRAM-MD5", "cram-md5", false },
	[SASL_PLAIN] = { "PLAIN", "plain", true },
	[SASL_LOGIN] = { "LOGIN", "login", true },
};

const char *
sasl_mech_name(enum sasl_mech m)
{
	return mechs[m].name;
}

const char *
sasl_mech_lower(enum sasl_mech m)
{
	return mechs[m].lower;
}

bool
sasl_mech_cleartext(enum sasl_mech m)
{
	return mechs[m].cleartext;
}

int
sasl_mech_parse(struct str name, enum sasl_mech *r_m)
{
	for (enum sasl_mech m = 0; m < SASL_MECHS; m++) {
		if (str_is(name, str_of(mechs[m].name))) {
			*r_m = m;
			return 0;
		}
	}
	return ERR_NOTFOUND;
}

const char *
sasl_result(int err)
{
	switch (err) {
	case 0: return "ok";
	case SASL_ABORTED: return "aborted";
	case SASL_BAD_CREDENTIALS:
	case SASL_BAD_AUTHZID: return "badcreds";
	case SASL_BAD_BINDING: return "badchanbind";
	case SASL_LOGIN_DISABLED: return "logindisabled";
	case SASL_NO_SECRET:
	case SASL_SERVER_ERROR: return "error";
	default: return "badprotocol";
	}
}

bool
sasl_counts(int err)
{
	return err < 0 && err != SASL_NO_SECRET && err != SASL_SERVER_ERROR;
}
