/* SPDX-License-Identifier: MIT */
/* JSON to values. The only file that knows cJSON. */
#include <math.h>

#include <cjson/cJSON.h>

#include "base/timeutil.h"
#include "typedesc/typedesc_internal.h"

#define MAX_SAFE 9007199254740991.0 /* 2^53-1: beyond it a double does not tell neighbours apart */

/* Where we are, for messages: from the value at hand up. */
struct at {
	const struct at *up;
	const char *name; /* of a field or key; NULL: index */
	size_t index;
};

struct dec {
	struct arena *a;
	unsigned flags;
	struct errmsg *e;
};

static int decode(struct dec *d, const struct at *at, const struct typedesc *t, const cJSON *j, void *v);

static void
cjson_cleanup(cJSON **j)
{
	cJSON_Delete(*j);
}

static void
add_path(struct buf *b, const struct at *at)
{
	if (at == NULL)
		return;
	add_path(b, at->up);
	if (at->name)
		buf_addf(b, "%s%s", b->n ? "." : "", at->name);
	else
		buf_addf(b, "[%zu]", at->index);
}

static int
fail(struct dec *d, const struct at *at, int code, const char *text)
{
	struct arena a = { 0 };
	struct buf b = BUF_ARENA(&a, 4096);
	struct str path;

	add_path(&b, at);
	path = str_log(&a, buf_str(&b), 120);
	err_set(d->e, code, STRF "%s%s", STRA(path), path.n ? ": " : "", text);
	arena_done(&a);
	return code;
}

/* A whole number within the bounds. */
static int
decode_int(struct dec *d, const struct at *at, const cJSON *j, double lo, double hi, int64_t *r_v)
{
	double x = j->valuedouble;

	if (!cJSON_IsNumber(j))
		return fail(d, at, ERR_INVALID, "expected a number");
	if (x != floor(x))
		return fail(d, at, ERR_INVALID, "expected a whole number");
	if (x < lo || x > hi)
		return fail(d, at, ERR_INVALID, "number out of range");
	*r_v = (int64_t)x;
	return 0;
}

/* Nanoseconds. They may pass 2^53, since whole microseconds are what counts. */
static int
decode_duration(struct dec *d, const struct at *at, const cJSON *j, void *v)
{
	double us = j->valuedouble / 1000;
	int64_t i;

	if (!cJSON_IsNumber(j))
		return fail(d, at, ERR_INVALID, "expected a number of nanoseconds");
	if (!(fabs(us) < MAX_SAFE))
		return fail(d, at, ERR_INVALID, "number out of range");
	i = (int64_t)llround(us);
	memcpy(v, &i, sizeof(i));
	return 0;
}

/* Kinds whose JSON is a string with their text. */
static int
decode_text(struct dec *d, const struct at *at, const struct typedesc *t, const cJSON *j, void *v)
{
	struct errmsg e = { 0 };

	if (!cJSON_IsString(j))
		return fail(d, at, ERR_INVALID, "expected a string");
	if (typedesc_parse(d->a, t, str_of(j->valuestring), v, &e) == 0)
		return 0;
	if (d->flags & TYPEDESC_JSON_TOLERANT && t->kind == TYPEDESC_TIME &&
	    typedesc_parse(d->a, t, str_fmt(d->a, "%sZ", j->valuestring), v, NULL) == 0)
		return 0;
	return fail(d, at, ERR_INVALID, e.text);
}

static int
decode_json(struct dec *d, const cJSON *j, void *v)
{
	char *text = cJSON_PrintUnformatted(j);

	*(struct str *)v = str_dup(d->a, str_of(text));
	cJSON_free(text);
	return 0;
}

static size_t
count(const cJSON *j)
{
	size_t n = 0;

	for (const cJSON *c = j->child; c; c = c->next)
		n++;
	return n;
}

static int
decode_list(struct dec *d, const struct at *at, const struct typedesc *t, const cJSON *j, struct typedesc_list *l)
{
	size_t i = 0;

	if (!cJSON_IsArray(j) && d->flags & TYPEDESC_JSON_TOLERANT) {
		struct at only = { at, NULL, 0 };

		l->v = arena_allocn(d->a, 1, t->elem->size);
		l->n = 1;
		return decode(d, &only, t->elem, j, l->v);
	}
	if (!cJSON_IsArray(j))
		return fail(d, at, ERR_INVALID, "expected an array");
	l->n = count(j);
	if (l->n)
		l->v = arena_allocn(d->a, l->n, t->elem->size);
	for (const cJSON *c = j->child; c; c = c->next, i++) {
		struct at here = { at, NULL, i };

		TRY(decode(d, &here, t->elem, c, typedesc_elem(t, l, i)));
	}
	return 0;
}

