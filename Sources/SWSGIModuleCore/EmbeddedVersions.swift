public import SWSGIWire

/// Which state of an entry file a child of httpd serves in embedded mode, and which it need not try again.
///
/// A value: what was seen and what has happened in, what to do out. Times are monotonic nanoseconds.
public struct EmbeddedVersions: Equatable, Sendable {
    /// What to do with a request.
    public enum Decision: Equatable, Sendable {
        /// Run what is loaded.
        case run
        /// Load what stands there now, and tell the outcome; requests that come meanwhile get another answer.
        case load
        /// Another thread loads it for the first time: wait, and ask again.
        case wait
        /// It could not be loaded a moment ago.
        case refuse
    }

    /// An entry file that could not be loaded for the first time is tried again after so many nanoseconds.
    private static let retryInterval: Int64 = 1_000_000_000

    private struct Failure: Equatable {
        let identity: FileIdentity
        var at: Int64
        /// What has been mapped stays mapped: trying the same again would cost memory each time.
        let isFinal: Bool
    }

    private var loaded: FileIdentity?
    private var failed: Failure?
    private var isLoading = false

    /// Nothing is loaded.
    public init() {}

    /// A request has come; `seen` is what its entry file was then, nil where changes are not looked for.
    public mutating func decide(seen: FileIdentity?, now: Int64) -> Decision {
        if loaded != nil {
            guard let seen, seen != loaded, seen != failed?.identity, !isLoading else { return .run }
        } else {
            if isLoading { return .wait }
            if let failed, seen == nil || seen == failed.identity, now - failed.at < Self.retryInterval {
                return .refuse
            }
        }
        isLoading = true
        return .load
    }

    /// Whether what stands there now is to be loaded after all: the request may have looked before the last change.
    public func needs(_ current: FileIdentity?) -> Bool {
        if let failed, failed.isFinal, failed.identity == current { return false }
        return loaded == nil || current != nil && current != loaded
    }

    /// It was not needed.
    public mutating func skipped(now: Int64) {
        isLoading = false
        failed?.at = now
    }

    /// It has been loaded, as it was then.
    public mutating func succeeded(_ identity: FileIdentity) {
        isLoading = false
        loaded = identity
        failed = nil
    }

    /// It can't be loaded, as it was when that was tried.
    ///
    /// `isFinal`: until it changes.
    public mutating func failed(_ current: FileIdentity, now: Int64, isFinal: Bool) {
        isLoading = false
        failed = Failure(identity: current, at: now, isFinal: isFinal)
    }
}
