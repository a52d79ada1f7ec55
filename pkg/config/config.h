/* SPDX-License-Identifier: MIT */
/*
 * config - mox.conf and domains.conf: reading, checking, the snapshot that servers work with, and changing domains.conf at
 * run time.
 *
 * All options are described in config.idl, from which their C types come (config_idl.h: struct config_static,
 * config_listener, config_domain, config_account, ...). A snapshot (struct config) is immutable and refcounted; take one per
 * unit of work (SMTP command, request), and do not keep it while waiting for a client. Its values are *effective*: defaults
 * are filled in (Port 25, Path "/webmail/", ...), paths are relative to the working directory, patterns are compiled, texts
 * for names are normalised (NFC; domains as U-labels in lower case). So servers test no zero values and resolve nothing. What
 * the file says is in raw_dynamic, for the interfaces that show and change it.
 *
 * mox.conf is read once. domains.conf is looked at again at most once a second, when a snapshot is taken, and replaced when
 * it changed and is valid; with errors the old one stays.
 */
#ifndef CONFIG_CONFIG_H
#define CONFIG_CONFIG_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/str.h"
#include "config/config_idl.h"
#include "idna/idna.h"
#include "log/log.h"
#include "regexp/regexp.h"

/* One pair of Ruleset.HeadersRegexp. */
struct config_header_re {
	struct regexp *name, *value;
};

/* A domain with what is derived from it. */
struct config_hosted {
	struct idna_domain name;
	const struct config_domain *conf;       /* also .disabled, .reports_only */
	struct idna_domain client_settings;     /* zero if not configured */
	struct typedesc_str_list separators;    /* catch-all separators, in order */
};

struct config {
	const struct config_static *fixed;
	const struct config_dynamic *dynamic;
	const struct config_dynamic *raw_dynamic;       /* as in the file, without defaults */
	struct idna_domain hostname;
	struct str postmaster_account, postmaster_mailbox;      /* never empty */
	struct str data_dir;                    /* terminated: fit for C calls */
	struct str dir;                         /* of the configuration files; terminated */
	struct str static_path, dynamic_path;   /* terminated */
	bool pedantic;
	/* of User; those of the process if it does not exist and only checks are wanted */
	uint32_t uid, gid;
	struct config_priv *priv;
};

/* ---- errors */

/*
 * What was found wrong, each with its file and line: "mox.conf:12: ...", and what is only unwise. Zero-initialise;
 * config_problems_done.
 */
struct config_problems {
	struct arena arena;
	struct strlist errors, warnings;
};
void config_problems_done(struct config_problems *p);
/* config_problems_text joins the errors with "; ". */
struct str config_problems_text(struct arena *a, const struct config_problems *p);

/* ---- loading */

enum config_flags {
	CONFIG_CHECK_ONLY = 1,          /* ACME options may be empty; for tools that only look */
	CONFIG_NO_TLS_FILES = 2,        /* do not read the files of KeyCerts and HostPrivateKeyFiles: they come as descriptors */
	CONFIG_NO_KEYS = 4,             /* do not read any file that options name; signing has no keys then */
};

/* config_find: the path of mox.conf: the argument if not empty, else $MOXCONF, else config/mox.conf. */
const char *config_find(const char *arg);

/*
 * config_load reads both files. ERR_NOTFOUND if mox.conf is missing, ERR_INVALID for anything in p->errors. Release with
 * config_unref.
 */
int config_load(const char *static_path, unsigned flags, struct config **r_cfg, struct config_problems *p) must_use_;
/* config_parse is config_load for texts, as if they stood in files of the directory. For tests and tools. */
int config_parse(const char *dir, struct str static_text, struct str dynamic_text, unsigned flags,
    struct config **r_cfg, struct config_problems *p) must_use_;
struct config *config_ref(struct config *c);
void config_unref(struct config **c);           /* NULL is fine; fits cleanup_() */

/* ---- the current configuration of a server */

struct config_live;
/* config_live_new takes the snapshot over. log gets reloads and their errors. */
struct config_live *config_live_new(struct config *cfg, unsigned flags, const struct log *log);
void config_live_free(struct config_live **l);
/* config_current returns the current snapshot, referenced; looks whether domains.conf changed. Thread-safe. */
struct config *config_current(struct config_live *l);
/*
 * config_change changes domains.conf: calls fn with a deep copy of raw_dynamic (strings and lists to be made in the arena),
 * checks the result, writes the file (comments and order are kept; atomically, else in place with a copy ".old"), makes it
 * current. ERR_INVALID with p->errors if it does not pass (texts without file and line); an error of fn is returned as it is.
 * File and memory are untouched on failure. Changes are serialised; fn must not ask for the current snapshot.
 */
