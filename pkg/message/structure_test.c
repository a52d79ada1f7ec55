/* SPDX-License-Identifier: MIT */
/*
 * The corpora of ../testdata/mime against what Dovecot and Python's email package make of them. Both differ from us, and from one another,
 * for broken messages; each difference is listed with its reason, and a listed one that disappears fails the test too.
 */
#include "message/corpus_test.h"

#include "base/utf8.h"
#include "message/body.h"
#include "message/header.h"
#include "message/imap.h"
#include "testutil/testutil.h"

/* IMAP responses as JSON */

struct imap {
	struct str s;
};

static cJSON *
imap_value(struct imap *p)
{
	while (p->s.n > 0 && p->s.p[0] == ' ')
		p->s = str_from(p->s, 1);
	assert_true(p->s.n > 0);
	if (p->s.p[0] == '(') {
		cJSON *list = cJSON_CreateArray();
		p->s = str_from(p->s, 1);
		while (p->s.p[0] != ')')
			cJSON_AddItemToArray(list, imap_value(p));
		p->s = str_from(p->s, 1);
		return list;
	}
	struct buf b = BUF_ARENA(test_arena(), SIZE_MAX / 2);
	buf_add(&b, S(""));
	buf_reserve(&b, 1);
	if (p->s.p[0] == '"') {
		size_t i = 1;
		for (; p->s.p[i] != '"'; i++) {
			i += p->s.p[i] == '\\';
			buf_addc(&b, p->s.p[i]);
		}
		p->s = str_from(p->s, i + 1);
		return cJSON_CreateString(message_to_utf8(test_arena(), buf_str(&b)).p);
	}
	if (p->s.p[0] == '{') {
		struct str n = str_from(str_split(&p->s, '\n'), 1);
		uint64_t len;
		assert_ok(str_u64(str_split(&n, '}'), &len));
		buf_add(&b, str_upto(p->s, len));
		p->s = str_from(p->s, len);
		return cJSON_CreateString(message_to_utf8(test_arena(), buf_str(&b)).p);
	}
	if (str_starts(p->s, S("NIL"))) {
		p->s = str_from(p->s, 3);
		return cJSON_CreateNull();
	}
	double v = 0;
	while (p->s.n > 0 && p->s.p[0] >= '0' && p->s.p[0] <= '9') {
		v = v * 10 + (p->s.p[0] - '0');
		p->s = str_from(p->s, 1);
	}
	return cJSON_CreateNumber(v);
}

/* Normal form */

/* bytes_of undoes the latin-1 that the file has for raw 8-bit bytes. */
static struct str
bytes_of(struct str s)
{
	struct buf b = BUF_ARENA(test_arena(), SIZE_MAX / 2);

	for (struct str rest = s; rest.n > 0;) {
		uint32_t cp = 0;
		int n = utf8_next(rest, &cp);
		if (n <= 0 || cp > 0xff)
			return s;
		buf_addc(&b, (char)cp);
		rest = str_from(rest, (size_t)n);
	}
	return buf_str(&b);
}

/* put_string: lower case, decoded, and without what Dovecot writes where an address is incomplete. */
static void
put_string(struct buf *b, struct str s)
{
	struct arena *a = test_arena();

	if (str_search(s, S("=?")) >= 0)
		s = bytes_of(s);
	s = message_decode_words(a, s);
	if (str_is(s, S("MISSING_DOMAIN")) || str_is(s, S("MISSING_MAILBOX")) || str_is(s, S("SYNTAX_ERROR")))
		s = S("");
	/* White space of folds, and an address's domain in either form. */
	s = idna_to_unicode(a, s);
	buf_addc(b, '"');
	bool space = false;
	s = str_trim(s);
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];
		if (c == ' ' || c == '\t') {
			space = true;
			continue;
		}
		if (space)
			buf_addc(b, ' ');
		space = false;
		buf_addc(b, c >= 'A' && c <= 'Z' ? (char)(c + 0x20) : c);
	}
	buf_addc(b, '"');
}

