import Glibc
import SWSGISystem
import SWSGIWire

/// Writes `DIRECTORY/TARGET/NAME` for each seed: what the encoders write, and what is wrong with it in ways worth a start.
func writeSeeds(to directory: String) {
    let exchange = exchangeHead()
    let all: [String: [String: [UInt8]]] = [
        "exchange": [
            "usual": exchange, "without-fields": exchangeHead(fields: []), "cut": Array(exchange.dropLast(10)),
            "trailing": exchange + [0], "http": Array("GET / HTTP/1.1\r\nHost: example.com\r\n\r\n".utf8),
            "same-name-twice": exchangeHead(fields: [("A", "1"), ("A", "2"), ("", "")]),
        ],
        "reply": replies(), "body": bodies(), "control": controls(), "plan": ["usual": plan().bytes],
        "entry": texts(entryFiles), "directive": texts(directives), "forwarded": texts(forwarded), "elf": images(),
    ]
    for (target, seeds) in all {
        mkdir("\(directory)/\(target)", 0o755)
        for (name, bytes) in seeds {
            let path = "\(directory)/\(target)/\(name)"
            guard let file = try? Descriptor.open(path, O_WRONLY | O_CREAT | O_TRUNC, mode: 0o644) else { continue }
            _ = write(file.number, bytes, bytes.count)
        }
    }
}

private func texts(_ seeds: [String: String]) -> [String: [UInt8]] { seeds.mapValues { Array($0.utf8) } }

private let entryFiles = [
    "all-keys": """
    # The guestbook.
    bundle = guestbook.so
    symbol = application
    directory = /srv/guestbook
    library-path = lib:/opt/lib
    environment.DATABASE = /var/lib/guestbook/db
    environment.EMPTY =
    """,
    "least": "bundle=/a.so", "windows": "bundle = a.so\r\nsymbol = f\r\n", "twice": "bundle = a\nbundle = b\n",
    "unknown": "bundle = a\nbundel = b\n", "no-value": "bundle =\n", "no-key": "just text\n",
    "combining": "bundle\t=\t\u{301}a.so\n",
]

private let directives = [
    "daemon":
        "yourapplication user=user1 group=group1 processes=2 threads=15 home=/srv umask=0027 display-name=%{GROUP}",
    "times": "one startup-timeout=2min shutdown-timeout=10s request-timeout=30",
    "quotes": "one user='a \\' b' home=\"/a b\"",
    "alias": "/ /srv/app.wsgi process-group=one application-group=%{GLOBAL} callable-object=main pass-authorization=On",
    "service": "one threads=0", "script": "/srv/access.wsgi process-group=one application-group=%{SERVER}",
    "unknown": "one treads=5", "twice": "one threads=5 threads=6", "number": "0042", "minutes": "4min", "hours": "1h",
    "huge": "4294967296", "open-quote": "one user='a", "no-name": "=5", "ip": "::ffff:127.0.0.1/96",
]

private let forwarded = [
    "one": "192.0.2.1", "list": "192.0.2.1, 10.0.0.1,\t10.0.0.2", "six": "2001:db8::1, ::ffff:10.0.0.1",
    "port": "192.0.2.1:4711", "bracket": "[2001:db8::1]:80", "name": "unknown, _hidden, example.com",
    "element": "for=192.0.2.60;proto=http;by=203.0.113.43;host=example.com",
    "elements": "for=192.0.2.43, for=\"[2001:db8:cafe::17]:4711\";proto=https", "network": "10.0.0.0/8",
    "escaped": "for=\"a\\\"b\", for=10.0.0.1", "open": "for=\"10.0.0.1",
]

private func exchangeHead(fields: [(String, String)]? = nil) -> [UInt8] {
    var writer = ExchangeHeadWriter()
    writer.begin(
        identity: FileIdentity(device: 1, inode: 2, size: 3, modified: 4, changed: 5),
        requestStart: 5,
        queueStart: 6,
        entryFile: "/srv/app.wsgi",
        applicationGroup: "",
        symbol: "application",
        line: "GET /guestbook?page=2 HTTP/1.1"
    )
    let usual = [
        ("REQUEST_METHOD", "GET"), ("PATH_INFO", "/"), ("QUERY_STRING", "page=2"), ("HTTP_COOKIE", "a=b; c=d"),
    ]
    for (name, value) in fields ?? usual { writer.add(name, value) }
    writer.finish(flags: [.reloading, .body])
    return Array(writer.bytes)
}

