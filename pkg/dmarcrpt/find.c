/* SPDX-License-Identifier: MIT */
/* find.c - the report in a message or a compressed file. */
#include <archive.h>
#include <archive_entry.h>

#include "base/gzip.h"
#include "base/limits.h"
#include "dmarcrpt/dmarcrpt_internal.h"
#include "message/body.h"

#define MAX_ENTRIES 100 /* of an archive, with directories */

enum content { UNKNOWN, GZIP, ZIP, XML };

static enum content
sniff(struct str s)
{
	if (str_starts(s, S("\x1f\x8b")))
		return GZIP;
	if (str_starts(s, S("PK\x03\x04")))
		return ZIP;
	if (str_starts(s, S("\xef\xbb\xbf")))
		s = str_from(s, 3);
	/* XML in UTF-16 begins with its byte order mark. */
	if (str_starts(str_trim(s), S("<")) || str_starts(s, S("\xff\xfe<")) || str_starts(s, S("\xfe\xff\x00<")))
		return XML;
	return UNKNOWN;
}

static int
read_entry(struct archive *zip, struct buf *out, struct errmsg *e)
{
	char piece[16384];
	ssize_t n;

	while ((n = archive_read_data(zip, piece, sizeof(piece))) > 0) {
		buf_add(out, str_n(piece, (size_t)n));
		if (out->failed)
			return err_set(e, ERR_LIMIT, "more than %zu octets when decompressed", out->max);
	}
	return n < 0 ? err_set(e, ERR_INVALID, "the zip archive is damaged") : 0;
}

static int
read_entries(struct archive *zip, struct buf *out, struct errmsg *e)
{
	struct archive_entry *entry;
	unsigned entries = 0, files = 0;
	int rv;

	while ((rv = archive_read_next_header(zip, &entry)) == ARCHIVE_OK || rv == ARCHIVE_WARN) {
		if (++entries > MAX_ENTRIES)
			return err_set(e, ERR_LIMIT, "too many entries in the zip archive");
		if (archive_entry_filetype(entry) != AE_IFREG)
			continue;
		if (++files > 1)
			return err_set(e, ERR_INVALID, "more than one file in the zip archive");
		/* What says that it is too large need not be tried. */
		if (archive_entry_size_is_set(entry) && archive_entry_size(entry) > (int64_t)out->max)
			return err_set(e, ERR_LIMIT, "more than %zu octets when decompressed", out->max);
		TRY(read_entry(zip, out, e));
	}
	if (rv != ARCHIVE_EOF)
		return err_set(e, ERR_INVALID, "the zip archive is damaged");
	return files == 1 ? 0 : err_set(e, ERR_INVALID, "no file in the zip archive");
}

int
dmarcrpt_unzip(struct buf *out, struct str s, struct errmsg *e)
{
	struct archive *zip = archive_read_new();
	int rv;

	bug_if(!zip || archive_read_support_format_zip(zip) != ARCHIVE_OK);
	if (archive_read_open_memory(zip, s.p, s.n) == ARCHIVE_OK)
		rv = read_entries(zip, out, e);
	else
		rv = err_set(e, ERR_INVALID, "no zip archive");
	archive_read_free(zip);
	return rv;
}

int
dmarcrpt_parse_file(struct arena *a, struct str content, struct dmarcrpt_feedback *r_report, struct errmsg *e)
{
	struct buf b = BUF_ARENA(a, LIMIT_REPORT_SIZE);

	switch (sniff(content)) {
	case GZIP: TRY(gzip_unpack(&b, content, e)); return dmarcrpt_parse(a, buf_str(&b), r_report, e);
	case ZIP: TRY(dmarcrpt_unzip(&b, content, e)); return dmarcrpt_parse(a, buf_str(&b), r_report, e);
	case XML:
	case UNKNOWN: break;
	}
	return dmarcrpt_parse(a, content, r_report, e);
}

static bool
is_embedded(const struct message *m, const struct message_part *p)
{
	while (p->parent != MESSAGE_NONE) {
		p = &m->parts[p->parent];
		if (p->kind == MESSAGE_EMBEDDED)
			return true;
	}
	return false;
}

/* Types for reports: sure ones, and those whose content must tell. */
static bool
is_candidate(const struct message_part *p, bool *r_sure)
{
	static const char *const sure[] = { "ZIP", "X-ZIP", "X-ZIP-COMPRESSED", "GZIP", "X-GZIP", "XML" };

	*r_sure = message_part_is(p, S("TEXT"), S("XML"));
	for (size_t i = 0; i < ARRAY_LEN(sure); i++)
		*r_sure |= message_part_is(p, S("APPLICATION"), str_of(sure[i]));
	return p->kind == MESSAGE_LEAF &&
	    (*r_sure || p->no_type || message_part_is(p, S("APPLICATION"), S("OCTET-STREAM")));
}

int
dmarcrpt_parse_message(
    struct arena *a, const struct message_source *src, struct dmarcrpt_feedback *r_report, struct errmsg *e)
{
	struct message m;

	if (message_source_size(src) > LIMIT_REPORT_MESSAGE)
		return err_set(e, ERR_LIMIT, "message too large for a report");
	TRY(message_parse(a, src, 0, &m, e));
	for (uint32_t i = 0; i < m.nparts; i++) {
		const struct message_part *p = &m.parts[i];
		struct str text;
		bool sure;

		if (!is_candidate(p, &sure) || is_embedded(&m, p))
			continue;
		TRY(message_part_text(a, &m, src, p, MESSAGE_READ_DECODED, LIMIT_REPORT_MESSAGE, &text));
		if (sure || sniff(text) != UNKNOWN)
			return dmarcrpt_parse_file(a, text, r_report, e);
	}
	return err_set(e, ERR_NOTFOUND, "no DMARC report in message");
}
