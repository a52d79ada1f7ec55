/* SPDX-License-Identifier: MIT */
/*
 * Disk full and I/O errors at every single write, sync, link and creation of a file; kills at any moment; power cuts. Whatever happens: what was acknowledged is
 * there exactly once with its content, what was refused is not there (after a crash it may be: once, and whole), and the check finds nothing.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/limits.h"
#include "base/randutil.h"
#include "store/store_test.h"
#include "testutil/testutil.h"

/* --- faults of message files --- */

enum fault { FAULT_PWRITE, FAULT_FSYNC, FAULT_SYNCFS, FAULT_ANY_SYNC, FAULT_LINK, FAULT_DB_WRITE, FAULT_DB_SYNC, FAULT_DB_OPEN, FAULTS };

static struct {
	atomic_int left;                /* operations of the kind before the failing one; < 0 off */
	enum fault kind;
	bool sticky;
	int errnum;
	atomic_uint hits;
} file_fault = { .left = -1 };

static bool
strikes(enum fault kind)
{
	if (kind != file_fault.kind)
		return false;
	int left = atomic_load(&file_fault.left);
	if (left < 0)
		return false;
	if (left > 0) {
		atomic_fetch_sub(&file_fault.left, 1);
		return false;
	}
	if (!file_fault.sticky)
		atomic_store(&file_fault.left, -1);
	atomic_fetch_add(&file_fault.hits, 1);
	errno = file_fault.errnum;
	return true;
}

/*
 * What a power cut would take: files written to and not synced since, by the low bits of their inode number (there are no more inodes on disks of tests). A sync
 * that fails loses them: the kernel may drop the data, and a later sync succeeds all the same. Shared with children.
 */
enum { ON_DISK, IN_MEMORY, LOST };
#define INODES (1 << 24)
static struct disk {
	atomic_uint lowest, highest;    /* inodes written to */
	atomic_uchar state[INODES];
} *disk;

static atomic_uchar *
state_of(int fd)
{
	struct stat st;
	assert_int_equal(fstat(fd, &st), 0);
	return &disk->state[st.st_ino % INODES];
}

static void
written(int fd)
{
	atomic_uchar *state = state_of(fd);
	unsigned ino = (unsigned)(state - disk->state), was;
	atomic_store(state, IN_MEMORY);
	for (was = atomic_load(&disk->lowest); ino < was && !atomic_compare_exchange_weak(&disk->lowest, &was, ino);)
		;
	for (was = atomic_load(&disk->highest); ino > was && !atomic_compare_exchange_weak(&disk->highest, &was, ino);)
		;
}

static void
all_synced(unsigned char in_memory_becomes)
{
	for (unsigned i = atomic_load(&disk->lowest); i <= atomic_load(&disk->highest); i++) {
		unsigned char in_memory = IN_MEMORY;
		if (atomic_load(&disk->state[i]) == IN_MEMORY)
			atomic_compare_exchange_strong(&disk->state[i], &in_memory, in_memory_becomes);
	}
}

/* cut_power damages the files of an account that are not on disk, each in one of the ways that are seen after a power cut. */
static void
cut_power(const char *account)
{
	char path[PATH_SIZE];
	int n = 0;
	snprintf(path, sizeof(path), "%s/accounts/%s/msg", test_dir(), account);
	DIR *top = opendir(path);
	if (!top)
		return;
	struct dirent *de, *fe;
	while ((de = readdir(top))) {
		if (de->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "%s/accounts/%s/msg/%s", test_dir(), account, de->d_name);
		DIR *sub = opendir(path);
		assert_non_null(sub);
		while ((fe = readdir(sub))) {
			struct stat st;
			if (fstatat(dirfd(sub), fe->d_name, &st, 0) < 0 || !S_ISREG(st.st_mode) || atomic_load(&disk->state[st.st_ino % INODES]) == ON_DISK)
				continue;
			cleanup_(fd_close) int fd = openat(dirfd(sub), fe->d_name, O_WRONLY);
			switch (n++ % 5) {
			case 0:
				assert_int_equal(unlinkat(dirfd(sub), fe->d_name, 0), 0);
				break;
			case 1:
				assert_int_equal(ftruncate(fd, 0), 0);
				break;
			case 2:
				assert_int_equal(ftruncate(fd, st.st_size / 2), 0);
				break;
			case 3:
				assert_int_equal(ftruncate(fd, 0) + ftruncate(fd, st.st_size + 100), 0);        /* zeros, and too many */
				break;
			default:
				assert_true(pwrite(fd, "other", 5, st.st_size / 3) == 5);
				break;
			}
		}
		closedir(sub);
	}
	closedir(top);
}

