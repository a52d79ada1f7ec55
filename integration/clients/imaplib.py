# SPDX-License-Identifier: MIT
"""Python's imaplib reads, flags, moves, appends, searches; IDLE with two connections."""
import imaplib
import re
import time

from harness import Skip, check, equal, lax_tls, until

LINE = b"From: a@localhost\r\nTo: b@localhost\r\nSubject: %s\r\n\r\nhello\r\n"


def ok(result, want="OK"):
    typ, data = result
    equal(typ, want, data)
    return data


def append(s, m, box="INBOX", flags="", text=None):
    """Appends a message; returns (token, uid)."""
    token = s.token()
    data = ok(m.append(box, flags, None, text or LINE % token.encode()))
    got = re.search(rb"APPENDUID \d+ (\d+)", data[0])
    check(got, "no APPENDUID: %r", data)
    return token, int(got.group(1))


def uids(m, *criteria):
    return [int(x) for x in (ok(m.uid("SEARCH", *criteria))[0] or b"").split()]


def flags(m, uid):
    """Flags of a message, in lower case since keywords have none; without those that the server sets itself by the mailbox."""
    data = ok(m.uid("FETCH", str(uid), "(FLAGS)"))
    return set(re.search(rb"FLAGS \(([^)]*)\)", data[0]).group(1).decode().lower().split()) - {"\\recent", "$notjunk", "$junk"}


def test_logins(s):
    for tls in (False, True):
        m = s.imap(tls)
        ok(m.select())
        m.logout()
    m = imaplib.IMAP4(s.ip, s.port("imap"))
    ok(m.starttls(lax_tls()))
    ok(m.authenticate("PLAIN", lambda _: ("\0%s\0%s" % (s.user, s.password)).encode()))
    m.logout()
    m = imaplib.IMAP4_SSL(s.ip, s.port("imaps"), ssl_context=lax_tls())
    try:
        m.login(s.user, "wrong")
    except imaplib.IMAP4.error as x:
        check("AUTHENTICATIONFAILED" in str(x), str(x))
    else:
        check(False, "logged in with a wrong password")
    m.shutdown()


def test_append_fetch(s):
    with s.imap() as m:
        ok(m.select())
        token, uid = append(s, m, flags="(\\Flagged)")
        raw, rest = ok(m.uid("FETCH", str(uid), "(BODY.PEEK[] RFC822.SIZE INTERNALDATE)"))[:2]
        equal(raw[1], LINE % token.encode())
        check(b"RFC822.SIZE %d" % len(raw[1]) in raw[0] + rest, "size: %r %r", raw[0], rest)     # in any order
        equal(flags(m, uid), {"\\flagged"})
        envelope = ok(m.uid("FETCH", str(uid), "(ENVELOPE BODYSTRUCTURE)"))[0]
        check(token.encode() in envelope and b'"TEXT" "PLAIN"' in envelope.upper(), "%r", envelope)
        # BODY[] without PEEK sets \Seen
        ok(m.uid("FETCH", str(uid), "(BODY[TEXT])"))
        m.noop()
        equal(flags(m, uid), {"\\flagged", "\\seen"})
        part = ok(m.uid("FETCH", str(uid), "(BODY.PEEK[TEXT]<1.3>)"))[0]
        equal(part[1], b"ell")


def test_append_large(s):
    body = (b"x" * 76 + b"\r\n") * 400000
    with s.imap() as m:
        ok(m.select())
        text = LINE % b"large" + body
        _, uid = append(s, m, text=text)
        check(ok(m.uid("FETCH", str(uid), "(BODY.PEEK[])"))[0][1] == text, "30 MB changed")
        ok(m.uid("STORE", str(uid), "+FLAGS.SILENT", "(\\Deleted)"))
        ok(m.expunge())


def test_flags(s):
    with s.imap() as m:
        ok(m.select())
        _, uid = append(s, m)
        ok(m.uid("STORE", str(uid), "+FLAGS", "(\\Seen $Label1)"))
        equal(flags(m, uid), {"\\seen", "$label1"})
        ok(m.uid("STORE", str(uid), "-FLAGS", "(\\Seen)"))
        ok(m.uid("STORE", str(uid), "+FLAGS.SILENT", "(\\Answered)"))
        equal(flags(m, uid), {"\\answered", "$label1"})
        ok(m.uid("STORE", str(uid), "FLAGS", "(\\Draft)"))
        equal(flags(m, uid), {"\\draft"})
        check(uid in uids(m, "DRAFT"))
        check(uid not in uids(m, "KEYWORD", "$Label1"))


