/* SPDX-License-Identifier: MIT */
/*
 * For tests: the message corpora below testdata/.
 */
#ifndef MESSAGE_CORPUS_TEST_H
#define MESSAGE_CORPUS_TEST_H

#include <cjson/cJSON.h>

#include "base/str.h"
#include "message/message.h"

/* corpus_crlf turns lone LF into CRLF, as servers store messages. In the test's arena. */
struct str corpus_crlf(struct str s);
/* corpus_each calls fn for every message file below testdata/dir (not for READMEs, licences, expectations). name is relative to dir. */
void corpus_each(const char *dir, void (*fn)(const char *name, struct str content, void *arg), void *arg);
/* corpus_json reads a JSON file of testdata; the caller deletes it. */
cJSON *corpus_json(const char *rel);
/* corpus_string: member of an object as a view, NULL view if absent or null. */
struct str corpus_string(const cJSON *object, const char *name);
/* corpus_check parses a message in all ways and checks what must hold for any bytes. */
void corpus_check(struct str content);

#endif
