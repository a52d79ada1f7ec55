/* SPDX-License-Identifier: MIT */
/* Any text as domains.conf: errors, or a snapshot whose look-ups work. Before a NUL byte may stand a text for mox.conf. */
#include "config/config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static const char usual[] =
    "DataDir: d\nLogLevel: info\nUser: root\nHostname: mail.example.org\n"
    "Listeners:\n\tl:\n\t\tIPs:\n\t\t\t- 127.0.0.1\n\t\tWebserverHTTP:\n\t\t\tEnabled: true\n\t\tMTASTSHTTPS:\n\t\t\tEnabled: true\n\t\t\tNonTLS: true\n"
    "Postmaster:\n\tAccount: mjl\n\tMailbox: Postmaster\n"
    "Transports:\n\trelay: nil\n\tsocks: nil\n\tfail: nil\n";

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static const char *const addresses[] = { "mjl@example.org", "x+y@example.org", "postmaster", "\"\"@example.org", "team@example.org" };
	struct str dynamic = str_n((const char *)data, n), fixed = str_of(usual);
	struct config_problems p = { 0 };
	struct config *c = NULL;

	if (str_has(dynamic, '\0'))
		fixed = str_split(&dynamic, '\0');
	if (config_parse("c", fixed, dynamic, CONFIG_NO_KEYS | CONFIG_CHECK_ONLY, &c, &p) < 0) {
		bug_if(p.errors.n == 0);
	} else {
		for (size_t i = 0; i < 8 * ARRAY_LEN(addresses); i++) {
			struct config_address a = { 0 };

			if (config_lookup_text(c, str_of(addresses[i / 8]), i % 8, &a) == 0)
				bug_if(a.canonical.n == 0 || (a.account == NULL) != (a.kind == CONFIG_ADDRESS_ALIAS));
		}
		size_t pos = 0;
		for (const struct config_hosted *h; (h = config_domains(c, &pos));)
			ignore_result(config_route(c, NULL, &h->name, &h->name, 1).n);
	}
	config_unref(&c);
	config_problems_done(&p);
	return 0;
}
