/* SPDX-License-Identifier: MIT */
/*
 * typedesc - descriptors of records, and generic walkers over them.
 *
 * C cannot look into its own types. So every record that leaves the program as text is described once, in pkg/x/y.idl;
 * tools/idlgen turns the description into C types and into constant tables of the types below (build/gen/x/y_idl.{h,c}). The
 * walkers here read and write any value by its table: JSON, deep copy, comparison, defaults, documentation; pkg/sconf does
 * the configuration files. What they do not do: map SQL rows (pkg/db does, by struct typedesc_row), or keep graphs: values
 * are trees.
 *
 * Memory: values live in an arena, whole. Walkers that build take one and copy every byte, so that nothing points into the
 * input. A zeroed value of any type is valid and is its zero value.
 *
 * The form in C of each kind, with the IDL's name for it:
 *   bool                   bool
 *   i32, u32, i64, f64     int32_t, uint32_t, int64_t, double
 *   string                 struct str, UTF-8 without NUL
 *   bytes                  struct str, any bytes; standard base64 as text
 *   time                   int64_t microseconds since 1970; RFC 3339 as text
 *   duration               int64_t microseconds; "1h30m0s" as text, but a number of nanoseconds in JSON (as mox (Go) has it)
 *   json                   struct str, a JSON text; written as it stands
 *   opaque                 void *, of internal fields, which exist in C only; a copy has them zeroed
 *   an enum                enum x_name, 0 unset or the empty text; its text elsewhere
 *   a struct               the struct, embedded
 *   ?T                     T *, NULL when absent: apart from present and zero
 *   []T, ?[]T              { T *v; size_t n; bool null; }; null is told apart from empty only with "?"
 *   map[string]T, ?map…    { struct { struct str k; T v; } *v; size_t n; bool null; }, sorted by key, keys unique
 */
#ifndef TYPEDESC_TYPEDESC_H
#define TYPEDESC_TYPEDESC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

enum typedesc_kind {
	TYPEDESC_BOOL, TYPEDESC_I32, TYPEDESC_U32, TYPEDESC_I64, TYPEDESC_F64, TYPEDESC_STRING, TYPEDESC_BYTES, TYPEDESC_TIME,
	TYPEDESC_DURATION, TYPEDESC_JSON, TYPEDESC_OPAQUE, TYPEDESC_ENUM, TYPEDESC_STRUCT, TYPEDESC_LIST, TYPEDESC_MAP,
	TYPEDESC_PTR
};

/* One value of an enum. Values are 1, 2, ... in the order of the IDL; 0 is unset, or the value whose text is empty. */
struct typedesc_value {
	const char *text, *doc;
	int value;
};

enum typedesc_flags {
	TYPEDESC_OPTIONAL = 1,          /* may be missing in texts; zero is then left out of configuration files */
	TYPEDESC_DEPRECATED = 2,
	TYPEDESC_INTERNAL = 4,          /* exists in C only */
	TYPEDESC_DERIVED = 8,           /* in JSON, not in configuration files: computed from other fields */
	TYPEDESC_SECRET = 16,           /* a string that is masked in JSON unless asked for */
	TYPEDESC_OMITEMPTY = 32,        /* left out of JSON when zero */
	TYPEDESC_HAS_MIN = 64, TYPEDESC_HAS_MAX = 128,
};

struct typedesc;

/* A field. Fields of an embedded struct stand in the table of the outer one, with offsets into it. */
struct typedesc_field {
	const char *name;               /* in texts; unique in its struct */
	const char *doc;                /* lines separated by LF; "" if there is none */
	/* NULL, or the value (as in a configuration file) that a zero or absent field stands for */
	const char *def;
	const struct typedesc *type;
	size_t offset;
	unsigned flags;                 /* of enum typedesc_flags */
	/* numbers and durations (in microseconds): the value; strings, bytes: octets; lists, maps: count */
	int64_t min, max;
};

struct typedesc {
	enum typedesc_kind kind;
	bool nullable;                  /* LIST, MAP: declared with "?" */
	const char *name;               /* as in the IDL: "Account", "[]string", "?bool" */
	const char *doc;
	size_t size;                    /* of the C value */
	const struct typedesc *elem;    /* LIST, MAP, PTR */
	size_t stride, value_off;       /* MAP: size of an entry, offset of the value in it; the key is at 0 */
	const struct typedesc_field *fields;
	size_t nfields;
	const struct typedesc_value *values;
	size_t nvalues;
};

/* Lists and maps of any element look like this to the walkers. */
struct typedesc_list {
	void *v;
	size_t n;
	bool null;
};

