/* SPDX-License-Identifier: MIT */
/* Fields of a header, and what threading and policies read from it. */
#include "base/err.h"
#include "base/utf8.h"
#include "message/header.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct arena a;
	struct str header = str_n((const char *)data, size), rest = header, id;
	struct message_field f;
	struct strlist ids = { 0 };
	struct smtp_address from;
	bool flag;

	while (message_field_next(&rest, &f, &flag)) {
		bug_if(f.name.n == 0 || f.raw.p < header.p || f.raw.p + f.raw.n > header.p + header.n);
		bug_if(f.body.p < f.raw.p || f.body.p + f.body.n > f.raw.p + f.raw.n);
		struct str text = message_field_text(&a, f.body);
		bug_if(!utf8_valid(text));
		message_base_subject(&a, text, &flag);
		if (message_id_canonical(&a, f.body, false, &id, &flag) == 0)
			bug_if(id.n == 0);
		message_field_name(&a, f.name);
	}
	bug_if(rest.n > 0 && rest.p != header.p + header.n && rest.p < header.p);
	message_references(&a, header, &ids);
	if (message_from(&a, header, &from, NULL) == 0)
		bug_if(from.domain.ascii.n == 0);
	arena_done(&a);
	return 0;
}
