/* SPDX-License-Identifier: MIT */
/* localserve.h - shared by the files of mox localserve. */
#ifndef MOX_LOCALSERVE_H
#define MOX_LOCALSERVE_H

#include "base/err.h"

#define LOCALSERVE_ACCOUNT "mox"
#define LOCALSERVE_ADDRESS "mox@localhost"
#define LOCALSERVE_PASSWORD "moxmoxmox"
#define LOCALSERVE_ADMIN_PASSWORD "moxadmin"

/*
 * localserve_init writes the files of a new directory: certificate and key for localhost, DKIM key, admin password, key
 * of Received ids, mox.conf and domains.conf. ip: the only address to listen on; NULL = 127.0.0.1 and ::1. On failure a
 * directory that it made is removed. The password of the account is set by the caller, through the store.
 */
int localserve_init(const char *dir, const char *ip, struct errmsg *e) must_use_;

#endif
