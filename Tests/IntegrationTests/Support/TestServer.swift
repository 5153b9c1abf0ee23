import Foundation
import Glibc
import Testing

/// A throwaway Apache on a free port of 127.0.0.1, in a directory of its own.
final class TestServer: @unchecked Sendable {
    // `announced`, `started` and `apart` are changed by the test's own thread only.

    /// Everything of this server is in here.
    let directory: String
    let port: UInt16
    let logs: ErrorLogs
    /// "event", "worker" or "prefork".
    var multiProcessing = "event"
    /// Whether mod_swsgi is loaded.
    var loadsModule = true
    /// Lines of the main server before what `start` is given.
    var settings = ""
    /// Who starts httpd; nil: root.
    var user: TestUser?
    /// Variables of httpd's environment.
    var environment: [String: String] = [:]
    /// Modules besides the usual ones.
    var extraModules: [String] = []
    /// How many descriptors each process may have, if not as many as this one.
    var descriptorLimit: Int?
    /// Whether that is the hard limit, too.
    var limitsDescriptorsForGood = false
    /// Capabilities that root does not have, as setpriv writes them: "chown".
    var missingCapabilities: [String] = []
    /// The file mode creation mask that httpd is started with, in octal; nil: that of the tests.
    var umask: String?
    /// Whether lines without a head belong to the test: what processes write to standard error.
    var announcesRawLines = false
    private var announced: [String] = []
    private var started = false

    init() throws {
        var template = Array("/var/tmp/swsgi-test.XXXXXX".utf8CString)
        guard let made = mkdtemp(&template) else { throw SystemFailure("mkdtemp") }
        directory = String(cString: made)
        chmod(directory, 0o755)
        port = try Ports.free()
        logs = ErrorLogs(directory: "\(directory)/logs")
        for name in ["logs", "run", "www", "htdocs"] {
            try FileManager.default.createDirectory(atPath: "\(directory)/\(name)", withIntermediateDirectories: true)
        }
        try write("static\n", to: "htdocs/static.txt")
        if Installation.obstacle == nil { try Installation.install(into: library) }
    }

    /// Where the module and its programs are.
    var library: String { "\(directory)/lib" }
    /// Where applications are deployed.
    var www: String { "\(directory)/www" }
    var configurationFile: String { "\(directory)/httpd.conf" }
    private var pidFile: String { "\(directory)/run/httpd.pid" }

    /// Says that lines which contain this text belong to the test.
    func announce(_ texts: String...) { announced += texts }

    /// Writes a file below the server's directory.
    @discardableResult
    func write(_ text: String, to name: String, mode: mode_t = 0o644) throws -> String {
        let path = name.hasPrefix("/") ? name : "\(directory)/\(name)"
        let parent = URL(fileURLWithPath: path).deletingLastPathComponent().path
        try FileManager.default.createDirectory(atPath: parent, withIntermediateDirectories: true)
        var former = stat()
        guard lstat(path, &former) == 0, former.st_mode & S_IFMT == S_IFREG else {
            try text.write(toFile: path, atomically: false, encoding: .utf8)
            chmod(path, mode)
            return path
        }
        // What is there is exchanged in one step: a process that starts meanwhile must not find an empty file.
        let next = path + ".next"
        try text.write(toFile: next, atomically: false, encoding: .utf8)
        chmod(next, mode)
        chown(next, former.st_uid, former.st_gid)
        rename(next, path)
        return path
    }

    // MARK: - Life

    /// Writes the configuration: the usual beginning, and `lines`.
    func configure(_ lines: String) throws {
        try write(configurationHead + settings + "\n" + lines + "\n", to: configurationFile)
    }

    /// Starts with this configuration and waits until it listens.
    func start(_ lines: String) throws {
        try configure(lines)
        let result = try signal("start")
        guard result.status == 0 else { throw ServerFailure("start: \(result.errors)\(logTail)") }
        started = true
        try eventually("httpd listening", within: 30) { (try? HTTPConnection(port: port)) != nil }
        try eventually("httpd's pid file", within: 30) { parentPID != nil }
    }

    /// apache2 -k start, stop, restart, graceful, graceful-stop; or -t.
    @discardableResult
    func signal(_ command: String, within seconds: Double = 60) throws -> Finished {
        let action = command == "configtest" ? ["-t"] : ["-k", command]
        var environment = Command.environment
        environment[TestServer.marker] = directory
        environment.merge(self.environment) { $1 }
        let limit =
            descriptorLimit.map { ["/usr/bin/prlimit", "--nofile=\($0):\(limitsDescriptorsForGood ? "\($0)" : "")"] }
            ?? []
        let mask = umask.map { ["/bin/sh", "-c", "umask \($0); exec \"$@\"", "umask"] } ?? []
        var identity: [String] = []
        if !missingCapabilities.isEmpty {
            let set = missingCapabilities.map { "-\($0)" }.joined(separator: ",")
            identity = ["/usr/bin/setpriv", "--bounding-set=\(set)"]
        }
        if let user {
            // Not what is installed: those are links to the files that were built, and to the toolchain's.
            let own = try FileManager.default.contentsOfDirectory(atPath: directory).filter { $0 != "lib" }
            try run("/bin/chown", [user.name, directory]).check()
            try run("/bin/chown", ["-R", user.name] + own.map { "\(directory)/\($0)" }).check()
            identity = ["/usr/bin/setpriv", "--reuid=\(user.uid)", "--regid=\(user.gid)", "--clear-groups"]
        }
        let command =
            mask + limit + identity + [Installation.apache, "-d", directory, "-f", configurationFile] + action
        return try run(
            command[0],
            Array(command.dropFirst()),
            environment: environment,
            within: seconds
        )
    }

