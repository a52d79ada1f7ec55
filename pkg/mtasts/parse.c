/* SPDX-License-Identifier: MIT */
/* parse.c - records (rfc/8461:309) and policies (rfc/8461:429), and writing them again. */
#include "base/buf.h"
#include "base/cur.h"
#include "base/utf8.h"
#include "idna/idna.h"
#include "mtasts/mtasts.h"

#define ALNUM(w) (CUR_RANGE(w, 'a', 'z') | CUR_RANGE(w, 'A', 'Z') | CUR_RANGE(w, '0', '9'))
#define NAME(w) (ALNUM(w) | CUR_CHAR(w, '_') | CUR_CHAR(w, '-') | CUR_CHAR(w, '.'))
#define VALUE(w) (CUR_RANGE(w, 0x21, 0x3a) | CUR_CHAR(w, 0x3c) | CUR_RANGE(w, 0x3e, 0x7e))
static const struct cur_class name_chars = CUR_CLASS(NAME), value_chars = CUR_CLASS(VALUE);

/* sts-ext-name and sts-policy-ext-name: at most 32 characters, the first a letter or digit: rfc/8461:323 */
static struct str
ext_name(struct cur *c)
{
	struct str name = cur_span1(c, &name_chars, "name of a field");

	if (cur_ok(c) && (name.n > 32 || !cur_class_has(&cur_alnum, (unsigned char)name.p[0])))
		cur_fail(c, "name of at most 32 characters that starts with a letter or digit");
	return name;
}

static void
add_pair(struct arena *a, struct mtasts_pair **v, size_t *n, struct str name, struct str value)
{
	*v = arena_grow(a, *v, *n, *n + 1, sizeof(**v));
	(*v)[(*n)++] = (struct mtasts_pair){ name, value };
}

/* sts-field-delim = *WSP ";" *WSP. False, without moving, if there is none. */
static bool
delimiter(struct cur *c)
{
	struct cur save = *c;

	cur_span(c, &cur_wsp);
	if (!cur_try(c, ';')) {
		*c = save;
		return false;
	}
	cur_span(c, &cur_wsp);
	return true;
}

static int
invalid(struct arena *a, const struct cur *c, struct errmsg *e)
{
	return err_set(e, ERR_INVALID, STRF, STRA(cur_error(a, c)));
}

int
mtasts_parse_record(struct arena *a, struct str txt, struct mtasts_record *r_record, bool *r_is_sts, struct errmsg *e)
{
	struct mtasts_record r = { 0 };
	struct cur c = cur_of(txt);

	cur_str(&c, S("v=STSv1"));
	*r_is_sts = cur_ok(&c) && delimiter(&c);
	if (!*r_is_sts)
		return err_set(e, ERR_INVALID, "does not start with \"v=STSv1;\"");
	do {
		/* Of a repeated field the first counts: rfc/8461:518 */
		if (r.id.n == 0 && cur_try_str(&c, S("id="))) {
			r.id = cur_span1(&c, &cur_alnum, "id of letters and digits");
			if (r.id.n > 32)
				cur_fail(&c, "id of at most 32 characters");
		} else {
			struct str name = ext_name(&c), value;

			cur_char(&c, '=');
			value = cur_span1(&c, &value_chars, "value of a field");
			if (cur_ok(&c))
				add_pair(a, &r.extensions, &r.nextensions, name, value);
		}
	} while (cur_ok(&c) && delimiter(&c) && !cur_end(&c));
	if (!cur_done(&c))
		return invalid(a, &c, e);
	if (r.id.n == 0)
		return err_set(e, ERR_INVALID, "id is missing");
	*r_record = r;
	return 0;
}

struct str
mtasts_pack_record(struct arena *a, const struct mtasts_record *r)
{
	struct buf b = BUF_ARENA(a, 65536);

	buf_addf(&b, "v=STSv1; id=" STRF, STRA(r->id));
	for (size_t i = 0; i < r->nextensions; i++)
		buf_addf(&b, "; " STRF "=" STRF, STRA(r->extensions[i].name), STRA(r->extensions[i].value));
	return buf_str(&b);
}

const char *
mtasts_mode_text(enum mtasts_mode m)
{
	static const char *const text[] = { "none", "testing", "enforce" };

	bug_if((size_t)m >= ARRAY_LEN(text));
	return text[m];
}

/* Which single fields were there. */
struct seen {
	bool version, mode, max_age;
};

static int
take_mode(struct str value, enum mtasts_mode *r_mode)
{
	for (int m = MTASTS_NONE; m <= MTASTS_ENFORCE; m++)
		if (str_is(value, str_of(mtasts_mode_text((enum mtasts_mode)m)))) {
			*r_mode = (enum mtasts_mode)m;
			return 0;
		}
	return ERR_INVALID;
}

