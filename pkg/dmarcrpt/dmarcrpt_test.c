/* SPDX-License-Identifier: MIT */
/* dmarcrpt_test.c - reports of the world, what is odd or hostile in them, messages, writing. */
#include "dmarcrpt/dmarcrpt.h"

#include <archive.h>
#include <archive_entry.h>

#include "base/enc.h"
#include "base/gzip.h"
#include "base/limits.h"
#include "dmarcrpt/dmarcrpt_internal.h"
#include "testutil/testutil.h"

/* What each file of testdata/reports/dmarc holds. Found by another program (xml.etree of Python). */
static const struct {
	const char *file;
	int want;
	const char *org, *id, *domain;
	int64_t begin, end;
	const char *policy;
	size_t records;
	int64_t count;                /* sum over all records */
	size_t dkim, spf;             /* results in all */
	const char *ip, *disposition; /* of the first record */
} corpus[] = {
	{ "extract/changed-input.xml", 0, "fred.com", "11038226378739404135", "example.com", 1718236800, 1718323199,
	    "none", 20, 3047, 34, 20, "209.85.220.69", "none" },
	{ "extract/nice-input.xml", 0, "google.com", "11038226378739404135", "example.com", 1718236800, 1718323199,
	    "none", 20, 3047, 34, 20, "209.85.220.69", "none" },
	{ "extract/nice-input.xml.gz", 0, "google.com", "11038226378739404135", "example.com", 1718236800, 1718323199,
	    "none", 20, 3047, 34, 20, "209.85.220.69", "none" },
	{ "extract/nice-input.xml.zip", 0, "google.com", "11038226378739404135", "example.com", 1718236800, 1718323199,
	    "none", 20, 3047, 34, 20, "209.85.220.69", "none" },
	{ "mail-auth/001.xml", 0, "Sample Reporter", "3v98abbp8ya9n3va8yr8oa3ya", "example.com", 161212415, 161221511,
	    "quarantine", 1, 123, 1, 1, "192.168.4.4", "quarantine" },
	{ "mail-auth/002.xml", 0, "google.com", "2122885654478337555", "example.org", 1661558400, 1661644799, "none", 1,
	    2, 1, 1, "209.85.220.41", "none" },
	{ "mail-auth/003.xml", 0, "Fastmail Pty Ltd", "758848224", "stalw.art", 1667347200, 1667433599, "none", 4, 9, 5,
	    4, "64.147.108.117", "none" },
	{ "mail-auth/004.xml", 0, "Sample Reporter", "3v98abbp8ya9n3va8yr8oa3ya", "example.com", 302832000, 302918399,
	    "quarantine", 1, 123, 1, 1, "192.0.2.123", "pass" },
	{ "mail-auth/005.xml", 0, "Legacy Reporter", "legacy-1", "example.com", 100, 200, "reject", 1, 1, 0, 1,
	    "192.0.2.1", "quarantine" },
	{ "mail-auth/100.eml", 0, "google.com", "5264580628977113351", "stalw.art", 1669507200, 1669593599, "none", 1,
	    1, 1, 1, "2a01:4f9:c011:b43c::1", "none" },
	{ "mail-auth/101.eml", 0, "\"backschues.NET", "stalw.art.1667948400.1668034800", "stalw.art", 1667948400,
	    1668034800, "none", 1, 1, 2, 1, "50.223.129.194", "none" },
	{ "mail-auth/102.eml", 0, "Mail.Ru", "28551467700969547611667865600", "stalw.art", 1667865600, 1667952000,
	    "none", 1, 1, 2, 1, "50.223.129.194", "none" },
	{ "mail-auth/103.eml", 0, "Outlook.com", "725cbfbe133940149987cfc528387235", "stalw.art", 1666483200,
	    1666569600, "none", 1, 1, 3, 1, "50.223.129.194", "none" },
	{ "mail-auth/104.eml", 0, "AMAZON-SES", "6b06c366-0631-4ca0-8337-f5aecf137918", "stalw.art", 1663545600,
	    1663632000, "none", 1, 1, 0, 1, "207.171.188.200", "none" },
	{ "opendmarc/163.com_example.com_1337270400_1337356799.20120518163.xml", 0, "163.com",
	    "aggr_report_example.com_20120518_163.com", "example.com", 1337270400, 1337356799, "reject", 50, 92, 50, 50,
	    "66.220.144.159", "reject" },
	{ "opendmarc/bad.com_example.com_1337140800_1337227200.xml", ERR_INVALID, NULL, NULL, NULL, 0, 0, NULL, 0, 0, 0,
	    0, NULL, NULL }, // not well-formed (invalid token): line 6, column 180
	{ "opendmarc/good.com_example.com_1337270400_1337356799.xml", 0, "126.com",
	    "aggr_report_example.com_20120518_126.com", "example.com", 1337270400, 1337356799, "reject", 754, 183934,
	    697, 1025, "116.233.121.204", "reject" },
	{ "opendmarc/yeah.net_example.com_1337270400_1337356799.20120518.xml", 0, "yeah.net",
	    "aggr_report_example.com_20120518_yeah.net", "example.com", 1337270400, 1337356799, "reject", 254, 21679,
	    240, 284, "209.85.214.181", "none" },
	{ "parsedmarc-invalid/report_with_upper_cased_pass.xml", 0, "example.com",
	    "aggr_report_example.com_20191202_1638", "example.com", 1574955300, 1575304683, "reject", 1, 1, 1, 1,
	    "23.104.41.189", "none" },
	{ "parsedmarc/Report_domain-_borschow.com_Submitter-_google.com_Report-ID-_949348866075514174.eml", 0,
	    "google.com", "949348866075514174", "borschow.com", 1549929600, 1550015999, "reject", 1, 1, 0, 1,
	    "92.53.116.102", "reject" },
	{ "parsedmarc/addisonfoods.com_example.com_1536105600_1536191999.xml", 0, "addisonfoods.com",
	    "3ceb5548498640beaeb47327e202b0b9", "example.com", 1536105600, 1536191999, "none", 1, 1, 1, 0,
	    "109.203.100.17", "none" },
	{ "parsedmarc/empty_reason.xml", 0, "example.org", "20240125141224705995", "example.com", 1706159544,
	    1706185733, "quarantine", 1, 2, 1, 1, "198.51.100.123", "none" },
	{ "parsedmarc/estadocuenta1.infonacot.gob.mx_example.com_1536853302_1536939702_2940.xml.zip", 0,
	    "XYZ Corporation", "2940", "example.com", 1536853302, 1536939702, "none", 1, 1, 0, 0, "148.243.137.254",
	    "none" },
	{ "parsedmarc/example.com_1538204542_1538463818.xml", 0, "", "example.com:1538463741", "example.com",
	    1538413632, 1538413632, "none", 1, 1, 0, 1, "12.20.127.122", "none" },
	{ "parsedmarc/example.net_example.com_1529366400_1529452799.xml", 0, "example.net",
	    "b043f0e264cf4ea995e93765242f6dfb", "example.com", 1529366400, 1529452799, "none", 1, 1, 0, 0,
	    "199.230.200.36", "none" },
	{ "parsedmarc/fastmail.com_example.com_1516060800_1516147199_102675056.xml.gz", 0, "FastMail Pty Ltd",
	    "102675056", "indemed.com", 1516060800, 1516147199, "none", 1, 1, 0, 1, "104.195.80.20", "none" },
	{ "parsedmarc/ikea.com_example.de_1538690400_1538776800.xml", 0, "ikea.com",
	    "aggr_report_2018_10_05_5bc7e9b4f3e8a", "example.de", 1538690400, 1538776800, "none", 1, 1, 1, 1,
	    "234.234.234.234", "none" },
	{ "parsedmarc/invalid_utf_8.xml", 0, "", "example.com:1538463741", "example.com", 1538413632, 1538413632,
	    "none", 1, 1, 0, 1, "12.20.127.122", "none" },
	{ "parsedmarc/invalid_xml.xml", ERR_INVALID, NULL, NULL, NULL, 0, 0, NULL, 0, 0, 0, 0, NULL,
	    NULL }, // not well-formed (invalid token): line 5, column 17
	{ "parsedmarc/large-example.com_1711897200_1711983600.xml", 0, "", "example.com:1711897200", "example.com",
	    1711897200, 1711983600, "none", 2286, 2286, 0, 2286, "12.20.121.1", "none" },
	{ "parsedmarc/mimecast-weird-gzip.eml", 0, "Mimecast",
	    "157a5fe30ec76f4bc0d8bccfc96c118a167a1280fee7c7465af5115e73082e5e", "ab.id.au", 1693353600, 1693439999,
	    "reject", 1, 1, 1, 1, "40.93.199.22", "none" },
	{ "parsedmarc/old_draft_from_wiki.xml", 0, "acme.com", "9391651994964116463", "example.com", 1335571200,
	    1335657599, "none", 1, 2, 1, 1, "72.150.241.94", "none" },
	{ "parsedmarc/protection.outlook.com_example.com_1711756800_1711843200.xml", 0, "Outlook.com",
	    "cfeafefe4129445e8c81018bd9177197", "example.com", 1711756800, 1711843200, "none", 1, 1, 0, 1,
	    "100.24.188.149", "none" },
	{ "parsedmarc/rfc9990-example.net_example.com_1700000000_1700086399.xml", 0, "example.net",
	    "dmarcbis-test-report-001", "example.com", 1700000000, 1700086399, "reject", 2, 7, 1, 2, "198.51.100.1",
	    "none" },
	{ "parsedmarc/rfc9990-sample.xml", 0, "Sample Reporter", "3v98abbp8ya9n3va8yr8oa3ya", "example.com", 302832000,
	    302918399, "quarantine", 1, 123, 1, 1, "192.0.2.123", "pass" },
	{ "parsedmarc/twilight.eml", 0, "google.com", "1627703331531660819", "twlnet.com", 1549756800, 1549843199,
	    "reject", 1, 1, 1, 1, "87.106.127.28", "none" },
	{ "parsedmarc/usssa.com_example.com_1538784000_1538870399.xml", 0, "usssa.com",
	    "8953b4d4a4ee4218b6ac0e2cb2667ee1", "example.com", 1538784000, 1538870399, "none", 2, 2, 0, 0,
	    "12.20.127.40", "none" },
	{ "parsedmarc/veeam.com_example.com_1530133200_1530219600.xml", 0, "veeam.com", "sonexushealth.com:1530233361",
	    "example.com", 1530133200, 1530219600, "none", 1, 1, 0, 1, "199.230.200.36", "none" },
};