static ssize_t
faulty_pwrite(int fd, const void *p, size_t n, off_t off)
{
	written(fd);
	if (strikes(FAULT_PWRITE)) {
		int en = errno;
		ignore_result(pwrite(fd, p, n / 2, off) < 0);   /* torn */
		errno = en;
		return -1;
	}
	return pwrite(fd, p, n, off);
}

/* Syncs are left out: a process that ends leaves the same, and power cuts are played. */
static int
faulty_fsync(int fd)
{
	bool fails = strikes(FAULT_FSYNC) || strikes(FAULT_ANY_SYNC);
	unsigned char in_memory = IN_MEMORY;
	int en = errno;
	atomic_compare_exchange_strong(state_of(fd), &in_memory, fails ? LOST : ON_DISK);
	errno = en;
	return fails ? -1 : 0;
}

static int
faulty_syncfs(int fd unused_)
{
	bool fails = strikes(FAULT_SYNCFS) || strikes(FAULT_ANY_SYNC);
	all_synced(fails ? LOST : ON_DISK);
	return fails ? -1 : 0;
}

static int
faulty_link(const char *from, const char *to)
{
	return strikes(FAULT_LINK) ? -1 : link(from, to);
}

static int
faulty_linkat(int fromdir, const char *from, int todir, const char *to, int flags)
{
	return strikes(FAULT_LINK) ? -1 : linkat(fromdir, from, todir, to, flags);
}

static const struct fd_ops faulty_ops = {
	.pwrite = faulty_pwrite, .fsync = faulty_fsync, .fdatasync = faulty_fsync, .syncfs = faulty_syncfs, .rename = rename, .link = faulty_link, .linkat = faulty_linkat,
};

static void
set_fault(enum fault kind, int after, int errnum, bool sticky)
{
	static const enum db_fault of[FAULTS] = { [FAULT_DB_WRITE] = DB_FAULT_WRITE, [FAULT_DB_SYNC] = DB_FAULT_SYNC, [FAULT_DB_OPEN] = DB_FAULT_OPEN };
	if (kind >= FAULT_DB_WRITE) {
		db_fault_set(of[kind], after, errnum, sticky);
		return;
	}
	file_fault.kind = kind;
	file_fault.errnum = errnum;
	file_fault.sticky = sticky;
	atomic_store(&file_fault.hits, 0);
	atomic_store(&file_fault.left, after);
}

static unsigned
hits_of(enum fault kind)
{
	return kind >= FAULT_DB_WRITE ? db_fault_hits() : atomic_load(&file_fault.hits);
}

/* --- what should be there --- */

enum { BOXES = 3, MESSAGES = 10 };
static const char *const boxes[BOXES] = { "Inbox", "Archive", "New/Box" };

enum cell { ABSENT, PRESENT, MAYBE };

struct model {
	enum cell cell[BOXES][MESSAGES];
	bool crash;                     /* a refused change may come back */
};

/* result notes the outcome of a change of one cell. */
static void
result(struct model *m, int box, int message, enum cell want, int err)
{
	if (err >= 0)
		m->cell[box][message] = want;
	else if (m->crash)
		m->cell[box][message] = MAYBE;
}

/* verify_content: the file is whole, see blob_of. */
static void
verify_content(struct store_account *a, int64_t id, uint32_t number)
{
	ARENA_SCOPE(test_arena());
	struct str got = test_content(a, id), line = str_fmt(test_arena(), "%61u\r\n", number), head;
	head = str_fmt(test_arena(), "Message-ID: <%u@test>\r\nSubject: number %u\r\n\r\n", number, number);
	assert_true(str_starts(got, head));
	for (got = str_from(got, head.n); got.n; got = str_from(got, MIN(got.n, (size_t)64)))
		assert_true(memcmp(got.p, line.p, MIN(got.n, line.n)) == 0);
}

