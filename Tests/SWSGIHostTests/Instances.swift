import Foundation
import SWSGIConfiguration
import SWSGISystem
import SWSGIWire
import Synchronization
import Testing

@testable import SWSGIHost

/// Log lines without an exchange.
final class Lines: Sendable {
    private let lines = Mutex<[String]>([])

    func add(_ level: LogLevel, _ text: String) { lines.withLock { $0.append("\(level.name): \(text)") } }

    var all: [String] { lines.withLock { $0 } }
}

/// An entry file with its bundle, and a place for the copy.
struct Deployment {
    let directory: TemporaryDirectory
    let lines = Lines()

    init() throws { directory = try TemporaryDirectory() }

    var entryFile: String { directory.path + "/www/app.wsgi" }

    /// Writes the entry file.
    func write(_ text: String) throws { try directory.write(Array(text.utf8), to: "www/app.wsgi") }

    /// Loads what the entry file says; each time into a place of its own.
    func load(symbol: String = "", entryFile: String? = nil, threads: UInt32 = 15) throws(Problem) -> Instance {
        let place: String
        do {
            place = try directory.makeDirectory(UUID().uuidString)
        } catch {
            throw Problem(.snapshotFailed, "\(error)")
        }
        return try Instance(
            key: ApplicationKey(entryFile: entryFile ?? self.entryFile, applicationGroup: "", symbol: symbol),
            facts: HostFacts(processGroup: "tests", threads: threads, processes: 1),
            directory: place,
            log: { [lines] in lines.add($0, $1) }
        )
    }

    /// An instance of a fixture.
    static func instance(of fixture: Fixture) throws -> Instance {
        let deployment = try Deployment()
        try deployment.write("bundle = \(fixture.path)")
        return try deployment.load()
    }
}

/// Instances are for good: one of each fixture for all tests.
enum Loaded {
    static let versionA = Result { try Deployment.instance(of: .versionA) }
    static let facts = Result { try Deployment.instance(of: .facts) }
    static let echo = Result { try Deployment.instance(of: .echo) }
    static let trouble = Result { try Deployment.instance(of: .trouble) }
}

extension Instance {
    /// Runs one exchange; `body` is on its way already when the application begins.
    func answer(
        _ request: TestRequest,
        body: [Message.Frame] = [],
        over kind: Socket.Kind = .messages
    ) throws -> [Message] {
        let reply = try Reply(kind)
        try reply.send(body)
        let exchange = Exchange(thread: 7)
        try request.head.withUnsafeBytes { bytes in
            exchange.run(self, head: try ReceivedHead(bytes), reply: reply.far.number) { true }
        }
        var messages: [Message] = []
        while let message = try reply.receive() { messages.append(message) }
        return messages
    }
}
