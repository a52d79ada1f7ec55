/* SPDX-License-Identifier: MIT */
/* dkim_sign.c - mox dkim sign */
#include "commands.h"
#include "config/config.h"
#include "dkim/dkim.h"
#include "message/header.h"
#include "smtp/smtp.h"
#include "tool.h"

/* The signers that a domain is configured with; how many. */
static size_t
signers_of(const struct cmd_run *c, const struct config_dkim *conf, struct dkim_signer **r_v)
{
	struct dkim_signer *v = ARENA_NEWN(c->arena, conf->sign.n, struct dkim_signer);
	size_t n = 0;

	for (size_t i = 0; i < conf->sign.n; i++)
		for (size_t k = 0; k < conf->selectors.n; k++) {
			const struct config_selector *s = &conf->selectors.v[k].v;
			const struct typedesc_str_list *h = &s->headers_effective;

			if (!str_is(conf->selectors.v[k].k, conf->sign.v[i]))
				continue;
			v[n++] = (struct dkim_signer){
				.selector = conf->selectors.v[k].k,
				.key = s->key,
				.header_relaxed = s->canonicalization.header_relaxed,
				.body_relaxed = s->canonicalization.body_relaxed,
				.headers = { .v = h->v, .n = h->n, .cap = h->n },
				.dont_seal = s->dont_seal_headers,
				.expiration_us = s->expiration_seconds * TIME_SEC,
			};
		}
	*r_v = v;
	return n;
}

static int
sign(const struct cmd_run *c, const struct config *cfg, struct str text)
{
	struct message_source src = message_source_mem(text);
	const struct config_hosted *h;
	struct dkim_signer *signers;
	struct smtp_address from;
	struct str header, fields;
	struct errmsg e = { 0 };
	size_t n;

	if (dkim_read_header(c->arena, &src, &header) < 0)
		return cmd_fail(c, "%s: the header has no end", c->argv[0]);
	if (message_from(c->arena, header, &from, &e) < 0)
		return cmd_fail(c, "%s: %s", c->argv[0], tool_text(c, str_of(e.text)));
	h = config_domain(cfg, &from.domain);
	if (!h)
		return cmd_fail(c, "domain " STRF " is not in the configuration", STRA(from.domain.ascii));
	n = signers_of(c, &h->conf->dkim, &signers);
	if (n == 0)
		return cmd_fail(c, "no DKIM keys are configured for domain " STRF, STRA(from.domain.ascii));
	if (dkim_sign(c->arena, &src, from.localpart, h->name.ascii, signers, n, NULL, &fields, &e) < 0)
		return cmd_fail(c, "%s: %s", c->argv[0], tool_text(c, str_of(e.text)));
	fwrite(fields.p, 1, fields.n, stdout);
	fwrite(text.p, 1, text.n, stdout);
	return CMD_OK;
}

static int
run(struct cmd_run *c)
{
	cleanup_(config_problems_done) struct config_problems problems = { 0 };
	cleanup_(config_unref) struct config *cfg = NULL;
	struct str text;

	if (!tool_message(c, c->argv[0], &text))
		return CMD_FAILED;
	if (config_load(c->config, CONFIG_CHECK_ONLY | CONFIG_NO_TLS_FILES, &cfg, &problems) < 0)
		return cmd_fail(c, STRF, STRA(config_problems_text(c->arena, &problems)));
	return sign(c, cfg, text);
}

const struct cmd cmd_dkim_sign = {
	.words = "dkim sign",
	.params = "file",
	.min_args = 1,
	.max_args = 1,
	.help = "Sign a message as the server would, and print it.\n"
		"\n"
		"The message is read from the file, or from standard input for \"-\"; lines that end in LF\n"
		"get CRLF. The domain of its only From address must be in domains.conf, with keys to\n"
		"sign with. One DKIM-Signature field for each is put before the message.\n"
		"\n"
		"Run it as a user who may read the configuration and the keys.\n"
		"\n"
		"Example:\n"
		"\tmox dkim sign message.eml > signed.eml\n",
	.run = run,
};
