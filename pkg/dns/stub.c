/* SPDX-License-Identifier: MIT */
/*
 * stub.c - the resolver: hosts, cache, exchange, CNAME chains, and what is authentic.
 *
 * Whom we believe. An answer over UDP or TCP can be forged by anybody on the way; only signatures tell. Either a validating
 * resolver checks them, and says so with the AD bit: worth something only if nobody is on the way, which is why all servers must
 * be loopback addresses, or the administrator vouches for the path with "options trust-ad". Or we check them ourselves from a
 * trust anchor. Everything else is not authentic, which is no error: the caller then does without what DNSSEC would allow
 * (DANE). Data that should have been signed well and is not is an error (DNS_BOGUS), never an insecure answer.
 */
#include <errno.h>
#include <sys/stat.h>

#include "base/fd.h"
#include "base/mem.h"
#include "base/timeutil.h"
#include "dns/dns_internal.h"
#include "metrics/metrics.h"

#define DEFAULT_ENTRIES 20000
#define MAX_TTL (24 * 3600)       /* an answer is asked for again at least daily */
#define MAX_DENIAL_TTL (3 * 3600) /* rfc/2308:518 */
#define FAILURE_TTL \
	5 /* a failure is not asked for again by the next check of the same message; at most 5 minutes: rfc/2308:573 */
#define HOSTS_TTL 60
#define MAX_FILE (1024 * 1024) /* of resolv.conf and hosts; more is not read */

static struct metric metric_lookup =
    METRICS_HISTOGRAM_INIT("mox_dns_lookup_duration_seconds", "DNS lookups.", metrics_buckets_a30, "pkg", "type", "result");

/* A file that is read again when it changed. */
struct watched {
	char *path;
	struct timespec mtime;
	ino_t inode;
	off_t size;
	bool there;
};

struct stub;
/* What users hold: the resolver with the name of a package for metrics. */
struct view {
	struct dns_resolver r;
	struct stub *stub;
	char *pkg;
	struct view *next;
};

struct stub {
	struct view view;          /* without a package's name */
	struct dns_stub_opts opts; /* without its pointers, but for the clock */
	bool fixed;                /* conf came with the options */
	struct lock lock;          /* everything below */
	struct view *views;
	struct watched conf_file, hosts_file;
	struct dns_conf conf;
	struct dns_hosts hosts;
	struct dns_cache cache;
	struct dns_validator *validator;        /* has its own lock; NULL: others validate */
};

/* One look-up under way. */
struct ask {
	struct stub *stub;
	struct dns_conf conf;
	struct arena *a;
	const struct ctx *ctx;
	enum dns_type type;
	unsigned flags;
	struct str name, wire; /* as asked; in wire form */
	bool done;             /* out is final, nothing is to be asked */
	struct dns_exchange x;
	struct dns_outcome out;
};

/* --- files --- */

/* Whether the file changed since the last call; it did at the first. */
static bool
changed(struct watched *w)
{
	struct stat st = { 0 };
	bool there = stat(w->path, &st) == 0;
	bool same = there == w->there && st.st_mtim.tv_sec == w->mtime.tv_sec && st.st_mtim.tv_nsec == w->mtime.tv_nsec &&
	    st.st_ino == w->inode && st.st_size == w->size;

	w->there = there;
	w->mtime = st.st_mtim;
	w->inode = st.st_ino;
	w->size = st.st_size;
	return !same;
}

/* The content of a file, empty if it cannot be read. */
static struct str
content(struct arena *a, const char *path)
{
	struct str s = { 0 };

	ignore_result(fd_read_file(a, path, MAX_FILE, &s, NULL) < 0);
	return s;
}

/* Under the lock. */
static void
refresh(struct stub *s)
{
	struct arena a = { 0 };

	if (!s->fixed && changed(&s->conf_file)) {
		dns_conf_parse(content(&a, s->conf_file.path), &s->conf);
		/* What other servers said, and how far they were believed, is of the past. */
		dns_cache_done(&s->cache);
	}
	if (s->hosts_file.path && changed(&s->hosts_file))
		dns_hosts_parse(&s->hosts, content(&a, s->hosts_file.path));
	arena_done(&a);
}

