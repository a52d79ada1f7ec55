/* SPDX-License-Identifier: MIT */
/* Content-Type and the like. Parameters, written and read again, are the same. */
#include "base/err.h"
#include "base/limits.h"
#include "base/utf8.h"
#include "message/compose.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* plain: what a parameter written by us may be; others are read only. */
static bool
is_plain(const struct message_param *p)
{
	for (size_t i = 0; i < p->name.n; i++) {
		char c = p->name.p[i];
		if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-'))
			return false;
	}
	return p->name.n > 0 && p->name.n < 40 && utf8_valid(p->value) && !str_has(p->value, '\0') && str_search(p->value, S("\xef\xbf\xbd")) < 0;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct arena a;
	struct message_params p, q;

	message_parse_params(&a, str_n((const char *)data, size), &p);
	bug_if(p.n > LIMIT_HEADER_PARAMS);
	for (uint32_t i = 0; i < p.n; i++) {
		if (!is_plain(&p.v[i]))
			continue;
		struct buf b = BUF_ARENA(&a, SIZE_MAX / 2);
		struct message_composer c = { .b = &b };
		message_add_param_header(&c, "X", S("a/b"), &p.v[i], 1);
		struct str header = buf_str(&b);
		struct message_field f;
		bug_if(!message_field_next(&header, &f, NULL) || header.n > 0);
		message_parse_params(&a, f.body, &q);
		bug_if(q.n != 1 || !str_is(q.v[0].name, p.v[i].name) || !str_is(q.v[0].value, p.v[i].value));
	}
	arena_done(&a);
	return 0;
}
