#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Layout that needs no judgement: tabs, at most 130 columns, no trailing space, return type on a line of its own.

`make fmt` mends the lines that you changed. So that `grep -n '^name('` finds a function, its name starts the line where it is defined.
"""
import re

from csource import Report, blank, files, read

COLUMNS = 130
DEFINITION = re.compile(r"^(?!static_assert|else\b|typedef\b|TEST\b)(?:[A-Za-z_]\w*[\s*]+)+\**([A-Za-z_]\w*)\(.*[),]\s*$")


def main():
    r = Report("style")
    for path in files(".c", ".h", ".idl", ".py", ".sh", ".mk", "Makefile", ".ts"):
        text = read(path)
        is_c = path.endswith((".c", ".h"))
        if text and not text.endswith("\n"):
            r.error(path, text.count("\n") + 1, "no line end at the end of the file")
        if text.endswith("\n\n"):
            r.error(path, text.count("\n"), "empty line at the end of the file")
        plain = blank(text).split("\n") if is_c else []
        for n, line in enumerate(text.split("\n"), 1):
            if line.rstrip("\n") != line.rstrip():
                r.error(path, n, "space or carriage return at the end of the line")
            if is_c:
                width = len(line.expandtabs(8))
                if width > COLUMNS:
                    r.warn(path, n, "%d columns, at most %d" % (width, COLUMNS))
                if re.match(r"\t*(?! {4}\S) {2,}\S", plain[n - 1]):
                    r.error(path, n, "indent with tabs; 4 spaces behind them where a statement goes on")
        for n, line in enumerate(plain[:-1], 1):
            if plain[n].rstrip() == "{" and DEFINITION.match(line):
                r.error(path, n, "return type of %s on a line of its own" % DEFINITION.match(line).group(1))
    r.exit()


if __name__ == "__main__":
    main()
