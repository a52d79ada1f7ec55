/* SPDX-License-Identifier: MIT */
/* Every row of the table of decisions (../spec/delivery-analysis.md 5), rulesets (4) and content (8). */
#include "smtpserver/analyze.h"

#include "base/timeutil.h"
#include "smtpserver/history_test.h"
#include "testutil/testutil.h"

/* What the hooks answer; set by words of a row. */
static struct world {
	struct test_history history;
	int over_rate, classify, listed, subjectpass, subjectpass_token, report, mailbox;
	double probability;
	bool significant;
	unsigned asked_lists, asked_filter;
} w;

static int
mailbox_id(void *arg unused_, struct str name unused_, int64_t *r_id)
{
	*r_id = 1;
	return w.mailbox;
}

static int
over_rate(void *arg unused_, struct arena *a unused_, struct str *r_text)
{
	*r_text = S("too many messages, the limit is 500 in 1 minute");
	return w.over_rate;
}

static int
classify(void *arg unused_, struct arena *a unused_, struct content_verdict *r_v)
{
	w.asked_filter++;
	*r_v = (struct content_verdict){ w.probability, w.significant, S("words: invoice 0.111") };
	return w.classify;
}

static int
block_listed(void *arg unused_, struct arena *a unused_, struct str *r_text)
{
	w.asked_lists++;
	*r_text = S("client is listed at bl.example");
	return w.listed;
}

static int
take_report(void *arg unused_, struct arena *a unused_, enum report_kind k unused_, struct str *r_why)
{
	if (w.report == 0)
		*r_why = S("unparsable report");
	return w.report;
}

static int
subjectpass_ok(void *arg unused_)
{
	return w.subjectpass;
}

static int
subjectpass_token(void *arg unused_, struct arena *a unused_, struct str *r_token)
{
	*r_token = S("(pass:x)");
	return w.subjectpass_token;
}

static struct config *
parse_config(const char *destination)
{
	static const char fixed[] = "DataDir: data\nUser: root\nLogLevel: info\nHostname: mox.example\nPostmaster:\n\tAccount: me\n\tMailbox: Inbox\n"
	    "Listeners:\n\tlocal:\n\t\tIPs:\n\t\t\t- 127.0.0.1\n";
	struct config_problems p = { 0 };
	struct config *cfg = NULL;
	struct str dynamic = str_fmt(test_arena(), "Domains:\n\tme.example: nil\nAccounts:\n\tme:\n\t\tDomain: me.example\n\t\tDestinations:\n"
	    "\t\t\tme@me.example:\n%s\t\tRejectsMailbox: Rejects\n\t\tJunkFilter:\n\t\t\tThreshold: 0.95\n\t\t\tParams:\n\t\t\t\tOnegrams: true\n"
	    "\t\t\t\tMaxPower: 0.01\n\t\t\t\tTopWords: 10\n\t\t\t\tIgnoreWords: 0.1\n\t\t\t\tRareWords: 2\n", destination);

	if (config_parse("/nowhere", str_of(fixed), dynamic, CONFIG_CHECK_ONLY | CONFIG_NO_KEYS | CONFIG_NO_TLS_FILES, &cfg, &p) < 0)
		fail_msg(STRF, STRA(config_problems_text(test_arena(), &p)));
	config_problems_done(&p);
	return cfg;
}

#define PLAIN "\t\t\t\tMailbox: Inbox\n"
#define RULE "\t\t\t\tRulesets:\n\t\t\t\t\t-\n"
#define R "\t\t\t\t\t\t"
#define LIST RULE R "VerifiedDomain: list.example\n" R "ListAllowDomain: list.example\n" R "Mailbox: Lists\n"
#define FORWARD RULE R "SMTPMailFromRegexp: ^fwd@old\\.example$\n" R "VerifiedDomain: old.example\n" R "IsForward: true\n" R "Mailbox: Old\n"
#define KEEP RULE R "MsgFromRegexp: .\n" R "AcceptRejectsToMailbox: Spam\n" R "Mailbox: Inbox\n"
#define AUTH "\t\t\t\tMessageAuthRequiredSMTPError: please sign\n"

