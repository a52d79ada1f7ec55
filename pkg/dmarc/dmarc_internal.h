/* SPDX-License-Identifier: MIT */
/* dmarc_internal.h - shared by the files of dmarc. */
#ifndef DMARC_DMARC_INTERNAL_H
#define DMARC_DMARC_INTERNAL_H

#include "dmarc/dmarc.h"

/* What is at _dmarc.<domain>. */
struct dmarc_node {
	struct str domain;
	enum { DMARC_NODE_NONE, DMARC_NODE_RECORD, DMARC_NODE_BAD, DMARC_NODE_FAILED } kind;
	int rv;                         /* of a look-up that failed */
	struct str txt;
	struct dmarc_record record;
	struct str problem;
};

/* Look-ups for one message, each made once. */
struct dmarc_walk {
	struct dns_resolver *r;
	struct arena *a;
	const struct ctx *ctx;
	struct dmarc_node **nodes;
	size_t n;
	bool authentic;                 /* all answers so far were */
};

const struct dmarc_node *dmarc_node(struct dmarc_walk *w, struct str domain);
/* What a tree walk finds. */
struct dmarc_tree {
	struct str org;
	const struct dmarc_node *psd;   /* of the public suffix that ended the walk; NULL: none */
	const struct dmarc_node *bad;   /* the first malformed record */
	const struct dmarc_node *last;  /* looked at */
};
/*
 * dmarc_walk_up makes the tree walk from a domain. Returns the error of a look-up that failed; the tree's last node tells
 * which.
 */
int dmarc_walk_up(struct dmarc_walk *w, struct str start, struct dmarc_tree *r_tree) must_use_;
void dmarc_find(struct dmarc_walk *w, struct str domain, struct dmarc_found *r_found);

#endif
