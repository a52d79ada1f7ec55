#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""goto only jumps forward, to the one label of the function, which is called out.

Resources free themselves with cleanup_(); what remains is one exit path. Loops are written as loops, and a step that is left early becomes a
function.
"""
import re

from csource import Report, c_files, functions, read

LABEL = re.compile(r"^\s*([A-Za-z_]\w*)\s*:(?!:)")
GOTO = re.compile(r"\bgoto\s+([^;]+);")


def main():
    r = Report("goto")
    for path in c_files():
        for f in functions(read(path)):
            labels = {}
            for n, line in f.body:
                m = LABEL.match(line)
                if m and m.group(1) not in ("default", "case"):
                    labels[m.group(1)] = n
                    if m.group(1) != "out":
                        r.error(path, n, "label %s; the only label is out" % m.group(1))
            for n, line in f.body:
                for target in GOTO.findall(line):
                    target = target.strip()
                    if target != "out":
                        r.error(path, n, "goto %s; only out may be a target" % target)
                    elif labels.get("out", 0) < n:
                        r.error(path, n, "goto backwards")
    r.exit()


if __name__ == "__main__":
    main()
