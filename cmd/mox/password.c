/* SPDX-License-Identifier: MIT */
/* password.c - reading a new password from standard input. */
#include "password.h"

#include <termios.h>
#include <unistd.h>

#define PASSWORD_MIN 8          /* bytes, as the server demands */
#define LINE_MAX_BYTES 1024

/* One line without its line end. False when it is too long or there is none. */
static bool
read_line(struct secret *r_s)
{
	char line[LINE_MAX_BYTES];
	size_t n = 0;
	int ch;
	bool ok;

	while ((ch = getchar()) != EOF && ch != '\n' && n < sizeof(line))
		line[n++] = (char)ch;
	ok = n < sizeof(line) && (n > 0 || ch == '\n');
	if (n > 0 && line[n - 1] == '\r')
		n--;
	if (ok)
		secret_set(r_s, str_n(line, n));
	mem_erase(line, sizeof(line));
	return ok;
}

static bool
ask(const char *prompt, struct secret *r_s)
{
	struct termios saved, quiet;
	bool ok;

	if (tcgetattr(STDIN_FILENO, &saved) < 0)
		return read_line(r_s);
	quiet = saved;
	quiet.c_lflag &= ~(tcflag_t)ECHO;
	fputs(prompt, stderr);
	ignore_result(tcsetattr(STDIN_FILENO, TCSAFLUSH, &quiet) < 0);
	ok = read_line(r_s);
	ignore_result(tcsetattr(STDIN_FILENO, TCSAFLUSH, &saved) < 0);
	fputc('\n', stderr);
	return ok;
}

int
password_read(const struct cmd_run *c, struct secret *r_password)
{
	cleanup_(secret_done) struct secret again = { 0 };

	if (!ask("new password: ", r_password))
		return cmd_fail(c, "no password on standard input");
	if (r_password->n < PASSWORD_MIN)
		return cmd_fail(c, "the password must have at least %d bytes", PASSWORD_MIN);
	if (isatty(STDIN_FILENO) && (!ask("once more: ", &again) || !secret_equal(&again, secret_str(r_password))))
		return cmd_fail(c, "the two are not equal; nothing was changed");
	return CMD_OK;
}
