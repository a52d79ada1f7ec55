/* SPDX-License-Identifier: MIT */
/*
 * Charsets to UTF-8. UTF-8 and the windows-1252 family are built in, which is nearly all mail; the rest goes through iconv, by a list of the
 * charsets that mail uses: names come from strangers, and not every converter of the C library is safe on hostile input.
 */
#include "message/body.h"

#include <errno.h>
#include <iconv.h>

#include "base/mem.h"
#include "base/utf8.h"
#include "message/header.h"
#include "message/message_internal.h"

enum kind { UTF8, WINDOWS_1252, GUESS, ICONV };

struct message_charset {
	enum kind kind;
	iconv_t cd;
	char held[16];          /* start of a character whose rest is in the next piece */
	size_t nheld;
};

/* What 0x80 to 0x9f mean; 0 is unassigned. 0xa0 and up are those of Unicode. */
static const uint16_t windows_1252[32] = {
	0x20ac, 0, 0x201a, 0x0192, 0x201e, 0x2026, 0x2020, 0x2021, 0x02c6, 0x2030, 0x0160, 0x2039, 0x0152, 0, 0x017d, 0,
	0, 0x2018, 0x2019, 0x201c, 0x201d, 0x2022, 0x2013, 0x2014, 0x02dc, 0x2122, 0x0161, 0x203a, 0x0153, 0, 0x017e, 0x0178,
};

/* Names whose converter has another name, mostly because senders mean the superset that their system has. */
static const struct {
	const char *name, *iconv;       /* "8": UTF-8, "1": windows-1252, "?": not declared usefully */
} aliases[] = {
	{ "utf-8", "8" }, { "utf8", "8" }, { "unicode-1-1-utf-8", "8" },
	{ "us-ascii", "?" }, { "ascii", "?" }, { "ansi_x3.4-1968", "?" }, { "unknown-8bit", "?" }, { "x-unknown", "?" },
	{ "iso-8859-1", "1" }, { "iso8859-1", "1" }, { "iso_8859-1", "1" },
	{ "latin1", "1" }, { "latin-1", "1" }, { "l1", "1" }, { "windows-1252", "1" }, { "cp1252", "1" }, { "x-ansi", "1" },
	{ "gb2312", "GB18030" }, { "gb_2312-80", "GB18030" }, { "gbk", "GB18030" }, { "x-gbk", "GB18030" }, { "cp936", "GB18030" },
	{ "windows-936", "GB18030" }, { "euc-cn", "GB18030" }, { "gb18030", "GB18030" },
	{ "big5", "BIG5-HKSCS" }, { "big5-hkscs", "BIG5-HKSCS" }, { "cn-big5", "BIG5-HKSCS" }, { "x-x-big5", "BIG5-HKSCS" }, { "cp950", "BIG5-HKSCS" },
	{ "euc-tw", "EUC-TW" },
	{ "shift_jis", "CP932" }, { "shift-jis", "CP932" }, { "sjis", "CP932" }, { "x-sjis", "CP932" }, { "ms_kanji", "CP932" },
	{ "windows-31j", "CP932" }, { "cp932", "CP932" }, { "euc-jp", "EUC-JP" }, { "x-euc-jp", "EUC-JP" },
	{ "iso-2022-jp", "ISO-2022-JP" }, { "iso-2022-jp-1", "ISO-2022-JP-2" }, { "iso-2022-jp-2", "ISO-2022-JP-2" }, { "iso-2022-jp-3", "ISO-2022-JP-3" },
	{ "ks_c_5601-1987", "CP949" }, { "ksc5601", "CP949" }, { "ks_c_5601", "CP949" }, { "euc-kr", "CP949" }, { "cp949", "CP949" }, { "uhc", "CP949" },
	{ "windows-949", "CP949" }, { "iso-2022-kr", "ISO-2022-KR" },
	{ "koi8-r", "KOI8-R" }, { "koi8-u", "KOI8-U" }, { "koi8-ru", "KOI8-U" }, { "koi8-t", "KOI8-T" },
	{ "tis-620", "CP874" }, { "windows-874", "CP874" }, { "cp874", "CP874" }, { "iso-8859-11", "CP874" },
	{ "iso-8859-8-i", "ISO-8859-8" }, { "iso-8859-8-e", "ISO-8859-8" }, { "iso-8859-9", "CP1254" },
	{ "macintosh", "MACINTOSH" }, { "mac", "MACINTOSH" }, { "x-mac-roman", "MACINTOSH" }, { "x-mac-cyrillic", "MAC-CYRILLIC" },
	{ "viscii", "VISCII" }, { "tcvn", "TCVN5712-1" },
	{ "utf-7", "UTF-7" }, { "unicode-1-1-utf-7", "UTF-7" }, { "utf-16", "UTF-16" }, { "utf-16le", "UTF-16LE" }, { "utf-16be", "UTF-16BE" },
	{ "utf-32", "UTF-32" }, { "utf-32le", "UTF-32LE" }, { "utf-32be", "UTF-32BE" }, { "ucs-2", "UTF-16" },
};

