/* SPDX-License-Identifier: MIT */
/*
 * suite_test.c - the openspf.org suite for RFC 7208 and further cases, see testdata/spf/README.md. Every case runs; the
 * few whose expectation is not the RFC's are listed with the reason.
 */
#include <strings.h>

#include <cjson/cJSON.h>

#include "base/buf.h"
#include "base/timeutil.h"
#include "dns_mock/dns_mock.h"
#include "spf/spf.h"
#include "testutil/testutil.h"

static const char *
text_of(const cJSON *t, const char *key)
{
	const cJSON *v = cJSON_GetObjectItem(t, key);

	return cJSON_IsString(v) ? v->valuestring : "";
}

/* A JSON text into latin-1 bytes: the suite's records have bytes above 127 on purpose. U+E000 stands for NUL, see load. */
static struct str
latin1(const char *z)
{
	struct buf b = BUF_ARENA(test_arena(), 65536);

	for (const unsigned char *p = (const unsigned char *)z; *p; p++) {
		if (*p >= 0xc2 && *p <= 0xc3 && p[1]) {
			buf_addc(&b, (char)(((*p & 3) << 6) | (p[1] & 0x3f)));
			p++;
		} else if (memcmp(p, "\xee\x80\x80", MIN(strlen((const char *)p), (size_t)3)) == 0) {
			buf_addc(&b, '\0');
			p += 2;
		} else {
			buf_addc(&b, (char)*p);
		}
	}
	return buf_str(&b);
}

static void
quote(struct buf *b, struct str s)
{
	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];

		if (c < 0x20 || c > 0x7e || c == '"' || c == '\\')
			buf_addf(b, "\\%03u", c);
		else
			buf_addc(b, (char)c);
	}
}

struct zone {
	struct buf text;
	const char *fail[64];
	size_t nfail;
};

/* Spaces and backslashes of a name as \DDD, as the mock's lines want them. */
static const char *
escaped_name(const char *name)
{
	struct buf b = BUF_ARENA(test_arena(), 1024);

	for (; *name; name++)
		if (*name == ' ' || *name == '\\')
			buf_addf(&b, "\\%03u", (unsigned char)*name);
		else
			buf_addc(&b, *name);
	buf_addc(&b, '\0');
	return b.p;
}

static void
add_txt(struct buf *b, const char *name, const cJSON *v)
{
	const cJSON *piece;

	buf_addf(b, "%s TXT \"", name);
	if (cJSON_IsString(v))
		quote(b, latin1(v->valuestring));
	else
		cJSON_ArrayForEach(piece, v)
			quote(b, latin1(piece->valuestring));
	buf_addz(b, "\"\n");
}

static void
add_name(struct zone *zone, const cJSON *entry)
{
	const char *name = escaped_name(text_of(entry, "name"));
	const cJSON *records = cJSON_GetObjectItem(entry, "records"), *r;
	bool has_txt = false;

	cJSON_ArrayForEach(r, records)
		has_txt |= strcmp(cJSON_GetObjectItem(r, "type")->valuestring, "TXT") == 0;
	cJSON_ArrayForEach(r, records) {
		const char *type = cJSON_GetObjectItem(r, "type")->valuestring;
		const cJSON *v = cJSON_GetObjectItem(r, "value");

		if (strcmp(type, "TIMEOUT") == 0) {
			static const char *const types[] = { "a", "aaaa", "mx", "txt", "ptr", "cname" };

			/* All that the records before it do not answer times out. */
			for (size_t i = 0; i < ARRAY_LEN(types); i++) {
				bool answered = false;
				const cJSON *o;

				cJSON_ArrayForEach(o, records) {
					const char *t = cJSON_GetObjectItem(o, "type")->valuestring;

					if (strcasecmp(t, "SPF") == 0 && !has_txt)
						t = "TXT";
					if (strcmp(text_of(o, "value"), "NONE") != 0)
						answered |= strcasecmp(t, types[i]) == 0;
				}
				if (!answered && zone->nfail < ARRAY_LEN(zone->fail) - 1)
					zone->fail[zone->nfail++] = str_fmt(test_arena(), "%s %s", types[i], name).p;
			}
		} else if (strcmp(type, "SPF") == 0) {
			if (!has_txt)
				add_txt(&zone->text, name, v);
		} else if (strcmp(type, "TXT") == 0) {
			if (!(cJSON_IsString(v) && strcmp(v->valuestring, "NONE") == 0))
				add_txt(&zone->text, name, v);
		} else if (strcmp(type, "MX") == 0) {
			const char *host = cJSON_GetArrayItem(v, 1)->valuestring;

			buf_addf(&zone->text, "%s MX %d %s\n", name, cJSON_GetArrayItem(v, 0)->valueint, *host ? host : ".");
		} else {
			buf_addf(&zone->text, "%s %s %s\n", name, type, v->valuestring);
		}
	}
}

