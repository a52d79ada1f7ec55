/* SPDX-License-Identifier: MIT */
/*
 * analyze.h - is a message wanted, for one recipient's account?
 *
 * One function decides, from what was found at reception, the configuration, and questions to the account's history, the junk filter and block lists.
 * It reads nothing else and writes nothing: each row of the table of ../spec/delivery-analysis.md 5 is a row of its test.
 *
 * Junk is refused with a temporary error that says nothing: who sends junk learns nothing, and a good sender who was misjudged tries again, while the
 * owner may take the copy out of Rejects.
 */
#ifndef SMTPSERVER_ANALYZE_H
#define SMTPSERVER_ANALYZE_H

#include "config/config.h"
#include "smtp/smtp.h"
#include "smtpserver/reputation.h"

struct content_verdict {
	double probability;             /* of junk, 0..1 */
	bool significant;               /* the filter has seen enough messages to be worth something */
	struct str words;               /* that decided, for the explanation */
};

enum report_kind { REPORT_DMARC, REPORT_TLS };

/* What the analysis asks. Strings of answers live as long as the arena that is passed. Negative results are errors. */
struct analysis_hooks {
	struct history history;
	int (*mailbox_id)(void *arg, struct str name, int64_t *r_id);                           /* 0 in r_id: there is none */
	int (*over_rate)(void *arg, struct arena *a, struct str *r_text);                       /* 1: over a limit, which the text names */
	int (*classify)(void *arg, struct arena *a, struct content_verdict *r_v);               /* by the junk filter; 0: there is none, 1: done */
	int (*block_listed)(void *arg, struct arena *a, struct str *r_text);                    /* 1: listed, and where and why */
	int (*take_report)(void *arg, struct arena *a, enum report_kind k, struct str *r_why);  /* 1: it is one; 0: why not */
	int (*subjectpass_ok)(void *arg);                                                       /* 1: the subject has a good token */
	int (*subjectpass_token)(void *arg, struct arena *a, struct str *r_token);
	void *arg;
};

struct analysis_input {
	struct candidate c;
	bool iprev_pass;
	/* DMARC: */
	bool dmarc_reject;              /* the policy applies and wants it refused */
	bool dmarc_pass, dmarc_temperror;
	const struct config_account *account;
	const struct config_destination *destination;   /* mailbox is never empty */
	const struct smtp_path *rcpt;   /* as in RCPT TO */
	struct str header;              /* of the message as received */
	bool has_from;                  /* there is a single author */
	bool tls;
	double jitter;                  /* -0.05 .. 0.05, added to the threshold of the junk filter, so that it cannot be found out */
};

struct analysis {
	bool accept;
	struct str mailbox;             /* accepted: where to; refused: the Rejects mailbox, or empty */
	struct str mailbox_destined;    /* where it would have gone, but for Rejects or the introbox; or empty */
	bool is_reject;                 /* accepted into AcceptRejectsToMailbox, though refused: marked so, and seen */
	bool is_forward, is_mailinglist;
	bool report_taken[2];           /* by enum report_kind */
	struct str report_error[2];     /* why it was no report; empty: it was not asked */
	const char *dmarc_override;     /* why the policy was not applied: "mailing_list", "forwarded"; NULL */
	const char *reason;             /* "no-bad-signals", "junk-content", ... */
	struct strlist why;             /* in words, for X-Mox-Reason */
	struct candidate c;             /* as it is to be stored; changed for forwards */
	/* refused: */
	int code;
	const char *ecode;              /* without class */
	struct str text;
	bool user_error;                /* no trouble of ours */
	bool high_rate;                 /* no copy in Rejects, and the client is slowed down */
	int err;                        /* the error behind it, or 0 */
};

/* smtpserver_ruleset returns the first ruleset of the destination that matches all its conditions, or NULL. */
const struct config_ruleset *smtpserver_ruleset(struct arena *a, const struct candidate *c, const struct config_destination *d, struct str header,
    bool has_from);

/* smtpserver_analyze decides. Everything in *r_analysis is in the arena, or belongs to the input. */
void smtpserver_analyze(struct arena *a, const struct analysis_input *in, const struct analysis_hooks *h, struct analysis *r_analysis);

#endif
