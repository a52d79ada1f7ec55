# SPDX-License-Identifier: MIT
"""The commands for single protocols (dns, spf, dkim, arc): output for people, JSON for scripts, exit status, help, against real DNS servers."""
import json
import os
import re

from harness import check, equal
from zones import Zones

MESSAGE = b"From: <alice@secure.test>\nTo: <bob@insecure.test>\nSubject: hello\nDate: Mon, 1 Jan 2024 10:00:00 +0000\n" \
          b"Message-ID: <1@secure.test>\n\nHello,\n\nbye\n"

RECORDS = {
    "secure.test": r"""
@ A 192.0.2.1
@ AAAA 2001:db8::1
@ MX 20 mail.insecure.test.
@ MX 10 mail
@ TXT "v=spf1 ip4:192.0.2.0/24 exists:%{i}.allowed.secure.test -all exp=why.secure.test"
@ TXT "other"
why TXT "%{i} may not send for %{d}"
mail A 192.0.2.25
www CNAME secure.test.
out CNAME insecure.test.
null MX 0 .
control TXT "a\027[31mb\255c"
_imaps._tcp SRV 5 7 993 mail
_25._tcp.mail TLSA 3 1 1 0123456789ABCDEF0123456789ABCDEF0123456789ABCDEF0123456789ABCDEF
xn--mnchen-3ya A 192.0.2.3
1.2.0.192 PTR secure.test.
two TXT "v=spf1 -all"
two TXT "v=spf1 ?all"
badspf TXT "v=spf1 ip4:1.2.3"
rsa._domainkey TXT {key_rsa}
ed25519._domainkey TXT {key_ed25519}
revoked._domainkey TXT "v=DKIM1; p="
broken._domainkey TXT "v=DKIM1; p=%%%"
notes._domainkey TXT "v=DKIM1; k=ed25519; n=for=20tests; t=y:s; s=email; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="
""",
    "insecure.test": """
@ A 192.0.2.2
mail A 192.0.2.26
@ TXT "v=spf1 include:secure.test ~all"
rsa._domainkey TXT {key_rsa}
ed25519._domainkey TXT {key_ed25519}
""",
    "bogus.test": "bad A 192.0.2.66",
}
TOOLS = {           # command: how many arguments
    "dns lookup": 2, "spf check": 2, "spf lookup": 1, "spf parse": 1,
    "dkim gened25519": 0, "dkim genrsa": 0, "dkim lookup": 2, "dkim txt": 0, "dkim verify": 1, "dkim sign": 1,
    "arc verify": 1, "arc seal": 4,
}


def server(make):
    return Zones(make, RECORDS)


def test_help_and_usage(s):
    for words, n in TOOLS.items():
        out = s.mox("help", *words.split())
        check(out.startswith("usage: mox %s" % words), "help of %s: %r", words, out)
        first = out.split("\n\n")[1].split("\n")[0]
        check(first.endswith("."), "help of %s has no sentence: %r", words, first)
        check(n == 0 or "Example" in out, "help of %s has no example", words)
        check(first in s.mox("help", words.split()[0]), "%s is not listed", words)
        check(all(len(line) <= 140 for line in out.split("\n")), "help of %s has long lines", words)
        for args in (["x"] * (n + 1), ["-nonsense"], ["-help"]) + ((["x"] * (n - 1),) if n else ()):
            out = s.mox(*words.split(), *args, status=2)
            check("usage: mox %s" % words in out, "usage of %s: %r", words, out)


