/* SPDX-License-Identifier: MIT */
/*
 * Implementation notes. Node i < n is message i; nodes above are dummies: messages that are referred to and not there,
 * or (REFERENCES) the common parent of threads with the same subject. Children are linked lists. Node 0..: index + 1,
 * so that 0 is "none".
 */
#include "imapserver/thread.h"

#include <stdlib.h>

#include "base/hash.h"

#define NONE 0                          /* of links: index + 1 */

struct node {
	uint32_t parent;
	uint32_t first, last, next;     /* children, and the next one of the same parent */
	int64_t key;                    /* siblings stand in its order */
};

struct forest {
	const struct thread_message *v;
	size_t n;
	struct node *nodes;             /* 1.. */
	size_t nnodes, cap;
	struct arena *a;
	uint32_t *roots;
	size_t nroots;
};

static bool
is_dummy(const struct forest *f, uint32_t node)
{
	return node > f->n;
}

static uint32_t
new_node(struct forest *f)
{
	if (f->nnodes + 1 >= f->cap) {
		size_t more = 2 * f->cap;
		f->nodes = arena_grow(f->a, f->nodes, f->cap, more, sizeof(*f->nodes));
		f->cap = more;
	}
	return (uint32_t)++f->nnodes;
}

/* Whether node is above or at `below`. */
static bool
is_ancestor(const struct forest *f, uint32_t node, uint32_t below)
{
	while (below != NONE && below != node)
		below = f->nodes[below].parent;
	return below == node;
}

/* Only parents are kept while they change (step 1); the lists of children are made at once by link_children. */
static void
set_parent(struct forest *f, bool *has_children, uint32_t parent, uint32_t child)
{
	/* No loops. What has no children is above nothing, which is how most messages are. */
	if (parent == child || (has_children[child] && is_ancestor(f, child, parent)))
		return;
	f->nodes[child].parent = parent;
	has_children[parent] = true;
}

static void
add_child(struct forest *f, uint32_t parent, uint32_t child)
{
	struct node *p = &f->nodes[parent];

	f->nodes[child].parent = parent;
	f->nodes[child].next = NONE;
	if (p->last == NONE)
		p->first = child;
	else
		f->nodes[p->last].next = child;
	p->last = child;
}

struct sibling {
	int64_t key;
	uint32_t order, node;
};

static int
by_key(const void *x, const void *y)
{
	const struct sibling *a = x, *b = y;

	if (a->key != b->key)
		return a->key < b->key ? -1 : 1;
	return a->order < b->order ? -1 : a->order > b->order;
}

/* Nodes in the order of their keys; equal ones in mailbox order, which for a dummy is that of its first child. */
static void
sort_nodes(const struct forest *f, struct sibling *scratch, uint32_t *v, size_t n)
{
	for (size_t i = 0; i < n; i++)
		scratch[i] = (struct sibling){ f->nodes[v[i]].key, is_dummy(f, v[i]) ? f->nodes[v[i]].first : v[i], v[i] };
	if (n > 1)
		qsort(scratch, n, sizeof(*scratch), by_key);
	for (size_t i = 0; i < n; i++)
		v[i] = scratch[i].node;
}

/* Sorts the children of every node. A dummy has the key of its first child (rfc/5256:536). */
static void
sort_children(struct forest *f)
{
	struct sibling *scratch = ARENA_NEWN(f->a, f->nnodes + 1, struct sibling);
	uint32_t *v = ARENA_NEWN(f->a, f->nnodes + 1, uint32_t);

	for (uint32_t node = 1; node <= f->nnodes; node++) {
		size_t n = 0;
		for (uint32_t child = f->nodes[node].first; child != NONE; child = f->nodes[child].next)
			v[n++] = child;
		if (n == 0)
			continue;
		sort_nodes(f, scratch, v, n);
		f->nodes[node].first = f->nodes[node].last = NONE;
		for (size_t i = 0; i < n; i++)
			add_child(f, node, v[i]);
		if (is_dummy(f, node))
			f->nodes[node].key = f->nodes[v[0]].key;
	}
}

static void
sort_roots(struct forest *f)
{
	struct sibling *scratch = ARENA_NEWN(f->a, f->nroots + 1, struct sibling);
	sort_nodes(f, scratch, f->roots, f->nroots);
}

/* Ids to nodes. A Message-ID counts for the first message that has it (rfc/5256:471). */
static uint32_t
node_of(struct forest *f, struct map *ids, struct str id)
{
	uint32_t *node = map_get(ids, id);

	if (!node) {
		node = ARENA_NEW(f->a, uint32_t);
		*node = new_node(f);
		map_set(ids, id, node);
	}
	return *node;
}

