/* SPDX-License-Identifier: MIT */
/*
 * Reply codes and reply lines.
 */
#include "smtp/smtp.h"

#include "base/limits.h"

bool
smtp_code_known(int code)
{
	switch (code) {
	case 211: case 214: case 220: case 221: case 235: case 250: case 251: case 252:
	case 334: case 354:
	case 421: case 432: case 450: case 451: case 452: case 454: case 455:
	case 500: case 501: case 502: case 503: case 504: case 521: case 523: case 525: case 530: case 534: case 535: case 538:
	case 550: case 551: case 552: case 553: case 554: case 555: case 556:
		return true;
	default:
		return false;
	}
}

/* add_line writes one line: code, separator, enhanced code, and text made of printable ASCII: rfc/5321:2595 */
static void
add_line(struct buf *b, int code, bool more, const char *enhanced, struct str text)
{
	buf_addf(b, "%03d%c", code, more ? '-' : ' ');
	if (enhanced)
		buf_addf(b, "%d.%s%s", code / 100, enhanced, text.n > 0 ? " " : "");
	for (size_t i = 0; i < text.n; i++) {
		char c = text.p[i];
		buf_addc(b, (c >= 0x20 && c < 0x7f) || c == '\t' ? c : '?');
	}
	buf_add(b, S("\r\n"));
}

void
smtp_reply_add(struct buf *b, int code, const char *enhanced, struct str text)
{
	size_t room = LIMIT_SMTP_REPLY_LINE - 4 - (enhanced ? strlen(enhanced) + 3 : 0);

	do {
		struct str line = str_trim(str_split(&text, '\n'));
		while (line.n > room) {
			ssize_t sp = str_rfind(str_upto(line, room), ' ');
			size_t n = sp > 0 ? (size_t)sp : room;
			add_line(b, code, true, enhanced, str_upto(line, n));
			line = str_trim(str_from(line, n));
		}
		add_line(b, code, text.n > 0, enhanced, line);
	} while (text.n > 0);
}

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* take_enhanced cuts "class.subject.detail" from the start of *text if it is one of the reply code's class: rfc/3463:128 */
static struct str
take_enhanced(struct str *text, char class)
{
	struct str s = *text;
	size_t i = 1;

	if (s.n < 5 || s.p[0] != class)
		return (struct str){ 0 };
	for (int part = 0; part < 2; part++) {
		size_t digits = 0;
		if (i >= s.n || s.p[i++] != '.')
			return (struct str){ 0 };
		for (; i < s.n && is_digit(s.p[i]); i++)
			digits++;
		if (digits < 1 || digits > 3)
			return (struct str){ 0 };
	}
	if (i < s.n && s.p[i] != ' ')
		return (struct str){ 0 };
	*text = str_from(s, i < s.n ? i + 1 : i);
	return str_upto(s, i);
}

int
smtp_parse_reply_line(struct str line, struct smtp_reply_line *r_line)
{
	struct smtp_reply_line r = { 0 };

	if (line.n < 3 || line.p[0] < '2' || line.p[0] > '5' || !is_digit(line.p[1]) || !is_digit(line.p[2]))
		return ERR_INVALID;
	if (line.n > 3 && line.p[3] != ' ' && line.p[3] != '-')
		return ERR_INVALID;
	r.code = (line.p[0] - '0') * 100 + (line.p[1] - '0') * 10 + (line.p[2] - '0');
	r.more = line.n > 3 && line.p[3] == '-';
	r.text = str_from(line, 4);
	r.enhanced = take_enhanced(&r.text, line.p[0]);
	*r_line = r;
	return 0;
}
