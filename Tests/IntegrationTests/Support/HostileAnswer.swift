/// What the fixture `intruder` is told to do, as its X-Do header says it.
struct HostileAnswer: ExpressibleByStringLiteral, Sendable {
    let commands: String

    init(stringLiteral commands: String) { self.commands = commands }

    private init(_ commands: String) { self.commands = commands }

    static func + (left: HostileAnswer, right: HostileAnswer) -> HostileAnswer {
        HostileAnswer("\(left.commands) \(right.commands)")
    }

    /// Writes bytes on the reply socket.
    static func bytes(_ bytes: [UInt8]) -> HostileAnswer { HostileAnswer("reply:\(hex(bytes))") }

    /// Writes bytes on the socket to the supervisor.
    static func control(_ bytes: [UInt8]) -> HostileAnswer { HostileAnswer("control:\(hex(bytes))") }

    /// A frame whose length may be a lie.
    static func frame(_ kind: UInt8, _ payload: [UInt8] = [], length: Int? = nil) -> HostileAnswer {
        .bytes([kind, 0, 0, 0] + little(length ?? payload.count, 4) + payload)
    }

    /// A HEAD frame whose numbers may be lies.
    static func head(
        status: Int = 200,
        reason: String = "OK",
        length: Int = -1,
        count: Int? = nil,
        _ headers: [(String, String)] = []
    ) -> HostileAnswer {
        var payload = little(status, 2) + little(count ?? headers.count, 2) + little(reason.utf8.count, 4)
        payload += little(length, 8) + Array(reason.utf8)
        for (name, value) in headers {
            payload += little(name.utf8.count, 4) + little(value.utf8.count, 4) + Array(name.utf8) + Array(value.utf8)
        }
        return .frame(2, payload)
    }

    static func data(_ text: String) -> HostileAnswer { .frame(3, Array(text.utf8)) }

    /// The end; the far end does not come back with it.
    static func end(_ outcome: UInt8 = 0) -> HostileAnswer { .frame(4, [outcome]) }

    private static func little(_ number: Int, _ width: Int) -> [UInt8] {
        (0..<width).map { UInt8(truncatingIfNeeded: number >> (8 * $0)) }
    }

    private static func hex(_ bytes: [UInt8]) -> String {
        bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }
}
