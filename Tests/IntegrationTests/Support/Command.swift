import Foundation
import Glibc

/// How a program ended.
struct Finished: Sendable {
    /// Its exit status, or 128 and the signal's number.
    let status: Int32
    let output: String
    let errors: String
}

struct SystemFailure: Error, CustomStringConvertible {
    let description: String

    init(_ call: String, _ number: Int32 = errno) {
        description = "\(call): \(String(cString: strerror(number)))"
    }
}

/// A program started by a test: own output files, no inherited descriptor, no inherited environment.
final class Command {
    let pid: pid_t
    private let name: String
    private let output: Int32
    private let errors: Int32
    private var finished: Finished?

    static let environment = ["PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C"]

    init(
        _ path: String,
        _ arguments: [String],
        environment: [String: String] = Command.environment,
        input: String = "/dev/null"
    ) throws {
        name = ([path] + arguments).joined(separator: " ")
        output = try Command.unnamedFile()
        errors = try Command.unnamedFile()
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 0, input, O_RDONLY, 0)
        posix_spawn_file_actions_adddup2(&actions, output, 1)
        posix_spawn_file_actions_adddup2(&actions, errors, 2)
        for inherited in 3..<Int32(600) { posix_spawn_file_actions_addclose(&actions, inherited) }
        let argv = ([path] + arguments).map { strdup($0) } + [nil]
        let envp = environment.map { strdup("\($0.key)=\($0.value)") } + [nil]
        defer { for pointer in argv + envp { free(pointer) } }
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var none = sigset_t()
        sigemptyset(&none)
        posix_spawnattr_setsigmask(&attributes, &none)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK))
        var pid: pid_t = 0
        let failure = posix_spawn(&pid, path, &actions, &attributes, argv, envp)
        guard failure == 0 else { throw SystemFailure("posix_spawn \(path)", failure) }
        self.pid = pid
    }

    deinit {
        if finished == nil {
            Glibc.kill(pid, SIGKILL)
            waitpid(pid, nil, 0)
        }
        close(output)
        close(errors)
    }

    /// Whether it has not ended yet.
    var isRunning: Bool {
        if finished != nil { return false }
        var status: Int32 = 0
        guard waitpid(pid, &status, WNOHANG) == pid else { return true }
        let signal = status & 0x7f
        finished = Finished(
            status: signal == 0 ? (status >> 8) & 0xff : 128 + signal,
            output: Command.contents(of: output),
            errors: Command.contents(of: errors)
        )
        return false
    }

    /// What it has written to its standard output so far.
    var outputSoFar: String { Command.contents(of: output) }

    func wait(within seconds: Double = 60) throws -> Finished {
        try eventually("end of \(name)", within: seconds, every: 5) { isRunning ? nil : finished }
    }

    func signal(_ number: Int32) {
        if finished == nil { Glibc.kill(pid, number) }
    }

    private static func unnamedFile() throws -> Int32 {
        var template = Array("/var/tmp/swsgi-output.XXXXXX".utf8CString)
        let descriptor = mkstemp(&template)
        guard descriptor >= 0 else { throw SystemFailure("mkstemp") }
        unlink(template)
        return descriptor
    }

    private static func contents(of descriptor: Int32) -> String {
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65536)
        while true {
            let count = pread(descriptor, &buffer, buffer.count, off_t(bytes.count))
            if count <= 0 { break }
            bytes += buffer[..<count]
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}

/// Runs a program to its end.
@discardableResult
func run(
    _ path: String,
    _ arguments: [String],
    environment: [String: String] = Command.environment,
    within seconds: Double = 60
) throws -> Finished {
    let finished = try Command(path, arguments, environment: environment).wait(within: seconds)
    SeenMessages.note(finished.errors.components(separatedBy: "\n"))
    return finished
}