/* verify compares all mailboxes with the model: Message-IDs are <number@test>. */
static void
verify(struct store_account *a, const struct model *m)
{
	for (int box = 0; box < BOXES; box++) {
		int count[MESSAGES] = { 0 };
		cleanup_(store_tx_rollback) struct store_tx tx = { 0 };
		struct store_mailbox mb;
		assert_ok(store_read(a, &tx));
		int found = store_mailbox_find(&tx, str_of(boxes[box]), &mb);
		assert_true(found >= 0);
		struct store_scan s = { .tx = &tx, .mailbox_id = found ? mb.id : -1, .live_only = true };
		struct store_message msg;
		int got;
		while ((got = store_scan_next(&s, tx.arena, &msg, NULL)) == 1) {
			struct str id = msg.message_id;
			uint32_t number = MESSAGES;
			assert_ok(str_u32(str_split(&id, '@'), &number));
			assert_true(number < MESSAGES);
			count[number]++;
			verify_content(a, msg.id, number);
		}
		store_scan_done(&s);
		assert_ok(got);
		for (int i = 0; i < MESSAGES; i++) {
			if (m->cell[box][i] != MAYBE ? count[i] != (int)m->cell[box][i] : count[i] > 1)
				fail_msg("message %d is %d times in %s, expected %d", i, count[i], boxes[box], m->cell[box][i]);
		}
	}
	struct strlist problems = { 0 };
	if (store_check(a, test_arena(), &problems) < 0)
		fail_msg("%s", strlist_join(test_arena(), &problems, S("; ")).p);
}

/* --- the work --- */

static int
blob_of(struct store *s, int number, size_t size, struct blob **r_b)
{
	char head[200];
	snprintf(head, sizeof(head), "Message-ID: <%d@test>\r\nSubject: number %d\r\n\r\n", number, number);
	TRY(blob_new(store_tmp_dir(s), r_b));
	TRY(blob_write(*r_b, str_of(head)));
	char body[LIMIT_SPOOL_MEMORY];   /* lines, written in few pieces: each is a position to fail at */
	for (size_t i = 0; i < sizeof(body); i += 64)
		snprintf(body + i, 64, "%61d\r\n", number);
	for (size_t left = size; left > 0; left -= MIN(left, sizeof(body)))
		TRY(blob_write(*r_b, str_n(body, MIN(left, sizeof(body)))));
	return 0;
}

static int
deliver(struct store_account *a, const char *box, int number, size_t size)
{
	cleanup_(blob_free) struct blob *b = NULL;
	struct store_added added;
	TRY(blob_of(a->store, number, size, &b));
	return store_deliver(a, str_of(box), &(struct store_add){ .blob = b }, &added, NULL);
}

/* append adds two messages in one transaction, as MULTIAPPEND does. */
static int
append(struct store_account *a, int number)
{
	cleanup_(blob_free) struct blob *b1 = NULL;
	cleanup_(blob_free) struct blob *b2 = NULL;
	TRY(blob_of(a->store, number, 10, &b1));
	TRY(blob_of(a->store, number + 1, 10, &b2));
	struct store_add add = { .blob = b1, .flags = STORE_SEEN };
	cleanup_(store_prepared_free) struct store_prepared *p = NULL;
	TRY(store_prepare(a, &add, &p, NULL));
	add.prepared = p;
	cleanup_(store_tx_rollback) struct store_tx tx = { 0 };
	struct store_mailbox mb;
	struct store_added added;
	TRY(store_write(a, &tx));
	TRY(store_mailbox_ensure(&tx, S("Inbox"), &mb));
	TRY(store_add_message(&tx, &mb, &add, &added, NULL));
	TRY(store_add_message(&tx, &mb, &(struct store_add){ .blob = b2 }, &added, NULL));
	return store_tx_commit(&tx, NULL);
}

static int
by_number(struct store_tx *tx, const struct store_mailbox *mb, int number, struct store_message *r_m)
{
	struct str want = str_fmt(tx->arena, "%d@test", number);
	cleanup_(store_scan_done) struct store_scan s = { .tx = tx, .mailbox_id = mb->id, .live_only = true };
	int got;
	while ((got = store_scan_next(&s, tx->arena, r_m, NULL)) == 1)
		if (str_is(r_m->message_id, want))
			return 0;
	return got < 0 ? got : ERR_NOTFOUND;
}

enum change { COPY, MOVE, FLAG, EXPUNGE };

static int
change(struct store_account *a, enum change what, int number)
{
	cleanup_(store_tx_rollback) struct store_tx tx = { 0 };
	struct store_mailbox src, dst;
	struct store_message m;
	uint32_t *uids;
	TRY(store_write(a, &tx));
	TRY(store_mailbox_ensure(&tx, S("Inbox"), &src));
	TRY(store_mailbox_ensure(&tx, S("Archive"), &dst));
	TRY(by_number(&tx, &src, number, &m));
	if (what == COPY)
		TRY(store_copy(&tx, &src, &dst, &m, 1, &uids));
	else if (what == MOVE)
		TRY(store_move(&tx, &src, &dst, &m, 1, &uids));
	else if (what == FLAG)
		TRY(store_message_flags(&tx, &src, &m, STORE_FLAG_ADD, STORE_SEEN | STORE_DELETED, S("kw")));
	else
		TRY(store_expunge(&tx, &src, &m, 1));
	return store_tx_commit(&tx, NULL);
}

