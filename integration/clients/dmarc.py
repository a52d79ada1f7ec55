# SPDX-License-Identifier: MIT
"""The dmarc commands against real DNS, and results compared with npm mailauth's on a table of records and messages."""
import base64
import gzip
import json
import os
import re

from harness import HERE, check, equal
from zones import Zones

TOOLS = {"dmarc lookup": 1, "dmarc verify": 3, "dmarc checkreportaddrs": 1}
SENDER_IP, OTHER_IP = "192.0.2.1", "198.51.100.1"
# Domains below test.: (name, record)
POLICIES = (("none", "p=none"), ("reject", "p=reject"), ("strict", "p=reject; adkim=s; aspf=s"), ("sub", "p=reject; sp=none"), ("norecord", None))
SIGNED = ("{d}", "mail.{d}", "elsewhere.test", None)


def records(s):
    text = """
_dmarc TXT "v=DMARC1; p=reject; rua=mailto:a@secure.test,mailto:b@reports.insecure.test,mailto:c@none.insecure.test,https://x.test/; ruf=mailto:d@insecure.test"
_dmarc.two TXT "v=DMARC1; p=none"
_dmarc.two TXT "v=DMARC1; p=reject"
_dmarc.bad TXT "v=DMARC1; p=; sp=x"
"""
    orgs = 'rsa._domainkey.elsewhere TXT {key_rsa}\nelsewhere TXT "v=spf1 ip4:192.0.2.1 -all"\n'
    for name, record in POLICIES:
        if record:
            orgs += '_dmarc.%s TXT "v=DMARC1; %s"\n' % (name, record)
        for host in (name, "mail." + name):
            orgs += 'rsa._domainkey.%s TXT {key_rsa}\n%s TXT "v=spf1 ip4:192.0.2.1 -all"\n%s A 192.0.2.1\n' % (host, host, host)
    return {"test": orgs, "secure.test": text, "insecure.test": """
_dmarc TXT "v=DMARC1; p=none; rua=mailto:a@insecure.test"
secure.test._report._dmarc.reports TXT "v=DMARC1;"
secure.test._report._dmarc TXT "v=DMARC1; rua=mailto:other@insecure.test"
""", "bogus.test": "bad A 192.0.2.66\n"}


def server(make):
    return Zones(make, records)


def test_help_and_usage(s):
    for words, n in list(TOOLS.items()) + [("dmarc parsereportmsg", 1)]:
        out = s.mox("help", *words.split())
        check(out.startswith("usage: mox %s" % words) and "Example" in out, "help of %s: %r", words, out)
        for args in (["-nonsense"], ["-help"], ["x"] * (n - 1)) + ((["x"] * (n + 1),) if words in TOOLS else ()):
            check("usage: mox %s" % words in s.mox(*words.split(), *args, status=2), "usage of %s", words)
    for args in (("x", "", ""), (SENDER_IP, "nonsense", ""), (SENDER_IP, "", "a..b")):
        check("usage: mox dmarc verify" in s.mox("dmarc", "verify", *args, status=2), "%r", args)


def test_lookup(s):
    equal(s.mox("dmarc", "lookup", "reject.test"), "dmarc record at domain reject.test: v=DMARC1; p=reject\n(with dnssec)\n")
    equal(s.mox("dmarc", "lookup", "a.b.reject.test"), "dmarc record at domain reject.test: v=DMARC1; p=reject\n(with dnssec)\n")
    equal(s.mox("dmarc", "lookup", "insecure.test"), "dmarc record at domain insecure.test: v=DMARC1; p=none; rua=mailto:a@insecure.test\n(without dnssec)\n")
    equal(s.mox_json("dmarc", "lookup", "a.reject.test"),
          {"domain": "reject.test", "record": "v=DMARC1; p=reject", "fromParent": True, "dnssec": True})
    for name in ("bad.bogus.test", "bogus.test"):
        check(s.mox("dmarc", "lookup", name, status=1).startswith("dmarc lookup: "), name)
        check(s.mox_json("dmarc", "lookup", name, status=1)["error"], name)