/* --- one look-up --- */

static int64_t
now_us(const struct stub *s)
{
	return s->opts.clock ? clock_now_us(s->opts.clock) : time_mono_us();
}

/* Addresses of the hosts file, under the lock. A name that stands there exists nowhere else, in neither family. */
static bool
ask_hosts(struct ask *k)
{
	struct dns_result *r = &k->out.result;
	const struct dns_host *host;
	struct dns_record *v;

	if (k->type != DNS_A && k->type != DNS_AAAA)
		return false;
	host = map_get(&k->stub->hosts.names, k->wire);
	if (!host)
		return false;
	v = ARENA_NEWN(k->a, host->n, struct dns_record);
	r->v = v;
	for (size_t i = 0; i < host->n; i++)
		if (host->v[i].family == (k->type == DNS_A ? 4 : 6))
			v[r->n++] = (struct dns_record){ .type = k->type, .ip = host->v[i] };
	r->ttl = HOSTS_TTL;
	if (r->n == 0)
		k->out.rv = err_set(&k->out.e, DNS_NOTFOUND, "the hosts file has no such address");
	return true;
}

static void
prepare(struct ask *k, struct str wire)
{
	bool own = k->stub->validator != NULL;

	/* Who validates does not look at AD, and wants data that the server's policy may refuse: rfc/4035:1316 */
	k->x = (struct dns_exchange){ 0 };
	k->x.query.name = wire;
	k->x.query.type = (int)k->type;
	k->x.query.want_ad = !own && dns_conf_trusted(&k->conf);
	k->x.query.check_disabled = own;
}

/* Answers from what is there, or prepares the exchange. */
static void
begin(struct ask *k, struct stub *s, struct arena *a, const struct ctx *ctx, enum dns_type type, struct str name, unsigned flags)
{
	*k = (struct ask){ .stub = s, .a = a, .ctx = ctx, .type = type, .name = name, .flags = flags };
	k->out.result = (struct dns_result){ .canonical = name, .extended_error = -1 };
	k->out.rv = dns_wire_name(a, name, &k->wire);
	k->done = true;
	if (k->out.rv < 0) {
		err_set(&k->out.e, DNS_BADNAME, "not a name for DNS");
		return;
	}
	k->out.result.canonical = str_lower(a, str_ends(name, S(".")) ? str_upto(name, name.n - 1) : name);
	LOCKED(&s->lock);
	refresh(s);
	k->conf = s->conf;
	if (ask_hosts(k))
		return;
	if (!(flags & DNS_BYPASS_CACHE) &&
	    dns_cache_get(&s->cache, a, now_us(s), (int)type, k->wire, &k->out.rv, &k->out.result, &k->out.e))
		return;
	k->done = false;
	prepare(k, k->wire);
}

/* Adds the CNAMEs of an answer to the result; secure tells of each, and of what is at the end. */
static int
add_steps(struct ask *k, const struct dns_answer *answer, const bool *secure)
{
	struct dns_result *r = &k->out.result;

	for (size_t i = 1; i < answer->nchain; i++) {
		struct dns_step step = { .from = r->canonical };

		r->authentic = r->authentic && secure[i - 1];
		step.authentic = r->authentic;

		if (dns_text_name(k->a, answer->chain[i], false, &step.to) < 0)
			return err_set(&k->out.e, DNS_TEMPORARY, "alias to what is no name");
		r->steps = arena_grow(k->a, r->steps, r->nsteps, r->nsteps + 1, sizeof(step));
		r->steps[r->nsteps++] = step;
		r->canonical = step.to;
	}
	r->authentic = r->authentic && secure[answer->nchain - 1];
	if (answer->loop || r->nsteps > DNS_MAX_STEPS)
		return err_set(&k->out.e, DNS_TEMPORARY, "a circle, or more than %d, of aliases", DNS_MAX_STEPS);
	return 0;
}