/* Facts that words of a row switch on. */
static void
apply(struct analysis_input *in, struct config_account *account, struct config_destination *dest, const char *facts)
{
	struct str rest = str_of(facts), word;
	struct store_delivery_info *d = &in->c.info;

	while ((word = str_split(&rest, ' ')).n > 0) {
		struct str value = word, name = str_split(&value, '=');

		if (str_is(name, S("valid")))
			d->msgfrom_validated = true;
		else if (str_is(name, S("nofrom")))
			in->has_from = false, d->msgfrom_domain = d->msgfrom_localpart = S("");
		else if (str_is(name, S("dmarcreject")))
			in->dmarc_reject = true;
		else if (str_is(name, S("dmarcpass")))
			in->dmarc_pass = true;
		else if (str_is(name, S("dmarctemp")))
			in->dmarc_temperror = true;
		else if (str_is(name, S("noiprev")))
			in->iprev_pass = false;
		else if (str_is(name, S("notls")))
			in->tls = false;
		else if (str_is(name, S("bcc")))
			in->header = S("To: others@me.example\r\nCc: x@y.example\r\n\r\n");
		else if (str_is(name, S("cc")))
			in->header = S("Cc: x: a@b.example, \"Me\" <me@ME.example>;\r\n\r\n");
		else if (str_is(name, S("spffail")))
			d->mailfrom_validation = STORE_VALIDATION_FAIL;
		else if (str_is(name, S("spfsoftfail")))
			d->mailfrom_validation = STORE_VALIDATION_SOFTFAIL;
		else if (str_is(name, S("ehlofail")))
			d->ehlo_validation = STORE_VALIDATION_FAIL;
		else if (str_is(name, S("dkim")))
			strlist_add(test_arena(), &d->dkim_domains, value);
		else if (str_is(name, S("mailfrom"))) {
			d->mailfrom = value;
			str_split(&value, '@');
			d->mailfrom_domain = value;
			d->mailfrom_validated = true;
		} else if (str_is(name, S("rate")))
			w.over_rate = str_is(value, S("err")) ? ERR_IO : 1;
		else if (str_is(name, S("err")))
			w.history.err = ERR_IO;
		else if (str_is(name, S("nomailbox")))
			w.mailbox = ERR_IO;
		else if (str_is(name, S("introbox")))
			account->introbox = S("Introbox");
		else if (str_is(name, S("norejects")))
			account->rejects_mailbox = S("");
		else if (str_is(name, S("dmarcreports")))
			dest->dmarc_reports = true, w.report = str_is(value, S("good"));
		else if (str_is(name, S("tlsreports")))
			dest->domain_tls_reports = true, w.report = str_is(value, S("good"));
		else if (str_is(name, S("subjectpass")))
			account->subject_pass.period = TIME_HOUR, w.subjectpass = str_is(value, S("err")) ? ERR_IO : str_is(value, S("good"));
		else if (str_is(name, S("tokenerr")))
			w.subjectpass_token = ERR_IO;
		else if (str_is(name, S("nofilter")))
			w.classify = 0;
		else if (str_is(name, S("filtererr")))
			w.classify = ERR_IO;
		else if (str_is(name, S("p"))) {
			uint32_t percent;
			assert_ok(str_u32(value, &percent));
			w.probability = percent / 100.0;
		} else if (str_is(name, S("unlearned")))
			w.significant = false;
		else if (str_is(name, S("listed")))
			w.listed = 1;
		else if (str_is(name, S("listerr")))
			w.listed = ERR_TIMEOUT;
		else
			fail_msg("unknown fact " STRF, STRA(name));
	}
}

