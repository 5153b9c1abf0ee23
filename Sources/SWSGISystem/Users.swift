internal import Glibc

/// An entry of the user database.
public struct User: Equatable, Sendable {
    /// Login name.
    public let name: String
    /// User id.
    public let uid: UInt32
    /// Primary group id.
    public let gid: UInt32
    /// Home directory.
    public let home: String

    /// Looks a login name, or `#uid`, up.
    public init?(_ text: String) {
        let entry = text.first == "#" ? UInt32(text.dropFirst()).flatMap { getpwuid($0) } : getpwnam(text)
        guard let entry else { return nil }
        self.init(entry.pointee)
    }

    /// Looks a user id up.
    public init?(uid: UInt32) {
        guard let entry = getpwuid(uid) else { return nil }
        self.init(entry.pointee)
    }

    private init(_ entry: passwd) {
        name = String(cString: entry.pw_name)
        uid = entry.pw_uid
        gid = entry.pw_gid
        home = String(cString: entry.pw_dir)
    }

    /// The groups of this user, `gid` among them; at most 65,536.
    public func groups(with gid: UInt32) -> [UInt32] {
        var count: Int32 = 64
        while count <= 65_536 {
            var list = [gid_t](repeating: 0, count: Int(count))
            let room = count
            if getgrouplist(name, gid, &list, &count) >= 0 { return Array(list.prefix(Int(count))) }
            count = max(count, room * 2)
        }
        return [gid]
    }
}

/// The number of a group name or `#gid`, or nil when there is no such group.
public func groupID(_ text: String) -> UInt32? {
    text.first == "#" ? UInt32(text.dropFirst()) : getgrnam(text)?.pointee.gr_gid
}