static struct ip
ip_of(const char *s)
{
	struct ip ip = { 0 };

	assert_ok(ip_parse(str_of(s), &ip));
	return ip;
}

static void
split_address(const char *s, struct str *r_local, struct str *r_domain)
{
	struct str v = str_of(s);
	ssize_t at = str_rfind(v, '@');

	*r_local = at > 0 ? str_upto(v, (size_t)at) : S("");
	*r_domain = at >= 0 ? str_from(v, (size_t)at + 1) : v;
}

static bool
accepted(const cJSON *results, const char *got)
{
	const cJSON *r;

	cJSON_ArrayForEach(r, results)
		if (strcmp(r->valuestring, got) == 0)
			return true;
	return false;
}

static int64_t
fixed_now(void *arg unused_)
{
	return 1000 * TIME_SEC;
}

static unsigned
run_case(struct dns_resolver *r, const cJSON *t)
{
	static const struct clock clock = { fixed_now, NULL };
	const char *name = text_of(t, "name"), *explanation = text_of(t, "explanation");
	struct spf_args args = { .remote_ip = ip_of(text_of(t, "host")),
		.helo_domain = str_of(text_of(t, "helo")),
		.local_hostname = S("unknown"),
		.clock = &clock };
	struct spf_result res;
	struct ctx ctx = { 0 };

	split_address(text_of(t, "mailfrom"), &args.mailfrom_localpart, &args.mailfrom_domain);
	test_row("%s: from %s helo %s host %s", name, text_of(t, "mailfrom"), text_of(t, "helo"), text_of(t, "host"));
	spf_evaluate(r, test_arena(), &ctx, &args, &res);
	if (!accepted(cJSON_GetObjectItem(t, "result"), spf_status_text(res.status))) {
		print_error("%s: got %s (" STRF ")\n", name, spf_status_text(res.status), STRA(res.problem));
		return 1;
	}
	if (*explanation) {
		struct str want = strcmp(explanation, "DEFAULT") == 0 ?
		    S("") :
		    str_cat(test_arena(), S("remote claims: "), str_of(explanation));

		if (!str_is(res.explanation, want)) {
			print_error("%s: explanation \"" STRF "\", want \"" STRF "\"\n", name, STRA(res.explanation), STRA(want));
			return 1;
		}
	}
	return 0;
}

/* Reads a JSON file. cJSON's strings end at a NUL, so the escape for it becomes that of a private character first. */
static cJSON *
load(const char *path)
{
	struct str text = str_dup(test_arena(), test_read(test_data(path)));
	char *p = memcpy(arena_bytes(test_arena(), text.n), text.p, text.n);
	ssize_t at;
	cJSON *j;

	for (size_t off = 0; (at = str_search(str_n(p + off, text.n - off), S("\\u0000"))) >= 0; off += (size_t)at + 6)
		memcpy(p + off + (size_t)at + 2, "e000", 4);
	j = cJSON_ParseWithLength(p, text.n);
	assert_non_null(j);
	return j;
}

