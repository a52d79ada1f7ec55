/* SPDX-License-Identifier: MIT */
/*
 * The server that all listeners share, and its metrics.
 */
#include "smtpserver/smtpserver_internal.h"

#include "base/mem.h"

struct metric smtpserver_m_connection = METRICS_COUNTER_INIT("mox_smtpserver_connection_total", "Incoming SMTP connections.", "kind");
struct metric smtpserver_m_command = METRICS_HISTOGRAM_INIT("mox_smtpserver_command_duration_seconds", "SMTP commands, by duration and reply.",
    metrics_buckets_a120, "kind", "cmd", "code", "ecode");
struct metric smtpserver_m_delivery = METRICS_COUNTER_INIT("mox_smtpserver_delivery_total", "Deliveries of incoming messages, per recipient.",
    "result", "reason");
struct metric smtpserver_m_submission = METRICS_COUNTER_INIT("mox_smtpserver_submission_total", "Messages submitted by users.", "result");
struct metric smtpserver_m_starttls = METRICS_COUNTER_INIT("mox_smtpserver_delivery_starttls_total", "STARTTLS handshakes on port 25.");
struct metric smtpserver_m_starttls_errors = METRICS_COUNTER_INIT("mox_smtpserver_delivery_starttls_errors_total",
    "STARTTLS handshakes on port 25 that failed.", "reason");

struct smtpserver *
smtpserver_new(const struct smtpserver_opts *o)
{
	struct smtpserver *srv = mem_alloc(sizeof(*srv));

	srv->opts = *o;
	srv->opts.software = str_dup(&srv->arena, o->software);
	srv->opts.localserve_account = str_dup(&srv->arena, o->localserve_account);
	srv->partial = smtpserver_partial_new();
	return srv;
}

void
smtpserver_free(struct smtpserver **sp)
{
	struct smtpserver *srv = *sp;

	if (srv == NULL)
		return;
	smtpserver_partial_free(&srv->partial);
	arena_done(&srv->arena);
	mem_free(sp);
}

struct config *
smtpserver_config(struct smtpserver *srv)
{
	return srv->opts.config(srv->opts.config_arg);
}

bool
smtpserver_is_localserve(const struct smtpserver *srv)
{
	return srv->opts.localserve_account.n > 0;
}

bool
smtpserver_refuse(void *listener_arg, const struct ip *remote)
{
	const struct smtpserver_listener *l = listener_arg;

	return auth_refuse(l->server->opts.auth, remote, "submission");
}
