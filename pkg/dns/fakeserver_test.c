/* SPDX-License-Identifier: MIT */
#include "dns/fakeserver_test.h"

#include <netinet/in.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/fd.h"
#include "base/lock.h"
#include "base/mem.h"

struct fake {
	int udp, tcp, quit, stop;
	uint16_t port;
	pthread_t thread;
	struct lock lock; /* everything below */
	char *zone;
	void (*fn)(void *arg, const ldns_rr *question, struct str quirks, ldns_pkt *answer);
	void *arg;
	struct arena arena; /* of one question */
	unsigned nudp, ntcp, nports;
	uint16_t ports[64];
	bool mixed, dropped;
	/* For "pair": the question for A that waits. */
	ldns_pkt *held;
	struct sockaddr_storage held_from;
};

/* --- zone --- */

/* The words behind "!name" (or "!*"), "" without such a line. */
static struct str
quirks(struct fake *f, struct str name)
{
	struct str zone = str_of(f->zone);

	while (zone.n > 0) {
		struct str line = str_split(&zone, '\n'), key;

		if (!str_starts(line, S("!")))
			continue;
		line = str_from(line, 1);
		key = str_split(&line, ' ');
		if (str_is(key, S("*")) || str_icase(key, name))
			return line;
	}
	return S("");
}

bool
fake_has(struct str words, const char *word)
{
	while (words.n > 0)
		if (str_is(str_split(&words, ' '), str_of(word)))
			return true;
	return false;
}

/* Adds the records of a type at a name to the section; tells whether the name owns any. */
static bool
find(struct fake *f, ldns_pkt *answer, const ldns_rdf *name, ldns_rr_type type, size_t *r_n)
{
	struct str zone = str_of(f->zone);
	bool exists = false;

	*r_n = 0;
	while (zone.n > 0) {
		struct str line = str_split(&zone, '\n');
		ldns_rr *rr = NULL;

		if (line.n == 0 || line.p[0] == '!')
			continue;
		if (ldns_rr_new_frm_str(&rr, str_z(&f->arena, line), 0, NULL, NULL) != LDNS_STATUS_OK)
			bug("fake zone: " STRF, STRA(line));
		exists |= ldns_dname_compare(ldns_rr_owner(rr), name) == 0;
		if (ldns_dname_compare(ldns_rr_owner(rr), name) == 0 && ldns_rr_get_type(rr) == type) {
			ldns_pkt_push_rr(answer, LDNS_SECTION_ANSWER, rr);
			++*r_n;
		} else {
			ldns_rr_free(rr);
		}
	}
	return exists;
}

static bool
is_secure(const ldns_rdf *name)
{
	ldns_rdf *apex = ldns_dname_new_frm_str("sec.test.");
	bool is = ldns_dname_is_subdomain(name, apex) || ldns_dname_compare(name, apex) == 0;

	ldns_rdf_deep_free(apex);
	return is;
}

static void
resolve(struct fake *f, ldns_pkt *answer, const ldns_rr *question, struct str q)
{
	ldns_rdf *name = ldns_rdf_clone(ldns_rr_owner(question)), *target;
	ldns_rr_type type = ldns_rr_get_type(question);
	bool secure = true, exists;
	size_t n = 0;

	for (int step = 0;; step++) {
		secure = secure && is_secure(name);
		exists = find(f, answer, name, type, &n);
		if (n > 0 || type == LDNS_RR_TYPE_CNAME || step == 20)
			break;
		find(f, answer, name, LDNS_RR_TYPE_CNAME, &n);
		if (n == 0)
			break;
		target = ldns_rdf_clone(ldns_rr_rdf(ldns_rr_list_rr(ldns_pkt_answer(answer), ldns_pkt_ancount(answer) - 1), 0));
		ldns_rdf_deep_free(name);
		name = target;
		if (fake_has(q, "onestep"))
			break;
	}
	ldns_pkt_set_ad(answer, secure);
	if (n == 0) {
		ldns_rr *soa = NULL;

		ldns_pkt_set_rcode(answer, exists ? LDNS_RCODE_NOERROR : LDNS_RCODE_NXDOMAIN);
		if (!fake_has(q, "nosoa") &&
		    ldns_rr_new_frm_str(&soa, "test. 300 IN SOA ns.test. h.test. 1 2 3 4 60", 0, NULL, NULL) == LDNS_STATUS_OK)
			ldns_pkt_push_rr(answer, LDNS_SECTION_AUTHORITY, soa);
	}
	ldns_rdf_deep_free(name);
}

