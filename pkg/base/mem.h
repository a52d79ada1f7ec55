/* SPDX-License-Identifier: MIT */
/*
 * mem.h - heap allocation that cannot fail, and secrets.
 *
 * Out of memory aborts. Therefore no size may come from a peer without passing a limit of limits.h first. All memory is zeroed.
 */
#ifndef BASE_MEM_H
#define BASE_MEM_H

#include <stdbool.h>
#include <stddef.h>

#include "base/macros.h"
#include "base/str.h"

void *mem_alloc(size_t n) __attribute__((malloc, alloc_size(1), returns_nonnull));
void *mem_allocn(size_t count, size_t size) __attribute__((malloc, alloc_size(1, 2), returns_nonnull));
/* mem_grow changes the size of p (may be NULL) from old to new elements of the given size, zeroing what is added. */
void *mem_grow(void *p, size_t old, size_t new_count, size_t size) __attribute__((returns_nonnull)) must_use_;
char *mem_strdup(const char *s) __attribute__((malloc, returns_nonnull));
/* mem_str copies s to the heap with a terminator. */
char *mem_str(struct str s) __attribute__((malloc, returns_nonnull));
/* mem_free frees *p (NULL is fine) and sets it to NULL. Use as mem_free(&p). */
#define mem_free(pp) do { mem_free_(*(pp)); *(pp) = NULL; } while (0)
void mem_free_(void *p);
/* mem_cleanup is for cleanup_(): frees the pointer that the variable holds. */
void mem_cleanup(void *pp);

/* mem_erase overwrites n bytes in a way that the compiler keeps. */
void mem_erase(void *p, size_t n);
/* mem_equal compares in time that depends on n only. */
bool mem_equal(const void *a, const void *b, size_t n);

/* A secret: heap bytes that are erased when released. Zero-initialise; release with secret_done (fits cleanup_()). */
struct secret {
	char *p;
	size_t n;
};
void secret_set(struct secret *s, struct str value);
struct str secret_str(const struct secret *s);
/* secret_equal compares in constant time with respect to content. */
bool secret_equal(const struct secret *s, struct str value);
void secret_done(struct secret *s);

#endif