static void
work(struct store_account *a, struct model *m)
{
	int err;
	for (int i = 0; i < 3; i++)
		result(m, 0, i, PRESENT, deliver(a, "Inbox", i, 1000));
	result(m, 0, 3, PRESENT, deliver(a, "Inbox", 3, 2 * LIMIT_SPOOL_MEMORY));
	err = append(a, 4);
	result(m, 0, 4, PRESENT, err);
	result(m, 0, 5, PRESENT, err);
	result(m, 1, 0, PRESENT, change(a, COPY, 0));
	store_syncer_settle(a->store);
	err = change(a, MOVE, 1);
	result(m, 0, 1, ABSENT, err == ERR_NOTFOUND ? 0 : err);
	if (err != ERR_NOTFOUND)
		result(m, 1, 1, PRESENT, err);
	{
		LOCKED(&a->lock);
		if (a->writer)
			ignore_result(db_checkpoint(a->writer));
	}
	err = change(a, FLAG, 2);
	err = change(a, EXPUNGE, 3);
	if (err != ERR_NOTFOUND)
		result(m, 0, 3, ABSENT, err);
	result(m, 2, 6, PRESENT, deliver(a, "New/Box", 6, 500));
	store_syncer_settle(a->store);
	result(m, 1, 2, PRESENT, change(a, COPY, 2));
	result(m, 0, 7, PRESENT, deliver(a, "Inbox", 7, 500));
}

