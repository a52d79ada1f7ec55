/* SPDX-License-Identifier: MIT */
/* Junk flags that the mailbox implies: ../spec/store.md section 10. */
#include "base/mem.h"
#include "base/utf8.h"
#include "store/store_internal.h"

enum { RULE_JUNK, RULE_NEUTRAL, RULE_NOTJUNK, RULES };

/* compile keeps the compiled rules of the configuration at hand. A pattern that does not compile matches nothing; configuration checks it. */
static void
compile(struct junk_rules *r, const struct str text[RULES])
{
	for (int i = 0; i < RULES; i++) {
		if (str_is(r->text[i], text[i]))
			continue;
		regexp_free(&r->re[i]);
		char *old = (char *)(uintptr_t)r->text[i].p;
		mem_free(&old);
		r->text[i] = (struct str){ 0 };
		if (text[i].n == 0)
			continue;
		r->text[i] = str_n(mem_str(text[i]), text[i].n);
		if (regexp_compile(text[i], &r->re[i], NULL) < 0)
			r->re[i] = NULL;
	}
}

void
store_junk_rules_done(struct junk_rules *r)
{
	static const struct str none[RULES];
	compile(r, none);
}

/* rule_of returns which rule the mailbox name falls under, or RULES. */
static int
rule_of(struct store_tx *tx, const struct store_account_config *c, struct str name)
{
	const struct str text[RULES] = { c->auto_junk.junk_regexp, c->auto_junk.neutral_regexp, c->auto_junk.notjunk_regexp };
	struct junk_rules *r = &tx->acct->junk_rules;
	int unset = 0, last_unset = RULES;
	compile(r, text);
	struct str lower = utf8_lower(tx->arena, name);
	for (int i = 0; i < RULES; i++) {
		if (text[i].n == 0) {
			unset++;
			last_unset = i;
		} else if (r->re[i] && regexp_match(r->re[i], lower)) {
			return i;
		}
	}
	return unset == 1 ? last_unset : RULES;         /* a single rule without pattern is the catch-all */
}

unsigned
store_junk_flags(struct store_tx *tx, const struct store_account_config *c, const struct store_mailbox *mb, unsigned flags)
{
	const unsigned both = STORE_JUNK | STORE_NOTJUNK;
	if (mb->use & STORE_USE_JUNK)
		return (flags & ~both) | STORE_JUNK;
	if (!c->auto_junk.enabled)
		return flags;
	switch (rule_of(tx, c, mb->name)) {
	case RULE_JUNK:
		return (flags & ~both) | STORE_JUNK;
	case RULE_NEUTRAL:
		return flags & ~both;
	case RULE_NOTJUNK:
		return (flags & ~both) | STORE_NOTJUNK;
	default:
		return flags;
	}
}
