/* SPDX-License-Identifier: MIT */
/*
 * bcrypt through crypt_r of libxcrypt.
 *
 * Hashes made by mox (Go) start with $2a$, ours with $2b$: the same function. libxcrypt treats $2a$ with a precaution against a
 * bug of other programs, which differs for some passwords with 8-bit characters, so it is always asked for $2b$.
 */
#include <crypt.h>

#include "auth/auth_internal.h"
#include "base/mem.h"
#include "base/randutil.h"

#ifdef MOX_FUZZ
#define COST 4                  /* the least; fuzzers should find more than that bcrypt is slow */
#define COST_TEXT "04"
#else
#define COST 10
#define COST_TEXT "10"
#endif

static struct str
hash_with(struct arena *a, const char *setting, struct str password)
{
	struct crypt_data *data = mem_alloc(sizeof(*data));
	char key[AUTH_BCRYPT_MAX + 1] = { 0 };
	struct str out = { 0 };

	bug_if(password.n > AUTH_BCRYPT_MAX);
	if (password.n > 0)
		memcpy(key, password.p, password.n);
	const char *res = crypt_r(key, setting, data);
	if (res != NULL && res[0] != '*')
		out = str_dup(a, str_of(res));
	mem_erase(key, sizeof(key));
	mem_erase(data, sizeof(*data));
	mem_free(&data);
	return out;
}

struct str
auth_bcrypt_make(struct arena *a, struct str password)
{
	char random[16], setting[CRYPT_GENSALT_OUTPUT_SIZE];

	rand_bytes(random, sizeof(random));
	if (crypt_gensalt_rn("$2b$", COST, random, sizeof(random), setting, sizeof(setting)) == NULL)
		bug("crypt_gensalt_rn failed");
	struct str hash = hash_with(a, setting, password);
	bug_if(hash.n == 0);
	return hash;
}

bool
auth_bcrypt_check(struct auth *au, struct str hash, struct str password)
{
	static const char nobody[] = "$2b$" COST_TEXT "$abcdefghijklmnopqrstuu";
	struct arena a = { 0 };

	if (password.n > AUTH_BCRYPT_MAX)       /* cannot have been set, and only its start would be compared */
		return false;

	lock_take(&au->bcrypt_lock);
	while (au->bcrypt_running >= au->bcrypt_max)
		cond_wait(&au->bcrypt_free, &au->bcrypt_lock, 0);
	au->bcrypt_running++;
	lock_drop(&au->bcrypt_lock);

	/* "$2x$10$" and 53 characters: the salt and what was computed. */
	char *setting = str_z(&a, hash.n == 60 && hash.p[0] == '$' && hash.p[1] == '2' && hash.p[3] == '$' ? hash : str_of(nobody));
	struct str got = { 0 };
	if (setting != NULL) {
		setting[2] = 'b';
		got = hash_with(&a, setting, password);
	}
	bool good = got.n == hash.n && got.n > 3 && mem_equal(got.p + 3, hash.p + 3, got.n - 3);

	lock_take(&au->bcrypt_lock);
	au->bcrypt_running--;
	cond_signal(&au->bcrypt_free);
	lock_drop(&au->bcrypt_lock);
	arena_done(&a);
	return good;
}
