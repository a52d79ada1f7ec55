/* SPDX-License-Identifier: MIT */
/* server.c - starting, running and stopping a server. */
#include "server.h"

#include <errno.h>
#include <malloc.h>
#include <poll.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/randutil.h"
#include "base/timeutil.h"
#include "server_ctl_queue.h"
#include "version.h"

#define RECEIVED_ID_KEY 24              /* octets of receivedid.key: 16 key, 8 secret */
#define DESCRIPTORS 65536               /* at most; less where the hard limit says so */
#define TRIM_INTERVAL_MS 200            /* how often memory of unused accounts is given back */
#define MALLOC_TRIM_US (2 * TIME_SEC)   /* how often the allocator is asked to give back its own; sooner when a burst of work is over */
#define CA_FILE_MAX (4 * 1024 * 1024)
#define LOCALSERVE_SMTP_PORT 1025
#define STOP_GRACE (3 * TIME_SEC)       /* for clients to finish, see ../spec/operations.md 3.4 */

static struct config *
current_config(void *arg)
{
	struct server *s = arg;

	return config_current(s->live);
}

/* The store's view of an account's configuration. */
static int
account_config(void *arg, struct arena *a, struct str name, struct store_account_config *r_c)
{
	cleanup_(config_unref) struct config *cfg = current_config(arg);
	const struct config_account *acc = config_account(cfg, name);
	const struct config_initial_mailboxes *init = &cfg->fixed->initial_mailboxes;
	struct store_account_config c = { 0 };

	if (!acc)
		return ERR_NOTFOUND;
	c.login_disabled = str_dup(a, acc->login_disabled);
	c.quota = acc->quota;
	c.archive = str_dup(a, init->special_use.archive);
	c.draft = str_dup(a, init->special_use.draft);
	c.junk = str_dup(a, init->special_use.junk);
	c.sent = str_dup(a, init->special_use.sent);
	c.trash = str_dup(a, init->special_use.trash);
	for (size_t i = 0; i < init->regular.n; i++)
		strlist_add(a, &c.regular, str_dup(a, init->regular.v[i]));
	c.auto_junk.enabled = acc->automatic_junk_flags.enabled;
	c.auto_junk.junk_regexp = str_dup(a, acc->automatic_junk_flags.junk_mailbox_regexp);
	c.auto_junk.neutral_regexp = str_dup(a, acc->automatic_junk_flags.neutral_mailbox_regexp);
	c.auto_junk.notjunk_regexp = str_dup(a, acc->automatic_junk_flags.notjunk_mailbox_regexp);
	c.rejects_mailbox = str_dup(a, acc->rejects_mailbox);
	c.introbox = str_dup(a, acc->introbox);
	c.keep_rejects = acc->keep_rejects;
	if (acc->junk_filter) {
		const struct config_junk_params *p = &acc->junk_filter->params;
		c.junk_filter.enabled = true;
		c.junk_filter.params = (struct junk_params){
			.onegrams = p->onegrams, .twograms = p->twograms, .threegrams = p->threegrams, .max_power = p->max_power,
			.top_words = p->top_words, .ignore_words = p->ignore_words, .rare_words = p->rare_words,
		};
	}
	*r_c = c;
	return 0;
}

static int
load_config(struct server *s, const struct cmd_run *c, struct errmsg *e)
{
	cleanup_(config_problems_done) struct config_problems p = { 0 };
	struct config *cfg = NULL;
	int rv = config_load(s->opts->config_path, CONFIG_CHECK_ONLY, &cfg, &p);

	for (size_t i = 0; i < p.warnings.n; i++)
		fprintf(stderr, "warning: " STRF "\n", STRA(p.warnings.v[i]));
	for (size_t i = 0; i < p.errors.n; i++)
		fprintf(stderr, "error: " STRF "\n", STRA(p.errors.v[i]));
	if (rv < 0)
		return err_set(e, rv, "the configuration %s cannot be used", s->opts->config_path);
	if (!c->loglevel)
		config_apply_logs(cfg);
	s->live = config_live_new(cfg, CONFIG_CHECK_ONLY, &s->log);
	return 0;
}

/* The key of connection ids, made at the first start. */
static int
received_id_key(struct server *s, const struct config *cfg, struct str *r_key, struct errmsg *e)
{
	struct str path = str_fmt(&s->arena, STRF "/receivedid.key", STRA(cfg->data_dir));
	int rv = fd_read_file(&s->arena, path.p, 4096, r_key, e);

	if (rv == 0 && r_key->n == RECEIVED_ID_KEY)
		return 0;
	if (rv < 0 && rv != ERR_NOTFOUND)
		return rv;
	*r_key = str_n(arena_bytes(&s->arena, RECEIVED_ID_KEY), RECEIVED_ID_KEY);
	rand_bytes((void *)(uintptr_t)r_key->p, RECEIVED_ID_KEY);
	*e = (struct errmsg){ 0 };
	return fd_write_file(path.p, *r_key, 0640, e);
}

