internal import CSWSGIModule
internal import SWSGIConfiguration
internal import SWSGIModuleCore
internal import SWSGISystem
internal import Synchronization

/// Entry files with what has been said of their heads.
private let saidOfHeads = Lock<Set<String>>([])

// What is wrong with heads, and does not end a response: said once for each entry file, as every response would repeat it.
extension ClientResponse {
    /// A header that is not passed on.
    func reportDropped(_ name: UnsafeRawBufferPointer, _ code: MessageCode, _ reason: String) {
        let header = String(decoding: name, as: UTF8.self)
        reportOnce(header, code, "response header '\(header)' is dropped, \(reason)")
    }

    /// A Content-Type that is missing, or not what it should be.
    func reportType(_ fault: ContentType.Fault) {
        let what =
            switch fault {
            case .missing: "the response has content and no Content-Type"
            case .empty: "the response has an empty Content-Type, which is dropped"
            case .repeated: "the response has more than one Content-Type, of which the last is sent"
            case .withoutContent: "the response has a Content-Type and a status without content; it is dropped"
            }
        reportOnce("\(fault)", .contentTypeFaulty, what)
    }

    private func reportOnce(_ key: String, _ code: MessageCode, _ what: String) {
        let key = "\(String(cString: facts.file_name)) \(key)"
        let isNew = saidOfHeads.withLock { $0.count < 1000 && $0.insert(key).inserted }
        if isNew { report(code, what) }
    }
}
