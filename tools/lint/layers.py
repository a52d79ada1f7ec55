#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A package includes only packages of lower layers, and of its own layer those that pkg/LAYERS lists.

Move the code to where it belongs, pass in what it needs (a struct of functions), or, if the dependency is right, add it to
pkg/LAYERS. Headers are included as "package/file.h"; an _internal.h only inside its package; testutil and dns_mock only by tests.
Some libraries stay behind one package of ours: see ONLY in this file.
"""
import os
import re

from csource import Layers, Report, blank, c_files, read

# Library headers that only these packages may include: what they offer is wrapped there.
ONLY = {
    "cjson/": {"typedesc"},         # handlers never see a cJSON node; tests read the data of others with it
    "event2/": {"loop"},            # only the loop's thread calls libevent
    "sqlite3.h": {"db"},            # SQL runs through db, so that another driver fits
    "ldns/": {"dns", "dns_mock"},   # others see our record types
    "curl/": {"httpclient"},
    "gumbo.h": {"message", "webmail"},
}
TEST_ONLY = {"testutil", "dns_mock"}
INCLUDE = re.compile(r'^\s*#\s*include\s+(["<])([^">]+)[">]')


def cycle(layers):
    """A package that includes itself through same-layer packages, or None."""
    done = set()

    def visit(p, path):
        if p in path:
            return p
        if p in done:
            return None
        found = next((f for q in layers.same.get(p, ()) for f in [visit(q, path | {p})] if f), None)
        done.add(p)
        return found
    return next((f for p in layers.layer for f in [visit(p, frozenset())] if f), None)


def main():
    r, layers = Report("layers"), Layers()
    for n, text in layers.faults:
        r.error(layers.path, n, text)
    for p, same in layers.same.items():
        for q in same:
            if q not in layers.layer:
                r.error(layers.path, layers.line[p], "%s lists %s, which is no package" % (p, q))
            elif layers.layer[q] > layers.layer[p]:
                r.error(layers.path, layers.line[p], "%s lists %s of a higher layer" % (p, q))
    found = cycle(layers)
    if found:
        r.error(layers.path, layers.line[found], "%s includes itself through packages of its layer" % found)
    for path in c_files():
        parts = path.split("/")
        top, pkg = parts[0], parts[1] if len(parts) > 2 else ""
        if top == "pkg" and pkg not in layers.layer:
            r.error(path, 1, "package %s is not in pkg/LAYERS" % pkg)
            continue
        is_test = path.endswith(("_test.c", "_test.h", "_fuzz.c", "_bench.c")) or top == "fuzz"
        for n, line in enumerate(blank(read(path), literals=False).split("\n"), 1):
            m = INCLUDE.match(line)
            if not m:
                continue
            kind, header = m.groups()
            if top == "pkg":
                for prefix, only in ONLY.items():
                    if header.startswith(prefix) and pkg not in only and not (is_test and prefix == "cjson/"):
                        r.error(path, n, "<%s> is only for %s" % (header, ", ".join(sorted(only))))
            if kind == "<":
                continue
            other = header.split("/")[0] if "/" in header else None
            if other is None:
                if not os.path.exists(os.path.join(os.path.dirname(path), header)) or top == "pkg":
                    r.error(path, n, 'write "%s" with its package: "package/%s"' % (header, header))
                continue
            if other not in layers.layer:
                r.error(path, n, '"%s" is of no package in pkg/LAYERS' % header)
                continue
            if other in TEST_ONLY and not is_test and pkg not in TEST_ONLY:
                r.error(path, n, "%s is for tests only" % other)
            if header.endswith("_internal.h") and other != pkg:
                r.error(path, n, "%s is internal to %s" % (header, other))
            if top == "pkg" and not layers.may_include(pkg, other) and not (other in TEST_ONLY and is_test):
                r.error(path, n, "%s (layer %d) may not include %s (layer %d)" % (pkg, layers.layer[pkg], other, layers.layer[other]))
            if top == "tools" and other != "base" and not is_test:
                r.error(path, n, "build-time tools may include base only")
    r.exit()


if __name__ == "__main__":
    main()
