/* SPDX-License-Identifier: MIT */
/*
 * Making snapshots.
 *
 * Implementation notes. mox.conf is read once into a config_base, which all snapshots share; domains.conf belongs to one
 * snapshot. Each has its arena, with the text of the file, its tree, the values as written and the effective ones; so a
 * snapshot is freed at once. What lives outside of arenas (patterns, keys, tables) is listed in config_priv.
 */
#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/mem.h"
#include "base/timeutil.h"
#include "config/config_internal.h"

void
config_problems_done(struct config_problems *p)
{
	arena_done(&p->arena);
	*p = (struct config_problems){ 0 };
}

struct str
config_problems_text(struct arena *a, const struct config_problems *p)
{
	return strlist_join(a, &p->errors, S("; "));
}

const char *
config_find(const char *arg)
{
	const char *env = getenv("MOXCONF");

	if (arg && *arg)
		return arg;
	return env && *env ? env : "config/mox.conf";
}

static void
base_unref(struct config_base **b)
{
	if (*b == NULL || atomic_fetch_sub(&(*b)->refs, 1) != 1)
		return;
	arena_erase(&(*b)->arena); /* has passwords of transports */
	mem_free(b);
}

static void
priv_free(struct config_priv *p)
{
	for (size_t i = 0; i < p->nregexps; i++)
		regexp_free(&p->regexps[i]);
	for (size_t i = 0; i < p->nkeys; i++)
		EVP_PKEY_free(p->keys[i]);
	map_done(&p->by_name);
	map_done(&p->addresses);
	map_done(&p->reports);
	base_unref(&p->base);
	arena_erase(&p->arena); /* has keys of webhooks */
	mem_free(&p);
}

struct config *
config_ref(struct config *c)
{
	atomic_fetch_add(&c->priv->refs, 1);
	return c;
}

void
config_unref(struct config **c)
{
	if (*c && atomic_fetch_sub(&(*c)->priv->refs, 1) == 1)
		priv_free((*c)->priv);
	*c = NULL;
}

/* Appends what was found, copied, since the arena of a failed snapshot goes. */
static void
report_to(struct config_problems *p, const struct sconf_report *r)
{
	for (size_t i = 0; i < r->errors.n; i++)
		strlist_add(&p->arena, &p->errors, str_dup(&p->arena, r->errors.v[i]));
	if (r->dropped)
		strlist_add(&p->arena, &p->errors, str_fmt(&p->arena, "and %zu more", r->dropped));
	for (size_t i = 0; i < r->warnings.n; i++)
		strlist_add(&p->arena, &p->warnings, str_dup(&p->arena, r->warnings.v[i]));
}

/* Directory of a path, "." if it has none, and a file in it. */
static void
set_paths(struct config_base *b, const char *static_path)
{
	struct str path = str_of(static_path);
	ssize_t slash = str_rfind(path, '/');

	b->static_path = str_dup(&b->arena, path);
	b->dir = slash < 0 ? S(".") : str_dup(&b->arena, str_upto(path, slash ? (size_t)slash : 1));
	b->dynamic_path = slash < 0 ? S("domains.conf") : str_fmt(&b->arena, STRF "/domains.conf", STRA(b->dir));
}

/* Reads and checks mox.conf. The base is usable for checking domains.conf if *r_sound, also with errors. */
static struct config_base *
make_base(const char *path, struct str text, unsigned flags, bool *r_sound, struct config_problems *p)
{
	struct config_base *b = mem_alloc(sizeof(*b));
	struct sconf_report r = { .a = &b->arena, .path = path };
	struct config_static *raw = ARENA_NEW(&b->arena, struct config_static);
	struct sconf_node root;

	atomic_init(&b->refs, 1);
	set_paths(b, path);
	b->fixed = ARENA_NEW(&b->arena, struct config_static);
	*r_sound = sconf_read(&b->arena, str_dup(&b->arena, text), &config_static_desc, raw, &root, &r) == 0;
	if (*r_sound) {
		struct config_check c = { .a = &b->arena, .r = &r, .root = &root, .flags = flags, .base = b };

		typedesc_copy(&b->arena, &config_static_desc, b->fixed, raw);
		typedesc_defaults(&b->arena, &config_static_desc, b->fixed);
		config_check_static(&c, b->fixed);
	}
	report_to(p, &r);
	return b;
}

/* Reads domains.conf and, if mox.conf could be read, checks it. */
static struct config_priv *
make_priv(struct config_base *b, bool sound, struct str text, unsigned flags, bool with_lines, struct config_problems *p)
{
	struct config_priv *s = mem_alloc(sizeof(*s));
	struct sconf_report r = { .a = &s->arena, .path = with_lines ? b->dynamic_path.p : NULL };

	atomic_init(&s->refs, 1);
	atomic_fetch_add(&b->refs, 1);
	s->base = b;
	s->text = str_dup(&s->arena, text);
	s->raw = ARENA_NEW(&s->arena, struct config_dynamic);
	s->dynamic = ARENA_NEW(&s->arena, struct config_dynamic);
	if (sconf_read(&s->arena, s->text, &config_dynamic_desc, s->raw, &s->root, &r) == 0 && sound) {
		struct config_check c = { .a = &s->arena, .r = &r, .root = &s->root, .flags = flags, .base = b, .priv = s };

		typedesc_copy(&s->arena, &config_dynamic_desc, s->dynamic, s->raw);
		typedesc_defaults(&s->arena, &config_dynamic_desc, s->dynamic);
		config_check_dynamic(&c, s->dynamic);
	}
	report_to(p, &r);
	return s;
}