/* Which parts of an answer are authentic: all or nothing by the server's word, or each by our own validation. */
static int
judge(struct ask *k, const struct dns_answer *answer, bool *secure)
{
	const struct dns_response *res = &k->x.response;
	struct dns_result *r = &k->out.result;

	for (size_t i = 0; i < answer->nchain; i++)
		secure[i] = res->ad && k->x.query.want_ad;
	if (!k->stub->validator || answer->loop)
		return 0;
	return dns_validate(k->stub->validator, &k->conf, k->a, k->ctx, res, answer, (int)k->type, secure, &r->ttl,
	    &r->extended_error, &k->out.e);
}

/* Takes the answer of the exchange into the result: 1 when the last name of the chain must be asked for, else the outcome. */
static int
take_answer(struct ask *k, struct str *r_next)
{
	struct dns_result *r = &k->out.result;
	const struct dns_response *res = &k->x.response;
	struct dns_answer answer;
	bool secure[DNS_MAX_STEPS + 1] = { 0 };
	int rv;

	r->extended_error = res->extended_error;
	r->extended_text = res->extended_text;
	if (k->x.rv < 0) {
		r->authentic = false;
		return err_set(&k->out.e, k->x.rv, "%s", k->x.e.text);
	}
	dns_answer_of(k->a, res, k->x.query.name, (int)k->type, &answer);
	r->ttl = MIN(r->ttl, answer.ttl);
	rv = judge(k, &answer, secure);
	if (rv < 0) {
		r->authentic = false;
		return rv;
	}
	TRY(add_steps(k, &answer, secure));
	if (answer.n > 0) {
		dns_order(answer.v, answer.n);
		r->v = answer.v;
		r->n = answer.n;
		return 0;
	}
	if (answer.denied) {
		r->nxdomain = answer.nxdomain;
		return err_set(&k->out.e, DNS_NOTFOUND, answer.nxdomain ? "no such name" : "no such records");
	}
	if (answer.unusable > 0)
		return err_set(&k->out.e, DNS_TEMPORARY, "none of %zu records can be used", answer.unusable);
	*r_next = answer.chain[answer.nchain - 1];
	return 1;
}

static void look(
    struct ask *k, struct stub *s, struct arena *a, const struct ctx *ctx, enum dns_type type, struct str name, unsigned flags);

/*
 * An answer that is not authentic as a whole may start with aliases that are, which is what DANE wants to know (rfc/7672:684).
 * So each is asked for alone, up to the first that is not: what follows it hangs in the air.
 */
static void
check_steps(struct ask *k)
{
	struct dns_result *r = &k->out.result;
	struct ask *sub;
	size_t i;

	for (i = 0; i < r->nsteps && r->steps[i].authentic; i++)
		continue;
	if (i == r->nsteps || !k->x.query.want_ad)
		return;
	sub = ARENA_NEW(k->a, struct ask);
	for (; i < r->nsteps; i++) {
		look(sub, k->stub, k->a, k->ctx, DNS_CNAME, r->steps[i].from, k->flags & DNS_BYPASS_CACHE);
		if (sub->out.rv < 0 || !sub->out.result.authentic || !str_is(sub->out.result.v[0].name, r->steps[i].to))
			break;
		r->steps[i].authentic = true;
	}
	for (; i < r->nsteps; i++)
		r->steps[i].authentic = false;
}

static void
keep(struct ask *k)
{
	struct dns_result *r = &k->out.result;
	uint32_t ttl = FAILURE_TTL;

	if (k->out.rv == 0)
		ttl = r->ttl = MIN(r->ttl, (uint32_t)MAX_TTL);
	else if (k->out.rv == DNS_NOTFOUND)
		ttl = r->ttl = MIN(r->ttl, (uint32_t)MAX_DENIAL_TTL);
	else if (k->out.rv == ERR_CANCELED || ctx_check(k->ctx) < 0)
		return; /* our caller's haste says nothing about the name */
	else
		r->ttl = 0;
	LOCKED(&k->stub->lock);
	dns_cache_put(&k->stub->cache, now_us(k->stub), (int)k->type, k->wire, ttl, k->out.rv, r, &k->out.e);
}