static struct str
crlf(struct str s)
{
	struct buf b = BUF_ARENA(test_arena(), 1 << 24);

	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] == '\n' && (i == 0 || s.p[i - 1] != '\r'))
			buf_addc(&b, '\r');
		buf_addc(&b, s.p[i]);
	}
	return buf_str(&b);
}

static struct str
packed(const struct dmarcrpt_feedback *r, enum dmarcrpt_form form)
{
	struct buf b = BUF_ARENA(test_arena(), 1 << 24);

	dmarcrpt_pack(&b, r, form);
	assert_false(b.failed);
	return buf_str(&b);
}

/* Writing and reading again changes nothing more. */
static void
check_round_trip(const struct dmarcrpt_feedback *r)
{
	for (int form = DMARCRPT_RFC7489; form <= DMARCRPT_RFC9990; form++) {
		struct str once = packed(r, (enum dmarcrpt_form)form);
		struct dmarcrpt_feedback again;

		assert_ok(dmarcrpt_parse(test_arena(), test_exact(once), &again, NULL));
		assert_str(packed(&again, (enum dmarcrpt_form)form), once);
		assert_int_equal(again.records.n, r->records.n);
	}
}

TEST(corpus)
{
	for (size_t i = 0; i < ARRAY_LEN(corpus); i++) {
		struct str text = test_read(test_data(str_fmt(test_arena(), "reports/dmarc/%s", corpus[i].file).p));
		struct dmarcrpt_feedback r;
		size_t dkim = 0, spf = 0;
		int64_t count = 0;
		int rv;

		test_row("%s", corpus[i].file);
		if (str_ends(str_of(corpus[i].file), S(".eml"))) {
			struct message_source src = message_source_mem(crlf(text));

			rv = dmarcrpt_parse_message(test_arena(), &src, &r, NULL);
		} else {
			rv = dmarcrpt_parse_file(test_arena(), test_exact(text), &r, NULL);
		}
		assert_int_equal(rv, corpus[i].want);
		if (rv < 0)
			continue;
		assert_strz(r.report_metadata.org_name, corpus[i].org);
		assert_strz(r.report_metadata.report_id, corpus[i].id);
		assert_strz(r.policy_published.domain, corpus[i].domain);
		assert_int_equal(r.report_metadata.date_range.begin, corpus[i].begin);
		assert_int_equal(r.report_metadata.date_range.end, corpus[i].end);
		assert_strz(r.policy_published.policy, corpus[i].policy);
		assert_int_equal(r.records.n, corpus[i].records);
		for (size_t k = 0; k < r.records.n; k++) {
			count += r.records.v[k].row.count;
			dkim += r.records.v[k].auth_results.dkim.n;
			spf += r.records.v[k].auth_results.spf.n;
		}
		assert_int_equal(count, corpus[i].count);
		assert_int_equal(dkim, corpus[i].dkim);
		assert_int_equal(spf, corpus[i].spf);
		assert_strz(r.records.v[0].row.source_ip, corpus[i].ip);
		assert_strz(r.records.v[0].row.policy_evaluated.disposition, corpus[i].disposition);
		check_round_trip(&r);
	}
}

