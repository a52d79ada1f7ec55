/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/timeutil.h"
#include "config/config_internal.h"
#include "testutil/testutil.h"

static const char static_text[] =
    "DataDir: data\nLogLevel: info\nUser: root\nHostname: mail.example.org\nListeners:\n\tl:\n\t\tIPs:\n\t\t\t- 127.0.0.1\nPostmaster:\n\tAccount: a\n\tMailbox: Inbox\n";
static const char dynamic_text[] =
    "# Ours.\nDomains:\n\t# main\n\texample.org: nil\n\nAccounts:\n\t# first\n\ta:\n\t\tDomain: example.org\n\t\tDestinations:\n\t\t\ta@example.org: nil\n# end\n";

static const struct log test_log = { .pkg = "config" };

static const char *
path(const char *name)
{
	return str_fmt(test_arena(), "%s/%s", test_dir(), name).p;
}

static void
write_file(const char *name, struct str text)
{
	struct errmsg e = { 0 };

	if (fd_write_file(path(name), text, 0640, &e) < 0)
		fail_msg("%s", e.text);
}

static struct config_live *
start(void)
{
	struct config_problems p = { 0 };
	struct config *c;

	write_file("mox.conf", str_of(static_text));
	write_file("domains.conf", str_of(dynamic_text));
	if (config_load(path("mox.conf"), 0, &c, &p) < 0)
		fail_msg(STRF, STRA(config_problems_text(test_arena(), &p)));
	config_problems_done(&p);
	return config_live_new(c, 0, &test_log);
}

/* The snapshot, after another look at the file whatever the time. */
static struct config *
look_again(struct config_live *l)
{
	config_live_expire(l);
	return config_current(l);
}

TEST(reload)
{
	struct config_live *l = start();
	struct config *old = config_current(l), *c;

	write_file("domains.conf", str_fmt(test_arena(), "%s\nMonitorDNSBLs:\n\t- x.example\n", dynamic_text));
	c = config_current(l);          /* not yet looked at again */
	assert_ptr_equal(c, old);
	config_unref(&c);
	c = look_again(l);
	assert_ptr_not_equal(c, old);
	assert_int_equal(c->dynamic->monitor_dnsbls.n, 1);
	assert_int_equal(old->dynamic->monitor_dnsbls.n, 0);    /* a snapshot does not change */
	assert_ptr_equal(c->fixed, old->fixed);
	assert_int_equal(test_logged("configuration reloaded"), 1);
	config_unref(&c);
	config_unref(&old);
	config_live_free(&l);
}

TEST(reload_with_errors_keeps_the_old)
{
	struct config_live *l = start();
	struct config *old = config_current(l), *c;

	expect_log("configuration not reloaded");
	write_file("domains.conf", S("Domains: nil\nAccounts: nil\nx: y\n"));
	for (int i = 0; i < 3; i++) {
		c = look_again(l);
		assert_ptr_equal(c, old);
		config_unref(&c);
	}
	assert_int_equal(test_logged("configuration not reloaded"), 1);         /* not again and again */
	expect_log("No such file");
	unlink(path("domains.conf"));
	c = look_again(l);
	assert_ptr_equal(c, old);
	config_unref(&c);
	write_file("domains.conf", str_of(dynamic_text));
	c = look_again(l);
	assert_ptr_not_equal(c, old);
	config_unref(&c);
	config_unref(&old);
	config_live_free(&l);
}

static int
add_domain(void *arg, struct arena *a, struct config_dynamic *d, struct errmsg *e unused_)
{
	ignore_result(typedesc_map_set(a, typedesc_type(&config_dynamic_desc, "Domains"), &d->domains, str_of(arg)) != NULL);
	return 0;
}

static int
remove_account(void *arg, struct arena *a unused_, struct config_dynamic *d, struct errmsg *e)
{
	if (!typedesc_map_del(typedesc_type(&config_dynamic_desc, "Accounts"), &d->accounts, str_of(arg)))
		return err_set(e, ERR_NOTFOUND, "no such account");
	return 0;
}

