/* SPDX-License-Identifier: MIT */
/*
 * fetch.h - HTTP requests as an interface, so that packages that need one (MTA-STS policies, RDAP) stay free of sockets.
 *
 * pkg/httpclient is the implementation; tests bring their own.
 */
#ifndef BASE_FETCH_H
#define BASE_FETCH_H

#include <stdbool.h>
#include <stddef.h>

#include "base/ctx.h"
#include "base/err.h"
#include "base/str.h"

enum fetch_err {                /* besides ERR_TIMEOUT, ERR_CANCELED, ERR_INVALID (the URL), ERR_IO */
	FETCH_NOHOST = -170,    /* the host does not exist */
	FETCH_DNS = -171,       /* it could not be looked up now */
	FETCH_TLS = -172,       /* no TLS, or a certificate that is not good: see verify_error */
	FETCH_TOOLARGE = -173,  /* more than max_body */
	FETCH_REDIRECT = -174,  /* a redirect that was not wanted, or too many */
};

struct fetch_header {
	struct str name, value;
};

struct fetch_request {
	const char *method;             /* NULL: GET, or POST with a body */
	struct str url;                 /* http or https, host in ASCII form */
	const struct fetch_header *headers;
	size_t nheaders;
	struct str body;                /* sent if has_body */
	bool has_body;
	size_t max_body;                /* of the response; 0 takes none */
	unsigned max_redirects;         /* followed (GET only); 0: a redirect is FETCH_REDIRECT */
	bool https_only;                /* also for what redirects lead to */
};

struct fetch_response {
	int status;                     /* of HTTP; set when there was a response, also on FETCH_TOOLARGE and FETCH_REDIRECT */
	struct fetch_header *headers;   /* names in lower case; of the last response */
	size_t nheaders;
	struct str body;
	int verify_error;               /* for FETCH_TLS: X509_V_ERR_*, 0 if it is not about the certificate */
};

struct fetcher {
	/*
	 * get makes one request. 0 when there was a whole response, whatever its status. Results live in the arena. ctx ends it.
	 * Safe for concurrent use.
	 */
	int (*get)(struct fetcher *f, struct arena *a, const struct ctx *ctx, const struct fetch_request *q,
	    struct fetch_response *r_response, struct errmsg *e);
};

/* fetch makes a request; r_response is zeroed first. */
static inline int must_use_
fetch(struct fetcher *f, struct arena *a, const struct ctx *ctx, const struct fetch_request *q, struct fetch_response *r_response,
    struct errmsg *e)
{
	*r_response = (struct fetch_response){ 0 };
	return f->get(f, a, ctx, q, r_response, e);
}

#endif
