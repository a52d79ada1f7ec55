/* SPDX-License-Identifier: MIT */
#include "base/err.h"

#include <errno.h>

void (*err_bug_hook)(void);

const char *
err_text(int code)
{
	switch (code) {
	case 0: return "ok";
	case ERR_IO: return "input/output error";
	case ERR_INVALID: return "invalid";
	case ERR_NOTFOUND: return "not found";
	case ERR_EXISTS: return "already exists";
	case ERR_LIMIT: return "limit exceeded";
	case ERR_TIMEOUT: return "timeout";
	case ERR_CANCELED: return "canceled";
	case ERR_CORRUPT: return "stored data is corrupt";
	case ERR_BUSY: return "busy";
	case ERR_DENIED: return "permission denied";
	case ERR_NOSPACE: return "no space left";
	case ERR_OVERQUOTA: return "over quota";
	case ERR_UNSUPPORTED: return "not supported";
	case ERR_CLOSED: return "connection closed";
	}
	return "unknown error";
}

int
err_from_errno(int errnum)
{
	switch (errnum) {
	case ENOENT: return ERR_NOTFOUND;
	case EEXIST: return ERR_EXISTS;
	case ENOSPC:
	case EDQUOT: return ERR_NOSPACE;
	case EACCES:
	case EPERM: return ERR_DENIED;
	case ETIMEDOUT: return ERR_TIMEOUT;
	}
	return ERR_IO;
}

int
err_set(struct errmsg *e, int code, const char *fmt, ...)
{
	va_list ap;

	if (e == NULL || e->text[0] != '\0')
		return code;
	va_start(ap, fmt);
	vsnprintf(e->text, sizeof(e->text), fmt, ap);
	va_end(ap);
	return code;
}

int
err_errno(struct errmsg *e, int errnum, const char *fmt, ...)
{
	va_list ap;
	size_t n;

	if (e == NULL || e->text[0] != '\0')
		return err_from_errno(errnum);
	va_start(ap, fmt);
	vsnprintf(e->text, sizeof(e->text), fmt, ap);
	va_end(ap);
	n = strlen(e->text);
	snprintf(e->text + n, sizeof(e->text) - n, ": %s", err_strerror(errnum));
	return err_from_errno(errnum);
}

const char *
err_strerror(int errnum)
{
	/* Not strerror_r: the descriptions are constants, no buffer is needed. */
	const char *s = strerrordesc_np(errnum);

	return s ? s : "unknown system error";
}

void
err_bug(const char *file, int line, const char *fmt, ...)
{
	void (*hook)(void) = err_bug_hook;
	va_list ap;

	fprintf(stderr, "bug at %s:%d: ", file, line);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
	err_bug_hook = NULL;    /* a bug within the hook must not come back */
	if (hook)               /* GCOVR_EXCL_BR_LINE: the hook saves the counts */
		hook();
	abort();                /* GCOVR_EXCL_LINE: as above */
}