/* Authorities for outgoing connections: the system's, or those of the configuration, or both. */
static int
open_client_tls(struct server *s, const struct config *cfg, struct errmsg *e)
{
	const struct config_ca *ca = cfg->fixed->tls.ca;
	struct smtpclient_tls_opts o = { .no_system = ca && !ca->additional_to_system };
	struct str *pem = ca ? ARENA_NEWN(&s->arena, ca->cert_files.n, struct str) : NULL;

	for (size_t i = 0; ca && i < ca->cert_files.n; i++)
		TRY(fd_read_file(&s->arena, str_dup(&s->arena, ca->cert_files.v[i]).p, CA_FILE_MAX, &pem[i], e));
	o.ca_pem = pem;
	o.nca = ca ? ca->cert_files.n : 0;
	return smtpclient_tls_new(&o, &s->client_tls, e);
}

/* In local test mode the queue delivers to our own port for incoming mail. */
static struct ipport
own_smtp(const struct config *cfg)
{
	const struct config_listener *l = config_listener(cfg, S("local"));
	struct ipport p = { .port = LOCALSERVE_SMTP_PORT };

	if (l && l->smtp.enabled)
		p.port = (uint16_t)l->smtp.port;
	if (!l || l->ips.n == 0 || ip_parse(l->ips.v[0], &p.ip) < 0 || ip_is_unspecified(&p.ip))
		ignore_result(ip_parse(S("127.0.0.1"), &p.ip) < 0);
	return p;
}

static int
open_queue(struct server *s, const struct config *cfg, const char *data_dir, struct errmsg *e)
{
	struct dns_stub_opts dns = { 0 };

	TRY(dns_stub_new(&dns, &s->resolver, e));
	TRY(open_client_tls(s, cfg, e));
	s->queue_log = (struct log){ .pkg = "queue" };
	struct queue_opts o = {
		.data_dir = data_dir, .store = s->store, .config = current_config, .config_arg = s, .resolver = s->resolver,
		.tls = s->client_tls, .log = &s->queue_log,
	};
	if (s->opts->localserve_account.n > 0)
		o.localserve = own_smtp(cfg);
	return queue_open(&o, &s->queue, e);
}

int
server_open(struct server *s, const struct cmd_run *c, const struct server_opts *o, struct errmsg *e)
{
	struct str key = { 0 };

	*s = (struct server){ .opts = o, .log = c->log, .stop_fd = -1 };
	TRY(load_config(s, c, e));
	cleanup_(config_unref) struct config *cfg = config_current(s->live);
	TRY(fd_mkdirs(cfg->data_dir.p, 0770, e));
	TRY(received_id_key(s, cfg, &key, e));

	struct store_opts so = {
		.data_dir = str_dup(&s->arena, cfg->data_dir).p,
		.account_config = account_config,
		.arg = s,
		.check_on_close = c->check_consistency,
	};
	TRY(store_open(&so, &s->store, e));
	struct auth_opts ao = {
		.data_dir = so.data_dir, .store = s->store, .config = current_config, .config_arg = s, .secret = key
	};
	TRY(auth_open(&ao, &s->auth, e));
	auth_set_limits(s->auth, true, o->exempt_loopback);
	TRY(open_queue(s, cfg, so.data_dir, e));

	struct smtpserver_opts smtp = {
		.store = s->store, .auth = s->auth, .queue = s->queue, .config = current_config, .config_arg = s, .software = S("mox"),
		.localserve_account = o->localserve_account,
	};
	memcpy(smtp.cid_key, key.p, sizeof(smtp.cid_key));
	memcpy(smtp.cid_secret, key.p + sizeof(smtp.cid_key), sizeof(smtp.cid_secret));
	s->smtp = smtpserver_new(&smtp);

	struct conn_server_opts co = { .log = &s->log };
	s->conns = conn_server_new(&co);
	struct imapserver_opts imap = {
		.store = s->store,
		.auth = s->auth,
		.config = current_config,
		.config_arg = s,
		.conns = s->conns,
		.product = S("mox"),
		.version = str_of(version_string()),
		.hostname = cfg->hostname.ascii,
		.pedantic = c->pedantic || cfg->pedantic,
	};
	s->imap = imapserver_new(&imap);
	s->ctl_path = str_fmt(&s->arena, "%s/ctl", so.data_dir).p;
	return 0;
}

