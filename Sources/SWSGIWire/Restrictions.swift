/// What applications may not do in daemon processes.
public struct Restrictions: OptionSet, Hashable, Sendable {
    /// One bit for each.
    public let rawValue: UInt8

    /// From its bits.
    public init(rawValue: UInt8) {
        self.rawValue = rawValue
    }

    /// Read standard input: `WSGIRestrictStdin`.
    public static let input = Restrictions(rawValue: 1)
    /// Write to standard output: `WSGIRestrictStdout`.
    public static let output = Restrictions(rawValue: 2)
    /// Handle signals that are the host's: `WSGIRestrictSignal`.
    public static let signals = Restrictions(rawValue: 4)

    /// Without directives, as with mod_wsgi.
    public static let standard: Restrictions = [.signals]
}
