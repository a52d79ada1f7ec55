# SPDX-License-Identifier: MIT
"""The dane commands against real servers: every usage, selector and hash, rollover, CNAMEs, and what must be refused. TLS by `openssl s_server`."""
import os
import re
import socket
import ssl
import subprocess
import threading

from harness import Skip, check, equal, until
from zones import Zones

TLS_PORT = 9993
USAGES, SELECTORS, MATCHINGS = ("pkix-ta", "pkix-ee", "dane-ta", "dane-ee"), ("cert", "spki"), ("full", "sha2-256", "sha2-512")
WRONG = "00" * 32
TOOLS = {"dane makerecord": 4, "dane dial": 1, "dane dialmx": 2}


def record(s, usage, selector, matching, name="cert.pem"):
    return s.run(s.binary, "dane", "makerecord", str(usage), str(selector), str(matching), s.path(name)).decode().strip()


def certificate_record(s, u, c, m):
    return record(s, u, c, m, "ca.pem" if u in (0, 2) else "cert.pem")


def spoiled(rec):
    return rec[:-2] + ("00" if not rec.endswith("00") else "01")


def combination(usage, selector, matching):
    return "u%d-s%d-m%d" % (usage, selector, matching)


def names():
    hosts = ["host", "mx1", "mx2"] + [combination(u, c, m) for u in range(4) for c in range(2) for m in range(3)]
    return ["%s.secure.test" % h for h in hosts] + ["insecure.test"]


def records(s):
    """The zones, once certificates are there."""
    s.certificates(names())
    ee, ta, tls = record(s, 3, 1, 1), record(s, 2, 0, 1, "ca.pem"), "_%d._tcp." % TLS_PORT
    text = "host A {web}\nother A {web}\nalias CNAME host\nout CNAME insecure.test.\n"
    for u in range(4):
        for c in range(2):
            for m in range(3):
                n = combination(u, c, m)
                for name, data in ((n, certificate_record(s, u, c, m)), ("bad-" + n, spoiled(certificate_record(s, u, c, m)))):
                    text += "%s A {web}\n%s%s TLSA %s\n" % (name, tls, name, data)
    # host: a rollover, the next key is announced beside the one in use
    text += "%shost TLSA 3 1 1 %s\n%shost TLSA %s\n" % (tls, WRONG, tls, ee)
    for name, data in (("wrong", "3 1 1 " + WRONG), ("unusable", "9 1 1 " + WRONG), ("short", "3 1 1 0000"), ("other", ta), ("ee-other", ee)):
        text += "%s A {web}\n%s%s TLSA %s\n" % (name if name != "other" else "x-other", tls, name, data)
    text += "closed A 127.0.0.1\n_1._tcp.closed TLSA %s\n" % ee
    # SMTP
    text += "mail MX 10 mx0\nmail MX 20 mx1\nmail MX 30 mx2\nmx0 A {web}\nmx1 A {web}\nmx2 A {web}\n"
    text += "_25._tcp.mx1 TLSA 3 1 1 %s\n_25._tcp.mx2 TLSA %s\n" % (WRONG, ee)
    text += "bad MX 10 mx1\nnull MX 0 .\nta MX 10 host\n_25._tcp.host TLSA %s\n" % ta
    return {"secure.test": text, "insecure.test": "@ A {web}\n@ MX 10 mx2.secure.test.\n%s TLSA %s\n" % (tls.rstrip("."), ee),
            "bogus.test": "@ A {web}\nbad A 192.0.2.66\n%sbad TLSA %s\n" % (tls, ee)}


def server(make):
    class WithTLS(Zones):
        def start(self):
            super().start()
            self.daemon("s_server", "openssl", "s_server", "-accept", "%s:%d" % (self.web, TLS_PORT), "-cert", self.path("cert.pem"),
                        "-key", self.path("key.pem"), "-cert_chain", self.path("ca.pem"), "-rev", "-quiet")
            until(lambda: not socket.socket().connect_ex((self.web, TLS_PORT)), "s_server")
            if os.geteuid() == 0:
                self.smtp = SMTP(self)

        def stop(self):
            if getattr(self, "smtp", None):
                self.smtp.stop()
            super().stop()
    return WithTLS(make, records)