def test_dns_lookup(s):
    for args, want in (
            ("a secure.test", "records (1, with dnssec):\n- 192.0.2.1\n"),
            ("a secure.test.", "records (1, with dnssec):\n- 192.0.2.1\n"),
            ("A Secure.Test", "records (1, with dnssec):\n- 192.0.2.1\n"),
            ("a münchen.secure.test", "records (1, with dnssec):\n- 192.0.2.3\n"),
            ("aaaa secure.test", "records (1, with dnssec):\n- 2001:db8::1\n"),
            ("a insecure.test", "records (1, without dnssec):\n- 192.0.2.2\n"),
            ("mx secure.test", "mx records (2, with dnssec):\n- mail.secure.test., preference 10\n- mail.insecure.test., preference 20\n"),
            ("mx null.secure.test", "mx records (1, with dnssec):\n- ., preference 0\n"),
            ("cname www.secure.test", "secure.test. (with dnssec)\n"),
            ("a www.secure.test", "records (1, with dnssec):\n- 192.0.2.1\n"),
            ("a out.secure.test", "records (1, without dnssec):\n- 192.0.2.2\n"),
            ("ns secure.test", "ns records (1, with dnssec):\n- ns.test.\n"),
            ("ptr 1.2.0.192.secure.test", "names (1, with dnssec):\n- secure.test.\n"),
            ("srv _imaps._tcp.secure.test", "srv records (1, with dnssec):\n- host mail.secure.test., port 993, priority 5, weight 7\n"),
            ("tlsa _25._tcp.mail.secure.test", 'tlsa records (1, with dnssec):\n- usage "dane-ee" (3), selector "spki" (1), '
             'matchtype "sha2-256" (1), certificate association data ' + "0123456789abcdef" * 4 + "\n"),
            # nothing that comes from outside may move the terminal's cursor
            ("txt control.secure.test", "txt records (1, with dnssec):\n- a\\x1b[31mb\\xffc\n")):
        equal(s.mox("dns", "lookup", *args.split()), want, args)
    out = s.mox("dns", "lookup", "ips", "secure.test")
    equal(sorted(out.split("\n")), ["", "- 192.0.2.1", "- 2001:db8::1", "records (2, with dnssec):"])
    out = s.mox("dns", "lookup", "txt", "secure.test")
    check(out.startswith("txt records (2, with dnssec):\n") and "\n- other\n" in out, out)


def test_dns_lookup_failures(s):
    out = s.mox("dns", "lookup", "a", "none.secure.test", status=1)
    check(out.startswith("dns lookup: ") and out.endswith(" (with dnssec)\n"), out)       # proved absent
    out = s.mox("dns", "lookup", "a", "none.insecure.test", status=1)
    check(out.endswith(" (without dnssec)\n"), out)
    out = s.mox("dns", "lookup", "a", "bad.bogus.test", status=1)
    check("SERVFAIL" in out and out.endswith(" (without dnssec)\n"), out)
    out = s.mox("dns", "lookup", "nonsense", "secure.test", status=2)
    check(out.startswith('dns lookup: unknown type "nonsense"\nusage: mox dns lookup'), out)
    out = s.run(s.binary, "-resolver", "nonsense", "dns", "lookup", "a", "secure.test", status=1).decode()
    equal(out, 'dns lookup: -resolver: "nonsense" is no address, nor address:port\n')
    out = s.run(s.binary, "-trustanchor", "/nonexistent", "dns", "lookup", "a", "secure.test", status=1).decode()
    check(out.startswith("dns lookup: ") and "/nonexistent" in out, out)


def test_dns_lookup_json(s):
    r = s.mox_json("dns", "lookup", "mx", "secure.test")
    equal((r["type"], r["name"], r["dnssec"], r["notFound"]), ("mx", "secure.test", True, False))
    equal(r["records"], [{"name": "mail.secure.test", "preference": 10}, {"name": "mail.insecure.test", "preference": 20}])
    check(0 < r["ttl"] <= 300, "ttl %r", r)
    r = s.mox_json("dns", "lookup", "a", "out.secure.test")
    equal((r["canonical"], r["records"], r["dnssec"]), ("insecure.test", [{"ip": "192.0.2.2"}], False))
    r = s.mox_json("dns", "lookup", "tlsa", "_25._tcp.mail.secure.test")
    equal(r["records"], [{"usage": 3, "selector": 1, "matching": 1, "data": "0123456789abcdef" * 4}])
    r = s.mox_json("dns", "lookup", "srv", "_imaps._tcp.secure.test")
    equal(r["records"], [{"name": "mail.secure.test", "port": 993, "priority": 5, "weight": 7}])
    r = s.mox_json("dns", "lookup", "txt", "control.secure.test")
    equal(r["records"], [{"text": "a\x1b[31mb\ufffdc"}])
    r = s.mox_json("dns", "lookup", "a", "none.secure.test", status=1)
    equal((r["notFound"], r["dnssec"], r["records"]), (True, True, []))
    r = s.mox_json("dns", "lookup", "a", "bad.bogus.test", status=1)
    equal((r["notFound"], r["dnssec"], r["extendedError"]), (False, False, 6))


