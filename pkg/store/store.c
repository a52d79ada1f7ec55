/* SPDX-License-Identifier: MIT */
/*
 * The table of open accounts.
 *
 * Implementation notes
 *
 * An account that nobody refers to any more stays open until store_trim finds it idle: opening costs milliseconds, and mail comes one by one. References are
 * counted without a lock; only store->lock lets the count rise from zero, so whoever holds it and reads zero may close.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/mem.h"
#include "store/store_internal.h"

#define TMP_KEEP_US (7 * TIME_DAY)

const struct log store_log = { .pkg = "store" };

int64_t
store_now_us(const struct store *s)
{
	return clock_now_us(s->opts.clock);
}

/* remove_old_files clears tmp of what crashes left long ago. */
static void
remove_old_files(const char *dir)
{
	DIR *d = opendir(dir);
	if (!d)
		return;
	int64_t before = time_now_us() - TMP_KEEP_US;
	struct dirent *de;
	while ((de = readdir(d))) {
		struct stat st;
		if (fstatat(dirfd(d), de->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(st.st_mode) && st.st_mtim.tv_sec * TIME_SEC < before)
			unlinkat(dirfd(d), de->d_name, 0);
	}
	closedir(d);
}

int
store_open(const struct store_opts *o, struct store **r_store, struct errmsg *e)
{
	char path[PATH_SIZE];
	snprintf(path, sizeof(path), "%s/accounts", o->data_dir);
	TRY(fd_mkdirs(path, 0770, e));
	struct store *s = mem_alloc(sizeof(*s));
	s->sync_fd = blob_sync_all_open(path);
	snprintf(path, sizeof(path), "%s/tmp", o->data_dir);
	int err = fd_mkdirs(path, 0770, e);
	if (err < 0) {
		fd_close(&s->sync_fd);
		mem_free(&s);
		return err;
	}
	remove_old_files(path);
	s->opts = *o;
	s->data_dir = mem_strdup(o->data_dir);
	s->opts.data_dir = s->data_dir;
	s->tmp_dir = mem_strdup(path);
	lock_init(&s->lock, LOCK_ACCOUNTS, "accounts");
	cond_init(&s->changed);
	s->eraser = store_eraser_new();
	s->syncer = store_syncer_new(s);
	*r_store = s;
	return 0;
}

const char *
store_tmp_dir(const struct store *s)
{
	return s->tmp_dir;
}

int
store_config_of(struct store *s, struct arena *a, struct str name, struct store_account_config *r_c, struct errmsg *e)
{
	*r_c = (struct store_account_config){ 0 };
	int err = s->opts.account_config(s->opts.arg, a, name, r_c);
	if (err == ERR_NOTFOUND)
		return err_set(e, STORE_NO_ACCOUNT, "no such account");
	return err < 0 ? err_set(e, err, "configuration of account: %s", err_text(err)) : 0;
}

static struct store_account *
account_new(struct store *s, struct str name)
{
	struct store_account *a = mem_alloc(sizeof(*a));
	char path[PATH_SIZE];
	a->store = s;
	a->name = mem_str(name);
	snprintf(path, sizeof(path), "%s/accounts/%s", s->data_dir, a->name);
	a->dir = mem_strdup(path);
	snprintf(path, sizeof(path), "%s/accounts/%s/msg", s->data_dir, a->name);
	a->msg_dir = mem_strdup(path);
	a->lock_fd = -1;
	lock_init(&a->lock, LOCK_ACCOUNT, "account");
	lock_init(&a->files_lock, LOCK_GROUP, "files");
	lock_init(&a->readers_lock, LOCK_DB, "readers");
	lock_init(&a->junk_lock, LOCK_JUNK, "junk filter");
	lock_init(&a->comms_lock, LOCK_LISTENERS, "comms");
	cond_init(&a->reader_free);
	cond_init(&a->dir_synced);
	a->in_flight.prev = a->in_flight.next = &a->in_flight;
	a->queue_end = &a->queue;
	return a;
}

static void
account_free(struct store_account *a)
{
	lock_done(&a->lock);
	lock_done(&a->files_lock);
	lock_done(&a->readers_lock);
	lock_done(&a->junk_lock);
	lock_done(&a->comms_lock);
	cond_done(&a->reader_free);
	cond_done(&a->dir_synced);
	mem_free(&a->name);
	mem_free(&a->dir);
	mem_free(&a->msg_dir);
	mem_free(&a);
}

/* claim returns the account with a reference, or a new one that the caller must start (*r_new). Waits while others start or stop it. */
static struct store_account *
claim(struct store *s, struct str name, bool *r_new)
{
	LOCKED(&s->lock);
	struct store_account *a;
	while ((a = map_get(&s->accounts, name)) && a->state != ACCOUNT_OPEN)
		cond_wait(&s->changed, &s->lock, 0);
	*r_new = !a;
	if (!a) {
		a = account_new(s, name);
		map_set(&s->accounts, name, a);
	}
	atomic_fetch_add(&a->refs, 1);
	return a;
}

/* settle ends the state OPENING or CLOSING of an account; one that is not open afterwards is forgotten. */
static void
settle(struct store_account *a, bool open)
{
	struct store *s = a->store;
	{
		LOCKED(&s->lock);
		if (open)
			a->state = ACCOUNT_OPEN;
		else
			map_del(&s->accounts, str_of(a->name));
		cond_broadcast(&s->changed);
	}
	if (!open)
		account_free(a);
}

int
store_account_open(struct store *s, struct str name, bool for_login, struct store_account **r_acct, struct errmsg *e)
{
	cleanup_(arena_done) struct arena mem = { 0 };
	struct store_account_config c;
	if (name.n == 0 || name.n > 200 || name.p[0] == '.' || str_has(name, '/') || str_has(name, '\0'))
		return err_set(e, STORE_NO_ACCOUNT, "no such account");
	TRY(store_config_of(s, &mem, name, &c, e));
	if (for_login && c.login_disabled.n)
		return err_set(e, STORE_LOGIN_DISABLED, "login disabled for account: " STRF, STRA(c.login_disabled));
	bool fresh;
	struct store_account *a = claim(s, name, &fresh);
	if (fresh) {
		int err = store_account_start(a, e);
		if (err < 0)
			store_account_stop(a);
		settle(a, err == 0);
		if (err < 0)
			return err;
	}
	atomic_store(&a->last_used, time_mono_us());
	*r_acct = a;
	return 0;
}

struct store_account *
store_account_ref(struct store_account *a)
{
	atomic_fetch_add(&a->refs, 1);
	return a;
}

void
store_account_close(struct store_account **pa)
{
	struct store_account *a = take(*pa);
	if (!a)
		return;
	atomic_store(&a->last_used, time_mono_us());
	bug_if(atomic_fetch_sub(&a->refs, 1) <= 0);
}

struct str
store_account_name(const struct store_account *a)
{
	return str_of(a->name);
}

/* check_or_die runs the full check; for tests, where damage must not go unseen. */
static void
check_or_die(struct store_account *a)
{
	cleanup_(arena_done) struct arena mem = { 0 };
	struct strlist problems = { 0 };
	int err = store_check(a, &mem, &problems);
	if (err < 0)
		bug("account %s is not consistent: %s%s", a->name, err_text(err), problems.n ? str_cat(&mem, S(": "), strlist_join(&mem, &problems, S("; "))).p : "");
}

static void
close_account(struct store_account *a)
{
	store_unsynced_end(a);
	if (a->store->opts.check_on_close)
		check_or_die(a);
	store_account_stop(a);
	settle(a, false);
}

/*
 * pick finds an account that is idle: unused ones are marked CLOSING, others get a reference. NULL at the end. r_unsynced: there are idle ones with files to
 * sync first; NULL: those are not left out.
 */
static struct store_account *
pick(struct store *s, int64_t idle_since, size_t *pos, bool *r_unsynced)
{
	LOCKED(&s->lock);
	struct str name;
	void *v;
	while (map_next(&s->accounts, pos, &name, &v)) {
		struct store_account *a = v;
		if (a->state != ACCOUNT_OPEN || atomic_load(&a->last_used) > idle_since)
			continue;
		if (r_unsynced && atomic_load(&a->nunsynced) > 0) {
			*r_unsynced = true;
			continue;
		}
		if (atomic_load(&a->refs) == 0)
			a->state = ACCOUNT_CLOSING;
		else
			atomic_fetch_add(&a->refs, 1);
		return a;
	}
	return NULL;
}

bool
store_trim(struct store *s)
{
	int64_t now = time_mono_us();
	bool gave = false;
	if (atomic_load(&s->connections) > CONNECTIONS_MANY)
		atomic_store(&s->many_until, now + IDLE_US);
	int64_t idle_since = now - (now < atomic_load(&s->many_until) ? IDLE_MANY_US : IDLE_US);
	size_t pos = 0;         /* stays good enough when the map changes meanwhile: what is missed is found next time */
	struct store_account *a;
	bool unsynced = false;
	while ((a = pick(s, idle_since, &pos, &unsynced))) {
		if (a->state == ACCOUNT_CLOSING) {
			close_account(a);
			gave = true;
		} else {
			gave |= store_account_trim(a);
			atomic_fetch_sub(&a->refs, 1);  /* not store_account_close: this was no use */
		}
	}
	if (unsynced)
		store_syncer_ask(s);    /* their turn comes next time */
	if (gave)
		db_trim();
	return gave;
}

void
store_close(struct store **ps)
{
	struct store *s = take(*ps);
	if (!s)
		return;
	store_eraser_free(&s->eraser);
	store_syncer_free(&s->syncer);
	size_t pos = 0;
	struct store_account *a;
	while ((a = pick(s, INT64_MAX, &pos, NULL))) {
		if (a->state != ACCOUNT_CLOSING)
			bug("account %s is still in use", a->name);
		close_account(a);
		pos = 0;
	}
	fd_close(&s->sync_fd);
	map_done(&s->accounts);
	lock_done(&s->lock);
	cond_done(&s->changed);
	mem_free(&s->data_dir);
	mem_free(&s->tmp_dir);
	mem_free(&s);
}
