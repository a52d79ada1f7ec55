/* SPDX-License-Identifier: MIT */
#include "base/mem.h"
#include "conn/server_internal.h"

struct conn_listener *
conn_listener_new(const struct conn_listener_opts *o)
{
	struct conn_listener *l = mem_alloc(sizeof(*l));

	bug_if(o->implicit_tls && o->tls == NULL);
	atomic_init(&l->refs, 1);
	l->o = *o;
	l->name = mem_strdup(o->name ? o->name : "");
	l->o.name = l->name;
	l->o.tls = NULL;
	l->tls = o->tls ? tls_ctx_ref(o->tls) : NULL;
	return l;
}

struct conn_listener *
conn_listener_ref(struct conn_listener *l)
{
	atomic_fetch_add_explicit(&l->refs, 1, memory_order_relaxed);
	return l;
}

void
conn_listener_unref(struct conn_listener **pl)
{
	struct conn_listener *l = *pl;

	*pl = NULL;
	if (l == NULL || atomic_fetch_sub_explicit(&l->refs, 1, memory_order_acq_rel) != 1)
		return;
	tls_ctx_unref(&l->tls);
	mem_free(&l->name);
	free(l);
}

struct tls_ctx *
conn_listener_tls(struct conn_listener *l)
{
	return l->tls ? tls_ctx_ref(l->tls) : NULL;
}
