/* SPDX-License-Identifier: MIT */
/*
 * Who delivers what, and when.
 *
 * Implementation notes. A destination is a recipient domain with messages that wait; it knows when its first one is
 * due, how many deliveries run for it and how many may. Those that could start something stand in a heap by that
 * time; a worker takes the first that is due, delivers one message (and those that share its content), and goes on
 * with the same destination over the same connection as long as something is due there and nobody else waits longer.
 * Nothing here is kept on disk: at start each destination is found by one walk over the index msg_due.
 *
 * Feedback: a destination starts with two deliveries at once. A success allows one more, up to per_destination; a
 * failed connection or a temporary refusal halves. So a server that is slow or unwilling gets few connections, and
 * others are served meanwhile.
 */
#include "queue/queue_internal.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/thread.h"

#define START_LIMIT 2
#define CLEANUP_US TIME_HOUR
#define IDLE_US (24 * TIME_HOUR)
#define ERROR_PAUSE_US TIME_MIN /* after an error of the database */
#define BUSY_PAUSE_US TIME_SEC
#define SESSION_RUN 20 /* messages that a worker takes for one destination while others are due */

struct destination {
	char *domain;
	int64_t next; /* when its first message is due; INT64_MAX: none */
	size_t heap;  /* place in the heap + 1; 0: not there */
	unsigned running, limit;
	int64_t *ids; /* of the messages being delivered */
	size_t nids, cap;
};

struct queue_sched {
	struct map byname;
	struct destination **heap;
	size_t nheap, cap;
	struct cond wake;
	pthread_t *threads;
	size_t nthreads, idle; /* threads are started when all others are busy, up to o.deliveries */
	int64_t cleaned;
};

/* --- the heap. Under q->lock --- */

static void
heap_put(struct queue_sched *s, size_t i, struct destination *d)
{
	s->heap[i] = d;
	d->heap = i + 1;
}

static void
heap_sift(struct queue_sched *s, size_t i)
{
	struct destination *d = s->heap[i];

	while (i > 0 && s->heap[(i - 1) / 2]->next > d->next) {
		heap_put(s, i, s->heap[(i - 1) / 2]);
		i = (i - 1) / 2;
	}
	for (;;) {
		size_t child = 2 * i + 1;
		if (child + 1 < s->nheap && s->heap[child + 1]->next < s->heap[child]->next)
			child++;
		if (child >= s->nheap || s->heap[child]->next >= d->next)
			break;
		heap_put(s, i, s->heap[child]);
		i = child;
	}
	heap_put(s, i, d);
}

static void
heap_remove(struct queue_sched *s, struct destination *d)
{
	size_t i = d->heap - 1;

	d->heap = 0;
	struct destination *last = s->heap[--s->nheap];
	if (last != d) {
		heap_put(s, i, last);
		heap_sift(s, i);
	}
}

static void
free_destination(struct destination *d)
{
	mem_free(&d->domain);
	mem_free(&d->ids);
	mem_free(&d);
}

/*
 * place brings the destination to where it belongs: in the heap if it has a message and may deliver, away if nothing
 * is left of it.
 */
static void
place(struct queue_sched *s, struct destination *d)
{
	bool wanted = d->next != INT64_MAX && d->running < d->limit;

	if (d->heap && !wanted)
		heap_remove(s, d);
	else if (d->heap)
		heap_sift(s, d->heap - 1);
	else if (wanted) {
		if (s->nheap == s->cap) {
			size_t cap = s->cap ? 2 * s->cap : 64;
			s->heap = mem_grow(s->heap, s->cap, cap, sizeof(*s->heap));
			s->cap = cap;
		}
		heap_put(s, s->nheap, d);
		heap_sift(s, s->nheap++);
	}
	if (d->next == INT64_MAX && d->running == 0) {
		map_del(&s->byname, str_of(d->domain));
		free_destination(d);
	}
}

static struct destination *
get_destination(struct queue_sched *s, struct str domain)
{
	struct destination *d = map_get(&s->byname, domain);

	if (d == NULL) {
		d = mem_alloc(sizeof(*d));
		d->domain = mem_str(domain);
		d->limit = START_LIMIT;
		d->next = INT64_MAX;
		map_set(&s->byname, domain, d);
	}
	return d;
}

static void
found_domain(void *arg, struct str domain, int64_t next)
{
	struct queue_sched *s = arg;
	struct destination *d = get_destination(s, domain);

	d->next = next;
	place(s, d);
}

/* load finds all destinations anew. Within a transaction. */
static int
load(struct queue_tx *tx, struct queue_sched *s)
{
	struct destination *d, **all = NULL;
	size_t pos = 0, n = 0;
	struct str key;

	/* What is not found any more has nothing to do; placing frees, so not while walking. */
	all = mem_allocn(s->byname.n + 1, sizeof(struct destination *));
	while (map_next(&s->byname, &pos, &key, (void **)&d)) {
		d->next = INT64_MAX;
		all[n++] = d;
	}
	int rv = queue_domains(tx, found_domain, s);
	for (size_t i = 0; i < n; i++)
		if (all[i]->next == INT64_MAX)
			place(s, all[i]);
	mem_free(&all);
	return rv;
}

