# SPDX-License-Identifier: MIT
"""The commands for dnsbl, mtasts, rdap and tlsrpt: output for people, JSON for scripts, exit status, help, against real DNS and web servers."""
import base64
import datetime
import gzip
import json
import os

from harness import Skip, check, equal
from zones import Zones

TOOLS = {"dnsbl check": 2, "dnsbl checkhealth": 1, "mtasts lookup": 1, "rdap domainage": 1, "tlsrpt lookup": 1, "tlsrpt parsereportmsg": 1}
POLICY = "version: STSv1\r\nmode: enforce\r\nmax_age: 86400\r\nmx: mail.secure.test\r\nmx: *.insecure.test\r\n"
RECORDS = {
    "secure.test": """
2.0.0.127.bl A 127.0.0.2
2.0.0.127.bl TXT "for tests"
1.2.0.192.bl A 127.0.0.4
1.2.0.192.bl TXT "sent \\027[31mjunk"
*.all A 127.0.0.2
*.refuse A 127.255.255.254
_mta-sts TXT "v=STSv1; id=20240101"
mta-sts A {web}
_mta-sts.broken TXT "v=STSv1; id=1"
mta-sts.broken A {web}
_mta-sts.nohost TXT "v=STSv1; id=1"
_mta-sts.two TXT "v=STSv1; id=1"
_mta-sts.two TXT "v=STSv1; id=2"
_smtp._tls TXT "v=TLSRPTv1; rua=mailto:tls@secure.test,https://secure.test/report"
_smtp._tls.broken TXT "v=TLSRPTv1; rua="
rdap A {web}
""",
    "insecure.test": "_mta-sts TXT \"v=STSv1; id=7\"\nmta-sts A {web}",
    ".": "data.iana.org. A {web}",
}
NAMES = ["mta-sts.secure.test", "mta-sts.insecure.test", "data.iana.org", "rdap.secure.test"]


def server(make):
    class WithWeb(Zones):
        def start(self):
            super().start()
            if os.geteuid() == 0:       # port 443
                self.certificates(NAMES)
                self.web_server(pages())
    return WithWeb(make, RECORDS)


def years_ago(years, days):
    now = datetime.datetime.now(datetime.timezone.utc)
    then = now - datetime.timedelta(days=days, hours=1)
    return then.replace(year=then.year - years, day=min(then.day, 28)).strftime("%Y-%m-%dT%H:%M:%SZ")


def pages():
    def domain(*events):
        return 200, json.dumps({"objectClassName": "domain", "events": [{"eventAction": a, "eventDate": d} for a, d in events]})
    return {
        "/.well-known/mta-sts.txt": (200, POLICY),
        "/rdap/dns.json": (200, json.dumps({"version": "1.0", "publication": "2024-01-01T00:00:00Z",
                                            "services": [[["test"], ["https://rdap.secure.test/"]], [["plain"], ["http://rdap.secure.test/"]]]})),
        "/domain/new.test": domain(("registration", years_ago(0, 1))),
        "/domain/old.test": domain(("last changed", years_ago(0, 1)), ("registration", "1987-01-02T03:04:05Z")),
        "/domain/noevent.test": domain(("last changed", years_ago(0, 1))),
    }


def needs_web(s):
    if not s.servers:
        raise Skip("needs root, for port 443")
    return "-tlscerts", s.path("ca.pem")


def test_help_and_usage(s):
    for words, n in TOOLS.items():
        out = s.mox("help", *words.split())
        check(out.startswith("usage: mox %s" % words) and "Example" in out, "help of %s: %r", words, out)
        for args in (["-nonsense"], ["-help"], ["x"] * (n - 1)) + ((["x"] * (n + 1),) if "file ..." not in out else ()):
            check("usage: mox %s" % words in s.mox(*words.split(), *args, status=2), "usage of %s", words)


def test_dnsbl(s):
    equal(s.mox("dnsbl", "check", "bl.secure.test", "192.0.2.9"), "status: pass\n")
    equal(s.mox("dnsbl", "check", "bl.secure.test", "192.0.2.1"), 'status: fail\nexplanation: "sent \\x1b[31mjunk"\n')
    equal(s.mox_json("dnsbl", "check", "bl.secure.test", "127.0.0.2"), {"status": "fail", "explanation": "for tests", "codes": ["127.0.0.2"]})
    out = s.mox("dnsbl", "check", "refuse.secure.test", "192.0.2.1")
    check(out.startswith("status: temperror\nerror: "), out)
    equal(s.mox("dnsbl", "check", "bl.secure.test", "2001:db8::1"), "status: pass\n")
    check("no IP address" in s.mox("dnsbl", "check", "bl.secure.test", "x", status=2))
    equal(s.mox("dnsbl", "checkhealth", "bl.secure.test"), "healthy\n")
    for zone in ("all.secure.test", "none.secure.test", "refuse.secure.test"):
        out = s.mox("dnsbl", "checkhealth", zone, status=1)
        check(out.startswith("dnsbl checkhealth: ") and out.count("\n") == 1, out)


