/* SPDX-License-Identifier: MIT */
/*
 * imap/search.h - search programs (rfc/9051:6923) as a tree.
 */
#ifndef IMAP_SEARCH_H
#define IMAP_SEARCH_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/cur.h"
#include "base/str.h"
#include "imap/set.h"

enum imap_search_op {
	IMAP_SEARCH_ALL,                /* every message; also OLD */
	IMAP_SEARCH_NONE,               /* no message: NEW, RECENT (there is no \Recent) */
	IMAP_SEARCH_AND,                /* all of sub.. */
	IMAP_SEARCH_OR,                 /* either of the two sub.. */
	IMAP_SEARCH_NOT,                /* not sub */
	IMAP_SEARCH_SEQ,                /* set: sequence numbers, or "$" */
	IMAP_SEARCH_UID,                /* set: UIDs, or "$" */
	IMAP_SEARCH_FLAG,               /* s: "\Seen" or a keyword. UNSEEN and the like are NOT of it */
	IMAP_SEARCH_BEFORE,             /* day; field `date` says which date */
	IMAP_SEARCH_ON,
	IMAP_SEARCH_SINCE,
	IMAP_SEARCH_OLDER,              /* n seconds (RFC 5032) */
	IMAP_SEARCH_YOUNGER,
	IMAP_SEARCH_LARGER,             /* n octets */
	IMAP_SEARCH_SMALLER,
	IMAP_SEARCH_HEADER,             /* field contains s; FROM, SUBJECT and the like too */
	IMAP_SEARCH_BODY,               /* s */
	IMAP_SEARCH_TEXT,               /* s */
	IMAP_SEARCH_MODSEQ,             /* modseq >= n (RFC 7162) */
	IMAP_SEARCH_SAVEDATESUPPORTED,  /* RFC 8514 */
	IMAP_SEARCH_EMAILID,            /* s (RFC 8474) */
	IMAP_SEARCH_THREADID,           /* s */
};

enum imap_search_date { IMAP_DATE_INTERNAL, IMAP_DATE_SENT, IMAP_DATE_SAVED };

struct imap_search {
	enum imap_search_op op;
	struct imap_search *sub;        /* first operand */
	struct imap_search *next;       /* next operand of the parent */
	struct imap_set set;
	struct str field, s;
	uint64_t n;
	int32_t day;                    /* days since 1970-01-01 */
	enum imap_search_date date;
};

/* Return options (rfc/9051:6971, RFC 5182, RFC 9394). */
enum imap_return {
	IMAP_RETURN_MIN = 1, IMAP_RETURN_MAX = 2, IMAP_RETURN_ALL = 4, IMAP_RETURN_COUNT = 8, IMAP_RETURN_SAVE = 16,
	IMAP_RETURN_PARTIAL = 32,
};

/* The results from number first to last, counted from 1; from_end: the last result is 1 (written -1). */
struct imap_partial {
	uint32_t first, last;           /* as the client wrote them, in either order */
	bool from_end;
};
void imap_partial(struct cur *c, struct imap_partial *r_partial);       /* partial-range: rfc/9394:341 */
/* imap_partial_of gives the part of n results that is meant: *r_from and *r_n, 0 when there is none of it. */
void imap_partial_of(const struct imap_partial *p, uint64_t n, uint64_t *r_from, uint64_t *r_n);
void imap_add_partial(struct buf *b, const struct imap_partial *p);

/* imap_search_return reads "RETURN (...)"; an empty list means ALL. Bits of enum imap_return. */
unsigned imap_search_return(struct cur *c, struct imap_partial *r_partial);

/* Criteria of SORT (rfc/5256:764, RFC 5957). */
enum imap_sort_key {
	IMAP_SORT_ARRIVAL, IMAP_SORT_CC, IMAP_SORT_DATE, IMAP_SORT_FROM, IMAP_SORT_SIZE, IMAP_SORT_SUBJECT,
	IMAP_SORT_TO, IMAP_SORT_DISPLAYFROM, IMAP_SORT_DISPLAYTO,
};
struct imap_sort {
	enum imap_sort_key key;
	bool reverse;
};
enum { IMAP_SORT_MAX = 16 };
/* imap_sort_criteria reads "(" sort-criterion ... ")", at most IMAP_SORT_MAX of them. */
size_t imap_sort_criteria(struct cur *c, struct imap_sort v[IMAP_SORT_MAX]);
/* imap_search_criteria reads charset 1*(SP search-key), as SORT and THREAD have it (rfc/5256:774). */
void imap_search_criteria(struct cur *c, struct imap_search **r_key, struct str *r_charset);

/*
 * imap_search_program reads [CHARSET x] and the keys up to the end of the command; keys side by side are an AND.
 * r_charset is empty without CHARSET; text is returned as the client sent it.
 */
void imap_search_program(struct cur *c, struct imap_search **r_key, struct str *r_charset);
/* imap_search_uses tells whether the tree has a node of this kind. */
bool imap_search_uses(const struct imap_search *k, enum imap_search_op op);

#endif
