#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Every symbol that a package exports, and every macro of its headers, starts with the package's name.

Make it static if only its file uses it; otherwise rename it. Usage: prefixes.py ARCHIVE...; the name of the archive is
libPACKAGE.a. Symbols come from nm, so this sees what the linker sees.
"""
import os
import re
import subprocess
import sys

from csource import Report, blank, files, read

# base is a family of small modules, each with a prefix of its own; the others have one.
PREFIXES = {
    "base": "arena buf cur str strlist enc gzip utf8 hash map rand time clock fd ip ipport lock rwlock cond ctx err mem pem secret thread",
    "metrics": "metrics metric",
    "testutil": "testutil test expect",
}
# Not ours to name.
FOREIGN = {"main", "LLVMFuzzerTestOneInput", "LLVMFuzzerInitialize", "LLVMFuzzerCustomMutator"}


def prefixes(pkg):
    return tuple(PREFIXES.get(pkg, pkg).split())


def good(name, pkg):
    """x or x_..., also behind leading underscores of the sanitizers' and coverage's making."""
    return any(name == p or name.startswith(p + "_") for p in prefixes(pkg))


def symbols(archive):
    """(object, name) of what the archive defines for others. gcc-nm reads objects of link-time optimisation as well."""
    nm = "gcc-nm" if any(os.access(os.path.join(d, "gcc-nm"), os.X_OK) for d in os.environ["PATH"].split(":")) else "nm"
    out = subprocess.run([nm, "-g", "--defined-only", "-A", archive], stdout=subprocess.PIPE, check=True).stdout.decode()
    for line in out.split("\n"):
        m = re.match(r"[^:]+:([^:]+):\S*\s+([A-Za-z])\s+(\S+)$", line)
        # weak and unique symbols are the compiler's
        if m and m.group(2) not in "wWvVu":
            yield m.group(1), m.group(3)


def main():
    r = Report("prefixes")
    for archive in sys.argv[1:]:
        pkg = re.sub(r"^lib(.*)\.a$", r"\1", os.path.basename(archive))
        for obj, name in symbols(archive):
            if name in FOREIGN or name.startswith(("__asan", "__odr_asan", "__tsan", "__gcov", "__sanitizer")) or good(name, pkg):
                continue
            r.error("pkg/%s/%s" % (pkg, re.sub(r"\.o$", ".c", obj)), 1, "exports %s, which does not start with %s" %
                    (name, " or ".join(p + "_" for p in prefixes(pkg))))
    for path in files(".h"):
        name = os.path.basename(path)
        if not path.startswith("pkg/") or path.startswith("pkg/base/") or name.endswith("_internal.h") or name.startswith("test"):
            continue    # not seen by other packages, or with names of its own
        pkg = path.split("/")[1]
        for n, line in enumerate(blank(read(path)).split("\n"), 1):
            m = re.match(r"#\s*define\s+(\w+)", line)
            if m and not good(m.group(1).lower(), pkg):
                r.error(path, n, "macro %s does not start with %s_" % (m.group(1), pkg.upper()))
    r.exit()


if __name__ == "__main__":
    main()
