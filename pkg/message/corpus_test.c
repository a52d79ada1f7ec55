/* SPDX-License-Identifier: MIT */
/*
 * What must hold for every message, over all corpora: no failure, offsets that cover the file, parse → serialise → load is the same, readers
 * give as many bytes as the tree says, output is well-formed.
 */
#include "message/corpus_test.h"

#include <fcntl.h>
#include <ftw.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/utf8.h"
#include "message/body.h"
#include "message/header.h"
#include "message/imap.h"
#include "message/message_internal.h"
#include "testutil/testutil.h"

struct str
corpus_crlf(struct str s)
{
	struct buf b = BUF_ARENA(test_arena(), SIZE_MAX / 2);

	buf_reserve(&b, s.n + s.n / 20);
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] == '\n' && (i == 0 || s.p[i - 1] != '\r'))
			buf_addc(&b, '\r');
		buf_addc(&b, s.p[i]);
	}
	return buf_str(&b);
}

static struct strlist found;
static size_t found_prefix;

static int
visit(const char *path, const struct stat *st unused_, int type, struct FTW *ftw unused_)
{
	struct str p = str_of(path);
	struct str base = str_from(p, (size_t)str_rfind(p, '/') + 1);

	if (type != FTW_F || str_starts(base, S("README")) || str_starts(base, S("LICENSE")) || str_ends(p, S(".json")) || str_ends(p, S(".xml")) ||
	    str_search(base, S("_decoded")) >= 0)
		return 0;
	strlist_add(test_arena(), &found, str_dup(test_arena(), str_from(p, found_prefix)));
	return 0;
}

void
corpus_each(const char *dir, void (*fn)(const char *name, struct str content, void *arg), void *arg)
{
	const char *root = arena_strdup(test_arena(), test_data(dir));

	found = (struct strlist){ 0 };
	found_prefix = strlen(root) + 1;
	assert_int_equal(nftw(root, visit, 16, FTW_PHYS), 0);
	assert_true(found.n > 0);
	strlist_sort(&found);
	struct strlist all = found;
	for (size_t i = 0; i < all.n; i++) {
		ARENA_SCOPE(test_arena());
		test_row("%s/" STRF, dir, STRA(all.v[i]));
		struct str path = str_fmt(test_arena(), "%s/" STRF, root, STRA(all.v[i]));
		fn(str_z(test_arena(), all.v[i]), corpus_crlf(test_read(path.p)), arg);
	}
}

cJSON *
corpus_json(const char *rel)
{
	struct str text = test_read(test_data(rel));
	cJSON *j = cJSON_ParseWithLength(text.p, text.n);

	assert_non_null(j);
	return j;
}

struct str
corpus_string(const cJSON *object, const char *name)
{
	const cJSON *j = cJSON_GetObjectItem(object, name);

	return cJSON_IsString(j) ? str_of(j->valuestring) : (struct str){ 0 };
}

static struct str
serialized(const struct message *m)
{
	struct buf b = BUF_ARENA(test_arena(), SIZE_MAX / 2);

	message_serialize(m, &b);
	return buf_str(&b);
}

/* check_offsets: parts lie within their parents, in order, and the message is covered from its first byte to its last. */
static void
check_offsets(const struct message *m)
{
	assert_true(m->nparts > 0);
	assert_int_equal(m->parts[0].header_off, 0);
	assert_int_equal(m->parts[0].end_off, m->size);
	assert_true(m->parts[0].parent == MESSAGE_NONE && m->parts[0].next == MESSAGE_NONE);
	for (uint32_t i = 0; i < m->nparts; i++) {
		const struct message_part *p = &m->parts[i];
		assert_true(0 <= p->header_off && p->header_off <= p->body_off && p->body_off <= p->end_off);
		assert_true(p->boundary_off < p->header_off || p->boundary_off == -1);
		assert_int_equal(p->root, p->envelope != NULL);
		uint32_t children = 0;
		int64_t at = p->body_off;
		for (const struct message_part *q = message_first_child(m, p); q; q = message_next_part(m, q)) {
			assert_true(q->parent == i);
			if (q->space == p->space) {
				assert_true(q->header_off >= at && q->end_off <= p->end_off);
				at = q->end_off;
			}
			children++;
		}
		assert_int_equal(children, p->nchildren);
		assert_true(p->lines <= p->end_off - p->body_off);
		if (p->kind == MESSAGE_EMBEDDED && m->parts[i + 1].space == p->space) {
			assert_int_equal(m->parts[i + 1].header_off, p->body_off);
			assert_int_equal(m->parts[i + 1].end_off, p->end_off);
		}
	}
}

static int64_t
read_all(const struct message *m, const struct message_source *src, const struct message_part *p, enum message_read_as as)
{
	struct message_reader *r;
	struct str chunk;
	int64_t n = 0;
	int rc;

	assert_ok(message_reader_open(test_arena(), m, src, p, as, &r));
	while ((rc = message_reader_next(r, &chunk)) > 0) {
		assert_true(chunk.n > 0);
		if (as == MESSAGE_READ_TEXT)
			assert_true(utf8_valid(chunk));
		n += (int64_t)chunk.n;
	}
	assert_int_equal(rc, 0);
	message_reader_close(&r);
	assert_null(r);
	return n;
}