def test_spf_check(s):
    for args, want in (
            ("secure.test 192.0.2.77", "status: pass (with dnssec)\nmechanism: ip4:192.0.2.0/24\n"),
            ("secure.test 198.51.100.1", "explanation: remote claims: 198.51.100.1 may not send for secure.test\n"
             "status: fail (with dnssec)\nmechanism: -all\n"),
            ("insecure.test 192.0.2.77", "status: pass (without dnssec)\nmechanism: include:secure.test\n"),
            ("insecure.test 2001:db8::1", "status: softfail (without dnssec)\nmechanism: ~all\n")):
        equal(s.mox("spf", "check", *args.split()), want, args)
    for name, status in (("two.secure.test", "permerror"), ("badspf.secure.test", "permerror"), ("bad.bogus.test", None), ("mail.secure.test", "none")):
        r = s.mox_json("spf", "check", name, "192.0.2.1")
        check(status is None or r["status"] == status, "%s: %r", name, r)
        check((r["status"] != "permerror") or r["error"], "%s: %r", name, r)
    equal(s.mox_json("spf", "check", "secure.test", "192.0.2.77"),
          {"domain": "secure.test", "status": "pass", "dnssec": True, "mechanism": "ip4:192.0.2.0/24"})
    check('"1.2.3" is no IP address\nusage:' in s.mox("spf", "check", "secure.test", "1.2.3", status=2))
    check('"a..b" is no domain name' in s.mox("spf", "check", "a..b", "1.2.3.4", status=2))


def test_spf_lookup(s):
    equal(s.mox("spf", "lookup", "insecure.test"), "v=spf1 include:secure.test ~all\n(without dnssec)\n")
    equal(s.mox_json("spf", "lookup", "insecure.test"),
          {"domain": "insecure.test", "record": "v=spf1 include:secure.test ~all", "dnssec": False})
    for name in ("two.secure.test", "badspf.secure.test", "mail.secure.test", "none.secure.test"):
        out = s.mox("spf", "lookup", name, status=1)
        check(out.startswith("spf lookup: ") and out.endswith("(with dnssec)\n"), "%s: %r", name, out)
        check(s.mox_json("spf", "lookup", name, status=1)["error"], "%s has no error", name)


def test_spf_parse(s):
    equal(s.mox("spf", "parse", "v=spf1 ip4:192.0.2.0/24 -all"), "")
    check(s.mox("spf", "parse", "v=spf1 ip4:192.0.2.0/33 -all", status=1).startswith("spf parse: "))
    equal(s.mox_json("spf", "parse", "v=spf1 a:x.example/24//64 ?ip6:2001:db8::/32 redirect=_spf.example.org x=y"),
          {"directives": [{"qualifier": "+", "mechanism": "a", "domain": "x.example", "ip4Prefix": 24, "ip6Prefix": 64},
                          {"qualifier": "?", "mechanism": "ip6", "ip": "2001:db8::", "ip6Prefix": 32}],
           "redirect": "_spf.example.org", "modifiers": {"x": "y"}})


def test_dkim_keys(s):
    for name, kind in (("rsa", "k=rsa"), ("ed25519", "k=ed25519")):
        with open(s.keys[name], "rb") as f:
            pem = f.read()
        check(pem.startswith(b"Note: ") and b"-----BEGIN PRIVATE KEY-----\n" in pem, "%r", pem[:100])
        s.run("openssl", "pkey", "-noout", "-check" if name == "rsa" else "-text", "-in", s.keys[name])      # other programs read it too
        out = s.mox("dkim", "txt", stdin=pem)
        check(out.startswith('<selector>._domainkey.<your.domain.> TXT "v=DKIM1;'), out)
        strings = re.findall(r'"([^"]*)"', out)
        check(all(len(x) <= 100 for x in strings), out)
        equal("".join(strings), json.loads(s.mox("dkim", "txt", "-json", stdin=pem))["txt"])
        check(name == "rsa" or kind in out, out)
    check(s.mox("dkim", "genrsa") != s.mox("dkim", "genrsa"), "the same key twice")
    check(s.mox("dkim", "txt", stdin=b"nonsense", status=1).startswith("dkim txt: standard input: "))


def test_dkim_txt_of_others(s):
    """Keys that the reference implementation wrote have a header within the PEM block."""
    with open(s.keys["ed25519"], "rb") as f:
        pem = f.read()
    plain = pem[pem.index(b"-----BEGIN"):]
    other = plain.replace(b"KEY-----\n", b"KEY-----\nNote: key of another program\n\n", 1)
    equal(s.mox("dkim", "txt", stdin=other), s.mox("dkim", "txt", stdin=plain))


