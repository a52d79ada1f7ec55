/* SPDX-License-Identifier: MIT */
/*
 * What the header of a part says about it, and the envelope of a message.
 */
#include "message/header.h"

#include "message/message_internal.h"

/* Fields that parsing looks at. Of repeated ones the first counts, but addresses are joined. */
enum field {
	NONE, CONTENT_TYPE, CONTENT_ENCODING, CONTENT_DISPOSITION, CONTENT_ID, CONTENT_DESCRIPTION, CONTENT_MD5, CONTENT_LANGUAGE,
	CONTENT_LOCATION, DATE, SUBJECT, FROM, SENDER, REPLY_TO, TO, CC, BCC, IN_REPLY_TO, MESSAGE_ID, FIELDS,
};

static enum field
field_of(struct str name, bool root)
{
	static const struct {
		struct str name;
		enum field field;
	} content[] = {
		{ S("Type"), CONTENT_TYPE }, { S("Transfer-Encoding"), CONTENT_ENCODING }, { S("Disposition"), CONTENT_DISPOSITION },
		{ S("ID"), CONTENT_ID }, { S("Description"), CONTENT_DESCRIPTION }, { S("MD5"), CONTENT_MD5 },
		{ S("Language"), CONTENT_LANGUAGE }, { S("Location"), CONTENT_LOCATION },
	}, message[] = {
		{ S("To"), TO }, { S("Cc"), CC }, { S("Bcc"), BCC }, { S("Date"), DATE }, { S("From"), FROM }, { S("Sender"), SENDER },
		{ S("Subject"), SUBJECT }, { S("Reply-To"), REPLY_TO }, { S("Message-ID"), MESSAGE_ID }, { S("In-Reply-To"), IN_REPLY_TO },
	};

	if (str_istarts(name, S("Content-"))) {
		name = str_from(name, 8);
		for (size_t i = 0; i < ARRAY_LEN(content); i++) {
			if (str_icase(name, content[i].name))
				return content[i].field;
		}
		return NONE;
	}
	/* Most fields of a message are longer than these (Received, DKIM-Signature, X-...). */
	if (!root || name.n > 11)
		return NONE;
	for (size_t i = 0; i < ARRAY_LEN(message); i++) {
		if (name.n == message[i].name.n && str_icase(name, message[i].name))
			return message[i].field;
	}
	return NONE;
}

/* raw_value is a field body unfolded, copied to the arena; never NULL. */
static struct str
raw_value(struct arena *a, struct str body)
{
	struct str s = message_unfold(a, body);

	if (s.n == 0)
		return S("");
	return s.p >= body.p && s.p <= body.p + body.n ? str_dup(a, s) : s;
}

static bool
is_token(struct str s)
{
	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];
		if (c <= ' ' || c >= 0x7f || memchr("()<>@,;:\\\"/[]?=", c, 15))
			return false;
	}
	return s.n > 0;
}

static int
by_name(const void *x, const void *y)
{
	const struct message_param *a = x, *b = y;

	return str_cmp(a->name, b->name);
}

/* keep_params copies parameters, sorted by name as IMAP shows them. */
static void
keep_params(struct arena *a, const struct message_params *r, struct message_param **r_v, uint32_t *r_n)
{
	for (uint32_t i = 0; i < r->n; i++) {
		r->v[i].name = str_dup(a, r->v[i].name);
		r->v[i].value = str_dup(a, r->v[i].value);
	}
	if (r->n > 1)
		qsort(r->v, r->n, sizeof(r->v[0]), by_name);
	*r_v = r->v;
	*r_n = r->n;
}

/* read_type: Content-Type, with what can be saved of a broken one: rfc/2045:735 */
static void
read_type(struct arena *a, struct message_part *p, struct str body)
{
	struct message_params r;

	message_parse_params(a, body, &r);
	struct str sub = r.value;
	struct str type = str_split(&sub, '/');
	p->flaws |= r.flaws;
	p->no_type = false;
	if (!is_token(type) || !is_token(sub)) {
		p->flaws |= MESSAGE_FLAW_CONTENT_TYPE;
		type = S("APPLICATION");
		sub = S("OCTET-STREAM");
		/* The type of RFC 1049 and of some old systems. */
		if (str_icase(r.value, S("text"))) {
			type = S("TEXT");
			sub = S("PLAIN");
		}
	}
	p->type = str_upper(a, type);
	p->subtype = str_upper(a, sub);
	keep_params(a, &r, &p->params, &p->nparams);
}

static void
read_disposition(struct arena *a, struct message_part *p, struct str body)
{
	struct message_params r;

	message_parse_params(a, body, &r);
	if (r.flaws)
		p->flaws |= MESSAGE_FLAW_DISPOSITION;
	if (!is_token(r.value)) {
		p->flaws |= MESSAGE_FLAW_DISPOSITION;
		return;
	}
	p->disposition = str_lower(a, r.value);
	keep_params(a, &r, &p->disposition_params, &p->ndisposition_params);
}