    /// Restarts gracefully, and waits until the new generation runs.
    func graceful() throws {
        let before = logs.lines(containing: "resuming normal operations").count
        try signal("graceful")
        try logs.waitForLines(before + 1, "resuming normal operations", within: 30)
    }

    /// Stops, and waits until httpd's parent is gone.
    func stop(within seconds: Double = 60) throws {
        guard let parent = parentPID else { return }
        try signal("stop")
        try eventually("end of httpd's parent", within: seconds) { !ProcessTable.isAlive(parent) }
    }

    /// httpd's parent.
    var parentPID: Int32? {
        guard let text = try? String(contentsOfFile: pidFile, encoding: .utf8),
            let pid = Int32(text.trimmingCharacters(in: .whitespacesAndNewlines)), ProcessTable.isAlive(pid)
        else { return nil }
        return pid
    }

    /// The last lines of all error logs, for a failure's message.
    var logTail: String { "\n" + logs.lines.suffix(60).map(\.description).joined(separator: "\n") }

    // MARK: - Processes

    static let marker = "SWSGI_TEST_SERVER"

    /// Everything that runs because of this server: by program, by environment, by working directory.
    var processes: [ProcessFacts] {
        ProcessTable.all().filter { facts in
            facts.state != "Z"
                && (facts.executable.hasPrefix(directory + "/")
                    || facts.executable == Installation.apache && facts.arguments.contains(configurationFile)
                    || facts.workingDirectory.hasPrefix(directory + "/")
                    || facts.environment[TestServer.marker] == directory)
        }
    }

    /// httpd's own children.
    var children: [ProcessFacts] {
        processes.filter { $0.executable == Installation.apache && $0.parent == parentPID }
    }

    private var programs: [ProcessFacts] { processes.filter { $0.executable == "\(library)/swsgid" } }

    /// Supervisors: one for each generation that still lives; they run as root, and httpd's parent is theirs.
    var supervisors: [ProcessFacts] {
        let all = programs
        let numbers = Set(all.map(\.pid))
        // The check of files at a start is a child of httpd's, too.
        return all.filter { !numbers.contains($0.parent) && $0.arguments.contains("supervise") }
    }

    /// Daemon processes of all groups and generations.
    var daemons: [ProcessFacts] {
        let all = programs
        let numbers = Set(all.map(\.pid))
        return all.filter { numbers.contains($0.parent) }
    }

    /// A daemon process: the first one that there is, which may still be starting.
    func daemon() throws -> ProcessFacts {
        try eventually("a daemon process") { daemons.first }
    }

    // MARK: - End

    /// Ends the server, and fails the test for whatever is left of it, and for log lines that were not announced.
    func tearDown() {
        // While a child of httpd ends, its event MPM may be about to keep a connection whose set of them is closed already.
        if logs.lines(containing: "AH03093").isEmpty { announce("AH03093") }
        if started {
            do {
                try stop()
            } catch {
                Issue.record("\(error)\(logTail)")
                if let parent = parentPID { kill(parent, SIGTERM) }
            }
        }
        proveNothingIsLeft()
        checkLogs()
        SeenMessages.note(logs.lines.map(\.text))
        if ProcessInfo.processInfo.environment["SWSGI_TEST_KEEP"] == nil {
            try? FileManager.default.removeItem(atPath: directory)
        }
    }

    private func proveNothingIsLeft() {
        do {
            try eventually("end of all processes") { processes.isEmpty }
        } catch {
            let left = processes
            Issue.record("left running: \(left)\(logTail)")
            for process in left { kill(process.pid, SIGKILL) }
        }
        let files = ((try? FileManager.default.subpathsOfDirectory(atPath: "\(directory)/run")) ?? []).filter {
            !$0.hasPrefix("httpd.pid") || started && parentPID != nil
        }
        if !files.isEmpty { Issue.record("files left in run: \(files)") }
    }

    private func checkLogs() {
        let unexpected = logs.lines.filter { line in
            line.isAlarming && !(announcesRawLines && line.level.isEmpty)
                && !announced.contains { line.text.contains($0) }
        }
        if !unexpected.isEmpty {
            let shown = unexpected.prefix(20).map(\.description).joined(separator: "\n")
            Issue.record("\(unexpected.count) log lines that were not announced:\n\(shown)")
        }
    }
}

struct ServerFailure: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}

/// Runs `body` with a server of its own, and then proves that nothing is left of it.
func withServer(_ body: (TestServer) throws -> Void) throws {
    let server = try TestServer()
    defer { server.tearDown() }
    do {
        try body(server)
    } catch {
        Issue.record("\(error)\(server.logTail)")
    }
}
