/* SPDX-License-Identifier: MIT */
/* report.c - reports as JSON and in messages, and adding results up. */
#include "base/buf.h"
#include "base/gzip.h"
#include "base/limits.h"
#include "base/timeutil.h"
#include "base/utf8.h"
#include "message/body.h"
#include "tlsrpt/tlsrpt.h"

int
tlsrpt_parse(struct arena *a, struct str json, struct tlsrpt_report *r_report, struct errmsg *e)
{
	if (str_starts(json, S("\xef\xbb\xbf")))
		json = str_from(json, 3);
	return typedesc_json_decode(
	    a, &tlsrpt_report_desc, utf8_clean(a, json), LIMIT_REPORT_SIZE, TYPEDESC_JSON_TOLERANT, r_report, e);
}

void
tlsrpt_pack(struct buf *out, const struct tlsrpt_report *r)
{
	typedesc_json_encode(out, &tlsrpt_report_desc, r, TYPEDESC_JSON_INDENT);
	buf_addc(out, '\n');
}

struct str
tlsrpt_filename(struct arena *a, struct str submitter, struct str domain, int64_t start_us, int64_t end_us)
{
	return str_fmt(a, STRF "!" STRF "!%lld!%lld.json.gz", STRA(submitter), STRA(domain),
	    (long long)(start_us / TIME_SEC), (long long)(end_us / TIME_SEC));
}

/* A multipart/report of our kind. The value of report-type is compared without regard to case, as tokens are: rfc/2045:689 */
static bool
is_report(const struct message_part *p)
{
	struct str type;

	return message_part_is(p, S("multipart"), S("report")) && message_part_param(p, S("report-type"), &type) &&
	    str_icase(type, S("tlsrpt"));
}

static const struct message_part *
find_part(const struct message *m)
{
	for (uint32_t i = 0; i < m->nparts; i++) {
		const struct message_part *p = &m->parts[i];

		if (p->parent != MESSAGE_NONE && !is_report(&m->parts[p->parent]))
			continue;
		if (message_part_is(p, S("application"), S("tlsrpt+json")) ||
		    message_part_is(p, S("application"), S("tlsrpt+gzip")) ||
		    message_part_is(p, S("application"), S("tlsrpt")))
			return p;
	}
	return NULL;
}

int
tlsrpt_parse_message(
    struct arena *a, const struct message_source *src, struct tlsrpt_report *r_report, struct errmsg *e)
{
	const struct message_part *p;
	struct message m;
	struct str text;

	if (message_source_size(src) > LIMIT_REPORT_MESSAGE)
		return err_set(e, ERR_LIMIT, "message too large for a report");
	TRY(message_parse(a, src, 0, &m, e));
	p = find_part(&m);
	if (!p)
		return err_set(e, ERR_NOTFOUND, "no TLS report in message");
	TRY(message_part_text(a, &m, src, p, MESSAGE_READ_DECODED, LIMIT_REPORT_MESSAGE, &text));
	if (str_starts(text, S("\x1f\x8b"))) {
		struct buf b = BUF_ARENA(a, LIMIT_REPORT_SIZE);

		TRY(gzip_unpack(&b, text, e));
		text = buf_str(&b);
	}
	return tlsrpt_parse(a, text, r_report, e);
}

static int64_t
add_counts(int64_t x, int64_t y)
{
	int64_t sum;

	if (__builtin_add_overflow(x, y, &sum))
		return x > 0 ? INT64_MAX : 0;
	return MAX(sum, (int64_t)0);
}

void
tlsrpt_add_failure(struct arena *a, struct tlsrpt_result *r, const struct tlsrpt_failure_details *f)
{
	struct tlsrpt_failure_details_list *l = &r->failure_details;

	for (size_t i = 0; i < l->n; i++) {
		struct tlsrpt_failure_details same = l->v[i];

		same.failed_session_count = f->failed_session_count;
		if (typedesc_equal(&tlsrpt_failure_details_desc, &same, f)) {
			l->v[i].failed_session_count =
			    add_counts(l->v[i].failed_session_count, f->failed_session_count);
			return;
		}
	}
	*(struct tlsrpt_failure_details *)typedesc_list_add(
	    a, typedesc_type(&tlsrpt_result_desc, "failure-details"), l) = *f;
}

void
tlsrpt_add(struct arena *a, struct tlsrpt_result_list *l, const struct tlsrpt_result *r)
{
	struct tlsrpt_result *to = NULL;

	for (size_t i = 0; i < l->n && !to; i++)
		if (typedesc_equal(&tlsrpt_result_policy_desc, &l->v[i].policy, &r->policy))
			to = &l->v[i];
	if (!to) {
		to = typedesc_list_add(a, typedesc_type(&tlsrpt_report_desc, "policies"), l);
		to->policy = r->policy;
	}
	to->summary.total_successful_session_count =
	    add_counts(to->summary.total_successful_session_count, r->summary.total_successful_session_count);
	to->summary.total_failure_session_count =
	    add_counts(to->summary.total_failure_session_count, r->summary.total_failure_session_count);
	for (size_t i = 0; i < r->failure_details.n; i++)
		tlsrpt_add_failure(a, to, &r->failure_details.v[i]);
}