private func frame(_ kind: FrameKind, _ payload: [UInt8] = []) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: FrameHeader.size)
    bytes.withUnsafeMutableBytes { FrameHeader(kind, length: payload.count).write(to: $0) }
    return bytes + payload
}

private func head(status: UInt16 = 200, length: Int64 = -1, _ headers: [(String, String)]) -> [UInt8] {
    var writer = ByteWriter()
    writer.write(status)
    writer.write(UInt16(headers.count))
    writer.write(UInt32(2))
    writer.write(length)
    var bytes = writer.bytes + Array("OK".utf8)
    for (name, value) in headers {
        var lengths = ByteWriter()
        lengths.write(UInt32(name.utf8.count))
        lengths.write(UInt32(value.utf8.count))
        bytes += lengths.bytes + Array(name.utf8) + Array(value.utf8)
    }
    return frame(.head, bytes)
}

/// Table rows are those of the wire's bad inputs.
private func replies() -> [String: [UInt8]] {
    let usual = head([("Content-Type", "text/plain"), ("X-A", "b")])
    let data = frame(.data, Array("Hello, world!\n".utf8))
    let end = frame(.end, [0])
    return [
        "usual": [7] + usual + data + end, "in-bytes": [0] + usual + data + end, "of-head": [0x87] + usual + data + end,
        "exact": [3] + head(length: 14, []) + data + end, "short": [3] + head(length: 20, []) + data + end,
        "long": [3] + head(length: 4, []) + data + end, "failed": [7] + usual + data + frame(.end, [1]),
        "log": [2] + frame(.log, [3] + Array("a line\n[forged] line".utf8)) + usual + end,
        "upload": [6] + frame(.wantBody, [0, 0, 1, 0]) + usual + end, "retry": [7] + frame(.retry, [1]),
        "W6-empty": [7] + [3, 0, 0, 0, 0, 0, 0, 0], "W7-huge": [7] + [3, 0, 0, 0, 255, 255, 255, 255],
        "W23-crlf": [7] + Array("\r\n\r\n\r\n\r\n".utf8), "W25-no-head": [7] + data + end,
        "W25-two-heads": [7] + usual + usual, "W25-after-end": [7] + usual + end + usual,
        "W27-injection": [7] + head([("X", "a\r\nSet-Cookie: b")]), "W28-status": [7] + head(status: 100, []),
        "answer-access": [7] + head([("SWSGI-Answer", "yes")]) + end,
        "answer-hash": [7] + head([("SWSGI-Answer", "yes"), ("SWSGI-Value", "0123456789abcdef0123456789abcdef")]) + end,
        "answer-groups": [7] + head([("SWSGI-Answer", "yes"), ("SWSGI-Value", "a"), ("swsgi-value", "b c")]) + end,
        "answer-dispatch": [7]
            + head([("SWSGI-Answer", "yes"), ("SWSGI-Value", "process-group=a"), ("SWSGI-Value", "callable-object=f")])
            + end,
        "W29-length": [7] + head([("Content-Length", "3")]) + data + end, "W30-outcome": [7] + usual + frame(.end, [9]),
    ]
}

private func bodies() -> [String: [UInt8]] {
    let piece = frame(.body, Array("name=value&other=thing".utf8))
    let end = frame(.bodyEnd, [0])
    return [
        "usual": [100] + piece + end, "in-bytes": [0] + piece + piece + end, "watched": [0x83] + piece + piece + end,
        "abort": [0x90] + piece + frame(.abort) + piece + end, "broken-off": [9] + piece + frame(.bodyEnd, [1]),
        "cut": [20] + Array(piece.dropLast(5)), "W14-twice": [20] + piece + end + end, "empty": [5] + end,
        "W14-too-long": [127] + frame(.body, [UInt8](repeating: 120, count: 65_537)),
        "http": [7] + Array("GET / HTTP/1.1".utf8),
        "all-of-it": [0xff] + frame(.body, [UInt8](repeating: 120, count: 65_536)) + piece + end,
    ]
}

