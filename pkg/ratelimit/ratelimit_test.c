/* SPDX-License-Identifier: MIT */
#include "ratelimit/ratelimit.h"

#include <pthread.h>

#include "testutil/testutil.h"

static struct ip
ip_of(const char *z)
{
	struct ip ip;

	assert_ok(ip_parse(str_of(z), &ip));
	return ip;
}

static void
free_limiter(struct ratelimit **r)
{
	ratelimit_free(*r);
}

static bool
add(struct ratelimit *r, const char *ip, int32_t n)
{
	struct ip a = ip_of(ip);
	bool can = ratelimit_can_add(r, &a, n), added = ratelimit_add(r, &a, n);

	assert_int_equal(can, added);
	return added;
}

TEST(limits_are_exact)
{
	cleanup_(free_limiter) struct ratelimit *r =
	    ratelimit_new(&(struct ratelimit_opts){ { { TIME_MIN, { 3, 5, 7 } } }, test_clock(), 0 });

	assert_false(add(r, "10.0.0.1", 4));
	assert_true(add(r, "10.0.0.1", 3));
	assert_false(add(r, "10.0.0.1", 1));
	assert_true(add(r, "10.0.0.1", 0));
	/* A neighbour in the same /26 has what that network has left. */
	assert_false(add(r, "10.0.0.63", 3));
	assert_true(add(r, "10.0.0.63", 2));
	assert_false(add(r, "10.0.0.2", 1));
	/* Another /26 of the same /21. */
	assert_false(add(r, "10.0.7.255", 3));
	assert_true(add(r, "10.0.7.255", 2));
	assert_false(add(r, "10.0.4.1", 1));
	/* Another /21. */
	assert_true(add(r, "10.0.8.0", 3));
}

TEST(classes_of_ipv6)
{
	cleanup_(free_limiter) struct ratelimit *r =
	    ratelimit_new(&(struct ratelimit_opts){ { { TIME_MIN, { 1, 2, 3 } } }, test_clock(), 0 });

	assert_true(add(r, "2001:db8:1:1::1", 1));
	assert_false(add(r, "2001:db8:1:1:ffff::2", 1));        /* same /64 */
	assert_true(add(r, "2001:db8:1:2::1", 1));
	assert_false(add(r, "2001:db8:1:3::1", 1));             /* same /48 */
	assert_true(add(r, "2001:db8:2:1::1", 1));
	assert_false(add(r, "2001:db8:3:1::1", 1));             /* same /32 */
	assert_true(add(r, "2001:db9::1", 1));
	/* A mapped address is an IPv4 address. */
	assert_true(add(r, "::ffff:10.0.0.1", 1));
	assert_false(add(r, "10.0.0.1", 1));
}

TEST(next_window_starts_at_zero)
{
	cleanup_(free_limiter) struct ratelimit *r =
	    ratelimit_new(&(struct ratelimit_opts){ { { TIME_MIN, { 1, 9, 9 } } }, test_clock(), 0 });

	test_clock_set(1000 * TIME_MIN);
	assert_true(add(r, "10.0.0.1", 1));
	test_clock_set(1001 * TIME_MIN - 1);
	assert_false(add(r, "10.0.0.1", 1));
	test_clock_set(1001 * TIME_MIN);
	assert_true(add(r, "10.0.0.1", 1));
	assert_false(add(r, "10.0.0.1", 1));
}

TEST(refused_by_one_window_counts_in_none)
{
	cleanup_(free_limiter) struct ratelimit *r = ratelimit_new(&(struct ratelimit_opts){
	    { { TIME_MIN, { 2, 9, 9 } }, { TIME_HOUR, { 3, 9, 9 } } }, test_clock(), 0 });

	test_clock_set(0);
	assert_true(add(r, "10.0.0.1", 2));
	for (int i = 0; i < 5; i++)
		assert_false(add(r, "10.0.0.1", 1));
	test_clock_add(TIME_MIN);
	assert_false(add(r, "10.0.0.1", 2));    /* 3 an hour */
	assert_true(add(r, "10.0.0.1", 1));
	test_clock_add(TIME_MIN);
	assert_false(add(r, "10.0.0.1", 1));
	test_clock_set(TIME_HOUR);
	assert_true(add(r, "10.0.0.1", 2));
}

