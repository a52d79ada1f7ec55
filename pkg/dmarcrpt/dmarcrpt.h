/* SPDX-License-Identifier: MIT */
/*
 * dmarcrpt - DMARC aggregate reports: what receivers saw of mail in a domain's name.
 *
 * A domain with rua= in its DMARC record gets, usually once a day, XML documents in the mail: for each address that sent in its
 * name how many messages there were, what SPF and DKIM said, and what was done. They come in the form of RFC 7489 or of RFC
 * 9990 and in what all kinds of programs take for these, compressed or not.
 *
 * This package finds the report in a message, reads it tolerantly within limits, and writes reports in either form. XML is
 * read by expat, element by element, without entities and DTDs.
 *
 * RFC 9990; RFC 7489 section 7.2 and appendix C.
 */
#ifndef DMARCRPT_DMARCRPT_H
#define DMARCRPT_DMARCRPT_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"
#include "dmarcrpt/dmarcrpt_idl.h"
#include "message/message.h"

/*
 * dmarcrpt_parse reads a report. Namespaces, unknown elements and the order of elements do not matter; charsets may be what
 * XML declares, and bytes that are no UTF-8 are replaced. ERR_INVALID: not well-formed, another root element, entities, a
 * number that is none, no domain in policy_published. ERR_LIMIT: beyond LIMIT_REPORT_SIZE, LIMIT_REPORT_RECORDS or the
 * nesting that reports have.
 */
int dmarcrpt_parse(struct arena *a, struct str xml, struct dmarcrpt_feedback *r_report, struct errmsg *e) must_use_;
/* dmarcrpt_parse_file reads one that may be compressed, as its first bytes tell: gzip, or zip with exactly one file. */
int dmarcrpt_parse_file(struct arena *a, struct str content, struct dmarcrpt_feedback *r_report, struct errmsg *e) must_use_;
/*
 * dmarcrpt_parse_message finds the report in a message: the first part, wherever, of a type for zip, gzip or XML; or of
 * application/octet-stream, or no type, that looks like one of these. Embedded messages are not looked into. ERR_NOTFOUND
 * without such a part; an error in it is the result. ERR_LIMIT for messages beyond LIMIT_REPORT_MESSAGE.
 */
int dmarcrpt_parse_message(struct arena *a, const struct message_source *src, struct dmarcrpt_feedback *r_report,
    struct errmsg *e) must_use_;

enum dmarcrpt_form {
	DMARCRPT_RFC7489,               /* what everybody reads */
	DMARCRPT_RFC9990,
};
/*
 * dmarcrpt_pack appends a report as XML, indented by tabs, without what the form does not know. What XML cannot hold becomes
 * U+FFFD. Parsing it again gives an equal report (of the elements in that form).
 */
void dmarcrpt_pack(struct buf *out, const struct dmarcrpt_feedback *r, enum dmarcrpt_form form);
/* dmarcrpt_filename: "mail.receiver.example!example.com!1013662812!1013749130.xml.gz", for gzip: rfc/9990:815 */
struct str dmarcrpt_filename(struct arena *a, struct str receiver, struct str domain, int64_t begin_s, int64_t end_s);

#endif
