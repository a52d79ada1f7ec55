/* SPDX-License-Identifier: MIT */
/* What the checks of options share. */
#include "base/ip.h"
#include "base/utf8.h"
#include "config/config_internal.h"

void *
config_room(struct arena *a, void *v, size_t n, size_t *cap, size_t size)
{
	if (n == *cap) {
		size_t want = *cap ? 2 * *cap : 8;

		v = arena_grow(a, v, n, want, size);
		*cap = want;
	}
	return v;
}

void
config_enter(struct config_check *c, struct str name)
{
	if (c->depth == ARRAY_LEN(c->at))
		bug("options nested too deeply");
	c->at[c->depth].name = name;
	c->at[c->depth++].is_index = false;
}

void
config_enter_index(struct config_check *c, size_t index)
{
	config_enter(c, str_fmt(c->a, "%zu", index));
	c->at[c->depth - 1].is_index = true;
}

void
config_leave(struct config_check *c, size_t levels)
{
	c->depth -= levels;
}

/* Line of the field or place, and "Accounts.x.Destinations.y@z.Rulesets[0].Mailbox: text". */
static struct str message(struct config_check *c, const char *field, unsigned *r_line, const char *fmt, va_list ap)
    printf_(4, 0);
static struct str
message(struct config_check *c, const char *field, unsigned *r_line, const char *fmt, va_list ap)
{
	struct buf b = BUF_ARENA(c->a, 4096);
	struct str path[ARRAY_LEN(c->at) + 1];
	size_t n = 0;

	for (; n < c->depth; n++) {
		path[n] = c->at[n].name;
		if (c->at[n].is_index)
			buf_addf(&b, "[" STRF "]", STRA(path[n]));
		else
			buf_addf(&b, "%s" STRF, n ? "." : "", STRA(path[n]));
	}
	if (field) {
		path[n] = str_of(field);
		buf_addf(&b, "%s%s", n++ ? "." : "", field);
	}
	buf_addz(&b, b.n ? ": " : "");
	buf_addv(&b, fmt, ap);
	*r_line = sconf_line(c->root, path, n);
	return buf_str(&b);
}

void
config_errorf(struct config_check *c, const char *field, const char *fmt, ...)
{
	unsigned line;
	va_list ap;

	va_start(ap, fmt);
	struct str text = message(c, field, &line, fmt, ap);
	va_end(ap);
	sconf_errorf(c->r, line, STRF, STRA(text));
}

void
config_warnf(struct config_check *c, const char *field, const char *fmt, ...)
{
	unsigned line;
	va_list ap;

	va_start(ap, fmt);
	struct str text = message(c, field, &line, fmt, ap);
	va_end(ap);
	sconf_warnf(c->r, line, STRF, STRA(text));
}

bool
config_check_domain(struct config_check *c, const char *field, struct str name, struct idna_domain *r_d)
{
	struct errmsg e = { 0 };

	if (idna_parse(c->a, name, 0, r_d, &e) == 0)
		return true;
	config_errorf(c, field, "\"" STRF "\" is no domain name: %s", STRA(name), e.text);
	return false;
}

bool
config_check_unicode_domain(struct config_check *c, const char *field, struct str name, struct idna_domain *r_d)
{
	if (!config_check_domain(c, field, name, r_d))
		return false;
	struct str want = idna_text(r_d, true);
	if (str_is(name, want))
		return true;
	config_errorf(c, field, "\"" STRF "\" must be written as \"" STRF "\"", STRA(name), STRA(want));
	return false;
}

bool
config_check_box(struct config_check *c, const char *field, struct str *name, bool allow_inbox)
{
	struct errmsg e = { 0 };

	if (config_check_mailbox(c->a, *name, allow_inbox, name, &e) == 0)
		return true;
	config_errorf(c, field, "\"" STRF "\" cannot be the name of a mailbox here: %s", STRA(*name), e.text);
	return false;
}