static void
add_extended(ldns_pkt *answer, unsigned code)
{
	uint8_t o[] = { 0, 15, 0, 10, (uint8_t)(code >> 8), (uint8_t)code, 'b', 'e', 'c', 'a', 'u', 's', 'e', 0 };

	ldns_pkt_set_edns_udp_size(answer, 1232);
	ldns_pkt_set_edns_data(answer, ldns_rdf_new_frm_data(LDNS_RDF_TYPE_NONE, sizeof(o), o));
}

/* --- answers --- */

static ldns_pkt *
answer_to(struct fake *f, ldns_pkt *query, struct str q, bool udp)
{
	const ldns_rr *question = ldns_rr_list_rr(ldns_pkt_question(query), 0);
	ldns_pkt *answer = ldns_pkt_new();
	struct str words = q;
	uint32_t code;

	ldns_pkt_set_id(answer, ldns_pkt_id(query));
	ldns_pkt_set_qr(answer, true);
	ldns_pkt_set_rd(answer, true);
	ldns_pkt_set_ra(answer, !fake_has(q, "norecursion"));
	ldns_pkt_push_rr(answer, LDNS_SECTION_QUESTION, ldns_rr_clone(question));
	while (words.n > 0) {
		struct str w = str_split(&words, ' ');

		if (str_starts(w, S("ede=")) && str_u32(str_from(w, 4), &code) == 0) {
			add_extended(answer, code);
			ldns_pkt_set_rcode(answer, LDNS_RCODE_SERVFAIL);
			return answer;
		}
	}
	if (fake_has(q, "servfail") || (fake_has(q, "cd") && !ldns_pkt_cd(query)))
		ldns_pkt_set_rcode(answer, LDNS_RCODE_SERVFAIL);
	else if (fake_has(q, "refused"))
		ldns_pkt_set_rcode(answer, LDNS_RCODE_REFUSED);
	else if (fake_has(q, "formerr") && ldns_pkt_edns(query))
		ldns_pkt_set_rcode(answer, LDNS_RCODE_FORMERR);
	else if ((fake_has(q, "truncate") && udp) || fake_has(q, "alltruncate"))
		ldns_pkt_set_tc(answer, true);
	else if (f->fn)
		f->fn(f->arg, question, q, answer);
	else if (!fake_has(q, "norecursion"))
		resolve(f, answer, question, q);
	if (ldns_pkt_get_rcode(answer) != LDNS_RCODE_NOERROR && ldns_pkt_get_rcode(answer) != LDNS_RCODE_NXDOMAIN)
		return answer;
	if (!ldns_pkt_ad(query) && !ldns_pkt_edns_do(query))
		ldns_pkt_set_ad(answer, false);
	return answer;
}

/* What goes out: the packet, damaged as wished. */
static struct str
wire(struct fake *f, const ldns_pkt *answer, struct str q, bool udp)
{
	uint8_t *p = NULL;
	size_t n = 0;
	char *out;

	bug_if(ldns_pkt2wire(&p, answer, &n) != LDNS_STATUS_OK);
	out = arena_bytes(&f->arena, n);
	memcpy(out, p, n);
	free(p);
	if (fake_has(q, "badname"))
		out[13] ^= 1;
	if (fake_has(q, "badtype"))
		out[12 + ldns_rdf_size(ldns_rr_owner(ldns_rr_list_rr(ldns_pkt_question(answer), 0))) + 1] ^= 1;
	if (fake_has(q, "lower"))
		for (size_t i = 12; out[i] != 0; i += 1 + (size_t)out[i])
			for (size_t k = i + 1; k <= i + (size_t)out[i]; k++)
				out[k] = (char)(out[k] >= 'A' && out[k] <= 'Z' ? out[k] + 32 : out[k]);
	if (fake_has(q, "garbage"))
		for (size_t i = 12 + ldns_rdf_size(ldns_rr_owner(ldns_rr_list_rr(ldns_pkt_question(answer), 0))) + 4; i < n; i++)
			out[i] = (char)0xff;
	if (fake_has(q, "tcpwrong") && !udp)
		out[0] ^= 1;
	return str_n(out, fake_has(q, "short") ? n - 5 : n);
}

static void
send_udp(struct fake *f, const struct sockaddr_storage *to, struct str s)
{
	ignore_result(
	    sendto(f->udp, s.p, s.n, MSG_NOSIGNAL, (const struct sockaddr *)(const void *)to, sizeof(struct sockaddr_in)) < 0);
}

