/* SPDX-License-Identifier: MIT */
/* Scalars as text, and the bounds of fields. */
#include <stdlib.h>

#include "base/cur.h"
#include "base/enc.h"
#include "base/timeutil.h"
#include "base/utf8.h"
#include "typedesc/typedesc_internal.h"

static int
parse_int(const struct typedesc *t, struct str text, int64_t lo, int64_t hi, void *r_v, struct errmsg *e)
{
	int64_t v;

	if (str_i64(text, &v) < 0)
		return err_set(e, ERR_INVALID, "expected a decimal number");
	if (v < lo || v > hi)
		return err_set(e, ERR_INVALID, "number out of range");
	if (t->size == sizeof(int64_t)) {
		memcpy(r_v, &v, sizeof(v));
	} else {
		uint32_t u = (uint32_t)v;

		memcpy(r_v, &u, sizeof(u));
	}
	return 0;
}

/* [sign] digits [. digits] [e [sign] digits]. strtod would also take hexadecimal, infinities and NaN. */
static int
parse_float(struct str text, void *r_v, struct errmsg *e)
{
	struct cur c = cur_of(text);
	char z[400];

	if (!cur_try(&c, '-'))
		cur_try(&c, '+');
	cur_span1(&c, &cur_digit, "digits");
	if (cur_try(&c, '.'))
		cur_span1(&c, &cur_digit, "digits");
	if (cur_try(&c, 'e') || cur_try(&c, 'E')) {
		if (!cur_try(&c, '-'))
			cur_try(&c, '+');
		cur_span1(&c, &cur_digit, "digits");
	}
	if (!cur_done(&c) || text.n >= sizeof(z))
		return err_set(e, ERR_INVALID, "expected a number");
	memcpy(z, text.p, text.n);
	z[text.n] = '\0';
	double d = strtod(z, NULL);
	if (d - d != 0)
		return err_set(e, ERR_INVALID, "number out of range");
	memcpy(r_v, &d, sizeof(d));
	return 0;
}

static int
parse_enum(const struct typedesc *t, struct str text, void *r_v, struct errmsg *e)
{
	char all[160] = "";
	size_t n = 0;

	for (size_t i = 0; i < t->nvalues; i++) {
		if (str_is(text, str_of(t->values[i].text))) {
			memcpy(r_v, &t->values[i].value, sizeof(int));
			return 0;
		}
		if (n < sizeof(all))
			n += (size_t)snprintf(
			    all + n, sizeof(all) - n, "%s%s", i ? ", " : "", t->values[i].text[0] ? t->values[i].text : "\"\"");
	}
	return err_set(e, ERR_INVALID, "unknown value, expected one of: %s", all);
}

static int
parse_string(struct arena *a, struct str text, void *r_v, struct errmsg *e)
{
	if (!utf8_valid(text))
		return err_set(e, ERR_INVALID, "not valid UTF-8");
	if (str_has(text, '\0'))
		return err_set(e, ERR_INVALID, "contains a NUL byte");
	*(struct str *)r_v = text.n ? str_dup(a, text) : (struct str){ 0 };
	return 0;
}

int
typedesc_parse(struct arena *a, const struct typedesc *t, struct str text, void *r_v, struct errmsg *e)
{
	bool b = str_is(text, S("true"));

	switch (t->kind) {
	case TYPEDESC_BOOL:
		if (!b && !str_is(text, S("false")))
			return err_set(e, ERR_INVALID, "expected true or false");
		*(bool *)r_v = b;
		return 0;
	case TYPEDESC_I32: return parse_int(t, text, INT32_MIN, INT32_MAX, r_v, e);
	case TYPEDESC_U32: return parse_int(t, text, 0, UINT32_MAX, r_v, e);
	case TYPEDESC_I64: return parse_int(t, text, INT64_MIN, INT64_MAX, r_v, e);
	case TYPEDESC_F64: return parse_float(text, r_v, e);
	case TYPEDESC_STRING: return parse_string(a, text, r_v, e);
	case TYPEDESC_BYTES:
		if (enc_unbase64(a, text, ENC_STD, r_v) < 0)
			return err_set(e, ERR_INVALID, "expected base64");
		return 0;
	case TYPEDESC_TIME:
		if (time_parse_rfc3339(text, r_v) < 0)
			return err_set(e, ERR_INVALID, "expected a time like 2006-01-02T15:04:05Z");
		return 0;
	case TYPEDESC_DURATION:
		if (time_parse_duration(text, r_v) < 0)
			return err_set(e, ERR_INVALID, "expected a duration like 1h30m");
		return 0;
	case TYPEDESC_ENUM: return parse_enum(t, text, r_v, e);
	case TYPEDESC_JSON:
	case TYPEDESC_OPAQUE:
	case TYPEDESC_STRUCT:
	case TYPEDESC_LIST:
	case TYPEDESC_MAP:
	case TYPEDESC_PTR: break;
	}
	bug("%s is no scalar", t->name);
}

