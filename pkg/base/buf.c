/* SPDX-License-Identifier: MIT */
#include "base/buf.h"

#include "base/arena.h"
#include "base/err.h"
#include "base/mem.h"

void
buf_init(struct buf *b, size_t max)
{
	*b = (struct buf){ .max = max };
}

void
buf_done(struct buf *b)
{
	if (b->a == NULL)
		free(b->p);
	b->p = NULL;
	b->n = b->cap = 0;
	b->failed = false;
}

void
buf_reset(struct buf *b)
{
	buf_truncate(b, 0);
	b->failed = false;
}

struct str
buf_str(const struct buf *b)
{
	return str_n(b->p, b->n);
}

char *
buf_detach(struct buf *b, size_t *r_n)
{
	char *p;

	bug_if(b->a != NULL);
	p = b->p ? b->p : mem_alloc(1);
	*r_n = b->n;
	b->p = NULL;
	buf_done(b);
	return p;
}

bool
buf_reserve(struct buf *b, size_t n)
{
	size_t need, cap;

	if (b->failed || n > b->max - b->n) {
		b->failed = true;
		return false;
	}
	need = b->n + n + 1;    /* with the terminator */
	if (need <= b->cap)
		return true;
	cap = MAX(need, MAX((size_t)64, b->cap * 2));
	if (cap - 1 > b->max)
		cap = MAX(need, b->max + 1);
	if (b->a)
		b->p = arena_grow(b->a, b->p, b->cap, cap, 1);
	else
		b->p = mem_grow(b->p, cap, cap, 1);     /* cap as the old size: nothing behind n is read, so it need not be zeroed */
	b->cap = cap;
	b->p[b->n] = '\0';
	return true;
}

char *
buf_tail(struct buf *b)
{
	return b->p + b->n;
}

void
buf_wrote(struct buf *b, size_t n)
{
	if (n == 0)
		return;
	bug_if(n >= b->cap - b->n);
	b->n += n;
	b->p[b->n] = '\0';
}

void
buf_add(struct buf *b, struct str s)
{
	if (s.n == 0 || !buf_reserve(b, s.n))
		return;
	memcpy(b->p + b->n, s.p, s.n);
	buf_wrote(b, s.n);
}

void
buf_addz(struct buf *b, const char *z)
{
	buf_add(b, str_of(z));
}

void
buf_addc_(struct buf *b, char c)
{
	if (!buf_reserve(b, 1))
		return;
	b->p[b->n] = c;
	buf_wrote(b, 1);
}

void
buf_addu(struct buf *b, uint64_t v)
{
	char t[20];
	size_t i = sizeof(t);

	do {
		t[--i] = (char)('0' + v % 10);
		v /= 10;
	} while (v > 0);
	buf_add(b, str_n(t + i, sizeof(t) - i));
}

void
buf_addi(struct buf *b, int64_t v)
{
	struct buf undo = *b;

	if (v >= 0) {
		buf_addu(b, (uint64_t)v);
		return;
	}
	buf_addc(b, '-');
	buf_addu(b, -(uint64_t)v);
	if (b->failed && !undo.failed)
		buf_truncate(b, undo.n);        /* an append is dropped whole */
}

void
buf_addf(struct buf *b, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	buf_addv(b, fmt, ap);
	va_end(ap);
}

void
buf_addv(struct buf *b, const char *fmt, va_list ap)
{
	va_list again;
	int n;

	if (b->failed)
		return;
	va_copy(again, ap);
	n = vsnprintf(b->cap > 0 ? b->p + b->n : NULL, b->cap > 0 ? b->cap - b->n : 0, fmt, ap);
	if (n < 0)
		bug("buf_addf: format \"%s\" fails", fmt);
	if (b->cap > 0 && (size_t)n < b->cap - b->n) {
		b->n += (size_t)n;
	} else if (buf_reserve(b, (size_t)n)) {
		vsnprintf(b->p + b->n, b->cap - b->n, fmt, again);
		b->n += (size_t)n;
	} else if (b->cap > 0) {
		b->p[b->n] = '\0';
	}
	va_end(again);
}

void
buf_truncate(struct buf *b, size_t n)
{
	if (n >= b->n)
		return;
	b->n = n;
	b->p[n] = '\0';
}

void
buf_drop(struct buf *b, size_t n)
{
	if (n >= b->n) {
		buf_truncate(b, 0);
		return;
	}
	memmove(b->p, b->p + n, b->n - n);
	buf_truncate(b, b->n - n);
}
