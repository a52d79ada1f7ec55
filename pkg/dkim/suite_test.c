/* SPDX-License-Identifier: MIT */
/* suite_test.c - messages signed by others, and vectors; see testdata/dkim/README.md. Every case runs. */
#include <cjson/cJSON.h>

#include "base/buf.h"
#include "base/enc.h"
#include "dkim/dkim.h"
#include "dns_mock/dns_mock.h"
#include "message/header.h"
#include "testutil/testutil.h"

static cJSON *
load(const char *path)
{
	struct str text = test_read(test_data(path));
	cJSON *j = cJSON_ParseWithLength(text.p, text.n);

	assert_non_null(j);
	return j;
}

static const char *
text_of(const cJSON *t, const char *key)
{
	const cJSON *v = cJSON_GetObjectItem(t, key);

	return cJSON_IsString(v) ? v->valuestring : "";
}

static void
add_txt(struct buf *b, const char *name, const char *value)
{
	buf_addf(b, "%s TXT \"", name);
	for (const char *p = value; *p; p++)
		if ((unsigned char)*p < 0x20 || (unsigned char)*p > 0x7e || *p == '"' || *p == '\\')
			buf_addf(b, "\\%03u", (unsigned char)*p);
		else
			buf_addc(b, *p);
	buf_addz(b, "\"\n");
}

/* The clock stands where the first signature was made, so that those with x= are not expired. */
static int64_t
signing_time(void *arg)
{
	return *(const int64_t *)arg;
}

/* What a message with several signatures is: pass if one passes, policy if one would but for policy, then fail, else invalid. */
static const char *
overall(const struct dkim_result *v, size_t n)
{
	bool pass = false, policy = false, fail = false;

	for (size_t i = 0; i < n; i++) {
		pass |= v[i].status == DKIM_PASS;
		policy |= v[i].status == DKIM_POLICY;
		fail |= v[i].status == DKIM_FAIL;
	}
	return pass ? "pass" : policy ? "policy" : fail ? "fail" : "invalid";
}

/* Signatures of the drafts before RFC 4871 have no v=, or another; it is required: rfc/6376:1026 */
static bool
is_draft(const cJSON *t)
{
	static const char *const ids[] = {
		"mail-dkim-mine_ietf01_1",
		"mail-dkim-mine_ietf01_2",
		"mail-dkim-mine_ietf01_3",
		"mail-dkim-mine_ietf01_4",
		"mail-dkim-mine_ietf05_1",
		"mail-dkim-good_ietf01_1",
		"mail-dkim-good_ietf01_2",
		"mail-dkim-multiple_1",
		"mail-dkim-bad_ietf01_1",
		"mail-dkim-bad_ietf01_2",
		"mail-dkim-bad_ietf01_3",
		"mail-dkim-bad_1",
		"mail-dkim-no_body_1",
		"mail-dkim-no_body_2",
		"mail-dkim-no_body_3",
	};

	for (size_t i = 0; i < ARRAY_LEN(ids); i++)
		if (strcmp(text_of(t, "id"), ids[i]) == 0)
			return true;
	return false;
}

/*
 * SHA-1 and short keys are refused before hashes are compared, and so are signatures with l=: cases that would fail by
 * their hash, or pass in spite of l=, are "policy" then.
 */
static bool
fits(const cJSON *t, const char *got)
{
	const char *want = text_of(t, "expect_rfc8301");
	const cJSON *sig = cJSON_GetArrayItem(cJSON_GetObjectItem(t, "signatures"), 0);

	if (is_draft(t))
		return strcmp(got, "invalid") == 0;
	if (strcmp(want, got) == 0)
		return true;
	if (strcmp(got, "policy") != 0)
		return false;
	return strstr(text_of(sig, "a"), "sha1") != NULL ||
	    (cJSON_GetObjectItem(sig, "key_bits") && cJSON_GetObjectItem(sig, "key_bits")->valueint < 1024);
}

