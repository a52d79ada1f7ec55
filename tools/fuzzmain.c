/* SPDX-License-Identifier: MIT */
/*
 * fuzzmain - main for a *_fuzz.c where there is no libFuzzer (gcc): replays inputs, and with -mutate=N tries N random changes of them.
 *
 *	build/asan/fuzz/NAME [-mutate=N] [-seed=N] [-max_len=N] FILE|DIRECTORY...
 *
 * Every input lies in a heap block of exactly its size. The input at hand is written to crash-NAME in the working directory when the
 * process dies, or when one input takes longer than 30 seconds. It is no replacement for a fuzzer that follows coverage: use
 * "make fuzz-NAME" for finding new bugs, this for keeping old ones away.
 */
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>
#include <unistd.h>

#define TIMEOUT_S 30

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);
extern int LLVMFuzzerInitialize(int *argc, char ***argv) __attribute__((weak));
extern void __sanitizer_set_death_callback(void (*fn)(void)) __attribute__((weak));

struct input {
	uint8_t *p;
	size_t n;
};

static struct {
	struct input *v;
	size_t n, cap;
} inputs;
static size_t max_len = 1 << 20;
static uint64_t random_state = 1;

static struct input current;
static char crash_file[256];

static __attribute__((noreturn)) void
die(const char *what, const char *path)
{
	fprintf(stderr, "fuzzmain: %s %s: %m\n", what, path);
	exit(2);
}

static void
save_current(void)
{
	int fd = open(crash_file, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	static const char text[] = "fuzzmain: the input is in ";

	if (fd < 0 || write(fd, current.p, current.n) < 0 || write(STDERR_FILENO, text, sizeof(text) - 1) < 0 ||
	    write(STDERR_FILENO, crash_file, strlen(crash_file)) < 0 || write(STDERR_FILENO, "\n", 1) < 0)
		return;
	close(fd);
}

static void
on_signal(int sig)
{
	static const char text[] = "fuzzmain: timeout\n";

	signal(sig, SIG_DFL);
	if (sig == SIGALRM && write(STDERR_FILENO, text, sizeof(text) - 1) < 0)
		_exit(3);
	save_current();
	if (sig == SIGALRM)
		_exit(3);
	raise(sig);
}

static void
add_input(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct input in = { 0 };
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		die("open", path);
	in.n = (size_t)st.st_size;
	in.p = malloc(in.n + 1);
	if (in.p == NULL || read(fd, in.p, in.n) != (ssize_t)in.n)
		die("read", path);
	close(fd);
	if (inputs.n == inputs.cap) {
		inputs.cap = inputs.cap ? inputs.cap * 2 : 64;
		inputs.v = reallocarray(inputs.v, inputs.cap, sizeof(inputs.v[0]));
		if (inputs.v == NULL)
			die("allocate", path);
	}
	inputs.v[inputs.n++] = in;
}

static int
visit(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	/* Corpora may explain themselves. */
	if (type == FTW_F && strncmp(path + ftw->base, "README", 6) != 0)
		add_input(path);
	return 0;
}

static uint64_t
random_below(uint64_t n)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return n > 0 ? random_state % n : 0;
}

static void
run(const uint8_t *p, size_t n)
{
	current.p = malloc(n);
	current.n = n;
	if (current.p == NULL && n > 0)
		die("allocate", "an input");
	if (n > 0)
		memcpy(current.p, p, n);
	alarm(TIMEOUT_S);
	LLVMFuzzerTestOneInput(current.p, n);
	alarm(0);
	free(current.p);
	current = (struct input){ 0 };
}

/* Replaces cut bytes at `at` by n bytes of p (NULL: random ones). work has room for max_len bytes. */
static size_t
replace(uint8_t *work, size_t len, size_t at, size_t cut, const uint8_t *p, size_t n)
{
	if (n > max_len - (len - cut))
		n = max_len - (len - cut);
	memmove(work + at + n, work + at + cut, len - at - cut);
	for (size_t i = 0; i < n; i++)
		work[at + i] = p ? p[i] : (uint8_t)random_below(256);
	return len - cut + n;
}

