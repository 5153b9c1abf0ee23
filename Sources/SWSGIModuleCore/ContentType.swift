internal import SWSGIWire

/// The Content-Type fields of one response: how often there is one, and whether there is anything to describe.
///
/// Source: RFC 9110, section 8.3: a response with content says its type, once.
public struct ContentType: Equatable, Sendable {
    /// What is wrong with them.
    public enum Fault: Equatable, Sendable {
        /// There is content and no field.
        case missing
        /// The field has no value; it is not sent.
        case empty
        /// There is more than one field; the last one is sent.
        case repeated
        /// The status allows no content; the field is not sent.
        case withoutContent
    }

    private let status: Int
    private var count = 0

    /// The fields of a response with this status.
    public init(status: Int) {
        self.status = status
    }

    /// Whether a header's name is Content-Type.
    public static func isName(_ name: UnsafeRawBufferPointer) -> Bool { HeaderSyntax.isEqual(name, "content-type") }

    /// A field has come: what is wrong with it, if anything.
    public mutating func field(_ value: UnsafeRawBufferPointer) -> Fault? {
        if value.allSatisfy({ $0 == 0x20 || $0 == 0x09 }) { return .empty }
        count += 1
        if ResponseState.forbidsContent(status) { return .withoutContent }
        return count > 1 ? .repeated : nil
    }

    /// Content comes: what is missing, if anything.
    public var faultOfContent: Fault? { count == 0 ? .missing : nil }
}
