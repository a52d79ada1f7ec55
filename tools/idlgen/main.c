/* SPDX-License-Identifier: MIT */
/*
 * idlgen -o build/gen/x/y_idl pkg/x/y.idl
 *
 * Writes y_idl.h and y_idl.c, and where the file has functions y_api.json and y_api.ts; besides y_idl.d, by which make knows
 * what was imported. Errors are "path:line: text", exit 1.
 */
#include <stdio.h>

#include "base/fd.h"
#include "base/limits.h"
#include "idl.h"

struct deps {
	struct arena *a;
	struct strlist paths;
};

static int
read_import(void *arg, struct arena *a, struct str path, struct str *r_text, struct errmsg *e)
{
	struct deps *d = arg;
	const char *z = str_z(a, path);

	if (z == NULL)
		return err_set(e, ERR_INVALID, "path with NUL");
	strlist_add(d->a, &d->paths, path);
	return fd_read_file(a, z, IDL_MAX_SIZE, r_text, e);
}

static int
write_out(struct arena *a, struct str stem, const char *suffix, struct buf *b, struct errmsg *e)
{
	const char *path = str_z(a, str_fmt(a, STRF "%s", STRA(stem), suffix));

	if (b->failed)
		return err_set(e, ERR_LIMIT, "%s: too large", path);
	return fd_write_file(path, buf_str(b), 0666, e);
}

static int
emit(struct arena *a, struct str out, const struct idl_file *f, const struct deps *deps, struct errmsg *e)
{
	static const struct {
		void (*fn)(struct arena *a, struct buf *b, const struct idl_file *f);
		const char *suffix;
		bool of_api;
	} files[] = {
		{ idl_emit_h, "_idl.h", false },
		{ idl_emit_c, "_idl.c", false },
		{ idl_emit_json, "_api.json", true },
		{ idl_emit_ts, "_api.ts", true },
	};
	struct buf b = BUF_ARENA(a, LIMIT_CONFIG_SIZE);

	for (size_t i = 0; i < ARRAY_LEN(files); i++) {
		if (files[i].of_api && f->nfuncs == 0)
			continue;
		buf_reset(&b);
		files[i].fn(a, &b, f);
		TRY(write_out(a, out, files[i].suffix, &b, e));
	}
	buf_reset(&b);
	buf_addf(&b, STRF "_idl.c " STRF "_idl.h:", STRA(out), STRA(out));
	for (size_t i = 0; i < deps->paths.n; i++)
		buf_addf(&b, " " STRF, STRA(deps->paths.v[i]));
	buf_addc(&b, '\n');
	return write_out(a, out, "_idl.d", &b, e);
}

static int
run(struct arena *a, const char *out, const char *path, struct errmsg *e)
{
	struct deps deps = { .a = a };
	struct idl_file *f;
	struct str text;

	TRY(fd_read_file(a, path, IDL_MAX_SIZE, &text, e));
	TRY(idl_parse(a, str_of(path), text, read_import, &deps, &f, e));
	struct str stem = str_of(out);
	if (str_ends(stem, S("_idl")))
		stem = str_upto(stem, stem.n - 4);
	return emit(a, stem, f, &deps, e);
}

int
main(int argc, char **argv)
{
	struct arena a = { 0 };
	struct errmsg e = { 0 };

	if (argc != 4 || strcmp(argv[1], "-o") != 0) {
		fprintf(stderr, "usage: idlgen -o build/gen/x/y_idl pkg/x/y.idl\n");
		return 2;
	}
	int r = run(&a, argv[2], argv[3], &e);
	if (r < 0)
		fprintf(stderr, "%s\n", e.text[0] ? e.text : err_text(r));
	arena_done(&a);
	return r < 0;
}
