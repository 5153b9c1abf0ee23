import Glibc
public import SWSGI

/// Does what SERVICE_MODE of its entry file says: `wait`, `return`, `fail`, `crash` or `stubborn`; notes its life in
/// SERVICE_FILE.
@c public func service() -> ExportedService {
    exportService { service in
        note("began \(getpid()) main=\(isMainThread)")
        switch variable("SERVICE_MODE") {
        case "return": service.wait(for: .milliseconds(20))
        case "fail": throw TroubleError(description: "a service's error")
        case "crash": print("never \(troubleTrap([], at: 3))")
        case "stubborn": while true { sleep(1) }
        default:
            while service.wait(for: .milliseconds(50)) {}
            note("stopping \(getpid()) \(service.isStopping)")
        }
        service.log(.info, "the service of \(service.server.processGroup) has ended")
        note("ended \(getpid())")
    }
}

private var isMainThread: Bool {
    var link = [CChar](repeating: 0, count: 100)
    readlink("/proc/thread-self", &link, link.count - 1)
    return strcmp(&link, "\(getpid())/task/\(getpid())") == 0
}

private func variable(_ name: String) -> String { getenv(name).map { String(cString: $0) } ?? "" }

private func note(_ text: String) {
    guard let stream = fopen(variable("SERVICE_FILE"), "a") else { return }
    fputs(text + "\n", stream)
    fclose(stream)
}
