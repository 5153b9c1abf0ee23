internal import SWSGIConfiguration
internal import SWSGISystem
internal import SWSGIWire
internal import Synchronization

/// Keeps the host's signal handlers in their places, as `WSGIRestrictSignal` says.
///
/// A handler of the application's stays until the next look: after a bundle has been loaded, and about once a second.
final class SignalGuard: Sendable {
    private struct Content {
        let host: HostSignals
        var reported: Set<Int32> = []
    }

    /// Nil: applications may handle what they want.
    private let content: Lock<Content?>
    private let channel: SupervisorChannel

    /// Remembers the handlers that stand there now.
    init(_ plan: WorkerPlan, _ channel: SupervisorChannel) {
        self.channel = channel
        let isRestricted = plan.restrictions.contains(.signals)
        content = Lock(isRestricted ? Content(host: HostSignals(HostSignals.ofDaemonProcess)) : nil)
    }

    /// Puts back what has been changed; each signal is reported once.
    func check() {
        // The handlers of a crash put the former ones back by themselves.
        guard !CrashHandlers.hasCrashed else { return }
        let found = content.withLock { content in
            content?.host.restore().filter { content?.reported.insert($0).inserted == true } ?? []
        }
        for number in found {
            channel.log(
                Problem(.handlerRemoved, "a handler of the application's for \(signalName(number)) has been removed")
            )
        }
    }
}
