internal import CSWSGISystem

/// Signals as something to poll, instead of handlers that run in between.
public struct SignalQueue: ~Copyable, Sendable {
    private let descriptor: Descriptor

    /// Blocks these signals in this thread and collects them; programs that `Program.start` starts have none blocked.
    public init(_ signals: [Int32]) throws(Errno) {
        let number = signals.withUnsafeBufferPointer { signals in
            signals.baseAddress.map { swsgi_signal_descriptor($0, signals.count) } ?? -22  // EINVAL
        }
        descriptor = Descriptor(owning: try check(number))
    }

    /// Becomes readable when there is a signal.
    public var number: Int32 { descriptor.number }

    /// Takes the next signal, or nil when there is none.
    public func next() -> Int32? {
        let signal = swsgi_signal_next(descriptor.number)
        return signal > 0 ? signal : nil
    }
}
