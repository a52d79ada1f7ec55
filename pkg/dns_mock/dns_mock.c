/* SPDX-License-Identifier: MIT */
/* dns_mock.c - a resolver over a table. */
#include "dns_mock/dns_mock.h"

#include <stdatomic.h>
#include <poll.h>

#include "base/buf.h"
#include "base/enc.h"
#include "base/lock.h"
#include "base/mem.h"

#define MAX_CHAIN 16

struct entry {
	struct str name;                /* lower case */
	struct dns_record rec;
};

struct mock {
	struct dns_resolver r;
	struct dns_mock_opts o;
	struct lock lock;               /* arena and entries */
	struct arena arena;
	struct entry *v;
	size_t n;
	atomic_uint lookups;
};

static const struct { const char *name; enum dns_type type; } types[] = {
	{ "a", DNS_A }, { "ns", DNS_NS }, { "cname", DNS_CNAME }, { "ptr", DNS_PTR }, { "mx", DNS_MX }, { "txt", DNS_TXT },
	{ "aaaa", DNS_AAAA }, { "srv", DNS_SRV }, { "tlsa", DNS_TLSA },
};

static const char *
type_name(enum dns_type type)
{
	for (size_t i = 0; i < ARRAY_LEN(types); i++)
		if (types[i].type == type)
			return types[i].name;
	return "?";
}

static struct str
undot(struct str s)
{
	return str_ends(s, S(".")) ? str_upto(s, s.n - 1) : s;
}

static struct str
word(struct str *rest)
{
	struct str w;

	*rest = str_trim(*rest);
	w = str_split(rest, ' ');
	*rest = str_trim(*rest);
	return w;
}

/* Character-strings in quotes with \" and \DDD, joined; or the rest of the line as it stands. */
static struct str
text(struct arena *a, struct str s)
{
	struct buf b = BUF_ARENA(a, 65536);
	bool in = false;

	if (!str_starts(s, S("\"")))
		return str_dup(a, s);
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] == '"') {
			in = !in;
		} else if (in && s.p[i] == '\\' && i + 3 < s.n && s.p[i + 1] >= '0' && s.p[i + 1] <= '9') {
			buf_addc(&b, (char)((s.p[i + 1] - '0') * 100 + (s.p[i + 2] - '0') * 10 + (s.p[i + 3] - '0')));
			i += 3;
		} else if (in && s.p[i] == '\\' && i + 1 < s.n) {
			buf_addc(&b, s.p[++i]);
		} else if (in) {
			buf_addc(&b, s.p[i]);
		}
	}
	return buf_str(&b);
}

/* A name without its final dot, in lower case, with \DDD decoded. */
static struct str
parse_name(struct arena *a, struct str s)
{
	struct buf b = BUF_ARENA(a, 1024);

	s = undot(s);
	for (size_t i = 0; i < s.n; i++) {
		uint32_t v = 0;

		if (s.p[i] == '\\' && str_u32(str_upto(str_from(s, i + 1), 3), &v) == 0) {
			buf_addc(&b, (char)v);
			i += 3;
		} else {
			buf_addc(&b, s.p[i]);
		}
	}
	return str_lower(a, buf_str(&b));
}

static unsigned
number(struct str s, struct str line)
{
	uint32_t v = 0;

	if (str_u32(s, &v) < 0 || v > 65535)
		bug("mock zone: bad number in: " STRF, STRA(line));
	return v;
}

static void
parse_line(struct mock *m, struct str line)
{
	struct str rest = str_trim(line), name, type;
	struct entry e = { 0 };

	if (rest.n == 0 || rest.p[0] == ';')
		return;
	name = word(&rest);
	type = str_lower(&m->arena, word(&rest));
	for (size_t i = 0; i < ARRAY_LEN(types); i++)
		if (str_is(type, str_of(types[i].name)))
			e.rec.type = types[i].type;
	e.name = parse_name(&m->arena, name);
	switch (e.rec.type) {
	case DNS_A:
	case DNS_AAAA:
		if (ip_parse(rest, &e.rec.ip) < 0)
			bug("mock zone: bad address in: " STRF, STRA(line));
		break;
	case DNS_MX:
		e.rec.preference = (uint16_t)number(word(&rest), line);
		e.rec.name = parse_name(&m->arena, rest);
		break;
	case DNS_SRV:
		e.rec.priority = (uint16_t)number(word(&rest), line);
		e.rec.weight = (uint16_t)number(word(&rest), line);
		e.rec.port = (uint16_t)number(word(&rest), line);
		e.rec.name = parse_name(&m->arena, rest);
		break;
	case DNS_TXT:
		e.rec.text = text(&m->arena, rest);
		break;
	case DNS_TLSA:
		e.rec.usage = (uint8_t)number(word(&rest), line);
		e.rec.selector = (uint8_t)number(word(&rest), line);
		e.rec.matching = (uint8_t)number(word(&rest), line);
		if (enc_unhex(&m->arena, rest, &e.rec.data) < 0)
			bug("mock zone: bad data in: " STRF, STRA(line));
		break;
	case DNS_NS:
	case DNS_CNAME:
	case DNS_PTR:
		e.rec.name = parse_name(&m->arena, rest);
		break;
	default:
		bug("mock zone: unknown type in: " STRF, STRA(line));
	}
	m->v = mem_grow(m->v, m->n, m->n + 1, sizeof(*m->v));
	m->v[m->n++] = e;
}

/* Whether a list has "type name", or "* name". */
static bool
listed(const char *const *list, const char *type, struct str name)
{
	for (; list && *list; list++) {
		struct str rest = str_of(*list);
		struct str t = str_split(&rest, ' ');

		if ((str_icase(t, str_of(type)) || str_is(t, S("*"))) && str_icase(undot(rest), name))
			return true;
	}
	return false;
}