static void
begin_faults(void)
{
	ignore_result(test_dir() == NULL);      /* before any fork */
	disk = mmap(NULL, sizeof(*disk), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	assert_true(disk != MAP_FAILED);
	atomic_store(&disk->lowest, INODES - 1);
	blob_set_shift(1);              /* a new directory every second message */
	db_fault_install();
	db_fault_nosync(true);
	fd_ops_set(&faulty_ops);
}

static void
end_faults(void)
{
	for (int k = 0; k < FAULTS; k++)
		set_fault((enum fault)k, -1, 0, false);
	db_fault_nosync(false);
	fd_ops_set(NULL);
	munmap(disk, sizeof(*disk));
	blob_set_shift(13);
}

/* What the store says of background work that failed comes only sometimes: do not listen. */
static void
mute_store(void)
{
	log_set_package(S("store"), LOG_FATAL);
}

/* SQLite writes hundreds of times: a part of the positions is tried, all with MOX_TEST_ALL set (2,500 positions in all). */
static int
stride(enum fault kind)
{
#ifdef __SANITIZE_THREAD__
	return 40;                      /* one thread does all: little to learn */
#endif
	return kind == FAULT_DB_WRITE && !getenv("MOX_TEST_ALL") ? 23 : 1;
}

static const struct { enum fault kind; int errnum; bool sticky; } cases[] = {
	{ FAULT_PWRITE, ENOSPC, false }, { FAULT_PWRITE, EIO, false }, { FAULT_FSYNC, EIO, false }, { FAULT_LINK, ENOSPC, false }, { FAULT_LINK, EMLINK, false },
	{ FAULT_DB_WRITE, ENOSPC, false }, { FAULT_DB_WRITE, ENOSPC, true }, { FAULT_DB_WRITE, EIO, false }, { FAULT_DB_SYNC, EIO, false },
	{ FAULT_SYNCFS, EIO, false }, { FAULT_SYNCFS, EIO, true }, { FAULT_ANY_SYNC, EIO, false }, { FAULT_ANY_SYNC, EIO, true },
	{ FAULT_DB_SYNC, EIO, true }, { FAULT_DB_OPEN, EIO, false }, { FAULT_FSYNC, EIO, true }, { FAULT_PWRITE, ENOSPC, true },
};

/* One position: the fault strikes, the disk recovers, service goes on; then everything is closed and opened again. False: the fault was beyond the end. */
static bool
try_resume(size_t c, int after, int number)
{
	char name[32];
	struct model m = { 0 };
	struct store_account *a = NULL;
	snprintf(name, sizeof(name), "r%d", number);
	test_row("case %zu after %d", c, after);
	test_store();
	set_fault(cases[c].kind, after, cases[c].errnum, cases[c].sticky);
	int err = store_account_open(test_store(), str_of(name), false, &a, NULL);
	if (err == 0)
		work(a, &m);
	unsigned hits = hits_of(cases[c].kind);
	store_settle(test_store());
	set_fault(cases[c].kind, -1, 0, false);
	if (!a)
		a = test_account(name);
	verify(a, &m);
	result(&m, 0, 8, PRESENT, deliver(a, "Inbox", 8, 100));
	assert_int_equal(m.cell[0][8], PRESENT);
	verify(a, &m);
	store_account_close(&a);
	test_store_again();
	a = test_account(name);
	verify(a, &m);
	store_account_close(&a);
	return hits > 0;
}

TEST(every_failure_leaves_what_was_acknowledged)
{
	int number = 0;
	begin_faults();
	mute_store();
	for (size_t c = 0; c < ARRAY_LEN(cases); c++)
		for (int after = (int)c % stride(cases[c].kind); try_resume(c, after, number++); after += stride(cases[c].kind))
			;
	print_message("%d positions tried\n", number);
	test_store_close();
	end_faults();
	log_unset_package(S("store"));
}

/* --- crashes --- */

struct shared {
	struct model model;
	size_t c;
	int after;
	char name[32];
	atomic_bool hit;
};

/* crash_child works with a fault and ends without closing anything. */
static void
crash_child(void *arg)
{
	struct shared *s = arg;
	struct store_account *a = NULL;
	test_store();
	set_fault(cases[s->c].kind, s->after, cases[s->c].errnum, cases[s->c].sticky);
	if (store_account_open(test_store(), str_of(s->name), false, &a, NULL) == 0)
		work(a, &s->model);
	atomic_store(&s->hit, hits_of(cases[s->c].kind) > 0);
	_exit(0);
}

TEST(a_crash_after_any_failure_leaves_what_was_acknowledged)
{
	int number = 0;
	begin_faults();
	mute_store();
	struct shared *s = mmap(NULL, sizeof(*s), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	assert_true(s != MAP_FAILED);
	for (size_t c = 0; c < ARRAY_LEN(cases); c++)
		for (int after = (int)c % stride(cases[c].kind);; after += stride(cases[c].kind)) {
			*s = (struct shared){ .c = c, .after = after, .model.crash = true };
			snprintf(s->name, sizeof(s->name), "c%d", number++);
			test_row("case %zu after %d", c, after);
			assert_int_equal(test_child(crash_child, s, NULL), 0);
			if (number % 4 != 0)    /* else it is only the process that died */
				cut_power(s->name);
			struct store_account *a = test_account(s->name);
			verify(a, &s->model);
			result(&s->model, 0, 8, PRESENT, deliver(a, "Inbox", 8, 100));
			verify(a, &s->model);
			store_account_close(&a);
			test_store_close();
			if (!atomic_load(&s->hit))
				break;
		}
	munmap(s, sizeof(*s));
	print_message("%d positions tried\n", number);
	end_faults();
	log_unset_package(S("store"));
}

/* --- kill -9 --- */

enum { KILL_THREADS = 6, KILL_ACCOUNTS = 2, KILL_PER_THREAD = 400 };

struct acks {
	atomic_uchar acked[KILL_THREADS][KILL_PER_THREAD];      /* 1 delivered, 2 also moved to Archive, 3 also expunged */
	int pipe[2];
};

struct killer {
	struct acks *acks;
	int thread;
};

static void *
deliver_until_killed(void *arg)
{
	struct killer *k = arg;
	char name[16];
	struct store_account *a = NULL;
	snprintf(name, sizeof(name), "k%d", k->thread % KILL_ACCOUNTS);
	if (store_account_open(test_store(), str_of(name), false, &a, NULL) < 0)
		_exit(20);
	for (int i = 0; i < KILL_PER_THREAD; i++) {
		int number = k->thread * KILL_PER_THREAD + i;
		if (deliver(a, "Inbox", number, 3000) < 0)
			_exit(21);
		atomic_store(&k->acks->acked[k->thread][i], 1);
		if (i % 4 == 1) {
			if (change(a, MOVE, number) < 0)
				_exit(22);
			atomic_store(&k->acks->acked[k->thread][i], 2);
		} else if (i % 4 == 2) {
			if (change(a, EXPUNGE, number) < 0)
				_exit(23);
			atomic_store(&k->acks->acked[k->thread][i], 3);
		}
		if (write(k->acks->pipe[1], "x", 1) != 1)
			_exit(24);
		if (i % 64 == 63)
			store_syncer_ask(a->store);
	}
	return NULL;
}

static void
kill_child(struct acks *acks)
{
	pthread_t t[KILL_THREADS];
	struct killer k[KILL_THREADS];
	test_store();
	for (int i = 0; i < KILL_THREADS; i++) {
		k[i] = (struct killer){ acks, i };
		if (pthread_create(&t[i], NULL, deliver_until_killed, &k[i]) != 0)
			_exit(25);
	}
	for (int i = 0; i < KILL_THREADS; i++)
		pthread_join(t[i], NULL);
	for (;;)
		pause();
}

/* places counts a message in Inbox and Archive of its account. */
static void
verify_killed(const struct acks *acks)
{
	static unsigned char inbox[KILL_THREADS * KILL_PER_THREAD], archive[KILL_THREADS * KILL_PER_THREAD];
	memset(inbox, 0, sizeof(inbox));
	memset(archive, 0, sizeof(archive));
	for (int acct = 0; acct < KILL_ACCOUNTS; acct++) {
		char name[16];
		snprintf(name, sizeof(name), "k%d", acct);
		struct store_account *a = test_account(name);
		for (int box = 0; box < 2; box++) {
			struct store_mailbox mb = test_mailbox(a, boxes[box]);
			cleanup_(store_tx_rollback) struct store_tx tx = { 0 };
			assert_ok(store_read(a, &tx));
			struct store_scan s = { .tx = &tx, .mailbox_id = mb.id, .live_only = true };
			struct store_message m;
			int got;
			while ((got = store_scan_next(&s, tx.arena, &m, NULL)) == 1) {
				uint32_t number = UINT32_MAX;
				struct str id = m.message_id;
				assert_ok(str_u32(str_split(&id, '@'), &number));
				assert_true(number < ARRAY_LEN(inbox));
				(box ? archive : inbox)[number]++;
				verify_content(a, m.id, number);
			}
			store_scan_done(&s);
			assert_ok(got);
		}
		store_account_close(&a);
	}
	for (int t = 0; t < KILL_THREADS; t++)
		for (int i = 0; i < KILL_PER_THREAD; i++) {
			int n = t * KILL_PER_THREAD + i, both = inbox[n] + archive[n];
			test_row("thread %d message %d", t, i);
			switch (atomic_load(&acks->acked[t][i])) {
			case 0:         /* not acknowledged: at most once, and never moved or expunged before it is delivered */
				assert_true(both <= 1);
				break;
			case 1:         /* the following change may have been under way */
				assert_true(i % 4 == 2 ? both <= 1 : i % 4 == 1 ? both == 1 : inbox[n] == 1 && both == 1);
				break;
			case 2:
				assert_true(archive[n] == 1 && inbox[n] == 0);
				break;
			default:
				assert_true(both == 0);
				break;
			}
		}
}

TEST(kill_at_any_moment)
{
	begin_faults();
	blob_set_shift(6);
	struct acks *acks = mmap(NULL, sizeof(*acks), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	assert_true(acks != MAP_FAILED);
	for (int round = 0; round < 12; round++) {
		char path[PATH_SIZE];
		memset(acks, 0, sizeof(*acks));
		assert_int_equal(pipe(acks->pipe), 0);
		fflush(NULL);
		pid_t pid = fork();
		if (pid == 0)
			kill_child(acks);
		assert_true(pid > 0);
		/* Kill after a random number of acknowledgements, wherever the threads are then. */
		for (uint64_t left = 1 + rand_below(KILL_THREADS * KILL_PER_THREAD / 3); left > 0; left--) {
			char c;
			assert_int_equal(read(acks->pipe[0], &c, 1), 1);
		}
		int status;
		kill(pid, SIGKILL);
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_true(WIFSIGNALED(status));
		close(acks->pipe[0]);
		close(acks->pipe[1]);
		for (int acct = 0; acct < KILL_ACCOUNTS && round % 4 != 0; acct++) {
			snprintf(path, sizeof(path), "k%d", acct);
			cut_power(path);
		}
		verify_killed(acks);
		test_store_close();
		for (int acct = 0; acct < KILL_ACCOUNTS; acct++) {
			snprintf(path, sizeof(path), "%s/accounts/k%d", test_dir(), acct);
			assert_ok(fd_remove_tree(path, NULL));
		}
	}
	munmap(acks, sizeof(*acks));
	end_faults();
}
