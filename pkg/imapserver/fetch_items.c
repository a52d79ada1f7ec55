/* SPDX-License-Identifier: MIT */
/*
 * The FETCH response of one message, in two passes: the first finds everything that can fail (parts that do not
 * exist, files that do not open), the second only writes. A response that is begun must be finished.
 */
#include "imapserver/imapserver_internal.h"

#include "base/utf8.h"

#define CHUNK (32 * 1024)
#define PREVIEW_MAX 200

/* A structure or preview that was computed and is to be saved. */
struct imapserver_later {
	struct imapserver_later *next;
	int64_t id;
	struct str parsed, preview;
	bool has_preview;
};

/* What the first pass finds for an item. */
struct found {
	struct message_bytes bytes;             /* of sections */
	struct message_reader *reader;          /* of BINARY */
	bool has_nul;
	int64_t size;                           /* of BINARY and BINARY.SIZE */
	struct str preview;
};

static void
later(struct imapserver_fetch *f, int64_t id, const struct str *parsed, const struct str *preview)
{
	struct imapserver_later *l = ARENA_NEW(&f->later_mem, struct imapserver_later);

	l->id = id;
	if (parsed)
		l->parsed = str_dup(&f->later_mem, *parsed);
	if (preview)
		l->preview = str_dup(&f->later_mem, *preview);
	l->has_preview = preview != NULL;
	l->next = f->later;
	f->later = l;
}

/* The structure, which is kept for the next time when it had to be parsed. */
static int
structure(struct imapserver_fetch *f, struct imapserver_content *k)
{
	if (k->loaded)
		return 0;
	TRY(imapserver_content_structure(k));
	if (k->parsed) {
		struct buf b = BUF_INIT(16 * 1024 * 1024);
		message_serialize(&k->m, &b);
		struct str parsed = buf_str(&b);
		if (!b.failed)
			later(f, k->row->m.id, &parsed, NULL);
		buf_done(&b);
	}
	return 0;
}

static int
find_section(struct imapserver_fetch *f, struct imapserver_content *k, const struct imap_section *s, struct found *r_found)
{
	TRY(imapserver_content_source(k));
	if (s->nparts == 0 && s->text == IMAP_SECTION_ALL) {
		r_found->bytes = (struct message_bytes){ .src = k->src, .off = 0, .end = message_source_size(&k->src) };
		return 0;
	}
	static const enum message_section_kind kinds[] = {
		[IMAP_SECTION_ALL] = MESSAGE_SECTION_ALL, [IMAP_SECTION_HEADER] = MESSAGE_SECTION_HEADER, [IMAP_SECTION_FIELDS] = MESSAGE_SECTION_HEADER_FIELDS,
		[IMAP_SECTION_FIELDS_NOT] = MESSAGE_SECTION_HEADER_FIELDS_NOT, [IMAP_SECTION_TEXT] = MESSAGE_SECTION_TEXT, [IMAP_SECTION_MIME] = MESSAGE_SECTION_MIME,
	};
	struct message_section section = {
		.path = s->part, .npath = s->nparts, .kind = kinds[s->text], .names = s->fields.v, .nnames = s->fields.n,
	};
	TRY(structure(f, k));
	return message_section(k->a, &k->m, &k->src, &section, &r_found->bytes);
}

/* Decoded data may hold NUL, which only a literal8 can carry: one pass to find out, a second to send. */
static int
find_binary(struct imapserver_fetch *f, struct imapserver_content *k, const struct imap_section *s, struct found *r_found)
{
	struct message_reader *scan = NULL;
	struct str chunk;
	int r;

	TRY(imapserver_content_source(k));
	TRY(structure(f, k));
	TRY(message_binary_open(k->a, &k->m, &k->src, s->part, s->nparts, &r_found->size, &scan));
	while ((r = message_reader_next(scan, &chunk)) > 0 && !r_found->has_nul)
		r_found->has_nul = str_has(chunk, '\0');
	message_reader_close(&scan);
	return r < 0 ? r : message_binary_open(k->a, &k->m, &k->src, s->part, s->nparts, &r_found->size, &r_found->reader);
}