/* From the answer of the first exchange to the outcome. */
static void
finish(struct ask *k)
{
	struct str next = { 0 };
	int rv;

	if (k->done)
		return;
	k->out.result.authentic = true;
	k->out.result.ttl = UINT32_MAX;
	while ((rv = take_answer(k, &next)) == 1) {
		dns_response_done(&k->x.response);
		prepare(k, next);
		dns_exchange_run(&k->conf, k->a, k->ctx, &k->x, 1);
	}
	dns_response_done(&k->x.response);
	k->out.rv = rv;
	k->done = true;
	if (k->out.result.nsteps > 0 && (rv == 0 || rv == DNS_NOTFOUND))
		check_steps(k);
	keep(k);
}

/* A whole look-up. */
static void
look(struct ask *k, struct stub *s, struct arena *a, const struct ctx *ctx, enum dns_type type, struct str name, unsigned flags)
{
	begin(k, s, a, ctx, type, name, flags);
	if (!k->done)
		dns_exchange_run(&k->conf, a, ctx, &k->x, 1);
	finish(k);
}

/* For DNS_NO_CNAME: an alias is the answer, whatever stands at its end. */
static void
stop_at_alias(struct ask *k)
{
	struct dns_result *r = &k->out.result;
	struct ask *sub;

	if (r->nsteps == 0 && k->out.rv < 0 && dns_is_temporary(k->out.rv) && ctx_check(k->ctx) == 0) {
		/* Perhaps only the target is in trouble. */
		sub = ARENA_NEW(k->a, struct ask);
		look(sub, k->stub, k->a, k->ctx, DNS_CNAME, k->name, k->flags & DNS_BYPASS_CACHE);
		if (sub->out.rv < 0)
			return;
		r->ttl = sub->out.result.ttl;
		r->steps = ARENA_NEW(k->a, struct dns_step);
		r->steps[r->nsteps++] = (struct dns_step){ r->canonical, sub->out.result.v[0].name, sub->out.result.authentic };
	}
	if (r->nsteps == 0)
		return;
	r->v = NULL;
	r->n = 0;
	r->nsteps = 1;
	r->canonical = r->steps[0].to;
	r->authentic = r->steps[0].authentic;
	k->out.rv = 0;
	k->out.e = (struct errmsg){ 0 };
}

/* --- what users call --- */

static const char *
metric_type(enum dns_type type)
{
	switch (type) {
	case DNS_A:
	case DNS_AAAA: return "ip";
	case DNS_PTR: return "addr";
	case DNS_CNAME: return "cname";
	case DNS_MX: return "mx";
	case DNS_NS: return "ns";
	case DNS_SRV: return "srv";
	case DNS_TXT: return "txt";
	case DNS_TLSA: return "tlsa";
	}
	return "other";
}

static const char *
metric_result(int rv)
{
	switch (rv) {
	case 0: return "ok";
	case DNS_NOTFOUND: return "nxdomain";
	case DNS_TEMPORARY:
	case DNS_BOGUS: return "temporary";
	case ERR_TIMEOUT: return "timeout";
	case ERR_CANCELED: return "canceled";
	default: return "error";
	}
}

static void
end(struct view *v, struct ask *k, int64_t start)
{
	struct errmsg e = { 0 };

	if (k->flags & DNS_NO_CNAME)
		stop_at_alias(k);
	if (k->out.rv < 0) {
		err_set(&e, k->out.rv, "looking up %s of " STRF ": %s", dns_type_name((int)k->type),
		    STRA(str_log(k->a, k->name, 100)), k->out.e.text);
		k->out.e = e;
	}
	metrics_observe(
	    &metric_lookup, (double)(time_mono_us() - start) / 1e6, v->pkg, metric_type(k->type), metric_result(k->out.rv), NULL);
}

static int
lookup(struct dns_resolver *r, struct arena *a, const struct ctx *ctx, enum dns_type type, struct str name, unsigned flags,
    struct dns_result *r_result, struct errmsg *e)
{
	struct view *v = container_of(r, struct view, r);
	int64_t start = time_mono_us();
	struct ask *k = ARENA_NEW(a, struct ask);

