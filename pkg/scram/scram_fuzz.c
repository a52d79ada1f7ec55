/* SPDX-License-Identifier: MIT */
/*
 * The first byte chooses side and message, the rest is what the other side sent.
 */
#include "scram/scram.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* many_iterations: an iteration count of more than four digits, which would take the fuzzer's time. */
static bool
many_iterations(struct str in)
{
	ssize_t at;

	while ((at = str_search(in, S("i="))) >= 0) {
		in = str_from(in, (size_t)at + 2);
		size_t digits = 0;
		while (digits < in.n && in.p[digits] >= '0' && in.p[digits] <= '9')
			digits++;
		if (digits > 4)
			return true;
	}
	return false;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint8_t zero[1];
	struct arena a = { 0 };
	struct scram_binding b = { .tls_exporter = S("data") };
	struct scram_keys k = { .salt = S("12345678"), .iterations = 1 };
	struct scram_server s;
	struct scram_client c;
	struct str msg;

	uint8_t what = size > 0 ? data[0] : zero[0];
	struct str in = str_n((const char *)data + (size > 0), size > 0 ? size - 1 : 0);
	struct scram_server_args args = { .hash = what & 1 ? SCRAM_SHA1 : SCRAM_SHA256, .plus = what & 2, .binding = what & 4 ? &b : NULL };
	switch (what >> 3 & 3) {
	case 0:
		if (scram_server_start(&s, &a, &args, in) == 0)
			scram_server_challenge(&s, &k);
		break;
	case 1:
		args.plus = false;
		if (scram_server_start(&s, &a, &args, S("n,,n=user,r=12345678")) == 0) {
			scram_server_challenge(&s, &k);
			ignore_result(scram_server_finish(&s, in));
		}
		break;
	default:
		if (scram_client_first(&c, &a, &(struct scram_client_args){ .user = S("u"), .password = S("p"), .nonce = S("n") }, &msg) < 0)
			break;
		if ((what >> 3 & 3) == 3)
			ignore_result(scram_client_verify(&c, in));
		else if (!many_iterations(in))
			ignore_result(scram_client_final(&c, in, &msg));
	}
	arena_done(&a);
	return 0;
}