void
server_close(struct server *s)
{
	conn_server_free(&s->conns);
	conn_server_free(&s->ctl_conns);
	server_tls_free(s);
	smtpserver_free(&s->smtp);
	imapserver_free(&s->imap);
	queue_close(&s->queue);
	smtpclient_tls_free(&s->client_tls);
	dns_stub_free(&s->resolver);
	if (s->auth)
		auth_close(&s->auth);
	if (s->store)
		store_close(&s->store);
	config_live_free(&s->live);
	if (s->stop_fd > 0)
		fd_close(&s->stop_fd);
	arena_done(&s->arena);
}

/* The requests of all files, as one table. */
static const struct ctl_command *
ctl_commands(struct server *s)
{
	size_t n = 0;

	while (server_ctl_commands[n].name)
		n++;
	struct ctl_command *v = ARENA_NEWN(&s->arena, n + SERVER_CTL_QUEUE_COMMANDS + 1, struct ctl_command);
	memcpy(v, server_ctl_commands, n * sizeof(*v));
	memcpy(v + n, server_ctl_queue_commands, sizeof(server_ctl_queue_commands));
	return v;
}

/* The control socket comes after the network's: a second server fails there and cannot take the socket of the first. */
static int
listen_ctl(struct server *s, struct errmsg *e)
{
	struct conn_server_opts co = { .loops = 1, .workers_min = 1, .workers_max = 16, .log = &s->log };
	struct conn_listener_opts lo = { .name = "ctl", .proto = &ctl_proto, .arg = &s->ctl };
	int fd = -1;

	s->ctl = (struct ctl_server){ ctl_commands(s), s };
	s->ctl_conns = conn_server_new(&co);
	TRY(ctl_listen(s->ctl_path, &fd, e));
	return conn_server_listen(s->ctl_conns, fd, &lo, e);
}

/* When the allocator gave its memory back last, and whether accounts have returned some to it since. */
struct trimmed {
	int64_t at;
	bool due;
};

static void
give_back(struct server *s, struct trimmed *t)
{
	bool more = store_trim(s->store);
	int64_t now = time_mono_us();

	t->due |= more;
	/* What sessions and databases freed lies scattered over the allocator's arenas. */
	if (now - t->at >= MALLOC_TRIM_US || (t->due && !more)) {
		malloc_trim(0);
		*t = (struct trimmed){ .at = now };
	}
}

/* Waits for a signal or the stop descriptor; gives memory back from time to time. Returns the signal's number or 0. */
static int
wait_for_end(struct server *s, int signal_fd)
{
	struct pollfd p[2] = { { .fd = signal_fd, .events = POLLIN }, { .fd = s->stop_fd, .events = POLLIN } };

	struct trimmed trimmed = { 0 };

	for (;;) {
		struct signalfd_siginfo info;

		if (poll(p, 2, TRIM_INTERVAL_MS) < 0 && errno != EINTR)
			return SIGTERM;
		if (p[0].revents & POLLIN && read(signal_fd, &info, sizeof(info)) == (ssize_t)sizeof(info)) {
			log_print(&s->log, "shutting down", log_i("signal", info.ssi_signo));
			return (int)info.ssi_signo;
		}
		if (p[1].revents & POLLIN) {
			log_print(&s->log, "shutting down, as asked on the control socket");
			return 0;
		}
		give_back(s, &trimmed);
	}
}

/* A connection needs a descriptor, an open account several; the usual soft limit of 1024 is for programs that use select(2). */
static void
raise_descriptor_limit(const struct server *s)
{
	struct rlimit r;

	if (getrlimit(RLIMIT_NOFILE, &r) < 0)
		return;
	r.rlim_cur = r.rlim_max == RLIM_INFINITY ? DESCRIPTORS : MIN(r.rlim_max, (rlim_t)DESCRIPTORS);
	if (setrlimit(RLIMIT_NOFILE, &r) < 0)
		log_warn(&s->log, "the limit of open descriptors cannot be raised", log_err(err_strerror(errno)));
}

int
server_run(struct server *s, struct errmsg *e)
{
	cleanup_(fd_close) int signal_fd = -1;
	sigset_t set;
	int signo;

	raise_descriptor_limit(s);
	/* All other threads block them too (thread.h), so that they arrive at the descriptor. */
	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	signal_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	s->stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (signal_fd < 0 || s->stop_fd < 0)
		return err_errno(e, errno, "descriptor for signals");

	TRY(server_listen(s, e));
	TRY(listen_ctl(s, e));
	conn_server_start(s->conns);
	conn_server_start(s->ctl_conns);
	TRY(queue_start(s->queue, e));
	s->opts->started(s);
	signo = wait_for_end(s, signal_fd);

	conn_server_stop(s->conns, STOP_GRACE);
	queue_stop(s->queue);
	ignore_result(unlink(s->ctl_path) < 0);
	conn_server_stop(s->ctl_conns, 0);
	return signo;
}