static size_t
mutate_once(uint8_t *work, size_t len)
{
	static const char interesting[] = "\0\xff\x7f\x80\r\n\t \"'\\(){}<>[]=;:,.%*+-@/0129azAZ";
	const struct input *other = &inputs.v[random_below(inputs.n)];
	size_t at = random_below(len + 1), rest = len - at, n = random_below(rest < 16 ? rest + 1 : 17), from;
	uint8_t piece[32];

	switch (random_below(8)) {
	case 0:         /* flip a bit */
		if (rest > 0)
			work[at] ^= (uint8_t)(1U << random_below(8));
		return len;
	case 1:         /* set a byte to one that tends to mean something */
		if (rest > 0)
			work[at] = (uint8_t)interesting[random_below(sizeof(interesting) - 1)];
		return len;
	case 2:         /* insert one of those */
		piece[0] = (uint8_t)interesting[random_below(sizeof(interesting) - 1)];
		return replace(work, len, at, 0, piece, 1);
	case 3:         /* remove some */
		return replace(work, len, at, n, NULL, 0);
	case 4:         /* insert random bytes */
		return replace(work, len, at, 0, NULL, 1 + random_below(8));
	case 5:         /* repeat some, several times */
		memcpy(piece, work + at, n);
		for (uint64_t times = 1 + random_below(20); times > 0; times--)
			len = replace(work, len, at, 0, piece, n);
		return len;
	case 6:         /* truncate */
		return at;
	default:        /* go on as another input does */
		from = random_below(other->n + 1);
		return replace(work, len, at, rest, other->p + from, other->n - from);
	}
}

static void
mutate(unsigned long count)
{
	uint8_t *work = malloc(max_len);

	if (work == NULL)
		die("allocate", "an input");
	for (unsigned long i = 0; i < count; i++) {
		const struct input *in = &inputs.v[random_below(inputs.n)];
		size_t len = in->n < max_len ? in->n : max_len;

		memcpy(work, in->p, len);
		for (uint64_t times = 1 + random_below(4); times > 0; times--)
			len = mutate_once(work, len);
		run(work, len);
	}
	free(work);
}

int
main(int argc, char **argv)
{
	const char *slash = strrchr(argv[0], '/'), *name = slash ? slash + 1 : argv[0];
	unsigned long mutations = 0;

	snprintf(crash_file, sizeof(crash_file), "crash-%s", name);
	if (LLVMFuzzerInitialize)
		LLVMFuzzerInitialize(&argc, &argv);
	for (int i = 1; i < argc; i++) {
		if (strncmp(argv[i], "-mutate=", 8) == 0)
			mutations = strtoul(argv[i] + 8, NULL, 10);
		else if (strncmp(argv[i], "-seed=", 6) == 0)
			random_state = strtoul(argv[i] + 6, NULL, 10) | 1;
		else if (strncmp(argv[i], "-max_len=", 9) == 0)
			max_len = strtoul(argv[i] + 9, NULL, 10);
		else if (argv[i][0] == '-' || nftw(argv[i], visit, 16, FTW_PHYS) < 0)
			die("use", argv[i]);
	}
	if (inputs.n == 0)
		add_input("/dev/null");
	if (__sanitizer_set_death_callback)
		__sanitizer_set_death_callback(save_current);
	else
		signal(SIGSEGV, on_signal);
	signal(SIGABRT, on_signal);
	signal(SIGALRM, on_signal);
	signal(SIGPIPE, SIG_IGN);

	run(NULL, 0);
	for (size_t i = 0; i < inputs.n; i++)
		run(inputs.v[i].p, inputs.v[i].n);
	mutate(mutations);
	printf("%-20s %zu inputs, %lu mutations\n", name, inputs.n, mutations);
	for (size_t i = 0; i < inputs.n; i++)
		free(inputs.v[i].p);
	free(inputs.v);
	return 0;
}
