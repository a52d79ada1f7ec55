/* SPDX-License-Identifier: MIT */
/*
 * Search keys against one message   rfc/9051:3716
 *
 * What decides is asked in rising order of cost: first the row, then the stored structure, then the message file. A
 * key is evaluated at a level; where its data are beyond the level the answer is UNKNOWN, and operators work with
 * that, so that most messages are decided without opening anything.
 *
 * Text is compared folded (message_search_fold), as a substring. Header fields are compared decoded; BODY and TEXT
 * look at the decoded text of the message, that of HTML without its tags.
 */
#include "imapserver/imapserver_internal.h"

#include "message/body.h"
#include "message/header.h"

/* What is computed once for a key, not for each message. */
struct imapserver_term {
	const struct imap_search *key;
	struct str text;                /* folded */
	unsigned flag;                  /* one of the ten known flags, or 0: the keyword in text */
	struct imap_ranges numbers;     /* of SEQ and UID, "*" replaced */
};

enum answer { NO, YES, UNKNOWN };
enum level { ROW, STRUCTURE, CONTENT };

#define TEXT_MAX ((size_t)LIMIT_MESSAGE_SIZE)

/* A message under examination. */
struct subject {
	const struct imapserver_match *t;
	const struct imapserver_row *row;
	struct imapserver_content k;
	enum level level;
	int err;
	/* read when first asked for */
	bool has_header, has_text;
	struct str header;
	struct buf header_text, body_text;
};

static size_t
count_keys(const struct imap_search *k)
{
	size_t n = 1;

	for (const struct imap_search *s = k->sub; s; s = s->next)
		n += count_keys(s);
	return n;
}

/*
 * Sequence numbers and UIDs in a key need not exist; "*" is the last one, and only a range with it reaches the last
 * message (rfc/9051:7029).
 */
static void
prepare_numbers(struct imapserver_match *t, struct arena *a, const struct imap_search *k, struct imapserver_term *term)
{
	const struct imapserver_view *v = t->view;

	if (k->set.saved)
		term->numbers = t->saved;
	else
		imap_set_resolve(a, &k->set, k->op == IMAP_SEARCH_UID ? imapserver_view_last_uid(v) : v->count, &term->numbers);
}

static void
prepare(struct imapserver_match *t, struct arena *a, const struct imap_search *k, size_t *n)
{
	struct imapserver_term *term = &t->terms[(*n)++];
	struct strlist one = { 0 };

	term->key = k;
	switch (k->op) {
	case IMAP_SEARCH_SEQ:
	case IMAP_SEARCH_UID:
		prepare_numbers(t, a, k, term);
		break;
	case IMAP_SEARCH_FLAG:
		strlist_add(a, &one, k->s);
		if (store_flags_parse(a, &one, &term->flag, &term->text, NULL) < 0)
			term->text = str_lower(a, k->s);        /* what cannot be a keyword is on no message */
		break;
	case IMAP_SEARCH_HEADER:
	case IMAP_SEARCH_BODY:
	case IMAP_SEARCH_TEXT:
		term->text = message_search_fold(a, k->s);
		t->with_body = true;
		break;
	case IMAP_SEARCH_BEFORE:
	case IMAP_SEARCH_ON:
	case IMAP_SEARCH_SINCE:
		if (k->date == IMAP_DATE_SENT)
			t->with_body = true;
		break;
	default:
		break;
	}
	for (const struct imap_search *s = k->sub; s; s = s->next)
		prepare(t, a, s, n);
}

void
imapserver_match_init(struct imapserver_match *t, struct imapserver_session *s, struct arena *a, const struct imap_search *key)
{
	size_t n = 0;

	*t = (struct imapserver_match){
		.key = key, .view = s->view, .saved = imapserver_saved(s, a), .now_us = time_now_us(),
		.terms = ARENA_NEWN(a, count_keys(key), struct imapserver_term),
	};
	prepare(t, a, key, &n);
}

/* Identifiers are a letter and a number (imapserver_add_object_id). */
static bool
has_object_id(struct str s, char kind, int64_t id)
{
	char text[24];
	int n = snprintf(text, sizeof(text), "%c%lld", kind, (long long)id);
	return id != 0 && str_is(s, str_n(text, (size_t)n));
}

static bool
has_word(struct str words, struct str word)
{
	while (words.n > 0)
		if (str_is(str_split(&words, ' '), word))
			return true;
	return false;
}

/* Days since 1970 as the calendar at that zone had it, floor. */
static int64_t
day_of(int64_t us, int tz_min)
{
	int64_t local = us + tz_min * TIME_MIN;
	return local >= 0 ? local / TIME_DAY : -((-local + TIME_DAY - 1) / TIME_DAY);
}

static enum answer
compare_day(enum imap_search_op op, int64_t day, int32_t wanted)
{
	return (op == IMAP_SEARCH_BEFORE ? day < wanted : op == IMAP_SEARCH_ON ? day == wanted : day >= wanted) ? YES : NO;
}