/* check_imap: parentheses, strings and literals match, and without UTF8 only literals have 8-bit bytes. */
static void
check_imap(struct str s, bool utf8)
{
	int depth = 0;

	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];
		if (c == '(') {
			depth++;
		} else if (c == ')') {
			assert_true(--depth >= 0);
			if (depth == 0)
				assert_int_equal(i, s.n - 1);
		} else if (c == '"') {
			for (i++; i < s.n && s.p[i] != '"'; i++) {
				assert_true(s.p[i] != '\r' && s.p[i] != '\n' && s.p[i] != '\0');
				assert_true(utf8 || (unsigned char)s.p[i] < 0x80);
				i += s.p[i] == '\\';
			}
			assert_true(i < s.n);
		} else if (c == '{') {
			uint64_t n;
			ssize_t close = str_find(str_from(s, i), '}');
			assert_true(close > 0);
			assert_ok(str_u64(str_n(s.p + i + 1, (size_t)close - 1), &n));
			i += (size_t)close + 2 + (size_t)n;
			assert_true(i < s.n);
			assert_null(memchr(s.p + i + 1 - n, '\0', (size_t)n));
		} else {
			assert_true(c == ' ' || (c >= '0' && c <= '9') || c == 'N' || c == 'I' || c == 'L');
		}
	}
	assert_int_equal(depth, 0);
}

static void
check_output(const struct message *m, const struct message_source *src)
{
	struct buf b = BUF_ARENA(test_arena(), SIZE_MAX / 2), h = b;
	struct str preview;

	for (int utf8 = 0; utf8 < 2; utf8++) {
		buf_reset(&b);
		message_imap_envelope(&b, m->parts[0].envelope, utf8);
		check_imap(buf_str(&b), utf8);
		for (int extended = 0; extended < 2; extended++) {
			buf_reset(&b);
			message_imap_bodystructure(&b, m, extended, utf8);
			check_imap(buf_str(&b), utf8);
		}
	}
	buf_reset(&b);
	message_json(&b, m);
	cJSON *j = cJSON_ParseWithLength(b.p, b.n);
	assert_non_null(j);
	cJSON_Delete(j);

	assert_ok(message_preview(test_arena(), m, src, &preview));
	assert_true(utf8_valid(preview) && utf8_count(preview) <= 256);
	buf_reset(&b);
	assert_ok(message_search_text(m, src, &h, &b));
	assert_true(utf8_valid(buf_str(&h)) && utf8_valid(buf_str(&b)));
}

void
corpus_check(struct str content)
{
	struct arena *a = test_arena();
	struct message_source src = message_source_mem(test_exact(content));
	struct message m, again;
	struct errmsg e = { 0 };

	assert_ok(message_parse(a, &src, 0, &m, NULL));
	check_offsets(&m);
	struct str blob = serialized(&m);

	/* Prefix and file give the same as memory. */
	char path[] = "/tmp/mox_corpus_XXXXXX";
	cleanup_(fd_close) int fd = mkstemp(path);
	assert_true(fd >= 0);
	unlink(path);
	size_t cut = content.n / 3;
	assert_ok(fd_pwrite_all(fd, str_from(content, cut), 0));
	struct message_source file = message_source_file(test_exact(str_upto(content, cut)), fd, (int64_t)(content.n - cut));
	assert_ok(message_parse(a, &file, 0, &again, NULL));
	assert_str(serialized(&again), blob);

	/* Loading gives back the same. */
	assert_ok(message_load(a, test_exact(blob), &again));
	check_offsets(&again);
	assert_str(serialized(&again), blob);
	struct buf j1 = BUF_ARENA(a, SIZE_MAX / 2), j2 = j1;
	message_json(&j1, &m);
	message_json(&j2, &again);
	assert_str(buf_str(&j2), buf_str(&j1));

	for (uint32_t i = 0; i < again.nparts; i++) {
		const struct message_part *p = &again.parts[i];
		assert_int_equal(read_all(&again, &file, p, MESSAGE_READ_RAW), p->end_off - p->body_off);
		assert_int_equal(read_all(&again, &src, p, MESSAGE_READ_DECODED), p->decoded_size);
		read_all(&again, &src, p, MESSAGE_READ_TEXT);
		struct str disposition, name;
		message_filename(a, p, &disposition, &name, NULL);
		assert_true(utf8_valid(name) && !str_has(name, '/'));
	}
	check_output(&again, &file);

	/* A strict reading says the same, and why it refuses if it does. */
	int rc = message_parse(a, &src, MESSAGE_STRICT, &again, &e);
	assert_true(rc == 0 || rc == ERR_INVALID || rc == ERR_LIMIT);
	assert_int_equal(rc < 0, e.text[0] != '\0');
	assert_int_equal(again.nparts, m.nparts);
	assert_true(rc < 0 || m.fault.text.n == 0);
}

