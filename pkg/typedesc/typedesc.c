/* SPDX-License-Identifier: MIT */
/* The simple kinds, and finding things in tables. */
#include <limits.h>

#include "typedesc/typedesc_internal.h"

const struct typedesc typedesc_bool = { .kind = TYPEDESC_BOOL, .name = "bool", .doc = "", .size = sizeof(bool) };
const struct typedesc typedesc_i32 = { .kind = TYPEDESC_I32, .name = "i32", .doc = "", .size = sizeof(int32_t) };
const struct typedesc typedesc_u32 = { .kind = TYPEDESC_U32, .name = "u32", .doc = "", .size = sizeof(uint32_t) };
const struct typedesc typedesc_i64 = { .kind = TYPEDESC_I64, .name = "i64", .doc = "", .size = sizeof(int64_t) };
const struct typedesc typedesc_f64 = { .kind = TYPEDESC_F64, .name = "f64", .doc = "", .size = sizeof(double) };
const struct typedesc typedesc_string = { .kind = TYPEDESC_STRING, .name = "string", .doc = "", .size = sizeof(struct str) };
const struct typedesc typedesc_bytes = { .kind = TYPEDESC_BYTES, .name = "bytes", .doc = "", .size = sizeof(struct str) };
const struct typedesc typedesc_time = { .kind = TYPEDESC_TIME, .name = "time", .doc = "", .size = sizeof(int64_t) };
const struct typedesc typedesc_duration = { .kind = TYPEDESC_DURATION, .name = "duration", .doc = "", .size = sizeof(int64_t) };
const struct typedesc typedesc_json = { .kind = TYPEDESC_JSON, .name = "json", .doc = "", .size = sizeof(struct str) };
const struct typedesc typedesc_opaque = { .kind = TYPEDESC_OPAQUE, .name = "opaque", .doc = "", .size = sizeof(void *) };

const struct typedesc_func *
typedesc_api_func(const struct typedesc_api *api, struct str name)
{
	for (size_t i = 0; i < api->nfuncs; i++)
		if (str_is(name, str_of(api->funcs[i].name)))
			return &api->funcs[i];
	return NULL;
}

const struct typedesc_field *
typedesc_field(const struct typedesc *t, struct str name)
{
	for (size_t i = 0; i < t->nfields; i++)
		if (str_is(name, str_of(t->fields[i].name)))
			return &t->fields[i];
	return NULL;
}

const struct typedesc *
typedesc_type(const struct typedesc *t, const char *field)
{
	const struct typedesc_field *f = typedesc_field(t, str_of(field));

	if (f == NULL)
		bug("%s has no field %s", t->name, field);
	return f->type;
}

/* Edits (insert, delete, replace one character) between two names, ignoring ASCII case. */
static unsigned
distance(struct str x, struct str y)
{
	unsigned row[65];

	if (x.n > 64 || y.n > 64)
		return UINT_MAX;
	for (unsigned k = 0; k <= y.n; k++)
		row[k] = k;
	for (unsigned i = 1; i <= x.n; i++) {
		unsigned diag = row[0];

		row[0] = i;
		for (unsigned k = 1; k <= y.n; k++) {
			unsigned replaced = diag + !str_icase(str_n(x.p + i - 1, 1), str_n(y.p + k - 1, 1));

			diag = row[k];
			row[k] = MIN(MIN(row[k], row[k - 1]) + 1, replaced);
		}
	}
	return row[y.n];
}

const char *
typedesc_nearest(const struct typedesc *t, struct str name)
{
	const char *best = NULL;
	unsigned least = UINT_MAX;

	for (size_t i = 0; i < t->nfields; i++) {
		unsigned d = distance(name, str_of(t->fields[i].name));

		if (t->fields[i].flags & (TYPEDESC_INTERNAL | TYPEDESC_DERIVED) || d >= least)
			continue;
		least = d;
		best = t->fields[i].name;
	}
	return least <= name.n / 3 ? best : NULL;
}
