#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""No C code sleeps: tests synchronise on what they wait for, servers use timers or poll with a deadline.

In a test wait on a condition, a descriptor or a replaced clock; in code use ctx_poll or the loop's timers.
"""
import re

from csource import Report, blank, c_files, read

CALL = re.compile(r"\b(sleep|usleep|nanosleep|clock_nanosleep|thrd_sleep)\s*\("
                  r"|\b(?:p?poll|p?select)\s*\(\s*(?:NULL|0)\s*,\s*(?:0|NULL)\s*,\s*(?!0\s*\))")


def main():
    r = Report("sleep")
    for path in c_files():
        for n, line in enumerate(blank(read(path)).split("\n"), 1):
            m = CALL.search(line)
            if m:
                r.error(path, n, "%s waits for time to pass" % (m.group(1) or "poll without descriptors"))
    r.exit()


if __name__ == "__main__":
    main()