/* Lists and maps of the simple kinds; idlgen makes those of the rest. */
struct typedesc_bool_list { bool *v; size_t n; bool null; };
struct typedesc_i32_list { int32_t *v; size_t n; bool null; };
struct typedesc_u32_list { uint32_t *v; size_t n; bool null; };
struct typedesc_i64_list { int64_t *v; size_t n; bool null; };
struct typedesc_f64_list { double *v; size_t n; bool null; };
struct typedesc_str_list { struct str *v; size_t n; bool null; };
struct typedesc_str_entry { struct str k, v; };
struct typedesc_str_map { struct typedesc_str_entry *v; size_t n; bool null; };
struct typedesc_bool_entry { struct str k; bool v; };
struct typedesc_bool_map { struct typedesc_bool_entry *v; size_t n; bool null; };
struct typedesc_i64_entry { struct str k; int64_t v; };
struct typedesc_i64_map { struct typedesc_i64_entry *v; size_t n; bool null; };

extern const struct typedesc typedesc_bool, typedesc_i32, typedesc_u32, typedesc_i64, typedesc_f64, typedesc_string,
    typedesc_bytes, typedesc_time, typedesc_duration, typedesc_json, typedesc_opaque;

/* Functions of an API. Parameters are the fields of the struct `in`, results those of `out`, in order. */
struct apictx;                          /* of whoever serves the API; see there */
struct typedesc_func {
	const char *name, *doc;
	const struct typedesc *in, *out;
	const char *const *errors;      /* NULL-terminated: codes that it gives besides user:error and server:error */
	int (*call)(struct apictx *c, const void *in, void *out);
};
struct typedesc_api {
	const char *name, *doc;
	const struct typedesc_func *funcs;
	size_t nfuncs;
};
const struct typedesc_func *typedesc_api_func(const struct typedesc_api *api, struct str name);  /* NULL if there is none */

/*
 * Rows of SQL tables: the columns in the order of the IDL, which is that of the select list (macro X_NAME_COLUMNS). Kinds
 * that occur: I64 (int64_t), BOOL (stored as 0/1), F64 (double), STRING (text, struct str), BYTES (blob, struct str). A
 * nullable column NAME has `bool has_NAME` beside its value; the value is zero when that is false.
 */
struct typedesc_column {
	const char *name;
	enum typedesc_kind kind;
	size_t offset;
	size_t has;                     /* offset of has_NAME, or 0 when the column is not null */
};
struct typedesc_row {
	const char *name;
	size_t size;
	const struct typedesc_column *cols;
	size_t ncols;
};

/* ---- walkers */

/* typedesc_new returns a zero value of the type. */
void *typedesc_new(struct arena *a, const struct typedesc *t);
/* typedesc_copy copies *src deeply into *dst; nothing of the copy points into the source. */
void typedesc_copy(struct arena *a, const struct typedesc *t, void *dst, const void *src);
/* typedesc_equal compares deeply. Internal fields do not count; null and empty lists differ only where the type is nullable. */
bool typedesc_equal(const struct typedesc *t, const void *x, const void *y);
/* typedesc_is_zero: internal fields do not count, empty lists and maps are zero, a present ?T is not. */
bool typedesc_is_zero(const struct typedesc *t, const void *v);
/*
 * typedesc_defaults replaces zero values of fields that have a default by it, in the whole tree; absent ?T fields with a
 * default become present. An embedded struct is always filled; so are list and map elements and present ?T structs.
 */
void typedesc_defaults(struct arena *a, const struct typedesc *t, void *v);
const struct typedesc_field *typedesc_field(const struct typedesc *t, struct str name);   /* NULL if there is none */
/*
 * typedesc_type returns the type of a field that is known to be there: typedesc_map_find(typedesc_type(&config_dynamic_desc,
 * "Accounts"), ...).
 */
const struct typedesc *typedesc_type(const struct typedesc *t, const char *field);
/* typedesc_nearest returns the name of the field most like the given one, for "did you mean"; NULL if none is near. */
const char *typedesc_nearest(const struct typedesc *t, struct str name);
/* typedesc_map_find looks a key up in a map value by binary search; NULL if it is absent. */
void *typedesc_map_find(const struct typedesc *t, const void *map, struct str key);
/*
 * typedesc_map_sort brings entries that were filled in any order into the order of keys: how to make large maps. False if a
 * key is there twice, which is then in *r_dup.
 */
