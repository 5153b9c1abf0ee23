/// Header fields of a response, in order; names may occur more than once and are compared without regard to case.
///
/// What can't be sent (a name that is no token, a value with CR, LF, NUL or another control character) fails the
/// response, so that a value from outside can't add a header of its own.
public struct Headers: Sendable, ExpressibleByDictionaryLiteral, ExpressibleByArrayLiteral, Sequence {
    var fields: [(String, String)]

    /// Fields in the order of the list.
    public init(_ fields: [(String, String)] = []) { self.fields = fields }

    /// Fields in the order of the literal.
    public init(dictionaryLiteral elements: (String, String)...) { fields = elements }

    /// Fields in the order of the literal, as pairs: what a call of `startResponse` with a status line takes.
    public init(arrayLiteral elements: (String, String)...) { fields = elements }

    /// The first value of `name`.
    ///
    /// Setting replaces all fields of that name; setting nil removes them.
    public subscript(name: String) -> String? {
        get { fields.first { equalsIgnoringCase($0.0, name) }?.1 }
        set {
            fields.removeAll { equalsIgnoringCase($0.0, name) }
            if let newValue { fields.append((name, newValue)) }
        }
    }

    /// Adds a field and keeps those that have the same name, as needed for `Set-Cookie`.
    public mutating func add(_ name: String, _ value: String) {
        fields.append((name, value))
    }

    /// The fields in order.
    public func makeIterator() -> some IteratorProtocol<(String, String)> { fields.makeIterator() }
}

extension Headers {
    /// Throws an ``ExchangeError`` with the code `invalidHeader` if no field can have this name; its message gives the reason.
    ///
    /// A name is a token (RFC 9110, section 5.6.2).
    public static func check(name: String) throws(ExchangeError) { try HeadRules.check(name: name) }

    /// Throws an ``ExchangeError`` with the code `invalidHeader` if the field can't be sent; its message gives the reason.
    ///
    /// For what comes from outside, where a response of the application's own is better than 500: the rules are those that
    /// a response, early hints and trailers are held to. A name is a token, a value has no control characters but tabs, and a
    /// Content-Length is a decimal number.
    public static func check(name: String, value: String) throws(ExchangeError) {
        try HeadRules.check(name: name, value: value)
    }

    /// Throws an ``ExchangeError`` with the code `invalidHeader` if the fields can't be sent; its message gives the first reason.
    ///
    /// Besides the rules of each field, there is at most one Content-Length. How large all of them may be is not looked
    /// at: `header-buffer-size=` of the process group says it.
    public func check() throws(ExchangeError) { try HeadRules.check(fields) }
}
