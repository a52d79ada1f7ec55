/* SPDX-License-Identifier: MIT */
#include <unistd.h>

#include "base/fd.h"
#include "base/timeutil.h"
#include "config/config.h"
#include "sconf/sconf.h"
#include "testutil/testutil.h"

static struct config *
load(const char *dir)
{
	struct config_problems p = { 0 };
	struct config *c = NULL;

	if (config_load(str_fmt(test_arena(), "%s/mox.conf", test_data(dir)).p, 0, &c, &p) < 0)
		fail_msg(STRF, STRA(config_problems_text(test_arena(), &p)));
	config_problems_done(&p);
	return c;
}

/* The files that "mox localserve" writes, and what servers see of them. */
TEST(localserve)
{
	cleanup_(config_unref) struct config *c = load("config/localserve");
	const struct config_listener *l = config_listener(c, S("local"));
	const struct config_account *a = config_account(c, S("mox"));
	const struct config_hosted *h = config_domain_text(c, S("LOCALHOST"));

	assert_strz(c->hostname.ascii, "localhost");
	assert_true(c->pedantic);
	assert_int_equal(c->uid, 0);
	assert_strz(c->postmaster_account, "mox");
	assert_strz(c->postmaster_mailbox, "Inbox");
	assert_strz(c->data_dir, str_fmt(test_arena(), "%s/.", test_data("config/localserve")).p);
	assert_int_equal(c->fixed->log_level, CONFIG_LOG_LEVEL_TRACEAUTH);
	assert_int_equal(l->ips.n, 2);
	assert_int_equal(l->smtp.port, 1025);
	assert_true(*l->smtp.first_time_sender_delay == 15 * TIME_SEC);
	assert_true(*l->smtp.tls_session_tickets_disabled);
	assert_int_equal(l->smtp_max_message_size, 100 * 1024 * 1024);
	assert_int_equal(l->tls->min_version, CONFIG_TLS_VERSION_TLS1_2);
	assert_strz(l->tls->key_certs.v[0].key_file, str_fmt(test_arena(), "%s/localhost.key", test_data("config/localserve")).p);
	assert_strz(l->admin_http.path, "/admin/");
	assert_int_equal(l->rate_limits.connections, 30);
	assert_int_equal(l->rate_limits.connections_per_minute, 300);
	assert_strz(l->hostname, "localhost");
	assert_int_equal(l->imap.port, 1143);
	assert_non_null(a);
	assert_int_equal(a->max_outgoing_messages_per_day, 1000);
	assert_strz(a->destinations.v[0].v.mailbox, "Inbox");
	assert_strz(a->rejects_mailbox, "Rejects");
	assert_true(a->junk_filter->threshold == 0.95);
	assert_true(a->keep_retired_message_period == 72 * TIME_HOUR);
	assert_int_equal(a->quota, 0);
	assert_strz(c->fixed->initial_mailboxes.special_use.draft, "Drafts");
	assert_non_null(h);
	assert_int_equal(h->separators.n, 1);
	const struct config_selector *s = &h->conf->dkim.selectors.v[0].v;
	assert_strz(s->algorithm, "ed25519");
	assert_non_null(s->key);
	assert_int_equal(s->expiration_seconds, 72 * 3600);
	assert_int_equal(s->headers_effective.n, 11);
	assert_int_equal(s->hash, CONFIG_DKIM_HASH_SHA256);
	assert_non_null(c->dynamic->web_handlers.v[0].path_re);
	assert_strz(c->dynamic->web_handlers.v[0].name, "workdir");
}

