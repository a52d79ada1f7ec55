/* SPDX-License-Identifier: MIT */
/* Opening message files. */
#include "store/store_internal.h"

int
store_message_open(struct store_account *acct, int64_t id, struct blob_file **r_file)
{
	char path[PATH_SIZE];
	store_file_path(acct, id, path, NULL);
	return blob_open(path, r_file);
}
