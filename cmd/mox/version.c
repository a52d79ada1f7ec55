/* SPDX-License-Identifier: MIT */
/* version.c - mox version */
#include "version.h"

#include <sys/utsname.h>

#include <openssl/crypto.h>
#include <sqlite3.h>

#include "commands.h"

const char *
version_string(void)
{
	return MOX_VERSION;
}

static int
run(struct cmd_run *c)
{
	struct utsname u = { 0 };

	if (uname(&u) < 0)
		return cmd_fail(c, "the name of the system is not available");
	printf("%s\n%s/%s\n", version_string(), u.sysname, u.machine);
	printf("compiler %s, %s, SQLite %s\n", __VERSION__, OpenSSL_version(OPENSSL_VERSION), sqlite3_libversion());
	return CMD_OK;
}

const struct cmd cmd_version = {
	.words = "version",
	.params = "",
	.help =
	    "Print the version of this program.\n"
	    "\n"
	    "The first line is the version, the second the system. The third names the compiler\n"
	    "and the main libraries.\n",
	.run = run,
};
