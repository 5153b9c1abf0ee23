internal import Glibc

/// What the host wants of some signals: remembered, and put back when somebody else has changed it.
public struct HostSignals {
    private let actions: [(number: Int32, action: sigaction)]

    /// Signals of a daemon process: those that it is spoken to with, and those whose handlers report crashes.
    public static let ofDaemonProcess: [Int32] = [
        SIGTERM, SIGINT, SIGHUP, SIGUSR1, SIGUSR2, SIGXCPU, SIGPIPE,
        SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT, SIGTRAP, SIGQUIT,
    ]

    /// Remembers what is set now.
    public init(_ numbers: [Int32]) {
        actions = numbers.compactMap { number in
            Self.current(number).map { (number, $0) }
        }
    }

    /// Puts back what differs, and returns the numbers of those signals: one system call for each signal.
    public func restore() -> [Int32] {
        actions.compactMap { number, action in
            guard let current = Self.current(number), Self.handler(current) != Self.handler(action) else { return nil }
            var action = action
            return sigaction(number, &action, nil) == 0 ? number : nil
        }
    }

    private static func current(_ number: Int32) -> sigaction? {
        var action = sigaction()
        return sigaction(number, nil, &action) == 0 ? action : nil
    }

    private static func handler(_ action: sigaction) -> UInt {
        withUnsafeBytes(of: action.__sigaction_handler) { $0.load(as: UInt.self) }
    }
}
