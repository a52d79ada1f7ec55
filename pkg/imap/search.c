/* SPDX-License-Identifier: MIT */
#include "imap/search.h"

#include "base/arena.h"
#include "base/limits.h"
#include "imap/parse.h"

/* What follows the word of a search key. */
enum operand {
	NOTHING,
	FLAG,                   /* flag-keyword */
	FIELD,                  /* astring to look for in the header field that the key names */
	TEXT,                   /* astring */
	OBJECT,                 /* objectid */
	DATE,
	SIZE,                   /* number64 */
	SECONDS,                /* nz-number */
	OTHER,                  /* handled by name */
};

static const struct key {
	struct str name;
	enum imap_search_op op;
	enum operand operand;
	bool negate;
	struct str word;        /* the flag or header field meant */
	enum imap_search_date date;
} keys[] = {
#define N(s) { s, sizeof(s) - 1 }
	{ N("ALL"), IMAP_SEARCH_ALL, NOTHING, false, { 0 }, 0 },
	{ N("ANSWERED"), IMAP_SEARCH_FLAG, NOTHING, false, N("\\Answered"), 0 },
	{ N("BCC"), IMAP_SEARCH_HEADER, FIELD, false, N("Bcc"), 0 },
	{ N("BEFORE"), IMAP_SEARCH_BEFORE, DATE, false, { 0 }, IMAP_DATE_INTERNAL },
	{ N("BODY"), IMAP_SEARCH_BODY, TEXT, false, { 0 }, 0 },
	{ N("CC"), IMAP_SEARCH_HEADER, FIELD, false, N("Cc"), 0 },
	{ N("DELETED"), IMAP_SEARCH_FLAG, NOTHING, false, N("\\Deleted"), 0 },
	{ N("DRAFT"), IMAP_SEARCH_FLAG, NOTHING, false, N("\\Draft"), 0 },
	{ N("EMAILID"), IMAP_SEARCH_EMAILID, OBJECT, false, { 0 }, 0 },
	{ N("FLAGGED"), IMAP_SEARCH_FLAG, NOTHING, false, N("\\Flagged"), 0 },
	{ N("FROM"), IMAP_SEARCH_HEADER, FIELD, false, N("From"), 0 },
	{ N("HEADER"), IMAP_SEARCH_HEADER, OTHER, false, { 0 }, 0 },
	{ N("KEYWORD"), IMAP_SEARCH_FLAG, FLAG, false, { 0 }, 0 },
	{ N("LARGER"), IMAP_SEARCH_LARGER, SIZE, false, { 0 }, 0 },
	{ N("MODSEQ"), IMAP_SEARCH_MODSEQ, OTHER, false, { 0 }, 0 },
	{ N("NEW"), IMAP_SEARCH_NONE, NOTHING, false, { 0 }, 0 },
	{ N("NOT"), IMAP_SEARCH_NOT, OTHER, false, { 0 }, 0 },
	{ N("OLD"), IMAP_SEARCH_ALL, NOTHING, false, { 0 }, 0 },
	{ N("OLDER"), IMAP_SEARCH_OLDER, SECONDS, false, { 0 }, 0 },
	{ N("ON"), IMAP_SEARCH_ON, DATE, false, { 0 }, IMAP_DATE_INTERNAL },
	{ N("OR"), IMAP_SEARCH_OR, OTHER, false, { 0 }, 0 },
	{ N("RECENT"), IMAP_SEARCH_NONE, NOTHING, false, { 0 }, 0 },
	{ N("SAVEDATESUPPORTED"), IMAP_SEARCH_SAVEDATESUPPORTED, NOTHING, false, { 0 }, 0 },
	{ N("SAVEDBEFORE"), IMAP_SEARCH_BEFORE, DATE, false, { 0 }, IMAP_DATE_SAVED },
	{ N("SAVEDON"), IMAP_SEARCH_ON, DATE, false, { 0 }, IMAP_DATE_SAVED },
	{ N("SAVEDSINCE"), IMAP_SEARCH_SINCE, DATE, false, { 0 }, IMAP_DATE_SAVED },
	{ N("SEEN"), IMAP_SEARCH_FLAG, NOTHING, false, N("\\Seen"), 0 },
	{ N("SENTBEFORE"), IMAP_SEARCH_BEFORE, DATE, false, { 0 }, IMAP_DATE_SENT },
	{ N("SENTON"), IMAP_SEARCH_ON, DATE, false, { 0 }, IMAP_DATE_SENT },
	{ N("SENTSINCE"), IMAP_SEARCH_SINCE, DATE, false, { 0 }, IMAP_DATE_SENT },
	{ N("SINCE"), IMAP_SEARCH_SINCE, DATE, false, { 0 }, IMAP_DATE_INTERNAL },
	{ N("SMALLER"), IMAP_SEARCH_SMALLER, SIZE, false, { 0 }, 0 },
	{ N("SUBJECT"), IMAP_SEARCH_HEADER, FIELD, false, N("Subject"), 0 },
	{ N("TEXT"), IMAP_SEARCH_TEXT, TEXT, false, { 0 }, 0 },
	{ N("THREADID"), IMAP_SEARCH_THREADID, OBJECT, false, { 0 }, 0 },
	{ N("TO"), IMAP_SEARCH_HEADER, FIELD, false, N("To"), 0 },
	{ N("UID"), IMAP_SEARCH_UID, OTHER, false, { 0 }, 0 },
	{ N("UNANSWERED"), IMAP_SEARCH_FLAG, NOTHING, true, N("\\Answered"), 0 },
	{ N("UNDELETED"), IMAP_SEARCH_FLAG, NOTHING, true, N("\\Deleted"), 0 },
	{ N("UNDRAFT"), IMAP_SEARCH_FLAG, NOTHING, true, N("\\Draft"), 0 },
	{ N("UNFLAGGED"), IMAP_SEARCH_FLAG, NOTHING, true, N("\\Flagged"), 0 },
	{ N("UNKEYWORD"), IMAP_SEARCH_FLAG, FLAG, true, { 0 }, 0 },
	{ N("UNSEEN"), IMAP_SEARCH_FLAG, NOTHING, true, N("\\Seen"), 0 },
	{ N("YOUNGER"), IMAP_SEARCH_YOUNGER, SECONDS, false, { 0 }, 0 },
#undef N
};

