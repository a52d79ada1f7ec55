/* SPDX-License-Identifier: MIT */
/* Serialised parse results from a damaged database: refused, or a tree that is safe to use with any message. */
#include "base/err.h"
#include "message/body.h"
#include "message/imap.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct arena a;
	struct message m;

	if (message_load(&a, str_n((const char *)data, size), &m) == 0) {
		struct buf out = BUF_ARENA(&a, 1 << 22);
		struct message_source src = message_source_mem(S("Subject: x\r\n\r\nsome text that is no match for the tree\r\n"));
		struct str s;
		message_imap_envelope(&out, m.parts[0].envelope, false);
		message_imap_bodystructure(&out, &m, true, true);
		message_json(&out, &m);
		ignore_result(message_preview(&a, &m, &src, &s));
		for (uint32_t i = 0; i < m.nparts && i < 100; i++) {
			uint32_t path[2] = { i, 1 };
			struct message_section sec = { .path = path, .npath = 1 + i % 2, .kind = (enum message_section_kind)(i % 6) };
			struct message_bytes b;
			if (message_section(&a, &m, &src, &sec, &b) == 0)
				ignore_result(message_source_bytes(&a, &b.src, b.off, MIN(b.end - b.off, (int64_t)100), &s));
			if (m.parts[i].decoded_size < 100000)
				ignore_result(message_part_text(&a, &m, &src, &m.parts[i], MESSAGE_READ_TEXT, 100000, &s));
		}
	}
	arena_done(&a);
	return 0;
}
