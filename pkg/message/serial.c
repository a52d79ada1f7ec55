/* SPDX-License-Identifier: MIT */
/*
 * The serialised parse result.
 *
 * Form: all numbers are varints (7 bits a byte, least first); signed ones zigzag. A string is its length plus one and the bytes; 0 is
 * the absent string. First the version, then how many parts, envelopes, parameters and addresses follow, so that loading allocates each array
 * once; then the parts in order. Offsets are differences, which keeps most in one or two bytes. Parents and siblings are not
 * stored: pre-order and the numbers of children give them back.
 *
 * Loading trusts nothing: the blob may come from a damaged database.
 */
#include "message/message.h"

#include "base/limits.h"
#include "message/message_internal.h"

/* Media types that are stored as a number. Only append, and raise MESSAGE_PARSE_VERSION when doing so. */
static const struct {
	struct str type, subtype;
} common_types[] = {
	{ S(""), S("") },               /* 0: the two strings follow */
	{ S("TEXT"), S("PLAIN") }, { S("TEXT"), S("HTML") },
	{ S("MULTIPART"), S("ALTERNATIVE") }, { S("MULTIPART"), S("MIXED") }, { S("MULTIPART"), S("RELATED") },
	{ S("MULTIPART"), S("SIGNED") }, { S("MULTIPART"), S("REPORT") }, { S("MULTIPART"), S("ENCRYPTED") },
	{ S("MESSAGE"), S("RFC822") }, { S("MESSAGE"), S("DELIVERY-STATUS") }, { S("TEXT"), S("CALENDAR") }, { S("TEXT"), S("RFC822-HEADERS") },
	{ S("APPLICATION"), S("OCTET-STREAM") }, { S("APPLICATION"), S("PDF") }, { S("IMAGE"), S("JPEG") }, { S("IMAGE"), S("PNG") },
	{ S("IMAGE"), S("GIF") }, { S("APPLICATION"), S("PGP-SIGNATURE") }, { S("APPLICATION"), S("PKCS7-SIGNATURE") },
	{ S("APPLICATION"), S("ZIP") }, { S("TEXT"), S("CSV") }, { S("TEXT"), S("X-AMP-HTML") }, { S("APPLICATION"), S("ICS") },
};

enum {
	HAS_ROOT = 1, HAS_NO_TYPE = 2, HAS_8BIT = 4, HAS_SPACE = 8, HAS_FIELDS = 16, HAS_DISPOSITION = 32, HAS_FLAWS = 64, HAS_BOUNDARY_OFF = 128,
};
enum { ADDR_KIND = 3, ADDR_NAME = 4, ADDR_ROUTE = 8 };

/* Writing */

static void
put(struct buf *b, uint64_t v)
{
	char t[10];
	size_t n = 0;

	for (; v >= 0x80; v >>= 7)
		t[n++] = (char)(v | 0x80);
	t[n++] = (char)v;
	buf_add(b, str_n(t, n));
}

static void
put_signed(struct buf *b, int64_t v)
{
	put(b, ((uint64_t)v << 1) ^ (uint64_t)(v >> 63));
}

static void
put_str(struct buf *b, struct str s)
{
	put(b, s.p ? s.n + 1 : 0);
	buf_add(b, s);
}

static void
put_params(struct buf *b, const struct message_param *v, uint32_t n)
{
	put(b, n);
	for (uint32_t i = 0; i < n; i++) {
		put_str(b, v[i].name);
		put_str(b, v[i].value);
	}
}

static void
put_addrs(struct buf *b, const struct message_addrs *l)
{
	put(b, l->n);
	for (uint32_t i = 0; i < l->n; i++) {
		const struct message_addr *addr = &l->v[i];
		put(b, (unsigned)addr->kind | (addr->name.n ? ADDR_NAME : 0) | (addr->route.n ? ADDR_ROUTE : 0));
		if (addr->name.n)
			put_str(b, addr->name);
		if (addr->route.n)
			put_str(b, addr->route);
		put_str(b, addr->localpart);
		put_str(b, addr->domain);
	}
}

static void
put_envelope(struct buf *b, const struct message_envelope *env)
{
	put_str(b, env->date);
	put(b, env->has_date);
	if (env->has_date) {
		put_signed(b, env->date_us);
		put_signed(b, env->tz_min);
	}
	put_str(b, env->subject);
	put_str(b, env->in_reply_to);
	put_str(b, env->message_id);
	put_addrs(b, &env->from);
	put_addrs(b, &env->sender);
	put_addrs(b, &env->reply_to);
	put_addrs(b, &env->to);
	put_addrs(b, &env->cc);
	put_addrs(b, &env->bcc);
}

