/* SPDX-License-Identifier: MIT */
/*
 * Everything a client can send, as far as it is syntax: frames the input (the first byte chooses the pieces and the
 * limits), and tries each production on each unit. What is parsed must survive being written and read again.
 */
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "imap/imap.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void
names(struct arena *a, struct str s)
{
	struct str utf8, again;

	if (imap_utf7_decode(a, s, &utf8) == 0) {
		struct str wire = imap_utf7_encode(a, utf8);
		bug_if(imap_utf7_decode(a, wire, &again) < 0 || !str_is(utf8, again));
	}
	imap_pattern_match(s, str_upto(s, s.n / 2));
	imap_pattern_join(a, str_upto(s, s.n / 2), s);
}

static void
strings(struct arena *a, struct str s)
{
	for (int utf8 = 0; utf8 < 2; utf8++) {
		struct buf b = BUF_ARENA(a, 1 << 20);
		imap_add_astring(&b, s, utf8);
		struct cur c = cur_in(a, buf_str(&b));
		struct str back = imap_astring(&c);
		bug_if(!cur_done(&c) || (!str_has(s, '\0') && !str_is(s, back)));
	}
}

static void
productions(struct arena *a, struct str s)
{
	struct cur c = cur_in(a, s);
	struct imap_fetch_items items = { 0 };
	imap_fetch_items(&c, &items);
	for (size_t i = 0; i < items.n; i++) {
		struct buf b = BUF_ARENA(a, 1 << 20);
		if (items.v[i].kind != IMAP_FETCH_SECTION)
			continue;
		imap_add_section(&b, a, &items.v[i].section);
		struct imap_section again = { 0 };
		struct cur r = cur_in(a, buf_str(&b));
		imap_section(&r, &again);
		bug_if(!cur_done(&r) || again.text != items.v[i].section.text || again.nparts != items.v[i].section.nparts);
	}

	c = cur_in(a, s);
	struct imap_search *key = NULL;
	struct str charset;
	imap_search_program(&c, &key, &charset);
	if (cur_ok(&c))
		imap_search_uses(key, IMAP_SEARCH_MODSEQ);

	c = cur_in(a, s);
	struct imap_partial partial;
	imap_search_return(&c, &partial);

	c = cur_in(a, s);
	struct imap_sort criteria[IMAP_SORT_MAX];
	imap_sort_criteria(&c, criteria);

	c = cur_in(a, s);
	struct imap_set set = { 0 };
	imap_set(&c, &set);
	if (cur_ok(&c)) {
		struct imap_ranges r = { 0 }, rest = { 0 };
		imap_set_resolve(a, &set, 1000, &r);
		for (size_t i = 0; i < r.n; i++)
			bug_if(r.v[i].first > r.v[i].last || (i > 0 && r.v[i].first <= r.v[i - 1].last + 1));
		imap_ranges_minus(a, &r, &r, &rest);
		bug_if(rest.n != 0);
	}

	c = cur_in(a, s);
	struct strlist flags = { 0 };
	imap_flag_list(&c, &flags);
	c = cur_in(a, s);
	imap_date(&c);
	int tz;
	c = cur_in(a, s);
	imap_date_time(&c, &tz);
	bool binary;
	c = cur_in(a, s);
	imap_literal8(&c, &binary);
	c = cur_in(a, s);
	imap_list_mailbox(&c, false);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	if (n < 2)
		return 0;
	struct arena a = { 0 };
	struct imap_framer f = { .max_line = 4096, .max_literal = 2000, .max_nonsync = data[0] & 1 ? 2000 : 20, .max_literals = 5000, .max_command = 10000 };
	size_t step = (size_t)(data[0] >> 1) + 1, have = 0;
	struct str in = str_n((const char *)data + 1, n - 1);

	while (have < in.n) {
		have = MIN(have + step, in.n);
		struct imap_unit u = { 0 };
		int r;
		while ((r = imap_frame(&f, str_upto(in, have), &u)) > IMAP_FRAME_MORE) {
			if (r == IMAP_FRAME_CONTINUE)
				continue;
			bug_if(u.used == 0 || u.used > have || u.data.n > u.used);
			/* Productions as they stand behind the command word. */
			struct str rest = u.data;
			for (int word = 0; word < 4 && rest.n > 0; word++) {
				productions(&a, rest);
				names(&a, rest);
				strings(&a, rest);
				str_split(&rest, ' ');
			}
			arena_reset(&a);
			in = str_from(in, u.used);
			have -= u.used;
		}
		if (r < 0)
			break;
	}
	arena_done(&a);
	return 0;
}
