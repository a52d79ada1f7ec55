/* SPDX-License-Identifier: MIT */
/* Finding the thread of a message that is being added: ../spec/threading.md section 3, after REFERENCES of RFC 5256. */
#include "base/limits.h"
#include "store/store_internal.h"

#define SUBJECT_BEFORE (28 * TIME_DAY)
#define SUBJECT_AFTER TIME_DAY

/* become_child joins the thread of p. */
static void
become_child(struct arena *a, struct store_message *m, const struct store_thread_hit *p)
{
	struct str own = str_fmt(a, "%lld", (long long)m->id), parents = p->parent_ids;
	for (struct str rest = parents; rest.n;)
		if (str_is(str_split(&rest, ' '), own))
			parents = S("");        /* no cycles */
	m->thread_id = p->thread_id;
	m->thread_parent_ids = str_fmt(a, "%lld%s" STRF, (long long)p->id, parents.n ? " " : "", STRA(parents));
	if (m->message_id.n && str_is(m->message_id, p->message_id))
		m->thread_missing_link = true;
	m->thread_muted = p->muted;
	m->thread_collapsed = p->collapsed;
	if (p->muted)
		m->flags |= STORE_SEEN;
}

/* by_references goes from the closest reference to the farthest. 1 found, 0 not; *r_any: there was one besides the message itself. */
static int
by_references(struct store_tx *tx, const struct store_prepared *p, struct store_message *m, struct store_thread_hit *h, bool *r_any)
{
	size_t n = p->references.n;
	for (size_t i = n; i-- > 0 && n - i <= LIMIT_THREAD_REFERENCES;) {
		struct str id = p->references.v[i];
		if (str_is(id, m->message_id))
			continue;
		*r_any = true;
		int found = m->is_dsn ? store_thread_by_id(tx, id, h) : store_thread_by_id_subject(tx, id, m->subject_base, h);
		if (found != 0)
			return found;
		m->thread_missing_link = true;
	}
	return 0;
}

/* find looks for the parent. 1 found, 0 none. */
static int
find(struct store_tx *tx, const struct store_prepared *p, struct store_message *m, struct store_thread_hit *h)
{
	int found;
	bool any = false;
	if (m->message_id.n) {
		found = store_thread_by_id(tx, m->message_id, h);
		if (found != 0) {
			m->thread_missing_link = true;
			return found;
		}
	}
	found = by_references(tx, p, m, h, &any);
	if (found != 0 || p->references.n > 0)
		return found;
	if (!p->is_response || m->subject_base.n == 0)
		return 0;
	m->thread_missing_link = true;
	return store_thread_by_subject(tx, m->subject_base, m->mailbox_orig_id, m->received_us - SUBJECT_BEFORE, m->received_us + SUBJECT_AFTER, h);
}

int
store_thread_assign(struct store_tx *tx, const struct store_prepared *p, struct store_message *m)
{
	struct store_thread_hit h;
	m->thread_missing_link = false;
	int found = find(tx, p, m, &h);
	if (found < 0)
		return found;
	if (found)
		become_child(tx->arena, m, &h);
	else
		m->thread_id = m->id;
	return 0;
}
