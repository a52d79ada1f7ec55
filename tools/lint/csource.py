# SPDX-License-Identifier: MIT
"""What the lint rules share: which files there are, their text with comments and literals blanked, functions, reporting.

A rule is a program in this folder. It runs in the root of a tree, prints "path:line: message" for each fault (with "warning: " before
the message where it does not fail the check) and exits 1 when there are faults. The first line of its docstring says what it demands,
the rest what to do about a fault. A comment "lint: RULE reason" on the line, or alone on the line before, allows what follows.
"""
import os
import re
import subprocess
import sys

SKIP = ("testdata/", "build/", ".git/", "integration/node_modules/")


def files(*suffixes):
    """Paths of the tree that are tracked or new and not ignored, sorted; outside a repository all."""
    try:
        out = subprocess.run(["git", "ls-files", "-co", "--exclude-standard", "-z"], stdout=subprocess.PIPE,
                             stderr=subprocess.DEVNULL, check=True).stdout.decode().split("\0")
    except (OSError, subprocess.CalledProcessError):
        out = [os.path.relpath(os.path.join(d, f)) for d, _, names in os.walk(".") for f in names]
    out = [p for p in out if p and not p.startswith(SKIP) and os.path.isfile(p)]
    return sorted(p for p in out if not suffixes or p.endswith(suffixes))


def c_files():
    return files(".c", ".h")


def read(path):
    with open(path, encoding="utf-8", errors="replace", newline="") as f:
        return f.read()


TOKEN = re.compile(r"""/\*.*?\*/ | //[^\n]* | "(?:\\.|[^"\\\n])*" | '(?:\\.|[^'\\\n])*'""", re.S | re.X)


def blank(text, comments=True, literals=True):
    """Replaces comments and the inside of literals by spaces; line structure and columns stay."""
    def sub(m):
        t = m.group(0)
        if t[0] == "/":
            return re.sub(r"[^\n\t]", " ", t) if comments else t
        return t[0] + " " * (len(t) - 2) + t[0] if literals else t
    return TOKEN.sub(sub, text)


def strings(text):
    """(line, content) of the string literals outside comments and #include lines."""
    for m in TOKEN.finditer(text):
        if m.group(0)[0] == '"':
            start = text.rfind("\n", 0, m.start()) + 1
            if not text[start:].startswith("#include"):
                yield text.count("\n", 0, m.start()) + 1, m.group(0)[1:-1]


def comments(text):
    """(line, content) of each line of each comment."""
    for m in TOKEN.finditer(text):
        if m.group(0)[0] == "/":
            first = text.count("\n", 0, m.start()) + 1
            for i, line in enumerate(m.group(0).split("\n")):
                yield first + i, line


class Function:
    def __init__(self, name, head, first, last, body):
        self.name, self.head, self.first, self.last, self.body = name, head, first, last, body  # body: [(line, text)]


def functions(text):
    """The function definitions of a file in our layout: the body starts with a { at the end of a line or alone in
    column 0, and ends with a } in column 0. Text is blanked first."""
    lines = blank(text).split("\n")
    i = 0
    while i < len(lines):
        line = lines[i].rstrip()
        opens = line == "{" or (line.endswith(") {") and line[:1].strip() and not line.startswith("#"))
        if not opens:
            i += 1
            continue
        head, j = [line.rstrip("{")], i - 1
        while j >= 0 and lines[j].strip() and not lines[j].rstrip().endswith((";", "}", "*/")) and not lines[j].startswith("#"):
            head.insert(0, lines[j])
            j -= 1
        joined = " ".join(h.strip() for h in head)
        name = re.search(r"(\w+)\s*\(", joined)
        end = i + 1
        while end < len(lines) and not lines[end].startswith("}"):
            end += 1
        is_type = re.search(r"^(?:static |const )*(?:struct|union|enum)\b[^(]*$", joined)
        if name and not is_type and "=" not in joined:
            yield Function(name.group(1), joined, i + 1, end + 1, [(k + 1, lines[k]) for k in range(i + 1, min(end, len(lines)))])
        i = end + 1


class Report:
    """Collects the faults of a rule; call exit() at the end."""

    def __init__(self, rule):
        self.rule, self.errors, self.warnings, self.cache = rule, 0, 0, {}

    def allowed(self, path, line):
        if path not in self.cache:
            self.cache[path] = read(path).split("\n") if os.path.exists(path) else []
        lines = self.cache[path]
        mark = re.compile(r"\blint: %s\s+\w" % self.rule)
        here = lines[line - 1] if 0 < line <= len(lines) else ""
        above = lines[line - 2].strip() if 1 < line <= len(lines) else ""
        return bool(mark.search(here) or (above.startswith(("/*", "//", "#")) and mark.search(above)))

    def error(self, path, line, text):
        if not self.allowed(path, line):
            self.errors += 1
            print("%s:%d: %s" % (path, line, text))

    def warn(self, path, line, text):
        if not self.allowed(path, line):
            self.warnings += 1
            print("%s:%d: warning: %s" % (path, line, text))

    def exit(self):
        sys.exit(1 if self.errors else 0)


class Layers:
    """pkg/LAYERS: name, layer, and packages of the same layer that it may include."""

    def __init__(self, path="pkg/LAYERS"):
        self.path, self.layer, self.same, self.line, self.faults = path, {}, {}, {}, []
        for n, text in enumerate(read(path).split("\n"), 1):
            f = text.split()
            if not f or text.startswith("#"):
                continue
            if len(f) < 2 or not f[1].isdigit():
                self.faults.append((n, "expected: name layer [same-layer packages]"))
                continue
            if f[0] in self.layer:
                self.faults.append((n, "%s stands here twice" % f[0]))
            self.layer[f[0]], self.same[f[0]], self.line[f[0]] = int(f[1]), f[2:], n

    def may_include(self, pkg, other):
        if other == pkg:
            return True
        return other in self.layer and (self.layer[other] < self.layer[pkg] or other in self.same[pkg])