TEST(reset_gives_back_to_the_networks)
{
	cleanup_(free_limiter) struct ratelimit *r = ratelimit_new(&(struct ratelimit_opts){
	    { { TIME_MIN, { 5, 6, 6 } }, { TIME_HOUR, { 5, 6, 6 } } }, test_clock(), 0 });
	struct ip a = ip_of("10.0.0.1"), unknown = ip_of("10.9.0.1");

	assert_true(add(r, "10.0.0.1", 5));
	assert_true(add(r, "10.0.0.2", 1));
	assert_false(add(r, "10.0.0.3", 1));
	ratelimit_reset(r, &unknown);
	ratelimit_reset(r, &a);
	ratelimit_reset(r, &a);
	assert_true(add(r, "10.0.0.1", 5));
	assert_false(add(r, "10.0.0.3", 1));    /* the count of .2 is still there */
	/* A window that has passed is not touched. */
	test_clock_add(TIME_DAY);
	ratelimit_reset(r, &a);
	assert_true(add(r, "10.0.0.1", 5));
}

TEST(open_connections)
{
	cleanup_(free_limiter) struct ratelimit *r =
	    ratelimit_new(&(struct ratelimit_opts){ { { RATELIMIT_OPEN, { 2, 3, 3 } } }, test_clock(), 0 });

	assert_true(add(r, "10.0.0.1", 1));
	assert_true(add(r, "10.0.0.1", 1));
	test_clock_add(1000 * TIME_DAY);
	assert_false(add(r, "10.0.0.1", 1));
	assert_true(add(r, "10.0.0.1", -1));
	assert_true(add(r, "10.0.0.1", 1));
	assert_true(add(r, "10.0.0.2", 1));
	assert_false(add(r, "10.0.0.3", 1));
	/* More is taken back than was counted: nothing falls below 0. */
	assert_true(add(r, "10.0.0.1", -5));
	assert_true(add(r, "10.0.0.9", -1));
	assert_true(add(r, "10.0.0.1", 2));
	assert_false(add(r, "10.0.0.1", 1));
}

TEST(no_address_is_not_limited)
{
	cleanup_(free_limiter) struct ratelimit *r =
	    ratelimit_new(&(struct ratelimit_opts){ { { TIME_MIN, { 1, 1, 1 } } }, NULL, 0 });
	struct ip none = { 0 };

	for (int i = 0; i < 3; i++) {
		assert_true(ratelimit_can_add(r, &none, 5));
		assert_true(ratelimit_add(r, &none, 5));
		ratelimit_reset(r, &none);
	}
	ratelimit_free(NULL);
}

TEST(no_window_is_no_limit)
{
	cleanup_(free_limiter) struct ratelimit *r = ratelimit_new(&(struct ratelimit_opts){ 0 });

	assert_true(add(r, "10.0.0.1", INT32_MAX));
	assert_true(add(r, "10.0.0.1", INT32_MAX));
}

static struct ip
nth_ip(uint32_t i)
{
	struct ip ip = { .family = 4, .a = { 20, (uint8_t)(i >> 16), (uint8_t)(i >> 8), (uint8_t)i } };

	return ip;
}

TEST(many_addresses_grow_the_table)
{
	cleanup_(free_limiter) struct ratelimit *r =
	    ratelimit_new(&(struct ratelimit_opts){ { { RATELIMIT_OPEN, { 1, 1000, 10000 } } }, test_clock(), 0 });
	struct ip ip;

	for (uint32_t i = 0; i < 20000; i++) {
		ip = nth_ip(i);
		assert_true(ratelimit_add(r, &ip, 1));
	}
	for (uint32_t i = 0; i < 20000; i++) {
		ip = nth_ip(i);
		assert_false(ratelimit_can_add(r, &ip, 1));
	}
	/* Removing every other one moves the rest about; they must all be found still. */
	for (uint32_t i = 0; i < 20000; i += 2) {
		ip = nth_ip(i);
		assert_true(ratelimit_add(r, &ip, -1));
	}
	for (uint32_t i = 0; i < 20000; i++) {
		ip = nth_ip(i);
		assert_int_equal(ratelimit_can_add(r, &ip, 1), i % 2 == 0);
	}
}

