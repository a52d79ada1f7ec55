/* SPDX-License-Identifier: MIT */
/* The ladder of reputation.h. Each step: 1 it decided, 0 there is no history, negative an error. */
#include "smtpserver/reputation.h"

#include "base/timeutil.h"

#define YEAR_US (365 * TIME_DAY)

/* What the steps share. */
struct ladder {
	const struct history *h;
	struct arena *a;
	const struct candidate *c;
	int64_t mailbox_id;
	struct strlist *why;
	struct reputation *rep;
};

const char *
smtpserver_method_text(enum reputation_method m)
{
	static const char *const text[] = { "none", "msgfromfull", "msgtofull", "msgfromdomain", "msgtodomain", "msgfromorgdomain", "msgtoorgdomain",
		"dkimspf", "ip1", "ip2", "ip3" };

	return text[m];
}

static int
decide(struct ladder *l, enum reputation_method m, enum reputation_verdict v, bool conclusive, struct str why)
{
	*l->rep = (struct reputation){ v, conclusive, m };
	strlist_add(l->a, l->why, why);
	return 1;
}

/* ask gets judged messages not older than age, with the candidate's mailbox. */
static int
ask(struct ladder *l, struct store_history_query q, int64_t age_us, int max, struct store_judged **r_v, size_t *r_n)
{
	q.mailbox_orig_id = l->mailbox_id;
	q.since_us = l->c->now_us - age_us;
	q.max = max;
	*r_n = 0;
	return l->h->judged(l->h->arg, l->a, &q, r_v, r_n);
}

static size_t
count_junk(const struct store_judged *v, size_t n)
{
	size_t junk = 0;

	for (size_t i = 0; i < n; i++)
		junk += v[i].junk;
	return junk;
}

/* One ham among the last two messages saves a sender: people misfile. */
static bool
two_message_rule(const struct store_judged *v, size_t n)
{
	return n > 0 && v[0].junk && (n == 1 || v[1].junk);
}

static const char *
kind(bool validated)
{
	return validated ? "validated" : "unvalidated";
}

/* A sender that is not validated now, but was before, is probably forged: however good the history, it is not this one's. */
static int
by_validated(struct ladder *l, struct store_history_query q, int64_t age_us, enum reputation_method m, const char *what)
{
	struct store_judged *v;
	size_t n;

	q.validated = true;
	TRY(ask(l, q, age_us, 2, &v, &n));
	if (n == 0)
		return 0;
	return decide(l, m, REPUTATION_JUNK, two_message_rule(v, n), str_fmt(l->a, "message is not validated, but earlier ones of its %s were", what));
}

static int
by_address(struct ladder *l)
{
	const struct store_delivery_info *d = &l->c->info;
	struct store_history_query q = {
		.key = STORE_HISTORY_MSGFROM, .value = d->msgfrom_domain, .localpart = d->msgfrom_localpart, .validated = d->msgfrom_validated
	};
	struct store_judged *v;
	size_t n;

	TRY(ask(l, q, 3 * YEAR_US, 2, &v, &n));
	if (n > 0) {
		bool junk = two_message_rule(v, n);

		return decide(l, REPUTATION_MSGFROM, junk ? REPUTATION_JUNK : REPUTATION_HAM, d->msgfrom_validated,
		    str_fmt(l->a, "%s messages with this From address are %s", kind(d->msgfrom_validated), junk ? "junk" : "not junk"));
	}
	if (!d->msgfrom_validated) {
		int rv = by_validated(l, q, 3 * YEAR_US, REPUTATION_MSGFROM, "From address");

		if (rv != 0)
			return rv;
	}
	int rv = l->h->sent_to(l->h->arg, d->msgfrom_localpart, d->msgfrom_domain, false, l->c->now_us - 3 * YEAR_US);
	return rv <= 0 ? rv : decide(l, REPUTATION_MSGTO, REPUTATION_HAM, true, S("we sent a message to this address before"));
}

/* Whether rows have at least n different localparts; few addresses may be one bad guest of a large provider. */
static bool
localparts(const struct store_judged *v, size_t nv, size_t n)
{
	size_t found = 0;

	for (size_t i = 0; i < nv && found < n; i++) {
		bool seen = false;

		for (size_t j = 0; j < i; j++)
			seen = seen || str_is(v[i].msgfrom_localpart, v[j].msgfrom_localpart);
		found += !seen;
	}
	return found >= n;
}

static int
by_domain(struct ladder *l, bool org)
{
	const struct store_delivery_info *d = &l->c->info;
	enum reputation_method from = org ? REPUTATION_FROM_ORGDOMAIN : REPUTATION_FROM_DOMAIN;
	const char *what = org ? "From organizational domain" : "From domain";
	struct store_history_query q = { .key = org ? STORE_HISTORY_MSGFROM_ORGDOMAIN : STORE_HISTORY_MSGFROM_DOMAIN,
		.value = org ? d->msgfrom_orgdomain : d->msgfrom_domain, .validated = d->msgfrom_validated };
	struct store_judged *v;
	size_t n;

	TRY(ask(l, q, 2 * YEAR_US, 20, &v, &n));
	if (n > 0) {
		size_t junk = count_junk(v, n), percent = 100 * (n - junk) / n;
		const char *k = kind(d->msgfrom_validated);

		if (percent > 80)
			return decide(l, from, REPUTATION_HAM, true, str_fmt(l->a, "%zu%% of %s messages with this %s are not junk", percent, k, what));
		if (junk == n)
			return decide(l, from, REPUTATION_JUNK, localparts(v, n, 3), str_fmt(l->a, "all %s messages with this %s are junk", k, what));
		return decide(l, from, REPUTATION_UNKNOWN, false,
		    str_fmt(l->a, "%zu of %zu %s messages with this %s are junk", junk, n, k, what));
	}
	if (!d->msgfrom_validated) {
		int rv = by_validated(l, q, 2 * YEAR_US, from, what);

		if (rv != 0)
			return rv;
	}
	int rv = l->h->sent_to(l->h->arg, S(""), q.value, org, l->c->now_us - 2 * YEAR_US);
	return rv <= 0 ? rv : decide(l, org ? REPUTATION_TO_ORGDOMAIN : REPUTATION_TO_DOMAIN, REPUTATION_HAM, true,
	    str_fmt(l->a, "we sent a message to this %s before", org ? "organizational domain" : "domain"));
}

