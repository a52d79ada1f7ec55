/* SPDX-License-Identifier: MIT */
/*
 * Shared between html.c and its table of entities.
 */
#ifndef MESSAGE_HTML_INTERNAL_H
#define MESSAGE_HTML_INTERNAL_H

#include <stdint.h>

#include "base/macros.h"
#include "base/str.h"

/* message_html_entity gives the code point of a name without "&" and ";", or 0. */
uint32_t message_html_entity(struct str name);

#endif
