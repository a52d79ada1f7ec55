/* SPDX-License-Identifier: MIT */
/* Each step of the ladder, and the edges of its numbers. */
#include "smtpserver/reputation.h"

#include "base/timeutil.h"
#include "smtpserver/history_test.h"
#include "testutil/testutil.h"

/* --- the history --- */

static const char *const keys[] = { "from", "domain", "org", "dkim", "mailfrom", "mailfromdomain", "ehlo", "ip1", "ip2", "ip3", "sent", "senddomain", "sendorg" };

static struct str
word(struct str *rest)
{
	*rest = str_trim(*rest);
	return str_split(rest, ' ');
}

static void
add_entry(struct test_history *h, struct str line)
{
	struct test_entry e = { .key = -1 };
	struct str key = word(&line), value = word(&line), w;
	uint32_t copies = 1, days = 0;

	for (size_t i = 0; i < ARRAY_LEN(keys); i++)
		if (str_is(key, str_of(keys[i])))
			e.key = (int)i;
	assert_true(e.key >= 0 && value.n > 0);
	bool address = str_has(value, '@') && e.key != STORE_HISTORY_MAILFROM;
	e.localpart = address ? str_split(&value, '@') : S("");
	e.value = value;
	while ((w = word(&line)).n > 0) {
		if (str_is(w, S("valid")))
			e.valid = true;
		else if (str_is(w, S("junk")))
			e.junk = true;
		else if (w.p[0] == '*')
			assert_ok(str_u32(str_from(w, 1), &copies));
		else if (str_ends(w, S("d")))
			assert_ok(str_u32(str_upto(w, w.n - 1), &days));
		else
			assert_str(w, S("ham"));
	}
	for (uint32_t i = 0; i < copies; i++) {
		assert_true(h->n < ARRAY_LEN(h->v));
		h->v[h->n] = e;
		h->v[h->n].at_us = SMTPSERVER_HISTORY_NOW - days * TIME_DAY - i;
		if (str_is(e.localpart, S("#")))
			h->v[h->n].localpart = str_fmt(test_arena(), "p%u", i);
		h->n++;
	}
}

void
test_history_read(struct test_history *h, const char *text)
{
	struct str rest = str_of(text);

	h->n = 0;
	h->err = 0;
	while (str_trim(rest).n > 0)
		add_entry(h, str_trim(str_split(&rest, ';')));
}

static int
judged(void *arg, struct arena *a, const struct store_history_query *q, struct store_judged **r_v, size_t *r_n)
{
	struct test_history *h = arg;
	struct store_judged *v = ARENA_NEWN(a, ARRAY_LEN(h->v), struct store_judged);
	bool validated = q->key <= STORE_HISTORY_MSGFROM_ORGDOMAIN || (q->key >= STORE_HISTORY_MAILFROM && q->key <= STORE_HISTORY_EHLO_DOMAIN);
	size_t n = 0;

	if (h->err)
		return h->err;
	for (size_t i = 0; i < h->n; i++) {
		const struct test_entry *e = &h->v[i];

		if (e->key != (int)q->key || !str_is(e->value, q->value) || e->at_us <= q->since_us || (validated && e->valid != q->validated) ||
		    (q->key == STORE_HISTORY_MSGFROM && !str_is(e->localpart, q->localpart)))
			continue;
		v[n++] = (struct store_judged){ e->junk, e->at_us, e->localpart };
	}
	for (size_t i = 1; i < n; i++)
		for (size_t k = i; k > 0 && v[k].received_us > v[k - 1].received_us; k--) {
			struct store_judged swap = v[k];
			v[k] = v[k - 1];
			v[k - 1] = swap;
		}
	*r_v = v;
	*r_n = MIN(n, (size_t)q->max);
	return 0;
}

static int
sent_to(void *arg, struct str localpart, struct str domain, bool org, int64_t since_us)
{
	const struct test_history *h = arg;

	for (size_t i = 0; i < h->n; i++) {
		const struct test_entry *e = &h->v[i];
		int want = org ? STORE_HISTORY_KEYS + 2 : localpart.n ? STORE_HISTORY_KEYS : STORE_HISTORY_KEYS + 1;

		if (e->key == want && str_is(e->value, domain) && str_is(e->localpart, localpart) && e->at_us >= since_us)
			return 1;
	}
	return h->err;
}

struct history
test_history_hooks(struct test_history *h)
{
	return (struct history){ judged, sent_to, h };
}

/* --- the ladder --- */

static struct candidate
candidate(const char *text)
{
	struct str rest = str_of(text), w;
	struct candidate c = { .now_us = SMTPSERVER_HISTORY_NOW };
	struct store_delivery_info *d = &c.info;

	while ((w = word(&rest)).n > 0) {
		struct str value = w, name = str_split(&value, '=');

		if (str_is(name, S("valid"))) {
			d->msgfrom_validated = true;
		} else if (str_is(name, S("from"))) {
			d->msgfrom_localpart = str_split(&value, '@');
			d->msgfrom_domain = value;
			d->msgfrom_orgdomain = str_ends(value, S("org.example")) ? S("org.example") : value;
		} else if (str_is(name, S("dkim"))) {
			strlist_add(test_arena(), &d->dkim_domains, value);
		} else if (str_is(name, S("mailfrom"))) {
			d->mailfrom = value;
			str_split(&value, '@');
			d->mailfrom_domain = value;
			d->mailfrom_validated = true;
		} else if (str_is(name, S("ehlo"))) {
			d->ehlo_domain = value;
			d->ehlo_validated = true;
		} else {
			assert_str(name, S("ip"));
			assert_ok(ip_parse(value, &c.remote));
		}
	}
	return c;
}

