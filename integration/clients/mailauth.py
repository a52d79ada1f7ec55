# SPDX-License-Identifier: MIT
"""npm mailauth and opendkim verify what we sign and seal, and we what they do. SPF results agree on a table. npm fetches mailauth the first time."""
import base64
import json
import os
import re
import shutil
import socket

from harness import HERE, Failure, check, equal, until
from milter import Milter
from zones import Zones

CANON = ("simple/simple", "simple/relaxed", "relaxed/simple", "relaxed/relaxed")
DOMAINS = {c: "c%d.secure.test" % i for i, c in enumerate(CANON)}
KEYS = "rsa._domainkey%s TXT {key_rsa}\ned25519._domainkey%s TXT {key_ed25519}\n"

# SPF: (name, record, further records)
SPF = (
    ("none", None, ""), ("all", "v=spf1 +all", ""), ("no", "v=spf1 -all", ""), ("soft", "v=spf1 ~all", ""), ("neutral", "v=spf1 ?all", ""),
    ("empty", "v=spf1", ""), ("ip4", "v=spf1 ip4:192.0.2.1 -all", ""), ("net", "v=spf1 ip4:192.0.2.0/25 ~all", ""),
    ("ip6", "v=spf1 ip6:2001:db8::/32 -all", ""), ("a", "v=spf1 a -all", "{n} A 192.0.2.1\n"), ("anet", "v=spf1 a:h.{n}.secure.test/24 -all", "h.{n} A 192.0.2.200\n"),
    ("mx", "v=spf1 mx -all", "{n} MX 10 m.{n}\nm.{n} A 192.0.2.1\n"), ("mx6", "v=spf1 mx//64 -all", "{n} MX 10 m.{n}\nm.{n} AAAA 2001:db8::ffff\n"),
    ("include", "v=spf1 include:net.secure.test ?all", ""), ("includefail", "v=spf1 include:no.secure.test ~all", ""),
    ("includenone", "v=spf1 include:none.secure.test ~all", ""), ("redirect", "v=spf1 redirect=net.secure.test", ""),
    ("redirectnone", "v=spf1 redirect=none.secure.test", ""), ("exists", "v=spf1 exists:%{ir}.{n}.secure.test -all", "1.2.0.192.{n} A 127.0.0.2\n"),
    ("macro", "v=spf1 exists:%{l}.%{d}.e.secure.test -all", "user.macro.secure.test.e A 127.0.0.2\n"), ("loop", "v=spf1 include:loop.secure.test -all", ""),
    ("syntax", "v=spf1 ip4:1.2.3 -all", ""), ("unknown", "v=spf1 foo:bar -all", ""), ("modifier", "v=spf1 x=y ip4:192.0.2.1 -all", ""),
    ("voids", "v=spf1 a:v1.secure.test a:v2.secure.test a:v3.secure.test -all", ""),
    ("many", "v=spf1 " + " ".join("a:k%d.secure.test" % i for i in range(11)) + " -all", "".join("k%d A 203.0.113.9\n" % i for i in range(11))),
    ("two", "v=spf1 -all", '{n} TXT "v=spf1 +all"\n'), ("other", None, '{n} TXT "v=spf10 -all"\n'), ("upper", "V=SPF1 IP4:192.0.2.1 -ALL", ""),
)
IPS = ("192.0.2.1", "192.0.2.130", "2001:db8::1", "203.0.113.5")
# What mailauth does otherwise than RFC 7208 says, or than we read it; each with its reason. (name, ip): (ours, theirs)
SPF_DIFFERENT = {}

MESSAGES = {
    "plain": b"From: <alice@{d}>\r\nTo: <bob@insecure.test>\r\nSubject: hello\r\nDate: Mon, 1 Jan 2024 10:00:00 +0000\r\n\r\nHello,\r\n\r\nbye\r\n",
    "empty body": b"From: <alice@{d}>\r\nSubject: hello\r\n\r\n",
    "empty lines": b"From: <alice@{d}>\r\nSubject: hello\r\n\r\n\r\nText\r\n\r\n\r\n\r\n",
    "white space": b"From:   Alice   <alice@{d}>  \r\nSUBJECT :  a   b\t c \r\nTo: <b@insecure.test>,\r\n\t<c@insecure.test>\r\n\r\n a  b \t\r\n\t\r\n  \r\n c\r\n",
    "eight bit": "From: Älice <alice@{d}>\r\nSubject: grüße\r\n\r\nmünchen 日本\r\n".encode(),
    "no final line end": b"From: <alice@{d}>\r\nSubject: hello\r\n\r\nno end",
    "long": b"From: <alice@{d}>\r\nSubject: " + b"long " * 30 + b"\r\n\r\n" + (b"0123456789 " * 80 + b"\r\n") * 60,
    "twice": b"From: <alice@{d}>\r\nSubject: one\r\nSubject: two\r\nTo: a@insecure.test\r\nTo: b@insecure.test\r\n\r\nHello\r\n",
    "dots": b"From: <alice@{d}>\r\nSubject: dots\r\n\r\n.\r\n..a\r\nFrom b\r\n",
}


