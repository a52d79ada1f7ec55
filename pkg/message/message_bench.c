/* SPDX-License-Identifier: MIT */
/*
 * Throughput of parsing, and of what IMAP makes of parse results, over the corpora; beside GMime (libgmime-3.0) where that is installed. It is
 * loaded at run time and only by this program.
 *
 *	build/release/bench/message [seconds per measurement]
 */
#include <dlfcn.h>
#include <ftw.h>

#include "base/fd.h"
#include "base/timeutil.h"
#include "message/body.h"
#include "message/imap.h"

#define MAX_MESSAGES 4000

struct item {
	struct str content;     /* CRLF */
	struct str blob;
};
static struct item items[MAX_MESSAGES];
static size_t nitems, total_bytes;
static struct arena data = { .block_size = 1 << 20 };

static struct str
crlf(struct str s)
{
	struct buf b = BUF_ARENA(&data, SIZE_MAX / 2);

	buf_reserve(&b, s.n + s.n / 20);
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] == '\n' && (i == 0 || s.p[i - 1] != '\r'))
			buf_addc(&b, '\r');
		buf_addc(&b, s.p[i]);
	}
	return buf_str(&b);
}

static int
visit(const char *path, const struct stat *st, int type, struct FTW *ftw unused_)
{
	struct str p = str_of(path), s = { 0 };

	if (type != FTW_F || st->st_size > 300 * 1024 || str_ends(p, S(".json")) || str_ends(p, S(".xml")) || str_ends(p, S(".md")) || str_ends(p, S(".txt")) ||
	    str_search(p, S("LICENSE")) >= 0 || nitems == MAX_MESSAGES || fd_read_file(&data, path, 1 << 20, &s, NULL) < 0)
		return 0;
	items[nitems].content = crlf(s);
	total_bytes += items[nitems++].content.n;
	return 0;
}

/* Processor time, so that a busy machine does not matter. */
static int64_t
cpu_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
	return ts.tv_sec * TIME_SEC + ts.tv_nsec / 1000;
}

/* measure runs fn over all messages for some time and prints messages and bytes per second of one core. */
static double
measure(const char *what, double seconds, void (*fn)(const struct item *item))
{
	int64_t start = cpu_us(), us;
	double rounds = 0;

	do {
		for (size_t i = 0; i < nitems; i++)
			fn(&items[i]);
		rounds++;
		us = cpu_us() - start;
	} while ((double)us < seconds * 1e6);
	double rate = rounds * (double)nitems / ((double)us / 1e6);
	printf("%-44s %9.0f messages/s %8.1f MB/s\n", what, rate, rounds * (double)total_bytes / (double)us);
	return rate;
}

static struct arena work = { .block_size = 64 * 1024 };

static void
parse(const struct item *item)
{
	struct message_source src = message_source_mem(item->content);
	struct message m;

	arena_reset(&work);
	if (message_parse(&work, &src, 0, &m, NULL) < 0)
		abort();
}

static void
parse_serialize(const struct item *item)
{
	struct message_source src = message_source_mem(item->content);
	struct buf b = BUF_ARENA(&work, SIZE_MAX / 2);
	struct message m;

	arena_reset(&work);
	if (message_parse(&work, &src, 0, &m, NULL) < 0)
		abort();
	message_serialize(&m, &b);
}

static void
fetch(const struct item *item)
{
	static struct buf out = BUF_INIT(SIZE_MAX / 2);
	struct message m;

	arena_reset(&work);
	buf_reset(&out);
	if (message_load(&work, item->blob, &m) < 0)
		abort();
	message_imap_envelope(&out, m.parts[0].envelope, false);
	message_imap_bodystructure(&out, &m, true, false);
}

static void
preview(const struct item *item)
{
	struct message_source src = message_source_mem(item->content);
	struct message m;
	struct str s;

	arena_reset(&work);
	if (message_load(&work, item->blob, &m) < 0 || message_preview(&work, &m, &src, &s) < 0)
		abort();
}