static struct analysis
analyze(const struct config *cfg, const char *facts, const char *history)
{
	struct config_account account = *config_account(cfg, S("me"));
	struct config_destination dest = account.destinations.v[0].v;
	struct smtp_address addr;
	struct smtp_path rcpt;
	struct analysis_hooks hooks;
	struct analysis r;

	assert_ok(smtp_parse_address(test_arena(), S("me@me.example"), 0, &addr, NULL));
	rcpt = smtp_path_of(&addr);
	w = (struct world){ .classify = 1, .probability = 0.1, .significant = true };
	test_history_read(&w.history, history);
	struct analysis_input in = {
		.c = { .info = { .mailfrom = S("bounce@sender.example"), .mailfrom_domain = S("sender.example"), .ehlo_domain = S("mx.sender.example"),
		    .msgfrom_localpart = S("ann"), .msgfrom_domain = S("sender.example"), .msgfrom_orgdomain = S("sender.example") }, .now_us = SMTPSERVER_HISTORY_NOW },
		.iprev_pass = true, .account = &account, .destination = &dest, .rcpt = &rcpt, .header = S("To: <me@me.example>\r\nList-Id: <L.Example>\r\n\r\n"),
		.has_from = true, .tls = true,
	};
	assert_ok(ip_parse(S("192.0.2.70"), &in.c.remote));
	apply(&in, &account, &dest, facts);
	hooks = (struct analysis_hooks){ test_history_hooks(&w.history), mailbox_id, over_rate, classify, block_listed, take_report, subjectpass_ok,
		subjectpass_token, NULL };
	smtpserver_analyze(test_arena(), &in, &hooks, &r);
	return r;
}

/* outcome is "accept mailbox reason [reject] [forward] [list]" or "code x.y mailbox reason". */
static struct str
outcome(const struct analysis *r)
{
	struct str mailbox = r->mailbox.n ? r->mailbox : S("-");

	if (!r->accept)
		return str_fmt(test_arena(), "%d %s " STRF " %s", r->code, r->ecode, STRA(mailbox), r->reason);
	return str_fmt(test_arena(), "accept " STRF " %s%s%s%s", STRA(mailbox), r->reason, r->is_reject ? " reject" : "", r->is_forward ? " forward" : "",
	    r->is_mailinglist ? " list" : "");
}

#define HAM "from ann@sender.example 1d ham; from ann@sender.example valid 1d ham"
#define JUNK "from ann@sender.example valid 1d junk"