class SMTP:
    """A mail server on port 25 that knows EHLO, STARTTLS, NOOP and QUIT."""

    def __init__(self, s):
        self.ctx = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.ctx.load_cert_chain(s.path("chain.pem"), s.path("key.pem"))
        self.socket = socket.create_server((s.web, 25))
        self.ended = False
        self.names = []
        self.ctx.sni_callback = lambda _, name, __: self.names.append(name)
        self.thread = threading.Thread(target=self.serve)
        self.thread.start()

    def serve(self):
        while not self.ended:
            try:
                c, _ = self.socket.accept()
            except OSError:
                return
            c.settimeout(20)
            try:
                self.talk(c)
            except (OSError, ValueError):
                pass
            c.close()

    def talk(self, c):
        c.sendall(b"220 mx.test ESMTP\r\n")
        f = c.makefile("rb")
        for line in f:
            word = line.split()[0].upper()
            if word == b"EHLO":
                c.sendall(b"250-mx.test\r\n250 STARTTLS\r\n")
            elif word == b"STARTTLS":
                c.sendall(b"220 go on\r\n")
                tls = self.ctx.wrap_socket(c, server_side=True)
                return self.secret(tls)
            elif word == b"QUIT":
                c.sendall(b"221 bye\r\n")
                return None
        return None

    def secret(self, c):
        for line in c.makefile("rb"):
            word = line.split()[0].upper()
            c.sendall(b"221 bye\r\n" if word == b"QUIT" else b"250 fine\r\n")
            if word == b"QUIT":
                break
        c.unwrap()

    def stop(self):
        self.ended = True
        self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()
        self.thread.join()


def dial(s, host, *options, status=0, **kw):
    return s.mox("dane", "dial", *options, "%s:%d" % (host, TLS_PORT), stdin=b"hello\n", status=status, **kw)


def test_help_and_usage(s):
    for words, n in TOOLS.items():
        out = s.mox("help", *words.split())
        check(out.startswith("usage: mox %s" % words) and "Example" in out, "help of %s: %r", words, out)
        for args in (["-nonsense"], ["-help"], ["x"] * (n + 1), []):
            check("usage: mox %s" % words in s.mox(*words.split(), *args, status=2), "usage of %s", words)
    for target in ("host", "host:", "host:0", "host:65536", ":25", "a..b:25"):
        check("usage: mox dane dial" in s.mox("dane", "dial", target, status=2), target)
    check("is no list of usages" in s.mox("dane", "dial", "-usages", "x", "host:1", status=2))


def test_makerecord(s):
    """As OpenSSL computes them."""
    def hashed(*command):
        der = subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout
        return subprocess.run(["openssl", "dgst", "-sha256", "-r"], input=der, stdout=subprocess.PIPE, check=True).stdout.split()[0].decode()
    cert, key = s.path("cert.pem"), s.path("key.pem")
    spki = hashed("openssl", "pkey", "-in", key, "-pubout", "-outform", "DER")
    whole = hashed("openssl", "x509", "-in", cert, "-outform", "DER")
    equal(s.mox("dane", "makerecord", "dane-ee", "spki", "sha2-256", cert), "3 1 1 %s\n" % spki)
    equal(s.mox("dane", "makerecord", "3", "1", "1", key), "3 1 1 %s\n" % spki)
    equal(s.mox("dane", "makerecord", "pkix-ee", "cert", "sha2-256", cert), "1 0 1 %s\n" % whole)
    equal(s.mox_json("dane", "makerecord", "2", "0", "1", cert), {"record": "2 0 1 " + whole})
    out = s.mox("dane", "makerecord", "9", "1", "1", cert)
    check(out.startswith("warning: usage 9 is unknown") and out.endswith("9 1 1 %s\n" % spki), out)
    check("dane makerecord: " in s.mox("dane", "makerecord", "3", "0", "1", key, status=1))       # needs a certificate
    for args, what in ((("x", "1", "1"), "usage"), (("3", "x", "1"), "selector"), (("3", "1", "x"), "matching type")):
        check(s.mox("dane", "makerecord", *args, cert, status=2).startswith('dane makerecord: "x" is no ' + what))


