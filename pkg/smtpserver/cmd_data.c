/* SPDX-License-Identifier: MIT */
/*
 * DATA (rfc/5321:1992): the message follows. See data.c for what becomes of it.
 */
#include "base/mem.h"
#include "smtpserver/smtpserver_internal.h"

#define DATA_TIMEOUT_US (30 * TIME_MIN)         /* for the whole message */

/*
 * take_input undoes dot-stuffing and writes to the blob in one pass. It goes on to the end of the message whatever happens, so that what was content is
 * never taken for a command.
 */
static ssize_t
take_input(struct conn_sink *sink, struct str in, bool *r_done)
{
	struct data *d = container_of(sink, struct data, sink);

	buf_reset(&d->out);
	size_t used = smtp_dot_feed(&d->dot, in, &d->out);
	if (d->err == 0 && d->dot.bad == SMTP_DOT_GOOD && d->dot.content.size_in <= d->max)
		d->err = blob_write(d->blob, buf_str(&d->out));
	*r_done = d->dot.done;
	return (ssize_t)used;
}

int
smtpserver_cmd_data(struct session *s, struct cur *args)
{
	TRY(smtpserver_end(s, args));

	struct data *d = mem_alloc(sizeof(*d));
	d->sink.write = take_input;
	d->max = s->l->max_message_size ? s->l->max_message_size : LIMIT_MESSAGE_SIZE;
	buf_init(&d->out, SIZE_MAX / 4);        /* at most twice what one read brings: line ends may grow */
	s->data = d;
	int err = blob_new(store_tmp_dir(s->srv->opts.store), &d->blob);
	if (err < 0) {
		smtpserver_tx_clear(s);
		return smtpserver_serverf(s, err, "new blob: %s", err_text(err));
	}
	conn_spool(s->c, &d->sink, DATA_TIMEOUT_US);
	smtpserver_reply(s, 354, NULL, S("see you at the bare dot"));
	return 0;
}

void
smtpserver_data_free(struct session *s)
{
	struct data *d = s->data;

	if (d == NULL)
		return;
	blob_free(&d->blob);
	buf_done(&d->out);
	mem_free(&s->data);
}