const char *
typedesc_enum_text(const struct typedesc *t, const void *v)
{
	int value;

	memcpy(&value, v, sizeof(value));
	for (size_t i = 0; i < t->nvalues; i++)
		if (t->values[i].value == value)
			return t->values[i].text;
	return "";
}

/* Six decimals as the reference writes them, or as many as the value needs. */
static void
print_float(struct buf *b, double d)
{
	char text[400];

	snprintf(text, sizeof(text), "%f", d);
	if (strtod(text, NULL) != d)
		snprintf(text, sizeof(text), "%.17g", d);
	buf_addz(b, text);
}

void
typedesc_print(struct buf *b, const struct typedesc *t, const void *v)
{
	struct arena a = { 0 };
	int64_t i64;
	int32_t i32;
	uint32_t u32;

	switch (t->kind) {
	case TYPEDESC_BOOL: buf_addz(b, *(const bool *)v ? "true" : "false"); break;
	case TYPEDESC_I32:
		memcpy(&i32, v, sizeof(i32));
		buf_addi(b, i32);
		break;
	case TYPEDESC_U32:
		memcpy(&u32, v, sizeof(u32));
		buf_addu(b, u32);
		break;
	case TYPEDESC_I64:
		memcpy(&i64, v, sizeof(i64));
		buf_addi(b, i64);
		break;
	case TYPEDESC_F64: print_float(b, *(const double *)v); break;
	case TYPEDESC_STRING: buf_add(b, *(const struct str *)v); break;
	case TYPEDESC_BYTES: enc_base64_add(b, *(const struct str *)v, ENC_STD); break;
	case TYPEDESC_TIME:
		memcpy(&i64, v, sizeof(i64));
		buf_add(b, time_rfc3339(&a, i64));
		break;
	case TYPEDESC_DURATION:
		memcpy(&i64, v, sizeof(i64));
		buf_add(b, time_duration(&a, i64));
		break;
	case TYPEDESC_ENUM: buf_addz(b, typedesc_enum_text(t, v)); break;
	case TYPEDESC_JSON:
	case TYPEDESC_OPAQUE:
	case TYPEDESC_STRUCT:
	case TYPEDESC_LIST:
	case TYPEDESC_MAP:
	case TYPEDESC_PTR: bug("%s is no scalar", t->name);
	}
	arena_done(&a);
}

/* What min and max of a field count. False for kinds that they do not apply to. */
static bool
measure(const struct typedesc *t, const void *v, int64_t *r_n, const char **r_unit)
{
	int32_t i32;
	uint32_t u32;
	double d;

	*r_unit = "";
	switch (t->kind) {
	case TYPEDESC_I32:
		memcpy(&i32, v, sizeof(i32));
		*r_n = i32;
		return true;
	case TYPEDESC_U32:
		memcpy(&u32, v, sizeof(u32));
		*r_n = u32;
		return true;
	case TYPEDESC_I64:
	case TYPEDESC_DURATION: memcpy(r_n, v, sizeof(*r_n)); return true;
	case TYPEDESC_F64:
		memcpy(&d, v, sizeof(d));
		*r_n = d < -9e18 ? INT64_MIN : d > 9e18 ? INT64_MAX : (int64_t)d;
		return true;
	case TYPEDESC_STRING:
	case TYPEDESC_BYTES:
	case TYPEDESC_JSON:
		*r_n = (int64_t)((const struct str *)v)->n;
		*r_unit = " bytes";
		return true;
	case TYPEDESC_LIST:
	case TYPEDESC_MAP:
		*r_n = (int64_t)((const struct typedesc_list *)v)->n;
		*r_unit = " elements";
		return true;
	case TYPEDESC_BOOL:
	case TYPEDESC_TIME:
	case TYPEDESC_OPAQUE:
	case TYPEDESC_ENUM:
	case TYPEDESC_STRUCT:
	case TYPEDESC_PTR: break;
	}
	return false;
}

int
typedesc_check(const struct typedesc_field *f, const void *v, struct errmsg *e)
{
	const struct typedesc *t = f->type;
	const char *unit, *what;
	struct arena a = { 0 };
	int64_t n, bound;

	if (!(f->flags & (TYPEDESC_HAS_MIN | TYPEDESC_HAS_MAX)) || (f->flags & TYPEDESC_OPTIONAL && typedesc_is_zero(t, v)))
		return 0;
	if (t->kind == TYPEDESC_PTR) {
		v = typedesc_ptr(v);
		t = t->elem;
	}
	if (v == NULL || !measure(t, v, &n, &unit))
		return 0;
	if (f->flags & TYPEDESC_HAS_MIN && n < f->min) {
		what = "at least";
		bound = f->min;
	} else if (f->flags & TYPEDESC_HAS_MAX && n > f->max) {
		what = "at most";
		bound = f->max;
	} else {
		return 0;
	}
	if (t->kind == TYPEDESC_DURATION)
		err_set(e, ERR_LIMIT, "must be %s " STRF, what, STRA(time_duration(&a, bound)));
	else
		err_set(e, ERR_LIMIT, "must be %s %lld%s", what, (long long)bound, unit);
	arena_done(&a);
	return ERR_LIMIT;
}
