/* SPDX-License-Identifier: MIT */
/* publicsuffix.c - the list behind a lock, and the walk along the labels of a name. */
#include "publicsuffix/publicsuffix.h"

#include <errno.h>
#include <libpsl.h>
#include <unistd.h>

#include "base/lock.h"

#define NAME_MAX_ASCII 253      /* of a domain in text: rfc/1035:525 less the root and the first length */

/* list is set once at first use, then only replaced. NULL: libpsl brought none; then only single labels are suffixes. */
static struct rwlock lock = RWLOCK_INIT(LOCK_PSL, "public suffix list");
static psl_ctx_t *list;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void
first_list(void)
{
	list = psl_latest(NULL);
}

/* The name is terminated, not empty. */
static bool
is_suffix(const psl_ctx_t *l, const char *name)
{
	if (!l)
		return strchr(name, '.') == NULL;
	return psl_is_public_suffix2(l, name, PSL_TYPE_ICANN);
}

/* Copies a name to where libpsl wants it; false for what cannot be a domain. */
static bool
copy(struct str ascii, char out[NAME_MAX_ASCII + 1])
{
	if (ascii.n == 0 || ascii.n > NAME_MAX_ASCII || str_has(ascii, '\0'))
		return false;
	memcpy(out, ascii.p, ascii.n);
	out[ascii.n] = '\0';
	return true;
}

bool
publicsuffix_is(struct str ascii)
{
	char name[NAME_MAX_ASCII + 1];
	bool is;

	if (!copy(ascii, name))
		return false;
	pthread_once(&once, first_list);
	rwlock_read(&lock);
	is = is_suffix(list, name);
	rwlock_drop(&lock);
	return is;
}

/* The last n labels of a name. */
static struct str
last_labels(struct str name, unsigned n)
{
	size_t at = name.n;

	while (at > 0 && (name.p[at - 1] != '.' || --n > 0))
		at--;
	return str_from(name, at);
}

struct idna_domain
publicsuffix_org(const struct idna_domain *d)
{
	char name[NAME_MAX_ASCII + 1];
	const char *org = name, *rest = name;
	struct idna_domain o = *d;
	unsigned labels = 1;

	if (!copy(d->ascii, name))
		return o;
	pthread_once(&once, first_list);
	rwlock_read(&lock);
	while (!is_suffix(list, rest) && strchr(rest, '.')) {
		org = rest;
		rest = strchr(rest, '.') + 1;
	}
	rwlock_drop(&lock);
	for (const char *p = org; *p; p++)
		labels += *p == '.';
	o.ascii = last_labels(d->ascii, labels);
	o.unicode = last_labels(d->unicode, labels);
	/* The labels that were left may all be ASCII; such a domain has one form only. */
	if (str_is_ascii(o.unicode))
		o.unicode = S("");
	return o;
}

/* What every list must say. */
static bool
plausible(const psl_ctx_t *l)
{
	static const struct { const char *name; bool suffix; } known[] = {
		{ "com", true }, { "co.uk", true }, { "xn--55qx5d.cn", true }, { "c.kobe.jp", true },
		{ "example.com", false }, { "city.kobe.jp", false },
	};
	int builtin = psl_suffix_count(psl_builtin()), n = psl_suffix_count(l);

	for (size_t i = 0; i < ARRAY_LEN(known); i++)
		if (is_suffix(l, known[i].name) != known[i].suffix)
			return false;
	return n < 0 || builtin < 0 || n >= builtin / 5 * 4;    /* a DAFSA cannot be counted: -1 */
}

int
publicsuffix_load(const char *path, struct errmsg *e)
{
	psl_ctx_t *l, *old;

	if (access(path, R_OK) < 0)
		return err_errno(e, errno, "public suffix list %s", path);
	l = psl_load_file(path);
	if (!l)
		return err_set(e, ERR_IO, "public suffix list %s cannot be read", path);
	if (!plausible(l)) {
		psl_free(l);
		return err_set(e, ERR_INVALID, "public suffix list %s is damaged or incomplete", path);
	}
	pthread_once(&once, first_list);
	rwlock_write(&lock);
	old = list;
	list = l;
	rwlock_drop(&lock);
	psl_free(old);
	return 0;
}
