# SPDX-License-Identifier: MIT
"""imapflow, the IMAP client of many JavaScript programs. npm fetches it the first time."""
import os

from harness import HERE, check


def flow(s, step):
    if not os.path.isdir(os.path.join(HERE, "node_modules", "imapflow")):
        s.run("npm", "ci", "--prefix", HERE, "--no-audit", "--no-fund", "--ignore-scripts", timeout=300)
    out = s.run("node", os.path.join(HERE, "clients", "imapflow.mjs"), s.ip, str(s.port("imaps")), s.user, s.password, step)
    check(out.strip().endswith(b"ok"), "%r", out)


def test_read(s):
    flow(s, "read")


def test_change(s):
    flow(s, "change")


def test_idle_two_connections(s):
    flow(s, "idle")


def test_resume(s):
    flow(s, "resume")
