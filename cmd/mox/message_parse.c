/* SPDX-License-Identifier: MIT */
/* message_parse.c - mox message parse */
#include "commands.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "base/fd.h"
#include "message/imap.h"

/* print_tree prints one line per part: number as in IMAP, type, sizes, name. The message within part 2 is "2/", its parts are 2.1 and so on. */
static void
print_tree(const struct cmd_run *c, const struct message *m, const struct message_part *p, const char *number)
{
	struct str disposition, name, base = str_of(number);
	unsigned n = 0;

	if (str_ends(base, S("/")))
		base.n--;
	message_filename(c->arena, p, &disposition, &name, NULL);
	printf("%-10s %s/%s, %lld bytes, %lld lines", number[0] ? number : "message", str_z(c->arena, str_log(c->arena, p->type, 100)),
	    str_z(c->arena, str_log(c->arena, p->subtype, 100)), (long long)p->decoded_size, (long long)p->lines);
	if (disposition.n > 0 || name.n > 0)
		printf(", " STRF " " STRF, STRA(str_log(c->arena, disposition, 100)), STRA(str_log(c->arena, name, 200)));
	printf("\n");
	for (const struct message_part *q = message_first_child(m, p); q; q = message_next_part(m, q)) {
		struct str sub = q->root ? str_fmt(c->arena, "%s/", number) : str_fmt(c->arena, STRF "%s%u", STRA(base), base.n > 0 ? "." : "", ++n);
		print_tree(c, m, q, sub.p);
	}
}

static int
run(struct cmd_run *c)
{
	cleanup_(fd_close) int fd = open(c->argv[0], O_RDONLY | O_CLOEXEC);
	cleanup_(buf_done) struct buf out = BUF_INIT(SIZE_MAX / 2);
	struct stat st;
	struct message m;
	struct errmsg e = { 0 };

	if (fd < 0 || fstat(fd, &st) < 0)
		return cmd_fail(c, "%s: %s", c->argv[0], err_strerror(errno));
	struct message_source src = message_source_file((struct str){ 0 }, fd, st.st_size);
	if (message_parse(c->arena, &src, c->pedantic ? MESSAGE_STRICT : 0, &m, &e) < 0)
		return cmd_fail(c, "%s: %s", c->argv[0], e.text);
	if (cmd_is_set(c, "json")) {
		message_json(&out, &m);
		fwrite(out.p, 1, out.n, stdout);
	} else {
		print_tree(c, &m, &m.parts[0], "");
		if (m.fault.text.n > 0)
			printf("first fault: " STRF ", at offset %lld\n", STRA(m.fault.text), (long long)m.fault.off);
	}
	if (cmd_is_set(c, "smtputf8"))
		printf("message needs smtputf8: %s\n", message_needs_smtputf8(&m) ? "true" : "false");
	return CMD_OK;
}

const struct cmd cmd_message_parse = {
	.words = "message parse",
	.params = "file",
	.min_args = 1,
	.max_args = 1,
	.flags = {
	    { "json", NULL, NULL, "print the whole parse result as JSON" },
	    { "smtputf8", NULL, NULL, "also print whether sending the message needs SMTPUTF8" },
	},
	.help =
	    "Parse a message and print its structure.\n"
	    "\n"
	    "Messages are read leniently: what cannot be understood is shown as an opaque part,\n"
	    "and the first fault is named. With -pedantic, before the command's name, a fault is\n"
	    "an error.\n",
	.run = run,
};
