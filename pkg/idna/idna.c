/* SPDX-License-Identifier: MIT */
/*
 * Domain names in both forms. ASCII names without "xn--" never reach libidn2; all others go through it with the UTS #46 mapping,
 * which also checks A-labels by a round trip. Sizes and characters are checked here, on the A-label form: the mapping turns
 * some characters into ASCII that no host name may have.
 */
#include "idna/idna.h"

#include <idn2.h>

#include "base/macros.h"
#include "base/utf8.h"

#define LABEL_MAX 63            /* rfc/1035:523 */
#define NAME_MAX_ASCII 253      /* 255 octets on the wire, with the root's and the first length octet: rfc/1035:525 */
#define NAME_MAX_UTF8 1024      /* nothing longer can become 253 ASCII characters and is not given to the library */

static bool
is_alnum(unsigned char c)
{
	return (c | 0x20) >= 'a' ? (c | 0x20) <= 'z' : c >= '0' && c <= '9';
}

/* check_ascii tests labels of an ASCII name by the rule for host names: letters, digits, inner hyphens (RFC 1123 2.1). */
static int
check_ascii(struct str name, unsigned flags, struct errmsg *e)
{
	size_t label = 0;

	if (name.n == 0)
		return err_set(e, ERR_INVALID, "empty domain");
	if (name.n > NAME_MAX_ASCII)
		return err_set(e, ERR_INVALID, "domain longer than %d characters", NAME_MAX_ASCII);
	for (size_t i = 0; i <= name.n; i++) {
		if (i == name.n || name.p[i] == '.') {
			size_t n = i - label;
			if (n == 0)
				return err_set(e, ERR_INVALID, "empty label in domain");
			if (n > LABEL_MAX)
				return err_set(e, ERR_INVALID, "label of domain longer than %d characters", LABEL_MAX);
			if (name.p[label] == '-' || name.p[i - 1] == '-')
				return err_set(e, ERR_INVALID, "label of domain starts or ends with a hyphen");
			label = i + 1;
			continue;
		}
		unsigned char c = (unsigned char)name.p[i];
		if (!is_alnum(c) && c != '-' && !(c == '_' && (flags & IDNA_UNDERSCORE)))
			return err_set(e, ERR_INVALID, "character not allowed in domain");
	}
	return 0;
}

/* has_ace tells whether a label starts with "xn--" (any case). */
static bool
has_ace(struct str name)
{
	for (struct str rest = name; rest.n > 0;) {
		if (str_istarts(str_split(&rest, '.'), S("xn--")))
			return true;
	}
	return false;
}

/* lookup converts to A-labels; NULL if the name is not valid. Free the result with idn2_free. */
static uint8_t *
lookup(struct arena *a, struct str name, struct errmsg *e)
{
	uint8_t *out = NULL;
	char *z = name.n <= NAME_MAX_UTF8 ? str_z(a, name) : NULL;

	if (!z || !utf8_valid(name)) {
		err_set(e, ERR_INVALID, "domain is too long or not UTF-8");
		return NULL;
	}
	int rc = idn2_lookup_u8((const uint8_t *)z, &out, IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL);
	if (rc != IDN2_OK) {
		err_set(e, ERR_INVALID, "internationalised domain: %s", idn2_strerror(rc));
		return NULL;
	}
	return out;
}

static struct str
take_idn2(struct arena *a, char *z)
{
	struct str s = str_dup(a, str_of(z));
	idn2_free(z);
	return s;
}

static struct str
u_labels(struct arena *a, const char *ascii)
{
	char *out = NULL;

	if (idn2_to_unicode_8z8z(ascii, &out, IDN2_NONTRANSITIONAL) != IDN2_OK)
		return (struct str){ 0 };
	return take_idn2(a, out);
}

int
idna_parse(struct arena *a, struct str name, unsigned flags, struct idna_domain *r_d, struct errmsg *e)
{
	struct idna_domain d = { 0 };

	if ((flags & IDNA_ROOT_DOT) && name.n > 1 && name.p[name.n - 1] == '.')
		name.n--;
	if (str_is_ascii(name) && !has_ace(name)) {
		TRY(check_ascii(name, flags, e));
		d.ascii = str_lower(a, name);
		*r_d = d;
		return 0;
	}

	char *ascii = (char *)lookup(a, name, e);
	if (!ascii)
		return ERR_INVALID;
	d.ascii = str_lower(a, take_idn2(a, ascii));
	TRY(check_ascii(d.ascii, flags, e));
	if (has_ace(d.ascii)) {
		d.unicode = u_labels(a, d.ascii.p);
		if (d.unicode.n == 0 || str_is_ascii(d.unicode))
			return err_set(e, ERR_INVALID, "internationalised domain does not decode");
		/* An A-label is valid only if its U-label gives it again: rfc/5890:640 */
		char *again = (char *)lookup(a, d.unicode, e);
		if (!again || !str_icase(take_idn2(a, again), d.ascii))
			return err_set(e, ERR_INVALID, "internationalised domain is not what its Unicode form gives");
	}
	*r_d = d;
	return 0;
}

struct str
idna_text(const struct idna_domain *d, bool utf8)
{
	return utf8 && d->unicode.n > 0 ? d->unicode : d->ascii;
}

struct str
idna_log(struct arena *a, const struct idna_domain *d)
{
	if (d->unicode.n == 0)
		return d->ascii;
	return str_fmt(a, STRF "/" STRF, STRA(d->unicode), STRA(d->ascii));
}

bool
idna_equal(const struct idna_domain *a, const struct idna_domain *b)
{
	return str_is(a->ascii, b->ascii);
}

bool
idna_is_zero(const struct idna_domain *d)
{
	return d->ascii.n == 0;
}

bool
idna_is_under(const struct idna_domain *d, const struct idna_domain *parent)
{
	if (parent->ascii.n == 0 || !str_ends(d->ascii, parent->ascii))
		return false;
	return d->ascii.n == parent->ascii.n || d->ascii.p[d->ascii.n - parent->ascii.n - 1] == '.';
}

struct idna_domain
idna_dup(struct arena *a, const struct idna_domain *d)
{
	return (struct idna_domain){ .ascii = str_dup(a, d->ascii), .unicode = str_dup(a, d->unicode) };
}

struct str
idna_to_ascii(struct arena *a, struct str name)
{
	if (str_is_ascii(name))
		return name;
	char *ascii = (char *)lookup(a, name, NULL);
	return ascii ? take_idn2(a, ascii) : name;
}

struct str
idna_to_unicode(struct arena *a, struct str name)
{
	char *z;

	if (!str_is_ascii(name) || !has_ace(name) || name.n > NAME_MAX_UTF8 || !(z = str_z(a, name)))
		return name;
	struct str u = u_labels(a, z);
	return u.n > 0 ? u : name;
}