#define DOMAIN "<policy_published><domain>d.example</domain></policy_published>"

/* Reports with an id, and with a count. */
#define ID(id) "<feedback><report_metadata><report_id>" id "</report_id></report_metadata>" DOMAIN "</feedback>"
#define COUNT(n) "<feedback>" DOMAIN "<record><row><count>" n "</count></row></record></feedback>"
#define NS "urn:ietf:params:xml:ns:dmarc-2.0"

TEST(odd_documents)
{
	static const struct {
		const char *xml;
		int want;
		const char *id;
	} rows[] = {
		{ ID(" x \n"), 0, "x" },
		{ "\n <?xml version=\"1.0\"?>" ID("") "junk", 0, "" },
		/* Namespaces: that of the root, and others. */
		{ "<n:feedback><n:report_metadata><n:report_id>x</n:report_id></n:report_metadata>" DOMAIN "</n:feedback>",
		    0, "x" },
		{ "<feedback xmlns='" NS "'><o:report_metadata><report_id/></o:report_metadata>" DOMAIN "</feedback>", 0, "" },
		/* Elements around, within texts, twice. */
		{ "<x><y>" ID("x") "</y></x>", 0, "x" },
		{ "<x>" ID("x"), 0, "x" },
		{ ID("a<b>c</b>d"), 0, "ad" },
		{ ID("<![CDATA[<&>]]>"), 0, "<&>" },
		{ ID("1</report_id><report_id>2"), 0, "2" },
		/* Charsets. */
		{ ID("\xff"), 0, "\xef\xbf\xbd" },
		{ "<?xml version='1.0' encoding='iso-8859-1'?>" ID("\xe9"), 0, "\xc3\xa9" },
		{ "<?xml version='1.0' encoding='windows-1252'?>" ID("\x80"), 0, "\xe2\x82\xac" },
		{ "<?xml version='1.0' encoding='no-such'?>" ID("x"), ERR_INVALID, NULL },
		/* DTDs are not fetched, entities not taken. */
		{ "<!DOCTYPE feedback>" ID("x"), 0, "x" },
		{ "<!DOCTYPE f SYSTEM 'http://x.example/f.dtd'>" ID("x"), 0, "x" },
		{ "<!DOCTYPE f [<!ENTITY a 'x'>]>" ID("x"), ERR_INVALID, NULL },
		{ "<!DOCTYPE f [<!ENTITY a SYSTEM 'file:///etc/passwd'>]>" ID("&a;"), ERR_INVALID, NULL },
		{ "<!DOCTYPE f [<!ENTITY % a 'x'>]>" ID("x"), ERR_INVALID, NULL },
		{ ID("&a;"), ERR_INVALID, NULL },
		{ ID("&lt;&#65;"), 0, "<A" },
		/* Numbers. */
		{ COUNT("1.0"), 0, "" },
		{ COUNT(""), 0, "" },
		{ COUNT("1.5"), ERR_INVALID, NULL },
		{ COUNT("many"), ERR_INVALID, NULL },
		{ COUNT("99999999999999999999"), ERR_INVALID, NULL },
		/* Not a report. */
		{ "<feedback></feedback>", ERR_INVALID, NULL },
		{ "<feedback>" DOMAIN, ERR_INVALID, NULL },
		{ "<html></html>", ERR_INVALID, NULL },
		{ "no xml", ERR_INVALID, NULL },
		{ "", ERR_INVALID, NULL },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct dmarcrpt_feedback r;
		struct errmsg e = { 0 };
		int rv;

		test_row("%s", rows[i].xml);
		rv = dmarcrpt_parse(test_arena(), test_exact(str_of(rows[i].xml)), &r, &e);
		assert_int_equal(rv, rows[i].want);
		assert_int_equal(e.text[0] != '\0', rv < 0);
		if (rv == 0)
			assert_strz(r.report_metadata.report_id, rows[i].id);
	}
}

