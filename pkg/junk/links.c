/* SPDX-License-Identifier: MIT */
/* Where links lead. */
#include "junk/junk_internal.h"

#define HOST_MAX 100                    /* longer ones are not alike in two messages */

static bool
is_host(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.';
}

static void
signal_of(struct buf *b, struct str host)
{
	buf_add(b, S("link:"));
	for (size_t i = 0; i < host.n; i++)
		buf_addc(b, host.p[i] >= 'A' && host.p[i] <= 'Z' ? (char)(host.p[i] | 0x20) : host.p[i]);
	buf_addc(b, '\n');
}

/* domain_of leaves the last two labels. */
static struct str
domain_of(struct str host)
{
	size_t dots = 0;
	for (size_t i = host.n; i-- > 0;)
		if (host.p[i] == '.' && ++dots == 2)
			return str_from(host, i + 1);
	return host;
}

static bool
is_address(struct str host)
{
	for (size_t i = 0; i < host.n; i++)
		if (host.p[i] != '.' && (host.p[i] < '0' || host.p[i] > '9'))
			return false;
	return true;
}

void
junk_links(struct str text, struct buf *signals)
{
	ssize_t at;
	while ((at = str_search(text, S("://"))) >= 0) {
		text = str_from(text, (size_t)at + 3);
		size_t n = 0;
		while (n < text.n && n <= HOST_MAX && is_host(text.p[n]))
			n++;
		struct str host = str_upto(text, n);
		if (n < text.n && text.p[n] == '@')
			buf_add(signals, S("link:@\n"));       /* a name in front that looks like a host */
		while (host.n && host.p[host.n - 1] == '.')
			host.n--;
		if (host.n == 0 || host.n > HOST_MAX)
			continue;
		if (is_address(host)) {
			buf_add(signals, S("link:address\n"));
			continue;
		}
		struct str domain = domain_of(host);
		signal_of(signals, domain);
		if (domain.n < host.n)
			signal_of(signals, host);
	}
}
