/* SPDX-License-Identifier: MIT */
/*
 * A whole server over a socketpair. The first byte chooses the state to start in and whether input comes byte by byte; the rest is what a client
 * sends. Whatever it is, the server must answer with well-formed reply lines and live.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/mem.h"
#include "log/log.h"
#include "smtpserver/smtpserver_internal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char static_conf[] =
    "DataDir: data\nLogLevel: error\nUser: 0\nHostname: mox.example\nPostmaster:\n\tAccount: mjl\n\tMailbox: Inbox\nListeners:\n\tlocal:\n\t\tIPs:\n\t\t\t- 127.0.0.1\n";
static const char dynamic_conf[] =
    "Domains:\n\tmox.example:\n\t\tLocalpartCatchallSeparator: +\nAccounts:\n\tmjl:\n\t\tDomain: mox.example\n\t\tDestinations:\n\t\t\tmjl@mox.example: nil\n";

static struct config *config;
static struct store *store;
static struct auth *auth;
static struct smtpserver *server;
static struct smtpserver_listener listeners[2];         /* port 25, submission */

static struct config *
current_config(void *arg unused_)
{
	return config_ref(config);
}

static int
account_config(void *arg unused_, struct arena *a unused_, struct str name, struct store_account_config *r_c)
{
	if (config_account(config, name) == NULL)
		return ERR_NOTFOUND;
	*r_c = (struct store_account_config){ 0 };
	return 0;
}

static void
no_log(enum log_level level unused_, struct str line unused_, void *arg unused_)
{
}

static void
must(int err)
{
	if (err < 0)
		bug("setting up: %s", err_text(err));
}

static char dir[] = "/dev/shm/smtpserver_fuzz.XXXXXX";  /* in memory: nothing here needs to last, and syncing would take most of the time */

/* auth has a thread, which must end before libraries shut down. */
static void
tear_down(void)
{
	smtpserver_free(&server);
	auth_close(&auth);
	store_close(&store);
	config_unref(&config);
	ignore_result(fd_remove_tree(dir, NULL));
}

static void
set_up(void)
{
	struct config_problems problems = { 0 };

	log_set_sink(no_log, NULL);
	if (mkdtemp(dir) == NULL)
		bug("mkdtemp");
	must(config_parse(dir, str_of(static_conf), str_of(dynamic_conf), CONFIG_NO_KEYS, &config, &problems));
	config_problems_done(&problems);
	must(store_open(&(struct store_opts){ .data_dir = dir, .account_config = account_config }, &store, NULL));
	must(auth_open(&(struct auth_opts){ .data_dir = dir, .store = store, .config = current_config, .crammd5 = true }, &auth, NULL));
	must(auth_set_password(auth, S("mjl"), S("password"), NULL));
	auth_set_limits(auth, false, false);
	server = smtpserver_new(&(struct smtpserver_opts){ .store = store, .auth = auth, .config = current_config, .software = S("mox"), .no_delays = true,
	    .localserve_account = S("mjl") });
	for (int i = 0; i < 2; i++)
		listeners[i] = (struct smtpserver_listener){ .server = server, .hostname.ascii = S("mox.example"), .submission = i == 1,
		    .no_require_starttls = true, .max_message_size = 10000 };
	atexit(tear_down);
}

/* check_replies: each line is a reply line of at most 512 bytes: rfc/5321:3504 */
static void
check_replies(int fd)
{
	static char buf[1 << 20];
	size_t n = 0;
	ssize_t got;

	while (n < sizeof(buf) && (got = recv(fd, buf + n, sizeof(buf) - n, MSG_DONTWAIT)) > 0)
		n += (size_t)got;
	for (size_t at = 0; at < n;) {
		const char *lf = memchr(buf + at, '\n', n - at);
		size_t len = lf ? (size_t)(lf - (buf + at)) + 1 : 0;
		bug_if(len < 6 || len > 12288 || buf[at + len - 2] != '\r');
		bug_if(memchr(buf + at, '\r', len - 2) != NULL);
		bug_if(buf[at] < '2' || buf[at] > '5' || (buf[at + 3] != ' ' && buf[at + 3] != '-'));
		at += len;
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const states[] = {
		"", "EHLO x.example\r\n", "EHLO x.example\r\nMAIL FROM:<a@b.example> SMTPUTF8\r\n",
		"EHLO x.example\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<mjl@mox.example>\r\n",
		"EHLO x.example\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<mjl@mox.example>\r\nDATA\r\n",
		"EHLO x\r\n", "EHLO x\r\nAUTH PLAIN AG1qbEBtb3guZXhhbXBsZQBwYXNzd29yZA==\r\n",
		"EHLO x\r\nAUTH PLAIN AG1qbEBtb3guZXhhbXBsZQBwYXNzd29yZA==\r\nMAIL FROM:<mjl@mox.example>\r\nRCPT TO:<mjl@mox.example>\r\nDATA\r\n",
	};
	struct ipport remote = { .port = 1 }, local = { .port = 25 };
	int fds[2];

	if (size == 0 || size > 50000)
		return 0;
	if (server == NULL)
		set_up();
	unsigned state = data[0] % ARRAY_LEN(states);
	bool bytewise = data[0] & 128;
	struct str input = str_n((const char *)data + 1, size - 1);
	must(ip_parse(S("10.1.2.3"), &remote.ip));
	must(ip_parse(S("127.0.0.1"), &local.ip));
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) < 0)
		bug("socketpair");
	struct conn *c = conn_inline_new(fds[0], &(struct conn_listener_opts){ .name = "fuzz", .proto = &smtpserver_proto, .arg = &listeners[state >= 5] },
	    &remote, &local);
	ignore_result(send(fds[1], states[state], strlen(states[state]), MSG_NOSIGNAL) < 0);
	bool open = conn_inline_run(c, true);
	while (open && input.n > 0) {
		size_t n = bytewise ? 1 : MIN(input.n, (size_t)4096);
		ignore_result(send(fds[1], input.p, n, MSG_NOSIGNAL) < 0);
		input = str_from(input, n);
		open = conn_inline_run(c, true);
	}
	check_replies(fds[1]);
	conn_inline_free(&c);
	close(fds[1]);
	return 0;
}
