/* SPDX-License-Identifier: MIT */
/*
 * Message files of an account: ids, directories, shared syncs, and what a crash leaves.
 *
 * The id that names a file is given out before the transaction that adds its row, so the file can be on disk before the account is locked. Ids
 * of messages that come to nothing stay unused.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/mem.h"
#include "store/store_internal.h"

int64_t
store_file_id(struct store_account *a, struct in_flight *f)
{
	LOCKED(&a->files_lock);
	int64_t id = a->next_id++;
	if (!f->next) {
		f->first = id;
		f->prev = a->in_flight.prev;
		f->next = &a->in_flight;
		f->prev->next = f;
		f->next->prev = f;
	}
	return id;
}

void
store_file_landed(struct store_account *a, struct in_flight *f)
{
	LOCKED(&a->files_lock);
	if (!f->next)
		return;
	f->prev->next = f->next;
	f->next->prev = f->prev;
	f->prev = f->next = NULL;
}

void
store_file_floor(struct store_account *a, struct sync_state *s)
{
	LOCKED(&a->files_lock);
	s->next_message_id = a->next_id;
	s->file_floor = a->in_flight.next == &a->in_flight ? a->next_id : a->in_flight.next->first;
}

void
store_file_path(const struct store_account *a, int64_t id, char path[PATH_SIZE], char dir[16])
{
	cleanup_(arena_done) struct arena mem = { .block_size = 64 };
	struct str rel = blob_path(&mem, id);
	bug_if((size_t)snprintf(path, PATH_SIZE, "%s/" STRF, a->msg_dir, STRA(rel)) >= PATH_SIZE);
	if (dir)
		snprintf(dir, 16, "%.*s", (int)str_find(rel, '/'), rel.p);
}

static struct dir_sync *
find_dir(struct store_account *a, const char *name)
{
	struct dir_sync *d = a->dirs;
	while (d && strcmp(d->name, name) != 0)
		d = d->next;
	return d;
}

int
store_file_dir(struct store_account *a, const char *dir, struct errmsg *e)
{
	LOCKED(&a->files_lock);
	if (find_dir(a, dir))
		return 0;
	int err = blob_mkdir(a->msg_dir, dir);  /* under the lock, once in 8192 messages: others must not use the directory before it is on disk */
	if (err < 0)
		return err_set(e, err, "%s/%s: %s", a->msg_dir, dir, err_strerror(errno));
	struct dir_sync *d = mem_alloc(sizeof(*d));
	snprintf(d->name, sizeof(d->name), "%s", dir);
	d->next = a->dirs;
	a->dirs = d;
	return 0;
}

int
store_file_sync(struct store_account *a, const char *dir)
{
	char path[PATH_SIZE];
	snprintf(path, sizeof(path), "%s/%s", a->msg_dir, dir);
	LOCKED(&a->files_lock);
	struct dir_sync *d = find_dir(a, dir);
	bug_if(!d);
	uint64_t want = d->started + 1;         /* one that runs already may have begun before our name was made */
	while (d->finished < want) {
		if (d->running) {
			cond_wait(&a->dir_synced, &a->files_lock, 0);
			continue;
		}
		uint64_t number = ++d->started;
		d->running = true;
		lock_drop(&a->files_lock);
		int err = blob_sync_dir(path);
		lock_take(&a->files_lock);
		d->running = false;
		d->finished = number;
		if (err < 0)
			d->failed = number;
		cond_broadcast(&a->dir_synced);
	}
	/* A later success does not heal a failure: the kernel reports each one once. */
	return d->failed >= want ? ERR_IO : 0;
}

void
store_file_remove(struct store_account *a, int64_t id)
{
	char path[PATH_SIZE];
	store_file_path(a, id, path, NULL);
	int err = blob_remove(path);
	if (err < 0 && err != ERR_NOTFOUND)     /* nobody to tell: the message itself is gone in any case */
		log_warn(&store_log, "removing message file", log_err(err_strerror(errno)), log_z("path", path));
}

/* --- after a crash --- */

/* file_id reads a file name; 0 if it is no id that belongs in the directory. */
static int64_t
file_id(struct arena *mem, const char *dir, const char *name)
{
	int64_t id;
	if (str_i64(str_of(name), &id) < 0 || id <= 0)
		return 0;
	struct str want = blob_path(mem, id);
	return str_is(want, str_fmt(mem, "%s/%s", dir, name)) ? id : 0;
}

