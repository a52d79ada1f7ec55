/* SPDX-License-Identifier: MIT */
/* server_ctl.c - requests on the control socket. */
#include <errno.h>
#include <sys/eventfd.h>

#include "server.h"
#include "store/junk.h"

static void
ctl_stop(struct ctl_request *r)
{
	struct server *s = r->arg;

	if (eventfd_write(s->stop_fd, 1) < 0) {
		ctl_error(r, "stopping: %s", err_strerror(errno));
		return;
	}
	ctl_ok(r);
	ctl_hold(r);
}

static void
ctl_setaccountpassword(struct ctl_request *r)
{
	struct server *s = r->arg;
	struct errmsg e = { 0 };
	int rv = auth_set_password(s->auth, r->params[0], r->params[1], &e);

	if (rv < 0)
		ctl_error(r, "setting password: %s", e.text[0] ? e.text : err_text(rv));
	else
		ctl_ok(r);
}

static bool
retrain_account(struct ctl_request *r, struct str name)
{
	struct server *s = r->arg;
	cleanup_(store_account_close) struct store_account *a = NULL;
	struct errmsg e = { 0 };
	int rv = store_account_open(s->store, name, false, &a, &e);

	if (rv == 0)
		rv = store_junk_retrain(a, &e);
	if (rv < 0)
		ctl_error(r, "account " STRF ": %s", STRA(name), e.text[0] ? e.text : err_text(rv));
	return rv == 0;
}

/* An account, or empty: all, up to the first that fails. */
static void
ctl_retrain(struct ctl_request *r)
{
	struct server *s = r->arg;
	cleanup_(config_unref) struct config *cfg = config_current(s->live);
	const struct config_account_map *all = &cfg->dynamic->accounts;

	if (r->params[0].n > 0) {
		if (!retrain_account(r, r->params[0]))
			return;
	} else {
		for (size_t i = 0; i < all->n; i++)
			if (!retrain_account(r, all->v[i].k))
				return;
	}
	ctl_ok(r);
}

static void
ctl_loglevels(struct ctl_request *r)
{
	ctl_ok(r);
	ctl_stream(r, log_levels(r->arena));
}

/* Package and level; either may be empty: no package is the default level, no level removes that of the package. */
static void
ctl_setloglevels(struct ctl_request *r)
{
	enum log_level level = LOG_INFO;

	if (r->params[1].n > 0 && log_level_parse(r->params[1], &level) < 0) {
		ctl_error(r, "unknown log level");
		return;
	}
	if (r->params[0].n == 0)
		log_set_default(level);
	else if (r->params[1].n == 0)
		log_unset_package(r->params[0]);
	else
		log_set_package(r->params[0], level);
	ctl_ok(r);
}

const struct ctl_command server_ctl_commands[] = {
	{ "stop", 0, ctl_stop },
	{ "setaccountpassword", 2, ctl_setaccountpassword },
	{ "retrain", 1, ctl_retrain },
	{ "loglevels", 0, ctl_loglevels },
	{ "setloglevels", 2, ctl_setloglevels },
	{ 0 },
};