static int
find_preview(struct imapserver_fetch *f, struct imapserver_content *k, struct found *r_found)
{
	if (k->row->body.has_preview) {
		r_found->preview = k->row->body.preview;
		return 0;
	}
	TRY(imapserver_content_source(k));
	TRY(structure(f, k));
	TRY(message_preview(k->a, &k->m, &k->src, &r_found->preview));
	later(f, k->row->m.id, NULL, &r_found->preview);
	return 0;
}

static int
find(struct imapserver_fetch *f, struct imapserver_content *k, const struct imap_fetch_item *it, struct found *r_found)
{
	switch (it->kind) {
	case IMAP_FETCH_ENVELOPE:
	case IMAP_FETCH_BODYSTRUCTURE:
	case IMAP_FETCH_BODY:
		return structure(f, k);
	case IMAP_FETCH_SECTION:
		return find_section(f, k, &it->section, r_found);
	case IMAP_FETCH_RFC822:
		return find_section(f, k, &(struct imap_section){ .text = IMAP_SECTION_ALL }, r_found);
	case IMAP_FETCH_RFC822_HEADER:
		return find_section(f, k, &(struct imap_section){ .text = IMAP_SECTION_HEADER }, r_found);
	case IMAP_FETCH_RFC822_TEXT:
		return find_section(f, k, &(struct imap_section){ .text = IMAP_SECTION_TEXT }, r_found);
	case IMAP_FETCH_BINARY:
		return find_binary(f, k, &it->section, r_found);
	case IMAP_FETCH_BINARY_SIZE:
		TRY(imapserver_content_source(k));
		TRY(structure(f, k));
		return message_binary_size(k->a, &k->m, &k->src, it->section.part, it->section.nparts, &r_found->size);
	case IMAP_FETCH_PREVIEW:
		return find_preview(f, k, r_found);
	default:
		return 0;
	}
}

/* The part of n octets that was asked for. */
static void
clamp(const struct imap_fetch_item *it, uint64_t n, uint64_t *r_off, uint64_t *r_n)
{
	*r_off = it->partial ? MIN(it->offset, n) : 0;
	*r_n = it->partial ? MIN(it->count, n - *r_off) : n;
}

/* Reads from the file straight into the output. */
static int
write_bytes(struct imapserver_cmd *c, const struct imap_fetch_item *it, const struct message_bytes *bytes)
{
	uint64_t off, n;

	clamp(it, (uint64_t)(bytes->end - bytes->off), &off, &n);
	if (it->partial)
		buf_addf(&c->out, "<%llu>", (unsigned long long)it->offset);
	buf_add(&c->out, S(" {"));
	buf_addu(&c->out, n);
	buf_add(&c->out, S("}\r\n"));
	while (n > 0) {
		size_t some = (size_t)MIN(n, (uint64_t)CHUNK);
		if (!buf_reserve(&c->out, some))
			return ERR_LIMIT;
		TRY(message_source_pread(&bytes->src, bytes->off + (int64_t)off, buf_tail(&c->out), some));
		buf_wrote(&c->out, some);
		imapserver_send(c, false);
		off += some;
		n -= some;
		if (!conn_ok(c->conn))
			return ERR_IO;
	}
	return 0;
}

static int
write_binary(struct imapserver_cmd *c, const struct imap_fetch_item *it, const struct found *found)
{
	uint64_t off, n, pos = 0;
	struct str chunk;
	int r = 1;

	clamp(it, (uint64_t)found->size, &off, &n);
	buf_addf(&c->out, " %s{%llu}\r\n", found->has_nul ? "~" : "", (unsigned long long)n);
	while (n > 0 && (r = message_reader_next(found->reader, &chunk)) > 0) {
		uint64_t skip = pos < off ? MIN(off - pos, (uint64_t)chunk.n) : 0;
		pos += chunk.n;
		chunk = str_upto(str_from(chunk, (size_t)skip), (size_t)MIN(n, (uint64_t)chunk.n));
		buf_add(&c->out, chunk);
		n -= chunk.n;
		imapserver_send(c, false);
		if (!conn_ok(c->conn))
			return ERR_IO;
	}
	return r < 0 ? r : n > 0 ? ERR_CORRUPT : 0;
}

