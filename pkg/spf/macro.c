/* SPDX-License-Identifier: MIT */
/* macro.c - expansion of macros, rfc/7208:1557 */
#include "base/enc.h"
#include "base/timeutil.h"
#include "spf/spf_internal.h"

/* "192.0.2.1", or for IPv6 nibbles with dots: rfc/7208:1704 */
static struct str
dotted(struct arena *a, const struct ip *ip)
{
	struct buf b = BUF_ARENA(a, 128);

	if (ip->family != 6)
		return ip_str(a, ip);
	for (int i = 0; i < 16; i++)
		buf_addf(&b, "%s%X.%X", i ? "." : "", ip->a[i] >> 4, ip->a[i] & 15);
	return buf_str(&b);
}

/* The validated name for %{p}: the domain itself, else one below it, else any, else "unknown": rfc/7208:1711 */
static enum spf_status
validated_name(struct spf_eval *e, struct str domain, struct str *r_name)
{
	struct strlist names = { 0 };
	enum spf_status s = spf_count_term(e);

	if (s == SPF_NONE)
		s = spf_validated(e, &names);
	if (s != SPF_NONE)
		return s;
	*r_name = names.n > 0 ? names.v[0] : S("unknown");
	for (size_t i = 0; i < names.n; i++)
		if (str_iends(names.v[i], str_cat(e->a, S("."), domain))) {
			*r_name = names.v[i];
			break;
		}
	if (strlist_ihas(&names, domain))
		*r_name = domain;
	return SPF_NONE;
}

static enum spf_status
value_of(struct spf_eval *e, struct str domain, char letter, struct str *r_value)
{
	const struct spf_args *g = e->args;

	switch (letter) {
	case 's':
		*r_value = str_fmt(e->a, STRF "@" STRF, STRA(e->localpart), STRA(e->sender_domain));
		break;
	case 'l':
		*r_value = e->localpart;
		break;
	case 'o':
		*r_value = e->sender_domain;
		break;
	case 'd':
		*r_value = domain;
		break;
	case 'i':
		*r_value = dotted(e->a, &g->remote_ip);
		break;
	case 'p':
		return validated_name(e, domain, r_value);
	case 'v':
		*r_value = g->remote_ip.family == 6 ? S("ip6") : S("in-addr");
		break;
	case 'h':
		*r_value = g->helo_domain.n > 0 ? g->helo_domain : dotted(e->a, &g->helo_ip);
		break;
	case 'c':
		*r_value = ip_str(e->a, &g->remote_ip);
		break;
	case 'r':
		*r_value = g->local_hostname.n > 0 ? g->local_hostname : S("unknown");
		break;
	case 't':
		*r_value = str_fmt(e->a, "%lld", (long long)(clock_now_us(g->clock) / TIME_SEC));
		break;
	default:
		bug("SPF macro letter %d", letter);
	}
	return SPF_NONE;
}

/* Splits at any delimiter, reverses, keeps the last `keep` parts, joins with dots: rfc/7208:1657 */
static struct str
transform(struct arena *a, struct str v, uint32_t keep, bool reverse, struct str delimiters)
{
	struct strlist parts = { 0 };
	struct buf b = BUF_ARENA(a, SPF_MAX_TEXT);
	size_t start = 0, first;

	for (size_t i = 0; i <= v.n; i++)
		if (i == v.n || str_has(delimiters, v.p[i])) {
			strlist_add(a, &parts, str_n(v.p + start, i - start));
			start = i + 1;
		}
	first = keep > 0 && keep < parts.n ? parts.n - keep : 0;
	for (size_t i = first; i < parts.n; i++) {
		if (i > first)
			buf_addc(&b, '.');
		buf_add(&b, parts.v[reverse ? parts.n - 1 - i : i]);
	}
	return buf_str(&b);
}

/* One "%{...}" macro that was checked by spf_macro_length. */
static enum spf_status
expand_macro(struct spf_eval *e, struct str domain, struct str macro, struct buf *out)
{
	char letter = macro.p[2];
	bool escape = letter >= 'A' && letter <= 'Z', reverse = false;
	struct str inner = str_n(macro.p + 3, macro.n - 4), digits, value = { 0 };
	uint32_t keep = 0;
	enum spf_status s = value_of(e, domain, (char)(letter | 0x20), &value);
	size_t n = 0;

	if (s != SPF_NONE)
		return s;
	while (n < inner.n && inner.p[n] >= '0' && inner.p[n] <= '9')
		n++;
	digits = str_upto(inner, n);
	if (digits.n > 0 && str_u32(digits, &keep) < 0)
		keep = UINT32_MAX;
	inner = str_from(inner, n);
	if (str_istarts(inner, S("r"))) {
		reverse = true;
		inner = str_from(inner, 1);
	}
	if (digits.n > 0 || reverse || inner.n > 0)
		value = transform(e->a, value, keep, reverse, inner.n > 0 ? inner : S("."));
	if (escape)
		enc_percent(out, value);
	else
		buf_add(out, value);
	return SPF_NONE;
}

enum spf_status
spf_expand(struct spf_eval *e, struct str domain, struct str spec, bool in_text, struct str *r_out)
{
	struct buf out = BUF_ARENA(e->a, SPF_MAX_TEXT);

	while (spec.n > 0) {
		size_t n = spec.p[0] == '%' ? spf_macro_length(spec, in_text) : 1;

		if (n == 0)
			return spf_fail_with(e, SPF_PERMERROR, "bad macro");
		if (spec.p[0] != '%') {
			buf_addc(&out, spec.p[0]);
		} else if (spec.p[1] != '{') {
			buf_addz(&out, spec.p[1] == '%' ? "%" : spec.p[1] == '_' ? " " : "%20");
		} else {
			enum spf_status s = expand_macro(e, domain, str_upto(spec, n), &out);

			if (s != SPF_NONE)
				return s;
		}
		spec = str_from(spec, n);
	}
	if (out.failed)
		return spf_fail_with(e, SPF_PERMERROR, "text of a macro is too long");
	*r_out = buf_str(&out);
	return SPF_NONE;
}

enum spf_status
spf_target(struct spf_eval *e, struct str domain, struct str spec, struct str *r_name)
{
	struct str name = domain;

	if (spec.n > 0) {
		enum spf_status s = spf_expand(e, domain, spec, false, &name);

		if (s != SPF_NONE)
			return s;
	}
	if (str_ends(name, S(".")))
		name.n--;
	/* Labels are dropped from the left until the name fits: rfc/7208:1751 */
	while (name.n > 253) {
		ssize_t dot = str_find(name, '.');

		if (dot < 0)
			return spf_fail_with(e, SPF_PERMERROR, "name is too long");
		name = str_from(name, (size_t)dot + 1);
	}
	*r_name = name;
	return SPF_NONE;
}
