/* SPDX-License-Identifier: MIT */
/*
 * Whole messages as mail-parser (Stalwart) reads them: the offsets of each part and its decoded content. Where it reads a broken message
 * otherwise, the file is listed with the reason.
 */
#include <dirent.h>

#include "message/body.h"
#include "message/corpus_test.h"
#include "testutil/testutil.h"

static const struct {
	const char *file, *why;
} own[] = {
	{ "legacy-017", "uuencoded content is decoded by us" },
	{ "legacy-026", "same" },
	{ "legacy-048", "same" },
	{ "legacy-052", "8-bit text without a charset is guessed by us" },
	{ "malformed-001", "only the boundary of the innermost multipart counts for mail-parser; any open one ends its parts with us" },
	{ "malformed-004", "a multipart without parts is opaque with us" },
	{ "malformed-007", "same, and only the innermost boundary counts for mail-parser" },
	{ "malformed-008", "only the boundary of the innermost multipart counts for mail-parser; any open one ends its parts with us" },
	{ "malformed-009", "only the boundary of the innermost multipart counts for mail-parser; any open one ends its parts with us" },
	{ "malformed-011", "only the boundary of the innermost multipart counts for mail-parser; any open one ends its parts with us" },
	{ "malformed-016", "only the boundary of the innermost multipart counts for mail-parser; any open one ends its parts with us" },
	{ "rfc-000", "text that is no base64, said to be" },
	{ "thirdparty-000", "NUL ends a JSON string" },
	{ "thirdparty-002", "broken base64: we go on behind the fault" },
	{ "thirdparty-005", "UTF-16 with line ends of one byte" },
};

static const char *
find_own(const char *file)
{
	for (size_t i = 0; i < ARRAY_LEN(own); i++) {
		if (strcmp(own[i].file, file) == 0)
			return own[i].why;
	}
	return NULL;
}

/* squeeze leaves white space out: where folds and line ends of decoded text go is not what is compared. */
static struct str
squeeze(struct str s)
{
	char *out = arena_bytes(test_arena(), s.n + 1);
	size_t n = 0;

	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] != ' ' && s.p[i] != '\t' && s.p[i] != '\r' && s.p[i] != '\n')
			out[n++] = s.p[i];
	}
	return str_n(out, n);
}

/* content_text: the text of a body in their form; false if it is none. Binary content is a list of bytes. */
static bool
content_text(const cJSON *body, struct str *r_s)
{
	const cJSON *v = body->child, *item;

	if (cJSON_IsString(v)) {
		*r_s = squeeze(str_of(v->valuestring));
		return true;
	}
	if (strcmp(v->string, "Binary") != 0 && strcmp(v->string, "InlineBinary") != 0)
		return false;
	struct buf b = BUF_ARENA(test_arena(), SIZE_MAX / 2);
	cJSON_ArrayForEach(item, v)
		buf_addc(&b, (char)item->valueint);
	*r_s = squeeze(buf_str(&b));
	return true;
}

/* part_at finds the part of ours that starts where theirs does, among those of one coordinate space. */
static const struct message_part *
part_at(const struct message *m, uint32_t space, int64_t header_off)
{
	for (uint32_t i = 0; i < m->nparts; i++) {
		if (m->parts[i].space == space && m->parts[i].header_off == header_off)
			return &m->parts[i];
	}
	return NULL;
}

/* same_message compares the parts of one message; those of messages within are compared in their own space or by their own offsets. */
static const char *
same_message(const struct message *m, const struct message_source *src, const cJSON *their, uint32_t space, int64_t base)
{
	const cJSON *parts = cJSON_GetObjectItem(their, "parts"), *row;

	cJSON_ArrayForEach(row, parts) {
		const cJSON *body = cJSON_GetObjectItem(row, "body");
		int64_t header = (int64_t)cJSON_GetObjectItem(row, "offset_header")->valuedouble + base;
		int64_t start = (int64_t)cJSON_GetObjectItem(row, "offset_body")->valuedouble + base;
		int64_t end = (int64_t)cJSON_GetObjectItem(row, "offset_end")->valuedouble + base;
		const struct message_part *p = part_at(m, space, header);
		struct str want, got;

		if (!p)
			return "a part that we do not have";
		if (p->body_off != start)
			return "body starts elsewhere";
		/* Multiparts end behind their epilogue with us, at their last boundary with them. */
		if (p->kind == MESSAGE_LEAF && p->end_off != end)
			return "body ends elsewhere";
		bool text = message_part_is(p, S("TEXT"), S(""));
		if (p->kind == MESSAGE_LEAF && content_text(body, &want)) {
			assert_ok(message_part_text(test_arena(), m, src, p, text ? MESSAGE_READ_TEXT : MESSAGE_READ_DECODED, SIZE_MAX / 2, &got));
			if (!str_is(squeeze(got), want))
				return "other content";
		}
		const cJSON *inner = cJSON_GetObjectItem(body, "Message");
		if (inner && p->kind != MESSAGE_EMBEDDED)
			return "a message that we do not enter";
	}
	return NULL;
}

TEST(mail_parser_messages)
{
	const char *dir = arena_strdup(test_arena(), test_data("mime/mail-parser"));
	struct strlist names = { 0 };
	size_t same = 0, other = 0;
	DIR *d = opendir(dir);

	assert_non_null(d);
	for (struct dirent *e; (e = readdir(d));) {
		if (str_ends(str_of(e->d_name), S(".json")))
			strlist_add(test_arena(), &names, str_of(arena_strdup(test_arena(), e->d_name)));
	}
	closedir(d);
	strlist_sort(&names);
	for (size_t i = 0; i < names.n; i++) {
		ARENA_SCOPE(test_arena());
		struct str base = str_upto(names.v[i], names.v[i].n - 5);
		cJSON *their = corpus_json(str_fmt(test_arena(), "mime/mail-parser/" STRF, STRA(names.v[i])).p);
		struct str s = test_read(test_data(str_fmt(test_arena(), "mime/mail-parser/" STRF ".eml", STRA(base)).p));
		struct message_source src = message_source_mem(s);
		struct message m;
		test_row(STRF, STRA(base));
		assert_ok(message_parse(test_arena(), &src, 0, &m, NULL));
		const char *difference = same_message(&m, &src, their, MESSAGE_NONE, 0);
		cJSON_Delete(their);
		if (getenv("MOX_TEST_DIFFERENCES")) {
			if (difference)
				fprintf(stderr, STRF ": %s\n", STRA(base), difference);
			continue;
		}
		const char *why = find_own(str_z(test_arena(), base));
		if (difference && !why)
			fail_msg(STRF ": %s", STRA(base), difference);
		if (!difference && why)
			fail_msg(STRF " is listed as different, but is not", STRA(base));
		same += !difference;
		other += difference != NULL;
	}
	print_message("%zu as mail-parser, %zu otherwise\n", same, other);
	assert_int_equal(same + other, getenv("MOX_TEST_DIFFERENCES") ? 0 : 107);
}