def test_move_copy_expunge(s):
    box = "Moved/" + s.token()
    with s.imap() as m:
        ok(m.create(box))
        ok(m.subscribe(box))
        ok(m.select())
        token, uid = append(s, m)
        ok(m.uid("MOVE", str(uid), box))
        equal(uids(m, "UID", str(uid)), [])
        equal(ok(m.select(box)), [b"1"])
        ok(m.uid("COPY", "1:*", "INBOX"))
        ok(m.store("1", "+FLAGS", "(\\Deleted)"))
        equal(ok(m.expunge()), [b"1"])
        ok(m.select())
        equal(len(uids(m, "SUBJECT", token)), 1, "copies in INBOX")
        ok(m.delete(box))
        ok(m.select(box), "NO")


def test_mailboxes(s):
    base = s.token()
    with s.imap() as m:
        ok(m.create(base + "/a/b"))
        names = [re.search(rb'"?([^" ]+)"?$', x).group(1).decode() for x in ok(m.list('""', base + "*"))]
        check(base + "/a/b" in names, "%r", names)
        ok(m.rename(base + "/a/b", base + "/c"))
        names = [re.search(rb'"?([^" ]+)"?$', x).group(1).decode() for x in ok(m.list('""', base + "/%"))]
        check(base + "/c" in names, "%r", names)
        data = ok(m.status(base + "/c", "(MESSAGES UIDNEXT UIDVALIDITY UNSEEN)"))
        check(b"MESSAGES 0" in data[0], "%r", data)
        # a name beyond ASCII, in modified UTF-7
        ok(m.create(base + "/Entw&APw-rfe"))
        check(any(b"Entw&APw-rfe" in x for x in ok(m.list('""', base + "/*"))), "the name changed")


def test_search(s):
    with s.imap() as m:
        box = "Search-" + s.token()
        ok(m.create(box))
        ok(m.select(box))
        texts = {
            "plain": b"From: Alice <alice@localhost>\r\nTo: bob@localhost\r\nSubject: red apple\r\nDate: Mon, 1 Jan 2024 10:00:00 +0000\r\n\r\nneedle\r\n",
            "encoded": "From: bob@localhost\r\nCc: carol@localhost\r\nSubject: =?utf-8?q?gr=C3=BCner?= apfel\r\nDate: Tue, 2 Jan 2024 10:00:00 +0000\r\n\r\nhaystack\r\n".encode(),
            "qp": b"From: dave@localhost\r\nSubject: pear\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n"
                  b"Content-Transfer-Encoding: quoted-printable\r\nX-Test: yes\r\nDate: Wed, 3 Jan 2024 10:00:00 +0000\r\n\r\nnee=\r\ndle gr=C3=BCn\r\n",
        }
        for name, text in texts.items():
            ok(m.append(box, "(\\Seen)" if name == "qp" else "", None, text))
        for criteria, want in (
                (("SUBJECT", "apple"), [1]), (("FROM", "alice"), [1]), (("BODY", "needle"), [1, 3]), (("TEXT", "haystack"), [2]),
                (("SENTSINCE", "2-Jan-2024"), [2, 3]), (("SENTBEFORE", "2-Jan-2024"), [1]), (("HEADER", "X-Test", "yes"), [3]), (("SEEN",), [3]),
                (("OR", "SUBJECT", "apple", "CC", "carol"), [1, 2]), (("NOT", "UNSEEN"), [3]), (("LARGER", "180"), [3]), (("1:2", "UNSEEN"), [1, 2])):
            got = [int(x) for x in (ok(m.search(None, *criteria))[0] or b"").split()]
            equal(got, want, "SEARCH %s" % (criteria,))
        m.literal = "grün".encode()
        got = [int(x) for x in ok(m.search("UTF-8", "TEXT"))[0].split()]
        equal(got, [2, 3], "SEARCH with a literal in UTF-8")
        ok(m.close())
        ok(m.delete(box))


def idle(m):
    """Enters IDLE; returns after the continuation."""
    tag = m._new_tag()
    m.send(tag + b" IDLE\r\n")
    line = m.readline()
    check(line.startswith(b"+"), "IDLE: %r", line)
    return tag