static int
parse_repeated(const char *head, const char *piece, size_t n, const char *tail)
{
	struct buf b = BUF_ARENA(test_arena(), 1 << 26);
	struct dmarcrpt_feedback r;

	buf_addz(&b, head);
	for (size_t i = 0; i < n; i++)
		buf_addz(&b, piece);
	buf_addz(&b, tail);
	return dmarcrpt_parse(test_arena(), buf_str(&b), &r, NULL);
}

TEST(limits)
{
	assert_err(
	    parse_repeated("<feedback>" DOMAIN, "<record/>", LIMIT_REPORT_RECORDS + 1, "</feedback>"), ERR_LIMIT);
	assert_ok(parse_repeated("<feedback>" DOMAIN, "<record/>", 1000, "</feedback>"));
	assert_err(parse_repeated("<feedback>", "<x>", 10000, ""), ERR_LIMIT);
	assert_err(parse_repeated("", "<x>", 10000, ""), ERR_INVALID);
	assert_err(parse_repeated("<feedback><version>", "0123456789", 10000, "</version></feedback>"), ERR_LIMIT);
	assert_err(
	    parse_repeated("<feedback>" DOMAIN, "          ", LIMIT_REPORT_SIZE / 10 + 1, "</feedback>"), ERR_LIMIT);
}