/* Step 1: parents by references   rfc/5256:457 */
static void
link_references(struct forest *f)
{
	struct map ids = { 0 };
	size_t references = 0;

	for (size_t i = 0; i < f->n; i++) {
		references += f->v[i].references.n;
		if (f->v[i].id.n == 0 || map_get(&ids, f->v[i].id))
			continue;
		uint32_t *node = ARENA_NEW(f->a, uint32_t);
		*node = (uint32_t)i + 1;
		map_set(&ids, f->v[i].id, node);
	}
	bool *has_children = ARENA_NEWN(f->a, f->n + references + 1, bool);
	for (size_t i = 0; i < f->n; i++) {
		const struct strlist *refs = &f->v[i].references;
		uint32_t self = (uint32_t)i + 1, above = NONE;
		for (size_t k = 0; k < refs->n; k++) {
			uint32_t node = node_of(f, &ids, refs->v[k]);
			if (above != NONE && f->nodes[node].parent == NONE)
				set_parent(f, has_children, above, node);
			above = node;
		}
		/* Its own last reference is the better authority: rfc/5256:497 */
		f->nodes[self].parent = NONE;
		if (above != NONE)
			set_parent(f, has_children, above, self);
	}
	map_done(&ids);
}

/*
 * Steps 2 and 3: dummies go, and their children move up to the next message; but those without a message above them
 * stay together under the topmost dummy, if there are several (rfc/5256:524).
 */
static void
prune(struct forest *f)
{
	uint32_t *up = ARENA_NEWN(f->a, f->nnodes + 1, uint32_t);      /* of dummies: the next message above, or the topmost dummy */
	uint32_t *count = ARENA_NEWN(f->a, f->nnodes + 1, uint32_t);
	uint32_t *parent = ARENA_NEWN(f->a, f->nnodes + 1, uint32_t);

	for (uint32_t self = 1; self <= f->n; self++) {
		uint32_t p = f->nodes[self].parent, top = p;
		while (top != NONE && is_dummy(f, top) && up[top] == 0 && f->nodes[top].parent != NONE)
			top = f->nodes[top].parent;
		uint32_t found = top != NONE && is_dummy(f, top) && up[top] != 0 ? up[top] : top;
		for (uint32_t d = p; d != NONE && is_dummy(f, d) && up[d] == 0; d = f->nodes[d].parent)
			up[d] = found;
		parent[self] = found;
		count[found]++;
	}
	f->roots = ARENA_NEWN(f->a, f->nnodes + 1, uint32_t);
	for (uint32_t node = 1; node <= f->nnodes; node++)
		f->nodes[node] = (struct node){ .key = is_dummy(f, node) ? 0 : f->v[node - 1].sent_us };
	for (uint32_t self = 1; self <= f->n; self++) {
		uint32_t p = parent[self];
		if (p == NONE || (is_dummy(f, p) && count[p] == 1)) {
			f->roots[f->nroots++] = self;
			continue;
		}
		if (is_dummy(f, p) && f->nodes[p].first == NONE)
			f->roots[f->nroots++] = p;
		add_child(f, p, self);
	}
}

static const struct thread_message *
subject_of(const struct forest *f, uint32_t node)
{
	return &f->v[(is_dummy(f, node) ? f->nodes[node].first : node) - 1];
}

static bool
is_response(const struct forest *f, uint32_t node)
{
	return !is_dummy(f, node) && f->v[node - 1].is_response;
}

/* Step 5: threads with the same subject become one   rfc/5256:541 */
static void
merge_subjects(struct forest *f)
{
	struct map table = { 0 };
	uint32_t *in_table = ARENA_NEWN(f->a, f->nroots + 1, uint32_t);
	size_t kept = 0, n = f->nroots;

	for (size_t i = 0; i < n; i++) {
		uint32_t node = f->roots[i];
		struct str subject = subject_of(f, node)->subject;
		if (subject.n == 0)
			continue;
		uint32_t *slot = map_get(&table, subject);
		if (!slot) {
			in_table[i] = node;
			map_set(&table, subject, &in_table[i]);
		} else if (!is_dummy(f, *slot) && (is_dummy(f, node) || (is_response(f, *slot) && !is_response(f, node)))) {
			*slot = node;
		}
	}
	for (size_t i = 0; i < n; i++) {
		uint32_t node = f->roots[i];
		struct str subject = subject_of(f, node)->subject;
		uint32_t *slot = subject.n > 0 ? map_get(&table, subject) : NULL;
		if (!slot || *slot == node)
			continue;
		uint32_t other = *slot;
		if (is_dummy(f, node) && is_dummy(f, other)) {
			for (uint32_t child = f->nodes[node].first, next; child != NONE; child = next) {
				next = f->nodes[child].next;
				add_child(f, other, child);
			}
			f->nodes[node].first = f->nodes[node].last = NONE;
		} else if (is_dummy(f, other) || (is_response(f, node) && !is_response(f, other))) {
			add_child(f, other, node);
		} else {
			uint32_t dummy = new_node(f);
			f->nodes[dummy].key = f->nodes[other].key;
			add_child(f, dummy, other);
			add_child(f, dummy, node);
			*slot = dummy;
		}
	}
	/* What is left on top: those without a parent, and the new dummies. */
	uint32_t *roots = ARENA_NEWN(f->a, f->nnodes + 1, uint32_t);
	for (uint32_t node = 1; node <= f->nnodes; node++)
		if (f->nodes[node].parent == NONE && (!is_dummy(f, node) || f->nodes[node].first != NONE))
			roots[kept++] = node;
	f->roots = roots;
	f->nroots = kept;
	map_done(&table);
}

