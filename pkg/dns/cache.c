/* SPDX-License-Identifier: MIT */
/*
 * cache.c - outcomes of look-ups, each in one block of memory, in a map and in a list by last use.
 *
 * Entries are bounded in number and together in size: the answers are what others put into DNS, up to 64 KiB each.
 */
#include "base/mem.h"
#include "base/timeutil.h"
#include "dns/dns_internal.h"

#define AVERAGE_SIZE 1024    /* what the bound of the size allows for each entry */
#define MAX_SIZE (16 * 1024) /* of one entry; larger answers are not kept */

struct dns_cached {
	struct dns_cached *newer, *older;
	int64_t expires_us;
	size_t size;
	int rv;
	struct str key;
	struct dns_result result;
	struct str error;
};

/* A result is copied in two passes over the same code: the first, without memory, tells how much is needed. */
struct bump {
	char *p;
	size_t n;
};

static void *
put(struct bump *b, const void *src, size_t n)
{
	char *at = b->p ? b->p + b->n : NULL;

	if (at && n > 0)
		memcpy(at, src, n);
	b->n += (n + alignof(max_align_t) - 1) & ~(alignof(max_align_t) - 1);
	return at;
}

static struct str
put_str(struct bump *b, struct str s)
{
	return str_n(put(b, s.p, s.n), s.n);
}

static struct dns_result
copy_result(struct bump *b, const struct dns_result *in)
{
	struct dns_result out = *in;
	struct dns_record *v = put(b, in->v, in->n * sizeof(*v));

	out.v = v;
	for (size_t i = 0; i < in->n; i++) {
		struct str name = put_str(b, in->v[i].name), text = put_str(b, in->v[i].text), data = put_str(b, in->v[i].data);

		if (v) {
			v[i].name = name;
			v[i].text = text;
			v[i].data = data;
		}
	}
	out.steps = put(b, in->steps, in->nsteps * sizeof(*out.steps));
	for (size_t i = 0; i < in->nsteps; i++) {
		struct str from = put_str(b, in->steps[i].from), to = put_str(b, in->steps[i].to);

		if (out.steps) {
			out.steps[i].from = from;
			out.steps[i].to = to;
		}
	}
	out.canonical = put_str(b, in->canonical);
	out.extended_text = put_str(b, in->extended_text);
	return out;
}

static struct str
make_key(char buf[DNS_MAX_WIRE_NAME + 2], int type, struct str name)
{
	buf[0] = (char)(type >> 8);
	buf[1] = (char)type;
	memcpy(buf + 2, name.p, name.n);
	return str_n(buf, name.n + 2);
}

static void
unlist(struct dns_cache *c, struct dns_cached *e)
{
	*(e->newer ? &e->newer->older : &c->first) = e->older;
	*(e->older ? &e->older->newer : &c->last) = e->newer;
	e->newer = e->older = NULL;
}

static void
enlist(struct dns_cache *c, struct dns_cached *e)
{
	e->older = c->first;
	*(c->first ? &c->first->newer : &c->last) = e;
	c->first = e;
}

static void
drop(struct dns_cache *c, struct dns_cached *e)
{
	map_del(&c->map, e->key);
	unlist(c, e);
	c->n--;
	c->bytes -= e->size;
	mem_free(&e);
}

bool
dns_cache_get(struct dns_cache *c, struct arena *a, int64_t now_us, int type, struct str name, int *r_rv,
    struct dns_result *r_result, struct errmsg *e)
{
	char buf[DNS_MAX_WIRE_NAME + 2];
	struct dns_cached *found = map_get(&c->map, make_key(buf, type, name));
	struct bump b = { 0 };

	if (!found)
		return false;
	if (found->expires_us <= now_us) {
		drop(c, found);
		return false;
	}
	unlist(c, found);
	enlist(c, found);
	copy_result(&b, &found->result);
	b = (struct bump){ .p = arena_alloc(a, b.n + 1) };
	*r_result = copy_result(&b, &found->result);
	r_result->ttl = (uint32_t)((found->expires_us - now_us + TIME_SEC - 1) / TIME_SEC);
	*r_rv = found->rv;
	if (found->rv < 0)
		err_set(e, found->rv, STRF, STRA(found->error));
	return true;
}

void
dns_cache_put(struct dns_cache *c, int64_t now_us, int type, struct str name, uint32_t ttl, int rv,
    const struct dns_result *result, const struct errmsg *e)
{
	char buf[DNS_MAX_WIRE_NAME + 2];
	struct str key = make_key(buf, type, name);
	struct bump b = { .n = sizeof(struct dns_cached) };
	struct dns_cached *old = map_get(&c->map, key), *fresh;

	if (old)
		drop(c, old);
	copy_result(&b, result);
	put_str(&b, key);
	put_str(&b, str_of(e->text));
	if (ttl == 0 || c->max == 0 || b.n > MAX_SIZE)
		return;
	while (c->n > 0 && (c->n >= c->max || c->bytes + b.n > c->max * AVERAGE_SIZE))
		drop(c, c->last);
	fresh = mem_alloc(b.n);
	*fresh = (struct dns_cached){ .expires_us = now_us + ttl * TIME_SEC, .size = b.n, .rv = rv };
	b = (struct bump){ .p = (char *)fresh, .n = sizeof(*fresh) };
	fresh->result = copy_result(&b, result);
	fresh->key = put_str(&b, key);
	fresh->error = put_str(&b, str_of(e->text));
	map_set(&c->map, fresh->key, fresh);
	enlist(c, fresh);
	c->n++;
	c->bytes += fresh->size;
}

void
dns_cache_done(struct dns_cache *c)
{
	while (c->first)
		drop(c, c->first);
	map_done(&c->map);
}
