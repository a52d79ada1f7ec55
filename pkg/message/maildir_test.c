/* SPDX-License-Identifier: MIT */
/* Names in maildirs: those of the corpus, and edges. */
#include "message/maildir.h"

#include "message/corpus_test.h"
#include "testutil/testutil.h"

/* describe writes "folder|new|time|size,crlf size|flags|keywords". */
static struct str
describe(struct str path)
{
	struct message_maildir m;
	struct str keywords = S("");

	if (message_maildir_name(test_arena(), path, &m) < 0)
		return S("none");
	for (int i = 0; i < 26; i++)
		if (m.keywords & UINT32_C(1) << i)
			keywords = str_fmt(test_arena(), STRF "%c", STRA(keywords), 'a' + i);
	return str_fmt(test_arena(), STRF "|%s|%lld|%lld,%lld|%s%s%s%s%s|" STRF, STRA(m.folder), m.is_new ? "new" : "cur", (long long)m.received_s,
	    (long long)m.size, (long long)m.crlf_size, m.draft ? "D" : "", m.flagged ? "F" : "", m.answered ? "R" : "", m.seen ? "S" : "",
	    m.deleted ? "T" : "", STRA(keywords));
}

/* The suite has no results of its own; these follow from what the letters and fields mean. */
TEST(maildir_names)
{
	static const char *const want[] = {
		"My Folder/Nested Folder|cur|1276533073|-1,-1|F|",
		"My Folder/Nested Folder|new|1035478339|1000,1030|DFR|",
		"My Folder|cur|1035478339|1000,1030|DRT|",
		"My Folder|new|1276528487|1355,1394||",
		"|cur|1491941793|10956,-1|ST|ln",
		"|new|1234567890|4542,4642|S|b",
	};
	cJSON *all = corpus_json("mbox-maildir/maildir-names.json"), *row;
	size_t n = 0;

	cJSON_ArrayForEach(row, all) {
		test_row("%s", row->valuestring);
		assert_true(n < ARRAY_LEN(want));
		assert_str(describe(str_of(row->valuestring)), str_of(want[n]));
		n++;
	}
	assert_int_equal(n, ARRAY_LEN(want));
	cJSON_Delete(all);
}

TEST(maildir_name_edges)
{
	static const struct { const char *path, *want; } rows[] = {
		{ "cur/1.x.y:2,S", "|cur|1|-1,-1|S|" },
		{ "cur/1.x.y:2,", "|cur|1|-1,-1||" },
		{ "cur/1.x.y:1,S", "|cur|1|-1,-1||" },                  /* experimental info: no flags */
		{ "cur/1.x.y", "|cur|1|-1,-1||" },
		{ "cur/1.x", "|cur|0|-1,-1||" },                        /* not the usual form */
		{ "cur/name", "|cur|0|-1,-1||" },
		{ "cur/-5.x.y", "|cur|0|-1,-1||" },
		{ "cur/99999999999999999999.x.y", "|cur|0|-1,-1||" },
		{ "cur/1.x.y,S=-1,W=x,S=", "|cur|1|-1,-1||" },
		{ "cur/1.x.y,S=99999999999999999999:2,S", "|cur|1|-1,-1|S|" },
		{ "cur/1.x.y:2,PSx?Z", "|cur|1|-1,-1|S|x" },
		{ "new/1.a;b.y:2,F", "|new|1|-1,-1|F|" },
		{ ".A/cur/1.x.y", "A|cur|1|-1,-1||" },
		{ "tmp/1.x.y", "none" },
		{ "cur/", "none" },
		{ "cur", "none" },
		{ "", "none" },
		{ "cur/.hidden", "none" },
		{ "cur/a/b", "none" },
		{ "A/cur/1.x.y", "none" },
		{ "./cur/1.x.y", "none" },
		{ ".A..B/cur/1.x.y", "none" },
		{ "../cur/1.x.y", "none" },
		{ "/cur/1.x.y", "none" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		test_row("%s", rows[i].path);
		assert_str(describe(test_exact(str_of(rows[i].path))), str_of(rows[i].want));
	}
}
