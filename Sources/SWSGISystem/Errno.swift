internal import Glibc

/// The number of a failed system call's error.
public struct Errno: Error, Equatable, Sendable, CustomStringConvertible {
    /// The value of `errno`, positive.
    public let code: Int32

    /// An error from a known number.
    public init(_ code: Int32) {
        self.code = code
    }

    /// The error of the system call that has just failed on this thread.
    public static var last: Errno { Errno(errno) }

    /// Nothing there yet, or no room yet, on a descriptor that must not block.
    public var wouldBlock: Bool { code == EAGAIN || code == EWOULDBLOCK }

    /// A signal came while the call was waiting.
    public var interrupted: Bool { code == EINTR }

    /// The system's text for this number.
    public var description: String {
        withUnsafeTemporaryAllocation(of: CChar.self, capacity: 256) { buffer in
            guard let start = buffer.baseAddress, strerror_r(code, start, buffer.count) == 0 else {
                return "error \(code)"
            }
            return String(cString: start)
        }
    }
}

/// Turns C's "negative errno" results into a value or an error.
@inline(__always)
func check<Value: SignedInteger>(_ result: Value) throws(Errno) -> Value {
    if result < 0 { throw Errno(Int32(truncatingIfNeeded: 0 - result)) }
    return result
}
