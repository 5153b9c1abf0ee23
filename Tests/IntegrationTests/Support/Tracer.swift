import Foundation
import Glibc

/// strace at work on processes that run already.
struct Tracer {
    private let command: Command
    private let record: String

    /// Returns when strace has all threads of `processes`.
    ///
    /// It takes them one after the other, so the first one says nothing of the others. With `following`, it
    /// takes the threads and processes that those start, too.
    init(_ processes: [Int32], _ options: [String], following: Bool = true, record: String = "/dev/null") throws {
        self.record = record
        let which = processes.flatMap { ["-p", "\($0)"] }
        let following = following ? ["-f"] : []
        let command = try Command("/usr/bin/strace", following + ["-qq", "-o", record] + options + which)
        self.command = command
        try eventually("strace at work") {
            processes.allSatisfy { process in
                let threads = ProcessFacts(pid: process)?.threads ?? []
                return !threads.isEmpty
                    && threads.allSatisfy { ProcessFacts(pid: $0)?.status["TracerPid"] == "\(command.pid)" }
            }
        }
    }

    /// The calls until now.
    var calls: String { ProcessTable.text(record) }

    /// Lets the processes go; gives all calls.
    @discardableResult
    func end() throws -> String {
        command.signal(SIGINT)
        _ = try command.wait()
        return calls
    }
}
