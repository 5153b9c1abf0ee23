public import SWSGIConfiguration

/// httpd in the same process: what takes the place of the queue and of the reply socket where it runs an application itself.
///
/// The response comes in the frames of a daemon process, which mean the same here: httpd checks them by the same rules. Whole
/// small responses come in one call. Used by the thread that runs the exchange, and only until the application has ended.
public protocol ExchangePeer: AnyObject {
    /// How many environ fields the request has.
    var fieldCount: Int { get }
    /// The value of a field, followed by a NUL that is not counted; it lives as long as the exchange.
    func value(of name: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer?
    /// The field at an index, in httpd's order.
    func field(at index: Int) -> (name: UnsafeRawBufferPointer, value: UnsafeRawBufferPointer)?
    /// Takes whole frames; the payload of the last ends with `more`. The bytes are valid during the call, `file` (-1: none)
    /// is the peer's to close. False: nobody reads any more.
    func take(_ frames: UnsafeRawBufferPointer, _ more: UnsafeRawBufferPointer, file: Int32) -> Bool
    /// Reads a piece of the request body: how many bytes, 0 at the end, below 0 when it can't be read further, and nil when
    /// nothing has come and `waits` is false.
    func read(into buffer: UnsafeMutableRawBufferPointer, waits: Bool) -> Int64?
    /// Writes a line to the error log of the request.
    func log(_ level: LogLevel, _ line: UnsafeRawBufferPointer)
    /// Whether nobody waits for the response any more.
    var isCancelled: Bool { get }
}