static void
note(struct fake *f, const ldns_pkt *query, const struct sockaddr_storage *from)
{
	const ldns_rdf *name = ldns_rr_owner(ldns_rr_list_rr(ldns_pkt_question(query), 0));
	uint16_t port = ntohs(((const struct sockaddr_in *)(const void *)from)->sin_port);
	bool upper = false, lower = false, seen = false;

	for (size_t i = 0; i < ldns_rdf_size(name); i++) {
		upper |= ldns_rdf_data(name)[i] >= 'A' && ldns_rdf_data(name)[i] <= 'Z';
		lower |= ldns_rdf_data(name)[i] >= 'a' && ldns_rdf_data(name)[i] <= 'z';
	}
	f->mixed |= upper && lower;
	for (unsigned i = 0; i < f->nports; i++)
		seen |= f->ports[i] == port;
	if (!seen && f->nports < ARRAY_LEN(f->ports))
		f->ports[f->nports++] = port;
}

static struct str
name_of(struct fake *f, const ldns_pkt *query)
{
	char *z = ldns_rdf2str(ldns_rr_owner(ldns_rr_list_rr(ldns_pkt_question(query), 0)));
	struct str s = str_dup(&f->arena, str_of(z));

	free(z);
	return str_lower(&f->arena, s.n > 1 ? str_upto(s, s.n - 1) : s);
}

static void
answer_udp(struct fake *f, ldns_pkt *query, const struct sockaddr_storage *from)
{
	struct str q = quirks(f, name_of(f, query)), out;
	ldns_pkt *answer = answer_to(f, query, q, true);

	if (fake_has(q, "shortheader") && ldns_pkt_edns(query)) {
		uint8_t head[12] = { (uint8_t)(ldns_pkt_id(query) >> 8), (uint8_t)ldns_pkt_id(query), 0x80, 0x81 };

		send_udp(f, from, str_n((const char *)head, sizeof(head)));
	} else {
		out = wire(f, answer, q, true);
		if (fake_has(q, "badid") || fake_has(q, "flood")) {
			char *bad = arena_bytes(&f->arena, out.n);

			memcpy(bad, out.p, out.n);
			for (int i = 0; i < (fake_has(q, "flood") ? 30 : 1); i++) {
				bad[1] ^= (char)(1 + i);
				send_udp(f, from, str_n(bad, out.n));
				bad[1] ^= (char)(1 + i);
			}
		}
		if (!fake_has(q, "flood"))
			send_udp(f, from, out);
	}
	ldns_pkt_free(answer);
}

static void
serve_udp(struct fake *f)
{
	struct sockaddr_storage from = { 0 };
	socklen_t len = sizeof(from);
	uint8_t in[4096];
	ssize_t n = recvfrom(f->udp, in, sizeof(in), 0, (struct sockaddr *)(void *)&from, &len);
	ldns_pkt *query = NULL;
	struct str q;

	if (n < 0)
		return;
	bug_if(ldns_wire2pkt(&query, in, (size_t)n) != LDNS_STATUS_OK);
	LOCKED(&f->lock);
	f->nudp++;
	note(f, query, &from);
	q = quirks(f, name_of(f, query));
	if (fake_has(q, "stop")) {
		ignore_result(eventfd_write(f->stop, 1) < 0);
	} else if (fake_has(q, "drop1") && !f->dropped) {
		f->dropped = true;
	} else if (fake_has(q, "pair")) {
		if (!f->held) {
			f->held = query;
			f->held_from = from;
			return;
		}
		answer_udp(f, query, &from);
		answer_udp(f, f->held, &f->held_from);
		ldns_pkt_free(f->held);
		f->held = NULL;
	} else if (!fake_has(q, "drop")) {
		answer_udp(f, query, &from);
	}
	ldns_pkt_free(query);
	arena_reset(&f->arena);
}

static bool
read_all(int fd, uint8_t *p, size_t n)
{
	while (n > 0) {
		ssize_t got = recv(fd, p, n, 0);

		if (got <= 0)
			return false;
		p += got;
		n -= (size_t)got;
	}
	return true;
}

