# SPDX-License-Identifier: MIT
"""Part trees of "mox message parse -json" beside those of Python's email package and of npm mailparser.

Where these two agree with one another and not with us, the message is listed in DIFFERENT with the reason; what is
listed and does not differ fails too. npm fetches mailparser, and the 6,000 real messages of tools/fetch-spamassassin,
the first time.
"""
import email
import email.policy
import glob
import json
import os
import subprocess
from concurrent.futures import ThreadPoolExecutor

from harness import HERE, ROOT, check

own_server = True

OPAQUE = "a multipart in which no boundary is found: opaque with us, so that its text can be seen"
TYPE = "no usable media type: opaque with us"
DOUBLE = "two boundaries in a row: an empty part stands between them with us"
LONG = "a boundary beyond our limit"
SEMICOLON = "a semicolon is missing behind the media type, which we see"
# By the start of the path.
DIFFERENT = {
    "testdata/bounces/eml/lhost-apachejames-01.eml": OPAQUE,
    "testdata/bounces/eml/lhost-messagingserver-03.eml": OPAQUE,
    "testdata/bounces/eml/lhost-office365-09.eml": OPAQUE,
    "testdata/bounces/eml/lhost-office365-10.eml": OPAQUE,
    "testdata/bounces/eml/lhost-office365-11.eml": OPAQUE,
    "testdata/bounces/eml/lhost-office365-12.eml": OPAQUE,
    "testdata/bounces/eml/lhost-verizon-02.eml": OPAQUE,
    "testdata/bounces/eml/rfc3464-04.eml": OPAQUE,
    "testdata/bounces/eml/rfc3464-06.eml": OPAQUE,
    "testdata/bounces/eml/rhost-franceptt-07.eml": OPAQUE,
    "testdata/bounces/eml/rhost-google-02.eml": OPAQUE,
    "testdata/mime/enmime/mail-header-only.raw": OPAQUE,
    "testdata/mime/enmime/mail-multipart-wo-boundary.raw": OPAQUE,
    "testdata/mime/enmime/parts-barren-content-type.raw": TYPE,
    "testdata/mime/enmime/parts-ctype-invalid-characters.raw": TYPE,
    "testdata/mime/mail-parser/malformed-001.eml": OPAQUE,
    "testdata/mime/mail-parser/malformed-002.eml": OPAQUE,
    "testdata/mime/mail-parser/malformed-004.eml": OPAQUE,
    "testdata/mime/mime4j/mimetools/2002_06_12_doublebound.msg": DOUBLE,
    "testdata/mime/mime4j/mimetools/badbound.msg": OPAQUE,
    "testdata/mime/mime4j/testmsgs/ending-boundaries.msg": OPAQUE,
    "testdata/mime/mime4j/testmsgs/missing-boundary.msg": OPAQUE,
    "testdata/mime/mime4j/testmsgs/missing-inner-boundary.msg": OPAQUE,
    "testdata/mime/mime4j/testmsgs/missing-inner-start-boundary.msg": OPAQUE,
    "testdata/mime/mime4j/testmsgs/multipartnopart.msg": OPAQUE,
    "testdata/mime/mime4j/testmsgs/very-very-long-boundary.msg": LONG,
    "testdata/mime/mimekit/empty-multipart.txt": OPAQUE,
    "testdata/mime/python-email/msg_17.eml": OPAQUE,
    "testdata/mime/python-email/msg_25.eml": OPAQUE,
    "testdata/mime/python-email/msg_31.eml": OPAQUE,
    "testdata/mime/python-email/msg_37.eml": DOUBLE,
    "testdata/mime/python-email/msg_41.eml": OPAQUE,
    "testdata/mime/ruby-mail/error_emails-bad_date_header2.eml": OPAQUE,
    "testdata/mime/ruby-mail/error_emails-empty_in_reply_to.eml": OPAQUE,
    "testdata/mime/ruby-mail/error_emails-missing_body.eml": OPAQUE,
    "testdata/mime/ruby-mail/error_emails-must_supply_encoding.eml": OPAQUE,
    "build/spam-assassin/spam-1-00467.5b733c506b7165424": OPAQUE,
    "build/spam-assassin/spam-2-00204.4cf15f97b8ea08bfa": SEMICOLON,
    "build/spam-assassin/spam-2-01214.973b4598b630a9899": OPAQUE,
}
# Beside the messages in these folders.
NO_MESSAGE = (".json", ".xml", ".md", "LICENSE", "_decoded")


def run(*args):
    return subprocess.run(args, check=True, stdout=subprocess.PIPE, timeout=600).stdout


def python_tree(m):
    t = m.get_content_type()
    if m.is_multipart() and t.startswith("multipart/"):
        return "%s(%s)" % (t, ",".join(python_tree(k) for k in m.get_payload()))
    return t


def mox_tree(p):
    t = (p["MediaType"] + "/" + p["MediaSubType"]).lower() if p["MediaType"] else "text/plain"
    return "%s(%s)" % (t, ",".join(mox_tree(k) for k in p["Parts"])) if "Parts" in p else t


def mailparser_trees(files):
    trees = {}
    for i in range(0, len(files), 500):
        out = run("node", os.path.join(HERE, "clients", "parsers.mjs"), *files[i:i + 500])
        trees.update(line.split("\t", 1) for line in out.decode().splitlines())
    return trees


def compare(make, files, least):
    """Compares all; on at least so many of them the two others must agree. No server is started."""
    server = make()
    server.cleanup()
    mox = server.binary
    if not os.path.isdir(os.path.join(HERE, "node_modules", "mailparser")):
        run("npm", "ci", "--silent", "--prefix", HERE, "--no-audit", "--no-fund", "--ignore-scripts")
    theirs = mailparser_trees(files)

    def ours(f):
        return mox_tree(json.loads(run(mox, "message", "parse", "-json", f)))
    bad, agree = [], 0
    with ThreadPoolExecutor(2) as pool:
        for f, our in zip(files, pool.map(ours, files)):
            with open(f, "rb") as m:
                their = python_tree(email.message_from_bytes(m.read(), policy=email.policy.compat32))
            if their != theirs.get(f):
                continue
            agree += 1
            name = os.path.relpath(f, ROOT)
            known = [k for k in DIFFERENT if name.startswith(k)]
            if our == their and known:
                bad.append("%s is listed as different, but is not" % name)
            elif our != their and not known:
                bad.append("%s\n\tours %s\n\tboth %s" % (name, our, their))
    print("%d messages, the two others agree on %d of them" % (len(files), agree))
    check(not bad, "%d of %d:\n%s", len(bad), len(files), "\n".join(bad))
    check(agree >= least, "only %d of %d messages can be compared", agree, len(files))


def test_corpora(make):
    files = [f for d in ("mime", "bounces/eml", "bounces/not", "bounces/err")
             for f in glob.glob(os.path.join(ROOT, "testdata", d, "**"), recursive=True)
             if os.path.isfile(f) and not any(x in os.path.basename(f) for x in NO_MESSAGE)]
    compare(make, sorted(files), 1100)


def test_spam_assassin(make):
    run(os.path.join(ROOT, "tools", "fetch-spamassassin"))
    compare(make, sorted(glob.glob(os.path.join(ROOT, "build", "spam-assassin", "*.txt"))), 5500)
