/* SPDX-License-Identifier: MIT */
/* cmd.c - finding a command, parsing flags, usage and help. */
#include "cmd.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/err.h"

static const struct cmd_flag global_flags[] = {
	{ "config", "path", NULL,
	    "configuration file; default $MOXCONF, else config/mox.conf. domains.conf stands in the same directory" },
	{ "loglevel", "level", NULL,
	    "log level for all packages of this process: error, warn, info, debug, trace, traceauth, tracedata" },
	{ "resolver", "address[:port]", NULL,
	    "DNS server that the commands for single protocols ask instead of those in /etc/resolv.conf" },
	{ "trustanchor", "path", NULL,
	    "file with DS or DNSKEY records; those commands validate DNSSEC themselves, starting from it" },
	{ "pedantic", NULL, NULL, "strict protocol handling instead of lenient, for testing" },
	{ "checkconsistency", NULL, NULL,
	    "check account databases when they are closed and abort on a fault, for testing" },
	{ 0 },
};
enum { G_CONFIG, G_LOGLEVEL, G_RESOLVER, G_TRUST_ANCHOR, G_PEDANTIC, G_CHECK, G_COUNT };

/* Takes one word off *p, a string of words with single spaces, if it is next. */
static bool
take_word(const char **p, const char *word)
{
	size_t n = strlen(word);

	if (n == 0 || strncmp(*p, word, n) != 0 || ((*p)[n] != ' ' && (*p)[n] != '\0'))
		return false;
	*p += n + ((*p)[n] == ' ');
	return true;
}

const struct cmd *
cmd_find(int argc, char **argv, int *r_nwords)
{
	for (const struct cmd *const *c = cmd_table; *c; c++) {
		const char *p = (*c)->words;
		int i = 0;

		while (i < argc && *p && take_word(&p, argv[i]))
			i++;
		if (i > 0 && *p == '\0') {
			*r_nwords = i;
			return *c;
		}
	}
	return NULL;
}

static void
print_flags(FILE *f, const struct cmd_flag *flags)
{
	for (; flags->name; flags++) {
		fprintf(f, "  -%s%s%s\n    \t%s", flags->name, flags->value ? " " : "", flags->value ? flags->value : "",
		    flags->help);
		if (flags->def)
			fprintf(f, " (default %s)", flags->def);
		fputc('\n', f);
	}
}

static void
print_usage(FILE *f, const struct cmd *cmd)
{
	fprintf(
	    f, "usage: mox %s%s%s%s\n", cmd->words, cmd->flags[0].name ? " [flags]" : "", *cmd->params ? " " : "", cmd->params);
	print_flags(f, cmd->flags);
}

void
cmd_explain(FILE *f, const struct cmd *cmd)
{
	print_usage(f, cmd);
	fprintf(f, "\n%s", cmd->help);
}

int
cmd_list(FILE *f, const char *prefix)
{
	int count = 0;

	if (!prefix)
		fputs("usage: mox [global flags] command ...\n\nCommands:\n", f);
	for (const struct cmd *const *c = cmd_table; *c; c++) {
		const char *rest = (*c)->words;

		if (prefix ? !take_word(&rest, prefix) : ((*c)->attrs & CMD_HIDDEN) != 0)
			continue;
		fprintf(f, "  mox %-24s %.*s\n", (*c)->words, (int)strcspn((*c)->help, "\n"), (*c)->help);
		count++;
	}
	if (!prefix) {
		fputs("\nGlobal flags, before the command:\n", f);
		print_flags(f, global_flags);
		fputs("\n\"mox help command\" tells more about a command.\n", f);
	}
	return count;
}

const char *
cmd_value(const struct cmd_run *c, const char *name)
{
	for (int i = 0; c->cmd->flags[i].name; i++)
		if (strcmp(c->cmd->flags[i].name, name) == 0)
			return c->values[i] ? c->values[i] : c->cmd->flags[i].def;
	bug("flag %s is not in the table of %s", name, c->cmd->words);
}

bool
cmd_is_set(const struct cmd_run *c, const char *name)
{
	const char *v = cmd_value(c, name);

	return v && strcmp(v, "true") == 0;
}

static void complain(const struct cmd_run *c, const char *fmt, va_list ap) printf_(2, 0);

static void
complain(const struct cmd_run *c, const char *fmt, va_list ap)
{
	fprintf(stderr, "%s: ", c->cmd->words);
	vfprintf(stderr, fmt, ap);
	fputc('\n', stderr);
}

int
cmd_fail(const struct cmd_run *c, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	complain(c, fmt, ap);
	va_end(ap);
	return CMD_FAILED;
}

int
cmd_misused(const struct cmd_run *c, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	complain(c, fmt, ap);
	va_end(ap);
	print_usage(stderr, c->cmd);
	return CMD_USAGE;
}

enum { FLAGS_BAD = -1, FLAGS_HELP = -2 };

/*
 * Parses flags at the start of argv by the table; values go by index. Returns how many elements were taken, FLAGS_BAD
 * after a message on stderr, or FLAGS_HELP when help was asked for.
 */