static unsigned
run_suite(const char *path, unsigned *r_count)
{
	cJSON *suite = load(path);
	const cJSON *scenario, *t, *entry;
	unsigned failed = 0;

	cJSON_ArrayForEach(scenario, suite) {
		struct zone *zone = arena_alloc(test_arena(), sizeof(*zone));
		struct dns_mock_opts o = { .fail = zone->fail };
		struct dns_resolver *r;

		zone->text = (struct buf)BUF_ARENA(test_arena(), 1 << 20);
		cJSON_ArrayForEach(entry, cJSON_GetObjectItem(scenario, "zonedata"))
			add_name(zone, entry);
		buf_addc(&zone->text, '\0');
		o.zone = zone->text.p;
		r = dns_mock_new(&o);
		cJSON_ArrayForEach(t, cJSON_GetObjectItem(scenario, "tests")) {
			failed += run_case(r, t);
			++*r_count;
		}
		dns_mock_free(&r);
	}
	cJSON_Delete(suite);
	return failed;
}

TEST(rfc7208_suite)
{
	unsigned count = 0;

	assert_int_equal(run_suite("spf/rfc7208-tests.json", &count), 0);
	assert_int_equal(count, 203);
}

/*
 * One record of mail-auth-extra.json, "name" and "value": addresses and hosts come as lists with commas. Its MX records
 * name addresses, for which hosts are made up.
 */
static void
add_extra(struct buf *zone, const char *type, const char *name, struct str values)
{
	unsigned count = 0;

	if (strcmp(type, "spf") == 0 || strcmp(type, "exp") == 0) {
		buf_addf(zone, "%s TXT \"", name);
		quote(zone, values);
		buf_addz(zone, "\"\n");
		return;
	}
	if (strcmp(type, "ptr") == 0) {
		struct ip ip = ip_of(name);

		name =
		    str_dup(test_arena(), dns_reverse(test_arena(), &ip, ip.family == 4 ? S("in-addr.arpa") : S("ip6.arpa"))).p;
	}
	while (values.n > 0) {
		struct str v = str_trim(str_split(&values, ','));

		if (strcmp(type, "mx") == 0) {
			buf_addf(zone, "%s MX %u mx%u.%s\n", name, count, count, name);
			buf_addf(zone, "mx%u.%s %s " STRF "\n", count++, name, str_has(v, ':') ? "AAAA" : "A", STRA(v));
		} else {
			buf_addf(zone, "%s %s " STRF "\n", name, type, STRA(v));
		}
	}
}

/* Cases whose expectation is not what RFC 7208 says; ip NULL: all of that sender. */
static const struct { const char *entry, *sender, *ip, *ours, *reason;
} exceptions[] = {
	{ "All test", "sender@test.org", NULL, "permerror",
	    "\"ip:\" is no mechanism, so the record has a syntax error: rfc/7208:862" },
	{ "DNS Lookup Limits", "sender@ok.test.org", NULL, "permerror",
	    "ten names without addresses: more than two void look-ups, rfc/7208:988" },
	{ "DNS Lookup Limits", "sender@ptr.test.org", "10.0.0.11", "permerror", "likewise, for names of the client" },
	{ "Exists", "sender@ip6.test.org", NULL, "fail",
	    "exists asks for A records, whatever the client's address: rfc/7208:1392" },
	{ "Simple Examples", "tom@sf.example.org", NULL, "permerror",
	    "the entry has no record at the target of its redirect: rfc/7208:1447" },
	{ "Simple Examples", "mary@example.com", NULL, "none", "the entry has no record at the domain that it asks for" },
};

/* Entries that ask for their <domain>, where ours is always the sender's. */
static const char *const by_domain[] = { "HELO identity", "Exists", "Simple Examples", "Macro expansion 2" };

/* What a test leaves out is as in the one before. */
struct extra_state {
	const char *sender, *domain;
};

