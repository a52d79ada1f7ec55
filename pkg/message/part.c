/* SPDX-License-Identifier: MIT */
/*
 * Asking a parsed message.
 */
#include "message/message.h"

#include "message/body.h"
#include "message/message_internal.h"

bool
message_part_is(const struct message_part *p, struct str type, struct str subtype)
{
	return str_icase(p->type, type) && (subtype.n == 0 || str_icase(p->subtype, subtype));
}

static bool
find_param(const struct message_param *v, uint32_t n, struct str name, struct str *r_value)
{
	for (uint32_t i = 0; i < n; i++) {
		if (str_is(v[i].name, name)) {
			*r_value = v[i].value;
			return true;
		}
	}
	return false;
}

bool
message_part_param(const struct message_part *p, struct str name, struct str *r_value)
{
	return find_param(p->params, p->nparams, name, r_value);
}

bool
message_disposition_param(const struct message_part *p, struct str name, struct str *r_value)
{
	return find_param(p->disposition_params, p->ndisposition_params, name, r_value);
}

bool
message_wants_crlf(const struct message_part *p)
{
	struct str charset;

	if (!message_is_text(p))
		return false;
	if (!message_part_param(p, S("charset"), &charset))
		return true;
	return !str_istarts(charset, S("utf-16")) && !str_istarts(charset, S("utf-32")) && !str_istarts(charset, S("ucs-"));
}

int
message_part_source(struct arena *a, const struct message *m, const struct message_source *src, const struct message_part *p,
	struct message_source *r_src)
{
	struct str body;

	if (p->space == MESSAGE_NONE) {
		*r_src = *src;
		return 0;
	}
	/* The decoded body of the part that the space belongs to, which may itself lie in another one. The parser bounded depth and size. */
	const struct message_part *outer = &m->parts[p->space];
	TRY(message_part_text(a, m, src, outer, MESSAGE_READ_DECODED, (size_t)outer->decoded_size, &body));
	*r_src = message_source_mem(body);
	return 0;
}

int
message_part_header(struct arena *a, const struct message *m, const struct message_source *src, const struct message_part *p,
	struct str *r_header)
{
	struct message_source s;

	TRY(message_part_source(a, m, src, p, &s));
	return message_source_bytes(a, &s, p->header_off, p->body_off - p->header_off, r_header);
}

bool
message_is_dsn(const struct message *m)
{
	const struct message_part *p = &m->parts[0];

	if (p->kind != MESSAGE_MULTIPART || !str_is(p->subtype, S("REPORT")) || p->nchildren < 2)
		return false;
	const struct message_part *status = message_next_part(m, message_first_child(m, p));
	return str_is(status->type, S("MESSAGE")) &&
		(str_is(status->subtype, S("DELIVERY-STATUS")) || str_is(status->subtype, S("GLOBAL-DELIVERY-STATUS")));
}

bool
message_needs_smtputf8(const struct message *m)
{
	uint32_t end = m->nparts;

	for (uint32_t i = 0; i < end; i++) {
		const struct message_part *p = &m->parts[i];
		if (p->header_8bit)
			return true;
		/* The parts of an embedded message follow it; go on behind them. */
		if (p->kind == MESSAGE_EMBEDDED) {
			uint32_t up = i;
			while (up != MESSAGE_NONE && m->parts[up].next == MESSAGE_NONE)
				up = m->parts[up].parent;
			if (up == MESSAGE_NONE)
				return false;
			i = m->parts[up].next - 1;
		}
	}
	return false;
}
