/* SPDX-License-Identifier: MIT */
/* The consistency check (store.md 17): queries whose rows are the problems, and walks over messages and files. */
#include <dirent.h>
#include <errno.h>
#include <sys/stat.h>

#include "store/store_internal.h"

/* What history.h says of a message, from its flags 64 $Junk and 128 $NotJunk. */
#define JUDGEMENT "CASE WHEN m.expunged = 1 OR m.flags & 192 = 0 THEN -1 WHEN m.flags & 64 <> 0 THEN 1 ELSE 0 END"

/* Each query gives the lines of one kind of problem. None takes parameters. */
static struct db_sql problems[] = {
	DB_SQL("SELECT 'several mailboxes are named ' || name FROM mailbox WHERE expunged = 0 GROUP BY name HAVING count(*) > 1"),
	DB_SQL("SELECT 'mailbox ' || name || ' has uidvalidity ' || uidvalidity || ', not below the next, ' || n.next "
	    "FROM mailbox JOIN next_uidvalidity n ON n.id = 1 WHERE uidvalidity >= n.next"),
	DB_SQL("SELECT 'mailbox ' || name || ' has createseq ' || createseq || ', modseq ' || modseq FROM mailbox "
	    "WHERE createseq <= 0 OR modseq < createseq"),
	DB_SQL("SELECT 'mailbox ' || b.name || ' has modseq ' || b.modseq || ', lower than a message, ' || max(m.modseq) "
	    "FROM mailbox b JOIN message m ON m.mailbox_id = b.id GROUP BY b.id, b.name, b.modseq HAVING max(m.modseq) > b.modseq"),
	DB_SQL("SELECT 'mailbox ' || b.name || ' has modseq ' || b.modseq || ', above the last, ' || s.last_modseq "
	    "FROM mailbox b JOIN sync_state s ON s.id = 1 WHERE b.modseq > s.last_modseq"),
	DB_SQL("SELECT 'mailbox ' || b.name || ' is at top level but has a parent' FROM mailbox b "
	    "WHERE b.expunged = 0 AND b.name NOT LIKE '%/%' AND b.parent_id IS NOT NULL"),
	DB_SQL("SELECT 'mailbox ' || b.name || ' has no parent' FROM mailbox b WHERE b.expunged = 0 AND b.name LIKE '%/%' AND b.parent_id IS NULL"),
	DB_SQL("SELECT 'mailbox ' || b.name || ' has parent ' || p.name FROM mailbox b JOIN mailbox p ON p.id = b.parent_id "
	    "WHERE b.expunged = 0 AND (p.expunged = 1 OR substr(b.name, 1, length(p.name) + 1) <> p.name || '/' "
	    "OR substr(b.name, length(p.name) + 2) LIKE '%/%')"),
	DB_SQL("SELECT 'mailbox ' || name || ' is expunged but has a special use' FROM mailbox "
	    "WHERE expunged = 1 AND use_archive + use_draft + use_junk + use_sent + use_trash > 0"),
	DB_SQL("SELECT 'there is no Inbox' WHERE NOT EXISTS (SELECT 1 FROM mailbox WHERE expunged = 0 AND name = 'Inbox')"),
	DB_SQL("SELECT 'several annotations with key ' || key FROM annotation WHERE expunged = 0 GROUP BY COALESCE(mailbox_id, 0), key HAVING count(*) > 1"),
	DB_SQL("SELECT 'annotation ' || a.id || ' has createseq ' || a.createseq || ', modseq ' || a.modseq FROM annotation a "
	    "LEFT JOIN mailbox b ON b.id = a.mailbox_id WHERE a.createseq <= 0 OR a.modseq < a.createseq OR a.modseq > b.modseq"),
	DB_SQL("SELECT 'annotation ' || a.id || ' has modseq ' || a.modseq || ', above the last, ' || s.last_modseq "
	    "FROM annotation a JOIN sync_state s ON s.id = 1 WHERE a.modseq > s.last_modseq"),
	DB_SQL("SELECT 'annotation ' || a.id || ' is live in an expunged mailbox' FROM annotation a JOIN mailbox b ON b.id = a.mailbox_id "
	    "WHERE a.expunged = 0 AND b.expunged = 1"),
	DB_SQL("SELECT 'annotation ' || id || ' has bad key ' || key FROM annotation "
	    "WHERE (substr(key, 1, 9) <> '/private/' AND substr(key, 1, 8) <> '/shared/') OR key <> lower(key)"),
	DB_SQL("SELECT 'annotation ' || id || CASE expunged WHEN 0 THEN ' has no value' ELSE ' is expunged but has a value' END FROM annotation "
	    "WHERE (expunged = 0) = (value IS NULL)"),
	DB_SQL("SELECT 'message ' || id || ' has createseq ' || createseq || ', modseq ' || modseq FROM message WHERE createseq <= 0 OR modseq < createseq"),
	DB_SQL("SELECT 'message ' || m.id || ' has uid ' || m.uid || ', not below the next, ' || b.uidnext FROM message m "
	    "JOIN mailbox b ON b.id = m.mailbox_id WHERE m.uid >= b.uidnext"),
	DB_SQL("SELECT 'message ' || m.id || ' is live in an expunged mailbox' FROM message m JOIN mailbox b ON b.id = m.mailbox_id "
	    "WHERE m.expunged = 0 AND b.expunged = 1"),
	DB_SQL("SELECT 'message ' || m.id || ' is not below the next id, ' || s.next_message_id FROM message m JOIN sync_state s ON s.id = 1 "
	    "WHERE m.id >= s.next_message_id"),
	DB_SQL("SELECT 'message ' || m.id || ' is live but waits to be erased' FROM message m JOIN message_erase e ON e.id = m.id WHERE m.expunged = 0"),
	DB_SQL("SELECT 'message ' || m.id || ' is erased but live, or waits to be erased' FROM message m LEFT JOIN message_erase e ON e.id = m.id "
	    "WHERE m.erased = 1 AND (m.expunged = 0 OR e.id IS NOT NULL)"),
	DB_SQL("SELECT 'message ' || m.id || ' is expunged and will never be erased' FROM message m LEFT JOIN message_erase e ON e.id = m.id "
	    "WHERE m.expunged = 1 AND m.erased = 0 AND e.id IS NULL"),
	DB_SQL("SELECT 'message ' || m.id || ' has no body row' FROM message m LEFT JOIN message_body b ON b.id = m.id WHERE m.erased = 0 AND b.id IS NULL"),
	DB_SQL("SELECT 'message ' || m.id || ' is erased but has a body row' FROM message m JOIN message_body b ON b.id = m.id WHERE m.erased = 1"),
	DB_SQL("SELECT 'content of message ' || u.id || ' is kept for its file, but it is erased' FROM message_unsynced u "
	    "LEFT JOIN message m ON m.id = u.id WHERE m.id IS NULL OR m.erased = 1"),
	DB_SQL("SELECT 'mailbox ' || b.name || ' counts ' || b.cnt_total || ' messages, ' || b.cnt_deleted || ' deleted, ' || b.cnt_unread || ' unread, ' || "
	    "b.cnt_unseen || ' unseen, ' || b.cnt_size || ' bytes; there are ' || c.total || ', ' || c.deleted || ', ' || c.unread || ', ' || c.unseen || "
	    "', ' || c.size FROM mailbox b JOIN (SELECT x.id, "
	    "COALESCE(sum(CASE WHEN m.flags & 8 = 0 THEN 1 ELSE 0 END), 0) AS total, COALESCE(sum(CASE WHEN m.flags & 8 <> 0 THEN 1 ELSE 0 END), 0) AS deleted, "
	    "COALESCE(sum(CASE WHEN m.flags & 9 = 0 THEN 1 ELSE 0 END), 0) AS unread, COALESCE(sum(CASE WHEN m.flags & 1 = 0 THEN 1 ELSE 0 END), 0) AS unseen, "
	    "COALESCE(sum(m.size), 0) AS size FROM mailbox x LEFT JOIN message m ON m.mailbox_id = x.id AND m.expunged = 0 GROUP BY x.id) c ON c.id = b.id "
	    "WHERE b.cnt_total <> c.total OR b.cnt_deleted <> c.deleted OR b.cnt_unread <> c.unread OR b.cnt_unseen <> c.unseen OR b.cnt_size <> c.size"),
	DB_SQL("SELECT 'message ' || m.id || ' is judged as ' || COALESCE(d.junk, 'nothing') || ' in mailbox ' || d.mailbox_orig_id || ', flags are ' || m.flags "
	    "FROM message m JOIN message_delivery d ON d.id = m.id WHERE COALESCE(d.junk, -1) <> " JUDGEMENT
	    " OR (d.junk IS NOT NULL AND d.mailbox_orig_id <> m.mailbox_orig_id)"),
	DB_SQL("SELECT 'message ' || m.id || ' is judged as ' || COALESCE(k.junk, 'nothing') || ' for ' || k.domain || ', flags are ' || m.flags "
	    "FROM message m JOIN message_dkim k ON k.message_id = m.id WHERE COALESCE(k.junk, -1) <> " JUDGEMENT
	    " OR (k.junk IS NOT NULL AND k.mailbox_orig_id <> m.mailbox_orig_id)"),
	DB_SQL("SELECT 'disk usage is ' || s.message_size || ', messages have ' || u.size FROM sync_state s JOIN (SELECT COALESCE(sum(m.size), 0) AS size "
	    "FROM message m LEFT JOIN message_erase e ON e.id = m.id WHERE m.expunged = 0 OR e.skip_update_disk_usage = 0) u ON 1 = 1 "
	    "WHERE s.message_size <> u.size"),
};