/* put_params: names and values, decoded by RFC 2231, without the default charset and repetitions, sorted. */
static void
put_params(struct buf *b, const cJSON *list)
{
	struct strlist l = { 0 };
	const cJSON *item;

	if (!cJSON_IsArray(list)) {
		buf_addz(b, "nil");
		return;
	}
	for (item = list->child; item && item->next; item = item->next->next) {
		struct buf one = BUF_ARENA(test_arena(), SIZE_MAX / 2);
		struct str name = str_lower(test_arena(), str_of(item->valuestring)), value = str_of(item->next->valuestring);
		if (str_ends(name, S("*"))) {
			struct message_params p;
			message_parse_params(test_arena(), str_fmt(test_arena(), "x; " STRF "=\"" STRF "\"", STRA(name), STRA(value)), &p);
			name.n--;
			if (p.n == 1)
				value = p.v[0].value;
		}
		if (str_is(name, S("charset")) && str_icase(value, S("us-ascii")))
			continue;
		buf_add(&one, name);
		buf_addc(&one, '=');
		put_string(&one, value);
		if (!strlist_has(&l, buf_str(&one)))
			strlist_add(test_arena(), &l, buf_str(&one));
	}
	strlist_sort(&l);
	buf_add(b, l.n > 0 ? strlist_join(test_arena(), &l, S(" ")) : S("nil"));
}

static void
put_any(struct buf *b, const cJSON *j)
{
	const cJSON *item;

	if (cJSON_IsString(j)) {
		put_string(b, str_of(j->valuestring));
	} else if (cJSON_IsNumber(j)) {
		buf_addi(b, (int64_t)j->valuedouble);
	} else if (cJSON_IsArray(j)) {
		buf_addc(b, '(');
		cJSON_ArrayForEach(item, j)
			put_any(b, item);
		buf_addc(b, ')');
	} else {
		buf_addz(b, "nil");
	}
	buf_addc(b, ' ');
}

/* put_body writes the normal form of a BODYSTRUCTURE; of sizes and line counts only sizes, since the last line is counted differently. */
static void
put_body(struct buf *b, const cJSON *j)
{
	const cJSON *v[16] = { 0 };
	int n = 0;

	assert_true(cJSON_IsArray(j) && j->child);
	if (cJSON_IsArray(j->child)) {
		const cJSON *item = j->child;
		buf_addc(b, '(');
		for (; cJSON_IsArray(item); item = item->next)
			put_body(b, item);
		put_any(b, item);
		put_params(b, item->next);
		buf_addc(b, ')');
		return;
	}
	for (const cJSON *item = j->child; item && n < 16; item = item->next)
		v[n++] = item;
	if (n < 7) {
		put_any(b, j);          /* a message/rfc822 that Dovecot cuts off */
		return;
	}
	bool text = strcasecmp(v[0]->valuestring, "text") == 0;
	bool embedded = n > 9 && strcasecmp(v[0]->valuestring, "message") == 0 && cJSON_IsArray(v[8]);
	int ext = text ? 8 : embedded ? 10 : 7;
	buf_addc(b, '<');
	put_any(b, v[0]);
	put_any(b, v[1]);
	put_params(b, v[2]);
	buf_addc(b, ' ');
	for (int i = 3; i < 7; i++)
		put_any(b, v[i]);
	if (embedded) {
		put_any(b, v[7]);
		put_body(b, v[8]);
	}
	if (ext + 1 < n && cJSON_IsArray(v[ext + 1])) {
		put_any(b, v[ext + 1]->child);
		put_params(b, v[ext + 1]->child->next);
	}
	if (ext + 3 < n)
		put_any(b, v[ext + 3]);
	buf_addc(b, '>');
}

/* put_tree writes only the types. */
static void
put_tree(struct buf *b, const cJSON *j)
{
	if (cJSON_IsArray(j->child)) {
		const cJSON *item = j->child;
		struct buf kids = BUF_ARENA(test_arena(), SIZE_MAX / 2);
		for (; cJSON_IsArray(item); item = item->next)
			put_tree(&kids, item);
		buf_addf(b, "multipart/%s(" STRF ")", item->valuestring, STRA(buf_str(&kids)));
		return;
	}
	buf_addf(b, "%s/%s", j->child->valuestring, j->child->next->valuestring);
	const cJSON *body = cJSON_GetArrayItem(j, 8);
	if (strcasecmp(j->child->valuestring, "message") == 0 && cJSON_IsArray(body) && cJSON_IsArray(cJSON_GetArrayItem(j, 7))) {
		buf_addc(b, '(');
		put_tree(b, body);
		buf_addc(b, ')');
	}
	buf_addc(b, ' ');
}

