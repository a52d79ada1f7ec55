#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The top level holds what the architecture names and dotfiles; nothing that a tool wrote is in the tree.

Put the file where its kind lives, or into .gitignore; a new folder on top is a decision for the architecture.
"""
import re

from csource import Report, files

TOP = {"Makefile", "README.md", "LICENSE", "pkg", "cmd", "testdata", "rfc", "fuzz", "integration", "tools"}
WRITTEN = re.compile(r"\.(?:o|a|so|gcov|gcda|gcno|d|orig|rej|swp|pyc|profraw|core)$|~$")


def main():
    r = Report("tree")
    for path in files():
        top = path.split("/")[0]
        if top not in TOP and not top.startswith("."):
            r.error(path, 1, "%s does not belong on the top level" % top)
        elif WRITTEN.search(path):
            r.error(path, 1, "written by a tool")
    r.exit()


if __name__ == "__main__":
    main()