/* Digits in word 0; in word 1 "A".."Z", "_" and "a".."z". */
static const struct cur_class object_chars = {
	{ UINT64_C(1) << '-' | UINT64_C(0x3ff) << '0', UINT64_C(0x07fffffe07fffffe) | UINT64_C(1) << ('_' - 64), 0, 0 },
};

static struct imap_search *search_key(struct cur *c);

static struct imap_search *
new_node(struct cur *c, enum imap_search_op op, struct imap_search *sub)
{
	struct imap_search *k = ARENA_NEW(c->a, struct imap_search);
	k->op = op;
	k->sub = sub;
	return k;
}

/* search-key *(SP search-key), up to what is no space */
static struct imap_search *
all_of(struct cur *c)
{
	struct imap_search *first = search_key(c), *last = first;

	while (cur_try(c, ' ')) {
		last->next = search_key(c);
		last = last->next;
	}
	return first->next ? new_node(c, IMAP_SEARCH_AND, first) : first;
}

/*
 * "MODSEQ" [SP entry-name SP entry-type-req] SP mod-sequence-valzer; the entry changes nothing, as there is one
 * modseq   rfc/7162:2499
 */
static void
modseq_operand(struct cur *c, struct imap_search *k)
{
	imap_sp(c);
	if (cur_is(c, '"')) {
		imap_quoted(c);
		imap_sp(c);
		if (!imap_try_keyword(c, S("all")) && !imap_try_keyword(c, S("priv")) && !imap_try_keyword(c, S("shared")))
			cur_fail(c, "entry type");
		imap_sp(c);
	}
	k->n = imap_number64(c);
}

