# SPDX-License-Identifier: MIT
"""DNSSEC with real zones and signatures: our stub resolver behind a validating unbound, and our own validation from the root's key behind one
that does not validate, come to what unbound says: secure, insecure or bogus, for answers, aliases and proofs of absence."""
from harness import check, equal
from zones import Zones

COMMON = """
@ A 192.0.2.1
@ AAAA 2001:db8::1
@ MX 10 mail
@ TXT "v=spf1 ip4:192.0.2.0/24 -all"
mail A 192.0.2.25
a A 192.0.2.2
*.wild A 192.0.2.3
*.wild TXT "wild"
empty.below A 192.0.2.4
alias CNAME a
chain1 CNAME chain2
chain2 CNAME a
tosecure CNAME a.secure.test.
tonsec3 CNAME a.nsec3.test.
toinsecure CNAME a.insecure.test.
towrong CNAME a.wrongds.test.
tonothing CNAME nothing.secure.test.
mx MX 10 mail.secure.test.
mx MX 20 mail.insecure.test.
rsa._domainkey TXT {key_rsa}
_25._tcp.mail TLSA 3 1 1 0123456789ABCDEF0123456789ABCDEF0123456789ABCDEF0123456789ABCDEF
"""
RECORDS = {z: COMMON for z in ("secure.test", "nsec3.test", "insecure.test", "wrongds.test", "expired.test")}
RECORDS["bogus.test"] = COMMON + "bad A 192.0.2.66\ntobad CNAME bad\n"

SECURE, INSECURE, BOGUS = "secure", "insecure", "bogus"
# In every zone that can be reached: (type, name below it, whether it exists)
ANSWERS = (("a", "", True), ("aaaa", "", True), ("mx", "", True), ("txt", "", True), ("a", "a.", True), ("a", "alias.", True), ("cname", "alias.", True),
           ("a", "chain1.", True), ("a", "x.wild.", True), ("txt", "x.y.wild.", True), ("mx", "mx.", True), ("tlsa", "_25._tcp.mail.", True),
           ("txt", "rsa._domainkey.", True), ("a", "nothing.", False), ("txt", "a.", False), ("aaaa", "alias.", False), ("mx", "x.wild.", False),
           ("a", "below.", False), ("tlsa", "_25._tcp.a.", False), ("a", "a.b.c.nothing.", False))
# Aliases across zones
CHAINS = (("a", "tosecure", True), ("a", "tonsec3", True), ("a", "toinsecure", True), ("a", "towrong", None), ("a", "tonothing", False))
ZONES = {"secure.test": SECURE, "nsec3.test": SECURE, "insecure.test": INSECURE}
TARGETS = {"tosecure": SECURE, "tonsec3": SECURE, "toinsecure": INSECURE, "tonothing": SECURE}


def server(make):
    return Zones(make, RECORDS)


def cases():
    """(type, name, exists, security)"""
    for zone, security in ZONES.items():
        for kind, name, exists in ANSWERS:
            yield kind, name + zone, exists, security
        for kind, name, exists in CHAINS:
            if exists is None:
                yield kind, "%s.%s" % (name, zone), None, BOGUS
            else:
                yield kind, "%s.%s" % (name, zone), exists, SECURE if security == TARGETS[name] == SECURE else INSECURE
    for zone in ("wrongds.test", "expired.test"):
        for kind, name in (("a", ""), ("mx", ""), ("a", "nothing."), ("a", "alias.")):
            yield kind, name + zone, None, BOGUS
    yield "a", "bad.bogus.test", None, BOGUS
    yield "a", "tobad.bogus.test", None, BOGUS
    yield "a", "a.bogus.test", True, SECURE
    yield "a", "nothing.test", False, SECURE
    yield "a", "nothing.example", False, SECURE


def theirs(s, kind, name):
    """What the validating unbound says."""
    rcode, authentic, n = s.ask(s.validating, kind, name)
    if rcode == "SERVFAIL":
        return None, BOGUS
    exists = rcode == "NOERROR" and n > 0
    return exists, SECURE if authentic else INSECURE


def ours(s, kind, name, exists, **kw):
    r = s.mox_json("dns", "lookup", kind, name, status=0 if exists else 1, **kw)
    if "error" in r and not r["notFound"]:
        return None, BOGUS
    return not r["notFound"], SECURE if r["dnssec"] else INSECURE


def test_unbound(s):
    """The zones are what this file says."""
    for kind, name, exists, security in cases():
        got, their = theirs(s, kind, name)
        # an alias to nothing, or without the type, has a CNAME in its answer, and yet no record
        check(got == exists or exists is False and "alias" in name or "tonothing" in name, "%s %s: %r", kind, name, got)
        equal(their, security, "%s %s" % (kind, name))


def test_stub(s):
    for kind, name, exists, security in cases():
        equal(ours(s, kind, name, exists), (exists, security), "%s %s" % (kind, name))


def test_own_validation(s):
    for kind, name, exists, security in cases():
        equal(ours(s, kind, name, exists, via="plain", anchor=True), (exists, security), "%s %s" % (kind, name))
        # without the key nothing is authentic, and nothing bogus
        equal(ours(s, kind, name, exists is not False and "nothing" not in name, via="plain")[1], INSECURE, "%s %s" % (kind, name))


def test_wrong_anchor(s):
    """With another root key everything is bogus."""
    with open(s.anchor) as f:
        wrong = f.read().split()
    wrong[-1] = "0" * len(wrong[-1])
    path = s.path("wrong-anchor", " ".join(wrong) + "\n")
    out = s.run(s.binary, "-resolver", "%s:%d" % (s.plain, s.dns_port), "-trustanchor", path, "dns", "lookup", "a", "secure.test", status=1)
    check(out.startswith(b"dns lookup: "), "%r", out)


def test_spf_and_dkim(s):
    for kw in (dict(), dict(via="plain", anchor=True)):
        for zone, security in ZONES.items():
            secure = security == SECURE
            r = s.mox_json("spf", "check", zone, "192.0.2.9", **kw)
            equal((r["status"], r["dnssec"]), ("pass", secure), zone)
            r = s.mox_json("dkim", "lookup", "rsa", zone, **kw)
            equal((r["status"], r["dnssec"]), ("neutral", secure), zone)
        for zone in ("wrongds.test", "expired.test"):
            equal(s.mox_json("spf", "check", zone, "192.0.2.9", **kw)["status"], "temperror", zone)
            equal(s.mox_json("dkim", "lookup", "rsa", zone, **kw)["status"], "temperror", zone)