TEST(change)
{
	struct config_live *l = start();
	struct config_problems p = { 0 };
	struct config *c, *d;
	struct stat st;

	char name[] = "example.net";
	assert_ok(config_change(l, add_domain, name, &p, NULL));
	assert_strz(test_read(path("domains.conf")),
	    "# Ours.\nDomains:\n\texample.net: nil\n\t# main\n\texample.org: nil\n\nAccounts:\n\t# first\n\ta:\n\t\tDomain: example.org\n"
	    "\t\tDestinations:\n\t\t\ta@example.org: nil\n# end\n");
	assert_int_equal(stat(path("domains.conf"), &st), 0);
	assert_int_equal(st.st_mode & 0777, 0640);
	c = config_current(l);
	assert_non_null(config_domain_text(c, S("example.net")));
	d = look_again(l);              /* our own change is not taken for someone else's */
	assert_ptr_equal(c, d);
	config_unref(&c);
	config_unref(&d);
	config_problems_done(&p);
	config_live_free(&l);
}

TEST(change_that_is_not_valid)
{
	struct config_live *l = start();
	struct config_problems p = { 0 };
	struct config *c = config_current(l), *d;
	struct errmsg e = { 0 };
	char name[] = "A B", account[] = "a", nobody[] = "b", bad[] = "x:y";

	assert_err(config_change(l, add_domain, name, &p, &e), ERR_INVALID);
	assert_int_equal(p.errors.n, 1);
	assert_true(str_starts(p.errors.v[0], S("Domains.A B: \"A B\" is no domain name")));    /* without file and line */
	config_problems_done(&p);
	assert_err(config_change(l, remove_account, account, &p, &e), ERR_INVALID);
	assert_strz(p.errors.v[0], "Accounts: there is no account \"a\", which mox.conf names as Postmaster");
	config_problems_done(&p);
	assert_err(config_change(l, add_domain, bad, &p, &e), ERR_INVALID);     /* cannot even be written */
	assert_int_equal(p.errors.n, 1);
	config_problems_done(&p);
	e = (struct errmsg){ 0 };
	assert_err(config_change(l, remove_account, nobody, &p, &e), ERR_NOTFOUND);
	assert_strz(str_of(e.text), "no such account");
	assert_int_equal(p.errors.n, 0);
	assert_strz(test_read(path("domains.conf")), dynamic_text);
	d = config_current(l);
	assert_ptr_equal(c, d);
	config_unref(&c);
	config_unref(&d);
	config_live_free(&l);
}

/* What the operator wrote meanwhile is changed, not overwritten; while it has errors nothing is. */
TEST(change_of_a_file_that_changed)
{
	struct config_live *l = start();
	struct config_problems p = { 0 };
	struct errmsg e = { 0 };
	char name[] = "example.net";

	write_file("domains.conf", str_fmt(test_arena(), "%sMonitorDNSBLs:\n\t# mine\n\t- x.example\n", dynamic_text));
	assert_ok(config_change(l, add_domain, name, &p, &e));
	assert_true(str_search(test_read(path("domains.conf")), S("MonitorDNSBLs:\n\t# mine\n\t- x.example\n")) > 0);
	write_file("domains.conf", S("broken"));
	assert_err(config_change(l, add_domain, name, &p, &e), ERR_INVALID);
	assert_strz(test_read(path("domains.conf")), "broken");
	config_problems_done(&p);
	config_live_free(&l);
}

static int
fail_rename(const char *from unused_, const char *to unused_)
{
	errno = EIO;
	return -1;
}

TEST(change_that_cannot_be_written)
{
	struct config_live *l = start();
	struct config_problems p = { 0 };
	struct fd_ops ops = *fd_ops();
	struct errmsg e = { 0 };
	struct config *c = config_current(l), *d;
	char name[] = "example.net";

	ops.rename = fail_rename;
	fd_ops_set(&ops);
	int r = config_change(l, add_domain, name, &p, &e);
	fd_ops_set(NULL);
	assert_int_equal(r, ERR_IO);
	assert_strz(test_read(path("domains.conf")), dynamic_text);
	d = config_current(l);
	assert_ptr_equal(c, d);
	config_unref(&c);
	config_unref(&d);
	config_problems_done(&p);
	config_live_free(&l);
}

struct worker {
	struct config_live *l;
	unsigned id;
};