static unsigned
run_extra(const char *zone, const char *entry, const cJSON *t, struct extra_state *state)
{
	static const char *const fail[] = { "* _dns_error.org", "* _dns_error.test.org", NULL };
	static const char *const extra[] = { "spf", "a", "ptr" };
	const char *expect = text_of(t, "expect"), *explanation = strchr(expect, ' ');
	struct str want = explanation ? str_n(expect, (size_t)(explanation - expect)) : str_of(expect);
	struct buf text = BUF_ARENA(test_arena(), 1 << 20);
	struct dns_mock_opts o = { .fail = fail };
	struct spf_args args = { .local_hostname = S("unknown") };
	struct dns_resolver *r;
	struct spf_result res;
	struct ctx ctx = { 0 };
	unsigned failed = 0;

	if (*text_of(t, "sender"))
		state->sender = text_of(t, "sender");
	if (*text_of(t, "domain"))
		state->domain = text_of(t, "domain");
	if (!*expect)
		return 0;       /* only sets sender and domain */
	for (size_t i = 0; i < ARRAY_LEN(extra); i++) {
		struct str value = str_of(text_of(t, extra[i])), name = str_split(&value, ' ');

		if (name.n > 0)
			add_extra(&text, extra[i], str_dup(test_arena(), name).p, value);
	}
	/* A record of the test replaces those of the entry. */
	if (!*text_of(t, "spf"))
		buf_addz(&text, zone);
	else
		for (struct str rest = str_of(zone), line; rest.n > 0;) {
			line = str_split(&rest, '\n');
			if (str_search(line, S(" TXT ")) < 0 || str_search(str_of(text_of(t, "spf")), S("redirect")) >= 0)
				buf_addf(&text, STRF "\n", STRA(line));
		}
	buf_addc(&text, '\0');
	o.zone = text.p;
	r = dns_mock_new(&o);
	args.remote_ip = ip_of(text_of(t, "ip"));
	args.helo_domain = str_of(state->domain);
	split_address(state->sender, &args.mailfrom_localpart, &args.mailfrom_domain);
	for (size_t i = 0; i < ARRAY_LEN(by_domain); i++)
		if (strcmp(by_domain[i], entry) == 0)
			args.mailfrom_domain = str_of(state->domain);
	spf_evaluate(r, test_arena(), &ctx, &args, &res);
	for (size_t i = 0; i < ARRAY_LEN(exceptions); i++)
		if (strcmp(exceptions[i].entry, entry) == 0 && strcmp(exceptions[i].sender, state->sender) == 0 &&
		    (!exceptions[i].ip || strcmp(exceptions[i].ip, text_of(t, "ip")) == 0))
			want = str_of(exceptions[i].ours);
	if (!str_is(want, str_of(spf_status_text(res.status)))) {
		print_error("%s: sender %s ip %s: got %s (" STRF "), want %s\n", entry, state->sender, text_of(t, "ip"),
		    spf_status_text(res.status), STRA(res.problem), expect);
		failed = 1;
	} else if (explanation &&
	    !str_is(res.explanation, str_cat(test_arena(), S("remote claims: "), str_of(explanation + 1)))) {
		print_error("%s: explanation " STRF "\n", entry, STRA(res.explanation));
		failed = 1;
	}
	dns_mock_free(&r);
	return failed;
}

TEST(extra_cases)
{
	cJSON *all = load("spf/mail-auth-extra.json");
	const cJSON *entry, *rec, *t;
	unsigned failed = 0;

	cJSON_ArrayForEach(entry, all) {
		struct buf zone = BUF_ARENA(test_arena(), 1 << 20);
		struct extra_state carried = { "", "" };

		cJSON_ArrayForEach(rec, cJSON_GetObjectItem(entry, "records"))
			add_extra(&zone, text_of(rec, "type"), escaped_name(text_of(rec, "name")), latin1(text_of(rec, "value")));
		buf_addc(&zone, '\0');
		cJSON_ArrayForEach(t, cJSON_GetObjectItem(entry, "tests"))
			failed += run_extra(zone.p, text_of(entry, "name"), t, &carried);
	}
	cJSON_Delete(all);
	assert_int_equal(failed, 0);
}