TEST(flood_does_not_wash_away_a_busy_address)
{
	cleanup_(free_limiter) struct ratelimit *r = ratelimit_new(&(struct ratelimit_opts){
	    { { TIME_MIN, { 10, 100000, 100000 } } }, test_clock(), 1000 });
	struct ip ip, first = nth_ip(0);
	unsigned remembered = 0;

	assert_true(add(r, "10.0.0.1", 10));
	for (uint32_t i = 0; i < 50000; i++) {
		ip = nth_ip(i);
		assert_true(ratelimit_add(r, &ip, 1));
	}
	assert_false(add(r, "10.0.0.1", 1));
	/* Of the others only some are known. */
	for (uint32_t i = 0; i < 50000; i++) {
		ip = nth_ip(i);
		remembered += !ratelimit_can_add(r, &ip, 10);
	}
	assert_in_range(remembered, 1, 1000);
	ratelimit_reset(r, &first);
}

TEST(four_windows_in_tiny_tables)
{
	cleanup_(free_limiter) struct ratelimit *r = ratelimit_new(&(struct ratelimit_opts){
	    { { TIME_SEC, { 1, 9, 9 } }, { TIME_MIN, { 2, 9, 9 } }, { TIME_HOUR, { 3, 9, 9 } }, { TIME_DAY, { 4, 9, 9 } } },
	    test_clock(), 3 });

	test_clock_set(0);
	assert_true(add(r, "10.0.0.1", 1));
	assert_false(add(r, "10.0.0.1", 1));
	/* There is room for one address with its networks; the one that is at its limit stays. */
	assert_true(add(r, "11.0.0.1", 1));
	assert_false(add(r, "10.0.0.1", 1));
}

static void
make_useless(void *arg unused_)
{
	ratelimit_new(&(struct ratelimit_opts){ .max_keys = 2 });
}

TEST(table_must_hold_one_address)
{
	test_bug(make_useless, NULL, "max_keys");
}

TEST(full_open_window_refuses)
{
	cleanup_(free_limiter) struct ratelimit *r =
	    ratelimit_new(&(struct ratelimit_opts){ { { RATELIMIT_OPEN, { 2, 9, 9 } } }, test_clock(), 6 });

	assert_true(add(r, "10.0.0.1", 1));
	assert_true(add(r, "11.0.0.1", 1));
	assert_false(add(r, "12.0.0.1", 1));
	assert_true(add(r, "11.0.0.1", -1));
	assert_true(add(r, "12.0.0.1", 1));
}

#define THREADS 4
#define ROUNDS 2000

static void *
open_and_close(void *arg)
{
	struct ratelimit *r = arg;
	struct ip ip = { .family = 4, .a = { 10, 0, 0, 1 } };
	uintptr_t refused = 0;

	for (int i = 0; i < ROUNDS; i++) {
		if (ratelimit_add(r, &ip, 1))
			ratelimit_add(r, &ip, -1);
		else
			refused++;
	}
	return (void *)refused;
}

TEST(threads)
{
	cleanup_(free_limiter) struct ratelimit *r =
	    ratelimit_new(&(struct ratelimit_opts){ { { RATELIMIT_OPEN, { THREADS, 9, 9 } } }, NULL, 0 });
	pthread_t t[THREADS];

	for (int i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&t[i], NULL, open_and_close, r), 0);
	for (int i = 0; i < THREADS; i++) {
		void *refused;

		assert_int_equal(pthread_join(t[i], &refused), 0);
		assert_null(refused);
	}
	assert_true(add(r, "10.0.0.1", THREADS));
}
