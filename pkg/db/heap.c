/* SPDX-License-Identifier: MIT */
/*
 * Memory of SQLite, apart from the program's heap.
 *
 * What SQLite allocates goes when its connections are closed, and there are many of them for a moment when many clients log in. In the common heap that
 * memory lies between what the sessions keep for hours, so it cannot be given back: 10 KiB for each of 1,000 idle connections. Here it is in chunks of
 * its own, each for objects of one size, which are unmapped when they are empty.
 *
 * Chunks are aligned, so an object finds its own. They are small, since a connection that stays holds one of nearly every size. What is larger than the
 * largest class has a mapping of its own, with the same header.
 */
#include <sys/mman.h>

#include "base/lock.h"
#include "db/db_internal.h"

#define ALIGN ((size_t)256 << 10)
#define CHUNK_MIN ((size_t)32 << 10)
#define CHUNK_OBJECTS 7                 /* at least so many are in a chunk: 32 KiB hold seven pages of the cache */
#define HEADER ((size_t)64)
#define LARGEST ((size_t)32 << 10)
#define CLASSES 72
#define ONE_OBJECT CLASSES              /* class of a mapping of its own */

struct chunk {
	size_t size, end;               /* of an object; of the chunk with its header */
	unsigned class, used;           /* used: objects in use */
	size_t fresh;                   /* offset of the first object that was never used */
	void *free;                     /* objects that were: each points to the next */
	struct chunk *next, **at;       /* in the list of those with room; at is NULL for one that is full */
};
_Static_assert(sizeof(struct chunk) <= HEADER, "header of a chunk");

static struct class {
	struct lock lock;
	struct chunk *room;             /* chunks that are not full; the first is used */
	unsigned empty;                 /* of these, empty ones: one is kept, so that a lone object does not map and unmap */
} classes[CLASSES];

/* Sizes rise by 16 to 256, from there by an eighth of the power of two below. */
unsigned
db_heap_class(size_t n)
{
	if (n <= 256)
		return n ? (unsigned)((n - 1) / 16) : 0;
	unsigned log = 63u - (unsigned)__builtin_clzll(n - 1);
	return 16 + (log - 8) * 8 + (unsigned)(((n - 1) >> (log - 3)) & 7);
}

size_t
db_heap_class_size(unsigned class)
{
	if (class < 16)
		return (class + 1) * (size_t)16;
	unsigned log = 8 + (class - 16) / 8;
	return ((size_t)1 << log) + ((size_t)((class - 16) % 8 + 1) << (log - 3));
}

static struct chunk *
chunk_of(void *p)
{
	return (struct chunk *)((uintptr_t)p & ~(uintptr_t)(ALIGN - 1));
}

