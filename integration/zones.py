# SPDX-License-Identifier: MIT
"""Real DNS with DNSSEC on loopback: nsd with zones that ldns-signzone signed, behind two recursive resolvers of unbound.

A tree of its own, from a signed root down:

  secure.test     signed (NSEC)            nsec3.test     signed (NSEC3)
  insecure.test   not signed, and the parent proves that
  bogus.test      signed, then one record changed ("bad", all others are good)
  wrongds.test    signed by another key than the parent says
  expired.test    signed, but the signatures are too old

s.validating is an unbound that checks with the root's key, s.plain one that passes records on as they are. s.nsd is the authoritative server.
All three are addresses "ip" on port s.dns_port. s.anchor is a file with the DS record of the root.
"""
import http.server
import json
import os
import random
import socket
import ssl
import struct
import subprocess
import threading

from harness import Server, check, free_ip, until

ALGORITHM = "ECDSAP256SHA256"
RCODES = {0: "NOERROR", 2: "SERVFAIL", 3: "NXDOMAIN", 5: "REFUSED"}
TYPES = {"a": 1, "ns": 2, "cname": 5, "soa": 6, "ptr": 12, "mx": 15, "txt": 16, "aaaa": 28, "srv": 33, "tlsa": 52}

NSD = """server:
  ip-address: %(ip)s@%(port)d
  server-count: 1
  username: ""
  chroot: ""
  zonesdir: "%(dir)s"
  database: ""
  xfrdfile: "%(dir)s/xfrd.state"
  zonelistfile: "%(dir)s/zone.list"
  pidfile: "%(dir)s/nsd.pid"
  logfile: "%(dir)s/nsd.log"
  rrl-ratelimit: 0
remote-control:
  control-enable: no
"""
UNBOUND = """server:
  interface: %(ip)s
  port: %(port)d
  access-control: 127.0.0.0/8 allow
  do-daemonize: no
  do-ip6: no
  do-not-query-localhost: no
  username: ""
  chroot: ""
  directory: "%(dir)s"
  pidfile: "%(dir)s/%(name)s.pid"
  logfile: "%(dir)s/%(name)s.log"
  use-syslog: no
  module-config: "%(modules)s"
  num-threads: 1
  outgoing-range: 64
  ede: yes
  local-zone: "test." nodefault
  root-hints: ""
%(anchor)s
remote-control:
  control-enable: no
"""


def quoted(text):
    """A TXT value as strings of at most 255 characters."""
    text = text.replace("\\", "\\\\").replace('"', '\\"')
    return " ".join('"%s"' % text[i:i + 200] for i in range(0, len(text), 200) or [0])