static void
put_part(struct buf *b, const struct message_part *p)
{
	bool fields = p->id.p || p->description.p || p->md5.p || p->language.p || p->location.p;
	size_t type = ARRAY_LEN(common_types);

	while (--type > 0) {
		if (str_is(p->type, common_types[type].type) && str_is(p->subtype, common_types[type].subtype))
			break;
	}
	put(b, (unsigned)p->kind | (unsigned)p->encoding << 2);
	put(b, (p->root ? HAS_ROOT : 0) | (p->no_type ? HAS_NO_TYPE : 0) | (p->header_8bit ? HAS_8BIT : 0) |
		(p->space != MESSAGE_NONE ? HAS_SPACE : 0) | (fields ? HAS_FIELDS : 0) | (p->disposition.p ? HAS_DISPOSITION : 0) |
		(p->flaws ? HAS_FLAWS : 0) | (p->boundary_off >= 0 ? HAS_BOUNDARY_OFF : 0));
	if (p->flaws)
		put(b, p->flaws);
	put(b, p->nchildren);
	if (p->space != MESSAGE_NONE)
		put(b, p->space);
	put(b, (uint64_t)p->header_off);
	if (p->boundary_off >= 0)
		put(b, (uint64_t)(p->header_off - p->boundary_off));
	put(b, (uint64_t)(p->body_off - p->header_off));
	put(b, (uint64_t)(p->end_off - p->body_off));
	put(b, (uint64_t)p->lines);
	put_signed(b, p->decoded_size - (p->end_off - p->body_off));
	put(b, type);
	if (type == 0) {
		put_str(b, p->type);
		put_str(b, p->subtype);
	}
	put_params(b, p->params, p->nparams);
	put_str(b, p->cte);
	if (fields) {
		put_str(b, p->id);
		put_str(b, p->description);
		put_str(b, p->md5);
		put_str(b, p->language);
		put_str(b, p->location);
	}
	if (p->disposition.p) {
		put_str(b, p->disposition);
		put_params(b, p->disposition_params, p->ndisposition_params);
	}
	if (p->root)
		put_envelope(b, p->envelope);
}

void
message_serialize(const struct message *m, struct buf *b)
{
	uint64_t envelopes = 0, params = 0, addrs = 0;

	for (uint32_t i = 0; i < m->nparts; i++) {
		const struct message_part *p = &m->parts[i];
		params += p->nparams + (p->disposition.p ? p->ndisposition_params : 0);
		if (p->root) {
			const struct message_envelope *e = p->envelope;
			envelopes++;
			addrs += e->from.n + e->sender.n + e->reply_to.n + e->to.n + e->cc.n + e->bcc.n;
		}
	}
	put(b, MESSAGE_PARSE_VERSION);
	put(b, (uint64_t)m->size);
	put(b, m->nparts);
	put(b, envelopes);
	put(b, params);
	put(b, addrs);
	put_str(b, m->fault.text.n ? m->fault.text : (struct str){ 0 });
	if (m->fault.text.n) {
		put(b, m->fault.part);
		put(b, (uint64_t)m->fault.off);
	}
	for (uint32_t i = 0; i < m->nparts; i++)
		put_part(b, &m->parts[i]);
}

/* Reading */

struct reader {
	const unsigned char *p, *end;
	bool bad;               /* sticky */
	struct message_envelope *envelopes;
	struct message_param *params;
	struct message_addr *addrs;
	uint64_t nenvelopes, nparams, naddrs;   /* left of the arrays */
};

static uint64_t
get(struct reader *r)
{
	uint64_t v = 0;

	for (unsigned shift = 0; shift < 64 && r->p < r->end; shift += 7) {
		unsigned char c = *r->p++;
		v |= (uint64_t)(c & 0x7f) << shift;
		if (c < 0x80)
			return v;
	}
	r->bad = true;
	return 0;
}

static uint64_t
get_max(struct reader *r, uint64_t max)
{
	uint64_t v = get(r);

	if (v > max)
		r->bad = true;
	return r->bad ? 0 : v;
}

static int64_t
get_signed(struct reader *r)
{
	uint64_t v = get(r);

	return (int64_t)(v >> 1) ^ -(int64_t)(v & 1);
}

