/* SPDX-License-Identifier: MIT */
/* json.c - JSON output of commands. */
#include "json.h"

#include <stdio.h>

#include "typedesc/typedesc.h"

static void
line(struct json *j)
{
	buf_addc(&j->b, '\n');
	for (unsigned i = 0; i < j->depth; i++)
		buf_addc(&j->b, '\t');
}

/* What stands before a value: comma, line, key. */
static void
start(struct json *j, const char *key)
{
	if (j->filled)
		buf_addc(&j->b, ',');
	if (j->depth > 0)
		line(j);
	if (key) {
		typedesc_json_string(&j->b, str_of(key), 0);
		buf_add(&j->b, S(": "));
	}
	j->filled = true;
}

void
json_open(struct json *j, const char *key, char bracket)
{
	start(j, key);
	buf_addc(&j->b, bracket);
	j->depth++;
	j->filled = false;
}

void
json_close(struct json *j, char bracket)
{
	j->depth--;
	if (j->filled)
		line(j);
	buf_addc(&j->b, bracket);
	j->filled = true;
}

void
json_str(struct json *j, const char *key, struct str s)
{
	start(j, key);
	typedesc_json_string(&j->b, s, 0);
}

void
json_int(struct json *j, const char *key, int64_t v)
{
	start(j, key);
	buf_addi(&j->b, v);
}

void
json_bool(struct json *j, const char *key, bool v)
{
	start(j, key);
	buf_add(&j->b, v ? S("true") : S("false"));
}

void
json_list(struct json *j, const char *key, const struct strlist *l)
{
	json_open(j, key, '[');
	for (size_t i = 0; i < l->n; i++)
		json_str(j, NULL, l->v[i]);
	json_close(j, ']');
}

void
json_text(struct json *j, const char *key, struct str s)
{
	if (s.n > 0)
		json_str(j, key, s);
}

void
json_print(struct json *j)
{
	buf_addc(&j->b, '\n');
	fwrite(j->b.p, 1, j->b.n, stdout);
	buf_done(&j->b);
	j->filled = false;
}
