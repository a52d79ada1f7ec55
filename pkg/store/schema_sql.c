/* SPDX-License-Identifier: MIT */
/*
 * The schema of an account's database.
 *
 * Differences to a plain reading of ../spec/store-schema.md, each for a measured reason:
 * - What changes with every transaction (last modseq, disk usage, next message id) is one row, sync_state: one page to write instead of three.
 * - Message ids come from sync_state, not from AUTOINCREMENT: they are given out before the transaction that uses them, because the file is named by
 *   them and synced first. file_floor: files with ids from here on that have no row are left over from a crash.
 * - message_delivery and message_dkim repeat what the flags say of junk, and mailbox_orig_id, so that the history of senders has indexes of judged
 *   messages: only what is judged costs anything, and what is not is never read.
 * - Indexes are made with the query that needs them; each one costs about 6 µs per delivery. message_keyword is such an index, too: not here yet.
 */
#include "store/store_internal.h"

/* An index of judged messages only (history.h), newest last. */
#define JUDGED(name, table, columns) "CREATE INDEX judged_" name " ON " table "(" columns ", received) WHERE junk IS NOT NULL;"
#define BOOL(name) name " INTEGER NOT NULL DEFAULT 0 CHECK (" name " IN (0, 1))"

static const char schema1[] =
	"CREATE TABLE meta_upgrade ("
	" id INTEGER PRIMARY KEY CHECK (id = 1),"
	" threads INTEGER NOT NULL,"
	" message_parse_version INTEGER NOT NULL"
	") STRICT;"
	"CREATE TABLE next_uidvalidity ("
	" id INTEGER PRIMARY KEY CHECK (id = 1),"
	" next INTEGER NOT NULL CHECK (next BETWEEN 1 AND 4294967295)"
	") STRICT;"
	"CREATE TABLE sync_state ("
	" id INTEGER PRIMARY KEY CHECK (id = 1),"
	" last_modseq INTEGER NOT NULL,"
	" highest_deleted_modseq INTEGER NOT NULL,"
	" message_size INTEGER NOT NULL,"
	" next_message_id INTEGER NOT NULL,"
	" file_floor INTEGER NOT NULL"
	") STRICT;"

	"CREATE TABLE mailbox ("
	" id INTEGER PRIMARY KEY AUTOINCREMENT,"
	" createseq INTEGER NOT NULL,"
	" modseq INTEGER NOT NULL,"
	" " BOOL("expunged") ","
	" parent_id INTEGER REFERENCES mailbox(id),"
	" name TEXT NOT NULL CHECK (name <> ''),"
	" uidvalidity INTEGER NOT NULL CHECK (uidvalidity BETWEEN 1 AND 4294967295),"
	" uidnext INTEGER NOT NULL CHECK (uidnext BETWEEN 1 AND 4294967295),"
	" " BOOL("use_archive") ","
	" " BOOL("use_draft") ","
	" " BOOL("use_junk") ","
	" " BOOL("use_sent") ","
	" " BOOL("use_trash") ","
	" keywords TEXT NOT NULL DEFAULT '',"
	" cnt_total INTEGER NOT NULL DEFAULT 0,"
	" cnt_deleted INTEGER NOT NULL DEFAULT 0,"
	" cnt_unread INTEGER NOT NULL DEFAULT 0,"
	" cnt_unseen INTEGER NOT NULL DEFAULT 0,"
	" cnt_size INTEGER NOT NULL DEFAULT 0,"
	" CHECK (createseq > 0 AND createseq <= modseq)"
	") STRICT;"
	"CREATE UNIQUE INDEX mailbox_live_name ON mailbox(name) WHERE expunged = 0;"
	"CREATE UNIQUE INDEX mailbox_use_archive ON mailbox(use_archive) WHERE expunged = 0 AND use_archive = 1;"
	"CREATE UNIQUE INDEX mailbox_use_draft ON mailbox(use_draft) WHERE expunged = 0 AND use_draft = 1;"
	"CREATE UNIQUE INDEX mailbox_use_junk ON mailbox(use_junk) WHERE expunged = 0 AND use_junk = 1;"
	"CREATE UNIQUE INDEX mailbox_use_sent ON mailbox(use_sent) WHERE expunged = 0 AND use_sent = 1;"
	"CREATE UNIQUE INDEX mailbox_use_trash ON mailbox(use_trash) WHERE expunged = 0 AND use_trash = 1;"

	"CREATE TABLE annotation ("
	" id INTEGER PRIMARY KEY AUTOINCREMENT,"
	" createseq INTEGER NOT NULL,"
	" modseq INTEGER NOT NULL,"
	" " BOOL("expunged") ","
	" mailbox_id INTEGER REFERENCES mailbox(id),"
	" key TEXT NOT NULL,"
	" " BOOL("is_string") ","
	" value BLOB,"
	" CHECK (createseq > 0 AND createseq <= modseq)"
	") STRICT;"
	"CREATE UNIQUE INDEX annotation_live ON annotation(COALESCE(mailbox_id, 0), key) WHERE expunged = 0;"
	"CREATE TABLE subscription (name TEXT PRIMARY KEY) STRICT;"

	"CREATE TABLE message ("
	" id INTEGER PRIMARY KEY,"
	" mailbox_id INTEGER NOT NULL REFERENCES mailbox(id),"
	" uid INTEGER NOT NULL CHECK (uid BETWEEN 1 AND 4294967295),"
	" createseq INTEGER NOT NULL,"
	" modseq INTEGER NOT NULL,"
	" " BOOL("expunged") ","
	" " BOOL("erased") ","
	" flags INTEGER NOT NULL DEFAULT 0,"
	" keywords TEXT NOT NULL DEFAULT '',"
	" size INTEGER NOT NULL DEFAULT 0,"
	" received INTEGER,"
	" received_tz INTEGER NOT NULL DEFAULT 0,"
	" save_date INTEGER,"
	" trained_junk INTEGER,"
	" mailbox_orig_id INTEGER NOT NULL DEFAULT 0,"
	" mailbox_destined_id INTEGER NOT NULL DEFAULT 0,"
	" message_id_hdr TEXT NOT NULL DEFAULT '',"
	" subject_base TEXT NOT NULL DEFAULT '',"
	" thread_id INTEGER NOT NULL DEFAULT 0,"
	" thread_parent_ids TEXT NOT NULL DEFAULT '',"
	" " BOOL("thread_missing_link") ","
	" " BOOL("thread_muted") ","
	" " BOOL("thread_collapsed") ","
	" " BOOL("is_dsn") ","
	" " BOOL("is_reject") ","
	" " BOOL("is_forward") ","
	" " BOOL("is_mailinglist") ","
	" CHECK (createseq > 0 AND createseq <= modseq)"
	") STRICT;"
	"CREATE UNIQUE INDEX message_mailbox_uid ON message(mailbox_id, uid);"
	/* Covering, for SELECT: expunged is listed because SQLite otherwise reads the row for the WHERE term all the same. */
	"CREATE INDEX message_live ON message(mailbox_id, uid, flags, expunged) WHERE expunged = 0;"
	"CREATE INDEX message_mailbox_modseq ON message(mailbox_id, modseq);"
	"CREATE INDEX message_hdrid ON message(message_id_hdr) WHERE message_id_hdr <> '';"
	"CREATE INDEX message_subject ON message(subject_base, received) WHERE subject_base <> '';"

	"CREATE TABLE message_body ("
	" id INTEGER PRIMARY KEY REFERENCES message(id) ON DELETE CASCADE,"
	" msg_prefix BLOB NOT NULL,"
	" preview TEXT,"
	" parsed BLOB,"
	" message_hash BLOB"
	") STRICT;"
	"CREATE INDEX body_hash ON message_body(message_hash) WHERE message_hash IS NOT NULL;"
	"CREATE TABLE message_delivery ("
	" id INTEGER PRIMARY KEY REFERENCES message(id) ON DELETE CASCADE,"
	" received INTEGER NOT NULL,"
	" remote_ip TEXT NOT NULL DEFAULT '',"
	" remote_ip_masked1 TEXT NOT NULL DEFAULT '',"
	" remote_ip_masked2 TEXT NOT NULL DEFAULT '',"
	" remote_ip_masked3 TEXT NOT NULL DEFAULT '',"
	" ehlo_domain TEXT NOT NULL DEFAULT '',"
	" mailfrom TEXT NOT NULL DEFAULT '',"
	" mailfrom_localpart TEXT NOT NULL DEFAULT '',"
	" mailfrom_domain TEXT NOT NULL DEFAULT '',"
	" rcptto_localpart TEXT NOT NULL DEFAULT '',"
	" rcptto_domain TEXT NOT NULL DEFAULT '',"
	" msgfrom_localpart TEXT NOT NULL DEFAULT '',"
	" msgfrom_domain TEXT NOT NULL DEFAULT '',"
	" msgfrom_orgdomain TEXT NOT NULL DEFAULT '',"
	" " BOOL("ehlo_validated") ","
	" " BOOL("mailfrom_validated") ","
	" " BOOL("msgfrom_validated") ","
	" ehlo_validation INTEGER NOT NULL DEFAULT 0,"
	" mailfrom_validation INTEGER NOT NULL DEFAULT 0,"
	" msgfrom_validation INTEGER NOT NULL DEFAULT 0,"
	" orig_ehlo_domain TEXT NOT NULL DEFAULT '',"
	" orig_dkim_domains TEXT NOT NULL DEFAULT '',"
	" tls_version INTEGER NOT NULL DEFAULT 0,"
	" tls_ciphersuite INTEGER NOT NULL DEFAULT 0,"
	" " BOOL("requiretls") ","
	" mailbox_orig_id INTEGER NOT NULL DEFAULT 0,"
	" junk INTEGER CHECK (junk IN (0, 1))"
	") STRICT;"
	"CREATE TABLE message_dkim ("
	" message_id INTEGER NOT NULL REFERENCES message(id) ON DELETE CASCADE,"
	" domain TEXT NOT NULL,"
	" received INTEGER NOT NULL,"
	" mailbox_orig_id INTEGER NOT NULL DEFAULT 0,"
	" junk INTEGER CHECK (junk IN (0, 1)),"
	" PRIMARY KEY (message_id, domain)"
	") STRICT, WITHOUT ROWID;"
	JUDGED("from", "message_delivery", "mailbox_orig_id, msgfrom_domain, msgfrom_localpart, msgfrom_validated")
	JUDGED("from_domain", "message_delivery", "mailbox_orig_id, msgfrom_domain, msgfrom_validated")
	JUDGED("from_orgdomain", "message_delivery", "mailbox_orig_id, msgfrom_orgdomain, msgfrom_validated")
	JUDGED("mailfrom", "message_delivery", "mailbox_orig_id, mailfrom, mailfrom_validated")
	JUDGED("mailfrom_domain", "message_delivery", "mailbox_orig_id, mailfrom_domain, mailfrom_validated")
	JUDGED("ehlo", "message_delivery", "mailbox_orig_id, ehlo_domain, ehlo_validated")
	JUDGED("ip1", "message_delivery", "mailbox_orig_id, remote_ip_masked1")
	JUDGED("ip2", "message_delivery", "mailbox_orig_id, remote_ip_masked2")
	JUDGED("ip3", "message_delivery", "mailbox_orig_id, remote_ip_masked3")
	JUDGED("wanted", "message_delivery", "msgfrom_orgdomain, junk")
	JUDGED("dkim", "message_dkim", "mailbox_orig_id, domain")
	"CREATE TABLE message_unsynced ("       /* content of files that may not be on disk: unsynced.c */
	" id INTEGER PRIMARY KEY REFERENCES message(id),"
	" content BLOB NOT NULL"
	") STRICT;"
	"CREATE TABLE message_erase ("
	" id INTEGER PRIMARY KEY REFERENCES message(id),"
	" " BOOL("skip_update_disk_usage")
	") STRICT;"

	"CREATE TABLE recipient ("
	" id INTEGER PRIMARY KEY AUTOINCREMENT,"
	" message_id INTEGER NOT NULL REFERENCES message(id) ON DELETE CASCADE,"
	" localpart TEXT NOT NULL CHECK (localpart <> ''),"
	" domain TEXT NOT NULL CHECK (domain <> ''),"
	" org_domain TEXT NOT NULL CHECK (org_domain <> ''),"
	" sent INTEGER NOT NULL"
	") STRICT;"
	"CREATE INDEX recipient_message ON recipient(message_id);"
	"CREATE INDEX recipient_address ON recipient(domain, localpart, sent);"
	"CREATE INDEX recipient_domain ON recipient(domain, sent);"
	"CREATE INDEX recipient_orgdomain ON recipient(org_domain, sent);"
	"CREATE TABLE outgoing (id INTEGER PRIMARY KEY AUTOINCREMENT, recipient TEXT NOT NULL, submitted INTEGER NOT NULL) STRICT;"
	"CREATE TABLE recipient_domain_tls ("
	" domain TEXT PRIMARY KEY,"
	" updated INTEGER NOT NULL,"
	" " BOOL("starttls") ","
	" " BOOL("requiretls")
	") STRICT;"

	"CREATE TABLE password ("
	" id INTEGER PRIMARY KEY CHECK (id = 1),"
	" bcrypt TEXT NOT NULL,"
	" crammd5_ipad BLOB,"
	" crammd5_opad BLOB,"
	" scram1_salt BLOB,"
	" scram1_iterations INTEGER,"
	" scram1_stored_key BLOB,"
	" scram1_server_key BLOB,"
	" scram256_salt BLOB,"
	" scram256_iterations INTEGER,"
	" scram256_stored_key BLOB,"
	" scram256_server_key BLOB"
	") STRICT;"
	"CREATE TABLE subjectpass (email TEXT PRIMARY KEY, key TEXT NOT NULL) STRICT;"
	"CREATE TABLE login_session ("
	" id INTEGER PRIMARY KEY AUTOINCREMENT,"
	" created INTEGER NOT NULL,"
	" expires INTEGER NOT NULL,"
	" token_hash BLOB NOT NULL UNIQUE,"
	" csrf_token BLOB NOT NULL,"
	" login_address TEXT NOT NULL"
	") STRICT;"

	"CREATE TABLE settings ("
	" id INTEGER PRIMARY KEY CHECK (id = 1),"
	" signature TEXT NOT NULL DEFAULT '',"
	" quoting TEXT NOT NULL DEFAULT '' CHECK (quoting IN ('', 'bottom', 'top')),"
	" " BOOL("show_address_security") ","
	" " BOOL("show_html") ","
	" " BOOL("no_show_shortcuts") ","
	" show_headers TEXT NOT NULL DEFAULT ''"
	") STRICT;"
	"CREATE TABLE from_address_settings ("
	" from_address TEXT PRIMARY KEY,"
	" view_mode TEXT NOT NULL CHECK (view_mode IN ('text', 'html', 'htmlext'))"
	") STRICT;"
	"CREATE TABLE ruleset_no_listid ("
	" id INTEGER PRIMARY KEY AUTOINCREMENT, rcptto_address TEXT NOT NULL, list_id TEXT NOT NULL, " BOOL("to_inbox")
	") STRICT;"
	"CREATE TABLE ruleset_no_msgfrom ("
	" id INTEGER PRIMARY KEY AUTOINCREMENT, rcptto_address TEXT NOT NULL, msgfrom_address TEXT NOT NULL, " BOOL("to_inbox")
	") STRICT;"
	"CREATE TABLE ruleset_no_mailbox ("
	" id INTEGER PRIMARY KEY AUTOINCREMENT, mailbox_id INTEGER NOT NULL, " BOOL("to_mailbox")
	") STRICT;";

/* email_id: the content that copies of a message share (RFC 8474), the id of the first; 0: the message's own id. */
static const char schema2[] = "ALTER TABLE message ADD COLUMN email_id INTEGER NOT NULL DEFAULT 0;";

/* junk_mark: the filter's database has the same when both agree. */
static const char schema3[] = "ALTER TABLE sync_state ADD COLUMN junk_mark INTEGER NOT NULL DEFAULT 0;";

static const struct db_migration migrations[] = {
	{ 1, schema1, NULL },
	{ 2, schema2, NULL },
	{ 3, schema3, NULL },
};

const struct db_kind store_kind = {
	.name = "account",
	.application_id = 0x6d6f7841,   /* "moxA" */
	.migrations = migrations,
	.nmigrations = ARRAY_LEN(migrations),
	.full_sync = true,
};
