/* SPDX-License-Identifier: MIT */
/* What adding a message needs from its content: the serialised structure, Message-ID, base subject, references. */
#include "base/limits.h"
#include "message/header.h"
#include "message/message.h"
#include "store/store_internal.h"

/* source_of makes one source of prefix and blob. Small content is joined in memory. */
static int
source_of(struct store_prepared *p, struct message_source *r_src)
{
	struct blob *b = p->add->blob;
	if (blob_fd(b) >= 0) {
		*r_src = message_source_file(p->add->prefix, blob_fd(b), blob_size(b));
		return 0;
	}
	struct str content;
	TRY(blob_view(b, &content));
	*r_src = message_source_mem(p->add->prefix.n ? str_cat(&p->arena, p->add->prefix, content) : content);
	return 0;
}

static void
read_envelope(struct store_prepared *p, const struct message_envelope *env)
{
	struct str id;
	/* A missing or unreadable Message-ID is no error: the message has none then. */
	if (env->message_id.n && message_id_canonical(&p->arena, env->message_id, false, &id, NULL) == 0)
		p->message_id = id;
	p->subject_base = message_base_subject(&p->arena, message_field_text(&p->arena, env->subject), &p->is_response);
}

int
store_parse(struct store_prepared *p, struct errmsg *e)
{
	struct message_source src;
	struct message m;
	struct str header;
	int err = source_of(p, &src);
	if (err == 0)
		err = message_parse(&p->arena, &src, 0, &m, e);
	if (err < 0)
		return err_set(e, err, "reading message: %s", err_text(err));
	struct buf b = BUF_ARENA(&p->arena, LIMIT_PARSED_SIZE);
	message_serialize(&m, &b);
	if (!b.failed)                  /* what is too large to keep is parsed when it is needed */
		p->parsed = buf_str(&b);
	p->is_dsn = message_is_dsn(&m);
	p->envelope = m.parts[0].envelope;
	read_envelope(p, p->envelope);
	err = message_part_header(&p->arena, &m, &src, &m.parts[0], &header);
	if (err < 0)
		return err_set(e, err, "reading message: %s", err_text(err));
	message_references(&p->arena, header, &p->references);
	return 0;
}