static void
put_python_tree(struct buf *b, const cJSON *j)
{
	const cJSON *parts = cJSON_GetObjectItem(j, "parts"), *item;

	struct str type = corpus_string(j, "type");
	buf_add(b, type);
	/* Python reads delivery reports and fragments as messages too. */
	if (str_starts(type, S("message/")) && !str_is(type, S("message/rfc822")) && !str_is(type, S("message/global")))
		parts = NULL;
	if (parts) {
		buf_addc(b, '(');
		cJSON_ArrayForEach(item, parts)
			put_python_tree(b, item);
		buf_addc(b, ')');
	}
	if (!parts || str_starts(type, S("message/")))
		buf_addc(b, ' ');
}

/* Differences */

#include "message/differences_test.h"

static const char *
find_difference(const struct difference *v, size_t n, const char *file)
{
	for (size_t i = 0; i < n; i++) {
		if (strcmp(v[i].file, file) == 0)
			return v[i].why;
	}
	return NULL;
}

/* compare fails unless the two are equal, or differ and that is listed. */
static void
compare(const struct difference *v, size_t n, const char *file, struct str got, struct str want)
{
	bool listed = find_difference(v, n, file) != NULL, same = str_icase(got, want);

	if (getenv("MOX_TEST_DIFFERENCES")) {
		if (!same)
			fprintf(stderr, "%s\n\tours  " STRF "\n\ttheir " STRF "\n", file, STRA(got), STRA(want));
		return;
	}
	if (same && listed)
		fail_msg("%s is listed as different, but is not", file);
	if (!same && !listed)
		assert_str(got, want);
}

static struct message
parse_file(const char *file)
{
	struct message_source src = message_source_mem(corpus_crlf(test_read(test_data(str_fmt(test_arena(), "mime/%s", file).p))));
	struct message m;

	assert_ok(message_parse(test_arena(), &src, 0, &m, NULL));
	return m;
}

static cJSON *
our_structure(const struct message *m)
{
	struct buf b = BUF_ARENA(test_arena(), SIZE_MAX / 2);

	message_imap_bodystructure(&b, m, true, false);
	struct imap p = { buf_str(&b) };
	return imap_value(&p);
}

static struct str
normal(void (*put)(struct buf *, const cJSON *), const cJSON *j)
{
	struct buf b = BUF_ARENA(test_arena(), SIZE_MAX / 2);

	put(&b, j);
	return buf_str(&b);
}

TEST(structure_python)
{
	cJSON *all = corpus_json("imap-structure/python-email.json"), *row;
	size_t n = 0;

	cJSON_ArrayForEach(row, all) {
		ARENA_SCOPE(test_arena());
		const char *file = cJSON_GetObjectItem(row, "file")->valuestring;
		test_row("%s", file);
		struct message m = parse_file(file);
		cJSON *ours = our_structure(&m);
		compare(tree_differences, ARRAY_LEN(tree_differences), file, normal(put_tree, ours),
			normal(put_python_tree, cJSON_GetObjectItem(row, "structure")));
		cJSON_Delete(ours);
		n++;
	}
	cJSON_Delete(all);
	assert_true(n > 400);
}

TEST(structure_dovecot)
{
	cJSON *all = corpus_json("imap-structure/dovecot.json"), *row;
	size_t n = 0;

	cJSON_ArrayForEach(row, all) {
		ARENA_SCOPE(test_arena());
		const char *file = cJSON_GetObjectItem(row, "file")->valuestring;
		test_row("%s", file);
		struct message m = parse_file(file);
		assert_int_equal(m.size, cJSON_GetObjectItem(row, "size")->valuedouble);
		cJSON *ours = our_structure(&m);
		compare(body_differences, ARRAY_LEN(body_differences), file, normal(put_body, ours),
			normal(put_body, cJSON_GetObjectItem(row, "bodystructure")));
		cJSON_Delete(ours);
		n++;
	}
	cJSON_Delete(all);
	assert_int_equal(n, 475);
}

TEST(envelope_dovecot)
{
	cJSON *all = corpus_json("imap-structure/dovecot.json"), *row;

	cJSON_ArrayForEach(row, all) {
		ARENA_SCOPE(test_arena());
		const char *file = cJSON_GetObjectItem(row, "file")->valuestring;
		test_row("%s", file);
		struct message m = parse_file(file);
		struct buf b = BUF_ARENA(test_arena(), SIZE_MAX / 2);
		message_imap_envelope(&b, m.parts[0].envelope, false);
		struct imap p = { buf_str(&b) };
		cJSON *ours = imap_value(&p);
		compare(envelope_differences, ARRAY_LEN(envelope_differences), file, normal(put_any, ours),
			normal(put_any, cJSON_GetObjectItem(row, "envelope")));
		cJSON_Delete(ours);
	}
	cJSON_Delete(all);
}