/* ["*."] Domain, in A-labels: rfc/8461:412 */
static int
take_mx(struct arena *a, struct str value, struct mtasts_policy *p)
{
	struct mtasts_mx mx = { .wildcard = str_starts(value, S("*.")) };
	struct idna_domain d;

	if (!str_is_ascii(value))
		return ERR_INVALID;
	TRY(idna_parse(a, mx.wildcard ? str_from(value, 2) : value, 0, &d, NULL));
	mx.domain = d.ascii;
	p->mx = arena_grow(a, p->mx, p->nmx, p->nmx + 1, sizeof(*p->mx));
	p->mx[p->nmx++] = mx;
	return 0;
}

static int
take_max_age(struct str value, int64_t *r_s)
{
	uint64_t v;

	if (value.n > 10 || str_u64(value, &v) < 0 || v > MTASTS_MAX_AGE)
		return ERR_INVALID;
	*r_s = (int64_t)v;
	return 0;
}

static bool
is_text(struct str value)
{
	for (size_t i = 0; i < value.n; i++)
		if ((unsigned char)value.p[i] < 0x20 || value.p[i] == 0x7f)
			return false;
	return value.n > 0 && utf8_valid(value);
}

static int
take_field(struct arena *a, struct str name, struct str value, struct mtasts_policy *p, struct seen *seen)
{
	if (str_is(name, S("mx")))
		return take_mx(a, value, p);
	if (str_is(name, S("version")) && !seen->version) {
		seen->version = true;
		return str_is(value, S("STSv1")) ? 0 : ERR_INVALID;
	}
	if (str_is(name, S("mode")) && !seen->mode) {
		seen->mode = true;
		return take_mode(value, &p->mode);
	}
	if (str_is(name, S("max_age")) && !seen->max_age) {
		seen->max_age = true;
		return take_max_age(value, &p->max_age_s);
	}
	if (!is_text(value))
		return ERR_INVALID;
	add_pair(a, &p->extensions, &p->nextensions, name, value);
	return 0;
}

static bool
is_wsp(char c)
{
	return c == ' ' || c == '\t';
}

int
mtasts_parse_policy(struct arena *a, struct str text, struct mtasts_policy *r_policy, struct errmsg *e)
{
	struct mtasts_policy p = { 0 };
	struct seen seen = { 0 };

	if (text.n > MTASTS_MAX_POLICY)
		return err_set(e, ERR_INVALID, "larger than %d octets", MTASTS_MAX_POLICY);
	for (unsigned n = 1; text.n > 0; n++) {
		struct str line = str_split(&text, '\n'), name;
		struct cur c;

		if (str_ends(line, S("\r")))
			line.n--;
		while (line.n > 0 && is_wsp(line.p[line.n - 1]))
			line.n--;
		c = cur_of(line);
		name = ext_name(&c);
		cur_char(&c, ':');
		cur_span(&c, &cur_wsp);
		if (!cur_ok(&c))
			return err_set(e, ERR_INVALID, "line %u: " STRF, n, STRA(cur_error(a, &c)));
		if (take_field(a, name, cur_rest(&c), &p, &seen) < 0)
			return err_set(e, ERR_INVALID, "line %u: value of " STRF, n, STRA(name));
	}
	if (!seen.version || !seen.mode || !seen.max_age)
		return err_set(e, ERR_INVALID, "%s is missing", !seen.version ? "version" : !seen.mode ? "mode" : "max_age");
	if (p.nmx == 0 && p.mode != MTASTS_NONE)
		return err_set(e, ERR_INVALID, "mx is missing");
	*r_policy = p;
	return 0;
}

struct str
mtasts_mx_text(struct arena *a, const struct mtasts_mx *mx)
{
	return mx->wildcard ? str_cat(a, S("*."), mx->domain) : mx->domain;
}

struct str
mtasts_pack_policy(struct arena *a, const struct mtasts_policy *p)
{
	struct buf b = BUF_ARENA(a, 4 * MTASTS_MAX_POLICY);

	buf_addf(&b, "version: STSv1\nmode: %s\nmax_age: %lld\n", mtasts_mode_text(p->mode), (long long)p->max_age_s);
	for (size_t i = 0; i < p->nmx; i++)
		buf_addf(&b, "mx: " STRF "\n", STRA(mtasts_mx_text(a, &p->mx[i])));
	return buf_str(&b);
}

bool
mtasts_match(const struct mtasts_policy *p, struct str host)
{
	struct str rest;

	if (str_ends(host, S(".")))
		host.n--;
	rest = host;
	str_split(&rest, '.');
	for (size_t i = 0; i < p->nmx; i++)
		if (str_icase(p->mx[i].domain, p->mx[i].wildcard ? rest : host))
			return true;
	return false;
}
