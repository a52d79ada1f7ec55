/* SPDX-License-Identifier: MIT */
/* Names of mailboxes (store.md 5). */
#include "base/limits.h"
#include "base/utf8.h"
#include "store/store_internal.h"

/* control characters, and the separators that would tear lines of logs and protocols apart */
static bool
is_control(uint32_t cp)
{
	return cp < 0x20 || (cp >= 0x7f && cp <= 0x9f) || cp == 0x2028 || cp == 0x2029;
}

static int
check_element(struct str elem, struct errmsg *e)
{
	if (elem.n == 0)
		return err_set(e, STORE_BAD_NAME, "empty element in mailbox name");
	/* Exports make directories of the names. */
	if (str_is(elem, S(".")) || str_is(elem, S("..")))
		return err_set(e, STORE_BAD_NAME, "mailbox name must not have an element \"" STRF "\"", STRA(elem));
	return 0;
}

int
store_mailbox_name(struct arena *a, struct str name, bool allow_inbox, struct str *r_name, struct errmsg *e)
{
	if (name.n == 0)
		return err_set(e, STORE_BAD_NAME, "empty mailbox name");
	if (name.n > LIMIT_MAILBOX_NAME)
		return err_set(e, STORE_BAD_NAME, "mailbox name longer than %d bytes", LIMIT_MAILBOX_NAME);
	if (!utf8_valid(name))
		return err_set(e, STORE_BAD_NAME, "mailbox name is not valid UTF-8");
	if (!utf8_is_nfc(name))
		return err_set(e, STORE_BAD_NAME, "mailbox name is not in Unicode normalization form C");
	if (name.p[0] == '#')
		return err_set(e, STORE_BAD_NAME, "mailbox name must not start with #");
	struct str rest = name;
	for (uint32_t cp; rest.n;) {
		int n = utf8_next(rest, &cp);
		if (is_control(cp))
			return err_set(e, STORE_BAD_NAME, "mailbox name has a control character");
		rest = str_from(rest, (size_t)n);
	}
	if (name.p[name.n - 1] == '/')
		return err_set(e, STORE_BAD_NAME, "mailbox name must not end with /");
	rest = name;
	while (rest.n)
		TRY(check_element(str_split(&rest, '/'), e));

	rest = name;
	struct str first = str_split(&rest, '/');
	if (!str_icase(first, S("Inbox"))) {
		*r_name = name;
		return 0;
	}
	if (first.n == name.n) {
		if (!allow_inbox)
			return err_set(e, STORE_IS_INBOX, "not allowed for Inbox");
		*r_name = S("Inbox");
		return 0;
	}
	*r_name = str_cat(a, S("Inbox/"), rest);
	return 0;
}
