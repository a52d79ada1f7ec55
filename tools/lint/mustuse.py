#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Functions of headers that return an error code are marked must_use_ (warns).

A function that returns int and has an out-parameter (r_...) leaves it untouched when it fails, so its caller has to look. Where ignoring is
right, the caller says ignore_result(...).
"""
import re

from csource import Report, blank, files, read

PROTO = re.compile(r"^(?:extern\s+)?int\s+(\w+)\s*\(([^;{]*)\)([^;{]*);", re.M)


def main():
    r = Report("mustuse")
    for path in files(".h"):
        text = blank(read(path))
        for m in PROTO.finditer(text):
            if re.search(r"\br_\w+", m.group(2)) and "must_use_" not in m.group(3):
                r.warn(path, text.count("\n", 0, m.start()) + 1, "%s returns a code and has no must_use_" % m.group(1))
    r.exit()


if __name__ == "__main__":
    main()