/* At most 200 characters (rfc/8970:206), trimmed. */
static struct str
preview_text(struct str s)
{
	struct str rest = s = str_trim(s);

	for (int n = 0; n < PREVIEW_MAX && rest.n > 0; n++) {
		uint32_t cp;
		int len = utf8_next(rest, &cp);
		rest = str_from(rest, (size_t)MAX(len, 1));
	}
	return str_trim(str_upto(s, s.n - rest.n));
}

static int
write_item(struct imapserver_cmd *c, struct imapserver_content *k, const struct imap_fetch_item *it, const struct found *found)
{
	const struct store_message *m = &k->row->m;
	bool utf8 = imapserver_utf8(c->s);
	struct buf *b = &c->out;

	switch (it->kind) {
	case IMAP_FETCH_UID:            /* with UIDONLY; else written at the start, asked for or not */
		buf_add(b, S("UID "));
		buf_addu(b, m->uid);
		return 0;
	case IMAP_FETCH_FLAGS:
	case IMAP_FETCH_MODSEQ:
		return 0;               /* written at the end */
	case IMAP_FETCH_ENVELOPE:
		buf_add(b, S("ENVELOPE "));
		message_imap_envelope(b, k->m.parts[0].envelope, utf8);
		return 0;
	case IMAP_FETCH_BODYSTRUCTURE:
		buf_add(b, S("BODYSTRUCTURE "));
		message_imap_bodystructure(b, &k->m, true, utf8);
		return 0;
	case IMAP_FETCH_BODY:
		buf_add(b, S("BODY "));
		message_imap_bodystructure(b, &k->m, false, utf8);
		return 0;
	case IMAP_FETCH_INTERNALDATE:
		buf_add(b, S("INTERNALDATE "));
		imap_add_date_time(b, m->received_us, m->received_tz);
		return 0;
	case IMAP_FETCH_RFC822_SIZE:
		buf_add(b, S("RFC822.SIZE "));
		buf_addu(b, (uint64_t)m->size);
		return 0;
	case IMAP_FETCH_SAVEDATE:
		buf_add(b, S("SAVEDATE "));
		if (m->save_date_us)
			imap_add_date_time(b, m->save_date_us, 0);
		else
			buf_add(b, S("NIL"));
		return 0;
	case IMAP_FETCH_EMAILID:
		buf_add(b, S("EMAILID "));
		imapserver_add_object_id(b, 'M', m->email_id);
		return 0;
	case IMAP_FETCH_THREADID:
		buf_add(b, S("THREADID "));
		imapserver_add_object_id(b, 'T', m->thread_id);
		return 0;
	case IMAP_FETCH_PREVIEW:
		buf_add(b, S("PREVIEW "));
		imap_add_string(b, preview_text(found->preview), utf8);
		return 0;
	case IMAP_FETCH_SECTION:
		buf_add(b, S("BODY"));
		imap_add_section(b, c->a, &it->section);
		return write_bytes(c, it, &found->bytes);
	case IMAP_FETCH_RFC822:
		buf_add(b, S("RFC822"));
		return write_bytes(c, it, &found->bytes);
	case IMAP_FETCH_RFC822_HEADER:
		buf_add(b, S("RFC822.HEADER"));
		return write_bytes(c, it, &found->bytes);
	case IMAP_FETCH_RFC822_TEXT:
		buf_add(b, S("RFC822.TEXT"));
		return write_bytes(c, it, &found->bytes);
	case IMAP_FETCH_BINARY:
		buf_add(b, S("BINARY"));
		imap_add_section(b, c->a, &it->section);
		return write_binary(c, it, found);
	case IMAP_FETCH_BINARY_SIZE:
		buf_add(b, S("BINARY.SIZE"));
		imap_add_section(b, c->a, &it->section);
		buf_addc(b, ' ');
		buf_addu(b, (uint64_t)found->size);
		return 0;
	}
	return 0;
}

