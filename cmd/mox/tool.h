/* SPDX-License-Identifier: MIT */
/*
 * tool.h - what the commands that try out protocols share: a resolver, a deadline, reading arguments and messages, and
 * showing text from the outside.
 *
 * The resolver is the system's (/etc/resolv.conf), or the one of the global flag -resolver; with -trustanchor it
 * validates DNSSEC itself.
 */
#ifndef MOX_TOOL_H
#define MOX_TOOL_H

#include "base/ctx.h"
#include "base/ip.h"
#include "cmd.h"
#include "dns/dns.h"
#include "httpclient/httpclient.h"
#include "idna/idna.h"
#include "message/message.h"

#define TOOL_JSON { "json", NULL, NULL, "print the result as JSON" }    /* a flag */

struct tool {
	struct dns_resolver *dns;
	struct ctx ctx;                 /* ends after a minute: nobody waits longer for one answer */
};
/* tool_open makes the resolver; false after a message on stderr. */
bool tool_open(const struct cmd_run *c, struct tool *r_t) must_use_;
void tool_close(struct tool *t);        /* fits cleanup_() */

/* Arguments. Each prints what is wrong, with the usage, and returns false. Names may have underscores and a final dot. */
bool tool_domain(const struct cmd_run *c, const char *arg, struct idna_domain *r_d) must_use_;
bool tool_ip(const struct cmd_run *c, const char *arg, struct ip *r_ip) must_use_;

/*
 * tool_file reads a file, tool_stdin standard input to its end. tool_message reads a message from a file, "-" being
 * standard input; one that has no CRLF at all gets them: that is how files are kept on disk. False after a message on
 * stderr.
 */
bool tool_file(const struct cmd_run *c, const char *path, size_t max, struct str *r_content) must_use_;
bool tool_stdin(const struct cmd_run *c, size_t max, struct str *r_content) must_use_;
bool tool_message(const struct cmd_run *c, const char *path, struct str *r_content) must_use_;

/* tool_roots reads the file of a -tlscerts flag; empty without the flag. False after a message on stderr. */
#define TOOL_TLSCERTS { "tlscerts", "file", NULL, "PEM file of authorities to trust besides the system's" }
bool tool_roots(const struct cmd_run *c, struct str *r_pem) must_use_;
/* tool_http makes a client for HTTPS that trusts those authorities; NULL after a message. It must go before t. */
struct httpclient *tool_http(const struct cmd_run *c, const struct tool *t) must_use_;

/* tool_text makes text from the outside fit for a terminal. */
const char *tool_text(const struct cmd_run *c, struct str s);
const char *tool_dnssec(bool authentic);        /* "with dnssec" */

#endif
