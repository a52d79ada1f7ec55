#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Files have at most 1500 lines (1000 warns), functions at most 150 (warns).

One concern a file, one step a function: split where the names of the parts come easily. Aim for 800 lines a file.
"""
from csource import Report, files, functions, read

FILE_WARN, FILE_MAX, FUNCTION_WARN = 1000, 1500, 150


def main():
    r = Report("size")
    for path in files(".c", ".h", ".py", ".ts", ".idl"):
        text = read(path)
        n = text.count("\n")
        if n > FILE_MAX:
            r.error(path, 1, "%d lines, at most %d" % (n, FILE_MAX))
        elif n > FILE_WARN:
            r.warn(path, 1, "%d lines, aim for less than %d" % (n, FILE_WARN))
        if path.endswith((".c", ".h")):
            for f in functions(text):
                if f.last - f.first > FUNCTION_WARN:
                    r.warn(path, f.first, "%s has %d lines, aim for less than %d" % (f.name, f.last - f.first, FUNCTION_WARN))
    r.exit()


if __name__ == "__main__":
    main()
