/* SPDX-License-Identifier: MIT */
/*
 * thread.h - messages as trees (RFC 5256): ORDEREDSUBJECT, REFERENCES, and REFS, which is REFERENCES without the
 * merging by subject, the threads in the order of their newest message.
 *
 * Pure functions over an array; nothing recurses, since a chain of references may be as long as a mailbox.
 */
#ifndef IMAPSERVER_THREAD_H
#define IMAPSERVER_THREAD_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/str.h"

struct thread_message {
	uint32_t number;                /* sequence number or UID; messages are given in mailbox order */
	int64_t sent_us, received_us;
	struct str subject;             /* base subject, made comparable */
	bool is_response;               /* the subject has the marks of a reply or forward */
	struct str id;                  /* canonical Message-ID; may be empty */
	struct strlist references;      /* from the oldest to the parent */
};

enum thread_algorithm { THREAD_ORDEREDSUBJECT, THREAD_REFERENCES, THREAD_REFS };

/* imapserver_thread_messages appends the thread-lists of the messages to b: "(1 2)(3)". Memory in a. */
void imapserver_thread_messages(struct arena *a, enum thread_algorithm how, const struct thread_message *v, size_t n, struct buf *b);

#endif
