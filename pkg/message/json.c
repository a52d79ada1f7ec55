/* SPDX-License-Identifier: MIT */
/*
 * A parsed message as JSON, for people: names as in mox (Go), with what was wrong in addition.
 */
#include "message/header.h"

#include "base/timeutil.h"
#include "base/utf8.h"
#include "message/message_internal.h"

struct json {
	struct buf *b;
	struct arena a;
	unsigned indent;
	bool comma;             /* a value stands before the next one */
};

static void
line(struct json *j)
{
	buf_addz(j->b, j->comma ? ",\n" : "\n");
	for (unsigned i = 0; i < j->indent; i++)
		buf_addc(j->b, '\t');
	j->comma = true;
}

static void
string(struct json *j, struct str s)
{
	s = message_to_utf8(&j->a, s);
	buf_addc(j->b, '"');
	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];
		if (c == '"' || c == '\\')
			buf_addf(j->b, "\\%c", c);
		else if (c < 0x20 || c == 0x7f)
			buf_addf(j->b, "\\u%04x", c);
		else
			buf_addc(j->b, (char)c);
	}
	buf_addc(j->b, '"');
}

static void
key(struct json *j, const char *name)
{
	line(j);
	buf_addf(j->b, "\"%s\": ", name);
}

static void
open_(struct json *j, char c)
{
	buf_addc(j->b, c);
	j->indent++;
	j->comma = false;
}

static void
close_(struct json *j, char c)
{
	bool any = j->comma;

	j->indent--;
	j->comma = false;
	if (any)
		line(j);
	buf_addc(j->b, c);
	j->comma = true;
}

static void
key_int(struct json *j, const char *name, int64_t v)
{
	key(j, name);
	buf_addi(j->b, v);
}

static void
key_str(struct json *j, const char *name, struct str s)
{
	key(j, name);
	string(j, s);
}

/* key_nullable leaves out what is absent. */
static void
key_nullable(struct json *j, const char *name, struct str s)
{
	if (s.p)
		key_str(j, name, s);
}

static void
key_params(struct json *j, const char *name, const struct message_param *v, uint32_t n)
{
	key(j, name);
	open_(j, '{');
	for (uint32_t i = 0; i < n; i++) {
		line(j);
		string(j, v[i].name);
		buf_add(j->b, S(": "));
		string(j, v[i].value);
	}
	close_(j, '}');
}

/* key_addrs writes the members of groups in a row, as mox does. */
static void
key_addrs(struct json *j, const char *name, const struct message_addrs *l)
{
	key(j, name);
	open_(j, '[');
	for (uint32_t i = 0; i < l->n; i++) {
		const struct message_addr *addr = &l->v[i];
		if (addr->kind == MESSAGE_GROUP_START || addr->kind == MESSAGE_GROUP_END)
			continue;
		line(j);
		open_(j, '{');
		key_str(j, "Name", message_decode_words(&j->a, addr->name));
		key_str(j, "User", smtp_localpart(&j->a, addr->localpart));
		key_str(j, "Host", idna_to_ascii(&j->a, addr->domain));
		close_(j, '}');
	}
	close_(j, ']');
}

static void
envelope(struct json *j, const struct message_envelope *env)
{
	struct time_parts t;

	key(j, "Envelope");
	open_(j, '{');
	if (env->has_date) {
		time_split(env->date_us, env->tz_min, &t);
		int tz = env->tz_min < 0 ? -env->tz_min : env->tz_min;
		key(j, "Date");
		buf_addf(j->b, "\"%04d-%02d-%02dT%02d:%02d:%02d", t.year, t.month, t.day, t.hour, t.min, t.sec);
		buf_addf(j->b, tz == 0 ? "Z\"" : "%c%02d:%02d\"", env->tz_min < 0 ? '-' : '+', tz / 60, tz % 60);
	} else {
		key_str(j, "Date", S("0001-01-01T00:00:00Z"));
	}
	key_str(j, "Subject", message_decode_words(&j->a, env->subject));
	key_addrs(j, "From", &env->from);
	key_addrs(j, "Sender", &env->sender);
	key_addrs(j, "ReplyTo", &env->reply_to);
	key_addrs(j, "To", &env->to);
	key_addrs(j, "CC", &env->cc);
	key_addrs(j, "BCC", &env->bcc);
	key_str(j, "InReplyTo", env->in_reply_to);
	key_str(j, "MessageID", env->message_id);
	close_(j, '}');
}

static void
key_flaws(struct json *j, uint32_t flaws)
{
	static const char *const names[] = {
		"header line", "header end", "header size", "content type", "no boundary", "no parts", "not closed", "unknown encoding",
		"decoding", "bare CR", "bare LF", "long line", "depth", "too many parts", "embedded message", "content disposition", "address",
		"date", "parameters", "NUL in header", "values left out",
	};

	if (flaws == 0)
		return;
	key(j, "Flaws");
	open_(j, '[');
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		if (flaws & 1U << i) {
			line(j);
			string(j, str_of(names[i]));
		}
	}
	close_(j, ']');
}

static void
part(struct json *j, const struct message *m, const struct message_part *p)
{
	open_(j, '{');
	key_int(j, "BoundaryOffset", p->boundary_off);
	key_int(j, "HeaderOffset", p->header_off);
	key_int(j, "BodyOffset", p->body_off);
	key_int(j, "EndOffset", p->end_off);
	key_int(j, "RawLineCount", p->lines);
	key_int(j, "DecodedSize", p->decoded_size);
	key_str(j, "MediaType", p->no_type ? S("") : p->type);
	key_str(j, "MediaSubType", p->no_type ? S("") : p->subtype);
	key_params(j, "ContentTypeParams", p->params, p->nparams);
	key_nullable(j, "ContentID", p->id);
	key_nullable(j, "ContentDescription", p->description);
	key_nullable(j, "ContentTransferEncoding", p->cte);
	if (p->disposition.p) {
		key_str(j, "ContentDisposition", p->disposition);
		key_params(j, "ContentDispositionParams", p->disposition_params, p->ndisposition_params);
	}
	key_nullable(j, "ContentMD5", p->md5);
	key_nullable(j, "ContentLanguage", p->language);
	key_nullable(j, "ContentLocation", p->location);
	key_flaws(j, p->flaws);
	if (p->envelope)
		envelope(j, p->envelope);
	if (p->kind == MESSAGE_EMBEDDED) {
		key(j, "Message");
		part(j, m, message_first_child(m, p));
	} else if (p->kind == MESSAGE_MULTIPART) {
		key(j, "Parts");
		open_(j, '[');
		for (const struct message_part *q = message_first_child(m, p); q; q = message_next_part(m, q)) {
			line(j);
			part(j, m, q);
		}
		close_(j, ']');
	}
	close_(j, '}');
}

void
message_json(struct buf *b, const struct message *m)
{
	struct json j = { .b = b };

	part(&j, m, &m->parts[0]);
	buf_addc(b, '\n');
	arena_done(&j.a);
}
