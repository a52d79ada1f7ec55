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
#define MIN(a, b) ({ __typeof__(a) min_a_ = (a); __typeof__(b) min_b_ = (b); min_a_ < min_b_ ? min_a_ : min_b_; })
#define MAX(a, b) ({ __typeof__(a) max_a_ = (a); __typeof__(b) max_b_ = (b); max_a_ > max_b_ ? max_a_ : max_b_; })
#define container_of(p, type, member) ((type *)(void *)((char *)(p) - offsetof(type, member)))

/* TRY leaves the function with the error of expr (negative). */
#define TRY(expr) do { int try_ = (expr); if (try_ < 0) return try_; } while (0)

/* take moves a pointer out of a variable, which becomes NULL: ownership goes to the caller. */
#define take(p) ({ __typeof__(p) take_ = (p); (p) = NULL; take_; })

/* ignore_result makes visible that a result is dropped on purpose. */
#define ignore_result(expr) do { if (expr) { } } while (0)

#endif
