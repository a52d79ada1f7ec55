/* SPDX-License-Identifier: MIT */
#include "testutil/testutil.h"

#include "base/buf.h"
#include "imap/imap.h"

static struct str
items_text(const struct imap_fetch_items *l)
{
	static const char *const names[] = {
		[IMAP_FETCH_ENVELOPE] = "envelope", [IMAP_FETCH_FLAGS] = "flags", [IMAP_FETCH_INTERNALDATE] = "date", [IMAP_FETCH_RFC822_SIZE] = "size",
		[IMAP_FETCH_BODYSTRUCTURE] = "structure", [IMAP_FETCH_BODY] = "body", [IMAP_FETCH_SECTION] = "section", [IMAP_FETCH_BINARY] = "binary",
		[IMAP_FETCH_BINARY_SIZE] = "binarysize", [IMAP_FETCH_UID] = "uid", [IMAP_FETCH_RFC822] = "rfc822", [IMAP_FETCH_RFC822_HEADER] = "rfc822header",
		[IMAP_FETCH_RFC822_TEXT] = "rfc822text", [IMAP_FETCH_MODSEQ] = "modseq", [IMAP_FETCH_SAVEDATE] = "savedate", [IMAP_FETCH_PREVIEW] = "preview",
		[IMAP_FETCH_EMAILID] = "emailid", [IMAP_FETCH_THREADID] = "threadid",
	};
	struct buf b = BUF_ARENA(test_arena(), 1 << 16);

	for (size_t i = 0; i < l->n; i++) {
		const struct imap_fetch_item *it = &l->v[i];
		if (i > 0)
			buf_addc(&b, ' ');
		buf_addz(&b, names[it->kind]);
		if (it->kind == IMAP_FETCH_SECTION || it->kind == IMAP_FETCH_BINARY || it->kind == IMAP_FETCH_BINARY_SIZE)
			imap_add_section(&b, test_arena(), &it->section);
		if (it->partial)
			buf_addf(&b, "<%llu.%llu>", (unsigned long long)it->offset, (unsigned long long)it->count);
		if (imap_fetch_sets_seen(it))
			buf_addc(&b, '!');
	}
	return buf_str(&b);
}

TEST(fetch_items)
{
	static const struct {
		const char *in, *want;  /* "!": sets \Seen */
	} rows[] = {
		{ "ALL", "flags date size envelope" },                  /* rfc/9051:4356 */
		{ "fast", "flags date size" },
		{ "FULL", "flags date size envelope body" },
		{ "(FLAGS)", "flags" },
		{ "uid", "uid" },
		{ "(UID FLAGS ENVELOPE BODYSTRUCTURE BODY INTERNALDATE RFC822.SIZE)", "uid flags envelope structure body date size" },
		{ "BODY[]", "section[]!" },
		{ "BODY.PEEK[]<0.2048>", "section[]<0.2048>" },
		{ "body[1.2.3]", "section[1.2.3]!" },
		{ "body[1.mime]", "section[1.MIME]!" },
		{ "body[1.header]", "section[1.HEADER]!" },
		{ "body.peek[header.fields (DATE message-ID)]", "section[HEADER.FIELDS (Date Message-Id)]" },
		{ "body.peek[4.2.header.fields.not (\"x y\")]", "section[4.2.HEADER.FIELDS.NOT (\"X y\")]" },
		{ "body[text]<9.4294967296>", "section[TEXT]<9.4294967296>!" },   /* 64 bits: rfc/9051:6841 */
		{ "BINARY[1]", "binary[1]!" },                          /* rfc/3516 */
		{ "BINARY.PEEK[]<1.2>", "binary[]<1.2>" },
		{ "BINARY.SIZE[1.2]", "binarysize[1.2]" },
		{ "(RFC822 RFC822.HEADER RFC822.TEXT)", "rfc822! rfc822header rfc822text!" },
		{ "(MODSEQ SAVEDATE PREVIEW)", "modseq savedate preview" },
		{ "(EMAILID threadid)", "emailid threadid" },           /* rfc/8474:513 */
		{ "(PREVIEW (LAZY) UID)", "preview uid" },              /* rfc/8970:345 */
		{ "", NULL },
		{ "()", NULL },
		{ "(FLAGS UID", NULL },
		{ "(FLAGS  UID)", NULL },
		{ "FLAGS UID", NULL },
		{ "bogus", NULL },
		{ "(ALL)", NULL },                                      /* macros stand alone */
		{ "(FLAGS FAST)", NULL },
		{ "BINARY", NULL },
		{ "BINARY[text]", NULL },
		{ "BINARY.SIZE", NULL },
		{ "BODY.PEEK", NULL },
		{ "BODY[]<1>", NULL },
		{ "BODY[]<1.0>", NULL },
		{ "BODY[]<1.", NULL },
		{ "BODY[1..2]", NULL },
		{ "BODY[0]", NULL },
		{ "BODY[1.]", NULL },
		{ "BODY[.1]", NULL },
		{ "BODY[mime]", NULL },                                 /* needs a part: rfc/9051:6999 */
		{ "BODY[header.fields]", NULL },
		{ "BODY[header.fields ()]", NULL },
		{ "BODY[header.fields (a ]", NULL },
		{ "BODY[header.field (a)]", NULL },
		{ "BODY[text.1]", NULL },
		{ "PREVIEW (BOGUS)", NULL },
		{ "PREVIEW ()", NULL },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct str in = str_of(rows[i].in);
		test_row("%s", rows[i].in);
		for (size_t n = 0; n <= in.n; n++) {
			struct cur c = cur_in(test_arena(), test_exact(str_upto(in, n)));
			struct imap_fetch_items l = { 0 };
			imap_fetch_items(&c, &l);
			if (n < in.n)
				continue;
			assert_int_equal(cur_done(&c), rows[i].want != NULL);
			if (rows[i].want)
				assert_strz(items_text(&l), rows[i].want);
		}
	}
}
