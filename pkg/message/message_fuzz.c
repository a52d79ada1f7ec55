/* SPDX-License-Identifier: MIT */
/*
 * Whole messages: parsing, the serialised form, readers, IMAP output, preview, search text. What a reader gives must be what the tree says.
 */
#include "base/err.h"
#include "base/utf8.h"
#include "message/body.h"
#include "message/imap.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_parts(struct arena *a, const struct message *m, const struct message_source *src)
{
	bug_if(m->parts[0].header_off != 0 || m->parts[0].end_off != m->size);
	for (uint32_t i = 0; i < m->nparts; i++) {
		const struct message_part *p = &m->parts[i];
		struct message_reader *r;
		struct str chunk, disposition, name;
		int64_t n = 0;
		bug_if(p->header_off > p->body_off || p->body_off > p->end_off || p->header_off < 0);
		bug_if(message_reader_open(a, m, src, p, MESSAGE_READ_DECODED, &r) < 0);
		while (message_reader_next(r, &chunk) > 0)
			n += (int64_t)chunk.n;
		message_reader_close(&r);
		bug_if(n != p->decoded_size);
		if (i > 20)
			continue;
		bug_if(message_reader_open(a, m, src, p, MESSAGE_READ_TEXT, &r) < 0);
		while (message_reader_next(r, &chunk) > 0)
			bug_if(!utf8_valid(chunk));
		message_reader_close(&r);
		message_filename(a, p, &disposition, &name, NULL);
		bug_if(!utf8_valid(name));
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct arena a;
	struct message_source src = message_source_mem(str_n((const char *)data, size));
	struct buf blob = BUF_ARENA(&a, SIZE_MAX / 2), again = blob, out = blob, head = blob;
	struct message m, loaded, strict;
	struct errmsg e = { 0 };
	struct str preview;

	bug_if(message_parse(&a, &src, 0, &m, NULL) < 0);
	check_parts(&a, &m, &src);
	message_serialize(&m, &blob);
	bug_if(message_load(&a, buf_str(&blob), &loaded) < 0);
	message_serialize(&loaded, &again);
	bug_if(!str_is(buf_str(&again), buf_str(&blob)));

	for (int utf8 = 0; utf8 < 2; utf8++) {
		message_imap_envelope(&out, m.parts[0].envelope, utf8);
		message_imap_bodystructure(&out, &m, true, utf8);
	}
	message_json(&out, &m);
	bug_if(message_preview(&a, &m, &src, &preview) < 0 || !utf8_valid(preview) || utf8_count(preview) > 256);
	buf_reset(&out);
	bug_if(message_search_text(&m, &src, &head, &out) < 0);
	bug_if(!utf8_valid(buf_str(&head)) || !utf8_valid(buf_str(&out)));

	int rc = message_parse(&a, &src, MESSAGE_STRICT, &strict, &e);
	bug_if(rc < 0 && rc != ERR_INVALID && rc != ERR_LIMIT);
	bug_if(strict.nparts != m.nparts);
	arena_done(&a);
	return 0;
}
