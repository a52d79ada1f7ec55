/* SPDX-License-Identifier: MIT */
/*
 * NOOP (rfc/5321:2191): does nothing, also with an argument.
 */
#include "smtpserver/smtpserver_internal.h"

/* atext (rfc/5322:679), what SMTPUTF8 adds, and what stands in the addresses that clients verify. */
static bool
is_string_char(int c)
{
	return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c >= 0x80 || (c > 0 && strchr("!#$%&'*+-/=?^_`{|}~.@<>", c));
}

/* String = Atom / Quoted-string    rfc/5321:2338 */
void
smtpserver_string(struct cur *p)
{
	cur_char(p, ' ');
	if (cur_try(p, '"')) {
		while (cur_ok(p) && !cur_is(p, '"')) {
			cur_try(p, '\\');
			if (cur_peek(p) < 0x20 || cur_peek(p) == 0x7f)
				cur_fail(p, "closing quote");
			cur_any(p, "closing quote");
		}
		cur_char(p, '"');
		return;
	}
	if (!is_string_char(cur_peek(p)))
		cur_fail(p, "string");
	while (is_string_char(cur_peek(p)))
		cur_any(p, "string");
}

int
smtpserver_cmd_noop(struct session *s, struct cur *args)
{
	if (!cur_end(args))
		smtpserver_string(args);
	TRY(smtpserver_end(s, args));
	smtpserver_reply(s, 250, SMTP_E_OTHER, S("alrighty"));
	return 0;
}