/* Families: prefix, and the name for iconv with the number behind it. Two to four digits at most. */
static const struct {
	const char *prefix, *iconv;
} families[] = {
	{ "iso-8859-", "ISO-8859-" }, { "iso8859-", "ISO-8859-" }, { "iso_8859-", "ISO-8859-" },
	{ "windows-", "CP" }, { "cp", "CP" }, { "ibm", "CP" }, { "x-cp", "CP" },
};
static const char *const code_pages[] = {
	"437", "737", "775", "850", "852", "855", "857", "858", "860", "861", "862", "863", "864", "865", "866", "869",
	"1250", "1251", "1253", "1254", "1255", "1256", "1257", "1258",
};

/* converter writes the iconv name for the charset, or "8", "1", "?"; false if it is none of ours. */
static bool
converter(struct str name, char *out, size_t size)
{
	char low[32];

	if (name.n == 0 || name.n >= sizeof(low))
		return false;
	for (size_t i = 0; i < name.n; i++) {
		char c = name.p[i];
		low[i] = c >= 'A' && c <= 'Z' ? (char)(c + 0x20) : c;
	}
	struct str s = str_n(low, name.n);
	for (size_t i = 0; i < ARRAY_LEN(aliases); i++) {
		if (str_is(s, str_of(aliases[i].name))) {
			snprintf(out, size, "%s", aliases[i].iconv);
			return true;
		}
	}
	for (size_t i = 0; i < ARRAY_LEN(families); i++) {
		uint32_t number;
		struct str rest = str_from(s, strlen(families[i].prefix));
		if (!str_starts(s, str_of(families[i].prefix)) || rest.n > 4 || str_u32(rest, &number) < 0)
			continue;
		bool known = families[i].iconv[0] == 'I' && number >= 2 && number <= 16 && number != 12;
		for (size_t j = 0; families[i].iconv[0] == 'C' && j < ARRAY_LEN(code_pages); j++)
			known |= str_is(rest, str_of(code_pages[j]));
		if (known)
			snprintf(out, size, "%s%u", families[i].iconv, (unsigned)number);
		return known;
	}
	return false;
}

struct message_charset *
message_charset_open(struct str name)
{
	char conv[32];

	name = str_trim(name);
	if (!converter(name, conv, sizeof(conv)))
		return NULL;

	struct message_charset *c = mem_alloc(sizeof(*c));
	if (conv[1] == '\0') {
		c->kind = conv[0] == '8' ? UTF8 : conv[0] == '1' ? WINDOWS_1252 : GUESS;
		return c;
	}
	c->kind = ICONV;
	c->cd = iconv_open("UTF-8", conv);
	if (c->cd == (iconv_t)-1) {
		mem_free(&c);
		return NULL;
	}
	return c;
}

void
message_charset_close(struct message_charset **c)
{
	if (*c && (*c)->kind == ICONV)
		iconv_close((*c)->cd);
	mem_free(c);
}

static void
add_1252_char(unsigned char ch, struct buf *out)
{
	utf8_add(out, ch >= 0xa0 ? ch : windows_1252[ch - 0x80] ? windows_1252[ch - 0x80] : 0xfffd);
}

static void
add_1252(struct str in, struct buf *out)
{
	while (in.n > 0) {
		size_t n = 0;
		while (n < in.n && (unsigned char)in.p[n] < 0x80)
			n++;
		buf_add(out, str_upto(in, n));
		in = str_from(in, n);
		if (in.n == 0)
			break;
		add_1252_char((unsigned char)in.p[0], out);
		in = str_from(in, 1);
	}
}

/* is_prefix tells whether s may be the start of a longer valid character. */
static bool
is_prefix(struct str s)
{
	unsigned char c = (unsigned char)s.p[0];
	size_t need = c >= 0xf0 && c <= 0xf4 ? 4 : c >= 0xe0 && c < 0xf0 ? 3 : c >= 0xc2 && c < 0xe0 ? 2 : 1;

	if (s.n >= need)
		return false;
	for (size_t i = 1; i < s.n; i++) {
		if (((unsigned char)s.p[i] & 0xc0) != 0x80)
			return false;
	}
	return true;
}

