/* SPDX-License-Identifier: MIT */
/*
 * Sections of a message as IMAP addresses them: BODY[1.2.HEADER], BINARY[2].
 */
#include "message/header.h"
#include "message/imap.h"
#include "message/message_internal.h"

/*
 * Where a path leads. A part number of a message that is not multipart, 1, is its body: so an index of m->parts can mean two things, the
 * message (whole, with its header) or the part (its body).
 */
struct place {
	const struct message_part *p;
	bool as_part;
};

/* child finds part number n below a message or multipart. */
static bool
child(const struct message *m, struct place *at, uint32_t n)
{
	const struct message_part *p = at->p;

	if (at->as_part && p->kind == MESSAGE_EMBEDDED) {
		p = message_first_child(m, p);          // part numbers go on within the embedded message: rfc/9051:4491
		at->as_part = false;
	}
	if (p->kind == MESSAGE_MULTIPART) {
		p = n > 0 ? message_first_child(m, p) : NULL;
		while (p && --n > 0)
			p = message_next_part(m, p);
	} else if (at->as_part || n != 1) {
		p = NULL;
	}
	at->p = p;
	at->as_part = true;
	return p != NULL;
}

static bool
find(const struct message *m, const uint32_t *path, size_t npath, struct place *at)
{
	*at = (struct place){ .p = &m->parts[0] };
	for (size_t i = 0; i < npath; i++) {
		if (!child(m, at, path[i]))
			return false;
	}
	return true;
}

const struct message_part *
message_section_part(const struct message *m, const uint32_t *path, size_t npath)
{
	struct place at;

	return find(m, path, npath, &at) ? at.p : NULL;
}

static bool
is_wanted(const struct message_section *s, struct str name)
{
	switch (s->kind) {
	case MESSAGE_SECTION_MIME:
		return str_istarts(name, S("Content-"));
	case MESSAGE_SECTION_HEADER_FIELDS:
	case MESSAGE_SECTION_HEADER_FIELDS_NOT:
		for (size_t i = 0; i < s->nnames; i++) {
			if (str_icase(name, s->names[i]))
				return s->kind == MESSAGE_SECTION_HEADER_FIELDS;
		}
		return s->kind == MESSAGE_SECTION_HEADER_FIELDS_NOT;
	default:
		return true;
	}
}

/* select_fields copies the wanted fields of a header, and the empty line behind it if there is one: rfc/9051:4509 */
static struct str
select_fields(struct arena *a, const struct message_section *s, struct str header)
{
	char *out = arena_bytes(a, header.n + 1);
	struct message_field f;
	struct str rest = header;
	size_t n = 0;

	while (message_field_next(&rest, &f, NULL)) {
		if (!is_wanted(s, f.name))
			continue;
		memcpy(out + n, f.raw.p, f.raw.n);
		n += f.raw.n;
	}
	if (s->kind != MESSAGE_SECTION_MIME && rest.p < header.p + header.n) {
		size_t left = (size_t)(header.p + header.n - rest.p);
		memcpy(out + n, rest.p, left);
		n += left;
	}
	return str_n(out, n);
}

int
message_section(struct arena *a, const struct message *m, const struct message_source *src, const struct message_section *s,
	struct message_bytes *r_bytes)
{
	struct message_bytes b;
	struct place at;

	if (!find(m, s->path, s->npath, &at))
		return ERR_NOTFOUND;
	if (s->kind == MESSAGE_SECTION_MIME) {
		if (s->npath == 0)
			return ERR_NOTFOUND;
	} else if (s->kind != MESSAGE_SECTION_ALL && at.as_part) {
		/* Only messages have a header and a text. */
		if (at.p->kind != MESSAGE_EMBEDDED)
			return ERR_NOTFOUND;
		at.p = message_first_child(m, at.p);
	}

	TRY(message_part_source(a, m, src, at.p, &b.src));
	switch (s->kind) {
	case MESSAGE_SECTION_ALL:
		b.off = at.as_part ? at.p->body_off : 0;
		b.end = at.as_part ? at.p->end_off : m->size;
		break;
	case MESSAGE_SECTION_TEXT:
		b.off = at.p->body_off;
		b.end = at.p->end_off;
		break;
	case MESSAGE_SECTION_HEADER:
		b.off = at.p->header_off;
		b.end = at.p->body_off;
		break;
	default: {
		struct str header;
		TRY(message_source_bytes(a, &b.src, at.p->header_off, at.p->body_off - at.p->header_off, &header));
		b.src = message_source_mem(select_fields(a, s, header));
		b.off = 0;
		b.end = message_source_size(&b.src);
		break;
	}
	}
	*r_bytes = b;
	return 0;
}

/* BINARY */

static bool
has_encoding(const struct message_part *p)
{
	return p->encoding == MESSAGE_QP || p->encoding == MESSAGE_BASE64 || p->encoding == MESSAGE_UUENCODE;
}

/* binary_lead gives the header of BINARY[]: that of the message, without Content-Transfer-Encoding if the body is decoded. */
static int
binary_lead(struct arena *a, const struct message *m, const struct message_source *src, struct str *r_lead)
{
	const struct str name = S("Content-Transfer-Encoding");
	struct message_section s = { .kind = MESSAGE_SECTION_HEADER_FIELDS_NOT, .names = &name, .nnames = 1 };
	struct str header;

	TRY(message_part_header(a, m, src, &m->parts[0], &header));
	*r_lead = select_fields(a, &s, header);
	return 0;
}

static int
binary(struct arena *a, const struct message *m, const struct message_source *src, const uint32_t *path, size_t npath,
	const struct message_part **r_p, struct str *r_lead, int64_t *r_size)
{
	struct place at;
	struct str lead = { 0 };

	if (!find(m, path, npath, &at))
		return ERR_NOTFOUND;
	if (npath == 0) {
		TRY(binary_lead(a, m, src, &lead));
	} else {
		if (at.p->kind != MESSAGE_LEAF)
			return ERR_NOTFOUND;
		if (at.p->encoding == MESSAGE_UNKNOWN)
			return ERR_UNSUPPORTED;
	}
	*r_p = at.p;
	*r_lead = lead;
	*r_size = (int64_t)lead.n + (at.p->kind == MESSAGE_LEAF || has_encoding(at.p) ? at.p->decoded_size : at.p->end_off - at.p->body_off);
	return 0;
}

int
message_binary_size(struct arena *a, const struct message *m, const struct message_source *src, const uint32_t *path, size_t npath,
	int64_t *r_size)
{
	const struct message_part *p;
	struct str lead;

	return binary(a, m, src, path, npath, &p, &lead, r_size);
}

int
message_binary_open(struct arena *a, const struct message *m, const struct message_source *src, const uint32_t *path, size_t npath,
	int64_t *r_size, struct message_reader **r_r)
{
	const struct message_part *p;
	struct str lead;
	int64_t size;

	TRY(binary(a, m, src, path, npath, &p, &lead, &size));
	TRY(message_reader_open(a, m, src, p, MESSAGE_READ_DECODED, r_r));
	message_reader_lead(*r_r, lead);
	*r_size = size;
	return 0;
}
