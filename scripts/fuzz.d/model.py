"""W45: the same messages to the project's decoders and to these, which were written from the formats' descriptions alone.

model.py FUZZER DIRECTORY [COUNT [SEED]]: makes COUNT random messages, many of them nearly right, and compares the verdicts.
"""
import os
import random
import struct
import subprocess
import sys

TOKEN = frozenset(b"!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")
ASCII = frozenset(range(32, 127))
CONTROL = frozenset(range(32)) - {9} | {127}
LENGTHS = {1: (4, 4), 2: (16, 1 << 18), 3: (1, 1 << 20), 4: (1, 1), 5: (1, 1 << 15), 6: (1, 1),
           7: (0, 0), 8: (16, 16), 9: (16, 1 << 14), 10: (16, 1 << 14), 11: (8, 8),
           65: (1, 1 << 20), 66: (1, 1), 67: (0, 0)}


class Bad(Exception):
    pass


def need(condition):
    if not condition:
        raise Bad


class Reader:
    def __init__(self, data):
        self.data, self.at = data, 0

    def take(self, count):
        need(self.at + count <= len(self.data))
        self.at += count
        return self.data[self.at - count:self.at]

    def number(self, form):
        return struct.unpack("<" + form, self.take(struct.calcsize("<" + form)))[0]

    def text(self, limit):
        count = self.number("I")
        need(count <= limit)
        return self.take(count)

    def cstring(self, count):
        text = self.take(count + 1)
        need(text[-1] == 0)
        return text[:-1]

    def end(self):
        need(self.at == len(self.data))


STATUSES = {2: (200, 599), 9: (102, 103), 10: (0, 0)}


def response_head(kind, data):
    least, most = STATUSES[kind]
    reader = Reader(data)
    status, count, reason_length, length = struct.unpack("<HHIq", reader.take(16))
    need(least <= status <= most and count <= 1000 and length >= -1)
    reason = reader.take(reason_length)
    need(reason_length <= 256 and set(reason) <= ASCII)
    words = [str(kind), str(status), str(length), reason.hex()]
    for _ in range(count):
        name_length, value_length = struct.unpack("<II", reader.take(8))
        name, value = reader.take(name_length), reader.take(value_length)
        need(name and set(name) <= TOKEN and name.lower() != b"content-length" and not CONTROL & set(value))
        words += [name.hex(), value.hex()]
    reader.end()
    return ":".join(words)


def part(kind, payload):
    if kind in STATUSES:
        return response_head(kind, payload)
    if kind == 8:
        offset, length = struct.unpack("<qq", payload)
        need(offset >= 0 and length > 0 and offset + length < 1 << 63)
        return f"8:{offset}:{length}"
    return f"{kind}:{payload.hex()}"


def reply(data):
    words, body = [], ""
    try:
        while True:
            if len(data) < 8:
                return words, body, "cut" if data else "ok"
            kind, zero, length = data[0], data[1:4], struct.unpack("<I", data[4:8])[0]
            need(kind in LENGTHS and zero == b"\0\0\0" and LENGTHS[kind][0] <= length <= LENGTHS[kind][1])
            payload = data[8:8 + length]
            if kind == 3:
                body += payload.hex()
            if len(payload) < length:
                return words, body, "cut"
            data = data[8 + length:]
            if kind == 3:
                continue
            if body:
                words, body = words + ["3:" + body], ""
            words.append(part(kind, payload))
    except Bad:
        return words, body, "bad"


def reply_line(data):
    words, body, end = reply(data)
    return " ".join(words + (["3:" + body] if body else []) + [end])


def exchange(data):
    try:
        need(len(data) >= 64)
        reader = Reader(data)
        magic, version, flags, length, fields = struct.unpack("<IHHII", reader.take(16))
        need(magic == 0x47535753 and version == 2 and length == len(data) and fields <= 65536)
        need(not flags & 16 or 92 <= length <= 1 << 24)
        start, _, _, inode, _, _, _ = struct.unpack("<qqQQqqq", reader.take(56))
        counts = struct.unpack("<IIII", reader.take(16))
        reader.take(4)
        texts = [reader.cstring(count) for count in counts]
        for _ in range(fields):
            name, value = struct.unpack("<II", reader.take(8))
            texts += [reader.cstring(name), reader.cstring(value)]
        reader.end()
        return f"ok {flags} {start} {inode} {','.join(text.hex() for text in texts)}"
    except Bad:
        return "bad"


def worker(data):
    try:
        reader = Reader(data)
        kind = reader.number("B")
        if kind in (66, 67, 68, 69):
            for limit in (4096, 1024, 1024):
                reader.text(limit)
            reader.take(40)
        elif kind == 70:
            reader.take(1)
        elif kind == 71:
            need(1 <= reader.number("B") <= 14)
        elif kind == 72:
            reader.take(1)
            reader.text(3 * 8192)
        elif kind == 80:
            reader.take(4)
        elif kind == 82:
            lines = reader.number("I")
            need(lines <= 16)
            for _ in range(lines):
                reader.text(1024)
        else:
            need(kind in (65, 73, 81))
        reader.end()
        return "ok"
    except Bad:
        return "bad"


def frame(kind, payload):
    return struct.pack("<BBHI", kind, 0, 0, len(payload)) + payload


