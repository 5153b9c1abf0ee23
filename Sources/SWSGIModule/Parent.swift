internal import CSWSGIModule
internal import Glibc
internal import SWSGIConfiguration
internal import SWSGIModuleCore
internal import SWSGISystem
internal import SWSGIWire

/// What httpd's parent knows; its children inherit it as it is when they are forked.
struct Parent {
    var configuration = Configuration()
    var generation: Generation?
    var embedded = EmbeddedMode()
    var isChild = false
    /// Its process id.
    var pid: Int32 = -1
    /// Supervisors that have not ended yet, of former generations too, and the seconds that each may take to end.
    var supervisors: [Int32: Int64] = [:]
    /// The process that looks at the files of the last start, or has done so.
    var check: Int32 = -1
}

// Written by the parent's only thread, and in children before their threads start: read-only from then on.
nonisolated(unsafe) var parent = Parent()

@c @implementation
func swsgi_generation_begin(_ server: OpaquePointer) -> Int32 {
    parent.generation = nil
    parent.pid = getpid()
    let configuration = parent.configuration
    parent.embedded.begin(configuration.embedded, server)
    guard !configuration.groups.isEmpty else { return 1 }
    warnOfLogs(configuration, server)
    do throws(Problem) {
        let logs = configuration.groups.map { group -> (descriptor: Int32, level: UInt8) in
            let facts = swsgi_server_facts_get(OpaquePointer(bitPattern: group.place.server.id) ?? server)
            return (facts.log, UInt8(clamping: facts.log_level))
        }
        parent.generation = try Generation(
            configuration,
            httpd: httpdFacts(),
            paths: try paths(),
            logs: logs,
            mainLog: swsgi_server_facts_get(server).log
        )
    } catch {
        log(error, server)
        return 0
    }
    swsgi_parent_turn(server)
    return 1
}

@c @implementation
func swsgi_configuration_remark(_ server: OpaquePointer, _ isTest: Int32) {
    let configuration = parent.configuration
    for remark in configuration.remarks(httpdUID: swsgi_httpd_facts_get().uid) { log(remark, server) }
    for remark in configuration.timeoutRemarks(timeout) { log(remark, server) }
    if let text = configuration.embeddedRemark(httpd: httpdFacts()) {
        swsgi_log_server(server, Int32(LogLevel.info.rawValue), text)
    }
    checkFiles(isTest != 0 ? .test : .start, server)
}

private func timeout(_ server: ServerFacts) -> Int64 {
    OpaquePointer(bitPattern: server.id).map { swsgi_server_facts_get($0).timeout } ?? 0
}

/// Lines of daemon processes go where httpd's own lines go, if that is a descriptor.
private func warnOfLogs(_ configuration: Configuration, _ server: OpaquePointer) {
    for group in configuration.groups {
        let facts = swsgi_server_facts_get(OpaquePointer(bitPattern: group.place.server.id) ?? server)
        guard facts.log < 0 else { continue }
        let name = group.options.name
        log(Problem(.logUnreachable, "the ErrorLog of process group '\(name)' is not a file or a pipe"), server)
    }
}

@c @implementation
func swsgi_generation_left(_ isStop: Int32) {
    // A child that ends has closed most of these descriptors: by now their numbers may be those of its connections.
    guard parent.pid == getpid() else { return }
    // The queues' sending ends close here, and with the last child that has them: then the processes finish and end.
    parent.generation = nil
    parent.embedded.leave()
    if isStop != 0 { awaitSupervisors() }
}

/// Waits for the end of all supervisors, and no longer than they may take.
///
/// When httpd's parent has ended, a container or a service manager ends what is left of it at once: applications would not come
/// to their own end. The supervisor keeps to shutdown-timeout, whatever they do.
private func awaitSupervisors() {
    let seconds = parent.supervisors.values.max() ?? 0
    let end = Clock.monotonic + (seconds + supervisorMoment) * 1_000_000_000
    while !parent.supervisors.isEmpty, Clock.monotonic < end {
        for pid in parent.supervisors.keys where waitpid(pid, nil, WNOHANG) != 0 { parent.supervisors[pid] = nil }
        if !parent.supervisors.isEmpty { usleep(5000) }
    }
}

/// Seconds that a supervisor may take beyond shutdown-timeout, to remove what its processes have left.
private let supervisorMoment: Int64 = 3

@c @implementation
func swsgi_parent_turn(_ server: OpaquePointer) {
    parent.embedded.turn()
    do throws(Problem) {
        guard let pid = try parent.generation?.turn() else { return }
        parent.supervisors[pid] = shutdownSeconds
        swsgi_watch(pid)
    } catch {
        log(error, server)
    }
}

@c @implementation
func swsgi_supervisor_ended(_ pid: Int32, _ status: Int32) {
    parent.supervisors[pid] = nil
    guard let server = swsgi_main_server() else { return }
    if pid == parent.check {
        parent.check = -1
        return checkEnded(status, server)
    }
    guard let generation = parent.generation, generation.supervisorEnded(pid) else { return }
    let end = status < 0 ? "has ended" : ProcessEnd(code: status).description
    log(Problem(.supervisorEnded, "the supervisor (pid \(pid)) \(end); starting another one"), server)
}

@c @implementation
func swsgi_child_begin() {
    parent.isChild = true
    parent.generation?.becomeChild()
    parent.embedded.becomeChild(parent.configuration)
    guard parent.generation != nil || parent.embedded.child != nil, parent.pid != getpid() else { return }
    let graceful = Int64(swsgi_child_facts_get().graceful_timeout)
    // Of the processes, the running requests are ended after that time, and then they themselves after it once more.
    OrphanWatch.begin(parent.pid, limit: (graceful > 0 ? graceful : 2 * shutdownSeconds + 1) * 1_000_000)
}

/// The largest shutdown-timeout.
private var shutdownSeconds: Int64 {
    parent.configuration.groups.map { Int64($0.options.shutdownTimeout) }.max() ?? 5
}

@c @implementation
func swsgi_child_end() {
    parent.embedded.child?.end()
}

func log(_ problem: Problem, _ server: OpaquePointer) {
    swsgi_log_server(server, Int32(problem.code.level.rawValue), problem.description)
}

/// What is missing of the installation, if the configuration needs it.
func missingProgram() -> Problem? {
    guard !parent.configuration.groups.isEmpty else { return nil }
    do throws(Problem) {
        _ = try paths()
        return nil
    } catch {
        return error
    }
}

func httpdFacts() -> HTTPDFacts {
    let facts = swsgi_httpd_facts_get()
    var httpd = HTTPDFacts(
        uid: facts.uid,
        gid: facts.gid,
        userName: String(cString: facts.user_name),
        isRoot: facts.is_root != 0,
        children: Int(facts.children)
    )
    let child = swsgi_child_facts_get()
    httpd.liveChildren = Int(child.children)
    httpd.threadsPerChild = Int(child.threads)
    httpd.dumpDirectory = facts.dump_directory.map { String(cString: $0) }
    return httpd
}

func paths() throws(Problem) -> GenerationPaths {
    let module = swsgi_module_path().map { String(cString: $0) } ?? ""
    return try GenerationPaths(
        module: module,
        runtimeDirectory: String(cString: swsgi_httpd_facts_get().runtime_directory)
    )
}
