/* SPDX-License-Identifier: MIT */
/*
 * sconf - the format of mox.conf and domains.conf: lines, nested by tabs, typed by descriptors.
 *
 *	# comment
 *	Hostname: mail.example.org
 *	Listeners:
 *		public:
 *			IPs:
 *				- 198.51.100.1
 *			SMTP:
 *				Enabled: true
 *
 * A key line is "Key:" with a block one tab deeper below it, or "Key: value" with the value verbatim to the end of the line
 * (no quoting, no comments behind it). List items are "-" with a block, or "- value". Lines whose first character besides
 * white space is '#' are comments, empty lines are skipped. A map entry "key: nil" is the zero value of the element; "Key:
 * nil" for a list or map an empty one. What a line means depends on the type expected, so a file is first read into a tree by
 * its tabs (with comments and line numbers), then decoded by descriptor. Both report all errors, not the first.
 *
 * Rewriting changes only what differs between the old and the new value and keeps the operator's comments, order and spelling
 * for the rest.
 */
#ifndef SCONF_SCONF_H
#define SCONF_SCONF_H

#include "typedesc/typedesc.h"

#define SCONF_MAX_ERRORS 100            /* further ones are only counted */

/* Errors and warnings of one file, each "path:line: text", in the order of lines. Zero-initialise, set a and path. */
struct sconf_report {
	struct arena *a;
	const char *path;               /* name of the file in messages; NULL: they have neither path nor line */
	struct strlist errors;
	struct strlist warnings;        /* uses of deprecated options */
	size_t dropped;
	unsigned error_lines[SCONF_MAX_ERRORS], warning_lines[SCONF_MAX_ERRORS];        /* of errors.v[i], warnings.v[i] */
};
void sconf_errorf(struct sconf_report *r, unsigned line, const char *fmt, ...) printf_(3, 4);
void sconf_warnf(struct sconf_report *r, unsigned line, const char *fmt, ...) printf_(3, 4);

/* A line of the file with what is nested in it. */
struct sconf_node {
	unsigned line, last;            /* numbers of the line and of the last one nested in it, from 1; 0 for the root */
	struct str text;                /* the line without its tabs */
	struct str above;               /* comment and empty lines directly above, verbatim with their line ends */
	struct str raw;                 /* the line and all nested in it, verbatim; with `above` directly before */
	struct str tail;                /* comments behind the last child */
	struct sconf_node *v;           /* children */
	size_t n;
};

/*
 * sconf_parse reads a text of at most LIMIT_CONFIG_SIZE bytes into a tree; strings point into the text, which must stay.
 * Errors go to the report; ERR_INVALID if there were any (the tree then has the sound lines).
 */
int sconf_parse(struct arena *a, struct str text, struct sconf_node *r_root, struct sconf_report *r) must_use_;

/*
 * sconf_decode fills a zeroed value of a struct type from a tree. ERR_INVALID if there were errors; the value then has what
 * could be read.
 */
int sconf_decode(struct arena *a, const struct sconf_node *root, const struct typedesc *t, void *v,
    struct sconf_report *r) must_use_;

/* sconf_read is both. r_root may be NULL. */
int sconf_read(struct arena *a, struct str text, const struct typedesc *t, void *v, struct sconf_node *r_root,
    struct sconf_report *r) must_use_;

/*
 * sconf_line finds the line of a value by its path ("Accounts", "mox", "Destinations", "mox@localhost"; list items by decimal
 * index), for messages of checks that come after decoding: the line of the deepest element that exists, at least 1.
 */
unsigned sconf_line(const struct sconf_node *root, const struct str *path, size_t npath);

/*
 * Writers; v is a struct. Optional fields with zero value are left out (sconf_describe writes all). ERR_INVALID with a
 * message for what the format cannot hold: strings with line ends, map keys that are empty or have a colon or white space
 * around, structs without a line to stand for them.
 */
int sconf_write(struct buf *b, const struct typedesc *t, const void *v, struct errmsg *e) must_use_;
/* sconf_write_docs precedes each option with its documentation as comments, wrapped at 80 columns. */
int sconf_write_docs(struct buf *b, const struct typedesc *t, const void *v, struct errmsg *e) must_use_;
/*
 * sconf_describe writes every option with its documentation: an empty map gets an entry "x", an empty list one zero element,
 * absent optional structs are expanded. A recursive type is expanded once. The output needs edits to be valid.
 */
void sconf_describe(struct arena *a, struct buf *b, const struct typedesc *t, const void *v);

/*
 * sconf_rewrite writes new_v as a change of the file that root was read from and that decodes to old_v: lines of what is
 * equal stay verbatim. An option that goes takes the comment directly above it along (not one that an empty line separates).
 */
int sconf_rewrite(struct arena *a, struct buf *b, const struct sconf_node *root, const struct typedesc *t, const void *old_v,
    const void *new_v, struct errmsg *e) must_use_;

#endif
