/* SPDX-License-Identifier: MIT */
/* junk_internal.h - what the files of junk share. */
#ifndef JUNK_JUNK_INTERNAL_H
#define JUNK_JUNK_INTERNAL_H

#include "base/buf.h"
#include "junk/junk.h"

/*
 * junk_html reads HTML (UTF-8): the words of its text go to text, with a line end between what block elements separate; names of elements, their telling
 * attributes, and where links lead go to signals as words separated by LF. Linear, without a tree.
 */
void junk_html(struct str html, struct buf *text, struct buf *signals);


/* junk_links adds a signal for the host of each URL in text, and for the domain it is in. */
void junk_links(struct str text, struct buf *signals);

#endif