static void *
work(void *arg)
{
	struct worker *w = arg;

	for (unsigned i = 0; i < 10; i++) {
		struct config_problems p = { 0 };
		struct arena a = { 0 };
		struct config *c;
		char name[40];

		snprintf(name, sizeof(name), "d%u-%u.example", w->id, i);
		assert_ok(config_change(w->l, add_domain, name, &p, NULL));
		c = config_current(w->l);
		assert_non_null(config_domain_text(c, str_of(name)));
		config_unref(&c);
		config_problems_done(&p);
		arena_done(&a);
	}
	return NULL;
}

/* Changes from several threads all come into the file. */
TEST(threads)
{
	struct config_live *l = start();
	struct worker w[4];
	pthread_t t[4];
	struct config *c;

	for (unsigned i = 0; i < 4; i++) {
		w[i] = (struct worker){ l, i };
		assert_int_equal(pthread_create(&t[i], NULL, work, &w[i]), 0);
	}
	for (unsigned i = 0; i < 4; i++)
		pthread_join(t[i], NULL);
	c = look_again(l);
	assert_int_equal(c->dynamic->domains.n, 41);
	config_unref(&c);
	config_live_free(&l);
}

/* The whole of the large example: a change leaves every other line as it is. */
TEST(change_keeps_the_rest)
{
	struct str before = test_read(test_data("config/full/domains.conf"));
	struct config_problems p = { 0 };
	struct config *c;
	struct errmsg e = { 0 };
	char name[] = "zzz.example";

	write_file("mox.conf", test_read(test_data("config/full/mox.conf")));
	write_file("domains.conf", before);
	if (config_load(path("mox.conf"), CONFIG_NO_KEYS, &c, &p) < 0)
		fail_msg(STRF, STRA(config_problems_text(test_arena(), &p)));
	struct config_live *l = config_live_new(c, CONFIG_NO_KEYS, &test_log);
	assert_ok(config_change(l, add_domain, name, &p, &e));
	struct str after = test_read(path("domains.conf"));
	ssize_t at = str_search(after, S("\tzzz.example: nil\n"));
	assert_true(at > 0);
	assert_str(str_cat(test_arena(), str_upto(after, (size_t)at), str_from(after, (size_t)at + 18)), before);
	config_problems_done(&p);
	config_live_free(&l);
}

TEST(missing_files)
{
	struct config_problems p = { 0 };
	struct config *c;

	unsetenv("MOXCONF");
	assert_err(config_load(path("none.conf"), 0, &c, &p), ERR_NOTFOUND);
	assert_true(str_search(p.errors.v[0], S("name the file with -config, or in the environment variable MOXCONF")) > 0);
	config_problems_done(&p);
	write_file("mox.conf", str_of(static_text));
	assert_err(config_load(path("mox.conf"), 0, &c, &p), ERR_INVALID);
	assert_true(str_ends(p.errors.v[0], S("domains.conf: No such file or directory")));
	config_problems_done(&p);
}

TEST(finding)
{
	unsetenv("MOXCONF");
	assert_string_equal(config_find(NULL), "config/mox.conf");
	assert_string_equal(config_find(""), "config/mox.conf");
	assert_string_equal(config_find("x"), "x");
	setenv("MOXCONF", "/y", 1);
	assert_string_equal(config_find(NULL), "/y");
	assert_string_equal(config_find("x"), "x");
	unsetenv("MOXCONF");
}

TEST(default_account)
{
	struct config_live *l = start();
	struct config_account a;
	struct buf b = BUF_ARENA(test_arena(), 10000);

	config_default_account(test_arena(), S("u@example.org"), S("example.org"), &a);
	assert_ok(sconf_write(&b, &config_account_desc, &a, NULL));
	assert_strz(buf_str(&b),
	    "Domain: example.org\nDestinations:\n\tu@example.org: nil\nSubjectPass:\n\tPeriod: 12h0m0s\nRejectsMailbox: Rejects\n"
	    "AutomaticJunkFlags:\n\tEnabled: true\n\tJunkMailboxRegexp: ^(junk|spam)\n\tNeutralMailboxRegexp: ^(inbox|introbox|neutral|postmaster|dmarc|tlsrpt|rejects)\n"
	    "JunkFilter:\n\tThreshold: 0.950000\n\tParams:\n\t\tOnegrams: true\n\t\tMaxPower: 0.010000\n\t\tTopWords: 10\n\t\tIgnoreWords: 0.100000\n\t\tRareWords: 2\n"
	    "NoCustomPassword: true\n");
	config_live_free(&l);
}