/* A zip archive with files of these sizes, of spaces around a report. */
static struct str
make_zip(const size_t *sizes, size_t n)
{
	static const char report[] = "<feedback>" DOMAIN "</feedback>";
	size_t max = 1 << 20, used = 0;
	char *out = arena_bytes(test_arena(), max);
	struct archive *zip = archive_write_new();

	archive_write_set_format_zip(zip);
	assert_int_equal(archive_write_open_memory(zip, out, max, &used), ARCHIVE_OK);
	for (size_t i = 0; i < n; i++) {
		struct archive_entry *entry = archive_entry_new();
		char *text = arena_bytes(test_arena(), sizes[i] + sizeof(report));

		memset(text, ' ', sizes[i] + sizeof(report));
		memcpy(text, report, sizeof(report) - 1);
		archive_entry_set_pathname(entry, str_fmt(test_arena(), "%zu.xml", i).p);
		archive_entry_set_filetype(entry, AE_IFREG);
		archive_entry_set_size(entry, (int64_t)(sizes[i] + sizeof(report)));
		assert_int_equal(archive_write_header(zip, entry), ARCHIVE_OK);
		assert_true(archive_write_data(zip, text, sizes[i] + sizeof(report)) > 0);
		archive_entry_free(entry);
	}
	archive_write_close(zip);
	archive_write_free(zip);
	return str_n(out, used);
}