def some_head(rng, statuses=(200, 204, 404, 599)):
    names = [b"Content-Type", b"X", b"content-length", b"A b", b"", b"Set-Cookie"]
    values = [b"text/plain", b"", b"a\tb", b"a\r\nb", b"\xff\xfe", b"5"]
    headers = [(rng.choice(names[:2]), rng.choice(values[:3])) for _ in range(rng.randrange(4))]
    if rng.random() < 0.2:
        headers.append((rng.choice(names), rng.choice(values)))
    reason = rng.choice([b"OK", b"", b"Not Found", b"a\nb"] if rng.random() < 0.2 else [b"OK", b""])
    status = rng.choice(statuses if rng.random() < 0.9 else [0, 100, 199, 600, 65535])
    length = rng.choice([-1, -1, 0, 5, 1 << 62] if rng.random() < 0.9 else [-2, -1 << 63])
    text = b"".join(struct.pack("<II", len(n), len(v)) + n + v for n, v in headers)
    return struct.pack("<HHIq", status, len(headers), len(reason), length) + reason + text


def some_reply(rng):
    makers = [lambda: frame(2, some_head(rng)), lambda: frame(3, rng.randbytes(rng.randrange(1, 40))),
              lambda: frame(4, rng.randbytes(1)), lambda: frame(5, b"\3a line"), lambda: frame(1, rng.randbytes(4)),
              lambda: frame(6, b"\0"), lambda: frame(8, struct.pack("<qq", *rng.choices([0, 9, -1, 1 << 62], k=2))),
              lambda: frame(9, some_head(rng, (102, 103))), lambda: frame(10, some_head(rng, (0,))),
              lambda: frame(7, b""), lambda: frame(rng.randrange(256), rng.randbytes(rng.randrange(3)))]
    return b"".join(rng.choices(makers, [6, 6, 3, 2, 2, 1, 1, 1, 1, 1, 1])[0]() for _ in range(rng.randrange(1, 6)))


def some_exchange(rng):
    text = lambda: bytes(rng.choices(b"ab/\0=", [9, 9, 5, 1, 2], k=rng.randrange(8)))
    texts, fields = [text() for _ in range(4)], [(text(), text()) for _ in range(rng.randrange(4))]
    rest = b"".join(part + b"\0" for part in texts)
    rest += b"".join(struct.pack("<II", len(n), len(v)) + n + b"\0" + v + b"\0" for n, v in fields)
    head = struct.pack("<qqQQqqq", 1, 2, 3, 4, 5, 6, 7) + struct.pack("<IIIII", *map(len, texts), 8)
    return struct.pack("<IHHII", 0x47535753, 2, rng.randrange(32), 92 + len(rest), len(fields)) + head + rest


def some_worker(rng):
    text = lambda: (lambda t: struct.pack("<I", len(t)) + t)(rng.randbytes(rng.randrange(6)))
    kind = rng.choice([*range(64, 75), *range(79, 84)])
    body = {66: 1, 67: 1, 68: 1, 69: 1}.get(kind)
    if body:
        return bytes([kind]) + text() + text() + text() + rng.randbytes(40)
    return bytes([kind]) + {
        70: b"\13", 71: bytes([rng.randrange(16)]), 72: b"\3" + text(), 80: rng.randbytes(4),
        82: (lambda lines: struct.pack("<I", lines) + b"".join(text() for _ in range(lines)))(rng.randrange(18)),
    }.get(kind, b"")


def damaged(data, rng):
    data = bytearray(data)
    for _ in range(rng.choice([0, 0, 1, 1, 2, 4])):
        if data:
            data[rng.randrange(len(data))] = rng.choice([0, 1, 127, 128, 255, rng.randrange(256)])
    return bytes(data[:rng.randrange(len(data) + 1)] if rng.random() < 0.1 else data)


def main(fuzzer, directory, count="100000", seed="1"):
    rng = random.Random(int(seed))
    kinds = {b"R": (some_reply, reply_line), b"E": (some_exchange, exchange), b"W": (some_worker, worker)}
    path, messages = os.path.join(directory, "messages"), []
    with open(path, "wb") as file:
        for _ in range(int(count)):
            kind = rng.choices(list(kinds), [6, 3, 1])[0]
            message = damaged(kinds[kind][0](rng), rng)
            messages.append((kind, message))
            file.write(kind + struct.pack("<I", len(message)) + message)
    run = subprocess.run([fuzzer], env=dict(os.environ, SWSGI_FUZZ_MESSAGES=path), stdout=subprocess.PIPE, check=True)
    os.remove(path)
    lines, taken = run.stdout.decode().splitlines(), 0
    assert len(lines) == len(messages), f"{len(lines)} verdicts on {len(messages)} messages"
    for (kind, message), line in zip(messages, lines):
        expected = kinds[kind][1](message)
        taken += not expected.endswith("bad")
        if line != expected:
            sys.exit(f"{kind.decode()} {message.hex()}\n  decoder: {line}\n  model:   {expected}")
    # Messages that are all refused, or all taken, would prove little.
    assert len(messages) // 10 < taken < len(messages) * 9 // 10, f"{taken} of {len(messages)} were taken"
    print(f"model: {len(messages)} messages, {taken} of them taken, the same verdict on each (W45)")


main(*sys.argv[1:])
