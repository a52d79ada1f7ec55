# SPDX-License-Identifier: MIT
"""The MTA's side of the milter protocol (version 6), as far as a filter that adds header fields needs it."""
import socket
import struct

ADD_FIELDS = 0x01 | 0x10        # actions: add, change
LEADING_SPACE = 0x100000        # field bodies come with the white space behind the colon
BODY_PIECE = 65535


class Milter:
    def __init__(self, address):
        self.sock = socket.create_connection(address, timeout=30)
        self.send(b"O", struct.pack(">III", 6, ADD_FIELDS, LEADING_SPACE))
        kind, data = self.receive()
        if kind != b"O":
            raise OSError("milter: no negotiation but %r" % kind)
        self.leading_space = bool(struct.unpack(">III", data[:12])[2] & LEADING_SPACE)

    def send(self, kind, data=b""):
        self.sock.sendall(struct.pack(">I", len(data) + 1) + kind + data)

    def exact(self, n):
        data = b""
        while len(data) < n:
            more = self.sock.recv(n - len(data))
            if not more:
                raise OSError("milter: closed")
            data += more
        return data

    def receive(self):
        n, = struct.unpack(">I", self.exact(4))
        data = self.exact(n)
        return data[:1], data[1:]

    def step(self, kind, data=b""):
        """One command with its reply; False when the filter wants nothing more."""
        self.send(kind, data)
        reply, _ = self.receive()
        if reply not in (b"c", b"a"):
            raise OSError("milter: %r to %r" % (reply, kind))
        return reply == b"c"

    def filter(self, message, sender, recipient):
        """Passes a message through; returns the header fields that are added, as bytes."""
        header, _, body = message.partition(b"\r\n\r\n")
        self.step(b"C", b"localhost\x00" + b"4" + struct.pack(">H", 2500) + b"127.0.0.1\x00")
        self.step(b"H", b"localhost\x00")
        self.step(b"M", b"<" + sender + b">\x00")
        self.step(b"R", b"<" + recipient + b">\x00")
        for field in header.replace(b"\r\n ", b"\n ").replace(b"\r\n\t", b"\n\t").split(b"\r\n"):
            name, _, value = field.partition(b":")
            if not self.leading_space:
                value = value.lstrip(b" ")
            self.step(b"L", name + b"\x00" + value + b"\x00")
        self.step(b"N")
        for i in range(0, len(body), BODY_PIECE):
            self.step(b"B", body[i:i + BODY_PIECE])
        self.send(b"E")
        added = b""
        while True:
            kind, data = self.receive()
            if kind in (b"h", b"i"):
                name, value = data[4 if kind == b"i" else 0:].split(b"\x00")[:2]
                space = b"" if self.leading_space else b" "
                added += name + b":" + space + value.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n") + b"\r\n"
            elif kind in (b"c", b"a"):
                return added
            elif kind != b"p":
                raise OSError("milter: %r at the end" % kind)

    def close(self):
        self.send(b"Q")
        self.sock.close()
