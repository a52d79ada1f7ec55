/* SPDX-License-Identifier: MIT */
/* parse - between the parser and the checker of idlgen. */
#ifndef IDLGEN_PARSE_H
#define IDLGEN_PARSE_H

#include "idl.h"

struct idl_reader {
	idl_read_fn *fn;
	void *arg;
};

int idl_parse_file(struct arena *a, struct str path, struct str text, const struct idl_reader *rd, unsigned depth,
    struct idl_file **r_file, struct errmsg *e) must_use_;
/* idl_check resolves the names of a parsed file and checks them. */
int idl_check(struct arena *a, struct idl_file *f, struct errmsg *e) must_use_;
bool idl_is_prim(struct str name);

#endif