struct found {
	int64_t *ids;                   /* at floor or above */
	size_t n, cap;
	int64_t highest;
};

/* look reads one directory. 1 read, 0 there is none. */
static int
look(struct store_account *a, struct arena *mem, const char *dir, int64_t floor, struct found *f)
{
	char path[PATH_SIZE];
	snprintf(path, sizeof(path), "%s/%s", a->msg_dir, dir);
	DIR *d = opendir(path);
	if (!d)
		return errno == ENOENT ? 0 : err_from_errno(errno);
	struct dirent *de;
	while ((de = readdir(d))) {
		ARENA_SCOPE(mem);
		if (de->d_name[0] == '.')
			continue;
		int64_t id = file_id(mem, dir, de->d_name);
		if (id == 0) {
			log_warn(&store_log, "file that is no message file is ignored", log_z("dir", path), log_z("name", de->d_name));
			continue;
		}
		f->highest = MAX(f->highest, id);
		if (id < floor)
			continue;
		if (f->n == f->cap) {
			f->ids = mem_grow(f->ids, f->cap, f->cap * 2 + 16, sizeof(*f->ids));
			f->cap = f->cap * 2 + 16;
		}
		f->ids[f->n++] = id;
	}
	closedir(d);
	return 1;
}

/* put_aside moves a file without row to tmp, where it is kept for a week. */
static int
put_aside(struct store_account *a, int64_t id, struct errmsg *e)
{
	char from[PATH_SIZE], to[PATH_SIZE];
	store_file_path(a, id, from, NULL);
	snprintf(to, sizeof(to), "%s/orphan-%s-%lld", a->store->tmp_dir, a->name, (long long)id);
	if (rename(from, to) < 0)
		return err_errno(e, errno, "moving %s", from);
	ignore_result(utimensat(AT_FDCWD, to, NULL, 0));
	return 0;
}

static int
put_aside_orphans(struct store_account *a, struct store_tx *tx, const struct found *f, struct errmsg *e)
{
	size_t n = 0;
	for (int pass = 0; pass < 2; pass++) {
		for (size_t i = 0; i < f->n; i++) {
			ARENA_SCOPE(tx->arena);
			struct store_message m;
			int found = store_message_get(tx, f->ids[i], &m);
			if (found < 0)
				return found;
			if (found && !m.erased)
				continue;
			if (pass == 0)
				n++;
			else
				TRY(put_aside(a, f->ids[i], e));
		}
		if (n > ORPHANS_MAX) {
			/* Not the traces of a crash: rather a database that is older than the files. Perhaps somebody wants to bring them back. */
			log_warn(&store_log, "message files without messages are left alone", log_z("account", a->name), log_u("files", n));
			return 0;
		}
	}
	if (n > 0)
		log_info(&store_log, "moved files of messages that were not delivered completely to tmp", log_z("account", a->name), log_u("files", n));
	return 0;
}

/*
 * store_files_recover finds files without rows, and guards against ids that would be given out again (a database older than its files). It
 * looks at the directory of the floor and of the highest id and at all behind, as long as they exist.
 */
int
store_files_recover(struct store_account *a, struct store_tx *tx, struct errmsg *e)
{
	struct sync_state *s = &tx_priv(tx)->sync;
	int64_t highest;
	TRY(store_message_max_id(tx, &highest));
	cleanup_(arena_done) struct arena mem = { 0 };
	struct found f = { 0 };
	int err;
	for (int64_t id = MAX(MIN(s->file_floor, highest), 1);; id = blob_path_next(id)) {
		char path[PATH_SIZE], dir[16];
		store_file_path(a, id, path, dir);
		err = look(a, &mem, dir, s->file_floor, &f);
		if (err < 0 || (err == 0 && id > highest))
			break;
	}
	if (err >= 0)
		err = put_aside_orphans(a, tx, &f, e);
	mem_free(&f.ids);
	TRY(err);
	int64_t next = MAX(s->next_message_id, highest + 1);
	if (f.highest >= next) {
		log_info(&store_log, "skipping the ids of files that have no message", log_z("account", a->name), log_i("file", f.highest), log_i("next", next));
		next = f.highest + 1;
	}
	if (next != s->next_message_id)
		tx_priv(tx)->sync_dirty = true;
	a->next_id = next;
	return 0;
}
