/* SPDX-License-Identifier: MIT */
/* main.c - the program's entry. */
#include <malloc.h>
#include <signal.h>

#include "cmd.h"

int
main(int argc, char **argv)
{
	/* A peer that goes away is an error of write, not the end of the process. */
	signal(SIGPIPE, SIG_IGN);
	/* An arena for each of many worker threads would keep what each of them used at its busiest. */
	mallopt(M_ARENA_MAX, 4);
	return cmd_main(argc, argv);
}
