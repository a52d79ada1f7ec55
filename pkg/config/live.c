/* SPDX-License-Identifier: MIT */
/* The current snapshot of a server: reloading and changing domains.conf. */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/lock.h"
#include "base/mem.h"
#include "base/timeutil.h"
#include "config/config_internal.h"

struct config_live {
	struct lock lock; /* LOCK_CONFIG */
	struct config *cur;
	unsigned flags;
	const struct log *log;
	int64_t looked_us; /* monotonic: when the file was last looked at */
	char *told;        /* errors already logged, so that they are not every second */
};

struct config_live *
config_live_new(struct config *cfg, unsigned flags, const struct log *log)
{
	struct config_live *l = mem_alloc(sizeof(*l));

	lock_init(&l->lock, LOCK_CONFIG, "config");
	l->cur = cfg;
	l->flags = flags;
	l->log = log;
	l->looked_us = time_mono_us();
	return l;
}

void
config_live_free(struct config_live **l)
{
	if (*l == NULL)
		return;
	config_unref(&(*l)->cur);
	lock_done(&(*l)->lock);
	mem_free(&(*l)->told);
	mem_free(l);
}

static bool
same_version(const struct config_version *x, const struct config_version *y)
{
	return x->mtime_ns == y->mtime_ns && x->size == y->size && x->ino == y->ino;
}

static bool
has_changed(const struct config_live *l)
{
	struct stat st;

	if (config_priv(l->cur)->version.ino == 0)
		return false; /* made of texts */
	if (stat(l->cur->dynamic_path.p, &st) < 0)
		return true; /* reading it again says why */
	struct config_version v = { st.st_mtim.tv_sec * INT64_C(1000000000) + st.st_mtim.tv_nsec, st.st_size, st.st_ino };
	return !same_version(&v, &config_priv(l->cur)->version);
}

static void
replace(struct config_live *l, struct config *cfg)
{
	config_unref(&l->cur);
	l->cur = cfg;
	mem_free(&l->told);
}

/* Reads the file again. With errors the old snapshot stays, and they are in *p. */
static int
reload(struct config_live *l, struct config_problems *p)
{
	struct arena a = { 0 };
	struct config_version v;
	struct errmsg e = { 0 };
	struct config *cfg;
	struct str text;
	int r = config_read_dynamic(&a, l->cur->dynamic_path.p, &text, &v, &e);

	if (r < 0)
		strlist_add(&p->arena, &p->errors, str_dup(&p->arena, str_of(e.text)));
	else
		r = config_build(
		    config_priv(l->cur)->base, l->cur->static_path.p, (struct str){ 0 }, text, l->flags, &v, &cfg, p);
	if (r == 0)
		replace(l, cfg);
	arena_erase(&a);
	return r;
}

static void
look(struct config_live *l)
{
	struct config_problems p = { 0 };

	if (reload(l, &p) == 0) {
		log_info(l->log, "configuration reloaded", log_s("path", l->cur->dynamic_path));
		for (size_t i = 0; i < p.warnings.n; i++)
			log_info(l->log, "configuration warning", log_s("warning", p.warnings.v[i]));
	} else {
		struct str all = config_problems_text(&p.arena, &p);

		if (l->told == NULL || !str_is(str_of(l->told), all)) {
			mem_free(&l->told);
			l->told = mem_str(all);
			log_error(l->log, "configuration not reloaded", log_s("err", all), log_s("path", l->cur->dynamic_path));
		}
	}
	config_problems_done(&p);
}

void
config_live_expire(struct config_live *l)
{
	LOCKED(&l->lock);
	l->looked_us = INT64_MIN / 2;
}

struct config *
config_current(struct config_live *l)
{
	LOCKED(&l->lock);
	int64_t now = time_mono_us();

	if (now - l->looked_us >= TIME_SEC) {
		l->looked_us = now;
		if (has_changed(l))
			look(l);
	}
	return config_ref(l->cur);
}

