internal import CSWSGIModule
internal import Glibc
internal import SWSGIConfiguration
internal import SWSGIModuleCore
internal import SWSGISystem
internal import SWSGIWire

// The files that the configuration names are looked at by a program of its own: httpd's root parent opens none of them, and
// waits for nothing. Only `apachectl configtest`, which serves nobody, waits for the program's end.

/// Starts the check of all entry files; a start does not wait for it.
func checkFiles(_ purpose: CheckPlan.Purpose, _ server: OpaquePointer) {
    guard !parent.configuration.mounts.isEmpty || !parent.configuration.groups.isEmpty else { return }
    // That the program is missing is a problem of its own.
    guard let program = try? paths().program else { return }
    do {
        let pid = try startCheck(program, purpose, server)
        if purpose == .start {
            parent.check = pid
            swsgi_watch(pid)
        } else {
            waitForCheck(pid, server)
        }
    } catch {
        log(Problem(.checkFailed, "\(program) check: \(error)"), server)
    }
}

private func startCheck(_ program: String, _ purpose: CheckPlan.Purpose, _ server: OpaquePointer) throws -> Int32 {
    let facts = swsgi_server_facts_get(server)
    let plan = CheckPlan(
        parent.configuration,
        httpd: httpdFacts(),
        purpose: purpose,
        logLevel: UInt8(clamping: facts.log_level)
    )
    let memory = try Memory.sealed("swsgi-check", plan.bytes)
    let null = try Descriptor.open("/dev/null", O_RDWR)
    let isStart = purpose == .start
    let log = isStart && facts.log >= 0 ? facts.log : STDERR_FILENO
    return try Program(
        path: program,
        arguments: [program, "check"],
        environment: ["SWIFT_BACKTRACE=enable=no"] + LogText.zone,
        descriptors: [null.number, isStart ? log : STDOUT_FILENO, log, memory.number]
    ).start()
}

private func waitForCheck(_ pid: Int32, _ server: OpaquePointer) {
    // It ends itself before that, unless the kernel keeps it.
    let end = Clock.monotonic + Int64(CheckPlan.seconds + 2) * 1_000_000_000
    var status: Int32 = 0
    while waitpid(pid, &status, WNOHANG) == 0 {
        guard Clock.monotonic < end else {
            log(Problem(.checkFailed, noAnswer), server)
            return
        }
        usleep(2000)
    }
    reportCheck(ProcessEnd(waitStatus: status), server)
}

private func reportCheck(_ end: ProcessEnd, _ server: OpaquePointer) {
    guard end != .exited(0) else { return }
    log(Problem(.checkFailed, end == .signalled(SIGALRM) ? noAnswer : "the program \(end)"), server)
}

private let noAnswer = "a file system does not answer"

/// The check of a start has ended.
func checkEnded(_ code: Int32, _ server: OpaquePointer) {
    guard code >= 0 else { return }
    reportCheck(ProcessEnd(code: code), server)
}

extension ProcessEnd {
    /// From what httpd is told of a program of ours.
    ///
    /// APR gives the exit status or the number of the signal, and does not say which: the programs exit with 0 or 1.
    init(code: Int32) {
        self = code > 1 ? .signalled(code) : .exited(code)
    }
}

@c @implementation
func swsgi_second_module(
    _ own: UnsafePointer<CChar>,
    _ other: UnsafePointer<CChar>,
    _ message: UnsafeMutablePointer<CChar>,
    _ capacity: Int
) {
    let what =
        "wsgi_module is \(String(cString: own)) already, and \(String(cString: other)) can't be loaded too: mod_swsgi and Python's mod_wsgi have the same name and directives"
    write(Problem(.moduleTwice, what), to: message, capacity)
}

@c @implementation
func swsgi_dump(_ server: OpaquePointer) {
    write(parent.configuration.dump(httpd: httpdFacts()))
    checkFiles(.dump, server)
}

private func write(_ text: String) {
    var rest = Array(text.utf8)[...]
    while !rest.isEmpty {
        let count = rest.withUnsafeBytes { Glibc.write(STDOUT_FILENO, $0.baseAddress, $0.count) }
        if count < 0, errno == EINTR { continue }
        guard count > 0 else { return }
        rest = rest.dropFirst(count)
    }
}