/* Fields of the type, and of all below it: those that one of the values sets, and the others. */
static void
collect(const struct typedesc *t, const void *const *v, size_t n, struct strlist *all, struct strlist *set)
{
	for (size_t i = 0; i < t->nfields; i++) {
		const struct typedesc_field *f = &t->fields[i];
		const struct typedesc *e = f->type;
		const void *sub[200];
		size_t nsub = 0;

		if (f->flags & (TYPEDESC_INTERNAL | TYPEDESC_DERIVED))
			continue;
		for (size_t k = 0; k < n; k++) {
			const char *at = (const char *)v[k] + f->offset;

			if (e->kind == TYPEDESC_LIST || e->kind == TYPEDESC_MAP) {
				const struct typedesc_list *l = (const void *)at;

				for (size_t m = 0; m < l->n && nsub < ARRAY_LEN(sub); m++)
					sub[nsub++] = (const char *)l->v + m * (e->kind == TYPEDESC_MAP ? e->stride : e->elem->size) + e->value_off;
			} else if (e->kind == TYPEDESC_PTR) {
				memcpy(&sub[nsub], at, sizeof(void *));
				nsub += sub[nsub] != NULL;
			} else if (!typedesc_is_zero(e, at)) {
				sub[nsub++] = at;
			}
		}
		strlist_add(test_arena(), nsub ? set : all, str_fmt(test_arena(), "%s.%s", t->name, f->name));
		collect(e->elem ? e->elem : e, sub, nsub, all, set);
	}
}

/* The example uses every option, so that none is left out of the checks and of rewriting. */
TEST(full_has_every_option)
{
	struct sconf_report r = { .a = test_arena(), .path = "f" };
	struct config_static s = { 0 };
	struct config_dynamic d = { 0 };
	const void *sv = &s, *dv = &d;
	struct strlist all = { 0 }, set = { 0 }, unset = { 0 };

	assert_ok(sconf_read(test_arena(), test_read(test_data("config/full/mox.conf")), &config_static_desc, &s, NULL, &r));
	assert_ok(sconf_read(test_arena(), test_read(test_data("config/full/domains.conf")), &config_dynamic_desc, &d, NULL, &r));
	collect(&config_static_desc, &sv, 1, &all, &set);
	collect(&config_dynamic_desc, &dv, 1, &all, &set);
	for (size_t i = 0; i < all.n; i++)
		if (!strlist_has(&set, all.v[i]))
			strlist_add(test_arena(), &unset, all.v[i]);
	assert_strz(strlist_join(test_arena(), &unset, S(" ")), "Static.DefaultMailboxes");     /* not together with InitialMailboxes */
}

TEST(full)
{
	cleanup_(config_unref) struct config *c = load("config/full");
	const struct config_listener *l = config_listener(c, S("public"));
	const struct config_account *a = config_account(c, S("mjl")), *other = config_account(c, S("other"));
	const struct config_ruleset *rules = a->destinations.v[4].v.rulesets.v;

	assert_strz(c->hostname.ascii, "mail.xn--mnchen-3ya.example");
	assert_strz(c->hostname.unicode, "mail.m\xc3\xbcnchen.example");
	assert_true(*l->smtp.first_time_sender_delay == 0 && !*l->smtp.tls_session_tickets_disabled);
	assert_int_equal(l->autoconfig_https.port, 444);
	assert_strz(l->account_http.path, "/");
	assert_int_equal(l->account_https.port, 443);
	assert_strz(config_listener(c, S("internal"))->account_http.path, "/account/");
	assert_strz(c->fixed->acme.v[0].v.issuer_domain_name, "letsencrypt.org");
	assert_int_equal(config_send_ips(c)->n, 2);
	const struct config_transport *t = config_transport(c, S("plain"));
	assert_int_equal(t->smtp->port, 25);
	assert_int_equal(config_transport(c, S("starttls"))->submission->port, 587);
	assert_strz(config_transport(c, S("relay"))->submissions->auth->password, "secret password ");
	assert_int_equal(config_transport(c, S("fail"))->fail->code, 451);
	assert_null(config_transport(c, S("none")));
	assert_strz(a->destinations.v[4].k, "mjl@example.org");
	assert_non_null(((const struct config_header_re *)rules[0].headers_re)[0].value);
	assert_true(regexp_match(((const struct config_header_re *)rules[0].headers_re)[0].value, S("<x.lists.example>")));
	assert_strz(rules[0].list_allow_domain_ascii, "lists.example");
	assert_true(regexp_match(rules[2].msg_from_re, S("boss@example.org")));
	assert_null(rules[2].smtp_mail_from_re);
	assert_true(regexp_match(a->notjunk_re, S("goods")));
	assert_strz(a->destinations.v[1].k, "@example.org");
	assert_strz(a->destinations.v[2].k, "gone@example.org");
	assert_int_equal(a->destinations.v[2].v.smtp_error_code, 550);
	assert_strz(a->destinations.v[2].v.smtp_error_text, "has moved");
	assert_int_equal(a->quota, 2000000000);
	assert_int_equal(other->quota, 0);      /* negative: none */
	assert_int_equal(a->aliases.n, 2);
	assert_strz(a->aliases.v[0].subscription_address, "news@example.org");
	assert_int_equal(a->aliases.v[0].member_addresses.n, 0);
	assert_strz(a->aliases.v[1].subscription_address, "team@example.org");
	assert_int_equal(a->aliases.v[1].member_addresses.n, 2);
	assert_int_equal(other->aliases.n, 1);
	assert_true(config_domain_text(c, S("reports.example"))->conf->reports_only);
	assert_false(config_domain_text(c, S("example.org"))->conf->reports_only);
	assert_int_equal(c->dynamic->web_handlers.v[1].web_redirect->status_code, 307);
	size_t pos = 0;
	assert_strz(config_domains(c, &pos)->name.ascii, "example.org");
	assert_strz(config_domains(c, &pos)->name.ascii, "xn--mnchen-3ya.example");
	assert_strz(config_domains(c, &pos)->name.ascii, "reports.example");
	assert_null(config_domains(c, &pos));
	/* The values of the file itself stay as they were. */
	assert_int_equal(c->raw_dynamic->accounts.v[1].v.max_outgoing_messages_per_day, 0);
}