private func controls() -> [String: [UInt8]] {
    let key = ApplicationKey(entryFile: "/srv/app.wsgi", applicationGroup: "", symbol: "application")
    let identity = FileIdentity(device: 1, inode: 2, size: 3, modified: 4, changed: 5)
    let version = ApplicationVersion(key: key, identity: identity)
    var plan = WorkerPlan(group: "one", threads: 5, processes: 2, snapshots: "/run/swsgi/1", displayName: "(wsgi:one)")
    plan.preload = [key]
    plan.required = [key]
    plan.poisoned = [PoisonedApplication(version: version, reason: "it crashed")]
    let workers: [String: WorkerMessage] = [
        "ready": .ready, "loading": .loading(version), "loaded": .loaded(version), "not-loaded": .notLoaded(version),
        "changed": .changed(version), "stopped": .stopped, "crashing": .crashing(signal: 11),
        "leaving": .leaving(.shutdownSignal), "running": .running(["GET / HTTP/1.1"]), "finished": .finished,
        "log": .log(level: 3, text: "SWSGI2002: a line"),
    ]
    let supervisors: [String: SupervisorMessage] = [
        "configure": .configure(plan), "drain": .drain(.scriptReload), "cancel": .cancel, "signal": .signal(1),
        "reload-failed": .reloadFailed(version),
    ]
    return workers.mapValues(\.bytes).merging(supervisors.mapValues(\.bytes)) { first, _ in first }
}

private func plan() -> SupervisorPlan {
    let key = ApplicationKey(entryFile: "/srv/app.wsgi", applicationGroup: "", symbol: "application")
    let group = GroupPlan(
        name: "one",
        changesIdentity: true,
        uid: 1000,
        gid: 1000,
        groups: [4, 24],
        userName: "user1",
        userHome: "/home/user1",
        directory: "/",
        umask: 0o27,
        processes: 2,
        threads: 15,
        displayName: nil,
        startupTimeout: 30,
        shutdownTimeout: 5,
        applications: [key]
    )
    return SupervisorPlan(parent: 1, program: "/usr/lib/swsgid", backtrace: nil, snapshotBase: "/run", groups: [group])
}

/// Shared objects that have nothing but a dynamic segment.
private func images() -> [String: [UInt8]] {
    let usual = image(needed: ["libc.so.6", "libswiftCore.so"], runPath: "$ORIGIN:/opt/lib")
    var other = usual
    other[18] = 3
    return [
        "usual": usual, "no-libraries": image(needed: [], runPath: nil), "cut": Array(usual.dropLast(8)),
        "wrong-machine": other, "header": Array(usual.prefix(64)), "empty": [], "text": Array("bundle = a.so\n".utf8),
    ]
}

private func image(needed: [String], runPath: String?) -> [UInt8] {
    var texts: [UInt8] = [0]
    var entries: [UInt64] = []
    for (tag, text) in needed.map({ (UInt64(1), $0) }) + (runPath.map { [(UInt64(29), $0)] } ?? []) {
        entries += [tag, UInt64(texts.count)]
        texts += Array(text.utf8) + [0]
    }
    let table = UInt64(64 + 2 * 56)
    let end = table + UInt64(entries.count + 4) * 8
    entries += [5, end, 0, 0]
    var writer = ByteWriter()
    for byte: UInt8 in [0x7f, 0x45, 0x4c, 0x46, 2, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0] { writer.write(byte) }
    for half: UInt16 in [3, 62] { writer.write(half) }
    writer.write(UInt32(1))
    for word: UInt64 in [0, 64, 0] { writer.write(word) }
    writer.write(UInt32(0))
    for half: UInt16 in [64, 56, 2, 0, 0, 0] { writer.write(half) }
    for (type, offset, size) in [(UInt32(1), UInt64(0), end + UInt64(texts.count)), (2, table, end - table)] {
        for word in [type, 5] { writer.write(word) }
        for word in [offset, offset, offset, size, size, 8] { writer.write(word) }
    }
    for entry in entries { writer.write(entry) }
    return writer.bytes + texts
}
