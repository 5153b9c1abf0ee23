/// What tells one state of an entry file from the next; any difference means that the file has changed.
public struct FileIdentity: Equatable, Sendable {
    /// Number of the device.
    public var device: UInt64
    /// Number of the inode.
    public var inode: UInt64
    /// Bytes.
    public var size: Int64
    /// Time of the last change of content, in microseconds since 1970: the resolution that APR keeps.
    public var modified: Int64
    /// Time of the last change of anything, in microseconds since 1970: the other one can be set to what it was.
    public var changed: Int64

    /// An identity from a file's status.
    public init(device: UInt64, inode: UInt64, size: Int64, modified: Int64, changed: Int64) {
        self.device = device
        self.inode = inode
        self.size = size
        self.modified = modified
        self.changed = changed
    }

    /// The identity of no file.
    public static let none = FileIdentity(device: 0, inode: 0, size: 0, modified: 0, changed: 0)
}