/* The values of the examples, and of both files whole, survive the texts that they are carried in. */
TEST(round_trip)
{
	static const struct { const char *path; const struct typedesc *t; } rows[] = {
		{ "config/full/mox.conf", &config_static_desc }, { "config/full/domains.conf", &config_dynamic_desc },
		{ "config/localserve/mox.conf", &config_static_desc }, { "config/localserve/domains.conf", &config_dynamic_desc },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct typedesc *t = rows[i].t;
		struct sconf_report r = { .a = test_arena(), .path = "f" };
		struct buf b = BUF_ARENA(test_arena(), 1024 * 1024);
		void *v = typedesc_new(test_arena(), t), *w = typedesc_new(test_arena(), t), *x = typedesc_new(test_arena(), t);
		struct str text = test_read(test_data(rows[i].path));
		struct sconf_node root;

		test_row("%s", rows[i].path);
		assert_ok(sconf_read(test_arena(), text, t, v, &root, &r));
		assert_ok(sconf_write_docs(&b, t, v, NULL));
		assert_ok(sconf_read(test_arena(), buf_str(&b), t, w, NULL, &r));
		assert_true(typedesc_equal(t, v, w));
		buf_reset(&b);
		assert_ok(sconf_rewrite(test_arena(), &b, &root, t, v, w, NULL));
		assert_str(buf_str(&b), text);
		buf_reset(&b);
		typedesc_json_encode(&b, t, v, TYPEDESC_JSON_SECRETS);
		assert_ok(typedesc_json_decode(test_arena(), t, buf_str(&b), 1024 * 1024, 0, x, NULL));
		assert_true(typedesc_equal(t, v, x));
	}
}

TEST(json_masks_secrets)
{
	cleanup_(config_unref) struct config *c = load("config/full");
	struct buf b = BUF_ARENA(test_arena(), 1024 * 1024);

	typedesc_json_encode(&b, &config_static_desc, c->fixed, 0);
	typedesc_json_encode(&b, &config_dynamic_desc, c->dynamic, 0);
	assert_true(str_search(buf_str(&b), S("secret password")) < 0);
	assert_true(str_search(buf_str(&b), S("Bearer")) < 0);
	assert_true(str_search(buf_str(&b), S("\"Algorithm\":\"rsa-2048\"")) > 0);     /* derived */
}