#define ME "from=me@mail.org.example"

TEST(reputation_ladder)
{
	static const struct {
		const char *candidate, *history, *want;
	} rows[] = {
		{ ME, "", "none unknown" },
		{ "", "", "none unknown" },
		/* 1: the address */
		{ ME " valid", "from me@mail.org.example valid 1d ham", "msgfromfull ham sure" },
		{ ME, "from me@mail.org.example 1d ham", "msgfromfull ham" },
		{ ME " valid", "from me@mail.org.example valid 1d junk", "msgfromfull junk sure" },
		{ ME " valid", "from me@mail.org.example valid 1d junk; from me@mail.org.example valid 2d ham", "msgfromfull ham sure" },
		{ ME " valid", "from me@mail.org.example valid 1d ham; from me@mail.org.example valid 2d junk *5", "msgfromfull ham sure" },
		{ ME " valid", "from me@mail.org.example valid 1d junk *2; from me@mail.org.example valid 3d ham *9", "msgfromfull junk sure" },
		{ ME " valid", "from you@mail.org.example valid 1d junk; from me@mail.org.example valid 2d ham", "msgfromfull ham sure" },
		{ ME " valid", "from me@mail.org.example valid 1094d junk", "msgfromfull junk sure" },
		{ ME " valid", "from me@mail.org.example valid 1095d junk", "none unknown" },
		{ "from=@mail.org.example valid", "from me@mail.org.example valid 1d junk", "none unknown" },
		/* 2: not validated, but earlier ones were */
		{ ME, "from me@mail.org.example valid 1d ham", "msgfromfull junk" },
		{ ME, "from me@mail.org.example valid 1d junk", "msgfromfull junk sure" },
		{ ME, "from me@mail.org.example valid 1d junk; from me@mail.org.example valid 2d ham", "msgfromfull junk" },
		{ ME " valid", "from me@mail.org.example 1d junk", "none unknown" },
		/* 3: we wrote to it */
		{ ME, "sent me@mail.org.example 1095d; domain x@mail.org.example 1d junk *3", "msgtofull ham sure" },
		{ ME, "sent me@mail.org.example 1096d", "none unknown" },
		/* 4: the domain */
		{ ME " valid", "domain #@mail.org.example valid 1d ham *5", "msgfromdomain ham sure" },
		{ ME " valid", "domain #@mail.org.example valid 1d ham *9; domain x@mail.org.example valid 2d junk *2", "msgfromdomain ham sure" },
		{ ME " valid", "domain #@mail.org.example valid 1d ham *8; domain x@mail.org.example valid 2d junk *2", "msgfromdomain unknown" },
		{ ME " valid", "domain #@mail.org.example valid 1d junk *3", "msgfromdomain junk sure" },
		{ ME " valid", "domain #@mail.org.example valid 1d junk *2; domain p0@mail.org.example valid 1d junk *9", "msgfromdomain junk" },
		{ ME " valid", "domain x@mail.org.example valid 1d junk *20; domain #@mail.org.example valid 2d ham *9", "msgfromdomain junk" },
		{ ME " valid", "domain #@mail.org.example valid 729d ham", "msgfromdomain ham sure" },
		{ ME " valid", "domain #@mail.org.example valid 730d ham", "none unknown" },
		{ ME, "domain #@mail.org.example valid 1d ham", "msgfromdomain junk" },
		{ ME, "domain #@mail.org.example valid 1d junk", "msgfromdomain junk sure" },
		{ ME, "senddomain mail.org.example 1d; org x@org.example 1d junk", "msgtodomain ham sure" },
		{ ME " valid", "org #@org.example valid 1d junk *3", "msgfromorgdomain junk sure" },
		{ ME, "org #@org.example valid 1d ham", "msgfromorgdomain junk" },
		{ ME, "sendorg org.example 730d", "msgtoorgdomain ham sure" },
		{ ME, "sendorg org.example 731d", "none unknown" },
		{ "from=x@other.example", "org #@other.example 1d junk *3", "none unknown" },
		/* 5: verified domains */
		{ "dkim=a.example", "dkim a.example 1d ham", "dkimspf ham sure" },
		{ "dkim=a.example", "dkim a.example 1d junk", "dkimspf junk" },
		{ "dkim=a.example", "dkim a.example 1d junk *2", "dkimspf junk sure" },
		{ "dkim=a.example", "dkim a.example 1d junk *9; dkim a.example 1d ham", "dkimspf unknown" },
		{ "dkim=a.example", "dkim a.example 1d junk *10; dkim a.example 2d ham", "dkimspf junk sure" },
		{ "dkim=a.example", "dkim a.example 1d ham *9; dkim a.example 1d junk", "dkimspf unknown" },
		{ "dkim=a.example", "dkim a.example 1d ham *10; dkim a.example 2d junk", "dkimspf ham sure" },
		{ "dkim=a.example dkim=b.example", "dkim a.example 1d junk *2; dkim b.example 1d ham", "dkimspf unknown" },
		/* the number of messages is that of the strongest signal, not of the last */
		{ "dkim=a.example dkim=b.example", "dkim a.example 1d junk *2; dkim b.example 1d junk", "dkimspf junk sure" },
		{ "dkim=a.example", "dkim a.example 182d ham", "dkimspf ham sure" },
		{ "dkim=a.example", "dkim a.example 183d ham", "none unknown" },
		{ "mailfrom=b@send.example", "mailfrom b@send.example valid 1d junk *2", "dkimspf junk sure" },
		{ "mailfrom=b@send.example", "mailfromdomain send.example valid 1d ham", "dkimspf ham sure" },
		{ "mailfrom=b@send.example", "mailfrom b@send.example valid 1d junk *2; mailfromdomain send.example valid 1d ham", "dkimspf junk sure" },
		{ "mailfrom=b@send.example ehlo=mx.example", "ehlo mx.example valid 1d ham", "dkimspf ham sure" },
		{ "ehlo=mx.example", "ehlo mx.example 1d ham", "none unknown" },
		/* 6: addresses */
		{ "ip=192.0.2.70", "ip1 192.0.2.70 1d junk", "ip1 junk" },
		{ "ip=192.0.2.70", "ip1 192.0.2.70 1d junk *2", "ip1 junk sure" },
		{ "ip=192.0.2.70", "ip1 192.0.2.70 1d ham *2", "ip1 ham sure" },
		{ "ip=192.0.2.70", "ip1 192.0.2.70 1d junk *3; ip1 192.0.2.70 1d ham", "ip1 unknown" },
		{ "ip=192.0.2.70", "ip1 192.0.2.70 1d junk *4; ip1 192.0.2.70 1d ham", "ip1 junk" },
		{ "ip=192.0.2.70", "ip1 192.0.2.70 1d junk *9; ip1 192.0.2.70 1d ham", "ip1 junk sure" },
		{ "ip=192.0.2.70", "ip1 192.0.2.70 1d ham *9; ip1 192.0.2.70 1d junk", "ip1 ham sure" },
		{ "ip=192.0.2.70", "ip1 192.0.2.70 1d ham *8; ip1 192.0.2.70 1d junk", "ip1 ham" },
		{ "ip=192.0.2.70", "ip2 192.0.2.64 1d junk *4", "ip2 junk" },
		{ "ip=192.0.2.70", "ip2 192.0.2.64 1d junk *5", "ip2 junk sure" },
		{ "ip=192.0.2.70", "ip3 192.0.0.0 1d junk *9", "ip3 junk" },
		{ "ip=192.0.2.70", "ip3 192.0.0.0 1d junk *10", "ip3 junk sure" },
		{ "ip=192.0.2.70", "ip1 192.0.2.70 91d junk *2", "ip1 junk sure" },
		{ "ip=192.0.2.70", "ip1 192.0.2.70 92d junk *2", "none unknown" },
		{ "ip=2001:db8::1", "ip1 2001:db8:: 1d junk *2", "ip1 junk sure" },
		/* what says more comes first */
		{ ME " dkim=org.example ip=192.0.2.70", "dkim org.example 1d ham; ip1 192.0.2.70 1d junk *9", "dkimspf ham sure" },
		{ ME " valid dkim=org.example", "dkim org.example 1d junk *9; from me@mail.org.example valid 1d ham", "msgfromfull ham sure" },
	};
	static const char *const verdicts[] = { "unknown", "ham", "junk" };
	static struct test_history h;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct candidate c = candidate(rows[i].candidate);
		struct history hooks = test_history_hooks(&h);
		struct strlist why = { 0 };
		struct reputation r;

		test_row("%s | %s", rows[i].candidate, rows[i].history);
		test_history_read(&h, rows[i].history);
		assert_ok(smtpserver_reputation(&hooks, test_arena(), &c, 1, &why, &r));
		assert_str(str_fmt(test_arena(), "%s %s%s", smtpserver_method_text(r.method), verdicts[r.verdict], r.conclusive ? " sure" : ""),
		    str_of(rows[i].want));
		assert_int_equal(why.n, 1);
	}
}

/* An error of any question ends the ladder. */
TEST(reputation_errors)
{
	static struct test_history h;
	struct candidate c = candidate(ME " dkim=a.example ip=192.0.2.1");
	struct history hooks = test_history_hooks(&h);
	struct strlist why = { 0 };
	struct reputation r;

	h.err = ERR_IO;
	assert_int_equal(smtpserver_reputation(&hooks, test_arena(), &c, 1, &why, &r), ERR_IO);
	assert_int_equal(why.n, 0);
}