static struct str
get_str(struct reader *r)
{
	uint64_t n = get(r);

	if (n == 0 || r->bad)
		return (struct str){ 0 };
	if (n - 1 > (uint64_t)(r->end - r->p)) {
		r->bad = true;
		return (struct str){ 0 };
	}
	struct str s = str_n((const char *)r->p, (size_t)n - 1);
	r->p += n - 1;
	return s;
}

static struct message_param *
get_params(struct reader *r, uint32_t *r_n)
{
	struct message_param *v = r->params;
	uint32_t n = (uint32_t)get_max(r, r->nparams);

	r->nparams -= n;
	r->params += n;
	for (uint32_t i = 0; i < n; i++) {
		v[i].name = get_str(r);
		v[i].value = get_str(r);
	}
	*r_n = n;
	return v;
}

static void
get_addrs(struct reader *r, struct message_addrs *l)
{
	l->n = (uint32_t)get_max(r, r->naddrs);
	l->v = r->addrs;
	r->naddrs -= l->n;
	r->addrs += l->n;
	for (uint32_t i = 0; i < l->n; i++) {
		struct message_addr *addr = &l->v[i];
		unsigned bits = (unsigned)get_max(r, ADDR_KIND | ADDR_NAME | ADDR_ROUTE);
		addr->kind = (enum message_addr_kind)(bits & ADDR_KIND);
		if (bits & ADDR_NAME)
			addr->name = get_str(r);
		if (bits & ADDR_ROUTE)
			addr->route = get_str(r);
		addr->localpart = get_str(r);
		addr->domain = get_str(r);
	}
}

static void
get_envelope(struct reader *r, struct message_envelope *env)
{
	env->date = get_str(r);
	env->has_date = get_max(r, 1);
	if (env->has_date) {
		int64_t tz;
		env->date_us = get_signed(r);
		tz = get_signed(r);
		if (tz <= -24 * 60 || tz >= 24 * 60)
			r->bad = true;
		env->tz_min = (int)tz;
	}
	env->subject = get_str(r);
	env->in_reply_to = get_str(r);
	env->message_id = get_str(r);
	get_addrs(r, &env->from);
	get_addrs(r, &env->sender);
	get_addrs(r, &env->reply_to);
	get_addrs(r, &env->to);
	get_addrs(r, &env->cc);
	get_addrs(r, &env->bcc);
}

/* get_part reads part i; parts before it are there already. */
static void
get_part(struct reader *r, struct message *m, uint32_t i)
{
	struct message_part *p = &m->parts[i];
	unsigned kind = (unsigned)get_max(r, 31), bits = (unsigned)get_max(r, 255);
	int64_t limit = m->size;

	p->kind = (enum message_kind)(kind & 3);
	p->encoding = (enum message_encoding)(kind >> 2);
	if (p->kind > MESSAGE_EMBEDDED || p->encoding > MESSAGE_UNKNOWN)
		r->bad = true;
	p->root = bits & HAS_ROOT;
	p->no_type = bits & HAS_NO_TYPE;
	p->header_8bit = bits & HAS_8BIT;
	if (bits & HAS_FLAWS)
		p->flaws = (uint32_t)get_max(r, UINT32_MAX);
	p->nchildren = (uint32_t)get_max(r, LIMIT_MIME_PARTS);
	p->space = MESSAGE_NONE;
	if (bits & HAS_SPACE) {
		p->space = (uint32_t)get(r);
		if (r->bad || p->space >= i || m->parts[p->space].kind != MESSAGE_EMBEDDED) {
			r->bad = true;
			return;
		}
		limit = m->parts[p->space].decoded_size;
	}
	p->header_off = (int64_t)get_max(r, (uint64_t)limit);
	p->boundary_off = -1;
	if (bits & HAS_BOUNDARY_OFF)
		p->boundary_off = p->header_off - (int64_t)get_max(r, (uint64_t)p->header_off);
	p->body_off = p->header_off + (int64_t)get_max(r, (uint64_t)(limit - p->header_off));
	p->end_off = p->body_off + (int64_t)get_max(r, (uint64_t)(limit - p->body_off));
	p->lines = (int64_t)get_max(r, (uint64_t)limit);
	int64_t more = get_signed(r), raw = p->end_off - p->body_off;
	/* Decoding at most doubles a body: every byte a bare LF. */
	if (more < -raw || more > raw)
		r->bad = true;
	p->decoded_size = r->bad ? 0 : raw + more;

	uint64_t type = get_max(r, ARRAY_LEN(common_types) - 1);
	p->type = type ? common_types[type].type : get_str(r);
	p->subtype = type ? common_types[type].subtype : get_str(r);
	p->params = get_params(r, &p->nparams);
	p->cte = get_str(r);
	if (bits & HAS_FIELDS) {
		p->id = get_str(r);
		p->description = get_str(r);
		p->md5 = get_str(r);
		p->language = get_str(r);
		p->location = get_str(r);
	}
	if (bits & HAS_DISPOSITION) {
		p->disposition = get_str(r);
		p->disposition_params = get_params(r, &p->ndisposition_params);
	}
	if (p->root) {
		if (r->nenvelopes == 0) {
			r->bad = true;
			return;
		}
		p->envelope = r->envelopes++;
		r->nenvelopes--;
		get_envelope(r, p->envelope);
	}
	m->flaws |= p->flaws;
}