static void
operand(struct cur *c, const struct key *d, struct imap_search *k)
{
	switch (d->operand) {
	case NOTHING:
		k->s = d->word;         /* of FLAG */
		return;
	case FLAG:
		imap_sp(c);
		k->s = imap_atom(c);
		return;
	case FIELD:
		k->field = d->word;
		imap_sp(c);
		k->s = imap_astring(c);
		return;
	case TEXT:
		imap_sp(c);
		k->s = imap_astring(c);
		return;
	case OBJECT:
		/* objectid = 1*255(ALPHA / DIGIT / "_" / "-")   rfc/8474:523 */
		imap_sp(c);
		k->s = cur_span1(c, &object_chars, "object identifier");
		if (k->s.n > 255)
			cur_fail(c, "shorter object identifier");
		return;
	case DATE:
		imap_sp(c);
		k->date = d->date;
		k->day = imap_date(c);
		return;
	case SIZE:
		imap_sp(c);
		k->n = imap_number64(c);
		return;
	case SECONDS:
		imap_sp(c);
		k->n = imap_nz_number(c);
		return;
	case OTHER:
		break;
	}
	switch (d->op) {
	case IMAP_SEARCH_HEADER:
		imap_sp(c);
		k->field = imap_astring(c);
		imap_sp(c);
		k->s = imap_astring(c);
		break;
	case IMAP_SEARCH_MODSEQ:
		modseq_operand(c, k);
		break;
	case IMAP_SEARCH_UID:
		imap_sp(c);
		imap_set(c, &k->set);
		break;
	case IMAP_SEARCH_NOT:
		imap_sp(c);
		k->sub = search_key(c);
		break;
	case IMAP_SEARCH_OR:
		imap_sp(c);
		k->sub = search_key(c);
		imap_sp(c);
		k->sub->next = search_key(c);
		break;
	default:
		break;
	}
}

/* search-key   rfc/9051:6923 rfc/5032:100 rfc/8514:267 rfc/8474:532 */
static struct imap_search *
search_key(struct cur *c)
{
	int next = cur_peek(c);
	struct imap_search *k;

	if (!cur_enter(c, LIMIT_IMAP_DEPTH))
		return new_node(c, IMAP_SEARCH_NONE, NULL);
	if (cur_try(c, '(')) {
		k = all_of(c);
		cur_char(c, ')');
	} else if (next == '*' || next == '$' || (next >= '0' && next <= '9')) {
		k = new_node(c, IMAP_SEARCH_SEQ, NULL);
		imap_set(c, &k->set);
	} else {
		struct cur t = *c;
		struct str word = imap_keyword(&t);
		const struct key *d = keys, *end = keys + ARRAY_LEN(keys);

		while (d < end && !str_icase(word, d->name))
			d++;
		if (d < end) {
			*c = t;
			k = new_node(c, d->op, NULL);
			operand(c, d, k);
			if (d->negate)
				k = new_node(c, IMAP_SEARCH_NOT, k);
		} else {
			cur_fail(c, "search key");
			k = new_node(c, IMAP_SEARCH_NONE, NULL);
		}
	}
	cur_leave(c);
	return k;
}

void
imap_search_program(struct cur *c, struct imap_search **r_key, struct str *r_charset)
{
	struct str charset = { 0 };

	/* search-program = ["CHARSET" SP charset SP] search-key *(SP search-key)   rfc/9051:6947 */
	if (imap_try_keyword(c, S("CHARSET"))) {
		imap_sp(c);
		charset = imap_astring(c);
		imap_sp(c);
	}
	struct imap_search *k = all_of(c);
	if (!cur_done(c))
		return;
	*r_key = k;
	*r_charset = charset;
}

void
imap_search_criteria(struct cur *c, struct imap_search **r_key, struct str *r_charset)
{
	struct str charset = imap_astring(c);

	imap_sp(c);
	struct imap_search *k = all_of(c);
	if (!cur_done(c))
		return;
	*r_key = k;
	*r_charset = charset;
}

/* partial-range = nz-number ":" nz-number / "-" nz-number ":" "-" nz-number   rfc/9394:329 */
void
imap_partial(struct cur *c, struct imap_partial *r_partial)
{
	struct imap_partial p = { .from_end = cur_try(c, '-') };

	p.first = imap_nz_number(c);
	cur_char(c, ':');
	if (p.from_end)
		cur_char(c, '-');
	p.last = imap_nz_number(c);
	if (cur_ok(c))
		*r_partial = p;
}

