/* SPDX-License-Identifier: MIT */
/* canon.c - canonical forms of fields and body, rfc/6376:775 */
#include <openssl/evp.h>

#include "base/buf.h"
#include "dkim/dkim.h"

static bool
is_wsp(char c)
{
	return c == ' ' || c == '\t';
}

static void
canon_relaxed(struct buf *out, struct str field)
{
	ssize_t colon = str_find(field, ':');
	struct str name = str_upto(field, colon < 0 ? field.n : (size_t)colon);
	struct str value = str_from(field, colon < 0 ? field.n : (size_t)colon + 1);
	bool ends = str_ends(field, S("\r\n")), space = false, any = false;

	while (name.n > 0 && is_wsp(name.p[name.n - 1]))
		name.n--;
	for (size_t i = 0; i < name.n; i++)
		buf_addc(out, name.p[i] >= 'A' && name.p[i] <= 'Z' ? (char)(name.p[i] | 0x20) : name.p[i]);
	buf_addc(out, ':');
	for (size_t i = 0; i < value.n; i++) {
		char c = value.p[i];

		if (c == '\r' || c == '\n')
			continue;
		if (is_wsp(c)) {
			space = any;
			continue;
		}
		if (space)
			buf_addc(out, ' ');
		buf_addc(out, c);
		space = false;
		any = true;
	}
	if (ends)
		buf_addz(out, "\r\n");
}

void
dkim_canon_field(struct buf *out, struct str field, enum dkim_canon canon)
{
	if (canon == DKIM_SIMPLE)
		buf_add(out, field);
	else
		canon_relaxed(out, field);
}

int
dkim_body_init(struct dkim_body *b, enum dkim_canon canon)
{
	*b = (struct dkim_body){ .canon = canon, .md = EVP_MD_CTX_new() };
	return b->md && EVP_DigestInit_ex2(b->md, EVP_sha256(), NULL) == 1 ? 0 : ERR_IO;
}

static void
update(struct dkim_body *b, const char *p, size_t n)
{
	/* Cannot fail for a context that was initialised. */
	bug_if(EVP_DigestUpdate(b->md, p, n) != 1);
}

/* Line ends count only when something follows them. They are counted, not kept: a message may end in millions of them. */
static void
flush_line_ends(struct dkim_body *b)
{
	static const char crlf[] = "\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n";

	while (b->line_ends > 0) {
		uint64_t n = MIN(b->line_ends, (uint64_t)8);

		update(b, crlf, (size_t)n * 2);
		b->line_ends -= n;
	}
}

/* Content of a line, without line end. What is held back (line ends, a space, a CR) is written first. */
static void
content(struct dkim_body *b, const char *p, size_t n)
{
	flush_line_ends(b);
	if (b->space)
		update(b, " ", 1);
	if (b->cr)
		update(b, "\r", 1);
	b->space = b->cr = false;
	b->wrote = true;
	update(b, p, n);
}

static void
line_end(struct dkim_body *b)
{
	/* White space at the end of a line goes in relaxed form; a line that had nothing else is an empty one. */
	b->space = b->cr = false;
	b->line_ends++;
}

/* What may change in canonical form: a CR, and white space in relaxed form. */
static const bool special[2][256] = {
	[DKIM_SIMPLE] = { ['\r'] = true },
	[DKIM_RELAXED] = { ['\r'] = true, [' '] = true, ['\t'] = true },
};

/*
 * End of the run from i on that is its own canonical form, so that it can be hashed in one piece, over lines: no special
 * character but single spaces and line ends with something plain behind them. s.p[i] is not special.
 */
static size_t
plain_run(enum dkim_canon canon, struct str s, size_t i)
{
	const unsigned char *p = (const unsigned char *)s.p;
	const bool *stop = special[canon];

	for (;;) {
		while (i < s.n && !stop[p[i]])
			i++;
		if (s.n - i > 1 && p[i] == ' ' && !stop[p[i + 1]])
			i += 2;
		else if (s.n - i > 2 && p[i] == '\r' && p[i + 1] == '\n' && !stop[p[i + 2]])
			i += 3;
		else
			return i;
	}
}

void
dkim_body_add(struct dkim_body *b, struct str s)
{
	size_t i = 0;

	while (i < s.n) {
		char c = s.p[i];
		size_t from = i;

		if (c == '\n' && b->cr) {
			line_end(b);
			i++;
			continue;
		}
		if (c == '\r') {
			if (b->cr)
				content(b, "", 0);
			b->cr = true;
			i++;
			continue;
		}
		if (b->canon == DKIM_RELAXED && is_wsp(c)) {
			if (b->cr)
				content(b, "", 0);
			b->space = true;
			i++;
			continue;
		}
		i = plain_run(b->canon, s, i);
		content(b, s.p + from, i - from);
	}
}

int
dkim_body_end(struct dkim_body *b, uint8_t r_hash[32])
{
	if (b->cr)
		content(b, "", 0);
	/* Of all line ends at the end one stays; an empty body is CRLF in simple form and nothing in relaxed form: rfc/6376:877, 915 */
	if (b->wrote || b->canon == DKIM_SIMPLE)
		update(b, "\r\n", 2);
	return EVP_DigestFinal_ex(b->md, r_hash, NULL) == 1 ? 0 : ERR_IO;
}

void
dkim_body_done(struct dkim_body *b)
{
	EVP_MD_CTX_free(b->md);
	b->md = NULL;
}