TEST(zip_archives)
{
	const size_t one[] = { 0 }, two[] = { 0, 0 }, huge[] = { LIMIT_REPORT_SIZE };
	struct str zip = make_zip(one, 1), bad;
	struct dmarcrpt_feedback r;

	assert_ok(dmarcrpt_parse_file(test_arena(), test_exact(zip), &r, NULL));
	assert_err(dmarcrpt_parse_file(test_arena(), make_zip(two, 2), &r, NULL), ERR_INVALID);
	assert_err(dmarcrpt_parse_file(test_arena(), make_zip(huge, 1), &r, NULL), ERR_LIMIT);
	assert_err(dmarcrpt_parse_file(test_arena(), make_zip(NULL, 0), &r, NULL), ERR_INVALID);
	for (size_t n = 0; n < zip.n; n++)
		ignore_result(dmarcrpt_parse_file(test_arena(), test_exact(str_upto(zip, n)), &r, NULL));
	bad = str_dup(test_arena(), zip);
	assert_err(dmarcrpt_parse_file(test_arena(), str_upto(bad, 40), &r, NULL), ERR_INVALID);
}

TEST(byte_order_marks)
{
	static const char report[] = "<feedback>" DOMAIN "</feedback>";
	struct buf utf16 = BUF_ARENA(test_arena(), 1 << 20);
	struct dmarcrpt_feedback r;
	struct message_source src;

	buf_add(&utf16, S("\xff\xfe"));
	for (const char *p = report; *p; p++) {
		buf_addc(&utf16, *p);
		buf_addc(&utf16, '\0');
	}
	assert_ok(dmarcrpt_parse_file(test_arena(), test_exact(buf_str(&utf16)), &r, NULL));
	assert_strz(r.policy_published.domain, "d.example");
	assert_ok(dmarcrpt_parse_file(test_arena(), str_cat(test_arena(), S("\xef\xbb\xbf"), str_of(report)), &r, NULL));
	src = message_source_mem(S("Content-Type: application/octet-stream\r\n\r\n\xef\xbb\xbf<feedback>" DOMAIN "</feedback>"));
	assert_ok(dmarcrpt_parse_message(test_arena(), &src, &r, NULL));
}

TEST(gzip_bomb)
{
	size_t n = LIMIT_REPORT_SIZE + 1;
	char *p = arena_bytes(test_arena(), n);
	struct buf z = BUF_ARENA(test_arena(), 1 << 20);
	struct dmarcrpt_feedback r;

	memset(p, ' ', n);
	gzip_pack(&z, str_n(p, n));
	assert_err(dmarcrpt_parse_file(test_arena(), buf_str(&z), &r, NULL), ERR_LIMIT);
}

#define XML "<?xml version=\"1.0\"?><feedback>" DOMAIN "</feedback>\r\n"
#define MIXED "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\ntext\r\n--b\r\n"