def done(m, tag):
    """Leaves IDLE; returns the lines that came before the tagged one."""
    m.send(b"DONE\r\n")
    lines = []
    while True:
        line = m.readline()
        check(line, "connection closed in IDLE")
        if line.startswith(tag):
            check(b"OK" in line, "%r", line)
            return lines
        lines.append(line.rstrip())


def idle_lines(m, pattern, seconds=20):
    """Reads lines in IDLE until one matches."""
    end = time.monotonic() + seconds
    seen = []
    m.sock.settimeout(seconds)
    while time.monotonic() < end:
        line = m.readline().rstrip()
        seen.append(line)
        if re.search(pattern, line):
            return seen
    check(False, "no line like %r in IDLE, but %r", pattern, seen)


def test_idle_two_connections(s):
    with s.imap() as a, s.imap() as b:
        box = "Idle-" + s.token()
        ok(a.create(box))
        ok(a.select(box))
        ok(b.select(box))
        tag = idle(a)
        append(s, b, box)
        idle_lines(a, rb"^\* 1 EXISTS")
        ok(b.uid("STORE", "1:*", "+FLAGS", "(\\Flagged)"))
        idle_lines(a, rb"^\* 1 FETCH .*\\Flagged")
        ok(b.store("1", "+FLAGS.SILENT", "(\\Deleted)"))
        ok(b.expunge())
        idle_lines(a, rb"^\* 1 EXPUNGE")
        done(a, tag)
        equal(ok(a.search(None, "ALL")), [b""])


def test_idle_both_idle_then_smtp(s):
    """Two connections in IDLE both see what SMTP brings."""
    with s.imap() as a, s.imap() as b:
        tags = []
        for m in (a, b):
            ok(m.select())
            tags.append(idle(m))
        token = s.token()
        with s.smtp() as c:
            c.sendmail(s.user, [s.recipient], "Subject: %s\r\n\r\nidle\r\n" % token)
        for m in (a, b):
            idle_lines(m, rb"^\* \d+ EXISTS")
        for m, tag in zip((a, b), tags):
            done(m, tag)
            equal(len(uids(m, "SUBJECT", token)), 1)


def test_second_session_sees_changes(s):
    with s.imap() as a, s.imap() as b:
        box = "Watch-" + s.token()
        ok(a.create(box))
        ok(a.select(box))
        ok(b.select(box))
        append(s, a, box)
        until(lambda: b.noop() and b.untagged_responses.get("EXISTS", [b"0"])[-1] == b"1", "EXISTS in the other session")
        ok(a.store("1", "+FLAGS.SILENT", "(\\Deleted)"))
        ok(a.expunge())
        until(lambda: b.noop() and b.untagged_responses.get("EXPUNGE") == [b"1"], "EXPUNGE in the other session")
        equal(ok(b.search(None, "ALL")), [b""])


def test_examine_is_read_only(s):
    with s.imap() as m:
        _, uid = append(s, m)
        ok(m.select("INBOX", readonly=True))
        ok(m.uid("FETCH", str(uid), "(BODY[])"))
        equal(flags(m, uid), set())
        typ, _ = m.uid("STORE", str(uid), "+FLAGS", "(\\Seen)")
        check(typ == "NO" or s.name == "peers", "STORE in a read-only mailbox: %s", typ)     # Dovecot says OK and ignores it
        equal(flags(m, uid), set())


def test_condstore(s):
    with s.imap() as m:
        if b"CONDSTORE" not in ok(m.capability())[0]:
            raise Skip("not announced")
        box = "Cond-" + s.token()
        ok(m.create(box))
        ok(m.select(box))
        _, first = append(s, m, box)
        _, second = append(s, m, box)
        data = ok(m.uid("FETCH", "%d,%d" % (first, second), "(MODSEQ)"))
        seq = max(int(re.search(rb"MODSEQ \((\d+)\)", x).group(1)) for x in data)
        ok(m.uid("STORE", str(first), "+FLAGS.SILENT", "(\\Seen)"))
        data = ok(m.uid("FETCH", "1:*", "(FLAGS)", "(CHANGEDSINCE %d)" % seq))
        equal(len([x for x in data if x]), 1, "changed messages")
        typ, data = m.uid("STORE", "%d,%d" % (first, second), "(UNCHANGEDSINCE %d)" % seq, "+FLAGS", "(\\Answered)")
        equal(typ, "OK")
        equal(flags(m, second), {"\\answered"})
        equal(flags(m, first), {"\\seen"})
