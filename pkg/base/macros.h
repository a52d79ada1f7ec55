/* SPDX-License-Identifier: MIT */
/*
 * macros.h - attributes and small idioms used everywhere.
 */
#ifndef BASE_MACROS_H
#define BASE_MACROS_H

#include <stddef.h>

/* cleanup_(f) runs f(&variable) when the variable leaves its scope. f accepts a zeroed variable. */
#define cleanup_(f) __attribute__((cleanup(f)))
#define must_use_ __attribute__((warn_unused_result))
#define printf_(fmt, args) __attribute__((format(printf, fmt, args)))
#define noreturn_ __attribute__((noreturn))
#define nonnull_ __attribute__((nonnull))
#define unused_ __attribute__((unused))
#define nonstring_ __attribute__((nonstring))

#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))
/* MIN and MAX evaluate each side once. The names of the copies differ at each use, so that they nest. */
#define MIN(a, b) PICK_(<, a, b, __COUNTER__)
#define MAX(a, b) PICK_(>, a, b, __COUNTER__)
#define PICK_(op, a, b, n) PICK__(op, a, b, n)
#define PICK__(op, a, b, n) ({ \
	__typeof__(a) pick_a_##n = (a); \
	__typeof__(b) pick_b_##n = (b); \
	pick_a_##n op pick_b_##n ? pick_a_##n : pick_b_##n; })
#define container_of(p, type, member) ((type *)(void *)((char *)(p) - offsetof(type, member)))

/* TRY leaves the function with the error of expr (negative). */
#define TRY(expr) do { int try_ = (expr); if (try_ < 0) return try_; } while (0)

/* take moves a pointer out of a variable, which becomes NULL: ownership goes to the caller. */
#define take(p) ({ __typeof__(p) take_ = (p); (p) = NULL; take_; })

/* ignore_result makes visible that a result is dropped on purpose. */
#define ignore_result(expr) do { if (expr) { } } while (0)

#endif
