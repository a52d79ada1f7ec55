/* SPDX-License-Identifier: MIT */
/*
 * A check of JSON texts before cJSON sees them. cJSON takes more than RFC 8259: control characters and NUL in strings,
 * numbers like 01 and 1., invalid UTF-8; and it allocates for each value, so depth and number of values are bounded here.
 */
#include "base/cur.h"
#include "base/enc.h"
#include "base/limits.h"
#include "base/utf8.h"
#include "typedesc/typedesc_internal.h"

struct scan {
	struct cur c;
	size_t values;
	bool limit; /* failed for a limit */
};

static void scan_value(struct scan *s);

/* ws = *(SP / TAB / LF / CR)    rfc/8259:290 */
static void
scan_ws(struct scan *s)
{
	while (cur_try(&s->c, ' ') || cur_try(&s->c, '\n') || cur_try(&s->c, '\t') || cur_try(&s->c, '\r'))
		continue;
}

/* Four hexadecimal digits behind \u. */
static unsigned
scan_hex4(struct scan *s)
{
	struct str digits = cur_bytes(&s->c, 4, "four hexadecimal digits");
	unsigned v = 0;

	for (size_t i = 0; i < digits.n; i++) {
		int h = enc_hexval(digits.p[i]);

		if (h < 0) {
			cur_fail(&s->c, "four hexadecimal digits");
			return 0;
		}
		v = v << 4 | (unsigned)h;
	}
	return v;
}

/* string = quotation-mark *char quotation-mark    rfc/8259:461 */
static void
scan_string(struct scan *s)
{
	cur_char(&s->c, '"');
	while (cur_ok(&s->c)) {
		unsigned char ch = cur_any(&s->c, "closing quote");

		if (!cur_ok(&s->c) || ch == '"')
			return;
		if (ch < 0x20) {
			cur_fail(&s->c, "string without control characters");
		} else if (ch == '\\') {
			ch = cur_any(&s->c, "escape");
			if (ch == 'u') {
				unsigned u = scan_hex4(s);

				if (u == 0 && cur_ok(&s->c))
					cur_fail(&s->c, "string without NUL");
				if (u >= 0xdc00 && u <= 0xdfff)
					cur_fail(&s->c, "no lone surrogate");
				if (u >= 0xd800 && u <= 0xdbff) {
					cur_str(&s->c, S("\\u"));
					u = scan_hex4(s);
					if (cur_ok(&s->c) && (u < 0xdc00 || u > 0xdfff))
						cur_fail(&s->c, "low surrogate");
				}
			} else if (cur_ok(&s->c) && (ch == '\0' || !strchr("\"\\/bfnrt", ch))) {
				cur_fail(&s->c, "known escape");
			}
		}
	}
}

/* number = [ minus ] int [ frac ] [ exp ]    rfc/8259:380 */
static void
scan_number(struct scan *s)
{
	size_t off = cur_off(&s->c);

	cur_try(&s->c, '-');
	if (!cur_try(&s->c, '0'))
		cur_span1(&s->c, &cur_digit, "digits");
	if (cur_try(&s->c, '.'))
		cur_span1(&s->c, &cur_digit, "digits");
	if (cur_try(&s->c, 'e') || cur_try(&s->c, 'E')) {
		if (!cur_try(&s->c, '-'))
			cur_try(&s->c, '+');
		cur_span1(&s->c, &cur_digit, "digits");
	}
	if (cur_off(&s->c) - off > 60) /* cJSON reads the first 63 characters */
		cur_fail(&s->c, "shorter number");
}

static void
scan_list(struct scan *s, char open, char close)
{
	cur_char(&s->c, open);
	if (!cur_enter(&s->c, LIMIT_JSON_DEPTH)) {
		s->limit = true;
		return;
	}
	scan_ws(s);
	if (!cur_try(&s->c, close)) {
		do {
			if (open == '{') {
				scan_ws(s);
				scan_string(s);
				scan_ws(s);
				cur_char(&s->c, ':');
			}
			scan_value(s);
		} while (cur_try(&s->c, ','));
		cur_char(&s->c, close);
	}
	cur_leave(&s->c);
}

/* value = false / null / true / object / array / number / string    rfc/8259:308, with white space around */
static void
scan_value(struct scan *s)
{
	scan_ws(s);
	if (++s->values > LIMIT_JSON_VALUES) {
		s->limit = true;
		cur_fail(&s->c, "fewer values");
	}
	switch (cur_peek(&s->c)) {
	case '{': scan_list(s, '{', '}'); break;
	case '[': scan_list(s, '[', ']'); break;
	case '"': scan_string(s); break;
	case 't': cur_str(&s->c, S("true")); break;
	case 'f': cur_str(&s->c, S("false")); break;
	case 'n': cur_str(&s->c, S("null")); break;
	default:
		if (!cur_is(&s->c, '-') && !(cur_peek(&s->c) >= '0' && cur_peek(&s->c) <= '9'))
			cur_fail(&s->c, "value");
		scan_number(s);
	}
	scan_ws(s);
}

int
typedesc_json_scan(struct str text, size_t *r_end, struct errmsg *e)
{
	struct scan s = { .c = cur_of(text) };

	if (!utf8_valid(text))
		return err_set(e, ERR_INVALID, "JSON: not valid UTF-8");
	scan_value(&s);
	if (r_end && cur_ok(&s.c)) {
		*r_end = cur_off(&s.c);
		return 0;
	}
	if (cur_done(&s.c))
		return 0;
	return err_set(e, s.limit ? ERR_LIMIT : ERR_INVALID, "JSON: expected %s at offset %zu", s.c.want, cur_off(&s.c));
}
