/// Who must have written an application's files for its code to be loaded.
public struct Ownership: Equatable, Sendable {
    /// User that files and their directories must belong to, and who alone may write to them; nil: anybody.
    public var uid: UInt32?
    /// Group that files and their directories must belong to; nil: any.
    public var gid: UInt32?
    /// Whether nothing may be loaded that everybody may write to; always so with `uid` or `gid`.
    public var refusesWritable = false

    /// Nothing is required.
    public init() {}

    func write(to writer: inout ByteWriter) {
        writer.write(uid ?? .max)
        writer.write(gid ?? .max)
        writer.write(UInt8(refusesWritable ? 1 : 0))
    }

    init(_ reader: inout ByteReader) throws(Malformed) {
        let uid: UInt32 = try reader.read()
        let gid: UInt32 = try reader.read()
        self.uid = uid == .max ? nil : uid
        self.gid = gid == .max ? nil : gid
        refusesWritable = try reader.read(UInt8.self) != 0
    }
}
