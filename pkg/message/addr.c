/* SPDX-License-Identifier: MIT */
/*
 * Address lists (RFC 5322 3.4 and 4.4, RFC 6854).
 *
 * Implementation notes. One pass over the raw field body. The words before the next delimiter are gathered twice: as a name (words with
 * single spaces) and as a localpart (words with dots, white space around dots left out). Which of the two they were shows at the delimiter:
 *
 *	'<'  they are a display name          '@'  the last run of them is a localpart
 *	':'  they name a group                ',' ';' or the end: they are no address
 *
 * The parser never goes back, so it is linear. `ok` turns false at whatever the grammar, obsolete forms included, does not allow.
 */
#include "message/header.h"

#include "base/limits.h"
#include "base/utf8.h"
#include "message/message_internal.h"

#define COMMENT_MAX 512         /* of a comment is kept: it may become a display name */

struct parser {
	struct arena *a;
	const char *p, *end;
	struct message_addrs *out;
	uint32_t cap;
	bool ok;
	/* Words gathered since the last delimiter. The buffers have room for the whole input; tmp is for domains. */
	char *name, *lp, *tmp;
	size_t nname, nlp;
	size_t name_before_lp;  /* length of the name when the run that is now the localpart began */
	bool any;               /* some word was seen */
	bool dot;               /* the last token was a dot */
	bool space;             /* white space or a comment since the last word */
	bool lp_bad;            /* the run is not local-part: dots in wrong places, quoted and plain glued together */
	bool last_quoted;       /* the last token was a quoted string */
	bool angle;             /* within <...> */
	struct str comment;     /* the last comment, content only */
};

enum class {
	ATOM,                   /* atext: rfc/5322:679 */
	SPACE, DOT, QUOTE, COMMENT,
	DELIM,                  /* ends words */
	OTHER,                  /* no place in a word, but the world puts it there */
};

static enum class
class_of(const struct parser *p, char c)
{
	switch (c) {
	case ' ': case '\t': case '\r': case '\n':
		return SPACE;
	case ',': case ';': case ':': case '<': case '@':
		return DELIM;
	case '>':
		return p->angle ? DELIM : OTHER;
	case '.':
		return DOT;
	case '"':
		return QUOTE;
	case '(':
		return COMMENT;
	case '[': case ']': case ')': case '\\': case 0x7f:
		return OTHER;
	default:
		return (unsigned char)c < ' ' ? OTHER : ATOM;
	}
}

static void
reset(struct parser *p)
{
	p->nname = p->nlp = p->name_before_lp = 0;
	p->any = p->dot = p->space = p->lp_bad = p->last_quoted = false;
	p->comment = (struct str){ 0 };
}

/* take_comment takes a comment, nested ones too, and keeps its content: rfc/5322:609 */
static void
take_comment(struct parser *p)
{
	char out[COMMENT_MAX];
	size_t n = 0;
	unsigned depth = 0;

	for (; p->p < p->end; p->p++) {
		char c = *p->p;
		if (c == '(' && depth++ == 0)
			continue;
		if (c == ')' && --depth == 0)
			break;
		if (c == '\\' && p->end - p->p > 1)
			c = *++p->p;
		if (n < sizeof(out) && c != '\r' && c != '\n')
			out[n++] = c;
	}
	if (p->p < p->end)
		p->p++;
	else
		p->ok = false;          /* not closed */
	p->comment = str_dup(p->a, str_trim(str_n(out, n)));
}

static void
skip_cfws(struct parser *p)
{
	while (p->p < p->end) {
		enum class k = class_of(p, *p->p);
		if (k == SPACE)
			p->p++;
		else if (k == COMMENT)
			take_comment(p);
		else
			break;
		p->space = true;
	}
}

/* begin_word notes that a word starts: white space in front of it starts a new run of localpart, unless a dot stands between. */
static void
begin_word(struct parser *p, bool quoted)
{
	if (p->any && p->space) {
		if (!p->dot) {
			p->nlp = 0;
			p->lp_bad = false;
			p->name_before_lp = p->nname;
		}
		p->name[p->nname++] = ' ';
	} else if (p->any && !p->dot && (quoted || p->last_quoted)) {
		p->lp_bad = true;       /* "a"b */
	}
	p->any = true;
	p->dot = p->space = false;
	p->last_quoted = quoted;
}

static void
add_char(struct parser *p, char c)
{
	p->name[p->nname++] = c;
	p->lp[p->nlp++] = c;
}

