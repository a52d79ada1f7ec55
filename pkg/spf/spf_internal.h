/* SPDX-License-Identifier: MIT */
/* spf_internal.h - shared by the files of spf. */
#ifndef SPF_SPF_INTERNAL_H
#define SPF_SPF_INTERNAL_H

#include "base/buf.h"
#include "spf/spf.h"

#define SPF_MAX_TERMS 10        /* terms that cause DNS look-ups: rfc/7208:943 */
#define SPF_MAX_VOIDS 2         /* answers without records: rfc/7208:988 */
#define SPF_MAX_NAMES 10        /* address look-ups of one MX or PTR answer: rfc/7208:966 */
#define SPF_MAX_TEXT 65536      /* of anything that expansion makes */

/* What evaluation of one identity shares through include and redirect. */
struct spf_eval {
	struct dns_resolver *resolver;
	struct arena *a;
	const struct ctx *ctx;
	const struct spf_args *args;
	struct str localpart, sender_domain;    /* of <sender>, constant: rfc/7208:1694 */
	unsigned terms, voids;
	bool authentic;
	struct errmsg problem;
};

/* spf_macro_length returns the length of the macro-expand at the start of s ("%{...}", "%%", "%_", "%-"), 0 if it is malformed. Letters c, r, t only in texts. */
size_t spf_macro_length(struct str s, bool in_text);
/* spf_macro_string checks macro-string; in_text also spaces (explain-string). */
bool spf_macro_string(struct str s, bool in_text);
/* spf_domain_spec checks domain-spec. */
bool spf_domain_spec(struct str s);

/*
 * spf_expand expands a checked macro-string for the current <domain>. May look up names for %{p}. Returns a status to
 * give up with, or SPF_NONE for success.
 */
enum spf_status spf_expand(struct spf_eval *e, struct str domain, struct str spec, bool in_text, struct str *r_out);
/* spf_target expands a domain-spec (the domain itself when empty) to a name to look up: without final dot, cut to 253 octets from the left. */
enum spf_status spf_target(struct spf_eval *e, struct str domain, struct str spec, struct str *r_name);
/* spf_valid_name: labels of 1 to 63 octets, 253 in all. */
bool spf_valid_name(struct str name);
/* spf_ask looks up with the limit of void look-ups; *r_found tells if there are records. Returns SPF_NONE, or SPF_TEMPERROR, SPF_PERMERROR. */
enum spf_status spf_ask(struct spf_eval *e, enum dns_type type, struct str name, struct dns_result *r_result, bool *r_found);
/* spf_count_term counts a term that causes look-ups; SPF_PERMERROR beyond the limit. */
enum spf_status spf_count_term(struct spf_eval *e);
/* spf_validated lists the names of the client's address that resolve back to it. DNS trouble gives none: rfc/7208:1317 */
enum spf_status spf_validated(struct spf_eval *e, struct strlist *r_names);
/* spf_fail_with records a problem and returns the status. */
enum spf_status spf_fail_with(struct spf_eval *e, enum spf_status s, const char *fmt, ...) printf_(3, 4);

#endif