TEST(messages)
{
	static const struct {
		const char *text;
		int want;
	} rows[] = {
		{ "Content-Type: text/xml\r\n\r\n" XML, 0 },
		{ "Content-Type: application/xml\r\n\r\n" XML, 0 },
		{ "Subject: no type\r\n\r\n" XML, 0 },
		{ "Subject: no type\r\n\r\nhello\r\n", ERR_NOTFOUND },
		{ "Content-Type: application/octet-stream\r\n\r\n" XML, 0 },
		{ "Content-Type: application/octet-stream\r\n\r\nother\r\n", ERR_NOTFOUND },
		{ "Content-Type: text/plain\r\n\r\n" XML, ERR_NOTFOUND },
		{ "Content-Type: text/xml\r\n\r\nno xml\r\n", ERR_INVALID },
		{ MIXED "Content-Type: text/xml\r\n\r\n" XML "--b--\r\n", 0 },
		{ MIXED
		    "Content-Type: application/octet-stream\r\n\r\nlogo\r\n--b\r\nContent-Type: text/xml\r\n\r\n" XML
		    "--b--\r\n",
		    0 },
		{ MIXED "Content-Type: multipart/mixed; boundary=c\r\n\r\n--c\r\nContent-Type: text/xml\r\n\r\n" XML
			"--c--\r\n--b--\r\n",
		    0 },
		{ MIXED "Content-Type: application/gzip\r\n\r\nbroken\r\n--b\r\nContent-Type: text/xml\r\n\r\n" XML
			"--b--\r\n",
		    ERR_INVALID },
		{ MIXED "Content-Type: message/rfc822\r\n\r\nContent-Type: text/xml\r\n\r\n" XML "--b--\r\n",
		    ERR_NOTFOUND },
		{ MIXED "--b--\r\n", ERR_NOTFOUND },
	};
	struct dmarcrpt_feedback r;
	struct message_source large =
	    message_source_mem(str_n(arena_bytes(test_arena(), LIMIT_REPORT_MESSAGE + 1), LIMIT_REPORT_MESSAGE + 1));

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct message_source src = message_source_mem(str_of(rows[i].text));

		test_row("%zu", i);
		assert_int_equal(dmarcrpt_parse_message(test_arena(), &src, &r, NULL), rows[i].want);
		if (rows[i].want == 0)
			assert_strz(r.policy_published.domain, "d.example");
	}
	assert_err(dmarcrpt_parse_message(test_arena(), &large, &r, NULL), ERR_LIMIT);
}

TEST(element_names)
{
	static const char *const rows[][2] = { { "SourceIP", "source_ip" }, { "ReportID", "report_id" },
		{ "DKIM", "dkim" }, { "EnvelopeTo", "envelope_to" }, { "ADKIM", "adkim" }, { "Policy", "p" },
		{ "DiscoveryMethod", "discovery_method" } };

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct typedesc_field f = { .name = rows[i][0] };
		char buf[64];

		assert_strz(dmarcrpt_element(&f, buf), rows[i][1]);
	}
}

