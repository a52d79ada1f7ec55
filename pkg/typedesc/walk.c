/* SPDX-License-Identifier: MIT */
/* Copying, comparing, defaults; lists and maps. */
#include <stdlib.h>

#include "typedesc/typedesc_internal.h"

void *
typedesc_new(struct arena *a, const struct typedesc *t)
{
	return arena_alloc(a, t->size);
}

static void
copy_list(struct arena *a, const struct typedesc *t, struct typedesc_list *dst, const struct typedesc_list *src)
{
	*dst = (struct typedesc_list){ .n = src->n, .null = src->null };
	if (src->n == 0)
		return;
	dst->v = arena_allocn(a, src->n, typedesc_stride(t));
	for (size_t i = 0; i < src->n; i++) {
		if (t->kind == TYPEDESC_MAP)
			*typedesc_key(t, dst, i) = str_dup(a, *typedesc_key(t, src, i));
		typedesc_copy(a, t->elem, typedesc_elem(t, dst, i), typedesc_elem(t, src, i));
	}
}

void
typedesc_copy(struct arena *a, const struct typedesc *t, void *dst, const void *src)
{
	switch (t->kind) {
	case TYPEDESC_BOOL:
	case TYPEDESC_I32:
	case TYPEDESC_U32:
	case TYPEDESC_I64:
	case TYPEDESC_F64:
	case TYPEDESC_TIME:
	case TYPEDESC_DURATION:
	case TYPEDESC_ENUM: memcpy(dst, src, t->size); break;
	case TYPEDESC_STRING:
	case TYPEDESC_BYTES:
	case TYPEDESC_JSON: {
		const struct str *s = src;

		*(struct str *)dst = s->n ? str_dup(a, *s) : (struct str){ 0 };
		break;
	}
	case TYPEDESC_OPAQUE: memset(dst, 0, t->size); break;
	case TYPEDESC_STRUCT:
		memset(dst, 0, t->size);
		for (size_t i = 0; i < t->nfields; i++)
			if (!(t->fields[i].flags & TYPEDESC_INTERNAL))
				typedesc_copy(
				    a, t->fields[i].type, typedesc_at(dst, &t->fields[i]), typedesc_at_const(src, &t->fields[i]));
		break;
	case TYPEDESC_LIST:
	case TYPEDESC_MAP: copy_list(a, t, dst, src); break;
	case TYPEDESC_PTR: {
		const void *from = typedesc_ptr(src);
		void *to = from ? typedesc_new(a, t->elem) : NULL;

		if (from)
			typedesc_copy(a, t->elem, to, from);
		memcpy(dst, &to, sizeof(to));
		break;
	}
	}
}

static bool
equal_list(const struct typedesc *t, const struct typedesc_list *x, const struct typedesc_list *y)
{
	if (x->n != y->n || (t->nullable && x->n == 0 && x->null != y->null))
		return false;
	for (size_t i = 0; i < x->n; i++) {
		if (t->kind == TYPEDESC_MAP && !str_is(*typedesc_key(t, x, i), *typedesc_key(t, y, i)))
			return false;
		if (!typedesc_equal(t->elem, typedesc_elem(t, x, i), typedesc_elem(t, y, i)))
			return false;
	}
	return true;
}

bool
typedesc_equal(const struct typedesc *t, const void *x, const void *y)
{
	switch (t->kind) {
	case TYPEDESC_BOOL:
	case TYPEDESC_I32:
	case TYPEDESC_U32:
	case TYPEDESC_I64:
	case TYPEDESC_TIME:
	case TYPEDESC_DURATION:
	case TYPEDESC_ENUM: return memcmp(x, y, t->size) == 0;
	case TYPEDESC_F64: return *(const double *)x == *(const double *)y;
	case TYPEDESC_STRING:
	case TYPEDESC_BYTES:
	case TYPEDESC_JSON: return str_is(*(const struct str *)x, *(const struct str *)y);
	case TYPEDESC_OPAQUE: return true;
	case TYPEDESC_STRUCT:
		for (size_t i = 0; i < t->nfields; i++) {
			const struct typedesc_field *f = &t->fields[i];

			if (!(f->flags & TYPEDESC_INTERNAL) &&
			    !typedesc_equal(f->type, typedesc_at_const(x, f), typedesc_at_const(y, f)))
				return false;
		}
		return true;
	case TYPEDESC_LIST:
	case TYPEDESC_MAP: return equal_list(t, x, y);
	case TYPEDESC_PTR: {
		const void *p = typedesc_ptr(x), *q = typedesc_ptr(y);

		return p && q ? typedesc_equal(t->elem, p, q) : p == q;
	}
	}
	return true;
}

