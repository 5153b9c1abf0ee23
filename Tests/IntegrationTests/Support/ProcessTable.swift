import Foundation
import Glibc

/// What /proc says about one process.
struct ProcessFacts: Sendable, CustomStringConvertible {
    let pid: Int32
    let parent: Int32
    /// "Z" for one that has ended and is not yet collected.
    let state: String
    let executable: String
    let arguments: [String]

    init?(pid: Int32) {
        let stat = ProcessTable.text("/proc/\(pid)/stat")
        guard let afterName = stat.lastIndex(of: ")")
        else { return nil }
        let fields = stat[stat.index(after: afterName)...].split(separator: " ")
        guard fields.count > 1, let parent = Int32(fields[1]) else { return nil }
        self.pid = pid
        self.parent = parent
        state = String(fields[0])
        let name = ProcessTable.link("/proc/\(pid)/exe") ?? ""
        executable = name.hasSuffix(" (deleted)") ? String(name.dropLast(10)) : name
        arguments = ProcessTable.words("/proc/\(pid)/cmdline")
    }

    var description: String { "\(pid) (parent \(parent), \(state)) \(arguments.joined(separator: " "))" }

    /// Fields of /proc/PID/status, such as "Uid" and "VmRSS".
    var status: [String: String] {
        let text = ProcessTable.text("/proc/\(pid)/status")
        var fields: [String: String] = [:]
        for line in text.split(separator: "\n") {
            guard let colon = line.firstIndex(of: ":") else { continue }
            fields[String(line[..<colon])] = line[line.index(after: colon)...].trimmingCharacters(in: .whitespaces)
        }
        return fields
    }

    /// Real, effective, saved and filesystem ids.
    var userIDs: [Int] { numbers("Uid") }
    var groupIDs: [Int] { numbers("Gid") }
    var supplementaryGroups: [Int] { numbers("Groups").sorted() }
    var umask: String { status["Umask"] ?? "" }
    var workingDirectory: String { ProcessTable.link("/proc/\(pid)/cwd") ?? "" }

    /// Resident kilobytes now.
    var resident: Int { numbers("VmRSS").first ?? 0 }

    /// Exchanges that a daemon process is running: its sockets beside the queue and the control socket.
    var exchanges: Int {
        // In the middle of its exec it still has those of the supervisor.
        guard status["Threads"] != "1" else { return 0 }
        return descriptors.values.count { $0.hasPrefix("socket:") } - 2
    }

    /// Descriptor number and what it is.
    var descriptors: [Int: String] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: "/proc/\(pid)/fd")) ?? []
        var result: [Int: String] = [:]
        for name in names {
            guard let number = Int(name), let target = ProcessTable.link("/proc/\(pid)/fd/\(name)") else { continue }
            result[number] = target
        }
        return result
    }

    /// Those that the host has given it: without the event of the main queue, which comes with libdispatch.
    var hostDescriptors: [Int: String] { descriptors.filter { $0.value != "anon_inode:[eventfd]" } }

    /// The numbers of its threads.
    var threads: [Int32] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: "/proc/\(pid)/task")) ?? []
        return names.compactMap { Int32($0) }
    }

    /// Whether one of its threads is in recvmsg or poll, beside the one that looks after httpd's parent.
    var isReceiving: Bool {
        1
            < threads.count { thread in
                let call = ProcessTable.text("/proc/\(pid)/task/\(thread)/syscall").split(separator: " ").first
                return call.flatMap { Int($0) }.map(Self.receiveCalls.contains) ?? false
            }
    }

    // Numbers of recvmsg, poll and ppoll.
    #if arch(x86_64)
        private static let receiveCalls = [47, 7, 271]
    #else
        private static let receiveCalls = [212, 73]
    #endif

    /// Files mapped into it.
    var mappedFiles: Set<String> {
        let text = ProcessTable.text("/proc/\(pid)/maps")
        let paths = text.split(separator: "\n").compactMap { line in
            line.firstIndex(of: "/").map { String(line[$0...]) }
        }
        return Set(paths)
    }

    var environment: [String: String] {
        var result: [String: String] = [:]
        for entry in ProcessTable.words("/proc/\(pid)/environ") {
            guard let equals = entry.firstIndex(of: "=") else { continue }
            result[String(entry[..<equals])] = String(entry[entry.index(after: equals)...])
        }
        return result
    }

    var threadCount: Int { numbers("Threads").first ?? 0 }

    private func numbers(_ field: String) -> [Int] {
        (status[field] ?? "").split { $0 == " " || $0 == "\t" }.compactMap { Int($0) }
    }
}

/// The processes of this machine.
enum ProcessTable {
    static func all() -> [ProcessFacts] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
        return names.compactMap { Int32($0) }.compactMap { ProcessFacts(pid: $0) }
    }

    static func children(of pid: Int32) -> [ProcessFacts] { all().filter { $0.parent == pid } }

    /// Whether a process of this number exists and has not ended.
    static func isAlive(_ pid: Int32) -> Bool {
        guard let facts = ProcessFacts(pid: pid) else { return false }
        return facts.state != "Z" && facts.state != "X"
    }

    static func link(_ path: String) -> String? {
        var buffer = [CChar](repeating: 0, count: 4096)
        let count = readlink(path, &buffer, buffer.count)
        return count < 0 ? nil : String(decoding: buffer[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    static func text(_ path: String) -> String { String(decoding: bytes(path), as: UTF8.self) }

    /// A file of /proc, whole: its size is not known before, and one read gives a part of it.
    private static func bytes(_ path: String) -> [UInt8] {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return [] }
        defer { close(descriptor) }
        var content: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 16384)
        while case let count = read(descriptor, &buffer, buffer.count), count > 0 { content += buffer[..<count] }
        return content
    }

    static func words(_ path: String) -> [String] {
        bytes(path).split(separator: 0).map { String(decoding: $0, as: UTF8.self) }
    }
}

/// Samples the resident memory of processes while something runs, and keeps the largest value.
final class MemoryWatch: @unchecked Sendable {
    // `largest` and `stopped` are used under the lock only.
    private let lock = NSLock()
    private var largest: [Int32: (kilobytes: Int, name: String)] = [:]
    private var stopped = false
    private let done = DispatchSemaphore(value: 0)

    init(_ processes: @escaping @Sendable () -> [ProcessFacts]) {
        let thread = Thread { [self] in
            while !lock.withLock({ stopped }) {
                for process in processes() {
                    let now = process.resident
                    lock.withLock {
                        if now > largest[process.pid]?.kilobytes ?? 0 { largest[process.pid] = (now, "\(process)") }
                    }
                }
                usleep(30_000)
            }
            done.signal()
        }
        thread.start()
    }

    /// Ends the sampling; gives the largest sample of each process.
    func finish() -> [(kilobytes: Int, name: String)] {
        lock.withLock { stopped = true }
        done.wait()
        return lock.withLock { Array(largest.values) }
    }
}
