import CSWSGI

/// What happens to the process that runs the application.
///
/// The host tells one event after the other, while exchanges run. Reasons have the names of mod_wsgi's `shutdown_reason`:
/// "shutdown_signal", "graceful_signal", "eviction_signal", "maximum_requests", "restart_interval", "inactivity_timeout",
/// "request_timeout", "deadlock_timeout", "cpu_time_limit", "script_reload"; "rss_limit", "idle_group" and
/// "descriptor_limit". There may be more.
public enum ProcessEvent: Equatable, Sendable {
    /// The process takes no more requests; those that run go on.
    case draining(reason: String)
    /// Somebody sent the process a signal that is the application's to act on: "SIGHUP" or "SIGUSR2".
    case signal(String)
    /// The last exchange has ended; `stopping()` comes next.
    case stopping(reason: String)

    /// Nil for an event that this version of the SDK does not know.
    init?(_ number: Int32, _ detail: swsgi_text) {
        switch Int(number) {
        case Int(SWSGI_EVENT_DRAINING): self = .draining(reason: String(detail))
        case Int(SWSGI_EVENT_SIGNAL): self = .signal(String(detail))
        case Int(SWSGI_EVENT_STOPPING): self = .stopping(reason: String(detail))
        default: return nil
        }
    }
}
