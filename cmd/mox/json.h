/* SPDX-License-Identifier: MIT */
/*
 * json.h - JSON output of commands: values in order, written as they come, indented by tabs.
 *
 * Text from the outside may be anything; invalid UTF-8 becomes U+FFFD. Keys are NULL for the outermost value and in
 * arrays.
 */
#ifndef MOX_JSON_H
#define MOX_JSON_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/str.h"

struct json {
	struct buf b;
	unsigned depth;
	bool filled;            /* the innermost object or array has something */
};
#define JSON_INIT { .b = BUF_INIT(SIZE_MAX / 2) }

/* json_open starts an object ('{') or an array ('['); json_close ends it. */
void json_open(struct json *j, const char *key, char bracket);
void json_close(struct json *j, char bracket);
void json_str(struct json *j, const char *key, struct str s);
void json_int(struct json *j, const char *key, int64_t v);
void json_bool(struct json *j, const char *key, bool v);
void json_list(struct json *j, const char *key, const struct strlist *l);       /* an array of strings */
/* json_text adds a string unless it is empty. */
void json_text(struct json *j, const char *key, struct str s);
/* json_print writes the text and a line end to stdout, and empties j. */
void json_print(struct json *j);

#endif
