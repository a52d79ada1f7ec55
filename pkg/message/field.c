/* SPDX-License-Identifier: MIT */
/*
 * Header fields as lines: finding, unfolding, spelling.
 */
#include "message/header.h"

#include "base/limits.h"
#include "message/message_internal.h"

/* take_line cuts the first line with its line end off *s. */
static struct str
take_line(struct str *s)
{
	const char *lf = s->n > 0 ? memchr(s->p, '\n', s->n) : NULL;
	struct str line = lf ? str_n(s->p, (size_t)(lf - s->p) + 1) : *s;

	*s = str_from(*s, line.n);
	return line;
}

static bool
is_wsp(char c)
{
	return c == ' ' || c == '\t';
}

static struct str
without_eol(struct str line)
{
	if (line.n > 0 && line.p[line.n - 1] == '\n')
		line.n--;
	if (line.n > 0 && line.p[line.n - 1] == '\r')
		line.n--;
	return line;
}

/* field-name = 1*ftext, printable ASCII but ':'  rfc/5322:1689. White space before the colon is obsolete syntax: rfc/5322:2117 */
static struct str
take_name(struct str line)
{
	const char *colon = line.n > 0 ? memchr(line.p, ':', line.n) : NULL;
	struct str name = str_n(line.p, colon ? (size_t)(colon - line.p) : 0);

	while (name.n > 0 && is_wsp(name.p[name.n - 1]))
		name.n--;
	for (size_t i = 0; i < name.n; i++) {
		if (name.p[i] <= ' ' || name.p[i] == 0x7f)      /* char is signed: 8-bit characters are below ' ' too */
			return (struct str){ 0 };
	}
	return name;
}

bool
message_field_next(struct str *rest, struct message_field *r_f, bool *r_skipped)
{
	while (rest->n > 0) {
		const char *start = rest->p;
		struct str line = take_line(rest);
		struct str name = take_name(line);

		if (without_eol(line).n == 0) {
			*rest = str_n(start, 0);
			return false;
		}
		while (rest->n > 0 && is_wsp(rest->p[0]))
			take_line(rest);
		if (name.n == 0 || is_wsp(line.p[0])) {
			if (r_skipped)
				*r_skipped = true;
			continue;
		}
		r_f->name = name;
		r_f->raw = str_n(start, (size_t)(rest->p - start));
		r_f->body = without_eol(r_f->raw);
		const char *colon = memchr(start, ':', r_f->raw.n);
		r_f->body = str_from(r_f->body, (size_t)(colon - start) + 1);
		return true;
	}
	return false;
}

bool
message_field_find(struct str header, struct str name, struct message_field *r_f)
{
	struct message_field f;

	while (message_field_next(&header, &f, NULL)) {
		if (str_icase(f.name, name)) {
			*r_f = f;
			return true;
		}
	}
	return false;
}

size_t
message_field_count(struct str header, struct str name)
{
	struct message_field f;
	size_t n = 0;

	while (message_field_next(&header, &f, NULL))
		n += str_icase(f.name, name);
	return n;
}

struct str
message_unfold(struct arena *a, struct str body)
{
	body = str_trim(body);
	if (body.n == 0 || !memchr(body.p, '\n', body.n))
		return body;

	char *out = arena_bytes(a, body.n + 1);
	size_t n = 0;
	while (body.n > 0) {
		struct str line = str_trim(take_line(&body));
		if (n > 0 && line.n > 0)
			out[n++] = ' ';
		memcpy(out + n, line.p, line.n);
		n += line.n;
	}
	out[n] = '\0';
	return str_n(out, n);
}

struct str
message_field_text(struct arena *a, struct str body)
{
	return message_decode_words(a, message_unfold(a, body));
}

struct str
message_header_get(struct arena *a, struct str header, struct str name)
{
	struct message_field f;

	if (!message_field_find(header, name, &f))
		return (struct str){ 0 };
	struct str s = message_field_text(a, f.body);
	return s.p ? s : S("");
}

struct str
message_field_name(struct arena *a, struct str name)
{
	char *out = arena_bytes(a, name.n + 1);
	bool start = true;

	for (size_t i = 0; i < name.n; i++) {
		char c = name.p[i];
		if (start && c >= 'a' && c <= 'z')
			c = (char)(c - 0x20);
		else if (!start && c >= 'A' && c <= 'Z')
			c = (char)(c + 0x20);
		start = c == '-';
		out[i] = c;
	}
	out[name.n] = '\0';
	return str_n(out, name.n);
}

int
message_read_header(struct arena *a, const struct message_source *src, struct str *r_header)
{
	int64_t size = message_source_size(src);
	int64_t n = 0;

	/* Headers are short: look at 8 KiB, then at all that a header may have. */
	for (int64_t want = 8192; n < MIN(size, (int64_t)LIMIT_HEADER_SIZE); want = LIMIT_HEADER_SIZE) {
		struct str s;
		n = MIN(size, want);
		TRY(message_source_bytes(a, src, 0, n, &s));
		for (struct str rest = s; rest.n > 0;) {
			struct str line = take_line(&rest);
			if (line.p[line.n - 1] == '\n' && without_eol(line).n == 0) {
				*r_header = str_n(s.p, (size_t)(rest.p - s.p));
				return 0;
			}
		}
	}
	return ERR_NOTFOUND;
}