/* take_quoted: quoted-string, unescaped and unfolded: rfc/5322:742 */
static void
take_quoted(struct parser *p)
{
	bool closed = false;

	begin_word(p, true);
	for (p->p++; p->p < p->end && !closed; p->p++) {
		char c = *p->p;
		if (c == '"') {
			closed = true;
			continue;
		}
		if (c == '\\' && p->end - p->p > 1) {
			c = *++p->p;
			if ((unsigned char)c >= 0x80)
				p->ok = false;
		} else if (c == '\0') {
			p->ok = false;
		}
		if (c != '\r' && c != '\n')
			add_char(p, c);
	}
	if (!closed)
		p->ok = false;
}

/* encoded_word gives the length of an encoded word at the start, which may hold what would end an atom; 0 if there is none. */
static size_t
encoded_word(const struct parser *p)
{
	struct str s = str_upto(str_n(p->p, (size_t)(p->end - p->p)), 128);
	unsigned marks = 0;

	if (!str_starts(s, S("=?")))
		return 0;
	for (size_t i = 2; i < s.n; i++) {
		if (s.p[i] <= ' ' && s.p[i] >= 0)
			return 0;
		if (s.p[i] == '?' && ++marks == 3)
			return i + 1 < s.n && s.p[i + 1] == '=' ? i + 2 : 0;
	}
	return 0;
}

static void
take_atom(struct parser *p)
{
	begin_word(p, false);
	for (size_t n = encoded_word(p); n > 0; n--)
		add_char(p, *p->p++);
	for (; p->p < p->end; p->p++) {
		enum class k = class_of(p, *p->p);
		if (k != ATOM && k != OTHER)
			break;
		if (k != ATOM)
			p->lp_bad = true, p->ok = false;
		add_char(p, *p->p);
	}
}

static void
take_dot(struct parser *p)
{
	if (p->any && p->space)
		p->name[p->nname++] = ' ';
	if (!p->any || p->dot)
		p->lp_bad = true;
	p->any = true;
	p->space = false;
	p->dot = true;
	p->last_quoted = false;
	add_char(p, *p->p++);
}

/* gather takes words up to a delimiter of addresses, or the end; returns that delimiter or 0. */
static char
gather(struct parser *p)
{
	while (p->p < p->end) {
		skip_cfws(p);
		if (p->p == p->end)
			break;
		switch (class_of(p, *p->p)) {
		case DELIM:
			return *p->p;
		case DOT:
			take_dot(p);
			break;
		case QUOTE:
			take_quoted(p);
			break;
		default:
			take_atom(p);
			break;
		}
	}
	return 0;
}

static struct str
keep(struct parser *p, const char *s, size_t n)
{
	return str_trim(str_dup(p->a, str_n(s, n)));
}

static void
add(struct parser *p, struct message_addr addr)
{
	struct message_addrs *l = p->out;

	if (l->n >= LIMIT_ADDRESSES) {
		p->ok = false;
		return;
	}
	if (l->n == p->cap) {
		uint32_t cap = p->cap ? p->cap * 2 : 4;
		l->v = arena_grow(p->a, l->v, l->n, cap, sizeof(l->v[0]));
		p->cap = cap;
	}
	l->v[l->n++] = addr;
}

/*
 * take_domain: domain = dot-atom / domain-literal / obs-domain, white space and comments left out: rfc/5322:963. Ends at whatever
 * cannot be part of it; may be empty.
 */
static struct str
take_domain(struct parser *p)
{
	char *out = p->tmp;
	size_t n = 0;
	bool word = false;

	skip_cfws(p);
	while (p->p < p->end) {
		enum class k = class_of(p, *p->p);
		if (k == SPACE || k == COMMENT) {
			skip_cfws(p);
			if (p->p < p->end && *p->p != '.' && word)
				break;
		} else if (k == DOT) {
			if (!word)
				p->ok = false;
			word = false;
			out[n++] = *p->p++;
		} else if (k == ATOM || (k == OTHER && *p->p != '>')) {
			if (k == OTHER)
				p->ok = false;
			word = true;
			out[n++] = *p->p++;
		} else {
			break;
		}
	}
	if (!word)
		p->ok = false;
	return str_dup(p->a, str_n(out, n));
}

/* take_literal: domain-literal = "[" *([FWS] dtext) [FWS] "]", backslashes are obsolete: rfc/5322:965 */
static struct str
take_literal(struct parser *p)
{
	char *out = p->tmp;
	size_t n = 0;

	out[n++] = *p->p++;
	while (p->p < p->end && *p->p != ']') {
		if (*p->p == '[')
			p->ok = false;
		if (*p->p == '\\' && p->end - p->p > 1)
			p->p++;
		if (*p->p != '\r' && *p->p != '\n')
			out[n++] = *p->p;
		p->p++;
	}
	if (p->p == p->end) {
		p->ok = false;
		return str_dup(p->a, str_n(out, n));
	}
	out[n++] = *p->p++;
	return str_dup(p->a, str_n(out, n));
}