def test_checkreportaddrs(s):
    out = s.mox("dmarc", "checkreportaddrs", "secure.test").split("\n")
    check(out[0].startswith("dmarc record at domain secure.test: v=DMARC1; p=reject; ") and out[1] == "(with dnssec)", "%r", out)
    equal(out[2:4] + out[5:8], [
        "aggregate reporting mailto:a@secure.test: pass (same organizational domain)",
        "aggregate reporting mailto:b@reports.insecure.test: pass, txt v=DMARC1; (without dnssec)",
        "aggregate reporting https://x.test/: skipped (not a mailto: URI)",
        "failure reporting mailto:d@insecure.test: pass, txt v=DMARC1; rua=mailto:other@insecure.test (without dnssec)", ""])
    check(out[4].startswith("aggregate reporting mailto:c@none.insecure.test: fail"), out[4])
    r = s.mox_json("dmarc", "checkreportaddrs", "secure.test")
    equal([(x["kind"], x["status"]) for x in r["addresses"]], [("aggregate reporting", "pass"), ("aggregate reporting", "pass"),
          ("aggregate reporting", "fail"), ("aggregate reporting", "skipped"), ("failure reporting", "pass")])
    check(s.mox("dmarc", "checkreportaddrs", "bad.bogus.test", status=1).startswith("dmarc checkreportaddrs: "))


def config(s):
    """mox.conf with a key for every domain that signs."""
    if not os.path.exists(s.path("conf/mox.conf")):
        s.run(s.binary, "localserve", "-dir", s.path("conf"), "-ip", "127.0.0.1", "-initonly")
        with open(s.path("conf/domains.conf")) as f:
            text = f.read()
        domains = "Domains:\n"
        for domain in signers():
            domains += "\t%s:\n\t\tDKIM:\n\t\t\tSelectors:\n\t\t\t\trsa:\n\t\t\t\t\tPrivateKeyFile: %s\n\t\t\tSign:\n\t\t\t\t- rsa\n" % (domain, s.keys["rsa"])
        s.path("conf/domains.conf", re.sub(r"^Domains:\n", domains, text, flags=re.M))
    return s.path("conf/mox.conf")


def signers():
    return [h + name + ".test" for name, _ in POLICIES for h in ("", "mail.")] + ["elsewhere.test"]


def signed(s, by, author):
    """A message from the author, with a signature of a domain."""
    message = ("From: <alice@%s>\r\nSubject: hello\r\n\r\nHello\r\n" % author).encode()
    if by is None:
        return message
    if by == author:        # ours signs for the domain of From only
        return s.run(s.binary, "-config", config(s), "dkim", "sign", "-", stdin=message)
    with open(s.keys["rsa"]) as f:
        key = f.read()
    fields, = mailauth(s, [{"op": "sign", "message": base64.b64encode(message).decode(), "signatures": [
        {"domain": by, "selector": "rsa", "key": key[key.index("-----BEGIN"):], "canonicalization": "relaxed/relaxed"}]}])
    return base64.b64decode(fields) + message


def mailauth(s, jobs):
    if not os.path.isdir(os.path.join(HERE, "node_modules", "mailauth")):
        s.run("npm", "ci", "--prefix", HERE, "--no-audit", "--no-fund", "--ignore-scripts", timeout=300)
    out = s.run("node", os.path.join(HERE, "clients", "mailauth.mjs"), "%s:%d" % (s.validating, s.dns_port), stdin=json.dumps(jobs).encode(), timeout=120)
    return json.loads(out)


def test_verify(s):
    message = signed(s, "reject.test", "reject.test")
    out = s.mox("dmarc", "verify", SENDER_IP, "alice@reject.test", "mail.reject.test", stdin=message)
    equal(out, "spf result: reject.test: pass (with dnssec)\ndkim result: \"pass\" of reject.test\ndmarc from: reject.test\n"
          "dmarc status: \"pass\"\ndmarc reject: false\ndmarc record: v=DMARC1; p=reject, at reject.test (with dnssec)\n")
    out = s.mox("dmarc", "verify", OTHER_IP, "", "", stdin=message.replace(b"Hello", b"Hallo").replace(b"\r\n", b"\n"))
    check("spf result" not in out and '\ndkim result: "fail" (err ' in "\n" + out and 'dmarc status: "fail"\ndmarc reject: true\n' in out, out)
    r = s.mox_json("dmarc", "verify", OTHER_IP, "alice@reject.test", "", stdin=message)
    equal((r["spf"]["status"], r["spf"]["aligned"], r["dkim"][0]["status"], r["alignedDKIM"], r["status"], r["reject"], r["recordDomain"], r["dnssec"]),
          ("fail", False, "pass", True, "pass", False, "reject.test", True))
    out = s.mox("dmarc", "verify", SENDER_IP, "", "", stdin=b"Subject: no author\r\n\r\n", status=1)
    check(out.startswith("dmarc verify: "), out)


