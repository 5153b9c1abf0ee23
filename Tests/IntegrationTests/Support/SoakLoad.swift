import Foundation
import Glibc

/// What a soak's clients saw.
struct SoakReport: Sendable {
    /// Requests that got their own complete answer.
    var good = 0
    /// No complete response came.
    var lost: [String] = []
    /// A response that was not this request's.
    var wrong: [String] = []
    /// Idle connections that the server closed under a request, which was sent again.
    var idleCloses = 0
    /// Times from sending to the end of the response, in microseconds.
    var times: [UInt32] = []

    var requests: Int { good + lost.count + wrong.count }

    /// The time that so many of a thousand requests did not exceed, in milliseconds.
    func time(perMille: Int) -> Double {
        guard !times.isEmpty else { return 0 }
        return Double(times.sorted()[min(times.count - 1, times.count * perMille / 1000)]) / 1000
    }

    mutating func add(_ other: SoakReport) {
        good += other.good
        lost += other.lost
        wrong += other.wrong
        idleCloses += other.idleCloses
        times += other.times
    }
}

/// Keep-alive connections whose requests carry ids: small ones, some with a body, some with a large response.
final class SoakLoad: @unchecked Sendable {
    // `stopping` is used under the lock only.
    private let lock = NSLock()
    private var stopping = false
    private let port: UInt16
    private let name: String
    private var threads: [Background<SoakReport>] = []

    /// `name` makes the ids of this load different from those of others.
    init(port: UInt16, connections: Int, name: String) {
        self.port = port
        self.name = name
        threads = (0..<connections).map { number in Background { [self] in client(number) } }
    }

    /// Sends no more; gives what happened.
    func finish() throws -> SoakReport {
        lock.withLock { stopping = true }
        var report = SoakReport()
        for thread in threads { report.add(try thread.value(within: 120)) }
        return report
    }

    private func client(_ number: Int) -> SoakReport {
        var report = SoakReport()
        var connection: HTTPConnection?
        var count = 0
        while !lock.withLock({ stopping }) {
            count += 1
            exchange("\(name)-\(number)-\(count)", kind: count % 8, &connection, &report)
        }
        return report
    }

    private func exchange(_ id: String, kind: Int, _ connection: inout HTTPConnection?, _ report: inout SoakReport) {
        let body = kind == 1 ? [UInt8](repeating: 121, count: 20_000) : nil
        let size = kind == 2 ? 100_000 : 20
        let expected = "\(id) \(body?.count ?? 0)\n" + String(repeating: "x", count: size)
        while true {
            let isReused = connection != nil
            do {
                let current = try connection ?? HTTPConnection(port: port)
                connection = current
                let start = Deadline.now
                let method = body == nil ? "GET" : "POST"
                let response = try current.request(method, "/?id=\(id)&size=\(size)", body: body)
                report.times.append(UInt32(clamping: (Deadline.now - start) / 1000))
                if response["Connection"]?.lowercased() == "close" { connection = nil }
                if response.status == 200, response.text == expected {
                    report.good += 1
                } else {
                    report.wrong.append("\(id): status \(response.status), '\(response.text.prefix(40))'")
                }
                return
            } catch {
                connection = nil
                if isReused, error as? HTTPFailure == .closedBeforeResponse {
                    report.idleCloses += 1
                } else {
                    report.lost.append("\(id): \(error)")
                    return
                }
            }
        }
    }
}