static int
decode_map(struct dec *d, const struct at *at, const struct typedesc *t, const cJSON *j, struct typedesc_list *l)
{
	size_t i = 0;

	if (!cJSON_IsObject(j))
		return fail(d, at, ERR_INVALID, "expected an object");
	l->n = count(j);
	if (l->n == 0)
		return 0;
	l->v = arena_allocn(d->a, l->n, t->stride);
	for (const cJSON *c = j->child; c; c = c->next, i++) {
		struct at here = { at, c->string, 0 };

		*typedesc_key(t, l, i) = str_dup(d->a, str_of(c->string));
		TRY(decode(d, &here, t->elem, c, typedesc_elem(t, l, i)));
	}
	struct str dup;
	if (!typedesc_map_sort(t, l, &dup)) {
		struct at here = { at, dup.p, 0 };

		return fail(d, &here, ERR_INVALID, "duplicate field");
	}
	return 0;
}

/* The value of a field, with what the field adds to its type. */
static int
decode_field(struct dec *d, const struct at *at, const struct typedesc_field *f, const cJSON *j, void *v)
{
	const struct typedesc *t = f->type->kind == TYPEDESC_PTR ? f->type->elem : f->type;
	struct errmsg e = { 0 };

	if (f->flags & TYPEDESC_SECRET && cJSON_IsString(j) && strcmp(j->valuestring, TYPEDESC_MASK) == 0)
		return fail(d, at, ERR_INVALID, "the secret is masked, give its value");
	/* Empty is how an unset enum or time is written. */
	if (f->flags & TYPEDESC_OPTIONAL && t == f->type && t->kind == TYPEDESC_ENUM && cJSON_IsString(j) &&
	    j->valuestring[0] == '\0')
		return 0;
	TRY(decode(d, at, f->type, j, v));
	if (typedesc_check(f, v, &e) < 0)
		return fail(d, at, ERR_LIMIT, e.text);
	return 0;
}

static const struct typedesc_field *
find_field(const struct dec *d, const struct typedesc *t, struct str name)
{
	const struct typedesc_field *f = typedesc_field(t, name);

	if (f || !(d->flags & TYPEDESC_JSON_TOLERANT))
		return f;
	for (size_t i = 0; i < t->nfields; i++)
		if (str_icase(str_of(t->fields[i].name), name))
			return &t->fields[i];
	return NULL;
}

static int
decode_struct(struct dec *d, const struct at *at, const struct typedesc *t, const cJSON *j, void *v)
{
	bool *seen = ARENA_NEWN(d->a, t->nfields + 1, bool);

	if (!cJSON_IsObject(j))
		return fail(d, at, ERR_INVALID, "expected an object");
	for (const cJSON *c = j->child; c; c = c->next) {
		const struct typedesc_field *f = find_field(d, t, str_of(c->string));
		struct at here = { at, c->string, 0 };

		if (f == NULL || f->flags & TYPEDESC_INTERNAL) {
			if (d->flags & TYPEDESC_JSON_LENIENT)
				continue;
			return fail(d, &here, ERR_INVALID, "unknown field");
		}
		if (seen[f - t->fields]) {
			if (!(d->flags & TYPEDESC_JSON_TOLERANT))
				return fail(d, &here, ERR_INVALID, "duplicate field");
			memset(typedesc_at(v, f), 0, f->type->size);
		}
		seen[f - t->fields] = true;
		TRY(decode_field(d, &here, f, c, typedesc_at(v, f)));
	}
	for (size_t i = 0; i < t->nfields && !(d->flags & TYPEDESC_JSON_LENIENT); i++) {
		struct at here = { at, t->fields[i].name, 0 };

		if (!seen[i] && !typedesc_may_miss(&t->fields[i]))
			return fail(d, &here, ERR_INVALID, "missing field");
	}
	return 0;
}

static int
decode_ptr(struct dec *d, const struct at *at, const struct typedesc *t, const cJSON *j, void *v)
{
	void *p = typedesc_new(d->a, t->elem);

	TRY(decode(d, at, t->elem, j, p));
	memcpy(v, &p, sizeof(p));
	return 0;
}

/* Null is a value of these only. */
static int
decode_null(struct dec *d, const struct at *at, const struct typedesc *t, void *v)
{
	switch (t->kind) {
	case TYPEDESC_PTR: return 0;
	case TYPEDESC_LIST:
	case TYPEDESC_MAP: ((struct typedesc_list *)v)->null = t->nullable; return 0;
	default:
		if (d->flags & TYPEDESC_JSON_TOLERANT)
			return 0;
		return fail(d, at, ERR_INVALID, "null is not allowed");
	}
}