static struct db_sql q_live = DB_SQL(
    "SELECT m.id, m.size, length(b.msg_prefix), m.thread_id, m.thread_parent_ids, m.keywords, c.keywords FROM message m "
    "JOIN mailbox c ON c.id = m.mailbox_id LEFT JOIN message_body b ON b.id = m.id WHERE m.erased = 0 AND m.expunged = 0 ORDER BY m.id");
static struct db_sql q_parents = DB_SQL("SELECT thread_parent_ids FROM message WHERE id = $1 AND expunged = 0");
static struct db_sql q_has_file = DB_SQL("SELECT 1 FROM message WHERE id = $1 AND erased = 0");

struct check {
	struct store_tx *tx;
	struct arena *mem;              /* of the lines */
	struct strlist *out;
	size_t kind;                    /* lines of the kind at hand */
};

static void
report(struct check *c, struct str line)
{
	if (c->kind++ < PROBLEMS_MAX)
		strlist_add(c->mem, c->out, str_dup(c->mem, line));
}

static void
report_junk(void *arg, struct str line)
{
	report(arg, line);
}

/* check_junk: an account that is being removed has no configuration any more. */
static int
check_junk(struct check *c)
{
	struct store_account_config cfg;
	c->kind = 0;
	if (store_config_of(c->tx->acct->store, c->tx->arena, str_of(c->tx->acct->name), &cfg, NULL) < 0)
		return 0;
	return store_junk_check(c->tx, &cfg, report_junk, c);
}

