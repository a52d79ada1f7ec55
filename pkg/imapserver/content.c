/* SPDX-License-Identifier: MIT */
#include "imapserver/imapserver_internal.h"

/* The message file is opened only here: most of what clients ask comes from the database. */
int
imapserver_content_source(struct imapserver_content *k)
{
	const struct store_body *body = &k->row->body;

	if (k->file)
		return 0;
	TRY(store_message_open(k->acct, k->row->m.id, &k->file));
	int64_t size = blob_file_size(k->file);
	/* Checked here, because an announced literal cannot be taken back. */
	if (size + (int64_t)body->prefix.n != k->row->m.size)
		return ERR_CORRUPT;
	k->src = message_source_file(body->prefix, blob_file_fd(k->file), size);
	return 0;
}

int
imapserver_content_structure(struct imapserver_content *k)
{
	const struct store_body *body = &k->row->body;

	if (k->loaded)
		return 0;
	if (body->parsed.n == 0 || message_load(k->a, body->parsed, &k->m) < 0) {
		TRY(imapserver_content_source(k));
		TRY(message_parse(k->a, &k->src, 0, &k->m, NULL));
		k->parsed = true;
	}
	k->loaded = true;
	return 0;
}

void
imapserver_content_done(struct imapserver_content *k)
{
	blob_close(&k->file);
}