static int
parse_flags(const struct cmd_flag *flags, int argc, char **argv, const char **values)
{
	int i = 0;

	while (i < argc && argv[i][0] == '-' && argv[i][1] != '\0') {
		const char *arg = argv[i++] + 1;
		const char *eq;
		size_t n;
		int k;

		if (strcmp(arg, "-") == 0)
			return i;
		if (*arg == '-')
			arg++;
		eq = strchr(arg, '=');
		n = eq ? (size_t)(eq - arg) : strlen(arg);
		for (k = 0; flags[k].name && (strlen(flags[k].name) != n || strncmp(flags[k].name, arg, n) != 0); k++)
			continue;
		if (!flags[k].name) {
			if (str_is(str_n(arg, n), S("h")) || str_is(str_n(arg, n), S("help")))
				return FLAGS_HELP;
			fprintf(stderr, "unknown flag -%.*s\n", (int)n, arg);
			return FLAGS_BAD;
		}
		if (!flags[k].value) {
			values[k] = eq ? eq + 1 : "true";
			if (strcmp(values[k], "true") != 0 && strcmp(values[k], "false") != 0) {
				fprintf(stderr, "flag -%s is true or false, not \"%s\"\n", flags[k].name, values[k]);
				return FLAGS_BAD;
			}
		} else if (eq) {
			values[k] = eq + 1;
		} else if (i < argc) {
			values[k] = argv[i++];
		} else {
			fprintf(stderr, "flag -%s needs a value: %s\n", flags[k].name, flags[k].value);
			return FLAGS_BAD;
		}
	}
	return i;
}

/* Prints the commands that share the first word, or all. */
static int
usage_all(const char *first_word)
{
	if (!first_word || cmd_list(stderr, first_word) == 0) {
		if (first_word)
			fprintf(stderr, "mox: there is no command \"%s\"\n", first_word);
		cmd_list(stderr, NULL);
	}
	return CMD_USAGE;
}

static const char *
joined_words(struct arena *a, const char *words)
{
	char *s = arena_strdup(a, words);
	char *out = s;

	for (const char *p = s; *p; p++)
		if (*p != ' ')
			*out++ = *p;
	*out = '\0';
	return s;
}

/* The configuration's path: flag, then environment, then the default. */
static void
choose_config(struct cmd_run *c, const char *flag)
{
	const char *env = secure_getenv("MOXCONF");

	c->config_given = flag || (env && *env);
	c->config = flag ? flag : c->config_given ? env : "config/mox.conf";
}

static int
run(struct cmd_run *c, int argc, char **argv)
{
	const char *global[G_COUNT] = { NULL };
	enum log_level level = LOG_INFO;
	int n, nwords = 0, status;

	n = parse_flags(global_flags, argc, argv, global);
	if (n < 0)
		return usage_all(NULL);
	argc -= n;
	argv += n;
	c->cmd = cmd_find(argc, argv, &nwords);
	if (!c->cmd)
		return usage_all(argc > 0 ? argv[0] : NULL);
	argc -= nwords;
	argv += nwords;

	n = parse_flags(c->cmd->flags, argc, argv, c->values);
	if (n >= 0) {
		c->argc = argc - n;
		c->argv = argv + n;
	}
	if (n < 0 || c->argc < c->cmd->min_args || (c->cmd->max_args >= 0 && c->argc > c->cmd->max_args)) {
		cmd_explain(stderr, c->cmd);
		return CMD_USAGE;
	}
	choose_config(c, global[G_CONFIG]);
	c->loglevel = global[G_LOGLEVEL];
	c->resolver = global[G_RESOLVER];
	c->trust_anchor = global[G_TRUST_ANCHOR];
	c->pedantic = global[G_PEDANTIC] && strcmp(global[G_PEDANTIC], "true") == 0;
	c->check_consistency = global[G_CHECK] && strcmp(global[G_CHECK], "true") == 0;
	c->log.pkg = joined_words(c->arena, c->cmd->words);
	if (c->loglevel && log_level_parse(str_of(c->loglevel), &level) < 0) {
		fprintf(stderr, "unknown log level \"%s\"; use error, warn, info, debug, trace, traceauth or tracedata\n",
		    c->loglevel);
		return CMD_FAILED;
	}
	log_set_default(level);

	status = c->cmd->run(c);
	if (fflush(stdout) != 0 && status == CMD_OK)
		status = cmd_fail(c, "writing output: %s", err_strerror(errno));
	return status;
}

int
cmd_main(int argc, char **argv)
{
	struct arena arena = { 0 };
	struct cmd_run c = { .arena = &arena, .program = argv[0] };
	int status;

	/* A setgid installation serves only as sendmail; anything else would open every command to all local users. */
	if (getegid() != getgid()) {
		fputs("mox: refusing to run setgid\n", stderr);
		return CMD_FAILED;
	}
	status = run(&c, argc - 1, argv + 1);
	arena_done(&arena);
	return status;
}
