/* SPDX-License-Identifier: MIT */
/*
 * How well the filter tells junk from mail: the SpamAssassin corpus (tools/fetch-spamassassin), trained on a random tenth and tested on the rest, for
 * five fixed seeds, beside bogofilter from Debian on the same splits where that is installed.
 *
 *	make bench-junk, or build/release/bench/junk [-bogofilter] [-top n] [-ignore f] [-rare n] [-power f] [-twograms] [-errors]
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/hash.h"
#include "base/mem.h"
#include "base/timeutil.h"
#include "junk/junk.h"

#define CORPUS "build/spam-assassin"
#define SEEDS 5
#define MESSAGES_MAX 20000

enum group { EASY, HARD, JUNK, GROUPS };
static const char *const group_names[GROUPS] = { "easy ham", "hard ham", "junk" };

struct item {
	enum group group;
	char *path;
	struct junk_words w;
};
static struct item items[MESSAGES_MAX];
static int nitems;
static struct arena memory = { .block_size = 1 << 20 };

static struct str
read_all(const char *path)
{
	cleanup_(fd_close) int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct buf b = BUF_ARENA(&memory, 64 << 20);
	ssize_t n = 1;
	while (fd >= 0 && n > 0 && buf_reserve(&b, 65536)) {
		n = read(fd, buf_tail(&b), 65536);
		if (n > 0)
			buf_wrote(&b, (size_t)n);
	}
	return buf_str(&b);
}

static void
load(const struct junk_params *p)
{
	DIR *d = opendir(CORPUS);
	struct dirent *de;
	if (!d) {
		fprintf(stderr, CORPUS ": %s; run tools/fetch-spamassassin\n", err_strerror(errno));
		exit(1);
	}
	struct strlist names = { 0 };
	while ((de = readdir(d)))
		if (de->d_name[0] != '.')
			strlist_add(&memory, &names, str_of(arena_strdup(&memory, de->d_name)));
	closedir(d);
	strlist_sort(&names);
	for (size_t i = 0; i < names.n && nitems < MESSAGES_MAX; i++) {
		struct item *it = &items[nitems++];
		struct message m;
		it->group = str_starts(names.v[i], S("spam")) ? JUNK : str_starts(names.v[i], S("hard")) ? HARD : EASY;
		it->path = str_z(&memory, str_cat(&memory, S(CORPUS "/"), names.v[i]));
		struct str text = read_all(it->path);
		if (str_starts(text, S("From ")))       /* of an mbox */
			str_split(&text, '\n');
		struct message_source src = message_source_mem(text);
		if (message_parse(&memory, &src, 0, &m, NULL) < 0 || junk_words_of(&memory, p, &m, &src, &it->w) < 0)
			bug("%s", it->path);
	}
}

/* A generator of its own, so that the splits are the same everywhere. */
static uint64_t
next_random(uint64_t *state)
{
	uint64_t z = *state += 0x9e3779b97f4a7c15;
	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
	z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
	return z ^ (z >> 31);
}

static void
shuffle(int *v, int n, uint64_t seed)
{
	for (int i = 0; i < n; i++)
		v[i] = i;
	for (int i = n - 1; i > 0; i--) {
		int j = (int)(next_random(&seed) % (uint64_t)(i + 1)), x = v[i];
		v[i] = v[j];
		v[j] = x;
	}
}

struct tally {
	int n[GROUPS], junk[GROUPS];
};

static void
show(const char *what, const struct tally *t)
{
	printf("%-12s recall %6.2f %%   false positives %6.3f %% (%d of %d)   of hard ham %5.1f %% (%d of %d)\n", what, 100.0 * t->junk[JUNK] / t->n[JUNK],
	    100.0 * t->junk[EASY] / t->n[EASY], t->junk[EASY], t->n[EASY], 100.0 * t->junk[HARD] / t->n[HARD], t->junk[HARD], t->n[HARD]);
}

static void
add(struct tally *sum, const struct tally *t)
{
	for (int g = 0; g < GROUPS; g++) {
		sum->n[g] += t->n[g];
		sum->junk[g] += t->junk[g];
	}
}

/* --- this filter --- */

static struct tally
run_ours(const struct junk_params *p, const int *order, int ntrain, bool errors)
{
	struct map words = { 0 };
	struct arena a = { .block_size = 1 << 20 };
	struct junk_counts total = { 0 };
	struct tally t = { 0 };
	for (int i = 0; i < ntrain; i++) {
		const struct item *it = &items[order[i]];
		*(it->group == JUNK ? &total.junk : &total.ham) += 1;
		for (size_t k = 0; k < it->w.n; k++) {
			struct junk_counts *c = map_get(&words, it->w.v[k]);
			if (!c)
				map_set(&words, it->w.v[k], c = ARENA_NEW(&a, struct junk_counts));
			*(it->group == JUNK ? &c->junk : &c->ham) += 1;
		}
	}
	for (int i = ntrain; i < nitems; i++) {
		ARENA_SCOPE(&a);
		const struct item *it = &items[order[i]];
		struct junk_counts *counts = ARENA_NEWN(&a, it->w.n, struct junk_counts), *c;
		struct junk_result r;
		for (size_t k = 0; k < it->w.n; k++)
			if ((c = map_get(&words, it->w.v[k])))
				counts[k] = *c;
		junk_classify(&a, p, total, &it->w, counts, &r);
		bool junk = r.probability > JUNK_DEFAULT_THRESHOLD;
		t.n[it->group]++;
		t.junk[it->group] += junk;
		if (!errors || junk == (it->group == JUNK) || it->group == HARD)
			continue;
		printf("%s %s p %.4f\n", group_names[it->group], it->path, r.probability);
		for (size_t k = 0; k < MIN(r.nham, (size_t)15); k++)
			printf("\tham  %.3f " STRF "\n", r.ham[k].score, STRA(r.ham[k].word));
		for (size_t k = 0; k < MIN(r.njunk, (size_t)15); k++)
			printf("\tjunk %.3f " STRF "\n", r.junk[k].score, STRA(r.junk[k].word));
	}
	map_done(&words);
	arena_done(&a);
	return t;
}