/* Encodings, and names that some senders have for them. */
static const struct {
	const char *name, *as_written[4];
	enum message_encoding encoding;
} encodings[] = {
	{ "7BIT", { "7-BIT", "7BITS", "7", "NONE" }, MESSAGE_7BIT },
	{ "8BIT", { "8-BIT", "8BITS", "8" }, MESSAGE_8BIT },
	{ "BINARY", { 0 }, MESSAGE_BINARY },
	{ "QUOTED-PRINTABLE", { "QUOTEDPRINTABLE", "QUOTED" }, MESSAGE_QP },
	{ "BASE64", { "BASE-64" }, MESSAGE_BASE64 },
	{ "X-UUENCODE", { "X-UUE", "UUENCODE", "X-UU" }, MESSAGE_UUENCODE },
};

static void
read_encoding(struct arena *a, struct message_part *p, struct str body)
{
	struct message_params r;

	/* Comments, trailing semicolons and the like are not the encoding. */
	message_parse_params(a, body, &r);
	p->cte = str_upper(a, r.value);
	for (size_t i = 0; i < ARRAY_LEN(encodings); i++) {
		bool found = str_is(p->cte, str_of(encodings[i].name));
		for (size_t k = 0; k < ARRAY_LEN(encodings[i].as_written); k++)
			found |= encodings[i].as_written[k] && str_is(p->cte, str_of(encodings[i].as_written[k]));
		if (found) {
			p->cte = str_of(encodings[i].name);
			p->encoding = encodings[i].encoding;
			return;
		}
	}
	if (p->cte.n > 0) {
		p->encoding = MESSAGE_UNKNOWN;
		p->flaws |= MESSAGE_FLAW_ENCODING;
	}
}

static void
read_addrs(struct arena *a, struct message_part *p, struct str body, struct message_addrs *l)
{
	if (!message_parse_addrs(a, body, l))
		p->flaws |= MESSAGE_FLAW_ADDRESS;
}

static void
read_envelope(struct arena *a, struct message_part *p, enum field k, struct str body)
{
	struct message_envelope *env = p->envelope;

	switch (k) {
	case DATE:
		env->date = raw_value(a, body);
		env->has_date = message_parse_date(env->date, &env->date_us, &env->tz_min) == 0;
		if (!env->has_date)
			p->flaws |= MESSAGE_FLAW_DATE;
		break;
	case SUBJECT:
		env->subject = raw_value(a, body);
		break;
	case IN_REPLY_TO:
		env->in_reply_to = raw_value(a, body);
		break;
	case MESSAGE_ID:
		env->message_id = raw_value(a, body);
		break;
	case FROM:
		read_addrs(a, p, body, &env->from);
		break;
	case SENDER:
		read_addrs(a, p, body, &env->sender);
		break;
	case REPLY_TO:
		read_addrs(a, p, body, &env->reply_to);
		break;
	case TO:
		read_addrs(a, p, body, &env->to);
		break;
	case CC:
		read_addrs(a, p, body, &env->cc);
		break;
	case BCC:
		read_addrs(a, p, body, &env->bcc);
		break;
	default:
		break;
	}
}

static void
read_field(struct arena *a, struct message_part *p, enum field k, struct str body)
{
	switch (k) {
	case CONTENT_TYPE:
		read_type(a, p, body);
		break;
	case CONTENT_ENCODING:
		read_encoding(a, p, body);
		break;
	case CONTENT_DISPOSITION:
		read_disposition(a, p, body);
		break;
	case CONTENT_ID:
		p->id = raw_value(a, body);
		break;
	case CONTENT_DESCRIPTION:
		p->description = raw_value(a, body);
		break;
	case CONTENT_MD5:
		p->md5 = raw_value(a, body);
		break;
	case CONTENT_LANGUAGE:
		p->language = raw_value(a, body);
		break;
	case CONTENT_LOCATION:
		p->location = raw_value(a, body);
		break;
	default:
		read_envelope(a, p, k, body);
		break;
	}
}

void
message_read_part_header(struct arena *a, struct message_part *p, struct str header, bool digest)
{
	struct message_field f;
	uint32_t seen = 0;
	bool skipped = false;

	p->no_type = true;
	p->type = digest ? S("MESSAGE") : S("TEXT");
	p->subtype = digest ? S("RFC822") : S("PLAIN");
	p->header_8bit = !str_is_ascii(header);
	if (p->root)
		p->envelope = ARENA_NEW(a, struct message_envelope);
	if (header.n > 0 && memchr(header.p, '\0', header.n))
		p->flaws |= MESSAGE_FLAW_NUL;

	while (message_field_next(&header, &f, &skipped)) {
		enum field k = field_of(f.name, p->root);
		bool addresses = k >= FROM && k <= BCC;
		if (k == NONE || ((seen & 1U << k) && !addresses))
			continue;
		seen |= 1U << k;
		read_field(a, p, k, f.body);
	}
	if (skipped)
		p->flaws |= MESSAGE_FLAW_HEADER_LINE;
}
