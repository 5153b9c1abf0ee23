internal import CSWSGI
public import SWSGIWire

/// What happens to a process, for its applications.
public enum ProcessEvent: Equatable, Sendable {
    /// It takes no more exchanges.
    case draining(StopReason)
    /// A signal came that is meant for applications.
    case signal(String)
    /// Its last exchange has ended.
    case stopping(StopReason)

    /// The number and the text of the bundle ABI.
    var forApplications: (event: Int, detail: String) {
        switch self {
        case .draining(let reason): (Int(SWSGI_EVENT_DRAINING), reason.name)
        case .signal(let name): (Int(SWSGI_EVENT_SIGNAL), name)
        case .stopping(let reason): (Int(SWSGI_EVENT_STOPPING), reason.name)
        }
    }
}
