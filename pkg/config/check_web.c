/* SPDX-License-Identifier: MIT */
/* The web server's part of domains.conf. */
#include "config/config_internal.h"

static bool
serves_web(const struct config_static *s)
{
	for (size_t i = 0; i < s->listeners.n; i++)
		if (s->listeners.v[i].v.webserver_http.enabled || s->listeners.v[i].v.webserver_https.enabled)
			return true;
	return false;
}

/* The redirects by their normal names. */
static void
check_redirects(struct config_check *c, struct config_dynamic *d)
{
	const struct typedesc *map = typedesc_type(&config_dynamic_desc, "WebDomainRedirects");
	struct typedesc_str_map good = { .v = ARENA_NEWN(c->a, d->web_domain_redirects.n, struct typedesc_str_entry) };
	struct idna_domain from, to;
	struct str dup;

	config_enter(c, S("WebDomainRedirects"));
	for (size_t i = 0; i < d->web_domain_redirects.n; i++) {
		const struct typedesc_str_entry *e = &d->web_domain_redirects.v[i];

		config_enter(c, e->k);
		if (config_check_domain(c, NULL, e->k, &from) && config_check_domain(c, NULL, e->v, &to)) {
			if (idna_equal(&from, &to))
				config_errorf(c, NULL, "is a redirect to itself");
			good.v[good.n++] = (struct typedesc_str_entry){ from.ascii, to.ascii };
		}
		config_leave(c, 1);
	}
	if (!typedesc_map_sort(map, &good, &dup))
		config_errorf(c, NULL, STRF " is there twice", STRA(dup));
	config_leave(c, 1);
	d->web_domain_redirects = good;
}

static void
check_response_headers(struct config_check *c, const struct typedesc_str_map *m)
{
	for (size_t i = 0; i < m->n; i++) {
		struct str name = m->v[i].k;
		bool bad = name.n == 0;

		for (size_t k = 0; k < name.n; k++)
			bad |= name.p[k] <= ' ' || name.p[k] > 0x7e || strchr("()<>@,;:\\\"/[]?={}", name.p[k]);
		if (bad)
			config_errorf(c, "ResponseHeaders", "\"" STRF "\" is no name of a header field", STRA(name));
		for (size_t k = 0; k < m->v[i].v.n; k++) {
			unsigned char ch = (unsigned char)m->v[i].v.p[k];

			if ((ch < 0x20 && ch != '\t') || ch == 0x7f) {
				config_errorf(
				    c, "ResponseHeaders", "the value of \"" STRF "\" has control characters", STRA(name));
				break;
			}
		}
	}
}

static void
check_static(struct config_check *c, const struct config_web_static *w)
{
	config_enter(c, S("WebStatic"));
	if (w->strip_prefix.n && w->strip_prefix.p[0] != '/')
		config_errorf(c, "StripPrefix", "must begin with a slash");
	if (w->root.n == 0)
		config_errorf(c, "Root", "is empty");
	check_response_headers(c, &w->response_headers);
	config_leave(c, 1);
}

/* scheme://host or //host, with nothing behind but a slash. */
static void
check_base_url(struct config_check *c, struct str url)
{
	struct str host = url;

	if (!str_starts(url, S("//")) && !config_check_url(c, "BaseURL", url))
		return;
	host = str_from(host, (size_t)str_search(host, S("//")) + 2);
	if (str_ends(host, S("/")))
		host = str_upto(host, host.n - 1);
	if (host.n == 0 || str_has(host, '/') || str_has(host, '?') || str_has(host, '#') || str_has(host, '@') ||
	    str_has(host, ' '))
		config_errorf(c, "BaseURL", "must be a scheme and a host, without path, query or fragment");
}

static void
check_redirect(struct config_check *c, struct config_web_redirect *w)
{
	config_enter(c, S("WebRedirect"));
	if (w->base_url.n)
		check_base_url(c, w->base_url);
	if ((w->orig_path_regexp.n == 0) != (w->replace_path.n == 0))
		config_errorf(c, NULL, "OrigPathRegexp and ReplacePath need each other");
	if (w->base_url.n == 0 && w->orig_path_regexp.n == 0)
		config_errorf(c, NULL, "needs BaseURL, or OrigPathRegexp and ReplacePath");
	w->orig_path_re = config_check_regexp(c, "OrigPathRegexp", w->orig_path_regexp);
	if (w->status_code < 300 || w->status_code > 399)
		config_errorf(c, "StatusCode", "must be from 300 to 399");
	config_leave(c, 1);
}

static void
check_forward(struct config_check *c, const struct config_web_forward *w)
{
	config_enter(c, S("WebForward"));
	config_check_url(c, "URL", w->url);
	check_response_headers(c, &w->response_headers);
	config_leave(c, 1);
}

static void
check_internal(struct config_check *c, const struct config_web_internal *w)
{
	config_enter(c, S("WebInternal"));
	if (!str_starts(w->base_path, S("/")) || !str_ends(w->base_path, S("/")))
		config_errorf(c, "BasePath", "must begin and end with a slash");
	config_leave(c, 1);
}

static void
check_handler(struct config_check *c, struct config_web_handler *h, size_t index)
{
	int kinds = (h->web_static != NULL) + (h->web_redirect != NULL) + (h->web_forward != NULL) + (h->web_internal != NULL);
	struct idna_domain d;

	h->name = h->log_name.n ? h->log_name : str_fmt(c->a, "%zu", index);
	if (config_check_domain(c, "Domain", h->domain, &d))
		h->domain_ascii = d.ascii;
	if (!str_starts(h->path_regexp, S("^")))
		config_errorf(c, "PathRegexp", "must begin with ^");
	else
		h->path_re = config_check_regexp(c, "PathRegexp", h->path_regexp);
	if (kinds != 1)
		config_errorf(
		    c, NULL, "needs one of WebStatic, WebRedirect, WebForward and WebInternal%s", kinds ? ", not more" : "");
	if (h->web_static)
		check_static(c, h->web_static);
	if (h->web_redirect)
		check_redirect(c, h->web_redirect);
	if (h->web_forward)
		check_forward(c, h->web_forward);
	if (h->web_internal)
		check_internal(c, h->web_internal);
}

void
config_check_web(struct config_check *c, struct config_dynamic *d)
{
	if ((d->web_domain_redirects.n || d->web_handlers.n) && !serves_web(c->base->fixed))
		config_errorf(c, d->web_handlers.n ? "WebHandlers" : "WebDomainRedirects",
		    "WebserverHTTP and WebserverHTTPS are enabled in no listener");
	check_redirects(c, d);
	config_enter(c, S("WebHandlers"));
	for (size_t i = 0; i < d->web_handlers.n; i++) {
		config_enter_index(c, i);
		check_handler(c, &d->web_handlers.v[i], i);
		config_leave(c, 1);
	}
	config_leave(c, 1);
}