def records(s):
    text = KEYS % ("", "")
    for d in DOMAINS.values():
        name = "." + d[:d.index(".")]
        text += KEYS % (name, name)
    for name, record, more in SPF:
        if record:
            text += '%s TXT "%s"\n' % (name, record.replace("{n}", name))
        text += more.replace("{n}", name)
    return {"secure.test": text, "insecure.test": KEYS % ("", "")}


def server(make):
    return Zones(make, records)


def mailauth(s, jobs):
    """Runs the jobs; results in order."""
    if not os.path.isdir(os.path.join(HERE, "node_modules", "mailauth")):
        s.run("npm", "ci", "--prefix", HERE, "--no-audit", "--no-fund", "--ignore-scripts", timeout=300)
    out = s.run("node", os.path.join(HERE, "clients", "mailauth.mjs"), "%s:%d" % (s.validating, s.dns_port), stdin=json.dumps(jobs).encode(), timeout=120)
    try:
        return json.loads(out)
    except ValueError:
        raise Failure("mailauth: %r" % out[:2000]) from None


def b64(data):
    return base64.b64encode(data).decode()


def key(s, name):
    with open(s.keys[name]) as f:
        text = f.read()
    return text[text.index("-----BEGIN"):]


def config(s):
    """mox.conf with the domains, each with both keys and one canonicalization."""
    if not os.path.exists(s.path("conf/mox.conf")):
        s.run(s.binary, "localserve", "-dir", s.path("conf"), "-ip", "127.0.0.1", "-initonly")
        with open(s.path("conf/domains.conf")) as f:
            text = f.read()
        domains = "Domains:\n"
        for canon, domain in DOMAINS.items():
            header, body = ("true" if c == "relaxed" else "false" for c in canon.split("/"))
            domains += "\t%s:\n\t\tDKIM:\n\t\t\tSelectors:\n" % domain
            for name in s.keys:
                domains += "\t\t\t\t%s:\n\t\t\t\t\tPrivateKeyFile: %s\n\t\t\t\t\tCanonicalization:\n" % (name, s.keys[name])
                domains += "\t\t\t\t\t\tHeaderRelaxed: %s\n\t\t\t\t\t\tBodyRelaxed: %s\n" % (header, body)
            domains += "\t\t\tSign:\n\t\t\t\t- rsa\n\t\t\t\t- ed25519\n"
        s.path("conf/domains.conf", re.sub(r"^Domains:\n", domains, text, flags=re.M))
    return s.path("conf/mox.conf")


def messages():
    """(what, domain, canonicalization, message)"""
    for what, message in MESSAGES.items():
        for canon, domain in DOMAINS.items():
            yield "%s, %s" % (what, canon), domain, canon, message.replace(b"{d}", domain.encode())


def sign(s, message):
    return s.run(s.binary, "-config", config(s), "dkim", "sign", "-", stdin=message)


def ours(s, message):
    return s.mox_json("dkim", "verify", "-", stdin=message)["signatures"]


def test_dkim_ours_by_mailauth(s):
    cases = [(what, sign(s, m)) for what, _, _, m in messages()]
    # one more of each with a changed body
    cases += [(what + ", changed", m + b"more\r\n") for what, m in cases]
    results = mailauth(s, [{"op": "verify", "message": b64(m)} for _, m in cases])
    for (what, _), r in zip(cases, results):
        want = "fail" if what.endswith("changed") else "pass"
        # a body hash that differs is "neutral" there
        equal([x["status"] if x["status"] != "neutral" else "fail" for x in r["dkim"]], [want] * 2, what)


def test_dkim_mailauths_by_us(s):
    cases = list(messages())
    jobs = [{"op": "sign", "message": b64(m), "signatures": [
        {"domain": domain, "selector": name, "key": key(s, name), "canonicalization": canon} for name in s.keys]} for _, domain, canon, m in cases]
    signed = [base64.b64decode(fields) + m for (_, _, _, m), fields in zip(cases, mailauth(s, jobs))]
    theirs = mailauth(s, [{"op": "verify", "message": b64(m)} for m in signed])
    for (what, domain, canon, _), m, their in zip(cases, signed, theirs):
        r = ours(s, m)
        # One in some hundred of its signatures with c=simple/ it folds otherwise than it signed, and does not verify itself.
        want = [x["status"] for x in their["dkim"]] if canon.startswith("simple/") else ["pass", "pass"]
        equal([(x["status"], x["domain"], x["dnssec"]) for x in r], [(status, domain, True) for status in want], what)


def arc_verdicts(s, messages_):
    theirs = [r["arc"] for r in mailauth(s, [{"op": "verify", "message": b64(m)} for m in messages_])]
    mine = [s.mox_json("arc", "verify", "-", stdin=m) for m in messages_]
    return [(a["status"], b["status"]) for a, b in zip(theirs, mine)]