static int
write_in_place(const char *path, struct str text, struct errmsg *e)
{
	cleanup_(fd_close) int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		return err_errno(e, errno, "%s", path);
	if (fd_pwrite_all(fd, text, 0) < 0 || ftruncate(fd, (off_t)text.n) < 0 || fd_ops()->fsync(fd) < 0)
		return err_errno(e, errno, "%s", path);
	return 0;
}

/*
 * Replaces the file: atomically where a new file would get the same owner, else in place, with the old content kept beside as
 * far as that is possible.
 */
static int
write_dynamic(struct config_live *l, struct str text, struct config_version *r_v, struct errmsg *e)
{
	const char *path = l->cur->dynamic_path.p;
	struct errmsg ignored = { 0 };
	struct arena a = { 0 };
	struct stat st;
	int r;

	if (stat(path, &st) < 0)
		return err_errno(e, errno, "%s", path);
	if (st.st_uid == geteuid() && access(l->cur->dir.p, W_OK) == 0) {
		r = fd_write_file(path, text, st.st_mode & 07777, e);
		if (r == 0 && st.st_gid != getegid() && chown(path, (uid_t)-1, st.st_gid) < 0)
			log_info(l->log, "group of the configuration file not kept", log_err(err_strerror(errno)));
	} else {
		struct str old = str_fmt(&a, "%s.old", path);

		if (fd_write_file(old.p, config_priv(l->cur)->text, st.st_mode & 07777, &ignored) < 0)
			log_info(l->log, "previous configuration not kept", log_err(ignored.text));
		r = write_in_place(path, text, e);
	}
	arena_done(&a);
	if (r == 0 && stat(path, &st) < 0)
		r = err_errno(e, errno, "%s", path);
	if (r == 0)
		*r_v = (struct config_version){ st.st_mtim.tv_sec * INT64_C(1000000000) + st.st_mtim.tv_nsec, st.st_size,
			st.st_ino };
	return r;
}

/* The text of domains.conf after the change. */
static int
change_text(struct config_live *l, struct arena *a, config_change_fn *fn, void *arg, struct str *r_text,
    struct config_problems *p, struct errmsg *e)
{
	const struct config_priv *s = config_priv(l->cur);
	struct config_dynamic *d = ARENA_NEW(a, struct config_dynamic);
	struct buf b = BUF_ARENA(a, LIMIT_CONFIG_SIZE);
	struct errmsg why = { 0 };

	typedesc_copy(a, &config_dynamic_desc, d, s->raw);
	TRY(fn(arg, a, d, e));
	if (sconf_rewrite(a, &b, &s->root, &config_dynamic_desc, s->raw, d, &why) < 0 || b.failed) {
		strlist_add(
		    &p->arena, &p->errors, str_dup(&p->arena, b.failed ? S("the configuration is too large") : str_of(why.text)));
		return err_set(e, ERR_INVALID, "%s", b.failed ? "the configuration is too large" : why.text);
	}
	*r_text = buf_str(&b);
	return 0;
}

static int
change(struct config_live *l, struct arena *a, config_change_fn *fn, void *arg, struct config_problems *p, struct errmsg *e)
{
	struct config_version v = { 0 };
	struct config *cfg;
	struct str text;

	/* What the operator wrote meanwhile must not be lost; if it has errors, they come first. */
	if (has_changed(l) && reload(l, p) < 0)
		return err_set(e, ERR_INVALID, "%s has errors and must be mended first", l->cur->dynamic_path.p);
	TRY(change_text(l, a, fn, arg, &text, p, e));
	/* The whole text is read again, so that what is written is what was checked. */
	if (config_build(config_priv(l->cur)->base, NULL, (struct str){ 0 }, text, l->flags, &v, &cfg, p) < 0)
		return err_set(e, ERR_INVALID, "the configuration would not be valid");
	int r = write_dynamic(l, text, &config_priv(cfg)->version, e);
	if (r < 0) {
		config_unref(&cfg);
		return r;
	}
	replace(l, cfg);
	return 0;
}

int
config_change(struct config_live *l, config_change_fn *fn, void *arg, struct config_problems *p, struct errmsg *e)
{
	LOCKED(&l->lock);
	struct arena a = { 0 };
	int r = change(l, &a, fn, arg, p, e);

	arena_erase(&a);
	return r;
}