/* refresh asks when the next message of a destination is due. */
static void
refresh(struct queue_tx *tx, struct queue_sched *s, struct destination *d)
{
	int64_t next;
	int rv = queue_domain_next(tx, str_of(d->domain), &next);

	d->next = rv == 1 ? next : rv == 0 ? INT64_MAX : queue_now(tx->q) + ERROR_PAUSE_US;
	place(s, d);
}

void
queue_kick(struct queue *q, struct str domain)
{
	cleanup_(queue_end) struct queue_tx tx = { 0 };

	lock_take(&q->lock);
	bool on = q->sched != NULL;
	lock_drop(&q->lock);
	if (!on || queue_begin(q, &tx) < 0)
		return;
	if (q->sched == NULL)
		return;
	if (domain.n == 0)
		ignore_result(load(&tx, q->sched) < 0);
	else
		refresh(&tx, q->sched, get_destination(q->sched, domain));
	cond_broadcast(&q->sched->wake);
}

/* --- deliveries --- */

static void
add_ids(struct destination *d, const struct queue_attempt *at)
{
	if (d->nids + at->n > d->cap) {
		size_t cap = 2 * (d->nids + at->n);
		d->ids = mem_grow(d->ids, d->cap, cap, sizeof(*d->ids));
		d->cap = cap;
	}
	for (size_t i = 0; i < at->n; i++)
		d->ids[d->nids++] = at->v[i].id;
}

static void
remove_ids(struct destination *d, const struct queue_attempt *at)
{
	for (size_t i = 0; i < at->n; i++) {
		for (size_t j = 0; j < d->nids; j++) {
			if (d->ids[j] == at->v[i].id) {
				d->ids[j] = d->ids[--d->nids];
				break;
			}
		}
	}
}

/* is_trouble: the server, not a recipient, gave cause. */
static bool
is_trouble(const struct queue_attempt *at)
{
	for (size_t i = 0; i < at->n; i++)
		if (at->out[i].success || at->out[i].permanent || at->out[i].suppressed)
			return false;
	return true;
}

/* one delivers the first due message of a destination, which counts as running. */
enum step { NONE_DUE, GO_ON, TROUBLE };
static enum step
one(struct queue *q, struct destination *d, struct queue_session *session)
{
	cleanup_(arena_done) struct arena a = { 0 };
	struct queue_attempt at;
	struct queue_tx tx = { 0 };
	int64_t *skip;
	size_t nskip;

	/*
	 * Nobody else adds ids of this destination between here and add_ids but for other messages: the state of ours
	 * is advanced.
	 */
	lock_take(&q->lock);
	skip = ARENA_NEWN(&a, d->nids, int64_t);
	nskip = d->nids;
	if (nskip > 0)
		memcpy(skip, d->ids, nskip * sizeof(*skip));
	lock_drop(&q->lock);
	int rv = queue_prepare(q, &a, str_of(d->domain), skip, nskip, &at);
	lock_take(&q->lock);
	if (rv == 1)
		add_ids(d, &at);
	lock_drop(&q->lock);
	if (rv < 0)
		log_error(q->o.log, "taking messages from the queue", log_err(err_text(rv)));
	if (rv == 1) {
		queue_deliver(&at, session);
		queue_finish(&at);
	}
	bool trouble = rv == 1 && is_trouble(&at);
	if (queue_begin(q, &tx) == 0) {
		if (rv == 1) {
			remove_ids(d, &at);
			d->limit = trouble ? MAX(d->limit / 2, 1u) : MIN(d->limit + 1, q->o.per_destination);
		}
		refresh(&tx, q->sched, d);
		/*
		 * What is due but being delivered (an attempt may last longer than the time to the next one) is
		 * looked at again later.
		 */
		if (rv != 1)
			d->next = MAX(d->next, queue_now(q) + (rv < 0 ? ERROR_PAUSE_US : BUSY_PAUSE_US));
		place(q->sched, d);
		cond_broadcast(&q->sched->wake);
		queue_end(&tx);
	}
	return rv != 1 ? NONE_DUE : trouble ? TROUBLE : GO_ON;
}

/*
 * take_due: the destination whose message has been due for longest, marked as running; NULL with *r_wait until when.
 * Under the lock.
 */
static struct destination *
take_due(struct queue *q, int64_t *r_wait)
{
	struct queue_sched *s = q->sched;
	int64_t now = queue_now(q);
	struct destination *d = s->nheap > 0 ? s->heap[0] : NULL;

	if (d == NULL || d->next > now) {
		*r_wait = MIN(d ? d->next - now : IDLE_US, IDLE_US);
		return NULL;
	}
	d->running++;
	place(s, d);
	return d;
}

