# SPDX-License-Identifier: MIT
"""mbsync keeps a Maildir and the server the same, in both directions."""
import glob
import os

from harness import HERE, check, equal

CONFIG = """
IMAPAccount server
Tunnel "%(pipe)s %(ip)s %(port)d"
Host %(host)s
User %(user)s
Pass %(password)s
SSLType %(ssl)s
CertificateFile %(cert)s
AuthMechs %(auth)s

IMAPStore far
Account server

MaildirStore near
Path %(dir)s/
Inbox %(dir)s/Inbox
SubFolders Verbatim

Channel all
Far :far:
Near :near:
Patterns %(patterns)s
Create Both
Remove Both
Expunge Both
SyncState *
CopyArrivalDate yes
"""


class Sync:
    def __init__(self, s, auth="*", patterns="*", service="imaps", ssl="IMAPS"):
        self.s, self.dir = s, s.path("mail-%s/x" % s.token())[:-2]
        # A certificate given by file is trusted whatever its name.
        self.config = s.path("mbsyncrc", CONFIG % dict(pipe=os.path.join(HERE, "pipe"), host=s.host, ip=s.ip, port=s.port(service), user=s.user, password=s.password, cert=s.cert, dir=self.dir,
                                                       auth=auth, patterns=patterns, ssl=ssl))

    def run(self):
        self.s.run("mbsync", "-c", self.config, "all")

    def files(self, box, text):
        return [f for f in glob.glob(os.path.join(self.dir, box, "*", "*")) if text.encode() in open(f, "rb").read()]


def append(s, m, box, flags=None):
    token = s.token()
    typ, data = m.append(box, flags, None, ("From: a@localhost\r\nSubject: %s\r\nMessage-ID: <%s@localhost>\r\n\r\nhello\r\n" % (token, token)).encode())
    equal(typ, "OK", data)
    return token


def test_pull(s):
    with s.imap() as m:
        one = append(s, m, "INBOX", "(\\Seen \\Flagged)")
        m.create("Sync/Deep")
        two = append(s, m, "Sync/Deep")
        sync = Sync(s)
        sync.run()
        files = sync.files("Inbox", one)
        equal(len(files), 1)
        check(files[0].endswith(":2,FS"), files[0])
        equal(len(sync.files("Sync/Deep", two)), 1)


def test_push_new_and_flags(s):
    sync = Sync(s)
    sync.run()
    token = s.token()
    new = os.path.join(sync.dir, "Inbox", "cur", "1.%s.host:2,S" % token)
    with open(new, "w") as f:
        f.write("From: a@localhost\nSubject: %s\n\nfrom the Maildir\n" % token)
    sync.run()
    with s.imap() as m:
        uid = s.find(m, token)
        equal(len(uid), 1)
        typ, data = m.uid("FETCH", str(uid[0]), "(FLAGS BODY.PEEK[])")
        check(b"\\Seen" in data[0][0] + data[1], "%r", data)
        equal(data[0][1].count(b"\r\n"), data[0][1].count(b"\n"), "line ends")
        # flags travel both ways
        m.uid("STORE", str(uid[0]), "+FLAGS", "(\\Answered)")
        sync.run()
        path = sync.files("Inbox", token)[0]
        check("R" in path.rpartition(":2,")[2], path)
        os.rename(path, path.rpartition(":2,")[0] + ":2,FRS")
        sync.run()
        m.select()
        check(b"\\Flagged" in m.uid("FETCH", str(uid[0]), "(FLAGS)")[1][0], "the flag did not arrive")


def test_expunge_both_ways(s):
    sync = Sync(s)
    with s.imap() as m:
        one, two = append(s, m, "INBOX"), append(s, m, "INBOX")
        sync.run()
        uid = s.find(m, one)[0]
        m.uid("STORE", str(uid), "+FLAGS.SILENT", "(\\Deleted)")
        m.expunge()
        os.unlink(sync.files("Inbox", two)[0])
        sync.run()
        equal(sync.files("Inbox", one), [])
        equal(s.find(m, two), [])


def test_many_messages(s):
    with s.imap() as m:
        m.create("Many")
        tokens = [append(s, m, "Many") for _ in range(200)]
    sync = Sync(s, patterns="Many")
    sync.run()
    for t in tokens:
        equal(len(sync.files("Many", t)), 1, t)


def test_starttls(s):
    Sync(s, patterns="INBOX", service="imap", ssl="STARTTLS", auth="PLAIN").run()
