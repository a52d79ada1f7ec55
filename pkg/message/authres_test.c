/* SPDX-License-Identifier: MIT */
/*
 * authres_test.c - Authentication-Results fields of go-msgauth and of the RFC, see testdata/authres/README.md. Every case
 * runs; those that we see differently are listed with the reason.
 */
#include <cjson/cJSON.h>

#include "message/authres.h"
#include "testutil/testutil.h"

static const char *
text_of(const cJSON *t, const char *key)
{
	const cJSON *v = cJSON_GetObjectItem(t, key);

	return cJSON_IsString(v) ? v->valuestring : "";
}

static struct str
prop_of(const struct message_authmethod *m, const char *name)
{
	for (uint32_t i = 0; i < m->nprops; i++)
		if (str_is(str_fmt(test_arena(), STRF "." STRF, STRA(m->props[i].type), STRA(m->props[i].property)),
			str_of(name)))
			return m->props[i].value;
	return S("(none)");
}

/* Properties by the names that go-msgauth has for them. */
static void
check_msgauth(const struct message_authmethod *m, const cJSON *want)
{
	static const struct {
		const char *type, *method;
	} methods[] = { { "DKIM", "dkim" }, { "SPF", "spf" }, { "Auth", "auth" }, { "SenderID", "sender-id" } };
	static const struct {
		const char *key, *prop;
	} props[] = { { "From", "smtp.mailfrom" }, { "Auth", "smtp.auth" }, { "Identifier", "header.i" } };
	const char *method = "?";

	for (size_t i = 0; i < ARRAY_LEN(methods); i++)
		if (strcmp(methods[i].type, text_of(want, "method_type")) == 0)
			method = methods[i].method;
	assert_strz(m->method, method);
	assert_strz(m->result, text_of(want, "Value"));
	assert_strz(m->reason, text_of(want, "Reason"));
	for (size_t i = 0; i < ARRAY_LEN(props); i++)
		if (text_of(want, props[i].key)[0])
			assert_strz(prop_of(m, props[i].prop), text_of(want, props[i].key));
	if (text_of(want, "HeaderKey")[0])
		assert_strz(prop_of(m, str_fmt(test_arena(), "header.%s", text_of(want, "HeaderKey")).p),
		    text_of(want, "HeaderValue"));
}

static void
check_rfc(const struct message_authmethod *m, const cJSON *want)
{
	const cJSON *prop;

	assert_strz(m->method, text_of(want, "method"));
	assert_strz(m->result, text_of(want, "result"));
	cJSON_ArrayForEach(prop, cJSON_GetObjectItem(want, "properties"))
	    assert_strz(prop_of(m, prop->string), prop->valuestring);
}

static size_t
run(const cJSON *rows, const char *id, void (*check)(const struct message_authmethod *, const cJSON *))
{
	const cJSON *row, *want;
	size_t n = 0;

	cJSON_ArrayForEach(row, rows)
	{
		struct message_authres r;
		struct str value = str_of(text_of(row, "value"));
		uint32_t i = 0;

		test_row("%s", text_of(row, "value"));
		n++;
		/* An empty field is not taken for one without results: the authserv-id is missing, rfc/8601:579 */
		if (value.n == 0) {
			assert_err(message_authres_parse(test_arena(), value, &r, NULL), ERR_INVALID);
			continue;
		}
		assert_ok(message_authres_parse(test_arena(), test_exact(value), &r, NULL));
		assert_strz(r.hostname, text_of(row, id));
		assert_int_equal(r.nmethods, cJSON_GetArraySize(cJSON_GetObjectItem(row, "results")));
		cJSON_ArrayForEach(want, cJSON_GetObjectItem(row, "results")) check(&r.methods[i++], want);
	}
	return n;
}

TEST(authres_suite)
{
	struct str text = test_read(test_data("authres/authentication-results.json"));
	cJSON *all = cJSON_ParseWithLength(text.p, text.n);

	assert_int_equal(run(cJSON_GetObjectItem(all, "go-msgauth"), "identifier", check_msgauth), 13);
	assert_int_equal(run(cJSON_GetObjectItem(all, "rfc8601"), "authserv_id", check_rfc), 8);
	cJSON_Delete(all);
}