static bool
failed(struct subject *s, int r)
{
	if (r < 0 && s->err == 0)
		s->err = r;
	return s->err < 0;
}

static enum answer
match_date(struct subject *s, const struct imap_search *k)
{
	const struct store_message *m = &s->row->m;

	if (k->date == IMAP_DATE_INTERNAL || (k->date == IMAP_DATE_SAVED && m->save_date_us == 0))
		return compare_day(k->op, day_of(m->received_us, m->received_tz), k->day);
	if (k->date == IMAP_DATE_SAVED)
		return compare_day(k->op, day_of(m->save_date_us, 0), k->day);
	if (s->level < STRUCTURE)
		return UNKNOWN;
	if (failed(s, imapserver_content_structure(&s->k)))
		return NO;
	const struct message_envelope *env = s->k.m.parts[0].envelope;
	return env->has_date ? compare_day(k->op, day_of(env->date_us, env->tz_min), k->day) : NO;
}

/* "name <localpart@domain>, ..." as text, decoded and folded, with what contains the term in it. */
static bool
addresses_have(struct arena *a, const struct message_addrs *l, struct str term)
{
	struct buf b = BUF_ARENA(a, TEXT_MAX);

	for (uint32_t i = 0; i < l->n; i++) {
		const struct message_addr *addr = &l->v[i];
		if (b.n > 0)
			buf_add(&b, S(", "));
		if (addr->name.n > 0) {
			buf_add(&b, message_decode_words(a, addr->name));
			buf_addc(&b, ' ');
		}
		if (addr->kind == MESSAGE_ADDR || addr->kind == MESSAGE_ADDR_BAD) {
			buf_addc(&b, '<');
			buf_add(&b, addr->localpart);
			if (addr->domain.n > 0) {
				buf_addc(&b, '@');
				buf_add(&b, addr->domain);
			}
			buf_addc(&b, '>');
		}
	}
	return str_search(message_search_fold(a, message_to_utf8(a, buf_str(&b))), term) >= 0;
}

/* The addresses of the structure that stand for a header field; NULL for other fields. */
static const struct message_addrs *
address_field(const struct message_envelope *env, struct str field)
{
	return str_icase(field, S("From")) ? &env->from : str_icase(field, S("To")) ? &env->to : str_icase(field, S("Cc")) ? &env->cc :
	    str_icase(field, S("Bcc")) ? &env->bcc : NULL;
}

/* Likewise the value of another field. */
static const struct str *
value_field(const struct message_envelope *env, struct str field)
{
	return str_icase(field, S("Subject")) ? &env->subject : str_icase(field, S("Message-Id")) ? &env->message_id :
	    str_icase(field, S("In-Reply-To")) ? &env->in_reply_to : str_icase(field, S("Date")) ? &env->date : NULL;
}

/* Any field of that name has the term; an empty term: there is such a field (rfc/9051:3899). */
static enum answer
match_raw_header(struct subject *s, const struct imap_search *k, struct str term)
{
	struct message_field f;

	if (s->level < CONTENT)
		return UNKNOWN;
	if (!s->has_header) {
		if (failed(s, imapserver_content_source(&s->k)) || failed(s, imapserver_content_structure(&s->k)) ||
		    failed(s, message_part_header(s->k.a, &s->k.m, &s->k.src, &s->k.m.parts[0], &s->header)))
			return NO;
		s->has_header = true;
	}
	struct str rest = s->header;
	while (message_field_next(&rest, &f, NULL))
		if (str_icase(f.name, k->field) && str_search(message_search_fold(s->k.a, message_field_text(s->k.a, f.body)), term) >= 0)
			return YES;
	return NO;
}

static bool
has_punctuation(struct str term)
{
	for (size_t i = 0; i < term.n; i++)
		if (str_has(S("\"\\();:,"), term.p[i]))
			return true;
	return false;
}

/* The structure has what most searches look at; the message file is read for the rest. */
static enum answer
match_header(struct subject *s, const struct imap_search *k, struct str term)
{
	if (s->level < STRUCTURE)
		return UNKNOWN;
	if (failed(s, imapserver_content_structure(&s->k)))
		return NO;
	const struct message_part *root = &s->k.m.parts[0];
	const struct str *value = value_field(root->envelope, k->field);
	if (value)
		return value->p && str_search(message_search_fold(s->k.a, message_decode_words(s->k.a, *value)), term) >= 0 ? YES : NO;
	const struct message_addrs *addrs = address_field(root->envelope, k->field);
	if (!addrs)
		return match_raw_header(s, k, term);
	if (addrs->n > 0 && addresses_have(s->k.a, addrs, term))
		return YES;
	/* Quotes, comments and punctuation of the field, and what is no address, are not in the structure. */
	bool as_written = term.n == 0 || root->flaws & MESSAGE_FLAW_ADDRESS || has_punctuation(term);
	return as_written ? match_raw_header(s, k, term) : NO;
}

