/// Something that can be a part of a response body: text, sent as UTF-8, or bytes.
public protocol BodyChunk {
    /// Calls `body` with the bytes of this chunk, which are valid only during the call.
    func withChunkBytes(_ body: (UnsafeRawBufferPointer) throws -> Void) rethrows
}

extension String: BodyChunk {
    /// Calls `body` with the text in UTF-8.
    public func withChunkBytes(_ body: (UnsafeRawBufferPointer) throws -> Void) rethrows {
        var text = self
        try text.withUTF8 { utf8 in try body(UnsafeRawBufferPointer(utf8)) }
    }
}

extension Substring: BodyChunk {
    /// Calls `body` with the text in UTF-8.
    public func withChunkBytes(_ body: (UnsafeRawBufferPointer) throws -> Void) rethrows {
        var text = self
        try text.withUTF8 { utf8 in try body(UnsafeRawBufferPointer(utf8)) }
    }
}

extension Array: BodyChunk where Element == UInt8 {
    /// Calls `body` with the array's bytes.
    public func withChunkBytes(_ body: (UnsafeRawBufferPointer) throws -> Void) rethrows {
        try withUnsafeBytes { bytes in try body(bytes) }
    }
}

extension ArraySlice: BodyChunk where Element == UInt8 {
    /// Calls `body` with the slice's bytes.
    public func withChunkBytes(_ body: (UnsafeRawBufferPointer) throws -> Void) rethrows {
        try withUnsafeBytes { bytes in try body(bytes) }
    }
}

extension UnsafeRawBufferPointer: BodyChunk {
    /// Calls `body` with the buffer itself; whoever owns the memory keeps it until the chunk has been written.
    public func withChunkBytes(_ body: (UnsafeRawBufferPointer) throws -> Void) rethrows {
        try body(self)
    }
}