/* take_addr_spec takes what follows the gathered words from '@' on, and gives localpart and domain. */
static void
take_addr_spec(struct parser *p, struct message_addr *addr)
{
	if (p->lp_bad || p->dot || (p->nlp == 0 && !p->last_quoted))
		p->ok = false;
	addr->localpart = str_dup(p->a, str_n(p->lp, p->nlp));
	p->p++;
	skip_cfws(p);
	addr->domain = p->p < p->end && *p->p == '[' ? take_literal(p) : take_domain(p);
	addr->kind = addr->domain.n > 0 && (addr->localpart.n > 0 || p->last_quoted) ? MESSAGE_ADDR : MESSAGE_ADDR_BAD;
}

/* take_route: obs-route = obs-domain-list ":", within <>: rfc/5322:1928 */
static struct str
take_route(struct parser *p)
{
	struct buf b = BUF_ARENA(p->a, SIZE_MAX / 2);

	while (p->p < p->end && (*p->p == '@' || *p->p == ',')) {
		if (*p->p++ == '@') {
			buf_addz(&b, b.n > 0 ? ",@" : "@");
			buf_add(&b, take_domain(p));
		}
		skip_cfws(p);
	}
	if (p->p < p->end && *p->p == ':')
		p->p++;
	else
		p->ok = false;
	return buf_str(&b);
}

/* skip_to_close goes to the '>' of a broken angle-addr if it is near, else to the next delimiter. */
static void
skip_to_close(struct parser *p)
{
	const char *s = p->p;

	while (s < p->end && s - p->p < 256 && *s != '>' && *s != '<')
		s++;
	if (s < p->end && *s == '>') {
		p->p = s;
		return;
	}
	while (p->p < p->end && *p->p != ',' && *p->p != ';' && *p->p != '<')
		p->p++;
}

/* take_angle takes "<...>" behind the display name. */
static void
take_angle(struct parser *p, struct str name)
{
	struct message_addr addr = { .name = name, .kind = MESSAGE_ADDR_BAD };
	char d;

	p->p++;
	p->angle = true;
	reset(p);
	skip_cfws(p);
	if (p->p < p->end && *p->p == '@')
		addr.route = take_route(p);
	reset(p);
	while ((d = gather(p)) == '<' || d == ':') {
		p->ok = false;
		if (d == '<')
			reset(p);               /* "a < <b@c>" */
		else
			add_char(p, d);         /* <mailto:a@b> */
		p->p++;
	}
	if (d == '@' && p->name_before_lp == 0) {
		take_addr_spec(p, &addr);
	} else {
		/* White space within, or no domain. */
		p->ok = false;
		addr.localpart = keep(p, p->name, p->nname);
		if (d == '@') {
			p->p++;
			addr.domain = take_domain(p);
		}
	}
	skip_cfws(p);
	if (p->p < p->end && *p->p != '>') {
		p->ok = false;
		addr.kind = MESSAGE_ADDR_BAD;
		skip_to_close(p);
	}
	if (p->p < p->end && *p->p == '>')
		p->p++;
	else
		p->ok = false;
	p->angle = false;
	p->comment = (struct str){ 0 };
	skip_cfws(p);
	if (addr.name.n == 0)
		addr.name = p->comment;
	add(p, addr);
	reset(p);
}

/* add_words adds words that were followed by no '@' or '<': no address. One word may be a local user, several are a name. */
static void
add_words(struct parser *p)
{
	struct message_addr addr = { .kind = MESSAGE_ADDR_BAD };
	struct str s;

	if (!p->any)
		return;
	p->ok = false;
	s = keep(p, p->name, p->nname);
	*(str_has(s, ' ') ? &addr.name : &addr.localpart) = s;
	add(p, addr);
	reset(p);
}

/* take_bare takes the rest of an addr-spec without <>; its name may stand in a comment, or it is itself the name of an angle-addr. */
static void
take_bare(struct parser *p)
{
	struct message_addr addr = { 0 };

	if (p->name_before_lp > 0) {
		p->ok = false;          /* "John Smith john@x" */
		addr.name = keep(p, p->name, p->name_before_lp);
	}
	size_t name_end = p->nname;
	const char *at = p->p;
	take_addr_spec(p, &addr);
	skip_cfws(p);
	if (p->p < p->end && *p->p == '<') {
		/* The whole address, as it stands, is the display name. */
		p->ok = false;
		struct str text = message_unfold(p->a, str_n(at, (size_t)(p->p - at)));
		struct buf b = BUF_ARENA(p->a, SIZE_MAX / 2);
		buf_add(&b, str_n(p->name, name_end));
		buf_add(&b, text);
		take_angle(p, buf_str(&b));
		return;
	}
	if (addr.name.n == 0)
		addr.name = p->comment;
	add(p, addr);
	reset(p);
}