static void
search(const struct item *item)
{
	static struct buf h = BUF_INIT(SIZE_MAX / 2), b = BUF_INIT(SIZE_MAX / 2);
	struct message_source src = message_source_mem(item->content);
	struct message m;

	arena_reset(&work);
	buf_reset(&h);
	buf_reset(&b);
	if (message_load(&work, item->blob, &m) < 0 || message_search_text(&m, &src, &h, &b) < 0)
		abort();
}

/* The few functions of GMime, with its objects as void pointers. */
static struct {
	void (*init)(void);
	void *(*stream_mem)(const char *p, size_t n);
	void *(*parser)(void *stream);
	void *(*construct)(void *parser, void *options);
	void (*foreach)(void *message, void (*fn)(void *parent, void *part, void *arg), void *arg);
	void *(*addresses)(void *message, int type);
	void *(*content_type)(void *part);
	const char *(*subject)(void *message);
	void *(*date)(void *message);
	void (*unref)(void *object);
} gmime;

static bool
gmime_load(void)
{
	void *g = dlopen("libgmime-3.0.so.0", RTLD_NOW | RTLD_GLOBAL), *o = dlopen("libgobject-2.0.so.0", RTLD_NOW);

	if (!g || !o)
		return false;
#define GET(field, lib, name) *(void **)&gmime.field = dlsym(lib, name)
	GET(init, g, "g_mime_init");
	GET(stream_mem, g, "g_mime_stream_mem_new_with_buffer");
	GET(parser, g, "g_mime_parser_new_with_stream");
	GET(construct, g, "g_mime_parser_construct_message");
	GET(foreach, g, "g_mime_message_foreach");
	GET(addresses, g, "g_mime_message_get_addresses");
	GET(content_type, g, "g_mime_object_get_content_type");
	GET(subject, g, "g_mime_message_get_subject");
	GET(date, g, "g_mime_message_get_date");
	GET(unref, o, "g_object_unref");
	if (!gmime.init || !gmime.construct || !gmime.addresses || !gmime.foreach || !gmime.unref)
		return false;
	gmime.init();
	return true;
}

static void
gmime_part(void *parent unused_, void *part, void *arg)
{
	*(size_t *)arg += gmime.content_type(part) != NULL;
}

static void
gmime_parse(const struct item *item)
{
	void *stream = gmime.stream_mem(item->content.p, item->content.n);
	void *parser = gmime.parser(stream);
	void *m = gmime.construct(parser, NULL);
	size_t parts = 0;

	if (m) {
		for (int type = 0; type < 6; type++)
			gmime.addresses(m, type);
		gmime.subject(m);
		gmime.date(m);
		gmime.foreach(m, gmime_part, &parts);
		gmime.unref(m);
	}
	gmime.unref(parser);
	gmime.unref(stream);
}

int
main(int argc, char **argv)
{
	double seconds = argc > 1 ? strtod(argv[1], NULL) : 2;

	nftw("testdata/mime", visit, 16, FTW_PHYS);
	nftw("testdata/bounces/eml", visit, 16, FTW_PHYS);
	if (nitems == 0) {
		fprintf(stderr, "no messages below testdata: run from the top of the tree\n");
		return 1;
	}
	size_t blobs = 0;
	for (size_t i = 0; i < nitems; i++) {
		struct message_source src = message_source_mem(items[i].content);
		struct buf b = BUF_ARENA(&data, SIZE_MAX / 2);
		struct message m;
		if (message_parse(&work, &src, 0, &m, NULL) < 0)
			return 1;
		message_serialize(&m, &b);
		items[i].blob = buf_str(&b);
		blobs += b.n;
	}
	printf("%zu messages, %zu bytes on average; parse results %zu\n", nitems, total_bytes / nitems, blobs / nitems);
	double ours = measure("parse with structure and envelope", seconds, parse);
	measure("parse and serialise", seconds, parse_serialize);
	measure("load, ENVELOPE and BODYSTRUCTURE", seconds, fetch);
	measure("preview", seconds, preview);
	measure("search text", seconds, search);
	if (gmime_load())
		printf("ours is %.1f times GMime\n", ours / measure("GMime: parse, addresses, structure", seconds, gmime_parse));
	else
		printf("libgmime-3.0 is not installed, nothing to compare with\n");
	arena_done(&work);
	arena_done(&data);
	return 0;
}
