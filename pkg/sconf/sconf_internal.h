/* SPDX-License-Identifier: MIT */
/* sconf_internal - shared by reader, writers and rewriting. */
#ifndef SCONF_INTERNAL_H
#define SCONF_INTERNAL_H

#include "sconf/sconf.h"

#define SCONF_MAX_DEPTH 64              /* nesting of blocks; no type of ours comes near */

/* A line taken apart: "key: value", or "- value" with an empty key. */
struct sconf_line {
	struct str key, value;
	bool has_value;                 /* false: nothing stands behind the colon or dash */
};
/* Both return NULL, or what is wrong with the line. */
const char *sconf_split_entry(struct str text, struct sconf_line *r_l);
const char *sconf_split_item(struct str text, struct sconf_line *r_l);

/* Kinds whose value stands on its line. */
bool sconf_is_scalar(const struct typedesc *t);
/* Fields that the format has: not internal, not derived. */
bool sconf_has_field(const struct typedesc_field *f);

enum sconf_mode { SCONF_WRITE, SCONF_DOCS, SCONF_DESCRIBE };

struct sconf_out {
	struct buf *b;
	struct arena *a;                /* DESCRIBE: for the zero values shown */
	enum sconf_mode mode;
	struct errmsg *e;
	int err;
	unsigned depth;
	bool begun;                     /* something was written */
	const struct typedesc *in[SCONF_MAX_DEPTH];     /* DESCRIBE: structs being expanded */
	unsigned nin;
};
void sconf_out_fail(struct sconf_out *o, const char *what, const char *name);
void sconf_out_tabs(struct sconf_out *o);
void sconf_out_struct(struct sconf_out *o, const struct typedesc *t, const void *v);
/* One field with its documentation, as the mode wants it. */
void sconf_out_field(struct sconf_out *o, const struct typedesc_field *f, const void *v);
/* "head" and the value behind it or in a block below. head is "Key:" or "-". in_map: a zero struct is "nil". */
void sconf_out_value(struct sconf_out *o, struct str head, const struct typedesc *t, const void *v, bool in_map);
/* A map entry; fails for a key that cannot be written. */
void sconf_out_entry(struct sconf_out *o, struct str key, const struct typedesc *t, const void *v);
/* Whether the field must stand in the file. */
bool sconf_is_written(const struct typedesc_field *f, const void *v);
/* What keeps a struct that is all zero from being empty: a scalar field, or NULL if it has none. */
const struct typedesc_field *sconf_filler(const struct typedesc *t);

#endif
