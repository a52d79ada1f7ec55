/* SPDX-License-Identifier: MIT */
/*
 * The OpaqueString profile of PRECIS (RFC 8265): which code points a password may have, and one spelling for each password.
 *
 * The FreeformClass of RFC 8264 is computed from the properties that libunistring knows, in the order of RFC 8264 section 8; the contextual rules
 * are those of RFC 5892 appendix A.
 */
#include <unictype.h>
#include <uninorm.h>

#include "base/utf8.h"
#include "sasl/sasl.h"

enum class { DISALLOWED, VALID, CONTEXT };

/* rfc/5892:378 PVALID and DISALLOWED exceptions that matter for the FreeformClass, and rfc/5892:399 CONTEXTO. */
static bool
exception(uint32_t cp, enum class *r_class)
{
	switch (cp) {
	case 0x00b7: case 0x0375: case 0x05f3: case 0x05f4: case 0x30fb:
	case 0x0660 ... 0x0669: case 0x06f0 ... 0x06f9:
		*r_class = CONTEXT;
		return true;
	case 0x00df: case 0x03c2: case 0x06fd: case 0x06fe: case 0x0f0b: case 0x3007:
		*r_class = VALID;
		return true;
	case 0x0640: case 0x07fa: case 0x302e: case 0x302f: case 0x3031 ... 0x3035: case 0x303b:
		*r_class = DISALLOWED;
		return true;
	default:
		return false;
	}
}

/* Hangul_Syllable_Type L, V or T: rfc/5892:477 */
static bool
old_hangul_jamo(uint32_t cp)
{
	return (cp >= 0x1100 && cp <= 0x11ff) || (cp >= 0xa960 && cp <= 0xa97c) || (cp >= 0xd7b0 && cp <= 0xd7c6) ||
	    (cp >= 0xd7cb && cp <= 0xd7fb);
}

static bool
has_compat(uint32_t cp)
{
	uint32_t buf[32];
	size_t n = sizeof(buf) / sizeof(buf[0]);
	uint32_t *out = u32_normalize(UNINORM_NFKC, &cp, 1, buf, &n);

	bool differs = out == NULL || n != 1 || out[0] != cp;
	if (out != NULL && out != buf)
		free(out);
	return differs;
}

static enum class
classify(uint32_t cp)
{
	enum class k;

	if (exception(cp, &k))
		return k;
	if (cp >= 0x21 && cp <= 0x7e)
		return VALID;
	if (uc_is_property_unassigned_code_value(cp) && !uc_is_property_not_a_character(cp))
		return DISALLOWED;
	if (cp == 0x200c || cp == 0x200d)
		return CONTEXT;
	if (old_hangul_jamo(cp) || uc_is_property_default_ignorable_code_point(cp) || uc_is_property_not_a_character(cp))
		return DISALLOWED;
	if (uc_is_general_category_withtable(cp, UC_CATEGORY_MASK_Cc | UC_CATEGORY_MASK_Cs | UC_CATEGORY_MASK_Co))
		return DISALLOWED;
	if (uc_is_general_category_withtable(cp, UC_CATEGORY_MASK_L | UC_CATEGORY_MASK_M | UC_CATEGORY_MASK_N | UC_CATEGORY_MASK_Zs |
	    UC_CATEGORY_MASK_S | UC_CATEGORY_MASK_P) || has_compat(cp))
		return VALID;
	return DISALLOWED;
}

static bool
is_script(uint32_t cp, const char *name)
{
	const uc_script_t *s = uc_script(cp);
	return s != NULL && strcmp(s->name, name) == 0;
}

/* joins_around: (Joining_Type:{L,D})(Joining_Type:T)* ZWNJ (Joining_Type:T)*(Joining_Type:{R,D})    rfc/5892:836 */
static bool
joins_around(const uint32_t *v, size_t n, size_t at)
{
	size_t i = at;

	do {
		if (i-- == 0)
			return false;
	} while (uc_joining_type(v[i]) == UC_JOINING_TYPE_T);
	int before = uc_joining_type(v[i]);
	if (before != UC_JOINING_TYPE_L && before != UC_JOINING_TYPE_D)
		return false;
	i = at;
	do {
		if (++i == n)
			return false;
	} while (uc_joining_type(v[i]) == UC_JOINING_TYPE_T);
	int after = uc_joining_type(v[i]);
	return after == UC_JOINING_TYPE_R || after == UC_JOINING_TYPE_D;
}

static bool
any_in(const uint32_t *v, size_t n, uint32_t from, uint32_t to)
{
	for (size_t i = 0; i < n; i++)
		if (v[i] >= from && v[i] <= to)
			return true;
	return false;
}

/* context_ok applies the contextual rule of the code point at offset `at`. */
static bool
context_ok(const uint32_t *v, size_t n, size_t at)
{
	bool after_virama = at > 0 && uc_combining_class(v[at - 1]) == UC_CCC_VR;

	switch (v[at]) {
	case 0x200c:            /* A.1 zero width non-joiner */
		return after_virama || joins_around(v, n, at);
	case 0x200d:            /* A.2 zero width joiner */
		return after_virama;
	case 0x00b7:            /* A.3 middle dot */
		return at > 0 && at + 1 < n && v[at - 1] == 'l' && v[at + 1] == 'l';
	case 0x0375:            /* A.4 Greek lower numeral sign */
		return at + 1 < n && is_script(v[at + 1], "Greek");
	case 0x05f3: case 0x05f4: /* A.5, A.6 Hebrew punctuation */
		return at > 0 && is_script(v[at - 1], "Hebrew");
	case 0x30fb:            /* A.7 Katakana middle dot */
		for (size_t i = 0; i < n; i++)
			if (is_script(v[i], "Hiragana") || is_script(v[i], "Katakana") || is_script(v[i], "Han"))
				return true;
		return false;
	case 0x0660 ... 0x0669: /* A.8 Arabic-Indic digits */
		return !any_in(v, n, 0x06f0, 0x06f9);
	default:                /* A.9 extended Arabic-Indic digits */
		return !any_in(v, n, 0x0660, 0x0669);
	}
}

int
sasl_opaque_string(struct arena *a, struct str s, struct str *r_out)
{
	size_t n = 0;

	if (!utf8_valid(s))
		return ERR_INVALID;
	uint32_t *v = ARENA_NEWN(a, s.n + 1, uint32_t);
	for (struct str in = s; in.n > 0;) {
		int len = utf8_next(in, &v[n++]);
		in = str_from(in, (size_t)len);
	}

	struct buf b = BUF_ARENA(a, 4 * s.n + 8);
	for (size_t i = 0; i < n; i++) {
		/* Preparation, rfc/8265:747, then the additional mapping rule, rfc/8265:763. */
		enum class k = classify(v[i]);
		if (k == DISALLOWED || (k == CONTEXT && !context_ok(v, n, i)))
			return ERR_INVALID;
		utf8_add(&b, uc_is_general_category_withtable(v[i], UC_CATEGORY_MASK_Zs) ? ' ' : v[i]);
	}
	struct str out = utf8_nfc(a, buf_str(&b));
	if (out.n == 0)         /* rfc/8265:705 */
		return ERR_INVALID;
	*r_out = out;
	return 0;
}