bool
typedesc_is_zero(const struct typedesc *t, const void *v)
{
	int64_t zero = 0;

	switch (t->kind) {
	case TYPEDESC_BOOL:
	case TYPEDESC_I32:
	case TYPEDESC_U32:
	case TYPEDESC_I64:
	case TYPEDESC_TIME:
	case TYPEDESC_DURATION:
	case TYPEDESC_ENUM: return memcmp(v, &zero, t->size) == 0;
	case TYPEDESC_F64: return *(const double *)v == 0;
	case TYPEDESC_STRING:
	case TYPEDESC_BYTES:
	case TYPEDESC_JSON: return ((const struct str *)v)->n == 0;
	case TYPEDESC_OPAQUE: return true;
	case TYPEDESC_STRUCT:
		for (size_t i = 0; i < t->nfields; i++)
			if (!(t->fields[i].flags & TYPEDESC_INTERNAL) &&
			    !typedesc_is_zero(t->fields[i].type, typedesc_at_const(v, &t->fields[i])))
				return false;
		return true;
	case TYPEDESC_LIST:
	case TYPEDESC_MAP: return ((const struct typedesc_list *)v)->n == 0;
	case TYPEDESC_PTR: return typedesc_ptr(v) == NULL;
	}
	return true;
}

/* Puts the default of a field in place if the value is zero. */
static void
set_default(struct arena *a, const struct typedesc_field *f, void *v)
{
	const struct typedesc *t = f->type;
	struct errmsg e = { 0 };

	if (!typedesc_is_zero(t, v))
		return;
	if (t->kind == TYPEDESC_PTR) {
		void *p = typedesc_new(a, t->elem);

		memcpy(v, &p, sizeof(p));
		t = t->elem;
		v = p;
	}
	if (typedesc_parse(a, t, str_of(f->def), v, &e) < 0)
		bug("default of %s: %s", f->name, e.text);
}

void
typedesc_defaults(struct arena *a, const struct typedesc *t, void *v)
{
	switch (t->kind) {
	case TYPEDESC_STRUCT:
		for (size_t i = 0; i < t->nfields; i++) {
			const struct typedesc_field *f = &t->fields[i];

			if (f->flags & TYPEDESC_INTERNAL)
				continue;
			if (f->def)
				set_default(a, f, typedesc_at(v, f));
			typedesc_defaults(a, f->type, typedesc_at(v, f));
		}
		break;
	case TYPEDESC_LIST:
	case TYPEDESC_MAP: {
		const struct typedesc_list *l = v;

		for (size_t i = 0; i < l->n; i++)
			typedesc_defaults(a, t->elem, typedesc_elem(t, l, i));
		break;
	}
	case TYPEDESC_PTR:
		if (typedesc_ptr(v))
			typedesc_defaults(a, t->elem, typedesc_ptr(v));
		break;
	default: break;
	}
}

static int
cmp_keys(const void *x, const void *y)
{
	return str_cmp(*(const struct str *)x, *(const struct str *)y);
}

bool
typedesc_map_sort(const struct typedesc *t, void *map, struct str *r_dup)
{
	struct typedesc_list *l = map;

	if (l->n == 0)
		return true;
	qsort(l->v, l->n, t->stride, cmp_keys); /* an entry begins with its key */
	for (size_t i = 1; i < l->n; i++) {
		if (!str_is(*typedesc_key(t, l, i - 1), *typedesc_key(t, l, i)))
			continue;
		*r_dup = *typedesc_key(t, l, i);
		return false;
	}
	return true;
}

/* Index of the key, or where it would stand. */
static size_t
map_search(const struct typedesc *t, const struct typedesc_list *l, struct str key, bool *r_found)
{
	size_t lo = 0, hi = l->n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		int c = str_cmp(*typedesc_key(t, l, mid), key);

		if (c == 0) {
			*r_found = true;
			return mid;
		}
		if (c < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	*r_found = false;
	return lo;
}

void *
typedesc_map_find(const struct typedesc *t, const void *map, struct str key)
{
	bool found;
	size_t i = map_search(t, map, key, &found);

	return found ? typedesc_elem(t, map, i) : NULL;
}

/* Makes room for one more at index i. The array may have come from anywhere, so nothing is known of room behind it. */
static void
insert(struct arena *a, const struct typedesc *t, struct typedesc_list *l, size_t i)
{
	size_t stride = typedesc_stride(t);

	l->v = arena_grow(a, l->v, l->n, l->n + 1, stride);
	char *at = (char *)l->v + i * stride;
	memmove(at + stride, at, (l->n - i) * stride);
	memset(at, 0, stride);
	l->n++;
	l->null = false;
}

void *
typedesc_map_set(struct arena *a, const struct typedesc *t, void *map, struct str key)
{
	struct typedesc_list *l = map;
	bool found;
	size_t i = map_search(t, l, key, &found);

	if (!found) {
		insert(a, t, l, i);
		*typedesc_key(t, l, i) = str_dup(a, key);
	}
	return typedesc_elem(t, l, i);
}

bool
typedesc_map_del(const struct typedesc *t, void *map, struct str key)
{
	struct typedesc_list *l = map;
	bool found;
	size_t i = map_search(t, l, key, &found);

	if (!found)
		return false;
	char *at = (char *)l->v + i * t->stride;
	memmove(at, at + t->stride, (l->n - i - 1) * t->stride);
	l->n--;
	return true;
}

void *
typedesc_list_add(struct arena *a, const struct typedesc *t, void *list)
{
	struct typedesc_list *l = list;

	insert(a, t, l, l->n);
	return typedesc_elem(t, l, l->n - 1);
}
