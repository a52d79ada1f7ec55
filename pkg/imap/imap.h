/* SPDX-License-Identifier: MIT */
/*
 * imap - the syntax of IMAP, RFC 9051 (IMAP4rev2), RFC 3501 (IMAP4rev1) and their extensions, as pure functions of bytes.
 *
 * A server reads in two stages. The framer (frame.h), the only incremental code, cuts a command with its literals out
 * of the stream. The productions (parse.h, set.h, fetch.h, search.h, name.h) then read that complete unit over a
 * struct cur; they are total, and their failure is sticky in the cursor. What is sent is made by write.h.
 *
 * There is no knowledge of sessions, mailboxes or messages here; pkg/imapserver and pkg/imapclient build on it.
 *
 * RFCs: 9051, 3501, 7888 (literals), 3516 (BINARY), 4466 (common ABNF), 5258 (LIST-EXTENDED), 5182 (SEARCHRES), 4731
 * (ESEARCH), 5032 (WITHIN), 7162 (MODSEQ), 8514 (SAVEDATE), 8970 (PREVIEW), 2152 (UTF-7).
 */
#ifndef IMAP_IMAP_H
#define IMAP_IMAP_H

#include "imap/fetch.h"
#include "imap/frame.h"
#include "imap/name.h"
#include "imap/parse.h"
#include "imap/search.h"
#include "imap/set.h"
#include "imap/write.h"

#endif
