/* SPDX-License-Identifier: MIT */
/*
 * Running the program.
 *
 * Implementation notes. A list holds the states at one place of the subject, each at most once, in the order of preference
 * (leftmost match, then the way the pattern prefers). With captures each state has a row of offsets; without, none, and the
 * first match decides.
 */
#include "base/buf.h"
#include "base/mem.h"
#include "base/utf8.h"
#include "regexp/regexp_internal.h"

struct list {
	uint32_t *state, *place; /* place[s] is valid if below n and state[place[s]] is s */
	size_t *slots;           /* nslots for each state; NULL without captures */
	uint32_t n;
};

/* A step of following jumps: go to a state, or give a slot back its old value. */
struct todo {
	uint32_t state;
	uint32_t slot; /* UINT32_MAX: go to the state */
	size_t old;
};

struct vm {
	const struct regexp *re;
	struct str s;
	size_t nslots;
	struct list a, b;
	struct todo *todo;
	size_t *slots; /* of the state being followed */
	/* Around the place at hand: */
	size_t off;
	uint32_t before, after; /* code points; NONE at the ends */
};

#define NONE UINT32_MAX
#define UNSET SIZE_MAX

static bool
is_word(uint32_t cp)
{
	return (cp >= '0' && cp <= '9') || (cp >= 'A' && cp <= 'Z') || (cp >= 'a' && cp <= 'z') || cp == '_';
}

static bool
holds(const struct vm *vm, enum regexp_assert kind)
{
	switch (kind) {
	case REGEXP_START: return vm->before == NONE;
	case REGEXP_END: return vm->after == NONE;
	case REGEXP_LINE_START: return vm->before == NONE || vm->before == '\n';
	case REGEXP_LINE_END: return vm->after == NONE || vm->after == '\n';
	case REGEXP_WORD_EDGE: return is_word(vm->before) != is_word(vm->after);
	case REGEXP_NO_WORD_EDGE: return is_word(vm->before) == is_word(vm->after);
	}
	return false;
}

static bool
has_state(const struct list *l, uint32_t s)
{
	return l->place[s] < l->n && l->state[l->place[s]] == s;
}

/* Adds a state and all that it leads to without taking a character, in order of preference. */
static void
follow(struct vm *vm, struct list *l, uint32_t start)
{
	size_t n = 0;

	vm->todo[n++] = (struct todo){ start, NONE, 0 };
	while (n > 0) {
		struct todo t = vm->todo[--n];

		if (t.slot != NONE) {
			vm->slots[t.slot] = t.old;
			continue;
		}
		for (uint32_t s = t.state; !has_state(l, s);) {
			const struct regexp_inst *i = &vm->re->prog[s];

			l->place[s] = l->n;
			l->state[l->n++] = s;
			if (i->op == REGEXP_OP_JUMP) {
				s = i->x;
			} else if (i->op == REGEXP_OP_SPLIT) {
				vm->todo[n++] = (struct todo){ i->y, NONE, 0 };
				s = i->x;
			} else if (i->op == REGEXP_OP_SAVE) {
				if (i->x < vm->nslots) {
					vm->todo[n++] = (struct todo){ 0, i->x, vm->slots[i->x] };
					vm->slots[i->x] = vm->off;
				}
				s++;
			} else if (i->op == REGEXP_OP_ASSERT) {
				if (!holds(vm, (enum regexp_assert)i->x))
					break;
				s++;
			} else {
				if (vm->nslots)
					memcpy(l->slots + (l->n - 1) * vm->nslots, vm->slots, vm->nslots * sizeof(size_t));
				break;
			}
		}
	}
}

static uint32_t
decode(struct str s, int *r_n)
{
	uint32_t cp;

	*r_n = utf8_next(s, &cp);
	if (*r_n == 0)
		return NONE;
	if (*r_n < 0) {
		*r_n = 1;
		return 0xfffd;
	}
	return cp;
}

