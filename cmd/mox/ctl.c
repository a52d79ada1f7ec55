/* SPDX-License-Identifier: MIT */
/* ctl.c - connecting to the running server. */
#include "ctl.h"

#include "config/config.h"

int
cmd_dial(const struct cmd_run *c, struct ctl_client *r_client)
{
	cleanup_(config_problems_done) struct config_problems p = { 0 };
	cleanup_(config_unref) struct config *cfg = NULL;
	struct errmsg e = { 0 };

	if (config_load(c->config, CONFIG_CHECK_ONLY | CONFIG_NO_KEYS, &cfg, &p) < 0) {
		for (size_t i = 0; i < p.errors.n; i++)
			fprintf(stderr, "%s: " STRF "\n", c->cmd->words, STRA(p.errors.v[i]));
		if (!c->config_given)
			fprintf(stderr, "%s: use -config or MOXCONF to name the server's mox.conf\n", c->cmd->words);
		return CMD_FAILED;
	}
	if (ctl_dial(str_fmt(c->arena, STRF "/ctl", STRA(cfg->data_dir)).p, r_client, &e) < 0)
		return cmd_fail(c, "%s", e.text);
	return CMD_OK;
}