static int
run_queries(struct check *c)
{
	for (size_t i = 0; i < ARRAY_LEN(problems); i++) {
		cleanup_(db_rows_done) struct db_rows rows = db_query(&c->tx->db, &problems[i], DB_NOARGS);
		int got;
		c->kind = 0;
		while ((got = db_next(&rows)) == 1)
			report(c, db_col_view(&rows, 0));
		TRY(got);
	}
	return 0;
}

/* --- messages --- */

static void
check_file(struct check *c, int64_t id, int64_t size, int64_t prefix)
{
	char path[PATH_SIZE];
	struct stat st;
	store_file_path(c->tx->acct, id, path, NULL);
	if (stat(path, &st) < 0)
		report(c, str_fmt(c->tx->arena, "message %lld: %s: %s", (long long)id, path, err_strerror(errno)));
	else if (size != prefix + st.st_size)
		report(c, str_fmt(c->tx->arena, "message %lld has size %lld, but prefix %lld and file %lld", (long long)id, (long long)size, (long long)prefix,
		    (long long)st.st_size));
}

/* check_parents: the nearest ancestor that is live must have the rest of the list as its own. */
static int
check_parents(struct check *c, int64_t id, struct str parents)
{
	struct str rest = parents;
	while (rest.n) {
		int64_t parent;
		if (str_i64(str_split(&rest, ' '), &parent) < 0 || parent == id) {
			report(c, str_fmt(c->tx->arena, "message %lld has bad thread parents " STRF, (long long)id, STRA(parents)));
			return 0;
		}
		cleanup_(db_rows_done) struct db_rows rows = db_query(&c->tx->db, &q_parents, DB_ARGS(db_int(parent)));
		int got = db_next(&rows);
		if (got < 0)
			return got;
		if (!got)
			continue;
		if (!str_is(db_col_view(&rows, 0), rest))
			report(c, str_fmt(c->tx->arena, "message %lld has thread parents " STRF ", which do not follow from those of %lld", (long long)id,
			    STRA(parents), (long long)parent));
		return 0;
	}
	return 0;
}