class Zones(Server):
    name = "mox"

    def __init__(self, make, records):
        """
        records: {zone: text in zone-file form}, for the zones above, and for "test" and "."; or a function of this object that returns it,
        called when keys and certificates are there. {key_NAME} is replaced by TXT data of DKIM key NAME, {web} by an address for servers of tests.
        """
        super().__init__()
        m = make()
        self.binary = m.binary
        m.cleanup()
        self.records = records
        self.dns_port = 53 if os.geteuid() == 0 else 5300
        # Keys of DKIM: name -> path
        self.keys = {"rsa": self.path("rsa.pem"), "ed25519": self.path("ed25519.pem")}
        self.daemons, self.servers = [], []

    # -- zones --

    def tool(self, *command, stdin=b""):
        return self.run(*command, stdin=stdin).decode()

    def new_key(self, zone):
        """Makes a key; returns (base name, DS record)."""
        base = self.tool("ldns-keygen", "-a", ALGORITHM, "-k", zone).split()[-1]
        with open(self.path(base + ".ds")) as f:
            return base, f.read().strip()

    def write_zone(self, zone, text):
        """A zone file with SOA and NS; returns its path."""
        origin = zone if zone.endswith(".") else zone + "."
        head = "$ORIGIN %s\n$TTL 300\n@ SOA ns.test. hostmaster.test. 1 3600 600 864000 60\n@ NS ns.test.\n" % origin
        return self.path("zone-" + (zone.rstrip(".") or "root"), head + text + "\n")

    def sign(self, path, key, options=()):
        self.tool("ldns-signzone", *options, "-f", path + ".signed", path, key)
        return path + ".signed"

    def make_zones(self):
        for name, command in (("rsa", "genrsa"), ("ed25519", "gened25519")):
            self.path(self.keys[name], self.run(self.binary, "dkim", command))
        values = {}
        for name, path in self.keys.items():
            with open(path, "rb") as f:
                txt = json.loads(self.run(self.binary, "dkim", "txt", "-json", stdin=f.read()))["txt"]
            values["key_" + name] = quoted(txt)
        values["web"] = self.web
        records = self.records(self) if callable(self.records) else dict(self.records)
        zones, ds = {}, {}
        options = {"nsec3.test": ("-n",), "expired.test": ("-i", "20200101000000", "-e", "20200201000000")}
        for zone, text in records.items():
            for name, value in values.items():
                text = text.replace("{%s}" % name, value)
            records[zone] = text
            if zone in ("test", "."):
                continue
            path = self.write_zone(zone, text)
            if zone == "insecure.test":
                zones[zone] = path
                continue
            key, ds[zone] = self.new_key(zone)
            zones[zone] = self.sign(path, key, options.get(zone, ()))
        if "wrongds.test" in records:
            _, ds["wrongds.test"] = self.new_key("wrongds.test")
        if "bogus.test" in records:
            self.spoil(zones["bogus.test"])

        delegations = "".join("%s. NS ns.test.\n" % z for z in records if z not in ("test", ".")) + "\n".join(ds.values())
        path = self.write_zone("test", "ns A %s\n%s\n%s" % (self.nsd, delegations, records.get("test", "")))
        key, test_ds = self.new_key("test")
        zones["test"] = self.sign(path, key)
        path = self.write_zone(".", "test. NS ns.test.\nns.test. A %s\n%s\n%s" % (self.nsd, test_ds, records.get(".", "")))
        key, root_ds = self.new_key(".")
        zones["."] = self.sign(path, key)
        self.anchor = self.path("anchor", root_ds + "\n")
        return zones

    @staticmethod
    def spoil(path):
        """Changes the address of "bad" behind its signature."""
        with open(path) as f:
            text = f.read()
        changed = text.replace("192.0.2.66", "192.0.2.67")
        check(changed != text, "bogus.test has no record to spoil")
        with open(path, "w") as f:
            f.write(changed)

    # -- servers --

    def certificates(self, names):
        """A CA (ca.pem) and a certificate of it for the names (cert.pem, key.pem; with the CA: chain.pem)."""
        self.tool("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "3650", "-subj", "/CN=Test CA",
                  "-keyout", self.path("ca-key.pem"), "-out", self.path("ca.pem"))
        self.tool("openssl", "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-subj", "/CN=" + names[0],
                  "-keyout", self.path("key.pem"), "-out", self.path("cert.csr"))
        ext = self.path("cert.ext", "subjectAltName=%s\nbasicConstraints=CA:false\n" % ",".join("DNS:" + n for n in names))
        self.tool("openssl", "x509", "-req", "-days", "3000", "-in", self.path("cert.csr"), "-CA", self.path("ca.pem"), "-CAkey", self.path("ca-key.pem"),
                  "-CAcreateserial", "-extfile", ext, "-out", self.path("cert.pem"))
        with open(self.path("cert.pem")) as a, open(self.path("ca.pem")) as b:
            self.path("chain.pem", a.read() + b.read())

    def web_server(self, pages):
        """Serves {path: (status, text)} by HTTPS at s.web. Needs the certificates. Ends with the zones."""
        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                status, text = pages.get(self.path, (404, "nothing here\n"))
                self.send_response(status)
                self.send_header("Content-Type", "application/rdap+json" if text.startswith("{") else "text/plain")
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text.encode())

            def log_message(self, *_):
                pass

        server = http.server.ThreadingHTTPServer((self.web, 443), Handler)
        server.daemon_threads = True
        ctx = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        ctx.load_cert_chain(self.path("cert.pem"), self.path("key.pem"))
        server.socket = ctx.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        self.servers.append((server, thread))

    def daemon(self, name, *command):
        with open(self.path(name + ".out"), "wb") as out:
            self.daemons.append(subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out, stderr=out, cwd=self.dir))

    def start(self):
        # All three on the same port: no other program's socket may be there.
        self.nsd, self.validating, self.plain = (free_ip([self.dns_port]) for _ in range(3))
        self.web = free_ip([443])
        zones = self.make_zones()
        conf = NSD % dict(ip=self.nsd, port=self.dns_port, dir=self.dir)
        for zone, path in zones.items():
            conf += 'zone:\n  name: "%s"\n  zonefile: "%s"\n' % (zone, path)
        self.daemon("nsd", "nsd", "-d", "-c", self.path("nsd.conf", conf))
        self.unbound("validating", "validator iterator", zones)
        self.unbound("plain", "iterator", zones)
        for ip in (self.nsd, self.validating, self.plain):
            until(lambda: self.answers(ip), "answers of the DNS server at %s" % ip)
        with open(self.path("nsd.log")) as f:
            check("error:" not in f.read(), "nsd: %s", self.log_tail())

    def unbound(self, name, modules, zones):
        values = dict(ip=getattr(self, name), port=self.dns_port, dir=self.dir, name=name, modules=modules,
                      anchor='  trust-anchor-file: "%s"' % self.anchor if "validator" in modules else "")
        conf = UNBOUND % values
        for zone in zones:
            conf += 'stub-zone:\n  name: "%s"\n  stub-addr: %s@%d\n' % (zone, self.nsd, self.dns_port)
        self.daemon(name, "unbound", "-d", "-p", "-c", self.path(name + ".conf", conf))

    def answers(self, ip):
        for p in self.daemons:
            check(p.poll() is None, "%s ended: %s", p.args[0], self.log_tail())
        try:
            return self.ask(ip, "soa", "test", timeout=1)[0] == "NOERROR"
        except OSError:
            return False

    def stop(self):
        for server, thread in self.servers:
            server.shutdown()
            thread.join()
            server.server_close()
        self.servers = []
        for p in self.daemons:
            p.terminate()
        for p in self.daemons:
            try:
                p.wait(10)
            except subprocess.TimeoutExpired:
                p.kill()
                p.wait()
        self.daemons = []

    def log_tail(self):
        out = ""
        for name in ("nsd.out", "nsd.log", "validating.out", "validating.log", "plain.out", "plain.log"):
            path = os.path.join(self.dir, name)
            if os.path.exists(path):
                with open(path, errors="replace") as f:
                    out += name + ":\n" + "".join(f.readlines()[-10:])
        return out

    # -- to be used by tests --

    def ask(self, ip, kind, name, timeout=10):
        """A query by hand, with DO and AD: (rcode, whether AD is set, number of answers)."""
        ident = random.randrange(65536)
        labels = b"".join(bytes([len(x)]) + x.encode() for x in name.rstrip(".").split(".") if x)
        query = struct.pack(">HHHHHH", ident, 0x0120, 1, 0, 0, 1) + labels + b"\0" + struct.pack(">HH", TYPES[kind], 1)
        query += b"\0" + struct.pack(">HHIH", 41, 4096, 0x8000, 0)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
            s.settimeout(timeout)
            s.connect((ip, self.dns_port))
            s.send(query)
            while True:
                answer = s.recv(65536)
                if struct.unpack(">H", answer[:2])[0] == ident:
                    break
        flags, _, answers = struct.unpack(">HHH", answer[2:8])
        return RCODES.get(flags & 15, flags & 15), bool(flags & 0x20), answers

    def mox(self, *args, via="validating", anchor=False, **kw):
        """Runs a mox command that asks one of the servers. Output with that on stderr, as text."""
        options = ["-resolver", "%s:%d" % (getattr(self, via), self.dns_port)]
        if anchor:
            options += ["-trustanchor", self.anchor]
        return self.run(self.binary, *options, *args, **kw).decode()

    def mox_json(self, *args, **kw):
        """A command with -json behind its two words; what stands on stderr is dropped."""
        out = self.mox(*args[:2], "-json", *args[2:], **kw)
        return json.JSONDecoder().raw_decode(out[out.index("{"):])[0]
