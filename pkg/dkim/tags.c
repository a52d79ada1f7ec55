/* SPDX-License-Identifier: MIT */
/* tags.c - tag-lists, rfc/6376:655, and the values that signature and record share. */
#include "base/buf.h"
#include "base/cur.h"
#include "base/enc.h"
#include "base/limits.h"
#include "dkim/dkim.h"

#define MAX_TAGS 100            /* of a list; the standards know of less than 20 */

static bool
is_fws(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static struct str
trim_fws(struct str s)
{
	while (s.n > 0 && is_fws(s.p[0]))
		s = str_from(s, 1);
	while (s.n > 0 && is_fws(s.p[s.n - 1]))
		s.n--;
	return s;
}

/* tag-name = ALPHA *ALNUMPUNC; ALNUMPUNC = ALPHA / DIGIT / "_"    rfc/6376:657 */
static bool
is_tag_name(struct str s)
{
	if (s.n == 0 || !cur_class_has(&cur_alpha, (unsigned char)s.p[0]))
		return false;
	for (size_t i = 0; i < s.n; i++)
		if (!cur_class_has(&cur_alnum, (unsigned char)s.p[i]) && s.p[i] != '_')
			return false;
	return true;
}

int
dkim_tag_next(struct str *list, struct dkim_tag *r_tag)
{
	struct str spec = str_split(list, ';'), name;

	/* One ";" may end the list; FWS behind it is tolerated, as folding adds it. */
	if (trim_fws(spec).n == 0)
		return trim_fws(*list).n == 0 ? 0 : ERR_INVALID;
	if (!str_has(spec, '='))
		return ERR_INVALID;
	name = str_split(&spec, '=');
	r_tag->name = trim_fws(name);
	r_tag->raw = spec;
	r_tag->value = trim_fws(spec);
	return is_tag_name(r_tag->name) ? 1 : ERR_INVALID;
}

int
dkim_tags(struct arena *a, struct str list, struct dkim_tags *r_tags, struct errmsg *e)
{
	struct dkim_tags t = { 0 };
	struct dkim_tag tag;
	int rv;

	while ((rv = dkim_tag_next(&list, &tag)) == 1) {
		char name[32];

		if (tag.name.n >= sizeof(name) || t.n == MAX_TAGS)
			return err_set(e, ERR_INVALID, "too many tags, or one with a very long name");
		memcpy(name, tag.name.p, tag.name.n);
		name[tag.name.n] = '\0';
		/* Tags with duplicate names MUST NOT occur: rfc/6376:683 */
		if (dkim_tag_get(&t, name))
			return err_set(e, ERR_INVALID, "tag %s= occurs twice", name);
		t.v = arena_grow(a, t.v, t.n, t.n + 1, sizeof(*t.v));
		t.v[t.n++] = tag;
	}
	if (rv < 0)
		return err_set(e, rv, "no list of tags and values");
	*r_tags = t;
	return 0;
}

const struct dkim_tag *
dkim_tag_get(const struct dkim_tags *tags, const char *name)
{
	for (size_t i = 0; i < tags->n; i++)
		if (str_is(tags->v[i].name, str_of(name)))
			return &tags->v[i];
	return NULL;
}

int
dkim_unbase64(struct arena *a, struct str s, struct str *r_out)
{
	struct buf b = BUF_ARENA(a, LIMIT_HEADER_SIZE);

	for (size_t i = 0; i < s.n; i++)
		if (!is_fws(s.p[i]))
			buf_addc(&b, s.p[i]);
	/* Some leave out the padding. */
	while (b.n % 4 != 0)
		buf_addc(&b, '=');
	return b.failed ? ERR_LIMIT : enc_unbase64(a, buf_str(&b), ENC_STD, r_out);
}

/* The value of b= runs up to the next ";" or the end; white space around it goes too, as it belongs to what was not there when the hash was made. */
struct str
dkim_without_b(struct arena *a, struct str field)
{
	ssize_t colon = str_find(field, ':');
	struct str rest, spec;

	if (str_ends(field, S("\r\n")))
		field.n -= 2;
	rest = str_from(field, (size_t)(colon + 1));
	while (rest.n > 0) {
		spec = str_split(&rest, ';');
		ssize_t eq = str_find(spec, '=');

		if (eq >= 0 && str_is(trim_fws(str_upto(spec, (size_t)eq)), S("b"))) {
			struct str before = str_n(field.p, (size_t)(spec.p + eq + 1 - field.p));

			return str_cat(a, before, str_n(spec.p + spec.n, (size_t)(field.p + field.n - (spec.p + spec.n))));
		}
	}
	return field;
}
