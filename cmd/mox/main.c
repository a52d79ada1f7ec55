/* SPDX-License-Identifier: MIT */
/* main.c - the program's entry. */
#include <signal.h>

#include "cmd.h"

int
main(int argc, char **argv)
{
	/* A peer that goes away is an error of write, not the end of the process. */
	signal(SIGPIPE, SIG_IGN);
	return cmd_main(argc, argv);
}