/* Random values of every type, as the APIs may carry them. */
TEST(every_type_as_json)
{
	for (size_t i = 0; i < config_config_ntypes; i++) {
		const struct typedesc *t = config_config_types[i];

		for (uint64_t seed = 0; seed < 20; seed++) {
			void *v = typedesc_new(test_arena(), t), *w = typedesc_new(test_arena(), t);
			struct buf b = BUF_ARENA(test_arena(), 1024 * 1024);
			struct errmsg e = { 0 };

			test_row("%s seed %llu", t->name, (unsigned long long)seed);
			typedesc_sample(test_arena(), t, seed, v);
			typedesc_json_encode(&b, t, v, TYPEDESC_JSON_SECRETS);
			if (typedesc_json_decode(test_arena(), t, buf_str(&b), 1024 * 1024, 0, w, &e) < 0)
				fail_msg("%s: " STRF, e.text, STRA(buf_str(&b)));
			assert_true(typedesc_equal(t, v, w));
		}
	}
}

/* Every option has a text for "mox config describe-static" and "describe-domains". */
TEST(every_option_is_documented)
{
	for (size_t i = 0; i < config_config_ntypes; i++) {
		const struct typedesc *t = config_config_types[i];

		for (size_t k = 0; k < t->nfields; k++) {
			test_row("%s.%s", t->name, t->fields[k].name);
			assert_true(t->fields[k].flags & TYPEDESC_INTERNAL || t->fields[k].doc[0]);
		}
	}
}

TEST(describe)
{
	struct buf b = BUF_ARENA(test_arena(), 1024 * 1024);
	struct config_static s = { 0 };
	struct config_dynamic d = { 0 };

	sconf_describe(test_arena(), &b, &config_static_desc, &s);
	assert_true(str_search(buf_str(&b), S("\n# File with the bcrypt hash of the password of the admin interface; written by\n"
	    "# \"mox setadminpassword\". Relative to mox.conf. (optional)\nAdminPasswordFile:\n")) > 0);
	assert_true(str_search(buf_str(&b), S("\t\t\t# Mechanisms to use, most wanted first.")) > 0);
	buf_reset(&b);
	sconf_describe(test_arena(), &b, &config_dynamic_desc, &d);
	assert_true(str_search(buf_str(&b), S("\t\t\t\t\t\tBaseURL")) < 0);
	assert_true(str_search(buf_str(&b), S("\nWebHandlers:\n\t-\n\n\t\t# For logs and measurements.")) > 0);
}

/* Thousands of accounts are read and changed in a time that is not felt. */
TEST(large)
{
	struct buf b = BUF_ARENA(test_arena(), 16 * 1024 * 1024);
	struct config_problems p = { 0 };
	struct config *c = NULL;
	int64_t start;

	buf_addz(&b, "Domains:\n");
	for (unsigned i = 0; i < 2000; i++)
		buf_addf(&b, "\td%u.example: nil\n", i);
	buf_addz(&b, "Accounts:\n");
	for (unsigned i = 0; i < 5000; i++)
		buf_addf(&b, "\ta%u:\n\t\tDomain: d1.example\n\t\tDestinations:\n\t\t\ta%u@d%u.example: nil\n", i, i, i % 2000);
	start = time_mono_us();
	if (config_parse("c", S("DataDir: d\nLogLevel: info\nUser: root\nHostname: h.example\nListeners:\n\tl:\n\t\tIPs:\n\t\t\t- ::1\nPostmaster:\n\tAccount: a1\n\tMailbox: x\n"),
	    buf_str(&b), CONFIG_NO_KEYS, &c, &p) < 0)
		fail_msg(STRF, STRA(config_problems_text(test_arena(), &p)));
	assert_int_equal(c->dynamic->accounts.n, 5000);
	assert_non_null(config_account(c, S("a4999")));
	assert_true(time_mono_us() - start < 20 * TIME_SEC);    /* takes 0.1 s; the sanitizers are slow */
	config_problems_done(&p);
	config_unref(&c);
}
