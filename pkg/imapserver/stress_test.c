/* SPDX-License-Identifier: MIT */
/*
 * Sessions on threads: a real conn server, clients that append, flag, expunge, move and idle in the same mailbox, and
 * that follow the numbering as told. A client whose picture of sequence numbers and UIDs differs from the server's
 * fails the test. Meant for ThreadSanitizer as well.
 */
#include "imapserver/rig_test.h"

#include <poll.h>
#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/fd.h"

#define CLIENTS 4
#define ROUNDS 60
#define MAX_MESSAGES 20000

struct stress_client {
	int fd;
	unsigned seed;
	char in[256 * 1024];
	size_t n;
	uint32_t uids[MAX_MESSAGES];    /* by sequence number - 1; 0 = not known yet */
	uint32_t count;
	const char *failed;
};

static bool
send_all(struct stress_client *k, const char *text)
{
	size_t n = strlen(text);
	return send(k->fd, text, n, MSG_NOSIGNAL) == (ssize_t)n;
}

/* Untagged data change the picture. */
static void
follow(struct stress_client *k, const char *line)
{
	unsigned seq, uid;
	char word[20];

	if (sscanf(line, "* %u %19s", &seq, word) != 2)
		return;
	if (strcmp(word, "EXISTS") == 0) {
		if (seq < k->count || seq > MAX_MESSAGES)
			k->failed = "EXISTS went back";
		for (; k->count < seq && k->count < MAX_MESSAGES; k->count++)
			k->uids[k->count] = 0;
	} else if (strcmp(word, "EXPUNGE") == 0) {
		if (seq == 0 || seq > k->count) {
			k->failed = "EXPUNGE of what is not there";
			return;
		}
		memmove(&k->uids[seq - 1], &k->uids[seq], (k->count - seq) * sizeof(*k->uids));
		k->count--;
	} else if (sscanf(line, "* %u FETCH (UID %u", &seq, &uid) == 2) {
		if (seq == 0 || seq > k->count)
			k->failed = "FETCH of what is not there";
		else if (k->uids[seq - 1] != 0 && k->uids[seq - 1] != uid)
			k->failed = "a number means another message than before";
		else
			k->uids[seq - 1] = uid;
	}
}

/* Reads lines until one starts with `until`. */
static bool
read_until(struct stress_client *k, const char *until)
{
	for (;;) {
		char *lf = memchr(k->in, '\n', k->n);
		if (!lf) {
			struct pollfd p = { .fd = k->fd, .events = POLLIN };
			if (k->n == sizeof(k->in) || poll(&p, 1, 30000) != 1)
				return false;
			ssize_t n = recv(k->fd, k->in + k->n, sizeof(k->in) - k->n, 0);
			if (n <= 0)
				return false;
			k->n += (size_t)n;
			continue;
		}
		*lf = '\0';
		bool found = strncmp(k->in, until, strlen(until)) == 0;
		follow(k, k->in);
		size_t used = (size_t)(lf + 1 - k->in);
		memmove(k->in, lf + 1, k->n - used);
		k->n -= used;
		if (found)
			return true;
	}
}

static bool
command(struct stress_client *k, const char *text)
{
	char line[300];

	snprintf(line, sizeof(line), "x %s\r\n", text);
	return send_all(k, line) && read_until(k, "x ");
}

static bool
one_round(struct stress_client *k)
{
	char text[200];

	switch (rand_r(&k->seed) % 9) {
	case 0:
	case 1:
		return command(k, "append inbox (\\Seen) {5+}\r\nhello");
	case 2:
		return command(k, "noop");
	case 3:
		if (k->count == 0)
			return true;
		snprintf(text, sizeof(text), "store %u +flags (\\Deleted k%u)", 1 + (unsigned)rand_r(&k->seed) % k->count, (unsigned)rand_r(&k->seed) % 5);
		return command(k, text);
	case 4:
		return command(k, "expunge");
	case 5:
		return command(k, "uid fetch 1:* flags");
	case 6:
		if (k->count == 0)
			return true;
		snprintf(text, sizeof(text), "move %u Trash", 1 + (unsigned)rand_r(&k->seed) % k->count);
		return command(k, text);
	case 7:
		return command(k, "uid search seen");
	default:
		return send_all(k, "x idle\r\n") && read_until(k, "+ ") && send_all(k, "DONE\r\n") && read_until(k, "x ");
	}
}

static void *
client_thread(void *arg)
{
	struct stress_client *k = arg;

	if (!read_until(k, "* OK ") || !command(k, "login mjl@mox.example testtest1") || !command(k, "select inbox")) {
		k->failed = "cannot log in";
		return NULL;
	}
	for (int i = 0; i < ROUNDS && !k->failed; i++)
		if (!one_round(k))
			k->failed = "connection lost";
	/* At the end each number is compared. */
	if (!k->failed && (!command(k, "noop") || !command(k, "uid fetch 1:* uid")))
		k->failed = "connection lost";
	for (uint32_t i = 0; i < k->count && !k->failed; i++)
		if (k->uids[i] == 0 || (i > 0 && k->uids[i] <= k->uids[i - 1]))
			k->failed = "UIDs do not ascend";
	if (!k->failed && !command(k, "logout"))
		k->failed = "connection lost";
	return NULL;
}

TEST(stress)
{
	static struct stress_client clients[CLIENTS];
	pthread_t threads[CLIENTS];
	struct rig r;
	struct log log = { .pkg = "imapserver" };

	rig_start(&r, RIG_PASSWORDS);
	struct conn_server *conns = conn_server_new(&(struct conn_server_opts){ .loops = 2, .log = &log });
	r.srv->conns = conns;
	conn_server_start(conns);
	struct conn_listener_opts o = { .name = "test", .proto = &imapserver_proto, .arg = &r.listener };
	for (unsigned i = 0; i < CLIENTS; i++) {
		int fds[2];
		struct conn_id id;
		assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
		clients[i] = (struct stress_client){ .fd = fds[1], .seed = i + 1 };
		assert_ok(conn_server_adopt(conns, fds[0], &o, &id));
		assert_int_equal(pthread_create(&threads[i], NULL, client_thread, &clients[i]), 0);
	}
	for (unsigned i = 0; i < CLIENTS; i++)
		pthread_join(threads[i], NULL);
	conn_server_stop(conns, 3 * TIME_SEC);
	conn_server_free(&conns);
	for (unsigned i = 0; i < CLIENTS; i++) {
		fd_close(&clients[i].fd);
		if (clients[i].failed)
			fail_msg("client %u: %s", i, clients[i].failed);
	}
	rig_stop(&r);
}
