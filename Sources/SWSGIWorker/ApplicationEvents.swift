internal import SWSGIHost
internal import SWSGISystem
internal import Synchronization

/// Events for the applications, one after the other, on a thread of their own: an application that takes its time over one keeps
/// neither the control thread nor a request thread.
final class ApplicationEvents: Sendable {
    private struct Content {
        var waiting: [ProcessEvent] = []
        var isTelling = false
    }

    /// Further events are left out while so many wait.
    private static let limit = 64

    private let applications: Applications
    private let content = Lock(Content())

    init(_ applications: Applications) {
        self.applications = applications
    }

    /// Tells all applications of an event, soon.
    func post(_ event: ProcessEvent) {
        let startsThread = content.withLock { content in
            if content.waiting.count < Self.limit { content.waiting.append(event) }
            defer { content.isTelling = true }
            return !content.isTelling
        }
        guard startsThread else { return }
        do throws(Errno) {
            try startThread { [self] in tell() }
        } catch {
            content.withLock { $0.isTelling = false }
        }
    }

    /// Whether every event has been told.
    var areTold: Bool { content.withLock { !$0.isTelling } }

    private func tell() {
        while let event = next() { applications.tell(event) }
        ControlThread.wake()
    }

    private func next() -> ProcessEvent? {
        content.withLock { content in
            guard !content.waiting.isEmpty else {
                content.isTelling = false
                return nil
            }
            return content.waiting.removeFirst()
        }
    }
}
