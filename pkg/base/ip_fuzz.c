/* SPDX-License-Identifier: MIT */
/* An address that parses is written in a form that parses to the same one; masks only take away. */
#include "base/arena.h"
#include "base/err.h"
#include "base/ip.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct arena a = { 0 };
	struct str s = str_n((const char *)data, n);
	struct ip ip, again, m, m2;
	struct ipport p, p2;

	if (ip_parse(s, &ip) == 0) {
		bug_if(ip_parse(ip_str(&a, &ip), &again) < 0 || !ip_equal(&ip, &again));
		for (unsigned bits = 0; bits <= 128; bits++) {
			m = ip_mask(&ip, bits);
			m2 = ip_mask(&m, bits);
			bug_if(!ip_equal(&m, &m2));
		}
		bug_if(ip_is_loopback(&ip) && ip_is_private(&ip));
	}
	if (ipport_parse(s, &p) == 0)
		bug_if(ipport_parse(ipport_str(&a, &p), &p2) < 0 || !ip_equal(&p.ip, &p2.ip) || p.port != p2.port);
	arena_done(&a);
	return 0;
}
