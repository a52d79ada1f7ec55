/* SPDX-License-Identifier: MIT */
/*
 * What the header of a part says about it, and the envelope of a message.
 */
#include "message/header.h"

#include "base/limits.h"
#include "message/message_internal.h"

struct reader {
	struct arena *a, *scratch;
	struct message_budget *budget;
	struct message_part *p;
};

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

/* keep copies a string for the result; never NULL. Cut where the budget ends. */
static struct str
keep(struct reader *r, struct str s)
{
	if (s.n > r->budget->strings) {
		s.n = r->budget->strings;
		r->p->flaws |= MESSAGE_FLAW_LEFT_OUT;
	}
	r->budget->strings -= s.n;
	return s.n > 0 ? str_dup(r->a, s) : S("");
}

/* keep_value keeps a field body, unfolded. */
static struct str
keep_value(struct reader *r, struct str body)
{
	return keep(r, message_unfold(r->scratch, body));
}

/* is_token also refuses what is longer than the registry allows (RFC 6838 4.2), so that types need no budget. */
static bool
is_token(struct str s)
{
	if (s.n > 127)
		return false;
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

/* keep_params keeps parameters, sorted by name as IMAP shows them. */
static void
keep_params(struct reader *r, const struct message_params *from, struct message_param **r_v, uint32_t *r_n)
{
	uint32_t n = MIN(from->n, r->budget->params);
	struct message_param *v = ARENA_NEWN(r->a, n, struct message_param);

	if (n < from->n)
		r->p->flaws |= MESSAGE_FLAW_LEFT_OUT;
	r->budget->params -= n;
	for (uint32_t i = 0; i < n; i++) {
		v[i].name = keep(r, from->v[i].name);
		v[i].value = keep(r, from->v[i].value);
	}
	if (n > 1)
		qsort(v, n, sizeof(v[0]), by_name);
	*r_v = v;
	*r_n = n;
}

/* read_type: Content-Type, with what can be saved of a broken one: rfc/2045:735 */
static void
read_type(struct reader *r, struct str body)
{
	struct message_part *p = r->p;
	struct message_params params;

	message_parse_params(r->scratch, body, &params);
	struct str sub = params.value;
	struct str type = str_split(&sub, '/');
	p->flaws |= params.flaws;
	p->no_type = false;
	if (!is_token(type) || !is_token(sub)) {
		p->flaws |= MESSAGE_FLAW_CONTENT_TYPE;
		type = S("APPLICATION");
		sub = S("OCTET-STREAM");
		/* The type of RFC 1049 and of some old systems. */
		if (str_icase(params.value, S("text"))) {
			type = S("TEXT");
			sub = S("PLAIN");
		}
	}
	p->type = str_upper(r->a, type);
	p->subtype = str_upper(r->a, sub);
	keep_params(r, &params, &p->params, &p->nparams);
}

static void
read_disposition(struct reader *r, struct str body)
{
	struct message_part *p = r->p;
	struct message_params params;

	message_parse_params(r->scratch, body, &params);
	if (params.flaws)
		p->flaws |= MESSAGE_FLAW_DISPOSITION;
	if (!is_token(params.value)) {
		p->flaws |= MESSAGE_FLAW_DISPOSITION;
		return;
	}
	p->disposition = keep(r, str_lower(r->scratch, params.value));
	keep_params(r, &params, &p->disposition_params, &p->ndisposition_params);
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
read_encoding(struct reader *r, struct str body)
{
	struct message_part *p = r->p;
	struct message_params params;

	/* Comments, trailing semicolons and the like are not the encoding. */
	message_parse_params(r->scratch, body, &params);
	struct str cte = str_upper(r->scratch, params.value);
	for (size_t i = 0; i < ARRAY_LEN(encodings); i++) {
		bool found = str_is(cte, str_of(encodings[i].name));
		for (size_t k = 0; k < ARRAY_LEN(encodings[i].as_written); k++)
			found |= encodings[i].as_written[k] && str_is(cte, str_of(encodings[i].as_written[k]));
		if (found) {
			p->cte = str_of(encodings[i].name);
			p->encoding = encodings[i].encoding;
			return;
		}
	}
	p->cte = keep(r, cte);
	if (cte.n > 0) {
		p->encoding = MESSAGE_UNKNOWN;
		p->flaws |= MESSAGE_FLAW_ENCODING;
	}
}

/* read_addrs adds the addresses of a field. */
static void
read_addrs(struct reader *r, struct str body, struct message_addrs *l)
{
	struct message_addrs found = { 0 };

	if (!message_parse_addrs(r->scratch, body, &found))
		r->p->flaws |= MESSAGE_FLAW_ADDRESS;
	uint32_t n = MIN(found.n, MIN(r->budget->addrs, LIMIT_ADDRESSES - l->n));
	if (n < found.n)
		r->p->flaws |= MESSAGE_FLAW_LEFT_OUT;
	if (n == 0)
		return;
	r->budget->addrs -= n;
	l->v = arena_grow(r->a, l->v, l->n, l->n + n, sizeof(l->v[0]));
	for (uint32_t i = 0; i < n; i++) {
		const struct message_addr *x = &found.v[i];
		l->v[l->n++] = (struct message_addr){
			.kind = x->kind, .name = keep(r, x->name), .route = keep(r, x->route), .localpart = keep(r, x->localpart), .domain = keep(r, x->domain),
		};
	}
}

static void
read_envelope(struct reader *r, enum field k, struct str body)
{
	struct message_envelope *env = r->p->envelope;

	switch (k) {
	case DATE:
		env->date = keep_value(r, body);
		env->has_date = message_parse_date(env->date, &env->date_us, &env->tz_min) == 0;
		if (!env->has_date)
			r->p->flaws |= MESSAGE_FLAW_DATE;
		break;
	case SUBJECT:
		env->subject = keep_value(r, body);
		break;
	case IN_REPLY_TO:
		env->in_reply_to = keep_value(r, body);
		break;
	case MESSAGE_ID:
		env->message_id = keep_value(r, body);
		break;
	case FROM:
		read_addrs(r, body, &env->from);
		break;
	case SENDER:
		read_addrs(r, body, &env->sender);
		break;
	case REPLY_TO:
		read_addrs(r, body, &env->reply_to);
		break;
	case TO:
		read_addrs(r, body, &env->to);
		break;
	case CC:
		read_addrs(r, body, &env->cc);
		break;
	case BCC:
		read_addrs(r, body, &env->bcc);
		break;
	default:
		break;
	}
}

static void
read_field(struct reader *r, enum field k, struct str body)
{
	struct message_part *p = r->p;

	switch (k) {
	case CONTENT_TYPE:
		read_type(r, body);
		break;
	case CONTENT_ENCODING:
		read_encoding(r, body);
		break;
	case CONTENT_DISPOSITION:
		read_disposition(r, body);
		break;
	case CONTENT_ID:
		p->id = keep_value(r, body);
		break;
	case CONTENT_DESCRIPTION:
		p->description = keep_value(r, body);
		break;
	case CONTENT_MD5:
		p->md5 = keep_value(r, body);
		break;
	case CONTENT_LANGUAGE:
		p->language = keep_value(r, body);
		break;
	case CONTENT_LOCATION:
		p->location = keep_value(r, body);
		break;
	default:
		read_envelope(r, k, body);
		break;
	}
}

void
message_read_part_header(struct arena *a, struct arena *scratch, struct message_budget *budget, struct message_part *p, struct str header,
	bool digest)
{
	struct reader r = { .a = a, .scratch = scratch, .budget = budget, .p = p };
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
		read_field(&r, k, f.body);
	}
	if (skipped)
		p->flaws |= MESSAGE_FLAW_HEADER_LINE;
}