/*
 * serve delivers for one destination as long as something is due and goes well; after some messages others come
 * first.
 */
static unsigned
serve(struct queue *q, struct destination *d)
{
	struct queue_session session = { 0 };
	unsigned n = 0;

	while (!q->stop) {
		enum step step = one(q, d, &session);
		n += step != NONE_DUE;
		if (step != GO_ON)
			break;
		LOCKED(&q->lock);
		if (n >= SESSION_RUN && q->sched->nheap > 0 && q->sched->heap[0]->next <= queue_now(q))
			break;
	}
	queue_session_close(&session);
	lock_take(&q->lock);
	d->running--;
	place(q->sched, d);
	cond_broadcast(&q->sched->wake);
	lock_drop(&q->lock);
	return n;
}

static void
clean_if_due(struct queue *q)
{
	int64_t now = queue_now(q);

	lock_take(&q->lock);
	bool due = now - q->sched->cleaned >= CLEANUP_US;
	if (due)
		q->sched->cleaned = now;
	lock_drop(&q->lock);
	if (due && queue_cleanup(q) < 0)
		log_error(q->o.log, "forgetting old messages of the queue failed");
}

static int start_worker(struct queue *q);

/* more_workers starts one if something is due and nobody is free. Under the lock. */
static void
more_workers(struct queue *q)
{
	struct queue_sched *s = q->sched;

	if (s->idle == 0 && s->nthreads < q->o.deliveries && s->nheap > 0 && s->heap[0]->next <= queue_now(q))
		ignore_result(start_worker(q) < 0); /* those that are there go on */
}

static void *
worker(void *arg)
{
	struct queue *q = arg;

	while (!q->stop) {
		struct destination *d;
		int64_t wait = 0;

		clean_if_due(q);
		lock_take(&q->lock);
		d = q->stop ? NULL : take_due(q, &wait);
		if (d) {
			more_workers(q);
		} else if (!q->stop) {
			q->sched->idle++;
			cond_wait(&q->sched->wake, &q->lock, time_mono_us() + MIN(MAX(wait, TIME_MS), CLEANUP_US));
			q->sched->idle--;
		}
		lock_drop(&q->lock);
		if (d)
			serve(q, d);
	}
	return NULL;
}

static int
start_worker(struct queue *q)
{
	int rv = thread_start(&q->sched->threads[q->sched->nthreads], "queue", 0, worker, q);

	if (rv == 0)
		q->sched->nthreads++;
	return rv;
}

static struct queue_sched *
new_sched(void)
{
	struct queue_sched *s = mem_alloc(sizeof(*s));

	cond_init(&s->wake);
	return s;
}

static void
free_sched(struct queue_sched *s)
{
	struct destination *d;
	size_t pos = 0;
	struct str key;

	while (map_next(&s->byname, &pos, &key, (void **)&d))
		free_destination(d);
	map_done(&s->byname);
	mem_free(&s->heap);
	mem_free(&s->threads);
	cond_done(&s->wake);
	mem_free(&s);
}

static int
begin(struct queue *q)
{
	cleanup_(queue_end) struct queue_tx tx = { 0 };

	TRY(queue_begin(q, &tx));
	bug_if(q->sched != NULL);
	q->sched = new_sched();
	q->sched->cleaned = queue_now(q);
	return load(&tx, q->sched);
}

static void
end(struct queue *q)
{
	lock_take(&q->lock);
	struct queue_sched *s = take(q->sched);
	lock_drop(&q->lock);
	if (s)
		free_sched(s);
}

int
queue_start(struct queue *q, struct errmsg *e)
{
	int rv = begin(q);

	if (rv < 0) {
		end(q);
		return err_set(e, rv, "queue database: %s", err_text(rv));
	}
	lock_take(&q->lock);
	q->sched->threads = mem_allocn(q->o.deliveries, sizeof(pthread_t));
	rv = start_worker(q);
	lock_drop(&q->lock);
	if (rv < 0) {
		end(q);
		return err_set(e, rv, "no threads for the queue");
	}
	return 0;
}

void
queue_stop(struct queue *q)
{
	struct queue_sched *s;

	lock_take(&q->lock);
	s = q->sched;
	q->stop = true;
	ignore_result(eventfd_write(q->stop_fd, 1) < 0);
	if (s)
		cond_broadcast(&s->wake);
	lock_drop(&q->lock);
	for (size_t i = 0; s && i < s->nthreads; i++)
		pthread_join(s->threads[i], NULL);
	end(q);
}

int
queue_run(struct queue *q)
{
	unsigned n = 0;
	int64_t wait;
	int rv = begin(q);

	while (rv >= 0 && !q->stop) {
		lock_take(&q->lock);
		struct destination *d = take_due(q, &wait);
		lock_drop(&q->lock);
		if (d == NULL)
			break;
		n += serve(q, d);
	}
	end(q);
	return rv < 0 ? rv : (int)n;
}
