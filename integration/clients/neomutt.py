# SPDX-License-Identifier: MIT
"""neomutt, driven by keys over a terminal: opens, limits, reads, flags, copies, moves, deletes."""
import os
import pty
import select
import signal
import time

from harness import check, equal

CONFIG = """
set imap_user="%(user)s" imap_pass="%(password)s" folder="imaps://%(ip)s:%(port)d" spoolfile="imaps://%(ip)s:%(port)d/INBOX"
set certificate_file="%(cert)s" ssl_verify_host=no ssl_verify_dates=no
set imap_idle=%(idle)s imap_qresync=%(qresync)s imap_condstore=%(qresync)s
set header_cache="" message_cachedir="" confirmcreate=no confirmappend=no delete=yes quit=yes move=no mark_old=no wait_key=no beep=no sleep_time=0
set pager_stop=yes timeout=1 print=no save_name=no record="" postponed="" trash="" imap_check_subscribed=no sidebar_visible=no net_inc=0
set read_inc=0 write_inc=0 time_inc=0 use_threads=flat sort=date from="%(user)s"
"""


def neomutt(s, keys, idle="no", qresync="no", seconds=60):
    """Runs neomutt on INBOX, presses keys, and waits for its end."""
    rc = s.path("neomuttrc", CONFIG % dict(user=s.user, password=s.password, ip=s.ip, port=s.port("imaps"), cert=s.cert, idle=idle, qresync=qresync))
    pid, fd = pty.fork()
    if pid == 0:
        os.chdir(s.dir)
        os.environ.update(HOME=s.dir, TERM="xterm", LC_ALL="C.UTF-8", LINES="40", COLUMNS="120")
        try:
            os.execvp("neomutt", ["neomutt", "-n", "-F", rc, "-e", 'push "%s"' % keys])
        finally:
            os._exit(127)
    screen, end = b"", time.monotonic() + seconds
    while True:
        readable, _, _ = select.select([fd], [], [], 0.5)
        if readable:
            try:
                data = os.read(fd, 65536)
            except OSError:
                data = b""
            if not data:
                break
            screen += data
        if time.monotonic() > end:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
            check(False, "neomutt does not end; screen: %r", screen[-2000:])
    os.close(fd)
    status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    check(status == 0, "neomutt ended with %s: %r", status, screen[-2000:])
    return screen


def append(s, m, box="INBOX"):
    token = s.token()
    typ, data = m.append(box, None, None, ("From: a@localhost\r\nDate: Mon, 1 Jan 2024 10:00:00 +0000\r\nSubject: %s\r\n\r\nthe body of %s\r\n"
                                           % (token, token)).encode())
    equal(typ, "OK", data)
    return token


def flags(s, m, token, box="INBOX"):
    uid = s.find(m, token, box)
    equal(len(uid), 1, token)
    return m.uid("FETCH", str(uid[0]), "(FLAGS)")[1][0]


def test_read(s):
    with s.imap() as m:
        token = append(s, m)
        path = s.path("body-" + token)
        neomutt(s, "<limit>~s %s<enter><display-message><exit><pipe-message>cat >%s<enter><sync-mailbox><quit>" % (token, path))
        with open(path) as f:
            check("the body of " + token in f.read(), "the body is missing")
        check(b"\\Seen" in flags(s, m, token), "not seen after reading")


def test_flag_and_search_body(s):
    with s.imap() as m:
        token = append(s, m)
        # ~b on IMAP fetches, =b asks the server
        neomutt(s, "<limit>=b %s<enter><flag-message><sync-mailbox><quit>" % token)
        check(b"\\Flagged" in flags(s, m, token), "not flagged")


def test_copy_and_move(s):
    with s.imap() as m:
        box = "Mutt-" + s.token()
        m.create(box)
        token = append(s, m)
        neomutt(s, "<limit>~s %s<enter><copy-message><kill-line>=%s<enter><sync-mailbox><quit>" % (token, box))
        equal(len(s.find(m, token, box)), 1, "copies")
        equal(len(s.find(m, token)), 1, "originals")
        neomutt(s, "<limit>~s %s<enter><save-message><kill-line>=%s<enter><sync-mailbox><quit>" % (token, box))
        equal(len(s.find(m, token, box)), 2, "copies")
        equal(s.find(m, token), [], "originals")


def test_create_and_delete(s):
    with s.imap() as m:
        token = append(s, m)
        neomutt(s, "<limit>~s %s<enter><delete-message><sync-mailbox><quit>" % token)
        equal(s.find(m, token), [])


def test_qresync(s):
    with s.imap() as m:
        token = append(s, m)
        neomutt(s, "<limit>~s %s<enter><flag-message><sync-mailbox><quit>" % token, idle="yes", qresync="yes")
        check(b"\\Flagged" in flags(s, m, token), "not flagged")