/* Fills the zeroed *v. */
static int
decode(struct dec *d, const struct at *at, const struct typedesc *t, const cJSON *j, void *v)
{
	int64_t i;

	if (cJSON_IsNull(j) && t->kind != TYPEDESC_JSON)
		return decode_null(d, at, t, v);
	switch (t->kind) {
	case TYPEDESC_BOOL:
		if (!cJSON_IsBool(j))
			return fail(d, at, ERR_INVALID, "expected true or false");
		*(bool *)v = cJSON_IsTrue(j);
		return 0;
	case TYPEDESC_I32:
		TRY(decode_int(d, at, j, INT32_MIN, INT32_MAX, &i));
		*(int32_t *)v = (int32_t)i;
		return 0;
	case TYPEDESC_U32:
		TRY(decode_int(d, at, j, 0, UINT32_MAX, &i));
		*(uint32_t *)v = (uint32_t)i;
		return 0;
	case TYPEDESC_I64: return decode_int(d, at, j, -MAX_SAFE, MAX_SAFE, v);
	case TYPEDESC_F64:
		if (!cJSON_IsNumber(j))
			return fail(d, at, ERR_INVALID, "expected a number");
		if (!isfinite(j->valuedouble))
			return fail(d, at, ERR_INVALID, "number out of range");
		*(double *)v = j->valuedouble;
		return 0;
	case TYPEDESC_DURATION: return decode_duration(d, at, j, v);
	case TYPEDESC_STRING:
	case TYPEDESC_BYTES:
	case TYPEDESC_TIME:
	case TYPEDESC_ENUM: return decode_text(d, at, t, j, v);
	case TYPEDESC_JSON: return decode_json(d, j, v);
	case TYPEDESC_STRUCT: return decode_struct(d, at, t, j, v);
	case TYPEDESC_LIST: return decode_list(d, at, t, j, v);
	case TYPEDESC_MAP: return decode_map(d, at, t, j, v);
	case TYPEDESC_PTR: return decode_ptr(d, at, t, j, v);
	case TYPEDESC_OPAQUE: break;
	}
	bug("%s in JSON", t->name);
}

static int
parse(struct str json, size_t max, unsigned flags, cJSON **r_j, struct errmsg *e)
{
	if (json.n > max)
		return err_set(e, ERR_LIMIT, "JSON: longer than %zu bytes", max);
	TRY(typedesc_json_scan(json, flags & TYPEDESC_JSON_TOLERANT ? &json.n : NULL, e));
	*r_j = cJSON_ParseWithLength(json.p, json.n);
	if (*r_j == NULL)
		return err_set(e, ERR_INVALID, "JSON: cannot be parsed");
	return 0;
}

int
typedesc_json_decode(
    struct arena *a, const struct typedesc *t, struct str json, size_t max, unsigned flags, void *r_v, struct errmsg *e)
{
	struct dec d = { a, flags, e };
	void *v = typedesc_new(a, t);
	cleanup_(cjson_cleanup) cJSON *j = NULL;

	if (flags & TYPEDESC_JSON_TOLERANT)
		d.flags |= TYPEDESC_JSON_LENIENT;
	TRY(parse(json, max, flags, &j, e));
	TRY(decode(&d, NULL, t, j, v));
	memcpy(r_v, v, t->size);
	return 0;
}

int
typedesc_json_params(struct arena *a, const struct typedesc_func *f, struct str body, size_t max, void **r_in, struct errmsg *e)
{
	struct dec d = { a, 0, e };
	void *in = typedesc_new(a, f->in);
	cleanup_(cjson_cleanup) cJSON *j = NULL;

	TRY(parse(body, max, 0, &j, e));
	const cJSON *params = j->child;
	if (!cJSON_IsObject(j) || params == NULL || params->next || strcmp(params->string, "params") != 0 ||
	    !cJSON_IsArray(params))
		return err_set(e, ERR_INVALID, "expected an object with only an array \"params\"");
	if (count(params) != f->in->nfields)
		return err_set(e, ERR_UNSUPPORTED, "%s takes %zu parameters", f->name, f->in->nfields);
	const cJSON *c = params->child;
	for (size_t i = 0; i < f->in->nfields; i++, c = c->next) {
		struct at here = { NULL, f->in->fields[i].name, 0 };
		int r = decode_field(&d, &here, &f->in->fields[i], c, typedesc_at(in, &f->in->fields[i]));

		if (r < 0)
			return r == ERR_LIMIT ? ERR_LIMIT : ERR_UNSUPPORTED;
	}
	*r_in = in;
	return 0;
}
