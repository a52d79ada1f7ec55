/* SPDX-License-Identifier: MIT */
/* regexp_internal - syntax tree and program. */
#ifndef REGEXP_INTERNAL_H
#define REGEXP_INTERNAL_H

#include <stdint.h>
#include <unictype.h>

#include "regexp/regexp.h"

#define REGEXP_MAX_DEPTH 100            /* nesting of groups */
#define REGEXP_INF UINT32_MAX           /* of repetitions: no upper bound */

/* What a class is made of: a range of code points, or a property of Unicode. */
struct regexp_item {
	uint32_t lo, hi;
	bool is_category, negated;              /* of the property */
	uc_general_category_t category;
	const uc_script_t *script;
};

/* A set of code points. */
struct regexp_class {
	struct regexp_item *v;
	size_t n, cap;
	bool negated, fold;             /* fold: compare in lower and upper case */
};

enum regexp_assert { REGEXP_LINE_START, REGEXP_LINE_END, REGEXP_START, REGEXP_END, REGEXP_WORD_EDGE, REGEXP_NO_WORD_EDGE };

enum regexp_kind { REGEXP_EMPTY, REGEXP_CLASS, REGEXP_ASSERT, REGEXP_CAT, REGEXP_ALT, REGEXP_REPEAT, REGEXP_GROUP };

struct regexp_node {
	enum regexp_kind kind;
	struct regexp_class *class;
	enum regexp_assert assert;
	struct regexp_node *x, *y;      /* CAT, ALT: both; REPEAT, GROUP: x */
	uint32_t min, max;              /* REPEAT */
	bool lazy;
	unsigned group;                 /* GROUP: its number */
};

enum regexp_op { REGEXP_OP_CHAR, REGEXP_OP_ASSERT, REGEXP_OP_SPLIT, REGEXP_OP_JUMP, REGEXP_OP_SAVE, REGEXP_OP_MATCH };

struct regexp_inst {
	enum regexp_op op;
	uint32_t x, y;                  /* SPLIT: both ways, x first; JUMP: x; SAVE: x is the slot; ASSERT: x is the kind */
	const struct regexp_class *class;
};

struct regexp {
	struct arena arena;
	struct regexp_inst *prog;
	uint32_t n;
	unsigned groups;
};

/* regexp_parse makes the tree; groups are counted from 1. */
int regexp_parse(struct arena *a, struct str pattern, struct regexp_node **r_root, unsigned *r_groups,
    struct errmsg *e) must_use_;
bool regexp_class_has(const struct regexp_class *k, uint32_t cp);

#endif