static enum answer
match_text(struct subject *s, bool header, struct str term)
{
	if (term.n == 0)
		return YES;
	if (s->level < CONTENT)
		return UNKNOWN;
	if (!s->has_text) {
		if (failed(s, imapserver_content_source(&s->k)) || failed(s, imapserver_content_structure(&s->k)) ||
		    failed(s, message_search_text(&s->k.m, &s->k.src, &s->header_text, &s->body_text)))
			return NO;
		s->has_text = true;
	}
	return str_search(buf_str(&s->body_text), term) >= 0 || (header && str_search(buf_str(&s->header_text), term) >= 0) ? YES : NO;
}

static enum answer match(struct subject *s, const struct imap_search *k, size_t *n);

static enum answer
match_operands(struct subject *s, const struct imap_search *k, size_t *n)
{
	/* All operands are walked, since each has its term; what is decided is not asked again. */
	enum answer stop = k->op == IMAP_SEARCH_OR ? YES : NO, result = k->op == IMAP_SEARCH_OR ? NO : YES;

	for (const struct imap_search *sub = k->sub; sub; sub = sub->next) {
		if (result == stop) {
			*n += count_keys(sub);
			continue;
		}
		enum answer r = match(s, sub, n);
		if (r == stop || r == UNKNOWN)
			result = r;
	}
	return result;
}

static enum answer
match(struct subject *s, const struct imap_search *k, size_t *n)
{
	const struct imapserver_term *term = &s->t->terms[(*n)++];
	const struct store_message *m = &s->row->m;
	enum answer r;

	switch (k->op) {
	case IMAP_SEARCH_ALL:
	case IMAP_SEARCH_SAVEDATESUPPORTED:     /* of all messages or of none (rfc/8514:231) */
		return YES;
	case IMAP_SEARCH_NONE:
		return NO;
	case IMAP_SEARCH_AND:
	case IMAP_SEARCH_OR:
		return match_operands(s, k, n);
	case IMAP_SEARCH_NOT:
		r = match(s, k->sub, n);
		return r == UNKNOWN ? UNKNOWN : r == YES ? NO : YES;
	case IMAP_SEARCH_SEQ:
		/* "$" is UIDs, whatever they are called at the moment. */
		return imap_ranges_has(&term->numbers, k->set.saved ? m->uid : imapserver_view_seq(s->t->view, m->uid)) ? YES : NO;
	case IMAP_SEARCH_UID:
		return imap_ranges_has(&term->numbers, m->uid) ? YES : NO;
	case IMAP_SEARCH_FLAG:
		return (term->flag ? (m->flags & term->flag) != 0 : has_word(m->keywords, term->text)) ? YES : NO;
	case IMAP_SEARCH_BEFORE:
	case IMAP_SEARCH_ON:
	case IMAP_SEARCH_SINCE:
		return match_date(s, k);
	case IMAP_SEARCH_OLDER:                 /* both with equality: rfc/5032:78 */
		return s->t->now_us - m->received_us >= (int64_t)k->n * TIME_SEC ? YES : NO;
	case IMAP_SEARCH_YOUNGER:
		return s->t->now_us - m->received_us <= (int64_t)k->n * TIME_SEC ? YES : NO;
	case IMAP_SEARCH_LARGER:
		return (uint64_t)m->size > k->n ? YES : NO;
	case IMAP_SEARCH_SMALLER:
		return (uint64_t)m->size < k->n ? YES : NO;
	case IMAP_SEARCH_EMAILID:
		return has_object_id(k->s, 'M', m->email_id) ? YES : NO;
	case IMAP_SEARCH_THREADID:
		return has_object_id(k->s, 'T', m->thread_id) ? YES : NO;
	case IMAP_SEARCH_MODSEQ:
		return (uint64_t)m->modseq >= k->n ? YES : NO;
	case IMAP_SEARCH_HEADER:
		return match_header(s, k, term->text);
	case IMAP_SEARCH_BODY:
		return match_text(s, false, term->text);
	case IMAP_SEARCH_TEXT:
		return match_text(s, true, term->text);
	}
	return NO;
}

int
imapserver_match(const struct imapserver_match *t, struct store_account *acct, struct arena *a, const struct imapserver_row *row)
{
	struct subject s = {
		.t = t, .row = row, .k = { .acct = acct, .row = row, .a = a },
		.header_text = BUF_INIT(TEXT_MAX), .body_text = BUF_INIT(TEXT_MAX),
	};
	enum answer r = UNKNOWN;

	for (s.level = ROW; s.level <= CONTENT && r == UNKNOWN && s.err == 0; s.level++) {
		size_t n = 0;
		r = match(&s, t->key, &n);
	}
	buf_done(&s.header_text);
	buf_done(&s.body_text);
	imapserver_content_done(&s.k);
	return s.err < 0 ? s.err : r == YES;
}
