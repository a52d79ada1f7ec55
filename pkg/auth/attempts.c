/* SPDX-License-Identifier: MIT */
/*
 * The audit log of logins: a queue, and a thread that writes what is queued in one transaction.
 */
#include "auth/auth_internal.h"
#include "base/mem.h"
#include "base/thread.h"
#include "base/utf8.h"
#include "log/log.h"
#include "metrics/metrics.h"

#define QUEUE_MAX 100
#define KEEP_US (30 * TIME_DAY)
#define EXPIRE_EVERY_US TIME_DAY

static struct metric authentications = METRICS_COUNTER_INIT("mox_authentication_total", "Authentication attempts and results.", "kind", "variant",
    "result");
static const struct log auth_log = { .pkg = "auth" };

/* field copies a text that may come from a client: valid UTF-8 of bounded length. */
static struct str
field(struct arena *a, struct str s)
{
	return str_dup(a, utf8_cut(utf8_clean(a, str_upto(s, LIMIT_LOGIN_FIELD)), LIMIT_LOGIN_FIELD));
}

void
auth_record(struct auth *a, const struct auth_attempt *t)
{
	struct auth_attempt_item *it = mem_alloc(sizeof(*it));

	arena_init(&it->a, 1024);
	it->t = (struct store_attempt){
		.account = t->account.n > 0 ? field(&it->a, t->account) : S("-"), .address = field(&it->a, t->address),
		.remote_ip = field(&it->a, t->remote_ip), .local_ip = field(&it->a, t->local_ip), .tls = field(&it->a, t->tls),
		.client_key = field(&it->a, t->client_key), .protocol = field(&it->a, t->protocol), .user_agent = field(&it->a, t->user_agent),
		.mechanism = field(&it->a, t->mechanism), .result = field(&it->a, t->result),
	};
	metrics_add(&authentications, 1, it->t.protocol.p, it->t.mechanism.p, it->t.result.p, NULL);

	LOCKED(&a->lock);
	while (a->queued >= QUEUE_MAX)
		cond_wait(&a->room, &a->lock, 0);
	*a->tail = it;
	a->tail = &it->next;
	a->queued++;
	cond_signal(&a->work);
}

/* write_batch writes what was queued, and once a day removes what is too old. */
static int
write_batch(struct auth *a, const struct auth_attempt_item *head)
{
	int64_t now = auth_now(a);
	struct store_attempt v[QUEUE_MAX];
	size_t n = 0;

	for (const struct auth_attempt_item *it = head; it != NULL; it = it->next)
		v[n++] = it->t;
	if (n > 0)
		TRY(store_attempts_write(a->db, v, n, now));
	if (now - a->expired_us >= EXPIRE_EVERY_US) {
		TRY(store_attempts_expire(a->db, now - KEEP_US));
		a->expired_us = now;
	}
	return 0;
}

static void *
writer(void *arg)
{
	struct auth *a = arg;
	bool stopping = false;

	while (!stopping) {
		struct auth_attempt_item *head;
		{
			LOCKED(&a->lock);
			while (a->head == NULL && !a->stopping)
				if (!cond_wait(&a->work, &a->lock, time_mono_us() + EXPIRE_EVERY_US))
					break;
			head = take(a->head);
			a->tail = &a->head;
			a->queued = 0;
			stopping = a->stopping;
			cond_broadcast(&a->room);
		}
		int err = write_batch(a, head);
		if (err < 0)
			log_error(&auth_log, "writing login attempts", log_err(err_text(err)));
		while (head != NULL) {
			struct auth_attempt_item *next = head->next;
			arena_done(&head->a);
			mem_free(&head);
			head = next;
		}
	}
	return NULL;
}

int
auth_attempts_start(struct auth *a, struct errmsg *e)
{
	TRY(write_batch(a, NULL));      /* old rows go at start */
	int err = thread_start(&a->thread, "mox-logins", 0, writer, a);
	if (err < 0)
		return err_set(e, err, "starting thread");
	a->running = true;
	return 0;
}

void
auth_attempts_stop(struct auth *a)
{
	if (!a->running)
		return;
	{
		LOCKED(&a->lock);
		a->stopping = true;
		cond_signal(&a->work);
	}
	pthread_join(a->thread, NULL);
	a->running = false;
}

struct str
auth_tls_text(struct arena *a, const struct tls_info *info)
{
	if (info == NULL)
		return S("");
	return str_fmt(a, "version=" STRF " ciphersuite=" STRF " sni=" STRF " resumed=%s alpn=" STRF, STRA(info->version_name), STRA(info->cipher_name),
	    STRA(info->sni), info->resumed ? "true" : "false", STRA(info->alpn));
}