def test_dkim_lookup(s):
    out = s.mox("dkim", "lookup", "rsa", "secure.test")
    check(out.startswith("TXT record: v=DKIM1;"), out)
    check("\ndnssec-signed: yes\nRecord:\n\tversion: DKIM1\n\thashes: sha256\n\tkey: rsa, 2048 bits\n" in out, out)
    check("dnssec-signed: no\n" in s.mox("dkim", "lookup", "rsa", "insecure.test"))
    out = s.mox("dkim", "lookup", "notes", "secure.test")
    check(out.endswith("\tkey: ed25519\n\tnotes: for tests\n\tservices: email\n\tflags: y,s\n"), out)
    r = s.mox_json("dkim", "lookup", "notes", "secure.test")
    equal(r["record"], {"hashes": [], "key": "ed25519", "notes": "for tests", "services": ["email"], "flags": ["y", "s"]})
    check("key: revoked" in s.mox("dkim", "lookup", "revoked", "secure.test"))
    for selector, status in (("none", "permerror"), ("broken", "permerror")):
        out = s.mox("dkim", "lookup", selector, "secure.test")
        check(out.startswith("error: ") and "\nstatus: %s\n" % status in out and "dnssec-signed: yes" in out, "%s: %r", selector, out)
        r = s.mox_json("dkim", "lookup", selector, "secure.test")
        check(r["status"] == status and r["error"] and "record" not in r, "%r", r)


def configured(s):
    """A configuration with keys for two domains; the path of mox.conf."""
    if not os.path.exists(s.path("conf/mox.conf")):
        s.run(s.binary, "localserve", "-dir", s.path("conf"), "-ip", "127.0.0.1", "-initonly")
        with open(s.path("conf/domains.conf")) as f:
            text = f.read()
        domains = "Domains:\n"
        for domain in ("secure.test", "insecure.test"):
            domains += "\t%s:\n\t\tDKIM:\n\t\t\tSelectors:\n" % domain
            for name in s.keys:
                domains += "\t\t\t\t%s:\n\t\t\t\t\tPrivateKeyFile: %s\n" % (name, s.keys[name])
                domains += "\t\t\t\t\tCanonicalization:\n\t\t\t\t\t\tHeaderRelaxed: true\n\t\t\t\t\t\tBodyRelaxed: %s\n" % ("true" if name == "rsa" else "false")
            domains += "\t\t\tSign:\n\t\t\t\t- rsa\n\t\t\t\t- ed25519\n"
        domains += "\tnokeys.test: nil\n"
        check(text.startswith("Domains:\n") or "\nDomains:\n" in text, text)
        s.path("conf/domains.conf", re.sub(r"^Domains:\n", domains, text, flags=re.M))
    return s.path("conf/mox.conf")


def sign(s, message, status=0):
    s.path("in.eml", message)
    return s.run(s.binary, "-config", configured(s), "dkim", "sign", s.path("in.eml"), status=status)


def test_dkim_sign_and_verify(s):
    signed = sign(s, MESSAGE)
    check(signed.endswith(MESSAGE.replace(b"\n", b"\r\n")) and signed.count(b"DKIM-Signature:") == 2, "%r", signed)
    out = s.mox("dkim", "verify", s.path("signed.eml", signed))
    equal(out.count('status "pass"\nrecord "v=DKIM1;'), 2, out)
    equal(out.count(" (with dnssec)\nDKIM-Signature: "), 2, out)
    # from standard input, with the line ends of a file on disk
    r = s.mox_json("dkim", "verify", "-", stdin=signed.replace(b"\r\n", b"\n"))["signatures"]
    equal([(x["status"], x["domain"], x["selector"], x["algorithm"], x["bodyCanonicalization"], x["dnssec"]) for x in r],
          [("pass", "secure.test", "rsa", "rsa-sha256", "relaxed", True), ("pass", "secure.test", "ed25519", "ed25519-sha256", "simple", True)])
    equal((r[0]["identity"], r[0]["keyBits"]), ("alice@secure.test", 2048))
    check("From" in r[0]["headers"] and r[0]["signTime"] > 0, "%r", r[0])

    changed = signed.replace(b"bye", b"buy")
    out = s.mox("dkim", "verify", s.path("changed.eml", changed))
    equal(out.count('status "fail", err '), 2, out)
    equal([x["status"] for x in s.mox_json("dkim", "verify", s.path("changed.eml"))["signatures"]], ["fail", "fail"])

    signed = sign(s, MESSAGE.replace(b"alice@secure.test", b"alice@insecure.test"))
    r = s.mox_json("dkim", "verify", "-", stdin=signed)["signatures"]
    equal([(x["status"], x["dnssec"]) for x in r], [("pass", False)] * 2)
    equal(s.mox("dkim", "verify", "-", stdin=MESSAGE), "no signatures\n")


