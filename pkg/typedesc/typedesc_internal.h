/* SPDX-License-Identifier: MIT */
/* typedesc_internal - access to values by descriptor, for the walkers. */
#ifndef TYPEDESC_INTERNAL_H
#define TYPEDESC_INTERNAL_H

#include "typedesc/typedesc.h"

static inline void *
typedesc_at(void *v, const struct typedesc_field *f)
{
	return (char *)v + f->offset;
}

static inline const void *
typedesc_at_const(const void *v, const struct typedesc_field *f)
{
	return (const char *)v + f->offset;
}

/* Size of an element of a list or of an entry of a map. */
static inline size_t
typedesc_stride(const struct typedesc *t)
{
	return t->kind == TYPEDESC_MAP ? t->stride : t->elem->size;
}

/* The i-th element of a list, or the value of the i-th entry of a map. */
static inline void *
typedesc_elem(const struct typedesc *t, const struct typedesc_list *l, size_t i)
{
	return (char *)l->v + i * typedesc_stride(t) + t->value_off;
}

static inline struct str *
typedesc_key(const struct typedesc *t, const struct typedesc_list *l, size_t i)
{
	return (struct str *)(void *)((char *)l->v + i * t->stride);
}

/* The pointer that a ?T holds. */
static inline void *
typedesc_ptr(const void *v)
{
	void *p;

	memcpy(&p, v, sizeof(p));
	return p;
}

/* Whether the field may be missing in JSON. */
static inline bool
typedesc_may_miss(const struct typedesc_field *f)
{
	return f->flags & (TYPEDESC_OPTIONAL | TYPEDESC_DERIVED | TYPEDESC_OMITEMPTY | TYPEDESC_INTERNAL);
}

/*
 * typedesc_json_scan checks that s is one JSON text by RFC 8259 within LIMIT_JSON_DEPTH and LIMIT_JSON_VALUES, in UTF-8,
 * without NUL and lone surrogates in strings: ERR_INVALID, ERR_LIMIT. With r_end something may follow the text, whose length
 * it then gets; NULL: nothing may.
 */
int typedesc_json_scan(struct str s, size_t *r_end, struct errmsg *e) must_use_;

#endif
