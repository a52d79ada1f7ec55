/* SPDX-License-Identifier: MIT */
/*
 * What threading compares: canonical Message-IDs, references, base subjects (RFC 5256 2.1).
 */
#include "message/header.h"

#include "base/utf8.h"
#include "message/message_internal.h"

static bool
is_wsp(char c)
{
	return c == ' ' || c == '\t';
}

/* canonical gives the comparable form of an id without brackets: lower-case, and the localpart with the least quoting. */
static struct str
canonical(struct arena *a, struct str id, bool *r_raw)
{
	struct str lp, low = utf8_lower(a, id);
	ssize_t at = str_rfind(low, '@');

	*r_raw = true;
	if (at < 0)
		return low;
	struct str dom = str_from(low, (size_t)at + 1);
	struct smtp_ipdomain host;
	if (smtp_parse_localpart(a, str_upto(low, (size_t)at), SMTP_UTF8, &lp, NULL) < 0)
		return low;
	if (smtp_parse_ipdomain(a, dom, SMTP_UTF8 | SMTP_UNDERSCORE, &host, NULL) < 0)
		return low;
	*r_raw = false;
	return str_fmt(a, STRF "@" STRF, STRA(smtp_localpart(a, lp)), STRA(dom));
}

int
message_id_canonical(struct arena *a, struct str body, bool pedantic, struct str *r_id, bool *r_raw)
{
	struct str s = message_unfold(a, body);
	bool raw;

	if (s.n == 0 || s.p[0] != '<')
		return ERR_INVALID;
	ssize_t end = str_find(s, '>');
	if (end <= 1)
		return ERR_INVALID;
	struct str after = str_from(s, (size_t)end + 1);
	if (after.n > 0 && (pedantic || after.p[0] != ' '))
		return ERR_INVALID;
	struct str id = canonical(a, str_from(str_upto(s, (size_t)end), 1), &raw);
	*r_id = id;
	if (r_raw)
		*r_raw = raw;
	return 0;
}

/*
 * next_id takes the next id of a References field, and returns it without white space; n == 0 at the end. Of "<a <b>" the first
 * was cut off by some relay and is skipped.
 */
static struct str
next_id(struct arena *a, struct str *s)
{
	for (;;) {
		*s = str_trim(*s);
		if (s->n == 0)
			return *s;
		if (s->p[0] != '<') {
			size_t i = 0;
			while (i < s->n && s->p[i] != ' ' && s->p[i] != '>')
				i++;
			*s = str_from(*s, i + 1);
			continue;
		}
		size_t i = 1, n = 0;
		while (i < s->n && s->p[i] != '<' && s->p[i] != '>')
			i++;
		if (i == s->n) {
			*s = str_from(*s, i);
			return *s;
		}
		struct str id = str_n(s->p + 1, i - 1);
		*s = str_from(*s, s->p[i] == '<' ? i : i + 1);
		if (s->p[-1] != '>')
			continue;
		char *out = arena_bytes(a, id.n + 1);
		for (size_t k = 0; k < id.n; k++) {
			if (!is_wsp(id.p[k]))
				out[n++] = id.p[k];
		}
		if (n > 0)
			return str_n(out, n);
	}
}

void
message_references(struct arena *a, struct str header, struct strlist *r_ids)
{
	struct message_field f;
	size_t before = r_ids->n;
	bool raw;

	for (struct str rest = header; message_field_next(&rest, &f, NULL);) {
		if (!str_icase(f.name, S("References")))
			continue;
		struct str s = message_unfold(a, f.body);
		for (struct str id; (id = next_id(a, &s)).n > 0;)
			strlist_add(a, r_ids, canonical(a, id, &raw));
	}
	/* In-Reply-To often has prose; only an id at its start counts, and only if References had none. */
	for (struct str rest = header; r_ids->n == before && message_field_next(&rest, &f, NULL);) {
		if (!str_icase(f.name, S("In-Reply-To")))
			continue;
		struct str s = message_unfold(a, f.body);
		if (s.n == 0 || s.p[0] != '<')
			continue;
		struct str one = s;
		ssize_t gt = str_find(s, '>');
		ssize_t lt = str_find(str_from(s, 1), '<');
		if (gt < 0 || (lt >= 0 && lt + 1 < gt))
			continue;
		one = str_upto(s, (size_t)gt + 1);
		struct str id = next_id(a, &one);
		if (id.n > 0)
			strlist_add(a, r_ids, canonical(a, id, &raw));
	}
}

/* collapse: lower case, no CR, white space runs to one space. */
static struct str
collapse(struct arena *a, struct str s)
{
	s = utf8_lower(a, s);
	char *out = arena_bytes(a, s.n + 1);
	size_t n = 0;

	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];
		if (c == '\r')
			continue;
		if (c == '\t' || c == '\n')
			c = ' ';
		if (c == ' ' && n > 0 && out[n - 1] == ' ')
			continue;
		out[n++] = c;
	}
	return str_n(out, n);
}

static struct str
trim_right(struct str s)
{
	while (s.n > 0 && s.p[s.n - 1] == ' ')
		s.n--;
	return s;
}

/* subj-blob = "[" *BLOBCHAR "]" *WSP       rfc/5256:803 */
static bool
take_blob(struct str *s)
{
	size_t i = 1;

	if (s->n == 0 || s->p[0] != '[')
		return false;
	while (i < s->n && s->p[i] != ']' && s->p[i] != '[')
		i++;
	if (i == s->n || s->p[i] != ']')
		return false;
	i++;
	while (i < s->n && s->p[i] == ' ')
		i++;
	*s = str_from(*s, i);
	return true;
}

/* subj-leader = (*subj-blob subj-refwd) / WSP; subj-refwd = ("re" / ("fw" ["d"])) *WSP [subj-blob] ":"   rfc/5256:811 */
static bool
take_leader(struct str *s)
{
	struct str t = *s;

	while (take_blob(&t))
		continue;
	if (str_starts(t, S("re")))
		t = str_from(t, 2);
	else if (str_starts(t, S("fwd")))
		t = str_from(t, 3);
	else if (str_starts(t, S("fw")))
		t = str_from(t, 2);
	else
		return false;
	while (t.n > 0 && t.p[0] == ' ')
		t = str_from(t, 1);
	take_blob(&t);
	if (t.n == 0 || t.p[0] != ':')
		return false;
	*s = str_from(t, 1);
	return true;
}

struct str
message_base_subject(struct arena *a, struct str subject, bool *r_response)
{
	struct str s = collapse(a, subject);

	*r_response = false;
	for (;;) {
		/* subj-trailer = "(fwd)" / WSP         rfc/5256:817 */
		for (s = trim_right(s); str_ends(s, S("(fwd)")); s = trim_right(s)) {
			s.n -= 5;
			*r_response = true;
		}
		for (;;) {
			if (s.n > 0 && s.p[0] == ' ') {
				s = str_from(s, 1);
			} else if (take_leader(&s)) {
				*r_response = true;
			} else {
				/* No leader follows these blobs, nor would one after removing some: all can go, but for a last one that is all. */
				struct str rest = s;
				while (take_blob(&rest) && rest.n > 0)
					s = rest;
				break;
			}
		}
		if (!str_starts(s, S("[fwd:")) || !str_ends(s, S("]")))
			break;
		s = str_from(str_upto(s, s.n - 1), 5);
		*r_response = true;
	}
	return str_has(s, '\0') ? (struct str){ 0 } : s;
}
