/* SPDX-License-Identifier: MIT */
/*
 * Implementation notes. The unit at hand is [known octets: whole lines and literals][rest]. A line end is searched
 * only in what `scanned` has not covered, so that input that arrives byte by byte costs linear time. When the line at
 * `known` announces a literal, `known` moves behind it once all its octets are there; until then only the line is
 * looked at again, which is bounded by max_line.
 */
#include "imap/frame.h"

#include "base/cur.h"
#include "base/err.h"
#include "base/limits.h"
#include "imap/parse.h"

/* An announcement at the end of a line: ["~"] "{" number64 ["+"] "}"   rfc/9051:6655 rfc/7888:163 */
struct announcement {
	uint64_t octets;
	bool sync, literal8;
	size_t at;              /* offset in the line */
};

static bool
line_announces(struct str line, struct announcement *r_a)
{
	struct announcement a = { .sync = true };
	size_t end = line.n, i;

	if (end < 3 || line.p[end - 1] != '}')
		return false;
	end--;
	if (line.p[end - 1] == '+') {
		a.sync = false;
		end--;
	}
	for (i = end; i > 0 && line.p[i - 1] >= '0' && line.p[i - 1] <= '9'; i--)
		;
	if (i == 0 || line.p[i - 1] != '{' || str_u64(str_n(line.p + i, end - i), &a.octets) < 0 || a.octets > INT64_MAX)
		return false;
	i--;
	if (i > 0 && line.p[i - 1] == '~') {
		a.literal8 = true;
		i--;
	}
	a.at = i;
	*r_a = a;
	return true;
}

/* Counts the words that precede the mailbox name in a command with message data; 0 for other commands. */
static unsigned
words_before_mailbox(struct str unit)
{
	struct cur c = cur_of(unit);

	imap_tag(&c);
	imap_sp(&c);
	struct str word = cur_span(&c, &cur_alpha);
	if (!cur_ok(&c) || !cur_is(&c, ' '))
		return 0;
	if (str_icase(word, S("APPEND")))
		return 2;               /* tag APPEND   rfc/9051:6325 */
	if (str_icase(word, S("REPLACE")))
		return 3;               /* tag REPLACE seq   rfc/8508:158 */
	imap_sp(&c);
	if (str_icase(word, S("UID")) && cur_try_icase(&c, S("REPLACE")) && cur_is(&c, ' '))
		return 4;
	return 0;
}

/*
 * Decides whether the literal announced at offset `at` of the unit is message data. Only one other literal can occur
 * in such a command, the mailbox name: it is the one directly behind the words that come first. Anything else, also
 * in a malformed command, is message data, so that the handler sees it before the peer sends it.
 */
static bool
is_message(const struct imap_framer *f, struct str unit, size_t at)
{
	if (f->continued)
		return true;
	unsigned words = words_before_mailbox(unit);
	if (words == 0)
		return false;
	if (f->literals > 0)
		return true;
	struct str before = str_upto(unit, at);
	unsigned spaces = 0;
	for (size_t i = 0; i < before.n; i++)
		spaces += before.p[i] == ' ';
	return !(spaces == words && str_ends(before, S(" ")));
}

static int
deliver(struct imap_framer *f, struct str in, size_t end_of_line, size_t used, const struct announcement *a, unsigned flags, struct imap_unit *r_unit)
{
	*r_unit = (struct imap_unit){
		.data = str_upto(in, end_of_line),
		.used = used,
		.literal = a ? a->octets : 0,
		.flags = flags | (f->continued ? IMAP_UNIT_CONTINUED : 0),
	};
	if (a)
		r_unit->flags |= (a->sync ? IMAP_UNIT_SYNC : 0) | (a->literal8 ? IMAP_UNIT_LITERAL8 : 0);
	f->continued = (flags & IMAP_UNIT_MESSAGE) != 0;
	f->asked = false;
	f->literals = 0;
	f->octets = f->known = f->scanned = 0;
	return IMAP_FRAME_UNIT;
}

int
imap_frame(struct imap_framer *f, struct str in, struct imap_unit *r_unit)
{
	for (;;) {
		struct str rest = str_from(in, f->known);
		size_t limit = MIN(f->max_line, f->max_command - MIN(f->known, f->max_command)), look = MIN(rest.n, limit);
		const char *lf = look > f->scanned ? memchr(rest.p + f->scanned, '\n', look - f->scanned) : NULL;

		if (!lf) {
			if (rest.n >= limit)
				return ERR_LIMIT;
			f->scanned = (uint32_t)rest.n;
			return IMAP_FRAME_MORE;
		}
		size_t line = (size_t)(lf - rest.p), after = f->known + line + 1;
		f->scanned = (uint32_t)line;    /* found again at once while the literal is awaited */
		if (line > 0 && rest.p[line - 1] == '\r')
			line--;
		size_t end = f->known + line;

		struct announcement a;
		if (f->lines || !line_announces(str_upto(rest, line), &a))
			return deliver(f, in, end, after, NULL, 0, r_unit);
		if (is_message(f, str_upto(in, end), f->known + a.at))
			return deliver(f, in, end, after, &a, IMAP_UNIT_MESSAGE, r_unit);
		if (a.octets > f->max_literal || (!a.sync && a.octets > f->max_nonsync) || f->literals >= LIMIT_IMAP_LITERALS ||
		    a.octets > f->max_literals - f->octets ||
		    a.octets > f->max_command - MIN(after, (size_t)f->max_command))
			return deliver(f, in, end, after, &a, IMAP_UNIT_TOOBIG, r_unit);
		if (a.sync && !f->asked) {
			f->asked = true;
			return IMAP_FRAME_CONTINUE;
		}
		if (in.n - after < a.octets)
			return IMAP_FRAME_MORE;
		f->known = (uint32_t)(after + a.octets);
		f->scanned = 0;
		f->asked = false;
		f->literals++;
		f->octets += (uint32_t)a.octets;
	}
}

void
imap_frame_end_command(struct imap_framer *f)
{
	f->continued = false;
}