def test_dial_every_record(s):
    for u in range(4):
        for c in range(2):
            for m in range(3):
                host = combination(u, c, m) + ".secure.test"
                out = dial(s, host, "-tlscerts", s.path("ca.pem"))
                check(re.match(r"connected to %s:%d, verified by %s record %d %d %d [0-9a-f]+\nolleh\n$" % (
                    re.escape(s.web), TLS_PORT, USAGES[u], u, c, m), out), "%s: %r", host, out)
                if m == 1:
                    # without the authority that nobody else knows the PKIX usages cannot verify
                    out = dial(s, host, status=0 if u >= 2 else 1)
                    check(u >= 2 or "dane dial: " in out, "%s: %r", host, out)
                    out = dial(s, host, "-usages", ",".join(x for x in USAGES if x != USAGES[u]), status=1)
                    check("none of 1 TLSA records is usable" in out, "%s: %r", host, out)


def test_dial_agrees_with_openssl(s):
    """openssl s_client, told the same record, comes to the same end."""
    for u in (2, 3):
        for c in range(2):
            for m in range(3):
                for good in (True, False):
                    rec = certificate_record(s, u, c, m) if good else spoiled(certificate_record(s, u, c, m))
                    host = ("" if good else "bad-") + combination(u, c, m) + ".secure.test"
                    p = subprocess.run(["openssl", "s_client", "-connect", "%s:%d" % (s.web, TLS_PORT), "-dane_tlsa_domain", host,
                                        "-dane_tlsa_rrdata", rec, "-verify_return_error", "-brief"], input=b"x\n", stdout=subprocess.PIPE,
                                       stderr=subprocess.STDOUT, timeout=30)
                    check((p.returncode == 0) == good, "openssl: %s %s: %r", host, rec[:30], p.stdout)
                    dial(s, host, status=0 if good else 1)


def test_dial_names(s):
    dial(s, "host.secure.test")         # rollover
    dial(s, "alias.secure.test")        # CNAME to it
    dial(s, "ee-other.secure.test")     # dane-ee does not look at names
    dial(s, "HOST.Secure.Test.")
    for host, text in (("wrong.secure.test", ""), ("unusable.secure.test", "usable"), ("short.secure.test", "usable"),
                       ("mx1.secure.test", ""), ("none.secure.test", ""), ("insecure.test", ""), ("out.secure.test", ""), ("bad.bogus.test", "SERVFAIL"),
                       ("other.secure.test", "")):      # dane-ta, for another name than the certificate's
        out = dial(s, host, status=1)
        check(out.startswith("dane dial: ") and text in out and "olleh" not in out, "%s: %r", host, out)
    check("cannot connect" in s.mox("dane", "dial", "closed.secure.test:1", status=1))


def test_dial_by_own_validation(s):
    dial(s, "host.secure.test", via="plain", anchor=True)
    dial(s, "host.secure.test", via="plain", status=1)
    dial(s, "bad.bogus.test", via="plain", anchor=True, status=1)


def mx(s, *args, status=0):
    if os.geteuid() != 0:
        raise Skip("needs root, for port 25")
    return s.mox("dane", "dialmx", *args, stdin=b"NOOP\r\nQUIT\r\n", status=status)


def test_dialmx(s):
    out = mx(s, "mail.secure.test")
    # no records; records that do not match; the right ones
    check("destination: mx0.secure.test\n" in out and "mx0.secure.test: no usable tlsa records, skipped\n" in out, out)
    check("\nmx1.secure.test: " in out, out)
    check(re.search(r"\nconnected to mx2\.secure\.test, %s, verified by dane-ee record 3 1 1 [0-9a-f]+\n" % re.escape(s.web), out), out)
    check(out.replace("\r", "").endswith("250 fine\n221 bye\n"), out)
    equal(s.smtp.names[-1], "mx2.secure.test")
    check("verified by dane-ta record" in mx(s, "ta.secure.test"))
    check("connected to mx2.secure.test" in mx(s, "insecure.test", "mx2.secure.test"))
    for args, text in ((("bad.secure.test",), "dane dialmx: no remaining destinations\n"), (("insecure.test",), "not protected by dnssec"),
                       (("null.secure.test",), "dane dialmx: "), (("none.secure.test",), "dane dialmx: "), (("bad.bogus.test",), "dane dialmx: "),
                       (("secure.test", "mx1.secure.test"), "no remaining destinations")):
        out = mx(s, *args, status=1)
        check(text in out and "250 fine" not in out, "%s: %r", args, out)