def test_mtasts(s):
    options = needs_web(s)
    out = s.mox("mtasts", "lookup", *options, "secure.test")
    equal(out, "DNS TXT record _mta-sts.secure.test: v=STSv1; id=20240101 (with dnssec)\n\n"
          "policy at https://mta-sts.secure.test/.well-known/mta-sts.txt:\n" + POLICY.replace("\r", ""))
    r = s.mox_json("mtasts", "lookup", *options, "insecure.test")
    equal(r, {"txt": "v=STSv1; id=7", "id": "7", "dnssec": False,
              "policy": {"mode": "enforce", "maxAge": 86400, "mx": ["mail.secure.test", "*.insecure.test"]}})
    for args, text in ((("secure.test",), "certificate"),                               # of an authority that we do not know
                       ((*options, "broken.secure.test"), "broken.secure.test"),        # another name
                       ((*options, "nohost.secure.test"), "nohost.secure.test"), ((*options, "none.secure.test"), ""),
                       ((*options, "two.secure.test"), "")):
        out = s.mox("mtasts", "lookup", *args, status=1)
        check(out.startswith("error: ") and text in out and "policy at" not in out, "%s: %r", args, out)
        r = s.mox_json("mtasts", "lookup", *args, status=1)
        check(r["error"] and "policy" not in r, "%s: %r", args, r)
    check("No such file" in s.mox("mtasts", "lookup", "-tlscerts", "/nonexistent", "secure.test", status=1))


def test_rdap(s):
    options = needs_web(s)
    out = s.mox("rdap", "domainage", *options, "new.test")
    equal(out, "0 years, 1 day\n")
    r = s.mox_json("rdap", "domainage", *options, "old.test")
    equal((r["domain"], r["registered"]), ("old.test", "1987-01-02T03:04:05Z"))
    age = datetime.datetime.now(datetime.timezone.utc) - datetime.datetime(1987, 1, 2, 3, 4, 5, tzinfo=datetime.timezone.utc)
    check(r["ageDays"] in (age.days, age.days - 1), "%r, not %r", r, age.days)
    out = s.mox("rdap", "domainage", *options, "old.test")
    check(out.startswith("%d years, " % (age.days // 366)) or out.startswith("%d years, " % (age.days // 365)), out)
    for name, text in (("unknown.test", "does not know"), ("noevent.test", "date of registration"), ("a.plain", "no RDAP server"), ("a.other", "no RDAP server")):
        out = s.mox("rdap", "domainage", *options, name, status=1)
        check(out.startswith("rdap domainage: ") and text in out, "%s: %r", name, out)


def test_tlsrpt_lookup(s):
    equal(s.mox("tlsrpt", "lookup", "secure.test"), "v=TLSRPTv1; rua=mailto:tls@secure.test,https://secure.test/report\n")
    equal(s.mox_json("tlsrpt", "lookup", "secure.test")["rua"], ["mailto:tls@secure.test", "https://secure.test/report"])
    for name in ("broken.secure.test", "none.secure.test"):
        check(s.mox("tlsrpt", "lookup", name, status=1).startswith("tlsrpt lookup: "))
        check(s.mox_json("tlsrpt", "lookup", name, status=1)["error"], "no error")


def test_tlsrpt_report(s):
    report = {"organization-name": "Example", "date-range": {"start-datetime": "2024-01-01T00:00:00Z", "end-datetime": "2024-01-01T23:59:59Z"},
              "contact-info": "tls@example.test", "report-id": "1", "policies": [{
                  "policy": {"policy-type": "sts", "policy-string": ["version: STSv1"], "policy-domain": "secure.test", "mx-host": ["mail.secure.test"]},
                  "summary": {"total-successful-session-count": 5, "total-failure-session-count": 1},
                  "failure-details": [{"result-type": "certificate-expired", "failed-session-count": 1}]}]}
    text = json.dumps(report).encode()
    paths = []
    for name, kind, data in (("plain", "json", text), ("packed", "gzip", gzip.compress(text))):
        body = base64.encodebytes(data)
        paths.append(s.path(name, b"From: <a@b.test>\r\nSubject: Report Domain: secure.test\r\nMIME-Version: 1.0\r\nContent-Type: application/tlsrpt+"
                            + kind.encode() + b"\r\nContent-Transfer-Encoding: base64\r\n\r\n" + body))
    out = s.mox("tlsrpt", "parsereportmsg", *paths)
    decoder, got = json.JSONDecoder(), []
    while out.strip():
        value, end = decoder.raw_decode(out.lstrip())
        out = out.lstrip()[end:]
        got.append(value)
    equal(len(got), 2)
    equal(got[0], got[1])
    equal((got[0]["organization-name"], got[0]["policies"][0]["summary"]["total-successful-session-count"],
           got[0]["policies"][0]["failure-details"][0]["result-type"]), ("Example", 5, "certificate-expired"))
    out = s.mox("tlsrpt", "parsereportmsg", "-", stdin=b"Subject: nothing\r\n\r\nhello\r\n", status=1)
    check(out.startswith("tlsrpt parsereportmsg: -: "), out)