static int
check_messages(struct check *c)
{
	cleanup_(db_rows_done) struct db_rows rows = db_query(&c->tx->db, &q_live, DB_NOARGS);
	int got;
	c->kind = 0;
	while ((got = db_next(&rows)) == 1) {
		ARENA_SCOPE(c->tx->arena);
		int64_t id = db_col_int(&rows, 0);
		struct str own = db_col_str(c->tx->arena, &rows, 5), all = db_col_str(c->tx->arena, &rows, 6);
		check_file(c, id, db_col_int(&rows, 1), db_col_int(&rows, 2));
		if (db_col_int(&rows, 3) <= 0)
			report(c, str_fmt(c->tx->arena, "message %lld has no thread", (long long)id));
		TRY(check_parents(c, id, db_col_str(c->tx->arena, &rows, 4)));
		if (store_keywords_union(c->tx->arena, all, own).n != all.n)
			report(c, str_fmt(c->tx->arena, "message %lld has keywords that its mailbox lacks: " STRF, (long long)id, STRA(own)));
	}
	return got;
}

/* --- files --- */

static int
check_name(struct check *c, const char *dir, const char *name, int64_t floor)
{
	struct arena *a = c->tx->arena;
	int64_t id, one;
	struct str rel = str_fmt(a, "%s/%s", dir, name);
	if (str_i64(str_of(name), &id) < 0 || !str_is(blob_path(a, id), rel)) {
		report(c, str_fmt(a, "file msg/" STRF " is no message file", STRA(rel)));
		return 0;
	}
	if (id >= floor)                /* may be on its way into the database */
		return 0;
	int got = db_int1(&c->tx->db, &q_has_file, DB_ARGS(db_int(id)), &one);
	if (got == 0)
		report(c, str_fmt(a, "file msg/" STRF " belongs to no message", STRA(rel)));
	return got < 0 ? got : 0;
}

static int
check_directory(struct check *c, const char *dir, int64_t floor)
{
	char path[PATH_SIZE];
	snprintf(path, sizeof(path), "%s/%s", c->tx->acct->msg_dir, dir);
	DIR *d = opendir(path);
	int err = 0;
	if (!d) {
		report(c, str_fmt(c->tx->arena, "%s: %s", path, err_strerror(errno)));
		return 0;
	}
	struct dirent *de;
	while (err == 0 && (de = readdir(d))) {
		ARENA_SCOPE(c->tx->arena);
		if (strcmp(de->d_name, ".") != 0 && strcmp(de->d_name, "..") != 0)
			err = check_name(c, dir, de->d_name, floor);
	}
	closedir(d);
	return err;
}

static int
check_files(struct check *c)
{
	struct store_account *a = c->tx->acct;
	struct sync_state s = { 0 };
	store_file_floor(a, &s);
	c->kind = 0;
	DIR *d = opendir(a->msg_dir);
	int err = 0;
	if (!d) {
		report(c, str_fmt(c->tx->arena, "%s: %s", a->msg_dir, err_strerror(errno)));
		return 0;
	}
	struct dirent *de;
	while (err == 0 && (de = readdir(d)))
		if (strcmp(de->d_name, ".") != 0 && strcmp(de->d_name, "..") != 0)
			err = check_directory(c, de->d_name, s.file_floor);
	closedir(d);
	return err;
}

int
store_check(struct store_account *a, struct arena *mem, struct strlist *r_problems)
{
	cleanup_(store_tx_rollback) struct store_tx tx = { 0 };
	TRY(store_tx_begin(a, false, &tx, NULL));
	size_t before = r_problems->n;
	struct check c = { .tx = &tx, .mem = mem, .out = r_problems };
	TRY(run_queries(&c));
	TRY(check_messages(&c));
	TRY(check_files(&c));
	TRY(check_junk(&c));
	return r_problems->n > before ? ERR_CORRUPT : 0;
}