/* map returns n octets, whole pages, at a multiple of ALIGN; NULL when there are none. */
static struct chunk *
map(size_t n)
{
	char *p = mmap(NULL, n + ALIGN, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (p == MAP_FAILED)
		return NULL;
	size_t before = (size_t)(-(uintptr_t)p & (ALIGN - 1)), after = ALIGN - before;
	if (before > 0)
		munmap(p, before);
	if (after > 0)
		munmap(p + before + n, after);
	return (struct chunk *)(void *)(p + before);
}

static size_t
pages(size_t n)
{
	return (n + HEADER + 4095) & ~(size_t)4095;
}

static void
list_in(struct class *k, struct chunk *c)
{
	c->next = k->room;
	c->at = &k->room;
	if (c->next)
		c->next->at = &c->next;
	k->room = c;
}

static void
list_out(struct chunk *c)
{
	*c->at = c->next;
	if (c->next)
		c->next->at = c->at;
	c->at = NULL;
}

static bool
is_full(const struct chunk *c)
{
	return !c->free && c->fresh + c->size > c->end;
}

static void *
one_object(size_t n)
{
	if (n > SIZE_MAX / 2)
		return NULL;
	struct chunk *c = map(pages(n));
	if (!c)
		return NULL;
	*c = (struct chunk){ .size = pages(n) - HEADER, .end = pages(n), .class = ONE_OBJECT, .used = 1 };
	return (char *)c + HEADER;
}

void *
db_heap_alloc(size_t n)
{
	if (n > LARGEST)
		return one_object(n);
	unsigned class = db_heap_class(n);
	struct class *k = &classes[class];
	LOCKED(&k->lock);
	struct chunk *c = k->room;
	if (!c) {
		size_t size = db_heap_class_size(class), end = MAX(CHUNK_MIN, pages(CHUNK_OBJECTS * size));
		if (!(c = map(end)))
			return NULL;
		*c = (struct chunk){ .size = size, .end = end, .class = class, .fresh = HEADER };
		list_in(k, c);
		k->empty++;
	}
	if (c->used++ == 0)
		k->empty--;
	void *p = c->free;
	if (p) {
		c->free = *(void **)p;
	} else {
		p = (char *)c + c->fresh;
		c->fresh += c->size;
	}
	if (is_full(c))
		list_out(c);
	return p;
}

void
db_heap_free(void *p)
{
	if (!p)
		return;
	struct chunk *c = chunk_of(p);
	if (c->class == ONE_OBJECT) {
		munmap(c, c->end);
		return;
	}
	struct class *k = &classes[c->class];
	LOCKED(&k->lock);
	if (!c->at)
		list_in(k, c);
	*(void **)p = c->free;
	c->free = p;
	if (--c->used > 0)
		return;
	if (k->empty > 0) {
		list_out(c);
		munmap(c, c->end);
	} else {
		k->empty++;
	}
}

size_t
db_heap_size(void *p)
{
	return p ? chunk_of(p)->size : 0;
}

void *
db_heap_realloc(void *p, size_t n)
{
	size_t have = db_heap_size(p);
	/* Also when it shrinks, so that what is kept does not hold more than it needs. */
	if (p && n <= have && (n > LARGEST ? pages(n) - HEADER == have : chunk_of(p)->class == db_heap_class(n)))
		return p;
	void *q = db_heap_alloc(n);
	if (!q)
		return NULL;
	if (p)
		memcpy(q, p, MIN(have, n));
	db_heap_free(p);
	return q;
}

void
db_heap_trim(void)
{
	for (unsigned i = 0; i < CLASSES; i++) {
		struct class *k = &classes[i];
		LOCKED(&k->lock);
		for (struct chunk *c = k->room, *next; c && k->empty > 0; c = next) {
			next = c->next;
			if (c->used > 0)
				continue;
			list_out(c);
			munmap(c, c->end);
			k->empty--;
		}
	}
}

/* --- as SQLite calls it --- */

static void *sqlite_malloc(int n) { return db_heap_alloc((size_t)n); }
static void *sqlite_realloc(void *p, int n) { return db_heap_realloc(p, (size_t)n); }
static int sqlite_size(void *p) { return (int)db_heap_size(p); }
static int sqlite_init(void *arg unused_) { return SQLITE_OK; }
static void sqlite_shutdown(void *arg unused_) {}

static int
sqlite_roundup(int n)
{
	return (size_t)n > LARGEST ? (n + 7) & ~7 : (int)db_heap_class_size(db_heap_class((size_t)n));
}

void
db_heap_init(void)
{
	for (unsigned i = 0; i < CLASSES; i++)
		lock_init(&classes[i].lock, LOCK_MEM, "database memory");
}

void
db_heap_install(void)
{
	static const struct sqlite3_mem_methods methods = {
		sqlite_malloc, db_heap_free, sqlite_realloc, sqlite_size, sqlite_roundup, sqlite_init, sqlite_shutdown, NULL,
	};
	bug_if(sqlite3_config(SQLITE_CONFIG_MALLOC, &methods) != SQLITE_OK);
}