static bool
authentic(const struct mock *m, const char *type, struct str name)
{
	if (m->o.all_authentic)
		return !listed(m->o.inauthentic, type, name);
	return listed(m->o.authentic, type, name);
}

/* Records of one type at one name, copied. */
static size_t
collect(struct mock *m, struct arena *a, enum dns_type type, struct str name, struct dns_record **r_v)
{
	struct dns_record *v = NULL;
	size_t n = 0;

	LOCKED(&m->lock);
	for (size_t i = 0; i < m->n; i++)
		if (m->v[i].rec.type == type && str_is(m->v[i].name, name)) {
			v = arena_grow(a, v, n, n + 1, sizeof(*v));
			v[n] = m->v[i].rec;
			v[n].name = str_dup(a, v[n].name);
			v[n].text = str_dup(a, v[n].text);
			v[n].data = str_dup(a, v[n].data);
			n++;
		}
	*r_v = v;
	return n;
}

/* Whether nothing is at the name or below it. */
static bool
unknown(struct mock *m, struct str name)
{
	LOCKED(&m->lock);
	for (size_t i = 0; i < m->n; i++) {
		struct str have = m->v[i].name;

		if (str_is(have, name) || (have.n > name.n && str_ends(have, name) && have.p[have.n - name.n - 1] == '.'))
			return false;
	}
	return true;
}

static void
sort_mx(struct dns_record *v, size_t n)
{
	for (size_t i = 1; i < n; i++)
		for (size_t k = i; k > 0 && v[k].preference < v[k - 1].preference; k--) {
			struct dns_record t = v[k];

			v[k] = v[k - 1];
			v[k - 1] = t;
		}
}

static int
lookup(struct dns_resolver *r, struct arena *a, const struct ctx *ctx, enum dns_type type, struct str name, unsigned flags,
    struct dns_result *r_result, struct errmsg *e)
{
	struct mock *m = container_of(r, struct mock, r);
	const char *tname = type_name(type);
	struct dns_record *v;

	atomic_fetch_add(&m->lookups, 1);
	name = str_lower(a, undot(name));
	r_result->authentic = authentic(m, tname, name);
	r_result->ttl = 300;
	for (unsigned hop = 0;; hop++) {
		struct dns_step step;

		TRY(ctx_check(ctx));
		r_result->canonical = name;
		if (listed(m->o.hang, tname, name)) {
			int rv;

			/* Waits on nothing but the deadline and the stop descriptor. */
			while ((rv = ctx_check(ctx)) == 0) {
				struct pollfd p = { .fd = ctx->stop_fd > 0 ? ctx->stop_fd : -1, .events = POLLIN };

				ignore_result(poll(&p, 1, ctx_left_ms(ctx, 1000)) < 0);
			}
			return err_set(e, rv, "looking up %s of " STRF ": %s", tname, STRA(name), err_text(rv));
		}
		if (listed(m->o.bogus, tname, name)) {
			r_result->extended_error = 6;
			r_result->extended_text = S("mocked");
			r_result->authentic = false;
			return err_set(e, DNS_BOGUS, "looking up %s of " STRF ": bogus", tname, STRA(name));
		}
		if (listed(m->o.fail, tname, name)) {
			r_result->authentic = false;
			return err_set(e, DNS_TEMPORARY, "looking up %s of " STRF ": temporary failure", tname, STRA(name));
		}
		r_result->n = collect(m, a, type, name, &v);
		r_result->v = v;
		if (r_result->n > 0 || type == DNS_CNAME)
			break;
		if (collect(m, a, DNS_CNAME, name, &v) == 0)
			break;
		if (hop == MAX_CHAIN)
			return err_set(e, DNS_TEMPORARY, "a circle, or more than %d, of aliases", MAX_CHAIN);
		step = (struct dns_step){ name, v[0].name, authentic(m, tname, name) || authentic(m, "cname", name) };
		r_result->steps = arena_grow(a, r_result->steps, r_result->nsteps, r_result->nsteps + 1, sizeof(step));
		r_result->steps[r_result->nsteps++] = step;
		if (flags & DNS_NO_CNAME)
			return 0;
		name = v[0].name;
		r_result->authentic = step.authentic && authentic(m, tname, name);
	}
	if (type == DNS_MX && r_result->n > 0)
		sort_mx(v, r_result->n);
	r_result->nxdomain = r_result->n == 0 && unknown(m, name);
	if (r_result->n == 0)
		return err_set(e, DNS_NOTFOUND, "looking up %s of " STRF ": no such record", tname, STRA(name));
	return 0;
}

struct dns_resolver *
dns_mock_new(const struct dns_mock_opts *o)
{
	struct mock *m = mem_alloc(sizeof(*m));
	struct str zone = str_of(o->zone);

	m->r.lookup = lookup;
	m->o = *o;
	lock_init(&m->lock, LOCK_LIMITER, "dns_mock");
	while (zone.n > 0)
		parse_line(m, str_split(&zone, '\n'));
	return &m->r;
}

void
dns_mock_free(struct dns_resolver **r)
{
	struct mock *m;

	if (!*r)
		return;
	m = container_of(*r, struct mock, r);
	arena_done(&m->arena);
	lock_done(&m->lock);
	mem_free(&m->v);
	mem_free(&m);
	*r = NULL;
}

void
dns_mock_add(struct dns_resolver *r, const char *line)
{
	struct mock *m = container_of(r, struct mock, r);

	LOCKED(&m->lock);
	parse_line(m, str_of(line));
}

unsigned
dns_mock_lookups(struct dns_resolver *r)
{
	return atomic_load(&container_of(r, struct mock, r)->lookups);
}