/* True if found; slots (may be NULL) then has the offsets. */
static bool
run(struct vm *vm, size_t *slots)
{
	struct list *now = &vm->a, *next = &vm->b;
	bool found = false;
	int width;

	vm->before = NONE;
	vm->off = 0;
	vm->after = decode(vm->s, &width);
	for (;;) {
		if (!found) { /* a match may also begin here, but those that began before are preferred */
			for (size_t i = 0; i < vm->nslots; i++)
				vm->slots[i] = UNSET;
			follow(vm, now, 0);
		}
		if (now->n == 0)
			return found;
		uint32_t cp = vm->after;
		int step = width;
		size_t off = vm->off;
		vm->before = cp;
		vm->off = off + (size_t)step;
		vm->after = decode(str_from(vm->s, vm->off), &width);
		next->n = 0;
		for (uint32_t k = 0; k < now->n; k++) {
			const struct regexp_inst *i = &vm->re->prog[now->state[k]];

			if (i->op == REGEXP_OP_MATCH) {
				found = true;
				if (vm->nslots == 0)
					return true;
				memcpy(slots, now->slots + k * vm->nslots, vm->nslots * sizeof(size_t));
				slots[1] = off;
				break; /* the rest is less preferred */
			}
			if (i->op != REGEXP_OP_CHAR || cp == NONE || !regexp_class_has(i->class, cp))
				continue;
			if (vm->nslots)
				memcpy(vm->slots, now->slots + k * vm->nslots, vm->nslots * sizeof(size_t));
			follow(vm, next, now->state[k] + 1);
		}
		if (cp == NONE)
			return found;
		struct list *swap = now;
		now = next;
		next = swap;
	}
}

static void
init_list(struct arena *a, struct list *l, const struct vm *vm)
{
	l->state = ARENA_NEWN(a, vm->re->n, uint32_t);
	l->place = ARENA_NEWN(a, vm->re->n, uint32_t);
	if (vm->nslots)
		l->slots = ARENA_NEWN(a, vm->re->n * vm->nslots, size_t);
}

static bool
search(const struct regexp *re, struct str subject, size_t nslots, size_t *slots)
{
	struct arena a = { 0 };
	struct vm vm = { .re = re, .s = str_upto(subject, REGEXP_MAX_SUBJECT), .nslots = nslots };
	bool found;

	init_list(&a, &vm.a, &vm);
	init_list(&a, &vm.b, &vm);
	vm.todo = ARENA_NEWN(&a, re->n + 1, struct todo);
	vm.slots = ARENA_NEWN(&a, nslots + 1, size_t);
	found = run(&vm, slots);
	arena_done(&a);
	return found;
}

bool
regexp_match(const struct regexp *re, struct str subject)
{
	return search(re, subject, 0, NULL);
}

static struct str
group(struct str subject, const size_t *slots, size_t nslots, uint64_t i)
{
	if (i >= nslots / 2 || slots[2 * i] == UNSET || slots[2 * i + 1] == UNSET)
		return (struct str){ 0 };
	return str_n(subject.p + slots[2 * i], slots[2 * i + 1] - slots[2 * i]);
}

static void
expand(struct buf *b, struct str template, struct str subject, const size_t *slots, size_t nslots)
{
	ssize_t dollar;
	uint64_t i;

	while ((dollar = str_find(template, '$')) >= 0) {
		struct str rest = str_from(template, (size_t)dollar + 1);

		buf_add(b, str_upto(template, (size_t)dollar));
		template = str_from(rest, 1);
		if (str_starts(rest, S("$"))) {
			buf_addc(b, '$');
		} else if (rest.n && rest.p[0] >= '0' && rest.p[0] <= '9') {
			buf_add(b, group(subject, slots, nslots, (uint64_t)(rest.p[0] - '0')));
		} else if (str_starts(rest, S("{")) && str_has(rest, '}')) {
			if (str_u64(str_split(&template, '}'), &i) == 0)
				buf_add(b, group(subject, slots, nslots, i));
		} else {
			buf_addc(b, '$');
			template = rest;
		}
	}
	buf_add(b, template);
}

int
regexp_expand(const struct regexp *re, struct arena *a, struct str subject, struct str template, struct str *r_out)
{
	struct buf b = BUF_ARENA(a, 10 * REGEXP_MAX_SUBJECT);
	size_t slots[2 * (REGEXP_MAX_GROUPS + 1)], nslots = 2 * (re->groups + 1);

	if (!search(re, subject, nslots, slots))
		return 0;
	expand(&b, template, subject, slots, nslots);
	if (b.failed)
		return 0;
	*r_out = buf_str(&b);
	return 1;
}