def test_dkim_failures(s):
    for message, text in ((MESSAGE.replace(b"alice@secure", b"alice@elsewhere"), b"domain elsewhere.test is not in the configuration"),
                          (MESSAGE.replace(b"alice@secure", b"alice@nokeys"), b"no DKIM keys are configured for domain nokeys.test"),
                          (MESSAGE.replace(b"From:", b"X:"), b"in.eml: "),
                          (MESSAGE.replace(b"To:", b"From:"), b"in.eml: "), (b"From: a@secure.test", b"the header has no end")):
        out = sign(s, message, status=1)
        check(out.startswith(b"dkim sign: ") and text in out and out.count(b"\n") == 1, "%r", out)
    check(s.mox("dkim", "verify", "/nonexistent", status=1).startswith("dkim verify: /nonexistent: No such file"))
    out = s.run(s.binary, "-config", "/nonexistent/mox.conf", "dkim", "sign", s.path("in.eml"), status=1)
    check(out.startswith(b"dkim sign: ") and b"/nonexistent/mox.conf" in out, "%r", out)


def test_arc(s):
    equal(s.mox("arc", "verify", "-", stdin=MESSAGE), "status: none\n")
    message = sign(s, MESSAGE)
    for i, (selector, domain) in enumerate((("rsa", "secure.test"), ("rsa", "insecure.test"), ("rsa", "secure.test"))):
        args = ["arc", "seal", selector, domain, s.keys[selector], "-"]
        if i == 1:
            args[2:2] = ["-results", "lists.insecure.test; spf=fail smtp.mailfrom=secure.test; arc=pass"]
        message = s.mox(*args, stdin=message).encode()
        equal(message.count(b"ARC-Seal:"), i + 1)
        equal(s.mox_json("arc", "verify", "-", stdin=message)["status"], "pass")
        # the first set is about both signatures
        check(i != 0 or b"dkim=pass header.d=secure.test; arc=none" in re.sub(rb"\s+", b" ", message), "%r", message)
    out = s.mox("arc", "verify", s.path("sealed.eml", message))
    check(out.startswith("status: pass (without dnssec)\n1: sealed by secure.test, selector rsa; results: secure.test; dkim=pass"), out)
    check("\n2: sealed by insecure.test, selector rsa; results: lists.insecure.test; spf=fail smtp.mailfrom=secure.test; arc=pass\n" in out, out)
    r = s.mox_json("arc", "verify", s.path("sealed.eml"))
    equal([(x["instance"], x["domain"]) for x in r["sets"]], [(1, "secure.test"), (2, "insecure.test"), (3, "secure.test")])
    equal(r["dnssec"], False)

    broken = message.replace(b"Hello", b"Hallo")
    out = s.mox("arc", "verify", "-", stdin=broken)
    check(out.startswith("status: fail\nerror: "), out)
    # sealed as failed; then nobody may add another set
    sealed = s.mox("arc", "seal", "rsa", "secure.test", s.keys["rsa"], "-", stdin=broken).encode()
    check(b"cv=fail" in sealed, "%r", sealed)
    out = s.mox("arc", "seal", "rsa", "secure.test", s.keys["rsa"], "-", stdin=sealed, status=1)
    check("the chain ended with a failure before" in out, out)
    out = s.mox("arc", "seal", "rsa", "secure.test", "/nonexistent", "-", stdin=MESSAGE, status=1)
    check(out.startswith("arc seal: /nonexistent: "), out)


def test_own_validation(s):
    """Without a validating resolver: authentic with the root's key, not without."""
    for anchor, want in ((True, "with"), (False, "without")):
        equal(s.mox("dns", "lookup", "a", "secure.test", via="plain", anchor=anchor), "records (1, %s dnssec):\n- 192.0.2.1\n" % want)
        check("dnssec-signed: %s\n" % ("yes" if anchor else "no") in s.mox("dkim", "lookup", "rsa", "secure.test", via="plain", anchor=anchor))
