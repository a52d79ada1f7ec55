/* SPDX-License-Identifier: MIT */
/*
 * The whole server over a socketpair, with a live account behind it and a second session that watches. The first byte
 * of the input chooses the state that the session is in, and in what pieces the rest arrives. The account is made
 * anew every so many inputs, and checked when it is closed.
 */
#include <stdint.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/fd.h"
#include "imapserver/imapserver_internal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

#define INPUTS_PER_WORLD 50

static const char static_conf[] =
    "DataDir: data\nLogLevel: fatal\nUser: 1000\nHostname: mox.example\nPostmaster:\n\tAccount: mjl\n\tMailbox: Postmaster\n"
    "Listeners:\n\tlocal:\n\t\tIPs:\n\t\t\t- 127.0.0.1\n";
static const char dynamic_conf[] =
    "Domains:\n\tmox.example: nil\nAccounts:\n\tmjl:\n\t\tDomain: mox.example\n\t\tDestinations:\n\t\t\tmjl@mox.example: nil\n";

static struct {
	char dir[64];
	struct config *cfg;
	struct store *store;
	struct auth *auth;
	struct imapserver *srv;
	struct imapserver_listener listener;
	unsigned inputs;
} world;

static struct config *
current_config(void *arg)
{
	(void)arg;
	return config_ref(world.cfg);
}

static int
account_config(void *arg, struct arena *a, struct str name, struct store_account_config *r_c)
{
	(void)arg;
	(void)a;
	(void)name;
	*r_c = (struct store_account_config){ .quota = 1000000 };
	return 0;
}

static void
end_world(void)
{
	if (!world.store)
		return;
	imapserver_free(&world.srv);
	auth_close(&world.auth);
	store_close(&world.store);
	config_unref(&world.cfg);
	ignore_result(fd_remove_tree(world.dir, NULL));
}

static void
begin_world(void)
{
	static bool registered;
	struct config_problems problems = { 0 };
	struct errmsg e = { 0 };

	if (!registered)
		bug_if(atexit(end_world) != 0);
	registered = true;
	log_set_default(LOG_FATAL);
	snprintf(world.dir, sizeof(world.dir), "/tmp/imapserver_fuzz.%d", (int)getpid());
	ignore_result(fd_remove_tree(world.dir, NULL));
	bug_if(fd_mkdirs(world.dir, 0700, &e) < 0);
	if (config_parse(world.dir, str_of(static_conf), str_of(dynamic_conf), CONFIG_NO_KEYS, &world.cfg, &problems) < 0)
		bug("configuration: " STRF, STRA(config_problems_text(&problems.arena, &problems)));
	config_problems_done(&problems);
	bug_if(store_open(&(struct store_opts){ .data_dir = world.dir, .account_config = account_config, .check_on_close = true }, &world.store, &e) < 0);
	bug_if(auth_open(&(struct auth_opts){ .data_dir = world.dir, .store = world.store, .config = current_config }, &world.auth, &e) < 0);
	world.srv = imapserver_new(&(struct imapserver_opts){
		.store = world.store, .auth = world.auth, .config = current_config, .product = S("mox"), .version = S("1"), .hostname = S("mox.example"),
		.no_delays = true,
	});
	world.listener = (struct imapserver_listener){ .server = world.srv };
	world.inputs = 0;
}

struct peer {
	struct conn *c;
	int fd;
	bool open;
};

static void
run(struct peer *p)
{
	char sink[64 * 1024];

	if (!p->open)
		return;
	conn_inline_wake(p->c);
	do
		p->open = conn_inline_run(p->c, true);
	while (recv(p->fd, sink, sizeof(sink), MSG_DONTWAIT) > 0);
}

static void
say(struct peer *p, struct str s)
{
	while (s.n > 0 && p->open) {
		ssize_t n = send(p->fd, s.p, s.n, MSG_NOSIGNAL | MSG_DONTWAIT);
		if (n > 0)
			s = str_from(s, (size_t)n);
		run(p);
	}
}

static void
connect_peer(struct peer *p, bool login)
{
	struct conn_listener_opts o = { .name = "fuzz", .proto = &imapserver_proto, .arg = &world.listener };
	struct ipport remote = { .ip = { .family = 4, .a = { 10, 1, 2, 3 } }, .port = 1000 };
	struct auth_user user = { .account = S("mjl"), .address = S("mjl@mox.example") };
	int fds[2];

	bug_if(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) != 0);
	p->fd = fds[1];
	p->c = conn_inline_new(fds[0], &o, &remote, &remote);
	p->open = true;
	run(p);
	if (!login)
		return;
	bug_if(store_account_open(world.store, user.account, true, &user.acct, NULL) < 0);
	imapserver_login(conn_data(p->c), &user);
}

static void
hang_up(struct peer *p)
{
	conn_inline_free(&p->c);
	fd_close(&p->fd);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct peer p = { 0 }, watcher = { 0 };

	if (n < 2)
		return 0;
	if (!world.store)
		begin_world();
	unsigned state = data[0] & 7;
	size_t step = data[0] >> 3 ? (size_t)data[0] >> 3 : n;
	connect_peer(&watcher, true);
	say(&watcher, S("w select inbox\r\nw idle\r\n"));
	connect_peer(&p, state > 0);
	if (state >= 5)
		say(&p, S("p append inbox (\\Seen a) {60+}\r\nFrom: <x@example.org>\r\nSubject: s\r\nContent-Type: a/b\r\n\r\nbody\r\n {3+}\r\nxyz\r\n"));
	if (state == 3 || state == 6)
		say(&p, S("p enable imap4rev2 qresync\r\n"));
	if (state >= 2)
		say(&p, S("p select inbox\r\n"));
	for (struct str in = str_n((const char *)data + 1, n - 1); in.n > 0; in = str_from(in, step)) {
		say(&p, str_upto(in, step));
		run(&watcher);
	}
	say(&p, S("\r\np noop\r\n"));
	run(&watcher);
	hang_up(&p);
	hang_up(&watcher);
	if (++world.inputs == INPUTS_PER_WORLD)
		end_world();
	return 0;
}
