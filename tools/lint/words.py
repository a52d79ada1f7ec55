#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Texts for users and peers (string literals) say what is, in plain words.

No apologies, exclamation or praise of ourselves; no text that admits to being unfinished; allow and deny lists, not colours.
"""
import re

from csource import Report, c_files, read, strings

RULES = (
    (r"\b(please|sorry|oops|whoops|unfortunately)\b", "leave it out"),
    (r"\b(simply|obviously|of course|just kidding)\b", "leave it out"),
    (r"\bsuccessfully\b", "say what was done"),
    (r"\b(black|white)[- ]?list", "say deny list or allow list"),
    (r"\b(not (?:yet )?(?:implemented|supported yet)|unimplemented|coming soon|work in progress|lorem ipsum)\b", "a text must not admit to being unfinished"),
    (r"\b(something went wrong|unknown failure|internal error occurred|this should (?:not|never) happen)\b", "say what failed"),
    (r"[A-Za-z]!+$", "no exclamation mark"),
    (r"\be-mail", "write email"),
)


def main():
    r = Report("words")
    rules = [(re.compile(p, re.I), why) for p, why in RULES]
    for path in c_files():
        if path.endswith(("_test.c", "_fuzz.c", "_bench.c")) or not path.startswith(("pkg/", "cmd/", "tools/")):
            continue
        for n, text in strings(read(path)):
            for p, why in rules:
                m = p.search(text)
                if m:
                    r.error(path, n, "\"%s\" in a text: %s" % (m.group(0), why))
    r.exit()


if __name__ == "__main__":
    main()