/*
 * add_utf8 gives valid characters on, and U+FFFD for other bytes, or when guessing what they are in windows-1252. Returns how many bytes at
 * the end are an unfinished character.
 */
static size_t
add_utf8(struct str in, bool guess, struct buf *out)
{
	const char *from = in.p;

	while (in.n > 0) {
		uint32_t cp;
		int n;
		if ((unsigned char)in.p[0] < 0x80) {
			in = str_from(in, 1);
			continue;
		}
		n = utf8_next(in, &cp);
		if (n > 0) {
			in = str_from(in, (size_t)n);
			continue;
		}
		buf_add(out, str_n(from, (size_t)(in.p - from)));
		if (is_prefix(in))
			return in.n;
		if (guess)
			add_1252_char((unsigned char)in.p[0], out);
		else
			buf_add(out, S("\xef\xbf\xbd"));
		in = str_from(in, 1);
		from = in.p;
	}
	buf_add(out, str_n(from, (size_t)(in.p - from)));
	return 0;
}

/* add_iconv converts; returns how many bytes at the end it left, at most a few. */
static size_t
add_iconv(iconv_t cd, struct str in, struct buf *out)
{
	while (in.n > 0) {
		char tmp[1024];
		char *p = (char *)(uintptr_t)in.p, *o = tmp;
		size_t left = in.n, room = sizeof(tmp);
		size_t rc = iconv(cd, &p, &left, &o, &room);
		int err = errno;

		/* A converter that gives surrogates or the like must not break the promise of valid UTF-8. */
		add_utf8(str_n(tmp, sizeof(tmp) - room), false, out);
		in = str_from(in, in.n - left);
		if (rc != (size_t)-1)
			continue;
		if (err == EINVAL && in.n < sizeof(((struct message_charset *)0)->held))
			return in.n;
		if (err == E2BIG && room < sizeof(tmp))
			continue;
		buf_add(out, S("\xef\xbf\xbd"));
		in = str_from(in, 1);
	}
	return 0;
}

static size_t
convert(struct message_charset *c, struct str in, struct buf *out)
{
	return c->kind == ICONV ? add_iconv(c->cd, in, out) : add_utf8(in, c->kind == GUESS, out);
}

void
message_charset_add(struct message_charset *c, struct str in, struct buf *out)
{
	size_t left;

	if (c->kind == WINDOWS_1252) {
		add_1252(in, out);
		return;
	}
	while (c->nheld > 0 && in.n > 0) {
		/* Complete what is held, byte by byte. */
		c->held[c->nheld++] = in.p[0];
		in = str_from(in, 1);
		struct str h = str_n(c->held, c->nheld);
		left = convert(c, h, out);
		if (left > 0 && left < c->nheld)
			memmove(c->held, c->held + c->nheld - left, left);
		c->nheld = left;
		if (c->nheld == sizeof(c->held)) {
			buf_add(out, S("\xef\xbf\xbd"));
			c->nheld = 0;
		}
	}
	if (in.n == 0)
		return;
	left = convert(c, in, out);
	memcpy(c->held, in.p + in.n - left, left);
	c->nheld = left;
}

void
message_charset_end(struct message_charset *c, struct buf *out)
{
	for (size_t i = 0; c->kind == GUESS && i < c->nheld; i++)
		add_1252_char((unsigned char)c->held[i], out);
	if (c->kind != GUESS && c->nheld > 0)
		buf_add(out, S("\xef\xbf\xbd"));
	c->nheld = 0;
	if (c->kind == ICONV) {
		char tmp[64], *o = tmp;
		size_t room = sizeof(tmp);
		if (iconv(c->cd, NULL, NULL, &o, &room) != (size_t)-1)
			add_utf8(str_n(tmp, sizeof(tmp) - room), false, out);
	}
}

struct str
message_to_utf8(struct arena *a, struct str s)
{
	struct buf b = BUF_ARENA(a, SIZE_MAX / 2);

	if (str_is_ascii(s) || utf8_valid(s))
		return s;
	add_1252(s, &b);
	return buf_str(&b);
}

struct str
message_charset_decode(struct arena *a, struct str name, struct str s)
{
	struct buf b = BUF_ARENA(a, SIZE_MAX / 2);
	cleanup_(message_charset_close) struct message_charset *c = message_charset_open(name);

	if (!c || c->kind == GUESS || (c->kind != ICONV && str_is_ascii(s)))
		return message_to_utf8(a, s);
	buf_reserve(&b, s.n);
	message_charset_add(c, s, &b);
	message_charset_end(c, &b);
	return buf_str(&b);
}
