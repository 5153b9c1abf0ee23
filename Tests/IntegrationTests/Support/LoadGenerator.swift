import Foundation
import Glibc

/// One thing that happened to a client under load.
struct LoadFailure: Sendable, CustomStringConvertible {
    let description: String
    /// The response's status; nil when there was no complete response.
    let status: Int?
}

/// What a load came to.
struct LoadReport: Sendable, CustomStringConvertible {
    /// Complete responses, by status.
    var statuses: [Int: Int] = [:]
    /// Every response that was not the expected one, and every response that did not come.
    var failures: [LoadFailure] = []
    /// Times that the server closed a connection, idle as far as it knew, under a request: clients repeat it.
    var idleCloses = 0
    /// Bodies of good responses, and how often they came; only when there are few of them.
    var bodies: [String: Int] = [:]

    var total: Int { statuses.values.reduce(0, +) }
    var good: Int { total - failures.filter { $0.status != nil }.count }
    /// Responses that did not come, or not whole.
    var lost: [LoadFailure] { failures.filter { $0.status == nil } }

    var description: String {
        let few = Dictionary(grouping: failures, by: \.description).map { "\($0.value.count)x \($0.key)" }.prefix(12)
        return "statuses \(statuses), \(idleCloses) idle closes, failures: \(few.joined(separator: "; "))"
    }

    mutating func add(_ other: LoadReport) {
        statuses.merge(other.statuses, uniquingKeysWith: +)
        bodies.merge(other.bodies, uniquingKeysWith: +)
        failures += other.failures
        idleCloses += other.idleCloses
    }
}

/// Many keep-alive connections that send requests one after the other.
final class LoadGenerator: @unchecked Sendable {
    // `left`, `stopping` and `report` are used under the lock only.
    private let lock = NSLock()
    private var left: Int
    private var stopping = false
    private var report = LoadReport()
    private let port: UInt16
    private let targets: [String]
    private let check: @Sendable (String, HTTPResponse) -> String?
    private var threads: [Background<Void>] = []

    /// - Parameters:
    ///   - requests: how many in all; without a number, until `finish`.
    ///   - check: says what is wrong with a response to a target, or nil.
    init(
        port: UInt16,
        connections: Int,
        requests: Int = .max,
        targets: [String] = ["/"],
        check: @escaping @Sendable (String, HTTPResponse) -> String? = LoadGenerator.isOK
    ) {
        left = requests
        self.port = port
        self.targets = targets
        self.check = check
        threads = (0..<connections).map { _ in Background { [self] in client() } }
    }

    static let isOK: @Sendable (String, HTTPResponse) -> String? = { _, response in
        response.status == 200 ? nil : "status \(response.status)"
    }

    /// Complete responses so far.
    var served: Int { lock.withLock { report.total } }

    /// Waits until all requests have been sent.
    func wait(within seconds: Double = 300) throws -> LoadReport {
        for thread in threads { _ = try thread.value(within: seconds) }
        return lock.withLock { report }
    }

    /// Sends no more; gives what happened.
    func finish() throws -> LoadReport {
        lock.withLock { stopping = true }
        return try wait(within: 120)
    }

    private func take() -> Bool {
        lock.withLock {
            guard !stopping, left > 0 else { return false }
            if left != .max { left -= 1 }
            return true
        }
    }

    private func client() {
        var connection: HTTPConnection?
        var number = 0
        while take() {
            let target = targets[number % targets.count]
            number += 1
            let one = exchange(target, &connection)
            lock.withLock { report.add(one) }
        }
    }

    /// One request, repeated when a connection that had served before turned out to be closed.
    private func exchange(_ target: String, _ connection: inout HTTPConnection?) -> LoadReport {
        var one = LoadReport()
        while true {
            let isReused = connection != nil
            do {
                let current = try connection ?? HTTPConnection(port: port)
                connection = current
                let response = try current.get(target)
                one.statuses[response.status] = 1
                if let wrong = check(target, response) {
                    one.failures.append(LoadFailure(description: wrong, status: response.status))
                } else if response.body.count < 80 {
                    one.bodies[response.text] = 1
                }
                if response["Connection"]?.lowercased() == "close" { connection = nil }
                return one
            } catch {
                connection = nil
                if isReused, error as? HTTPFailure == .closedBeforeResponse {
                    one.idleCloses += 1
                } else {
                    one.failures.append(LoadFailure(description: "\(error)", status: nil))
                    return one
                }
            }
        }
    }
}

/// A closure run again and again, at a steady pace, until `stop`.
final class Repeater: @unchecked Sendable {
    // `stopping` and `rounds` are used under the lock only.
    private let lock = NSLock()
    private var stopping = false
    private var rounds = 0
    private var thread: Background<Void>?

    init(every seconds: Double, _ action: @escaping @Sendable (Int) throws -> Void) {
        thread = Background { [self] in
            while !lock.withLock({ stopping }) {
                try action(lock.withLock { rounds })
                lock.withLock { rounds += 1 }
                letPass(seconds)
            }
        }
    }

    /// Ends it, and gives how often it ran.
    @discardableResult
    func stop() throws -> Int {
        lock.withLock { stopping = true }
        try thread?.value(within: 60)
        return lock.withLock { rounds }
    }
}