/* link_parts fills parent and next from pre-order and the numbers of children; false if they do not fit. */
static bool
link_parts(struct message *m)
{
	struct {
		uint32_t part, left, last;
	} up[LIMIT_MIME_DEPTH + 1];
	unsigned depth = 0;

	for (uint32_t i = 0; i < m->nparts; i++) {
		struct message_part *p = &m->parts[i];
		while (depth > 0 && up[depth - 1].left == 0)
			depth--;
		if ((depth == 0) != (i == 0))
			return false;
		p->parent = p->next = MESSAGE_NONE;
		bool child_of_message = depth > 0 && m->parts[up[depth - 1].part].kind == MESSAGE_EMBEDDED;
		if (p->root != (i == 0 || child_of_message))
			return false;
		if (p->kind == MESSAGE_LEAF ? p->nchildren != 0 : p->kind == MESSAGE_EMBEDDED ? p->nchildren != 1 : p->nchildren == 0)
			return false;
		if (depth > 0) {
			p->parent = up[depth - 1].part;
			up[depth - 1].left--;
			if (up[depth - 1].last != 0)
				m->parts[up[depth - 1].last].next = i;
			up[depth - 1].last = i;
		}
		if (p->nchildren > 0) {
			if (depth == ARRAY_LEN(up))
				return false;
			up[depth].part = i;
			up[depth].left = p->nchildren;
			up[depth].last = 0;
			depth++;
		}
	}
	while (depth > 0) {
		if (up[--depth].left > 0)
			return false;
	}
	return true;
}

int
message_load(struct arena *a, struct str blob, struct message *r_m)
{
	struct reader r = { .p = (const unsigned char *)blob.p, .end = (const unsigned char *)blob.p + blob.n };
	struct message m = { 0 };

	if (get(&r) != MESSAGE_PARSE_VERSION || r.bad)
		return blob.n == 0 || r.bad ? ERR_CORRUPT : ERR_UNSUPPORTED;
	m.size = (int64_t)get_max(&r, INT64_MAX / 4);
	/* Every element takes at least two bytes, so counts beyond the blob's size are false before anything is allocated. */
	m.nparts = (uint32_t)get_max(&r, MIN((uint64_t)LIMIT_MIME_PARTS, blob.n / 2));
	r.nenvelopes = get_max(&r, m.nparts);
	r.nparams = get_max(&r, blob.n / 2);
	r.naddrs = get_max(&r, blob.n / 2);
	m.fault.text = get_str(&r);
	if (m.fault.text.n > 0) {
		m.fault.part = (uint32_t)get_max(&r, m.nparts);
		m.fault.off = (int64_t)get_max(&r, (uint64_t)m.size);
	}
	if (r.bad || m.nparts == 0)
		return ERR_CORRUPT;
	m.parts = ARENA_NEWN(a, m.nparts, struct message_part);
	r.envelopes = ARENA_NEWN(a, r.nenvelopes, struct message_envelope);
	r.params = ARENA_NEWN(a, r.nparams, struct message_param);
	r.addrs = ARENA_NEWN(a, r.naddrs, struct message_addr);
	for (uint32_t i = 0; i < m.nparts && !r.bad; i++)
		get_part(&r, &m, i);
	if (r.bad || r.p != r.end || !link_parts(&m))
		return ERR_CORRUPT;
	if (m.parts[0].header_off != 0 || m.parts[0].end_off != m.size || (m.fault.text.n > 0 && m.fault.part >= m.nparts))
		return ERR_CORRUPT;
	*r_m = m;
	return 0;
}