static void
check(const char *name unused_, struct str content, void *arg)
{
	corpus_check(content);
	++*(size_t *)arg;
}

/* check_mbox checks each message of an mbox file: they begin with "From " at its start or behind an empty line. */
static void
check_mbox(const char *name, struct str content, void *arg)
{
	struct str rest = content, message = { rest.p, 0 };
	bool empty = true;

	while (rest.n > 0) {
		struct str line = str_split(&rest, '\n');
		if (empty && str_starts(line, S("From "))) {
			if (message.n > 0)
				check(name, message, arg);
			message = (struct str){ rest.p, 0 };
		} else {
			message.n = (size_t)(line.p + line.n + 1 - message.p);
		}
		empty = line.n <= 1;
	}
	check(name, str_n(message.p, MIN(message.n, (size_t)(content.p + content.n - message.p))), arg);
}

TEST(corpora)
{
	size_t n = 0;

	corpus_each("mime", check, &n);
	assert_true(n >= 470);
	corpus_each("bounces/eml", check, &n);
	corpus_each("bounces/not", check, &n);
	corpus_each("bounces/err", check, &n);
	assert_true(n >= 1100);
	n = 0;
	corpus_each("bounces/mbox", check_mbox, &n);
	assert_int_equal(n, 38);
}

/* 6,000 real messages, where tools/fetch-spamassassin brought them. */
TEST(spam_assassin)
{
	size_t n = 0;

	if (access("build/spam-assassin/.complete", F_OK) < 0) {
		print_message("no build/spam-assassin: see tools/fetch-spamassassin\n");
		return;
	}
	corpus_each("../build/spam-assassin", check, &n);
	assert_true(n >= 6000);
}

/* Truncated messages, every length of a few of each kind. */
TEST(truncated)
{
	static const char *const files[] = {
		"mime/python-email/msg_02.eml", "mime/mail-parser/rfc-008.eml", "mime/enmime/mail-mime-mixed.raw", "mime/mime4j/testmsgs/base64encoded-rfc822message-nested.msg",
	};

	for (size_t i = 0; i < ARRAY_LEN(files); i++) {
		struct str s = corpus_crlf(test_read(test_data(files[i])));
		for (size_t n = 0; n < s.n; n++) {
			ARENA_SCOPE(test_arena());
			struct message_source src = message_source_mem(test_exact(str_upto(s, n)));
			struct message m;
			test_row("%s %zu", files[i], n);
			assert_ok(message_parse(test_arena(), &src, 0, &m, NULL));
			check_offsets(&m);
			for (uint32_t k = 0; k < m.nparts; k++)
				assert_int_equal(read_all(&m, &src, &m.parts[k], MESSAGE_READ_DECODED), m.parts[k].decoded_size);
		}
	}
}

/* A blob that is cut or changed anywhere is refused or loads to something harmless. */
TEST(damaged_blobs)
{
	struct str s = corpus_crlf(test_read(test_data("mime/mail-parser/rfc-008.eml")));
	struct message_source src = message_source_mem(s);
	struct message m, got;

	assert_ok(message_parse(test_arena(), &src, 0, &m, NULL));
	struct str blob = serialized(&m);
	for (size_t n = 0; n < blob.n; n++) {
		test_row("cut %zu", n);
		assert_int_equal(message_load(test_arena(), test_exact(str_upto(blob, n)), &got), ERR_CORRUPT);
	}
	assert_int_equal(message_load(test_arena(), str_cat(test_arena(), blob, S("x")), &got), ERR_CORRUPT);
	for (size_t n = 0; n < blob.n; n++) {
		for (int bit = 0; bit < 8; bit++) {
			ARENA_SCOPE(test_arena());
			struct str copy = test_exact(blob);
			((char *)(uintptr_t)copy.p)[n] ^= (char)(1 << bit);
			test_row("byte %zu bit %d", n, bit);
			if (message_load(test_arena(), copy, &got) < 0)
				continue;
			for (uint32_t i = 0; i < got.nparts; i++) {
				const struct message_part *p = &got.parts[i];
				assert_true(0 <= p->header_off && p->header_off <= p->body_off && p->body_off <= p->end_off && p->decoded_size >= 0);
			}
			struct buf b = BUF_ARENA(test_arena(), SIZE_MAX / 2);
			message_imap_bodystructure(&b, &got, true, true);
		}
	}
}

/* A blob of another version is told apart from a damaged one: the store then parses anew. */
TEST(other_version)
{
	struct message m;
	char old[] = { MESSAGE_PARSE_VERSION - 1, 1, 2, 3 }, new[] = { MESSAGE_PARSE_VERSION + 1, 1, 2, 3 };

	assert_int_equal(message_load(test_arena(), str_n(old, sizeof(old)), &m), ERR_UNSUPPORTED);
	assert_int_equal(message_load(test_arena(), str_n(new, sizeof(new)), &m), ERR_UNSUPPORTED);
	assert_int_equal(message_load(test_arena(), S(""), &m), ERR_CORRUPT);
}
