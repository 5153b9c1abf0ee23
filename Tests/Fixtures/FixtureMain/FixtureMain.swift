import Dispatch
import Glibc
public import SWSGI

/// Does things on the main thread.
///
/// - `/queue` runs a closure on `DispatchQueue.main`, `/actor` one that belongs to `@MainActor`, and both say on which thread they ran;
/// - `/busy?until=FILE` keeps the main queue busy until that file exists, and answers when it is;
/// - `/plain` answers.
@c public func application() -> ExportedApplication { export(Main()) }

private struct Main: Application {
    func respond(to request: Request) throws -> Response {
        let answer = Answer()
        switch request.path {
        case "/queue": DispatchQueue.main.async { answer.give() }
        case "/actor": Task { @MainActor in answer.give() }
        case "/busy":
            let file = request.query["until"] ?? ""
            DispatchQueue.main.async {
                answer.give()
                while access(file, F_OK) != 0 { usleep(5000) }
            }
        default: return .text("plain\n")
        }
        guard answer.done.wait(timeout: .now() + 20) == .success else {
            throw HTTPError(.gatewayTimeout, "nothing ran")
        }
        return .text(answer.text)
    }
}

private final class Answer: @unchecked Sendable {  // written once, before the semaphore is signalled
    let done = DispatchSemaphore(value: 0)
    var text = ""

    func give() {
        text = Self.isMainThread ? "main thread\n" : "another thread\n"
        done.signal()
    }

    /// By "PID/task/TID": there is no C function for the number of a thread here.
    private static var isMainThread: Bool {
        var bytes = [CChar](repeating: 0, count: 100)
        let count = readlink("/proc/thread-self", &bytes, bytes.count - 1)
        let path = String(decoding: bytes.prefix(max(0, count)).map { UInt8(bitPattern: $0) }, as: UTF8.self)
        return path == "\(getpid())/task/\(getpid())"
    }
}