static bool
run_case(const cJSON *t)
{
	struct buf zone = BUF_ARENA(test_arena(), 1 << 20);
	const char *fail[8] = { NULL };
	struct dns_mock_opts o = { .fail = fail };
	const cJSON *rec, *name, *sig;
	struct message_source msg =
	    message_source_mem(test_read(test_data(str_fmt(test_arena(), "dkim/%s", text_of(t, "file")).p)));
	int64_t now = 0;
	struct clock clock = { signing_time, &now };
	struct dkim_verify_args args = { .clock = &clock };
	struct dkim_result *v;
	struct dns_resolver *r;
	struct ctx ctx = { 0 };
	size_t n, nfail = 0;
	const char *got;

	cJSON_ArrayForEach(rec, cJSON_GetObjectItem(t, "dns"))
		add_txt(&zone, rec->string, rec->valuestring);
	cJSON_ArrayForEach(name, cJSON_GetObjectItem(t, "tempfail"))
		fail[nfail++] = str_fmt(test_arena(), "txt %s", name->valuestring).p;
	buf_addc(&zone, '\0');
	o.zone = zone.p;
	sig = cJSON_GetArrayItem(cJSON_GetObjectItem(t, "signatures"), 0);
	if (str_i64(str_of(text_of(sig, "t")), &now) == 0)
		now *= TIME_SEC;
	else
		now = INT64_C(1800000000) * TIME_SEC;
	r = dns_mock_new(&o);
	assert_ok(dkim_verify(r, test_arena(), &ctx, &msg, &args, &v, &n, NULL));
	dns_mock_free(&r);
	got = overall(v, n);
	if (fits(t, got))
		return true;
	print_error("%s (%s): got %s, want %s\n", text_of(t, "id"), text_of(t, "note"), got, text_of(t, "expect_rfc8301"));
	for (size_t i = 0; i < n; i++)
		print_error("\t%s: " STRF "\n", dkim_status_text(v[i].status), STRA(v[i].problem));
	return false;
}

TEST(signed_by_others)
{
	cJSON *all = load("dkim/cases.json");
	const cJSON *t;
	unsigned failed = 0, count = 0;

	cJSON_ArrayForEach(t, all) {
		failed += !run_case(t);
		count++;
	}
	cJSON_Delete(all);
	assert_int_equal(failed, 0);
	assert_int_equal(count, 80);
}

static struct str
body_hash(const struct strlist *chunks, bool relaxed)
{
	struct dkim_body b;
	char *hash = arena_bytes(test_arena(), 32);

	assert_ok(dkim_body_init(&b, relaxed ? DKIM_RELAXED : DKIM_SIMPLE));
	for (size_t i = 0; i < chunks->n; i++)
		dkim_body_add(&b, test_exact(chunks->v[i]));
	assert_ok(dkim_body_end(&b, (uint8_t *)hash));
	dkim_body_done(&b);
	return str_n(hash, 32);
}

static bool
has_lone_lf(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] == '\n' && (i == 0 || s.p[i - 1] != '\r'))
			return true;
	return false;
}

TEST(canonicalization)
{
	cJSON *all = load("dkim/canonicalization.json");
	const cJSON *t, *c;

	cJSON_ArrayForEach(t, all) {
		bool relaxed = strcmp(text_of(t, "algo"), "relaxed") == 0;
		struct str input = str_of(text_of(t, "input")), expected = str_of(text_of(t, "expected"));

		/* A lone LF is content, not a line end; what we verify always has CRLF: rfc/6376:819 */
		if (has_lone_lf(input))
			continue;
		test_row("%s %s %s", text_of(t, "algo"), text_of(t, "part"), text_of(t, "input"));
		if (strcmp(text_of(t, "part"), "body") == 0) {
			struct strlist chunks = { 0 }, bytes = { 0 };
			uint8_t want[32];

			cJSON_ArrayForEach(c, cJSON_GetObjectItem(t, "chunks"))
				strlist_add(test_arena(), &chunks, str_of(c->valuestring));
			if (chunks.n == 0)
				strlist_add(test_arena(), &chunks, input);
			for (size_t i = 0; i < input.n; i++)
				strlist_add(test_arena(), &bytes, str_upto(str_from(input, i), 1));
			assert_int_equal(EVP_Digest(expected.p, expected.n, want, NULL, EVP_sha256(), NULL), 1);
			assert_str(body_hash(&chunks, relaxed), str_n((const char *)want, 32));
			assert_str(body_hash(&bytes, relaxed), str_n((const char *)want, 32));
		} else {
			struct buf b = BUF_ARENA(test_arena(), 65536);

			struct message_field f;

			for (struct str rest = input; message_field_next(&rest, &f, NULL);)
				dkim_canon_field(&b, test_exact(f.raw), relaxed ? DKIM_RELAXED : DKIM_SIMPLE);
			assert_str(buf_str(&b), expected);
		}
	}
	cJSON_Delete(all);
}

TEST(hashes_of_an_empty_body)
{
	cJSON *all = load("dkim/bodyhash-empty.json");
	const cJSON *t;
	struct strlist none = { 0 };

	cJSON_ArrayForEach(t, all) if (strcmp(text_of(t, "a"), "sha256") == 0) assert_strz(
	    enc_base64(test_arena(), body_hash(&none, strcmp(text_of(t, "c"), "relaxed") == 0), ENC_STD), text_of(t, "bh"));
	cJSON_Delete(all);
}
