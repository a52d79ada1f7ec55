/* SPDX-License-Identifier: MIT */
/*
 * Local test mode: the end of a recipient's localpart asks for an error, so that programs that send mail can be tested against all outcomes.
 */
#include "smtpserver/smtpserver_internal.h"

#define NO_ANSWER_US TIME_HOUR

static int
timed_out(struct session *s)
{
	return smtpserver_userf(s, 451, SMTP_E_OTHER, "timing out delivery due to special localpart");
}

/* trailing_code: the last three digits as a reply code 400..599, or 0. */
static int
trailing_code(struct str localpart)
{
	uint32_t code;

	if (localpart.n < 3 || str_u32(str_from(localpart, localpart.n - 3), &code) < 0 || code < 400 || code > 599)
		return 0;
	return (int)code;
}

int
smtpserver_localserve(struct session *s, struct str localpart)
{
	int code = trailing_code(localpart);

	if (!smtpserver_is_localserve(s->srv))
		return 0;
	if (str_ends(localpart, S("timeout"))) {
		TRY(smtpserver_pause(s, NO_ANSWER_US, timed_out));
		return 1;
	}
	if (str_ends(localpart, S("temperror")))
		code = 451;
	else if (str_ends(localpart, S("permerror")))
		code = 550;
	if (code == 0)
		return 0;
	metrics_add(&smtpserver_m_delivery, 1, "delivererror", "localserve", NULL);
	return smtpserver_userf(s, code, SMTP_E_OTHER, "failure with code %d due to special localpart", code);
}