bool
message_parse_addrs(struct arena *a, struct str body, struct message_addrs *addrs)
{
	struct parser p = {
		.a = a, .p = body.p, .end = body.p + body.n, .out = addrs, .cap = addrs->n, .ok = true,
		.name = arena_bytes(a, body.n * 2 + 2), .lp = arena_bytes(a, body.n + 1), .tmp = arena_bytes(a, body.n + 1),
	};
	bool in_group = false, after_addr = false;

	while (p.p < p.end) {
		char d = gather(&p);
		/* Two addresses without a comma between. Words behind an address that lead to none are rubbish. */
		if (after_addr && (p.any || d == '<' || d == '@')) {
			p.ok = false;
			if (d != '@' && d != '<' && d != ':')
				reset(&p);
		}
		after_addr = false;
		switch (d) {
		case '<':
			take_angle(&p, p.any ? keep(&p, p.name, p.nname) : p.comment);
			after_addr = true;
			break;
		case '@':
			take_bare(&p);
			after_addr = true;
			break;
		case ':':
			p.p++;
			if (in_group || !p.any) {
				p.ok = false;
				reset(&p);
				break;
			}
			add(&p, (struct message_addr){ .name = keep(&p, p.name, p.nname), .kind = MESSAGE_GROUP_START });
			in_group = true;
			reset(&p);
			break;
		case ';':
			add_words(&p);
			p.p++;
			if (in_group)
				add(&p, (struct message_addr){ .kind = MESSAGE_GROUP_END });
			else
				p.ok = false;
			in_group = false;
			break;
		default:        /* ',' or the end */
			add_words(&p);
			if (d)
				p.p++;
			break;
		}
	}
	if (in_group) {
		p.ok = false;
		add(&p, (struct message_addr){ .kind = MESSAGE_GROUP_END });
	}
	return p.ok;
}

int
message_addr_address(struct arena *a, const struct message_addr *addr, struct smtp_address *r_address)
{
	if (addr->kind != MESSAGE_ADDR)
		return ERR_INVALID;
	return smtp_make_address(a, addr->localpart, addr->domain, r_address, NULL);
}

int
message_parse_addrs_strict(struct arena *a, struct str body, struct message_mailbox **r_v, uint32_t *r_n, struct errmsg *e)
{
	struct message_addrs list = { 0 };
	bool ok = message_parse_addrs(a, body, &list);
	struct message_mailbox *v = ARENA_NEWN(a, list.n, struct message_mailbox);
	uint32_t n = 0;

	for (uint32_t i = 0; i < list.n; i++) {
		const struct message_addr *addr = &list.v[i];
		if (addr->kind == MESSAGE_GROUP_START || addr->kind == MESSAGE_GROUP_END)
			continue;
		struct errmsg why = { 0 };
		if (addr->kind == MESSAGE_ADDR_BAD || smtp_make_address(a, addr->localpart, addr->domain, &v[n].address, &why) < 0)
			return err_set(e, ERR_INVALID, "bad address \"" STRF "\"%s%s",
				STRA(str_log(a, addr->localpart.n > 0 ? addr->localpart : addr->name, 100)), why.text[0] ? ": " : "", why.text);
		v[n++].name = message_decode_words(a, addr->name);
	}
	if (!ok)
		return err_set(e, ERR_INVALID, "bad syntax in list of addresses");
	*r_v = v;
	*r_n = n;
	return 0;
}

int
message_from(struct arena *a, struct str header, struct smtp_address *r_from, struct errmsg *e)
{
	struct message_addrs list = { 0 };
	struct message_field f;
	size_t n = message_field_count(header, S("From"));

	if (n != 1)
		return err_set(e, ERR_INVALID, "message has %zu From fields instead of one", n);
	message_field_find(header, S("From"), &f);
	message_parse_addrs(a, f.body, &list);
	n = 0;
	for (uint32_t i = 0; i < list.n; i++)
		n += list.v[i].kind == MESSAGE_ADDR || list.v[i].kind == MESSAGE_ADDR_BAD;
	if (n != 1)
		return err_set(e, ERR_INVALID, "From field has %zu addresses instead of one", n);
	for (uint32_t i = 0; i < list.n; i++) {
		if (list.v[i].kind == MESSAGE_ADDR && message_addr_address(a, &list.v[i], r_from) == 0)
			return 0;
	}
	return err_set(e, ERR_INVALID, "address in From field is not valid");
}
