/// The body of a response: nothing, chunks, a lazy sequence of chunks, or a closure that writes.
///
/// An array literal is the usual way, as in PEP 3333: `return ["Hello, world!\n"]`. Its elements are text or bytes,
/// mixed as you like.
///
/// Chunks that are all known leave in one message, with a Content-Length, when they and the head fit into 32 KiB. Of a
/// sequence, a generator or a stream each chunk is sent to the client before the next one is asked for (PEP 3333,
/// "Buffering and Streaming").
public struct Body {
    enum Content {
        case chunks([any BodyChunk])
        case generator(() throws -> (any BodyChunk)?)
        case stream((ResponseWriter) throws -> Void)
        case file(OpenFile, offset: Int64, length: Int64)
    }

    let content: Content

    /// What is to be done when the body has been sent.
    var end: BodyEnd?

    /// No content.
    public init() { content = .chunks([]) }

    /// One chunk: a `String`, a `Substring` or bytes.
    public init(_ chunk: some BodyChunk) { content = .chunks([chunk]) }

    /// Chunks that are all there already.
    public init(_ chunks: [some BodyChunk]) { content = .chunks(chunks) }

    /// Chunks made one after the other, as the client takes them.
    ///
    /// The iterator is made when the response is sent.
    public init<Chunks: Sequence>(_ chunks: Chunks) where Chunks.Element: BodyChunk {
        var iterator: Chunks.Iterator?
        content = .generator {
            if iterator == nil { iterator = chunks.makeIterator() }
            return iterator?.next()
        }
    }

    /// Chunks that `next` makes one after the other until it returns nil.
    ///
    /// An error that it throws fails the response.
    public static func generate(_ next: @escaping () throws -> (any BodyChunk)?) -> Body {
        Body(content: .generator(next))
    }

    /// A body that `produce` writes while it is sent.
    ///
    /// An error that it throws fails the response.
    public static func stream(_ produce: @escaping (_ writer: ResponseWriter) throws -> Void) -> Body {
        Body(content: .stream(produce))
    }

    /// The same body, with something to do when it has come to its end: the `close()` of PEP 3333.
    ///
    /// `action` is called once: when the content has been sent, when an error has ended it, when the client has gone, or when
    /// the body is let go without having been sent. What it throws away (files, connections, locks) is safe in every case.
    /// The end of the response waits for it. A body can have several; the one added last is called first.
    public func onEnd(_ action: @escaping () -> Void) -> Body {
        var body = self
        body.end = BodyEnd(action, before: end)
        return body
    }

    /// A file, or a part of it, that httpd reads and sends itself (`wsgi.file_wrapper`).
    ///
    /// The file is opened now, and closed with the body. Its content must not change before it has been sent: to replace
    /// it, write a new file and rename it over the old one.
    ///
    /// - Parameters:
    ///   - path: The file; made of parts from outside only after checking them.
    ///   - offset: Where the part begins.
    ///   - length: How many bytes it has; all up to the end of the file if nil.
    /// - Throws: `FileError` if there is no such file, if it is not a regular file, or has no such part.
    public static func file(_ path: String, from offset: Int = 0, length: Int? = nil) throws(FileError) -> Body {
        try Body(file: OpenFile(path), from: offset, length: length)
    }

    /// An open file, or a part of it, that httpd reads and sends itself.
    ///
    /// Position and locks of the descriptor play no part; one descriptor may be used by several responses at once.
    ///
    /// - Parameters:
    ///   - descriptor: A regular file, open for reading.
    ///   - offset: Where the part begins.
    ///   - length: How many bytes it has; all up to the end of the file if nil.
    ///   - closing: Whether the descriptor is closed with the body.
    /// - Throws: `FileError` if it is not a regular file, or has no such part.
    public static func file(
        descriptor: Int32,
        from offset: Int = 0,
        length: Int? = nil,
        closing: Bool = true
    ) throws(FileError) -> Body {
        try Body(file: OpenFile(descriptor: descriptor, isOwner: closing), from: offset, length: length)
    }

    /// What is known of the file that is the body; nil when the body is none.
    ///
    ///     let body = try Body.file(path)
    ///     if let file = body.file {
    ///         headers["Last-Modified"] = file.lastModified
    ///         headers["ETag"] = file.entityTag
    ///     }
    public var file: FileFacts? {
        guard case .file(let file, let offset, let length) = content else { return nil }
        return FileFacts(file, length: length < 0 ? file.size - offset : length)
    }

    init(file: OpenFile, from offset: Int, length: Int?) throws(FileError) {
        guard offset >= 0, Int64(offset) <= file.size, length ?? 0 >= 0,
            Int64(length ?? 0) <= file.size - Int64(offset)
        else { throw FileError(.range, file.name) }
        self.init(content: .file(file, offset: Int64(offset), length: length.map { Int64($0) } ?? -1))
    }

    private init(content: Content) { self.content = content }
}

/// What is to be done at the end of a body: once, and at the latest when nobody has the body any more.
final class BodyEnd {
    private var action: (() -> Void)?
    private let next: BodyEnd?

    init(_ action: @escaping () -> Void, before next: BodyEnd?) {
        self.action = action
        self.next = next
    }

    deinit { run() }

    func run() {
        let action = action
        self.action = nil
        action?()
        next?.run()
    }
}

extension Body: ExpressibleByArrayLiteral {
    /// Chunks of text or bytes.
    public init(arrayLiteral elements: any BodyChunk...) { content = .chunks(elements) }
}

extension Body: ExpressibleByStringInterpolation {
    /// One chunk of text.
    public init(stringLiteral value: String) { self.init(value) }
}

/// A body may hold closures over an exchange, which belongs to one thread.
@available(*, unavailable)
extension Body: Sendable {}