/* --- bogofilter --- */

/* bogofilter runs the program with these arguments before the files of a group (GROUPS: all) in a range; its output goes to the file `out`. */
static bool
bogofilter(const char *dir, const char *mode, const int *order, int from, int to, int group, const char *out)
{
	struct arena a = { 0 };
	char **argv = ARENA_NEWN(&a, (size_t)(to - from) + 8, char *);
	int n = 0, status = -1;
	pid_t pid;
	const char *const first[] = { "bogofilter", "-C", "-d", dir, mode, "-B" };
	for (size_t i = 0; i < ARRAY_LEN(first); i++)
		argv[n++] = arena_strdup(&a, first[i]);
	for (int i = from; i < to; i++)
		if (group == GROUPS || (items[order[i]].group == JUNK) == (group == JUNK))
			argv[n++] = items[order[i]].path;
	posix_spawn_file_actions_t fa;
	posix_spawn_file_actions_init(&fa);
	posix_spawn_file_actions_addopen(&fa, 1, out, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	bool ok = posix_spawnp(&pid, "bogofilter", &fa, NULL, argv, environ) == 0 && waitpid(pid, &status, 0) == pid && WIFEXITED(status) &&
	    WEXITSTATUS(status) <= 2;
	posix_spawn_file_actions_destroy(&fa);
	arena_done(&a);
	return ok;
}

/* run_bogofilter: false if it does not run. Its cutoff is its own default (0.99); unsure counts as not junk. */
static bool
run_bogofilter(const int *order, int ntrain, struct tally *r_t)
{
	char dir[] = "/tmp/mox-bogofilter-XXXXXX";
	char out[64];
	if (!mkdtemp(dir))
		return false;
	snprintf(out, sizeof(out), "%s/out", dir);
	bool ok = bogofilter(dir, "-s", order, 0, ntrain, JUNK, out) && bogofilter(dir, "-n", order, 0, ntrain, HARD, out) &&
	    bogofilter(dir, "-T", order, ntrain, nitems, GROUPS, out);
	struct str text = ok ? read_all(out) : S("");
	for (int i = ntrain; ok && i < nitems; i++) {
		struct str line = str_split(&text, '\n');
		enum group g = items[order[i]].group;
		/* "path S 0.99", with -B. */
		ssize_t space = str_find(line, ' ');
		r_t->n[g]++;
		r_t->junk[g] += space >= 0 && str_starts(str_trim(str_from(line, (size_t)space)), S("S"));
	}
	DIR *d = opendir(dir);
	struct dirent *de;
	while (d && (de = readdir(d)))
		if (de->d_name[0] != '.')
			unlinkat(dirfd(d), de->d_name, 0);
	if (d)
		closedir(d);
	rmdir(dir);
	return ok;
}

int
main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "top", required_argument, NULL, 't' }, { "ignore", required_argument, NULL, 'i' }, { "rare", required_argument, NULL, 'r' },
		{ "power", required_argument, NULL, 'p' }, { "twograms", no_argument, NULL, '2' }, { "threegrams", no_argument, NULL, '3' },
		{ "errors", no_argument, NULL, 'e' }, { "no-bogofilter", no_argument, NULL, 'b' }, { 0 },
	};
	struct junk_params p = junk_default_params;
	bool errors = false, beside = true;
	int c;
	while ((c = getopt_long_only(argc, argv, "", options, NULL)) >= 0) {
		switch (c) {
		case 't': p.top_words = strtol(optarg, NULL, 10); break;
		case 'i': p.ignore_words = strtod(optarg, NULL); break;
		case 'r': p.rare_words = strtol(optarg, NULL, 10); break;
		case 'p': p.max_power = strtod(optarg, NULL); break;
		case '2': p.twograms = true; break;
		case '3': p.threegrams = true; break;
		case 'e': errors = true; break;
		case 'b': beside = false; break;
		default: return 2;
		}
	}
	int64_t start = time_mono_us();
	load(&p);
	size_t nwords = 0;
	for (int i = 0; i < nitems; i++)
		nwords += items[i].w.n;
	printf("%d messages, %.0f words each, read in %.1f s\n", nitems, (double)nwords / nitems, (double)(time_mono_us() - start) / 1e6);
	struct tally ours = { 0 }, theirs = { 0 };
	int *order = mem_allocn((size_t)nitems, sizeof(*order)), ntrain = nitems / 10;
	for (int seed = 1; seed <= SEEDS; seed++) {
		shuffle(order, nitems, (uint64_t)seed);
		struct tally t = run_ours(&p, order, ntrain, errors), b = { 0 };
		printf("seed %d\n", seed);
		show("mox", &t);
		add(&ours, &t);
		beside = beside && run_bogofilter(order, ntrain, &b);
		if (beside)
			show("bogofilter", &b);
		add(&theirs, &b);
	}
	printf("all\n");
	show("mox", &ours);
	if (beside)
		show("bogofilter", &theirs);
	mem_free(&order);
	arena_done(&memory);
	return 0;
}