	look(k, v->stub, a, ctx, type, name, flags);
	end(v, k, start);
	*r_result = k->out.result;
	return k->out.rv < 0 ? err_set(e, k->out.rv, "%s", k->out.e.text) : 0;
}

static void
lookup_both(struct dns_resolver *r, struct arena *a, const struct ctx *ctx, struct str name, struct dns_outcome out[2])
{
	struct view *v = container_of(r, struct view, r);
	int64_t start = time_mono_us();
	struct ask *k = ARENA_NEWN(a, 2, struct ask);
	struct dns_exchange *x = ARENA_NEWN(a, 2, struct dns_exchange);
	size_t n = 0;

	begin(&k[0], v->stub, a, ctx, DNS_A, name, 0);
	begin(&k[1], v->stub, a, ctx, DNS_AAAA, name, 0);
	for (int i = 0; i < 2; i++)
		if (!k[i].done)
			x[n++] = k[i].x;
	if (n > 0)
		dns_exchange_run(&k[0].conf, a, ctx, x, n);
	for (int i = 1; i >= 0; i--)
		if (!k[i].done)
			k[i].x = x[--n];
	for (int i = 0; i < 2; i++) {
		finish(&k[i]);
		end(v, &k[i], start);
		out[i] = k[i].out;
	}
}

static void
init_view(struct view *v, struct stub *s, const char *pkg)
{
	v->r.lookup = lookup;
	v->r.lookup_both = lookup_both;
	v->stub = s;
	v->pkg = mem_strdup(pkg);
}

int
dns_stub_new(const struct dns_stub_opts *o, struct dns_resolver **r_resolver, struct errmsg *e)
{
	struct dns_validator *validator = NULL;
	struct stub *s;

	if (o->trust_anchor_file)
		TRY(dns_validator_new(o->trust_anchor_file, o->clock, &validator, e));
	s = mem_alloc(sizeof(*s));
	s->validator = validator;
	init_view(&s->view, s, "");
	lock_init(&s->lock, LOCK_DNS, "dns");
	s->opts.clock = o->clock;
	s->conf_file.path = mem_strdup(o->resolv_conf ? o->resolv_conf : "/etc/resolv.conf");
	dns_conf_parse(S(""), &s->conf);
	if (o->nservers > 0) {
		s->fixed = true;
		s->conf.n = 0;
		s->conf.trust_ad = o->trust_ad;
		for (size_t i = 0; i < o->nservers; i++)
			dns_conf_add(&s->conf, &o->servers[i], 0);
	}
	if (!o->hosts || o->hosts[0] != '\0')
		s->hosts_file.path = mem_strdup(o->hosts ? o->hosts : "/etc/hosts");
	s->cache.max = o->no_cache ? 0 : o->cache_entries ? o->cache_entries : DEFAULT_ENTRIES;
	*r_resolver = &s->view.r;
	return 0;
}

void
dns_stub_free(struct dns_resolver **r)
{
	struct stub *s;

	if (!*r)
		return;
	s = container_of(*r, struct view, r)->stub;
	while (s->views) {
		struct view *v = s->views;

		s->views = v->next;
		mem_free(&v->pkg);
		mem_free(&v);
	}
	dns_validator_free(&s->validator);
	dns_cache_done(&s->cache);
	dns_hosts_done(&s->hosts);
	lock_done(&s->lock);
	mem_free(&s->conf_file.path);
	mem_free(&s->hosts_file.path);
	mem_free(&s->view.pkg);
	mem_free(&s);
	*r = NULL;
}

struct dns_resolver *
dns_stub_for(struct dns_resolver *r, const char *pkg)
{
	struct stub *s;
	struct view *v;

	/* Another kind of resolver, as tests have, counts nothing. */
	if (r->lookup != lookup)
		return r;
	s = container_of(r, struct view, r)->stub;
	LOCKED(&s->lock);
	for (v = s->views; v; v = v->next)
		if (strcmp(v->pkg, pkg) == 0)
			return &v->r;
	v = mem_alloc(sizeof(*v));
	init_view(v, s, pkg);
	v->next = s->views;
	s->views = v;
	return &v->r;
}