/* REFS: a thread stands where its newest message does. */
static void
key_by_newest(struct forest *f)
{
	uint32_t *stack = ARENA_NEWN(f->a, f->nnodes + 1, uint32_t);

	for (size_t i = 0; i < f->nroots; i++) {
		int64_t newest = INT64_MIN;
		size_t depth = 0;
		stack[depth++] = f->roots[i];
		while (depth > 0) {
			uint32_t node = stack[--depth];
			if (!is_dummy(f, node))
				newest = MAX(newest, f->v[node - 1].received_us);
			for (uint32_t child = f->nodes[node].first; child != NONE; child = f->nodes[child].next)
				stack[depth++] = child;
		}
		f->nodes[f->roots[i]].key = newest;
	}
}

static void
by_references(struct forest *f, bool refs)
{
	link_references(f);
	prune(f);
	sort_children(f);
	if (refs) {
		key_by_newest(f);
	} else {
		sort_roots(f);
		merge_subjects(f);
		sort_children(f);
	}
	sort_roots(f);
}

static int
by_subject(const void *x, const void *y)
{
	const struct thread_message *const *a = x, *const *b = y;
	int d = str_cmp((*a)->subject, (*b)->subject);

	if (d != 0)
		return d;
	if ((*a)->sent_us != (*b)->sent_us)
		return (*a)->sent_us < (*b)->sent_us ? -1 : 1;
	return *a < *b ? -1 : *a > *b;
}

/* The first of each subject has all others as children   rfc/5256:360 */
static void
by_ordered_subject(struct forest *f)
{
	const struct thread_message **v = ARENA_NEWN(f->a, f->n + 1, const struct thread_message *);
	uint32_t head = NONE;

	f->roots = ARENA_NEWN(f->a, f->n + 1, uint32_t);
	for (size_t i = 0; i < f->n; i++) {
		v[i] = &f->v[i];
		f->nodes[i + 1].key = f->v[i].sent_us;
	}
	if (f->n > 1)
		qsort(v, f->n, sizeof(*v), by_subject);
	for (size_t i = 0; i < f->n; i++) {
		uint32_t node = (uint32_t)(v[i] - f->v) + 1;
		if (i > 0 && str_is(v[i]->subject, v[i - 1]->subject))
			add_child(f, head, node);
		else
			f->roots[f->nroots++] = head = node;
	}
	sort_roots(f);
}

/* thread-list = "(" (thread-members / thread-nested) ")"   rfc/5256:791 */
static void
add_thread(const struct forest *f, uint32_t root, uint32_t *stack, struct buf *b)
{
	uint32_t node = root;
	size_t depth = 0;
	bool first = true;

	buf_addc(b, '(');
	for (;;) {
		if (!is_dummy(f, node)) {
			if (!first)
				buf_addc(b, ' ');
			buf_addu(b, f->v[node - 1].number);
			first = false;
		}
		uint32_t child = f->nodes[node].first;
		if (child != NONE && f->nodes[child].next == NONE) {
			node = child;
			continue;
		}
		if (child != NONE) {
			if (!first)
				buf_addc(b, ' ');
			stack[depth++] = child;
		} else {
			buf_addc(b, ')');
			/* The list of siblings that ends with this one closes the list around it. */
			while (depth > 0 && f->nodes[stack[depth - 1]].next == NONE) {
				depth--;
				buf_addc(b, ')');
			}
			if (depth == 0)
				return;
			stack[depth - 1] = child = f->nodes[stack[depth - 1]].next;
		}
		buf_addc(b, '(');
		first = true;
		node = child;
	}
}

void
imapserver_thread_messages(struct arena *a, enum thread_algorithm how, const struct thread_message *v, size_t n, struct buf *b)
{
	struct forest f = { .v = v, .n = n, .nnodes = n, .cap = n + 16, .a = a };

	f.nodes = ARENA_NEWN(a, f.cap, struct node);
	if (how == THREAD_ORDEREDSUBJECT)
		by_ordered_subject(&f);
	else
		by_references(&f, how == THREAD_REFS);
	uint32_t *stack = ARENA_NEWN(a, f.nnodes + 1, uint32_t);
	for (size_t i = 0; i < f.nroots; i++)
		add_thread(&f, f.roots[i], stack, b);
}