typedef int config_change_fn(void *arg, struct arena *a, struct config_dynamic *d, struct errmsg *e);
int config_change(struct config_live *l, config_change_fn *fn, void *arg, struct config_problems *p, struct errmsg *e) must_use_;

/* config_apply_logs sets the levels of mox.conf in pkg/log. */
void config_apply_logs(const struct config *c);

/* ---- looking up. Results point into the snapshot. */

const struct config_account *config_account(const struct config *c, struct str name);           /* NULL if there is none */
/* NULL if there is none; also reports-only ones */
const struct config_hosted *config_domain(const struct config *c, const struct idna_domain *name);
/* U-labels or A-labels, any case */
const struct config_hosted *config_domain_text(const struct config *c, struct str name);
/* config_domains walks all domains sorted by name: start with *pos = 0; NULL at the end. */
const struct config_hosted *config_domains(const struct config *c, size_t *pos);
const struct config_listener *config_listener(const struct config *c, struct str name);
const struct config_transport *config_transport(const struct config *c, struct str name);

enum config_lookup_err {
	CONFIG_NO_DOMAIN = -150,        /* not one of ours, or only for reports */
	CONFIG_NO_ADDRESS = -151,
	CONFIG_DOMAIN_DISABLED = -152,  /* only with CONFIG_LOOKUP_ENABLED */
};
enum config_lookup_flags {
	CONFIG_LOOKUP_POSTMASTER = 1,   /* the postmaster that every domain and host has, if there is none of its own */
	CONFIG_LOOKUP_ALIAS = 2,        /* aliases too; without it an alias is CONFIG_NO_ADDRESS */
	CONFIG_LOOKUP_ENABLED = 4,      /* refuse disabled domains */
};
enum config_address_kind {
	CONFIG_ADDRESS_ACCOUNT,         /* an address of an account */
	CONFIG_ADDRESS_CATCHALL,        /* the @domain of an account */
	CONFIG_ADDRESS_ALIAS,
	CONFIG_ADDRESS_POSTMASTER,      /* of mox.conf */
};
struct config_address {
	enum config_address_kind kind;
	/* localpart@domain (U-labels; localpart quoted where needed), "@domain", or "postmaster" */
	struct str canonical;
	struct str account_name;        /* "" for aliases */
	const struct config_account *account;           /* NULL for aliases */
	const struct config_destination *destination;   /* NULL for aliases; mailbox is never empty */
	const struct config_alias *alias;               /* NULL unless an alias */
	struct str alias_address;       /* as configured: localpart@domain */
};
/*
 * config_lookup_address finds who gets mail for an address. localpart is decoded (pkg/smtp) and in NFC. A zero domain is the
 * bare <postmaster>. Matched are, in order: the postmaster of the host, its TLS reporting address; at the domain: reporting
 * addresses as written; then by canonical localpart (lower case unless the domain says otherwise, cut at catch-all
 * separators) addresses and aliases, the catch-all address, the postmaster. 0, or one of the errors above.
 */
int config_lookup_address(const struct config *c, struct str localpart, const struct idna_domain *domain,
    unsigned flags, struct config_address *r_addr) must_use_;
/* config_lookup_text does so for "localpart@domain" as text, also "postmaster"; ERR_INVALID if it is no address. */
int config_lookup_text(const struct config *c, struct str address, unsigned flags, struct config_address *r_addr) must_use_;
/* config_canonical returns the canonical localpart: lower-cased unless case matters, cut at the first separator. */
struct str config_canonical(struct arena *a, const struct config_hosted *h, struct str localpart);

/*
 * config_route picks the transport for a message: routes of the account, the sender's domain, the global ones; first match
 * wins. "" for direct delivery. account may be NULL.
 */
struct str config_route(const struct config *c, const struct config_account *account, const struct idna_domain *from,
    const struct idna_domain *to, int64_t attempts);

/*
 * config_check_mailbox checks and normalises a mailbox name (NFC required, "Inbox" whatever its case); ERR_INVALID with the
 * reason.
 */
int config_check_mailbox(struct arena *a, struct str name, bool allow_inbox, struct str *r_name, struct errmsg *e) must_use_;

/*
 * config_send_ips lists all addresses of SMTP listeners to send from, if they are explicit and at most one of each family;
 * else none.
 */
const struct typedesc_str_list *config_send_ips(const struct config *c);

/* config_default_account is a new account with the usual options and the one address. */
void config_default_account(struct arena *a, struct str address, struct str domain, struct config_account *r_account);

#endif
