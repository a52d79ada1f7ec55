/* SPDX-License-Identifier: MIT */
/*
 * Attachments and their names.
 */
#include "message/body.h"

#include "base/utf8.h"
#include "message/header.h"
#include "message/message_internal.h"

/* clean_name keeps the last component of a path, without control characters: the name must not lead anywhere when it is used. */
static struct str
clean_name(struct arena *a, struct str s)
{
	size_t start = 0, n = 0;

	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] == '/' || s.p[i] == '\\')
			start = i + 1;
	}
	s = str_trim(str_from(s, start));
	char *out = arena_bytes(a, s.n + 1);
	while (s.n > 0) {
		uint32_t cp = 0;
		int len = utf8_next(s, &cp);
		size_t k = len > 0 ? (size_t)len : 1;
		/* Nor may it look like another one by overriding the direction of writing. */
		bool bad = len <= 0 || cp < 0x20 || (cp >= 0x7f && cp < 0xa0) || (cp >= 0x202a && cp <= 0x202e) || (cp >= 0x2066 && cp <= 0x2069);
		if (!bad) {
			memcpy(out + n, s.p, k);
			n += k;
		}
		s = str_from(s, k);
	}
	s = str_n(out, n);
	return str_is(s, S(".")) || str_is(s, S("..")) ? (struct str){ 0 } : s;
}

/*
 * decode_name turns a parameter value into UTF-8. Encoded words have no place in parameters (rfc/2047:408), but are what many senders
 * use; they stay if they do not decode.
 */
static struct str
decode_name(struct arena *a, struct str s, bool *bad)
{
	if (str_starts(s, S("=?")) || str_ends(s, S("?="))) {
		struct str d = message_decode_words(a, s);
		if (str_is(d, s))
			*bad = true;
		return d;
	}
	if (!utf8_valid(s))
		*bad = true;
	/* A word within: "name =?utf-8?q?...?=.pdf". */
	return message_decode_words(a, s);
}

void
message_filename(struct arena *a, const struct message_part *p, struct str *r_disposition, struct str *r_name, bool *r_bad)
{
	struct str name = { 0 };
	bool bad = false;

	*r_disposition = p->disposition.p ? p->disposition : S("");
	if (!message_disposition_param(p, S("filename"), &name) || name.n == 0)
		message_part_param(p, S("name"), &name);
	if (p->flaws & MESSAGE_FLAW_DISPOSITION)
		bad = true;
	name = clean_name(a, decode_name(a, name, &bad));
	if (name.n == 0 && (message_part_is(p, S("APPLICATION"), S("MS-TNEF")) || message_part_is(p, S("APPLICATION"), S("VND.MS-TNEF"))))
		name = S("winmail.dat");
	if (name.n == 0 && (message_part_is(p, S("TEXT"), S("CALENDAR")) || message_part_is(p, S("APPLICATION"), S("ICS"))))
		name = S("invite.ics");
	*r_name = name.p ? name : S("");
	if (r_bad)
		*r_bad = bad;
}

bool
message_is_attachment(const struct message *m, const struct message_part *p)
{
	const struct message_part *parent = p->parent == MESSAGE_NONE ? NULL : &m->parts[p->parent];

	if (p->kind == MESSAGE_MULTIPART)
		return false;
	if (p->kind == MESSAGE_EMBEDDED || str_is(p->disposition, S("attachment")))
		return true;
	if (message_is_text(p) && (str_is(p->subtype, S("PLAIN")) || str_is(p->subtype, S("HTML"))))
		return false;
	/* The machine's parts of reports, encrypted and signed messages are not what anyone attached. */
	if (parent && (str_is(parent->subtype, S("REPORT")) || str_is(parent->subtype, S("ENCRYPTED")) || str_is(parent->subtype, S("SIGNED"))))
		return str_is(parent->subtype, S("ENCRYPTED")) && str_is(p->type, S("APPLICATION")) && str_is(p->subtype, S("OCTET-STREAM"));
	return true;
}