def test_agrees_with_mailauth(s):
    cases, jobs = [], []
    for name, record in POLICIES:
        for author in (name + ".test", "mail.%s.test" % name):
            for by in SIGNED:
                by = by and by.replace("{d}", name + ".test")
                for ip, sender in ((SENDER_IP, "mail.%s.test" % name), (SENDER_IP, "elsewhere.test"), (OTHER_IP, author)):
                    cases.append((name, author, by, ip, sender))
    messages = {}
    for _, author, by, _, _ in cases:
        if (author, by) not in messages:
            messages[author, by] = signed(s, by, author)
    for _, author, by, ip, sender in cases:
        jobs.append({"op": "verify", "message": base64.b64encode(messages[author, by]).decode(), "ip": ip, "helo": "mail.test", "sender": "alice@" + sender})
    different, seen = [], set()
    for case, their in zip(cases, mailauth(s, jobs)):
        name, author, by, ip, sender = case
        r = s.mox_json("dmarc", "verify", ip, "alice@" + sender, "mail.test", stdin=messages[author, by])
        equal((r["spf"]["status"], [x["status"] for x in r["dkim"]]), (their["spf"], [x["status"] for x in their["dkim"] if x["status"] != "none"]), "%r" % (case,))
        seen.add(r["status"])
        want = their["dmarc"]["status"]
        if name == "strict":        # it does not look at adkim and aspf: rfc/9989 4.4
            want = "pass" if by == author or (their["spf"] == "pass" and sender == author) else "fail"
        if r["status"] != want:
            different.append(case + (r["status"], their["dmarc"]))
    equal(different, [])
    equal(seen, {"pass", "fail", "none"})


XML = """<?xml version="1.0"?><feedback><report_metadata><org_name>Receiver</org_name><email>r@receiver.test</email><report_id>r1</report_id>
<date_range><begin>1704067200</begin><end>1704153599</end></date_range></report_metadata>
<policy_published><domain>secure.test</domain><adkim>r</adkim><aspf>s</aspf><p>reject</p><sp>none</sp><pct>100</pct></policy_published>
<record><row><source_ip>192.0.2.1</source_ip><count>3</count><policy_evaluated><disposition>none</disposition><dkim>pass</dkim><spf>fail</spf>
<reason><type>mailing_list</type><comment>known</comment></reason></policy_evaluated></row><identifiers><header_from>secure.test</header_from></identifiers>
<auth_results><dkim><domain>secure.test</domain><selector>rsa</selector><result>pass</result></dkim><spf><domain>x.test</domain><result>softfail</result></spf>
</auth_results></record></feedback>"""
SUMMARY = """report r1 of Receiver <r@receiver.test>
period: 2024-01-01T00:00:00Z to 2024-01-01T23:59:59Z
policy of secure.test: p=reject sp=none adkim=r aspf=s
3 messages from 192.0.2.1: disposition none, aligned dkim pass, spf fail, reason mailing_list (known)
\tfrom secure.test
\tdkim pass: secure.test, selector rsa
\tspf softfail: x.test
"""


def test_parsereportmsg(s):
    paths = []
    for kind, data in (("text/xml", XML.encode()), ("application/gzip", gzip.compress(XML.encode()))):
        paths.append(s.path("report%d.eml" % len(paths), b"Subject: Report\r\nMIME-Version: 1.0\r\nContent-Type: " + kind.encode() +
                            b"\r\nContent-Transfer-Encoding: base64\r\n\r\n" + base64.encodebytes(data)))
    equal(s.mox("dmarc", "parsereportmsg", *paths), SUMMARY + "\n" + SUMMARY)
    with open(paths[0], "rb") as f:
        equal(s.mox("dmarc", "parsereportmsg", "-", stdin=f.read()), SUMMARY)
    r = s.mox_json("dmarc", "parsereportmsg", paths[1])
    equal((r["ReportMetadata"]["OrgName"], r["Records"][0]["Row"]["Count"]), ("Receiver", 3))
    out = s.mox("dmarc", "parsereportmsg", "-", stdin=b"Subject: nothing\r\n\r\nhello\r\n", status=1)
    check(out.startswith("dmarc parsereportmsg: -: "), out)
