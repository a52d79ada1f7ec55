/* SPDX-License-Identifier: MIT */
/*
 * message/maildir.h - what the names of files and directories in a maildir say: folder, time, sizes, flags.
 *
 * A maildir is a directory with new/ (mail that nobody has seen listed), cur/ and tmp/. In Maildir++ other folders stand beside these as directories
 * ".Parent.Child". A file is named <seconds since 1970>.<unique>.<host>[,S=<size>][,W=<size with CRLF>][:2,<flags>]. Where a colon cannot be part of a name,
 * as in archives, a semicolon is written. Origin: https://cr.yp.to/proto/maildir.html, https://www.courier-mta.org/imap/README.maildirquota.html.
 */
#ifndef MESSAGE_MAILDIR_H
#define MESSAGE_MAILDIR_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/str.h"

struct message_maildir {
	struct str folder;              /* levels separated by '/', as spelled (modified UTF-7); empty for the maildir itself */
	bool is_new;                    /* in new/ */
	int64_t received_s;             /* 0 if the name does not start with a time */
	int64_t size, crlf_size;        /* S= and W=; -1 if absent */
	bool answered, seen, deleted, draft, flagged;   /* R S T D F */
	uint32_t keywords;              /* letters a-z, bit 0 is a: lines of the file dovecot-keywords */
};

/*
 * message_maildir_name reads the path of a file below the maildir: [.Folder/]new/name or cur/name. ERR_INVALID for any other: it is no message. P (passed on) and
 * letters that are not known are left out.
 */
int message_maildir_name(struct arena *a, struct str path, struct message_maildir *r_m) must_use_;

#endif