TEST(decisions)
{
	static const struct {
		const char *destination, *facts, *history, *want, *destined;
	} rows[] = {
		/* 1 rate */
		{ PLAIN, "rate valid", HAM, "452 2.2 - high-rate", "" },
		{ LIST, "rate dkim=list.example", "", "452 2.2 - high-rate", "" },
		{ PLAIN, "rate=err", "", "451 3.0 - reputation-error", "" },
		/* 3 lists */
		{ LIST, "dkim=list.example", "", "accept Lists list-allow list", "" },
		{ LIST, "mailfrom=x@list.example", "", "accept Lists list-allow list", "" },
		{ LIST, "dkim=list.example dmarcreject spffail", "", "accept Lists list-allow list", "" },
		{ LIST, "dkim=sub.list.example", "", "accept Lists no-bad-signals", "" },           /* the rule matches, the list must be exact */
		{ LIST, "dkim=notlist.example", "", "accept Inbox no-bad-signals", "" },
		/* 4 forwards */
		{ FORWARD, "mailfrom=fwd@old.example dmarcreject", "", "accept Old no-bad-signals forward", "" },
		{ FORWARD, "mailfrom=fwd@old.example", "ip1 192.0.2.70 1d junk *9; mailfromdomain old.example valid 1d junk *9", "accept Old no-bad-signals forward", "" },
		{ FORWARD, "mailfrom=fwd@old.example dkim=old.example", "dkim old.example 1d junk *9", "accept Old no-bad-signals forward", "" },
		{ FORWARD, "mailfrom=fwd@old.example dkim=sender.example", "dkim sender.example 1d junk *9", "451 3.0 Rejects dkimspf", "Old" },
		{ FORWARD, "dmarcreject", "", "550 7.26 Rejects dmarc-policy", "Inbox" },
		/* 5 DMARC */
		{ PLAIN, "dmarcreject", HAM, "550 7.26 Rejects dmarc-policy", "Inbox" },
		{ PLAIN, "dmarcreject norejects", "", "550 7.26 - dmarc-policy", "Inbox" },
		{ KEEP, "dmarcreject", "", "accept Spam dmarc-policy reject", "Inbox" },
		/* 6, 7, 13 reports */
		{ PLAIN, "dmarcreports=good", "", "accept Inbox reporting", "" },
		{ PLAIN, "dmarcreports=good spffail", "", "accept Inbox reporting", "" },
		{ PLAIN, "dmarcreports=bad spffail", "", "451 3.0 Rejects spf-policy", "Inbox" },
		{ PLAIN, "dmarcreports=good introbox", "", "accept Inbox reporting", "" },
		{ PLAIN, "tlsreports=good", "", "accept Inbox reporting", "" },
		{ PLAIN, "tlsreports=bad", "", "accept Inbox no-bad-signals", "" },
		{ PLAIN, "dmarcreports=good valid", JUNK, "451 3.0 Rejects msgfromfull", "Inbox" },
		/* 8 authentication wanted */
		{ AUTH, "", HAM, "550 7.26 Rejects msg-auth-required", "Inbox" },
		{ AUTH, "dmarctemp", HAM, "451 7.26 Rejects msg-auth-required", "Inbox" },
		{ AUTH, "valid", HAM, "accept Inbox msgfromfull", "" },
		/* 9, 11, 12 reputation */
		{ PLAIN, "err", "", "451 3.0 Rejects reputation-error", "Inbox" },
		{ PLAIN, "nomailbox", "", "451 3.0 Rejects reputation-error", "Inbox" },
		{ PLAIN, "valid", HAM, "accept Inbox msgfromfull", "" },
		{ PLAIN, "valid p=99 listed spffail", HAM, "accept Inbox msgfromfull", "" },
		{ PLAIN, "valid", JUNK, "451 3.0 Rejects msgfromfull", "Inbox" },
		{ KEEP, "valid", JUNK, "accept Spam msgfromfull reject", "Inbox" },
		{ PLAIN, "", "from ann@sender.example 1d ham", "accept Inbox no-bad-signals", "" },     /* inconclusive */
		{ PLAIN, "p=99", "from ann@sender.example 1d ham", "451 3.0 Rejects junk-content", "Inbox" },
		/* 10 introbox */
		{ PLAIN, "introbox", "", "accept Introbox no-bad-signals", "Inbox" },
		{ PLAIN, "introbox valid", HAM, "accept Inbox msgfromfull", "" },
		{ PLAIN, "introbox", "sent ann@sender.example 1d", "accept Inbox msgtofull", "" },
		{ PLAIN, "introbox", "senddomain sender.example 1d", "accept Introbox msgtodomain", "Inbox" },
		{ PLAIN, "introbox p=99", "", "451 3.0 Rejects junk-content", "Inbox" },
		{ LIST, "introbox dkim=sub.list.example", "", "accept Lists no-bad-signals", "" },
		/* 14 SPF */
		{ PLAIN, "spffail", "", "451 3.0 Rejects spf-policy", "Inbox" },
		{ PLAIN, "spfsoftfail", "ip2 192.0.2.64 1d ham", "451 3.0 Rejects spf-policy", "Inbox" },
		{ PLAIN, "spffail", "from ann@sender.example 1d ham", "accept Inbox no-bad-signals", "" },
		{ PLAIN, "ehlofail", "", "accept Inbox no-bad-signals", "" },
		/* 15, 16 iprev */
		{ PLAIN, "noiprev", "ip1 192.0.2.70 1d junk", "451 3.0 Rejects iprev", "Inbox" },
		{ PLAIN, "", "ip1 192.0.2.70 1d junk", "accept Inbox no-bad-signals", "" },
		{ PLAIN, "noiprev", "from ann@sender.example 1d junk", "accept Inbox no-bad-signals", "" },
		/* 17 subject pass */
		{ PLAIN, "subjectpass=good p=99 listed", "", "accept Inbox subjectpass", "" },
		{ PLAIN, "subjectpass=good spffail", "", "451 3.0 Rejects spf-policy", "Inbox" },
		{ PLAIN, "subjectpass=err", "", "451 3.0 Rejects subjectpass-error", "Inbox" },
		{ PLAIN, "subjectpass=bad", "", "accept Inbox no-bad-signals", "" },
		/* 18 content */
		{ PLAIN, "nofilter p=99", "", "accept Inbox no-bad-signals", "" },
		{ PLAIN, "filtererr", "", "451 3.0 Rejects junk-classify-error", "Inbox" },
		{ PLAIN, "p=95", "", "accept Inbox no-bad-signals", "" },
		{ PLAIN, "p=96", "", "451 3.0 Rejects junk-content", "Inbox" },
		{ PLAIN, "p=96 unlearned", "", "accept Inbox no-bad-signals", "" },
		{ PLAIN, "p=96 unlearned noiprev", "", "451 3.0 Rejects junk-content-strict", "Inbox" },
		{ PLAIN, "p=26 noiprev", "", "451 3.0 Rejects junk-content-strict", "Inbox" },
		{ PLAIN, "p=25 noiprev", "", "accept Inbox no-bad-signals", "" },
		{ PLAIN, "p=26 notls", "", "451 3.0 Rejects junk-content-strict", "Inbox" },
		{ PLAIN, "p=26 bcc", "", "451 3.0 Rejects junk-content-strict", "Inbox" },
		{ PLAIN, "p=26 cc", "", "accept Inbox no-bad-signals", "" },
		{ PLAIN, "p=26 nofrom", "", "accept Inbox no-bad-signals", "" },
		{ FORWARD, "mailfrom=fwd@old.example bcc p=26", "", "accept Old no-bad-signals forward", "" },
		{ KEEP, "p=99", "", "accept Spam junk-content reject", "Inbox" },
		{ KEEP, "p=99 nofrom", "", "451 3.0 Rejects junk-content", "Inbox" },
		/* 19 lists of addresses */
		{ PLAIN, "listed", "", "451 3.0 Rejects dns-blocklisted", "Inbox" },
		{ PLAIN, "listerr", "", "accept Inbox no-bad-signals", "" },
		{ PLAIN, "listed p=99", "", "451 3.0 Rejects junk-content", "Inbox" },
		/* 21 the hint */
		{ PLAIN, "subjectpass=bad listed dmarcpass", "", "550 7.1 Rejects give-subjectpass", "Inbox" },
		{ PLAIN, "subjectpass=bad listed", "", "451 3.0 Rejects dns-blocklisted", "Inbox" },
		{ PLAIN, "listed dmarcpass", "", "451 3.0 Rejects dns-blocklisted", "Inbox" },
		{ PLAIN, "subjectpass=bad listed dmarcpass", "ip1 192.0.2.70 1d ham", "451 3.0 Rejects dns-blocklisted", "Inbox" },
		{ PLAIN, "subjectpass=bad p=99 dmarcpass", "", "550 7.1 Rejects give-subjectpass", "Inbox" },
		{ PLAIN, "subjectpass=bad p=44 dmarcpass notls", "", "550 7.1 Rejects give-subjectpass", "Inbox" },
		{ PLAIN, "subjectpass=bad p=45 dmarcpass notls", "", "451 3.0 Rejects junk-content-strict", "Inbox" },
		{ PLAIN, "subjectpass=bad p=99 dmarcpass tokenerr", "", "451 3.0 Rejects subjectpass-error", "Inbox" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		cleanup_(config_unref) struct config *cfg = parse_config(rows[i].destination);

		test_row("%zu: %s | %s", i, rows[i].facts, rows[i].history);
		struct analysis r = analyze(cfg, rows[i].facts, rows[i].history);
		assert_str(outcome(&r), str_of(rows[i].want));
		assert_str(r.mailbox_destined, str_of(rows[i].destined));
		assert_true(r.accept || r.text.n > 0);
		assert_true(r.accept || r.user_error == (r.err == 0));
		/* lists are asked only for what would be accepted otherwise, the filter only for what nobody vouches for */
		assert_true(w.asked_lists == 0 || w.asked_filter == 1);
	}
}

TEST(ruleset_conditions)
{
	static const struct {
		const char *rule, *facts;
		bool want;
	} rows[] = {
		{ R "SMTPMailFromRegexp: ^bounce@\n", "", true },
		{ R "SMTPMailFromRegexp: ^ounce@\n", "", false },
		{ R "MsgFromRegexp: ^ann@sender\\.example$\n", "", true },
		{ R "MsgFromRegexp: ^ann@sender\\.example$\n", "nofrom", false },
		{ R "MsgFromRegexp: .*\n", "nofrom", false },
		{ R "VerifiedDomain: sender.example\n", "", false },
		{ R "VerifiedDomain: sender.example\n", "dkim=sender.example", true },
		{ R "VerifiedDomain: sender.example\n", "dkim=a.sender.example", true },
		{ R "VerifiedDomain: sender.example\n", "dkim=asender.example", false },
		{ R "VerifiedDomain: sender.example\n", "dkim=example", false },
		{ R "VerifiedDomain: sender.example\n", "mailfrom=x@sender.example", true },
		{ R "VerifiedDomain: b\xc3\xbc" "cher.example\n", "dkim=b\xc3\xbc" "cher.example", true },
		{ R "HeadersRegexp:\n" R "\tlist-id: l\\.example\n", "", true },
		{ R "HeadersRegexp:\n" R "\tlist-id: ^l\\.example\n", "", false },
		{ R "HeadersRegexp:\n" R "\tlist-id: l\\.example\n" R "\tto: me@\n", "", true },
		{ R "HeadersRegexp:\n" R "\tlist-id: l\\.example\n" R "\tto: you@\n", "", false },
		{ R "HeadersRegexp:\n" R "\t^x-: .\n", "", false },
		{ R "MsgFromRegexp: ann\n" R "SMTPMailFromRegexp: other\n", "", false },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct str dest = str_fmt(test_arena(), RULE "%s" R "Mailbox: Hit\n", rows[i].rule);
		cleanup_(config_unref) struct config *cfg = parse_config(str_z(test_arena(), dest));

		test_row("%zu: %s", i, rows[i].facts);
		struct analysis r = analyze(cfg, rows[i].facts, "");
		assert_str(r.mailbox, rows[i].want ? S("Hit") : S("Inbox"));
	}
}

/* A forward is stored without what would count against the forwarder, but nothing is forgotten. */
TEST(forwards_are_stored_apart)
{
	cleanup_(config_unref) struct config *cfg = parse_config(FORWARD);
	struct analysis r = analyze(cfg, "mailfrom=fwd@old.example dkim=old.example dkim=sender.example", "");
	const struct store_delivery_info *d = &r.c.info;

	assert_true(r.is_forward && d->remote_is_forwarder);
	assert_int_equal(r.c.remote.family, 0);
	assert_str(d->ehlo_domain, S(""));
	assert_str(d->orig_ehlo_domain, S("mx.sender.example"));
	assert_str(d->mailfrom_domain, S(""));
	assert_str(d->mailfrom, S("fwd@old.example"));
	assert_int_equal(d->dkim_domains.n, 1);
	assert_str(d->dkim_domains.v[0], S("sender.example"));
	assert_str(d->orig_dkim_domains, S("old.example sender.example"));
	assert_string_equal(r.dmarc_override, "forwarded");
}

/* The decision is explained in words, with the figures. */
TEST(explanations)
{
	cleanup_(config_unref) struct config *cfg = parse_config(PLAIN);
	struct analysis r = analyze(cfg, "p=96 noiprev", "");

	assert_str(strlist_join(test_arena(), &r.why, S("; ")), S("no history of the sender; content is judged strictly: the client has no name that leads back to it; "
	    "content is junk with probability 0.96, threshold 0.25; words: invoice 0.111"));
}
