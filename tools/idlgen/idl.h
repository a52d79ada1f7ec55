/* SPDX-License-Identifier: MIT */
/*
 * idl - the language that describes our types, and what idlgen makes of it. Build-time only.
 *
 * A file pkg/x/y.idl describes types of package x. A declaration ends at its brace, a field, value, column or function at the
 * end of its line (lists in parentheses may go over several lines). "///" lines document what follows, "//" is a remark.
 *
 *	import "config/config.idl"              // its types are then config.Name
 *
 *	/// Documentation.
 *	struct Name {
 *		embed Other                     // its fields, in texts, are ours; in C a member `other`
 *		Field type [attributes]
 *	}
 *	type: bool i32 u32 i64 f64 string bytes time duration json, a Name, ?type, []type, map[string]type  (see typedesc.h);
 *	      opaque: a void *, for internal fields
 *	attributes: optional, deprecated, internal, derived, secret, omitempty, default=V, min=V, max=V,
 *	            c=ident (name in C where the derived one is bad), json="text" (name in texts, where it is no identifier)
 *	V: a word, or a "quoted text" with \" and \\ .
 *
 *	enum Name {
 *		value                           // text and name alike
 *		Name = "text"
 *	}
 *
 *	row Name {                              // columns of an SQL table, see typedesc_row
 *		id i64
 *		parent_id ?i64                  // nullable
 *		name text
 *	}                                       // kinds: i64 bool real text blob
 *
 *	func Name(param type, ...) type errors(user:notFound)
 *	func Name(param type, ...) (result type, ...)
 *
 * Names in C: the package, then the name in lower case with underscores between words (SMTPMaxMessageSize:
 * smtp_max_message_size).
 */
#ifndef IDLGEN_IDL_H
#define IDLGEN_IDL_H

#include <stdbool.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

#define IDL_MAX_SIZE (1024 * 1024)
#define IDL_MAX_DEPTH 10                /* of type constructors, and of imports */

enum idl_kind { IDL_PRIM, IDL_NAMED, IDL_LIST, IDL_MAP, IDL_OPT };

struct idl_type {
	enum idl_kind kind;
	bool nullable;                  /* LIST, MAP: written with '?' */
	struct str name;                /* PRIM, NAMED: as written */
	struct idl_type *elem;          /* LIST, MAP, OPT */
	const struct idl_decl *decl;    /* NAMED, once resolved */
	unsigned line;
};

struct idl_field {
	struct str name, text, c, doc;  /* text: name in texts */
	struct str def;
	struct str min, max;
	bool has_def;
	bool embed;                     /* of a struct; name is that of the type */
	bool optional, deprecated, internal, derived, secret, omitempty;
	struct idl_type *type;
	unsigned line;
};

struct idl_fields {
	struct idl_field *v;
	size_t n, cap;
};

struct idl_value {
	struct str name, text, doc;
};

struct idl_column {
	struct str name, kind, doc;
	bool nullable;
};

enum idl_decl_kind { IDL_STRUCT, IDL_ENUM, IDL_ROW };

struct idl_decl {
	enum idl_decl_kind kind;
	struct str name, doc;
	struct str c;                   /* with the package: "config_account" */
	const struct idl_file *file;
	struct idl_fields fields;
	struct idl_value *values;
	size_t nvalues, values_cap;
	struct idl_column *cols;
	size_t ncols, cols_cap;
	unsigned line;
	int mark;                       /* of walks: 0 unseen, 1 under way, 2 done */
};

struct idl_func {
	struct str name, c, doc;
	struct idl_decl in, out;
	struct strlist errors;
	unsigned line;
};

struct idl_file {
	struct str path, pkg, base;     /* "pkg/config/config.idl", "config", "config" */
	struct str doc;                 /* at the top, followed by an empty line */
	struct idl_file **imports;
	size_t nimports, imports_cap;
	struct idl_decl **decls;
	size_t ndecls, decls_cap;
	struct idl_func **funcs;
	size_t nfuncs, funcs_cap;
};

/* idl_read_fn returns the text of an imported file in the arena. */
typedef int idl_read_fn(void *arg, struct arena *a, struct str path, struct str *r_text, struct errmsg *e);

/*
 * idl_parse reads a text and all it imports, resolves and checks names. Errors are "path:line: text". path is "ROOT/x/y.idl".
 */
int idl_parse(struct arena *a, struct str path, struct str text, idl_read_fn *rd, void *rd_arg,
    struct idl_file **r_file, struct errmsg *e) must_use_;

/* idl_lower derives a name in C. */
struct str idl_lower(struct arena *a, struct str name);

/* Emitters append to the buffer. */
void idl_emit_h(struct arena *a, struct buf *b, const struct idl_file *f);
void idl_emit_c(struct arena *a, struct buf *b, const struct idl_file *f);
void idl_emit_json(struct arena *a, struct buf *b, const struct idl_file *f);
void idl_emit_ts(struct arena *a, struct buf *b, const struct idl_file *f);

/* ---- shared by the emitters */

/*
 * idl_types lists all structs and enums that the functions of a file (or, without functions, the file) use, imported ones
 * too, in order.
 */
struct idl_decls {
	const struct idl_decl **v;
	size_t n, cap;
};
void idl_used(struct arena *a, const struct idl_file *f, struct idl_decls *r_used);
/* idl_flat lists the fields of a struct with those of embedded ones in place. Each is given its path in C ("other.field"). */
struct idl_flat {
	const struct idl_field *f;
	struct str path;
};
struct idl_flats {
	struct idl_flat *v;
	size_t n, cap;
};
void idl_flatten(struct arena *a, const struct idl_decl *d, struct idl_flats *r_flat);
void idl_quote(struct buf *b, struct str s);            /* as a C string literal */

/* idl_push makes room for one more element of an array in the arena and returns its place, zeroed. */
#define IDL_PUSH(a, v, n, cap) ((v) = idl_room((a), (v), (n), &(cap), sizeof(*(v))), &(v)[(n)++])
void *idl_room(struct arena *a, void *v, size_t n, size_t *cap, size_t size);

#endif