static struct config *
hand_out(struct config_priv *s)
{
	struct config_base *b = s->base;

	s->c = (struct config){
		.fixed = b->fixed,
		.dynamic = s->dynamic,
		.raw_dynamic = s->raw,
		.hostname = b->hostname,
		.postmaster_account = b->fixed->postmaster.account,
		.postmaster_mailbox = b->fixed->postmaster.mailbox,
		.data_dir = b->data_dir,
		.dir = b->dir,
		.static_path = b->static_path,
		.dynamic_path = b->dynamic_path,
		.pedantic = b->fixed->pedantic,
		.uid = b->uid,
		.gid = b->gid,
		.priv = s,
	};
	return &s->c;
}

int
config_build(struct config_base *base, const char *static_path, struct str static_text, struct str dynamic_text, unsigned flags,
    const struct config_version *v, struct config **r_cfg, struct config_problems *p)
{
	size_t before = p->errors.n;
	bool sound = true, with_lines = static_path != NULL;
	struct config_priv *s;

	if (base)
		atomic_fetch_add(&base->refs, 1);
	else
		base = make_base(static_path, static_text, flags, &sound, p);
	s = make_priv(base, sound, dynamic_text, flags, with_lines, p);
	base_unref(&base);
	s->version = *v;
	if (p->errors.n > before) {
		priv_free(s);
		return ERR_INVALID;
	}
	*r_cfg = hand_out(s);
	return 0;
}

int
config_read_dynamic(struct arena *a, const char *path, struct str *r_text, struct config_version *r_v, struct errmsg *e)
{
	cleanup_(fd_close) int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;
	char *p;

	if (fd < 0 || fstat(fd, &st) < 0)
		return err_errno(e, errno, "%s", path);
	if (!S_ISREG(st.st_mode) || st.st_size > LIMIT_CONFIG_SIZE)
		return err_set(e, ERR_LIMIT, "%s: no regular file of at most %d bytes", path, LIMIT_CONFIG_SIZE);
	p = arena_bytes(a, (size_t)st.st_size + 1);
	if (fd_pread_full(fd, p, (size_t)st.st_size, 0) < 0)
		return err_set(e, ERR_IO, "%s: changed while it was read", path);
	*r_text = str_n(p, (size_t)st.st_size);
	*r_v = (struct config_version){ st.st_mtim.tv_sec * INT64_C(1000000000) + st.st_mtim.tv_nsec, st.st_size, st.st_ino };
	return 0;
}

int
config_load(const char *static_path, unsigned flags, struct config **r_cfg, struct config_problems *p)
{
	struct arena a = { 0 };
	struct config_base paths = { 0 };
	struct config_version v = { 0 };
	struct errmsg e = { 0 };
	struct str text, dynamic = { 0 };
	bool missing = false;
	int r = fd_read_file(&a, static_path, LIMIT_CONFIG_SIZE, &text, &e);

	if (r < 0) {
		strlist_add(&p->arena, &p->errors,
		    str_fmt(&p->arena, "%s%s", e.text,
			r == ERR_NOTFOUND && !getenv("MOXCONF") ?
			    ": name the file with -config, or in the environment variable MOXCONF" :
			    ""));
	} else {
		set_paths(&paths, static_path);
		missing = config_read_dynamic(&a, paths.dynamic_path.p, &dynamic, &v, &e) < 0;
		if (missing) {
			bool sound;
			struct config_base *b = make_base(static_path, text, flags, &sound, p);

			base_unref(&b);
			strlist_add(&p->arena, &p->errors, str_dup(&p->arena, str_of(e.text)));
			r = ERR_INVALID;
		} else {
			r = config_build(NULL, static_path, text, dynamic, flags, &v, r_cfg, p);
		}
		arena_done(&paths.arena);
	}
	arena_erase(&a);
	return r;
}

int
config_parse(const char *dir, struct str static_text, struct str dynamic_text, unsigned flags, struct config **r_cfg,
    struct config_problems *p)
{
	struct arena a = { 0 };
	struct config_version v = { 0 };
	struct str path = str_fmt(&a, "%s/mox.conf", dir);
	int r = config_build(NULL, path.p, static_text, dynamic_text, flags, &v, r_cfg, p);

	arena_done(&a);
	return r;
}

void
config_apply_logs(const struct config *c)
{
	enum log_level level;

	if (log_level_parse(str_of(typedesc_enum_text(&config_log_level_desc, &c->fixed->log_level)), &level) == 0)
		log_set_default(level);
	for (size_t i = 0; i < c->fixed->package_log_levels.n; i++) {
		const struct config_log_level_entry *p = &c->fixed->package_log_levels.v[i];

		if (log_level_parse(str_of(typedesc_enum_text(&config_log_level_desc, &p->v)), &level) == 0)
			log_set_package(p->k, level);
	}
}

void
config_default_account(struct arena *a, struct str address, struct str domain, struct config_account *r_account)
{
	const struct typedesc *map = typedesc_type(&config_account_desc, "Destinations");
	struct config_junk_filter *j = ARENA_NEW(a, struct config_junk_filter);

	*j = (struct config_junk_filter){ .threshold = 0.95,
		.params = { .onegrams = true, .max_power = 0.01, .top_words = 10, .ignore_words = 0.1, .rare_words = 2 } };
	*r_account = (struct config_account){
		.domain = str_dup(a, domain),
		.rejects_mailbox = S("Rejects"),
		.junk_filter = j,
		.no_custom_password = true,
		.subject_pass.period = 12 * TIME_HOUR,
		.automatic_junk_flags = { .enabled = true,
		    .junk_mailbox_regexp = S("^(junk|spam)"),
		    .neutral_mailbox_regexp = S("^(inbox|introbox|neutral|postmaster|dmarc|tlsrpt|rejects)") },
	};
	ignore_result(typedesc_map_set(a, map, &r_account->destinations, address) != NULL);
}