/* What the domains that signed, or that SPF verified, say. */
struct signals {
	bool any, ham, junk;
	size_t messages;                /* the most behind one signal */
	struct strlist hams, junks;
};

/* signal_of adds what is known of one domain: 1 there was history. */
static int
signal_of(struct ladder *l, struct signals *s, enum store_history_key key, struct str value, const char *what)
{
	struct store_judged *v;
	struct str text;
	size_t n;

	if (value.n == 0)
		return 0;
	TRY(ask(l, (struct store_history_query){ .key = key, .value = value, .validated = true }, YEAR_US / 2, 50, &v, &n));
	if (n == 0)
		return 0;
	size_t junk = count_junk(v, n);
	s->any = true;
	s->messages = MAX(s->messages, n);
	text = str_fmt(l->a, "%s " STRF, what, STRA(value));
	if (10 * junk < n) {
		s->ham = true;
		strlist_add(l->a, &s->hams, text);
	} else if (10 * junk > 9 * n) {
		s->junk = true;
		strlist_add(l->a, &s->junks, text);
	}
	return 1;
}

static int
by_verified(struct ladder *l)
{
	const struct store_delivery_info *d = &l->c->info;
	struct signals s = { 0 };
	int rv = 0;

	for (size_t i = 0; i < d->dkim_domains.n; i++)
		TRY(signal_of(l, &s, STORE_HISTORY_DKIM_DOMAIN, d->dkim_domains.v[i], "dkim"));
	if (d->mailfrom_validated) {
		rv = signal_of(l, &s, STORE_HISTORY_MAILFROM, d->mailfrom, "spf");
		if (rv == 0)
			rv = signal_of(l, &s, STORE_HISTORY_MAILFROM_DOMAIN, d->mailfrom_domain, "spf");
	}
	if (rv == 0 && d->ehlo_validated)
		rv = signal_of(l, &s, STORE_HISTORY_EHLO_DOMAIN, d->ehlo_domain, "spf");
	TRY(rv);
	if (!s.any)
		return 0;
	if (s.ham && !s.junk)
		return decide(l, REPUTATION_DKIMSPF, REPUTATION_HAM, true,
		    str_fmt(l->a, "verified domains have no junk: " STRF, STRA(strlist_join(l->a, &s.hams, S(", ")))));
	if (s.junk && !s.ham)
		return decide(l, REPUTATION_DKIMSPF, REPUTATION_JUNK, s.messages > 1,
		    str_fmt(l->a, "verified domains have only junk: " STRF, STRA(strlist_join(l->a, &s.junks, S(", ")))));
	return decide(l, REPUTATION_DKIMSPF, REPUTATION_UNKNOWN, false, S("verified domains have junk and other messages"));
}

static int
by_ip(struct ladder *l)
{
	static const struct {
		enum store_history_key key;
		enum reputation_method method;
		size_t needed;                  /* messages, to be sure */
		const char *text;
	} classes[] = {
		{ STORE_HISTORY_IP1, REPUTATION_IP1, 2, "client address" },
		{ STORE_HISTORY_IP2, REPUTATION_IP2, 5, "network of the client" },
		{ STORE_HISTORY_IP3, REPUTATION_IP3, 10, "wider network of the client" },
	};
	struct store_judged *v;
	size_t n;

	for (int i = 0; i < 3 && l->c->remote.family != 0; i++) {
		struct ip net = ip_class(&l->c->remote, i);

		TRY(ask(l, (struct store_history_query){ .key = classes[i].key, .value = ip_str(l->a, &net) }, YEAR_US / 4, 50, &v, &n));
		if (n == 0)
			continue;
		size_t junk = count_junk(v, n);
		enum reputation_verdict verdict = 4 * junk > 3 * n ? REPUTATION_JUNK : 4 * junk < n ? REPUTATION_HAM : REPUTATION_UNKNOWN;
		bool sure = n >= classes[i].needed && (10 * junk <= n || 10 * junk >= 9 * n);

		return decide(l, classes[i].method, verdict, sure, str_fmt(l->a, "%zu of %zu messages from the %s are junk", junk, n, classes[i].text));
	}
	return 0;
}

int
smtpserver_reputation(const struct history *h, struct arena *a, const struct candidate *c, int64_t mailbox_id, struct strlist *why,
    struct reputation *r_rep)
{
	struct ladder l = { h, a, c, mailbox_id, why, r_rep };
	int rv = 0;

	*r_rep = (struct reputation){ .method = REPUTATION_NONE };
	if (c->info.msgfrom_domain.n > 0) {
		rv = by_address(&l);
		if (rv == 0)
			rv = by_domain(&l, false);
		if (rv == 0 && !str_is(c->info.msgfrom_orgdomain, c->info.msgfrom_domain))
			rv = by_domain(&l, true);
	}
	if (rv == 0)
		rv = by_verified(&l);
	if (rv == 0)
		rv = by_ip(&l);
	if (rv == 0)
		strlist_add(a, why, S("no history of the sender"));
	return MIN(rv, 0);
}
