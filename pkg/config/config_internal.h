/* SPDX-License-Identifier: MIT */
/* config_internal - how a snapshot is made and what it has inside. */
#ifndef CONFIG_INTERNAL_H
#define CONFIG_INTERNAL_H

#include <stdatomic.h>
#include <sys/stat.h>

#include "base/hash.h"
#include "base/limits.h"
#include "config/config.h"
#include "sconf/sconf.h"
#include "smtp/smtp.h"

/* mox.conf, shared by all snapshots of a process. */
struct config_base {
	struct arena arena;
	_Atomic unsigned refs;
	struct config_static *fixed;            /* effective */
	struct idna_domain hostname;
	struct idna_domain *smtp_hostnames;     /* of listeners with SMTP; with the global one */
	size_t nsmtp_hostnames;
	struct config_destination postmaster, host_tlsrpt;
	struct str host_tlsrpt_address;
	struct typedesc_str_list send_ips;
	struct str data_dir, dir, static_path, dynamic_path;
	uint32_t uid, gid;
};

/* What identifies the content of domains.conf. */
struct config_version {
	int64_t mtime_ns, size;
	uint64_t ino;
};

struct config_priv {
	struct config c;                        /* handed out; first, so that one is the other */
	struct arena arena;
	_Atomic unsigned refs;
	struct config_base *base;
	struct config_dynamic *dynamic, *raw;
	struct config_hosted *hosted;           /* in the order of dynamic->domains */
	struct map by_name;                     /* A-labels to config_hosted */
	struct map addresses;                   /* keys of addresses to config_address: canonical ones, catch-alls, aliases */
	struct map reports;                     /* localpart@domain of reporting addresses, as matched, to config_address */
	struct regexp **regexps;
	size_t nregexps, regexps_cap;
	struct evp_pkey_st **keys;
	size_t nkeys, keys_cap;
	struct str text;                        /* of domains.conf, and its tree */
	struct sconf_node root;
	struct config_version version;
};

/* The place that a check is about, and where its findings go. */
struct config_check {
	struct arena *a;                        /* of the snapshot */
	struct sconf_report *r;
	const struct sconf_node *root;
	unsigned flags;
	struct { struct str name; bool is_index; } at[16];
	size_t depth;
	struct config_base *base;
	struct config_priv *priv;               /* NULL while mox.conf is checked */
};
void config_enter(struct config_check *c, struct str name);
void config_enter_index(struct config_check *c, size_t index);
void config_leave(struct config_check *c, size_t levels);
/* An error or warning about a field of the place at hand (NULL: the place itself); the text gets the path in front. */
void config_errorf(struct config_check *c, const char *field, const char *fmt, ...) printf_(3, 4);
void config_warnf(struct config_check *c, const char *field, const char *fmt, ...) printf_(3, 4);

/* ---- small checks; false after an error was told */
bool config_check_domain(struct config_check *c, const char *field, struct str name, struct idna_domain *r_d);
/* A domain that is written as U-labels in lower case. */
bool config_check_unicode_domain(struct config_check *c, const char *field, struct str name, struct idna_domain *r_d);
/* Replaces the name by its normal form. empty_ok: the option is not set. */
bool config_check_box(struct config_check *c, const char *field, struct str *name, bool allow_inbox);
bool config_check_text(struct config_check *c, const char *field, struct str s);       /* printable ASCII */
bool config_check_ips(struct config_check *c, const char *field, const struct typedesc_str_list *l);
/* Compiles a pattern that the snapshot owns; NULL if it is empty or bad. */
struct regexp *config_check_regexp(struct config_check *c, const char *field, struct str pattern);
bool config_check_url(struct config_check *c, const char *field, struct str url);      /* absolute http or https */
/* config_path resolves a path relative to the directory of mox.conf. The result is terminated. */
struct str config_path(struct config_check *c, struct str path);
#define CONFIG_PUSH(a, v, n, cap) ((v) = config_room((a), (v), (n), &(cap), sizeof(*(v))), &(v)[(n)++])
void *config_room(struct arena *a, void *v, size_t n, size_t *cap, size_t size);

/* ---- files with keys; problems are told */
void config_check_keycert(struct config_check *c, const struct config_key_cert *kc);
void config_check_host_keys(struct config_check *c, const struct config_tls *t);
void config_check_ca(struct config_check *c, const struct config_ca *ca);
void config_check_eab(struct config_check *c, struct config_external_account_binding *eab);
void config_check_dkim_key(struct config_check *c, struct config_selector *s);

/* ---- the checks of section 4 of the specification, which also make values effective */
void config_check_static(struct config_check *c, struct config_static *s);
void config_check_listeners(struct config_check *c, struct config_static *s);
void config_check_transports(struct config_check *c, struct config_static *s);
void config_check_dynamic(struct config_check *c, struct config_dynamic *d);
void config_check_domains(struct config_check *c, struct config_dynamic *d);
void config_check_report_addresses(struct config_check *c, struct config_dynamic *d);
void config_check_aliases(struct config_check *c, struct config_dynamic *d);
void config_check_accounts(struct config_check *c, struct config_dynamic *d);
void config_check_destination(struct config_check *c, struct config_destination *dest);
void config_check_routes(struct config_check *c, const struct config_route_list *routes);
void config_check_web(struct config_check *c, struct config_dynamic *d);

/* config_build makes a snapshot of texts; base NULL: of both, else only of the dynamic one. */
int config_build(struct config_base *base, const char *static_path, struct str static_text, struct str dynamic_text,
    unsigned flags, const struct config_version *v, struct config **r_cfg, struct config_problems *p) must_use_;
/* config_live_expire makes the next config_current look at the file. For tests. */
void config_live_expire(struct config_live *l);
/* config_read_dynamic reads domains.conf into the arena. */
int config_read_dynamic(struct arena *a, const char *path, struct str *r_text, struct config_version *r_v,
    struct errmsg *e) must_use_;
static inline struct config_priv *
config_priv(const struct config *c)
{
	return c->priv;
}

/* Key of an address in the tables: localpart as it is, "@", A-labels. */
#define CONFIG_CATCHALL S("\n")         /* for @domain: what no local part can be; an empty one is legal */
struct str config_address_key(struct arena *a, struct str localpart, const struct idna_domain *d);

#endif