bool
config_check_text(struct config_check *c, const char *field, struct str s)
{
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] < 0x20 || s.p[i] > 0x7e) {
			config_errorf(c, field, "may only have printable ASCII characters");
			return false;
		}
	}
	return true;
}

bool
config_check_ips(struct config_check *c, const char *field, const struct typedesc_str_list *l)
{
	bool good = true;
	struct ip ip;

	for (size_t i = 0; i < l->n; i++) {
		if (ip_parse(l->v[i], &ip) == 0)
			continue;
		config_errorf(c, field, "\"" STRF "\" is no IP address", STRA(l->v[i]));
		good = false;
	}
	return good;
}

struct regexp *
config_check_regexp(struct config_check *c, const char *field, struct str pattern)
{
	struct errmsg e = { 0 };
	struct regexp *re;

	if (pattern.n == 0)
		return NULL;
	if (regexp_compile(pattern, &re, &e) < 0) {
		config_errorf(c, field, "%s", e.text);
		return NULL;
	}
	*CONFIG_PUSH(c->a, c->priv->regexps, c->priv->nregexps, c->priv->regexps_cap) = re;
	return re;
}

bool
config_check_url(struct config_check *c, const char *field, struct str url)
{
	struct str rest = url, scheme = str_split(&rest, ':');

	if (!str_icase(scheme, S("http")) && !str_icase(scheme, S("https"))) {
		config_errorf(c, field, "must begin with http:// or https://");
		return false;
	}
	for (size_t i = 0; i < url.n; i++) {
		if ((unsigned char)url.p[i] <= ' ' || url.p[i] == 0x7f) {
			config_errorf(c, field, "has white space or control characters");
			return false;
		}
	}
	if (!str_starts(rest, S("//")) || rest.n == 2 || strchr("/?#:", rest.p[2])) {
		config_errorf(c, field, "has no host");
		return false;
	}
	return true;
}

struct str
config_path(struct config_check *c, struct str path)
{
	if (path.n == 0 || path.p[0] == '/')
		return str_dup(c->a, path);
	return str_fmt(c->a, STRF "/" STRF, STRA(c->base->dir), STRA(path));
}

/* Why an element of a mailbox name is not allowed, or NULL. */
static const char *
bad_element(struct str s)
{
	if (s.n == 0)
		return "empty part between slashes";
	if (str_is(s, S(".")) || str_is(s, S("..")))
		return "\".\" or \"..\"";
	return NULL;
}

int
config_check_mailbox(struct arena *a, struct str name, bool allow_inbox, struct str *r_name, struct errmsg *e)
{
	struct str rest = name, first = str_split(&rest, '/'), s;
	uint32_t cp;
	int n;

	if (!utf8_valid(name) || !utf8_is_nfc(name))
		return err_set(e, ERR_INVALID, "not in Unicode normal form C");
	if (name.n > LIMIT_MAILBOX_NAME)
		return err_set(e, ERR_INVALID, "longer than %d bytes", LIMIT_MAILBOX_NAME);
	if (str_starts(name, S("#")))
		return err_set(e, ERR_INVALID, "begins with #");
	for (s = name; s.n; s = str_from(s, (size_t)n)) {
		n = utf8_next(s, &cp);
		if (cp <= 0x1f || (cp >= 0x7f && cp <= 0x9f) || cp == 0x2028 || cp == 0x2029)
			return err_set(e, ERR_INVALID, "control character");
	}
	for (s = name;;) {
		ssize_t slash = str_find(s, '/');
		const char *bad = bad_element(slash < 0 ? s : str_upto(s, (size_t)slash));

		if (bad)
			return err_set(e, ERR_INVALID, "%s", bad);
		if (slash < 0)
			break;
		s = str_from(s, (size_t)slash + 1);
	}
	if (!str_icase(first, S("Inbox"))) {
		*r_name = str_dup(a, name);
		return 0;
	}
	if (!allow_inbox && first.n == name.n)
		return err_set(e, ERR_INVALID, "it is Inbox");
	*r_name = str_cat(a, S("Inbox"), str_from(name, first.n));
	return 0;
}