TEST(writing)
{
	struct dmarcrpt_dkim_auth_result dkim = { .domain = S("d.example"), .selector = S("s"), .result = S("pass") };
	struct dmarcrpt_spf_auth_result spf = {
		.domain = S("e.example"), .scope = S("mfrom"), .result = S("fail"), .human_result = S("why")
	};
	struct dmarcrpt_policy_override_reason reason = { .type = S("other"),
		.comment = S("a<b & \"c\">\x01\xff\r\n.") };
	struct dmarcrpt_report_record record = {
		.row = { .source_ip = S("192.0.2.1"),
		    .count = 3,
		    .policy_evaluated = { .disposition = S("none"),
			.dkim = S("pass"),
			.spf = S("fail"),
			.reasons = { &reason, 1, false } } },
		.identifiers = { .header_from = S("d.example") },
		.auth_results = { .dkim = { &dkim, 1, false }, .spf = { &spf, 1, false } },
	};
	struct dmarcrpt_feedback r = {
		.version = S("1.0"),
		.report_metadata = { .org_name = S("mx.example"),
		    .email = S("postmaster@mx.example"),
		    .report_id = S("20240101.x"),
		    .date_range = { 1700000000, 1700086399 },
		    .generator = S("mox") },
		.policy_published = { .domain = S("d.example"),
		    .policy = S("reject"),
		    .nonexistent_policy = S("none"),
		    .percentage = 100,
		    .discovery_method = S("treewalk"),
		    .testing = S("n") },
		.records = { &record, 1, false },
	};

	assert_strz(packed(&r, DMARCRPT_RFC7489),
	    "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<feedback>\n\t<version>1.0</version>\n\t<report_metadata>\n"
	    "\t\t<org_name>mx.example</org_name>\n\t\t<email>postmaster@mx.example</email>\n\t\t"
	    "<report_id>20240101.x</report_id>\n\t\t<date_range>\n"
	    "\t\t\t<begin>1700000000</begin>\n\t\t\t<end>1700086399</end>\n\t\t</date_range>\n"
	    "\t</report_metadata>\n\t<policy_published>\n\t\t<domain>d.example</domain>\n\t\t<p>reject</p>\n\t\t<pct>100</pct>\n"
	    "\t</policy_published>\n\t<record>\n\t\t<row>\n\t\t\t<source_ip>192.0.2.1</source_ip>\n\t\t\t<count>3</count>\n"
	    "\t\t\t<policy_evaluated>\n\t\t\t\t<disposition>none</disposition>\n\t\t\t\t<dkim>pass</dkim>\n"
	    "\t\t\t\t<spf>fail</spf>\n\t\t\t\t<reason>\n\t\t\t\t\t<type>other</type>\n"
	    "\t\t\t\t\t<comment>a&lt;b &amp; \"c\"&gt;\xef\xbf\xbd\xef\xbf\xbd&#13;\n.</comment>\n\t\t\t\t</reason>\n"
	    "\t\t\t</policy_evaluated>\n\t\t</row>\n\t\t<identifiers>\n\t\t\t<envelope_from></envelope_from>\n"
	    "\t\t\t<header_from>d.example</header_from>\n\t\t</identifiers>\n\t\t<auth_results>\n\t\t\t<dkim>\n"
	    "\t\t\t\t<domain>d.example</domain>\n\t\t\t\t<selector>s</selector>\n\t\t\t\t<result>pass</result>\n\t\t\t</dkim>\n"
	    "\t\t\t<spf>\n\t\t\t\t<domain>e.example</domain>\n\t\t\t\t<scope>mfrom</scope>\n\t\t\t\t<result>fail</result>\n"
	    "\t\t\t</spf>\n\t\t</auth_results>\n\t</record>\n</feedback>\n");
	assert_true(
	    str_search(packed(&r, DMARCRPT_RFC9990), S("<feedback xmlns=\"urn:ietf:params:xml:ns:dmarc-2.0\">")) > 0);
	assert_true(str_search(packed(&r, DMARCRPT_RFC9990), S("<np>none</np>")) > 0);
	assert_true(str_search(packed(&r, DMARCRPT_RFC9990), S("<testing>n</testing>")) > 0);
	assert_true(str_search(packed(&r, DMARCRPT_RFC9990), S("<human_result>why</human_result>")) > 0);
	assert_true(str_search(packed(&r, DMARCRPT_RFC9990), S("<pct>")) < 0);
	check_round_trip(&r);
	assert_strz(
	    dmarcrpt_filename(test_arena(), S("mail.receiver.example"), S("example.com"), 1013662812, 1013749130),
	    "mail.receiver.example!example.com!1013662812!1013749130.xml.gz");
}

/* Every report that the types can hold survives being written and read. */
TEST(samples)
{
	for (uint64_t seed = 1; seed < 50; seed++) {
		struct dmarcrpt_feedback r = { 0 };

		typedesc_sample(test_arena(), &dmarcrpt_feedback_desc, seed, &r);
		r.policy_published.domain = S("d.example");
		test_row("%llu", (unsigned long long)seed);
		/* Values from lists come back in lower case. */
		assert_ok(
		    dmarcrpt_parse(test_arena(), packed(&r, seed % 2 ? DMARCRPT_RFC7489 : DMARCRPT_RFC9990), &r, NULL));
		check_round_trip(&r);
	}
}
