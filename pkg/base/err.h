/* SPDX-License-Identifier: MIT */
/*
 * err.h - error codes of the library packages, messages that go with them, and bug().
 *
 * A function that can fail returns 0, or a negative code below. 1 is returned only where a third outcome exists ("found",
 * "more"), and is documented there. Out-parameters come last, start with r_, and are untouched on failure. A package with errors of
 * its own starts them at -100. Functions that can say more take a struct errmsg * (may be NULL).
 */
#ifndef BASE_ERR_H
#define BASE_ERR_H

#include <stdarg.h>

#include "base/macros.h"

enum err {
	ERR_IO = -1,           /* reading or writing failed; errno or the message says how */
	ERR_INVALID = -2,      /* input does not have the required form */
	ERR_NOTFOUND = -3,     /* what was named does not exist */
	ERR_EXISTS = -4,       /* what was to be created exists */
	ERR_LIMIT = -5,        /* a limit of limits.h or of the configuration is exceeded */
	ERR_TIMEOUT = -6,      /* the deadline passed */
	ERR_CANCELED = -7,     /* the operation was told to stop */
	ERR_CORRUPT = -8,      /* stored data contradicts itself */
	ERR_BUSY = -9,         /* someone else holds it; trying again may help */
	ERR_DENIED = -10,      /* not permitted */
	ERR_NOSPACE = -11,     /* disk full, or quota of the file system */
	ERR_OVERQUOTA = -12,   /* over the account's quota */
	ERR_UNSUPPORTED = -13, /* valid, but not something we do */
	ERR_CLOSED = -14,      /* the other side is gone */
};

/* err_text returns a short constant text for a code of enum err, "unknown error" for others. */
const char *err_text(int code);

/* err_from_errno maps an errno value: ENOENT, EEXIST, ENOSPC and EDQUOT, EACCES and EPERM, ETIMEDOUT; else ERR_IO. */
int err_from_errno(int errnum) must_use_;

/* A message of bounded length for humans and logs. Zero-initialise; text is always terminated. */
struct errmsg {
	char text[256];
};

/* err_set formats the message into e, unless e is NULL or already has one (the first error wins), and returns code. */
int err_set(struct errmsg *e, int code, const char *fmt, ...) printf_(3, 4);

/* err_errno is err_set with ": " and the text of errnum appended; returns err_from_errno(errnum). */
int err_errno(struct errmsg *e, int errnum, const char *fmt, ...) printf_(3, 4);

/* err_strerror returns the text of an errno value; the pointer is valid for the life of the process. */
const char *err_strerror(int errnum);

/*
 * bug reports an impossible state of our own code on stderr, with the place, and aborts. Never called for anything that a
 * peer, DNS, the database or the disk can bring about. err_bug_hook, when set, runs first (it logs the session's context).
 */
#define bug(...) err_bug(__FILE__, __LINE__, __VA_ARGS__)
#define bug_if(cond) do { if (__builtin_expect(!!(cond), 0)) bug("%s", #cond); } while (0)
void err_bug(const char *file, int line, const char *fmt, ...) printf_(3, 4) noreturn_;
extern void (*err_bug_hook)(void);

#endif