bool typedesc_map_sort(const struct typedesc *t, void *map, struct str *r_dup) must_use_;
/*
 * typedesc_map_set finds or inserts the key (copied to the arena) and returns the place of its value. typedesc_map_del: true
 * if it was there.
 */
void *typedesc_map_set(struct arena *a, const struct typedesc *t, void *map, struct str key);
bool typedesc_map_del(const struct typedesc *t, void *map, struct str key);
/* typedesc_list_add appends a zero element (growing may move the elements) and returns its place. */
void *typedesc_list_add(struct arena *a, const struct typedesc *t, void *list);

/*
 * ---- scalars as text: bool "true", numbers, strings as they are, base64, RFC 3339, "1h0m0s", enum texts. Not JSON, STRUCT,
 * LIST, MAP, PTR.
 */

/* typedesc_parse reads a text strictly; ERR_INVALID with a message otherwise. Strings are copied to the arena. */
int typedesc_parse(struct arena *a, const struct typedesc *t, struct str text, void *r_v, struct errmsg *e) must_use_;
void typedesc_print(struct buf *b, const struct typedesc *t, const void *v);
const char *typedesc_enum_text(const struct typedesc *t, const void *v);        /* "" for 0, unless a value has that number */
/* typedesc_check tests a value against min and max of the field: 0 or ERR_LIMIT with a message. */
int typedesc_check(const struct typedesc_field *f, const void *v, struct errmsg *e) must_use_;

/* ---- JSON (RFC 8259) */

enum typedesc_json_flags {
	TYPEDESC_JSON_LENIENT = 1,      /* decode: skip unknown fields, take missing ones as zero; for texts of other programs */
	TYPEDESC_JSON_SECRETS = 2,      /* encode: secrets in clear */
	TYPEDESC_JSON_HTML = 4,         /* encode: escape <, >, &, U+2028, U+2029, so that the text may stand in a script */
	TYPEDESC_JSON_INDENT = 8,       /* encode: lines, indented by tabs */
	/*
	 * decode: LENIENT, and besides, for reports of strangers: names in any case, the last of duplicates counts, null is the
	 * zero value, a value for a list is a list of one, times without zone are UTC, and what follows the text is ignored.
	 */
	TYPEDESC_JSON_TOLERANT = 16,
};
#define TYPEDESC_MASK "(secret)"        /* what a masked secret reads; refused when decoded into one */

/*
 * typedesc_json_decode reads one JSON text of at most max bytes into *r_v (untouched on failure). Refused, with the path in
 * the message ("Domains.example.org.Routes[2].Transport: unknown field"): texts beyond max, LIMIT_JSON_DEPTH or
 * LIMIT_JSON_VALUES (ERR_LIMIT); anything but strict RFC 8259 in valid UTF-8; duplicate, unknown and missing fields; null
 * where the type has none (lists and maps take it as empty); integers beyond 2^53-1 or with a fraction; strings with NUL;
 * what min and max of a field forbid.
 */
int typedesc_json_decode(struct arena *a, const struct typedesc *t, struct str json, size_t max, unsigned flags, void *r_v,
    struct errmsg *e) must_use_;
/* typedesc_json_encode appends the value. Invalid UTF-8 becomes U+FFFD, NaN and infinities null. */
void typedesc_json_encode(struct buf *b, const struct typedesc *t, const void *v, unsigned flags);
/* typedesc_json_string appends a JSON string literal. */
void typedesc_json_string(struct buf *b, struct str s, unsigned flags);

/*
 * A call of an API function: {"params": [...]}, positional. typedesc_json_params returns a new value of f->in. ERR_INVALID for a
 * body that is no such object, ERR_UNSUPPORTED for the wrong number or type of parameters, ERR_LIMIT.
 */
int typedesc_json_params(struct arena *a, const struct typedesc_func *f, struct str body, size_t max, void **r_in,
    struct errmsg *e) must_use_;
/* typedesc_json_result appends {"result": ...}: null for a function without results, the value for one, an array for more. */
void typedesc_json_result(struct buf *b, const struct typedesc_func *f, const void *out, unsigned flags);

/*
 * typedesc_docs appends a description of an API for humans: functions with parameters, results and errors, then all types
 * they use.
 */
void typedesc_docs(struct buf *b, const struct typedesc_api *api);
/*
 * typedesc_sample fills a zeroed value. Seed 0: every list, map and ?T gets one element, scalars stay zero: for examples.
 * Other seeds: random values that min and max allow: for tests that carry every type through its texts. Recursive types end
 * after some levels.
 */
void typedesc_sample(struct arena *a, const struct typedesc *t, uint64_t seed, void *v);

#endif