def test_arc(s):
    """Chains in which both take turns."""
    message, chain = sign(s, MESSAGES["plain"].replace(b"{d}", b"c3.secure.test")), []
    for i, who in enumerate(("mox", "mailauth", "mailauth", "mox", "mox", "mailauth")):
        domain = ("secure.test", "insecure.test", "c1.secure.test")[i % 3]
        if who == "mox":
            message = s.run(s.binary, "-resolver", "%s:%d" % (s.validating, s.dns_port), "arc", "seal", "rsa", domain, s.keys["rsa"], "-", stdin=message)
        else:
            fields, = mailauth(s, [{"op": "seal", "message": b64(message), "domain": domain, "selector": "rsa", "key": key(s, "rsa")}])
            message = base64.b64decode(fields) + message
        chain.append(message)
    equal(arc_verdicts(s, chain), [("pass", "pass")] * len(chain))
    equal([len(s.mox_json("arc", "verify", "-", stdin=m)["sets"]) for m in chain], [1, 2, 3, 4, 5, 6])
    broken = [m.replace(b"Hello,", b"Hallo,") for m in chain]
    equal(arc_verdicts(s, broken), [("fail", "fail")] * len(broken))
    # the first set taken out of the middle of the chain
    start, end = chain[2].rindex(b"ARC-Seal: i=1"), chain[2].rindex(b"DKIM-Signature: v=1; d=c3.secure.test; s=rsa") if b"DKIM-Signature: v=1; d=c3.secure.test; s=rsa" in chain[2] else -1
    check(0 < start < end, "%r", chain[2])
    equal(arc_verdicts(s, [chain[2][:start] + chain[2][end:]]), [("fail", "fail")])


def test_spf(s):
    cases = [(name, ip) for name, _, _ in SPF for ip in IPS]
    theirs = mailauth(s, [{"op": "spf", "ip": ip, "helo": name + ".secure.test", "sender": "user@%s.secure.test" % name} for name, ip in cases])
    seen, different = set(), []
    for (name, ip), their in zip(cases, theirs):
        mine = s.mox_json("spf", "check", name + ".secure.test", ip)["status"]
        seen.add(mine)
        if (mine, their) != SPF_DIFFERENT.get((name, ip), (mine, mine)):
            different.append((name, ip, mine, their))
    equal(different, [])
    equal(seen, {"none", "pass", "fail", "softfail", "neutral", "permerror"})


# -- opendkim of Debian --

OPENDKIM = shutil.which("opendkim") or "/usr/sbin/opendkim"


def opendkim_conf(s, name, text):
    dns = s.path("opendkim-dns.conf", 'server:\n  do-not-query-localhost: no\n  local-zone: "test." nodefault\n'
                 'forward-zone:\n  name: "."\n  forward-addr: %s@%d\n' % (s.validating, s.dns_port))
    return s.path(name, "ResolverConfiguration %s\nTemporaryDirectory %s\nRequireSafeKeys no\n%s" % (dns, s.dir, text))


def opendkim(s, port, text):
    """Starts it as a milter."""
    conf = opendkim_conf(s, "opendkim-%d.conf" % port, "Socket inet:%d@%s\nBackground no\n%s" % (port, s.web, text))
    s.popen(OPENDKIM, "-f", "-x", conf)
    until(lambda: not socket.socket().connect_ex((s.web, port)), "opendkim")


def through(s, port, message):
    milter = Milter((s.web, port))
    fields = milter.filter(message, b"alice@secure.test", b"bob@insecure.test")
    milter.close()
    return fields


def for_milters(message):
    """A milter is not told of white space before the colon, and what SMTP delivers ends in CRLF."""
    return message.replace(b"SUBJECT :", b"SUBJECT:") + (b"" if message.endswith(b"\r\n") else b"\r\n")


def test_dkim_ours_by_opendkim(s):
    opendkim(s, 8890, "Mode v\nAlwaysAddARHeader yes\nInternalHosts 203.0.113.1\n")
    for what, domain, _, m in messages():
        signed = sign(s, for_milters(m))
        out = through(s, 8890, signed).decode()
        for algorithm in ("rsa-sha256", "ed25519-sha256"):
            check(re.search(r"dkim=pass (?:\([^)]*\) )?header\.d=%s header\.i=\S+ header\.a=%s" % (domain, algorithm), out),
                  "%s, %s: %s", what, algorithm, out)
        out = through(s, 8890, signed + b"more\r\n").decode()
        check("dkim=fail" in out and "dkim=pass" not in out, "%s, changed: %s", what, out)


def test_dkim_opendkims_by_us(s):
    """With RSA: what it signs with Ed25519 nobody can verify, in Debian 12 not even itself or mailauth."""
    for port, (canon, domain) in enumerate(DOMAINS.items(), 8891):
        opendkim(s, port, "Mode s\nCanonicalization %s\nDomain %s\nSelector rsa\nKeyFile %s\nSignatureAlgorithm rsa-sha256\nInternalHosts 127.0.0.0/8\n" % (
            canon, domain, s.path("rsa-plain.pem", key(s, "rsa"))))
        for what, message in MESSAGES.items():
            m = for_milters(message.replace(b"{d}", domain.encode()))
            r = ours(s, through(s, port, m) + m)
            equal([(x["status"], x["domain"], x["headerCanonicalization"] + "/" + x["bodyCanonicalization"]) for x in r], [("pass", domain, canon)], what)
