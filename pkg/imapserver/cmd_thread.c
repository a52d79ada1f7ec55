/* SPDX-License-Identifier: MIT */
/* THREAD   rfc/5256:306, UID THREAD. The algorithms are in thread.c. */
#include "base/utf8.h"
#include "imapserver/imapserver_internal.h"
#include "imapserver/thread.h"
#include "message/header.h"

#define OUT_MAX (64 * 1024 * 1024)

static const struct {
	struct str name;
	enum thread_algorithm how;
} algorithms[] = {
	{ { "ORDEREDSUBJECT", 14 }, THREAD_ORDEREDSUBJECT }, { { "REFERENCES", 10 }, THREAD_REFERENCES }, { { "REFS", 4 }, THREAD_REFS },
};

struct threads {
	enum thread_algorithm how;
	struct arena mem;               /* outlives the batches */
	struct thread_message *v;
	size_t n, cap;
};

/* References stand in the header only, so the message is opened; the last ones count when there are too many. */
static int
read_references(struct threads *t, struct imapserver_content *k, struct thread_message *m)
{
	struct strlist all = { 0 };
	struct str header;

	TRY(imapserver_content_source(k));
	TRY(message_part_header(k->a, &k->m, &k->src, &k->m.parts[0], &header));
	message_references(k->a, header, &all);
	for (size_t i = all.n - MIN(all.n, (size_t)LIMIT_THREAD_REFERENCES); i < all.n; i++)
		strlist_add(&t->mem, &m->references, str_dup(&t->mem, all.v[i]));
	return 0;
}

static int
read_message(struct threads *t, struct imapserver_content *k, struct thread_message *m)
{
	TRY(imapserver_content_structure(k));
	const struct message_envelope *env = k->m.parts[0].envelope;
	if (env->has_date)
		m->sent_us = env->date_us;
	struct str subject = message_base_subject(k->a, message_field_text(k->a, env->subject), &m->is_response);
	m->subject = str_dup(&t->mem, utf8_casemap(k->a, subject));
	return t->how == THREAD_ORDEREDSUBJECT ? 0 : read_references(t, k, m);
}

static int
add(void *arg, struct imapserver_cmd *c, const struct imapserver_row *row)
{
	struct threads *t = arg;
	struct imapserver_content k = { .acct = c->s->acct, .row = row, .a = c->a };
	struct thread_message m = {
		.number = imapserver_number(c, row->m.uid), .sent_us = row->m.received_us, .received_us = row->m.received_us,
		.id = str_dup(&t->mem, row->m.message_id),
	};

	int r = read_message(t, &k, &m);
	imapserver_content_done(&k);
	if (r < 0)
		return r;
	if (t->n == t->cap) {
		size_t more = t->cap ? 2 * t->cap : 64;
		t->v = arena_grow(&t->mem, t->v, t->cap, more, sizeof(*t->v));
		t->cap = more;
	}
	t->v[t->n++] = m;
	return 0;
}

static int
run(struct imapserver_cmd *c, struct threads *t)
{
	struct imapserver_search q = { 0 };
	size_t i = 0;

	/* thread = ["UID" SP] "THREAD" SP thread-alg SP search-criteria   rfc/5256:767 */
	imap_sp(&c->in);
	while (i < ARRAY_LEN(algorithms) && !imap_try_keyword(&c->in, algorithms[i].name))
		i++;
	if (i == ARRAY_LEN(algorithms))
		cur_fail(&c->in, "threading algorithm");
	else
		t->how = algorithms[i].how;
	imap_sp(&c->in);
	TRY(imapserver_search_parse(c, &q, true));
	TRY(imapserver_search_run(c, &q, true, add, t));

	struct buf lists = BUF_INIT(OUT_MAX);
	imapserver_thread_messages(&t->mem, t->how, t->v, t->n, &lists);
	/* thread-data = "THREAD" [SP 1*thread-list]   rfc/5256:781 */
	buf_addz(&c->out, "* THREAD");
	if (lists.n > 0)
		buf_addc(&c->out, ' ');
	buf_add(&c->out, buf_str(&lists));
	buf_addz(&c->out, "\r\n");
	buf_done(&lists);
	return 0;
}

int
imapserver_cmd_thread(struct imapserver_cmd *c)
{
	struct threads t = { 0 };
	int r = run(c, &t);

	arena_done(&t.mem);
	return r;
}