void
imap_partial_of(const struct imap_partial *p, uint64_t n, uint64_t *r_from, uint64_t *r_n)
{
	uint64_t low = MIN(p->first, p->last), high = MIN((uint64_t)MAX(p->first, p->last), n);

	*r_n = low <= high ? high - low + 1 : 0;
	*r_from = *r_n == 0 ? 0 : p->from_end ? n - high : low - 1;
}

void
imap_add_partial(struct buf *b, const struct imap_partial *p)
{
	const char *minus = p->from_end ? "-" : "";
	buf_addf(b, "%s%u:%s%u", minus, (unsigned)p->first, minus, (unsigned)p->last);
}

size_t
imap_sort_criteria(struct cur *c, struct imap_sort v[IMAP_SORT_MAX])
{
	static const struct {
		struct str name;
		enum imap_sort_key key;
	} names[] = {
		{ { "ARRIVAL", 7 }, IMAP_SORT_ARRIVAL }, { { "CC", 2 }, IMAP_SORT_CC },
		{ { "DATE", 4 }, IMAP_SORT_DATE }, { { "FROM", 4 }, IMAP_SORT_FROM },
		{ { "SIZE", 4 }, IMAP_SORT_SIZE }, { { "SUBJECT", 7 }, IMAP_SORT_SUBJECT },
		{ { "TO", 2 }, IMAP_SORT_TO }, { { "DISPLAYFROM", 11 }, IMAP_SORT_DISPLAYFROM },
		{ { "DISPLAYTO", 9 }, IMAP_SORT_DISPLAYTO },
	};
	size_t n = 0;

	cur_char(c, '(');
	do {
		size_t i = 0;
		bool reverse = imap_try_keyword(c, S("REVERSE"));
		if (reverse)
			imap_sp(c);
		while (i < ARRAY_LEN(names) && !imap_try_keyword(c, names[i].name))
			i++;
		if (i == ARRAY_LEN(names) || n == IMAP_SORT_MAX)
			cur_fail(c, n == IMAP_SORT_MAX ? "fewer sort criteria" : "sort criterion");
		else
			v[n++] = (struct imap_sort){ names[i].key, reverse };
	} while (cur_try(c, ' '));
	cur_char(c, ')');
	return n;
}

unsigned
imap_search_return(struct cur *c, struct imap_partial *r_partial)
{
	static const struct {
		struct str name;
		unsigned bit;
	} options[] = {
		{ { "MIN", 3 }, IMAP_RETURN_MIN }, { { "MAX", 3 }, IMAP_RETURN_MAX }, { { "ALL", 3 }, IMAP_RETURN_ALL },
		{ { "COUNT", 5 }, IMAP_RETURN_COUNT }, { { "SAVE", 4 }, IMAP_RETURN_SAVE },
	};
	unsigned bits = 0;

	if (!imap_try_keyword(c, S("RETURN")))
		cur_fail(c, "RETURN");
	imap_sp(c);
	cur_char(c, '(');
	if (cur_try(c, ')'))
		return IMAP_RETURN_ALL;         /* rfc/4731:149 */
	do {
		size_t i = 0;
		while (i < ARRAY_LEN(options) && !imap_try_keyword(c, options[i].name))
			i++;
		if (i < ARRAY_LEN(options)) {
			bits |= options[i].bit;
		} else if (!(bits & IMAP_RETURN_PARTIAL) && imap_try_keyword(c, S("PARTIAL"))) {
			bits |= IMAP_RETURN_PARTIAL;
			imap_sp(c);
			imap_partial(c, r_partial);
		} else {
			cur_fail(c, "search return option");
		}
	} while (cur_try(c, ' '));
	cur_char(c, ')');
	/* rfc/9394:149 */
	if ((bits & (IMAP_RETURN_PARTIAL | IMAP_RETURN_ALL)) == (IMAP_RETURN_PARTIAL | IMAP_RETURN_ALL))
		cur_fail(c, "PARTIAL or ALL, not both");
	return bits;
}

bool
imap_search_uses(const struct imap_search *k, enum imap_search_op op)
{
	if (k->op == op)
		return true;
	for (const struct imap_search *s = k->sub; s; s = s->next)
		if (imap_search_uses(s, op))
			return true;
	return false;
}
