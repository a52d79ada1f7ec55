/* SPDX-License-Identifier: MIT */
/* ctype - how types of the IDL are written in C. */
#ifndef IDLGEN_CTYPE_H
#define IDLGEN_CTYPE_H

#include "idl.h"

/* ctype of a value: "struct config_account", "int64_t", "struct str", "bool *". */
struct str ctype(struct arena *a, const struct idl_file *f, const struct idl_type *t);
/* cname: the base of names of lists and maps of the type: "config_account", "typedesc_str", "config_account_ptr". */
struct str cname(struct arena *a, const struct idl_file *f, const struct idl_type *t);
/* cdesc: the expression for the address of the descriptor: "&config_account_desc", "&list_of_config_account". */
struct str cdesc(struct arena *a, const struct idl_file *f, const struct idl_type *t);
/* pick returns the text for the kind of a derived type. */
const char *pick(const struct idl_type *t, const char *list, const char *map, const char *opt);
struct str idlname(struct arena *a, const struct idl_type *t);          /* "[]Account" */

/*
 * Derived types (lists, maps, pointers) that a file uses, each once, inner ones first. Lists and maps of simple kinds,
 * structs and enums have their C types beside the element; `own` tells those that have not.
 */
struct derived {
	const struct idl_type *t;
	struct str name;        /* "list_of_config_account" */
	bool own;
};
struct deriveds {
	struct derived *v;
	size_t n, cap;
};
void derive(struct arena *a, const struct idl_file *f, struct deriveds *r);

#endif