static void
serve_tcp(struct fake *f)
{
	cleanup_(fd_close) int fd = accept(f->tcp, NULL, NULL);
	uint8_t in[2 + 4096], byte;
	ldns_pkt *query = NULL, *answer;
	struct str q, out;
	char head[2];

	if (fd < 0 || !read_all(fd, in, 2) || !read_all(fd, in + 2, (size_t)in[0] << 8 | in[1]))
		return;
	bug_if(ldns_wire2pkt(&query, in + 2, (size_t)in[0] << 8 | in[1]) != LDNS_STATUS_OK);
	LOCKED(&f->lock);
	f->ntcp++;
	q = quirks(f, name_of(f, query));
	answer = answer_to(f, query, q, false);
	out = wire(f, answer, q, false);
	head[0] = (char)(out.n >> 8);
	head[1] = (char)out.n;
	out = str_cat(&f->arena, str_n(head, 2), out);
	if (fake_has(q, "tcpsilent"))
		ignore_result(recv(fd, &byte, 1, 0) < 0); /* until the client gives up */
	else if (fake_has(q, "tcpslow"))
		for (size_t i = 0; i < out.n; i++)
			ignore_result(send(fd, out.p + i, 1, MSG_NOSIGNAL) < 0);
	else if (!fake_has(q, "tcpclose"))
		ignore_result(send(fd, out.p, out.n, MSG_NOSIGNAL) < 0);
	ldns_pkt_free(answer);
	ldns_pkt_free(query);
	arena_reset(&f->arena);
}

static void *
run(void *arg)
{
	struct fake *f = arg;

	for (;;) {
		struct pollfd p[] = { { .fd = f->udp, .events = POLLIN }, { .fd = f->tcp, .events = POLLIN },
			{ .fd = f->quit, .events = POLLIN } };

		ignore_result(poll(p, ARRAY_LEN(p), -1) < 0);
		if (p[2].revents)
			return NULL;
		if (p[0].revents)
			serve_udp(f);
		if (p[1].revents)
			serve_tcp(f);
	}
}

/* --- life --- */

/* UDP and TCP on the same port; false if the second is taken. */
static bool
bind_both(struct fake *f)
{
	struct sockaddr_in sin = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(sin);

	f->udp = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	f->tcp = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bug_if(f->udp < 0 || f->tcp < 0 || bind(f->udp, (struct sockaddr *)(void *)&sin, len) < 0);
	bug_if(getsockname(f->udp, (struct sockaddr *)(void *)&sin, &len) < 0);
	f->port = ntohs(sin.sin_port);
	if (bind(f->tcp, (struct sockaddr *)(void *)&sin, len) < 0 || listen(f->tcp, 8) < 0) {
		fd_close(&f->udp);
		fd_close(&f->tcp);
		return false;
	}
	return true;
}

struct fake *
fake_start(const char *zone)
{
	return fake_start_with(zone, NULL, NULL);
}

struct fake *
fake_start_with(const char *zone, void (*fn)(void *arg, const ldns_rr *question, struct str quirks, ldns_pkt *answer), void *arg)
{
	struct fake *f = mem_alloc(sizeof(*f));

	f->fn = fn;
	f->arg = arg;
	lock_init(&f->lock, LOCK_LIMITER, "fake");
	f->zone = mem_strdup(zone);
	f->quit = eventfd(0, EFD_CLOEXEC);
	f->stop = eventfd(0, EFD_CLOEXEC);
	while (!bind_both(f))
		continue;
	bug_if(pthread_create(&f->thread, NULL, run, f) != 0);
	return f;
}

void
fake_stop(struct fake **pf)
{
	struct fake *f = *pf;

	bug_if(eventfd_write(f->quit, 1) < 0 || pthread_join(f->thread, NULL) != 0);
	fd_close(&f->udp);
	fd_close(&f->tcp);
	fd_close(&f->quit);
	fd_close(&f->stop);
	if (f->held)
		ldns_pkt_free(f->held);
	lock_done(&f->lock);
	arena_done(&f->arena);
	mem_free(&f->zone);
	mem_free(&f);
	*pf = NULL;
}

struct ipport
fake_addr(const struct fake *f)
{
	return (struct ipport){ .ip = { .family = 4, .a = { 127, 0, 0, 1 } }, .port = f->port };
}

void
fake_zone(struct fake *f, const char *zone)
{
	LOCKED(&f->lock);
	mem_free(&f->zone);
	f->zone = mem_strdup(zone);
}

unsigned
fake_udp(struct fake *f)
{
	LOCKED(&f->lock);
	return f->nudp;
}

unsigned
fake_tcp(struct fake *f)
{
	LOCKED(&f->lock);
	return f->ntcp;
}

unsigned
fake_ports(struct fake *f)
{
	LOCKED(&f->lock);
	return f->nports;
}

bool
fake_mixed_case(struct fake *f)
{
	LOCKED(&f->lock);
	return f->mixed;
}

int
fake_stop_fd(const struct fake *f)
{
	return f->stop;
}