/* Not in the place where it was asked for. */
static bool
has_place_of_its_own(const struct imapserver_cmd *c, enum imap_fetch kind)
{
	bool uidonly = c->s->enabled & IMAPSERVER_UIDONLY;
	return kind == IMAP_FETCH_FLAGS || kind == IMAP_FETCH_MODSEQ || (kind == IMAP_FETCH_UID && !uidonly);
}

/* msg-att: UID first, then what was asked for in its order, then FLAGS and MODSEQ   rfc/9051:6742 */
static int
write_message(struct imapserver_cmd *c, struct imapserver_fetch *f, struct imapserver_content *k, const struct found *found)
{
	const struct store_message *m = &k->row->m;
	bool becomes_seen = f->sets_seen && !(m->flags & STORE_SEEN) && !m->expunged;
	struct buf *b = &c->out;

	bool first = imapserver_begin_fetch(c, imapserver_view_seq(c->s->view, m->uid), m->uid);
	for (size_t i = 0; i < f->items.n; i++) {
		if (has_place_of_its_own(c, f->items.v[i].kind))
			continue;
		imapserver_next_item(b, &first);
		int r = write_item(c, k, &f->items.v[i], &found[i]);
		if (r < 0) {
			/* In the middle of a literal: nothing that follows could be understood. */
			c->close = true;
			return imapserver_error(c, r, NULL, "reading a message");
		}
	}
	if (f->flags || becomes_seen) {
		imapserver_next_item(b, &first);
		buf_add(b, S("FLAGS "));
		imapserver_add_flags(b, m->flags, m->keywords);
	}
	if (f->modseq) {
		imapserver_next_item(b, &first);
		buf_add(b, S("MODSEQ ("));
		buf_addu(b, (uint64_t)m->modseq);
		buf_addc(b, ')');
	}
	buf_add(b, S(")\r\n"));
	imapserver_send(c, false);
	if (becomes_seen)
		imap_ranges_add(&f->keep, &f->seen, m->uid, m->uid);
	return 0;
}

static int
refused(struct imapserver_cmd *c, int err)
{
	if (err == ERR_NOTFOUND)
		return imapserver_no(c, NULL, "no such part");
	if (err == ERR_UNSUPPORTED)
		return imapserver_no(c, "UNKNOWN-CTE", "unknown transfer encoding");    /* rfc/3516:195 */
	return imapserver_error(c, err, NULL, "reading a message");
}

int
imapserver_fetch_message(struct imapserver_cmd *c, struct imapserver_fetch *f, const struct imapserver_row *row)
{
	struct imapserver_content k = { .acct = c->s->acct, .row = row, .a = c->a };
	struct found *found = ARENA_NEWN(c->a, f->items.n, struct found);
	int r = 0;

	for (size_t i = 0; i < f->items.n && r >= 0; i++)
		r = find(f, &k, &f->items.v[i], &found[i]);
	r = r < 0 ? refused(c, r) : write_message(c, f, &k, found);
	for (size_t i = 0; i < f->items.n; i++)
		message_reader_close(&found[i].reader);
	imapserver_content_done(&k);
	if (r == 0 && !conn_ok(c->conn))
		return imapserver_no(c, NULL, "connection lost");
	return r;
}

/* It is a cache: when saving fails it is computed again. */
void
imapserver_fetch_save(struct imapserver_cmd *c, struct imapserver_fetch *f)
{
	cleanup_(store_tx_rollback) struct store_tx tx = { 0 };

	if (!f->later)
		return;
	int r = store_write(c->s->acct, &tx);
	for (const struct imapserver_later *l = f->later; l && r >= 0; l = l->next) {
		if (l->parsed.n > 0)
			r = store_save_parsed(&tx, l->id, l->parsed);
		if (r >= 0 && l->has_preview)
			r = store_save_preview(&tx, l->id, l->preview);
	}
	if (r >= 0)
		r = store_tx_commit(&tx, NULL);
	if (r < 0)
		log_debug(conn_log(c->conn), "saving structures of messages", log_err(err_text(r)));
	f->later = NULL;
	arena_reset(&f->later_mem);
}

void
imapserver_fetch_done(struct imapserver_fetch *f)
{
	arena_done(&f->keep);
	arena_done(&f->later_mem);
}
