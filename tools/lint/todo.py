#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Nothing in the tree is left for later: no TODO and its relatives, no code commented out.

Do it, or write into the issue that it is missing; a comment says what is true now.
"""
import re

from csource import Report, comments, files, read

WORD = re.compile(r"\b(TODO|FIXME|XXX|HACK|todo|fixme)\b|\b(for now|not (?:yet )?implemented|unimplemented|placeholder implementation)\b")
CODE = re.compile(r"^\s*(?://|/\*|\*)\s*(?:(?:if|for|while|switch) \(.*\) ?\{|return\b.*;|[\w>.\[\]-]+ = [^,]*;|[\w>.-]+\(.*\);)\s*(?:\*/)?\s*$")


def main():
    r = Report("todo")
    for path in files(".c", ".h", ".idl", ".ts"):
        for n, line in comments(read(path)):
            m = WORD.search(line)
            if m:
                r.error(path, n, "comment says \"%s\"" % m.group(0))
            elif CODE.match(line) and "`" not in line and not path.endswith((".h", ".idl")):
                r.warn(path, n, "code in a comment?")
    for path in files(".py", ".sh", ".mk", "Makefile", ".awk"):
        if path.startswith("tools/lint/"):
            continue
        for n, line in enumerate(read(path).split("\n"), 1):
            m = WORD.search(line[line.find("#"):]) if "#" in line else None
            if m:
                r.error(path, n, "comment says \"%s\"" % m.group(0))
    r.exit()


if __name__ == "__main__":
    main()
