/* SPDX-License-Identifier: MIT */
/*
 * imap/frame.h - cuts commands out of a stream of bytes.
 *
 * A unit is a command line with all its literals: "A LOGIN {3}" CRLF "joe" " secret" CRLF is one unit, delivered
 * without the final line end. For a synchronising literal the framer asks for a continuation ("+ ") as soon as its
 * size is known and within limits.
 *
 * Message data is different: APPEND and REPLACE are stopped before the octets of each message literal, so that the
 * server can look at the mailbox and the quota first, and then take the octets elsewhere (a spool file). The unit
 * then ends in the literal's announcement and has IMAP_UNIT_MESSAGE set. What follows the octets is delivered as a
 * further unit with IMAP_UNIT_CONTINUED: another announcement (MULTIAPPEND), or the end of the command.
 *
 * Lines end in CRLF or LF. Everything is bounded by the limits in the framer; bytes are counted before they are searched.
 */
#ifndef IMAP_FRAME_H
#define IMAP_FRAME_H

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"

enum imap_unit_flag {
	IMAP_UNIT_MESSAGE = 1,          /* ends in the announcement of message data; `literal` octets follow */
	IMAP_UNIT_SYNC = 2,             /* the client waits for "+ " before it sends the announced literal (MESSAGE, TOOBIG) */
	IMAP_UNIT_LITERAL8 = 4,         /* the announced literal is a literal8 */
	IMAP_UNIT_CONTINUED = 8,        /* goes on with the command whose message data came before */
	IMAP_UNIT_TOOBIG = 16,          /* ends in the announcement of a literal beyond the limits: answer BAD [TOOBIG]; without SYNC, close */
};

/* A unit as cut; a view into the input. */
struct imap_unit {
	struct str data;                /* without the line end of its last line */
	size_t used;                    /* octets of input it takes up, with that line end */
	uint64_t literal;               /* octets announced (MESSAGE, TOOBIG) */
	unsigned flags;                 /* enum imap_unit_flag */
};

struct imap_framer {
	/* Limits, in octets; the owner may change them between units. */
	uint32_t max_line;              /* of a line with its end; a longer one is ERR_LIMIT */
	uint32_t max_literal;           /* of a literal that is not message data */
	uint32_t max_nonsync;           /* of a non-synchronising one (LITERAL-: 4096) */
	uint32_t max_literals;          /* of all literals of a unit */
	uint32_t max_command;           /* of a whole unit */
	bool lines;                     /* each line is a unit, nothing is a literal: within AUTHENTICATE and IDLE */

	/* Private: how far the unit at the start of the input is understood. */
	bool continued;                 /* this unit goes on with a command with message data */
	bool asked;                     /* the continuation for the literal at `known` was asked for */
	uint16_t literals;              /* seen in this unit */
	uint32_t octets;                /* in them */
	uint32_t known;                 /* octets of whole lines and literals */
	uint32_t scanned;               /* octets behind `known` without a line end */
};

enum imap_frame {
	IMAP_FRAME_MORE = 0,            /* no complete unit yet */
	IMAP_FRAME_CONTINUE = 1,        /* as MORE, and "+ " is to be sent first; said once per literal */
	IMAP_FRAME_UNIT = 2,            /* *r_unit is filled */
};

/*
 * imap_frame looks at all input that is buffered. The input must start where the previous unit ended; until a unit is
 * delivered it only grows. ERR_LIMIT: a line is too long, the stream cannot be followed any further.
 */
int imap_frame(struct imap_framer *f, struct str in, struct imap_unit *r_unit) must_use_;

/* imap_frame_end_command forgets a command whose message data was refused: the next line is a new command. */
void imap_frame_end_command(struct imap_framer *f);

#endif
