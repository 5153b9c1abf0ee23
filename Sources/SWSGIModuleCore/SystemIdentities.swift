public import SWSGIConfiguration
internal import SWSGISystem

// Users and groups that exist, and that applications should not run as.
extension IdentityResolver {
    /// Members of these can read every password's hash, write to disks, or start programs as root.
    private static let powerful = [
        "shadow", "disk", "kmem", "sudo", "wheel", "docker", "lxd", "libvirt", "systemd-journal",
    ]
    /// The first uid that is not given out by the distribution itself, and nobody's.
    private static let firstOwn: UInt32 = 100
    private static let nobody: UInt32 = 65_534

    static func systemRemarks(_ groups: [GroupDefinition], httpdUID: UInt32?) -> [Problem] {
        // Once, as each look reads the group database.
        let powerful = powerful.compactMap { name in groupID(name).map { (name, $0) } }
        return groups.flatMap { systemRemarks($0, powerful, httpdUID) }
    }

    private static func systemRemarks(
        _ group: GroupDefinition,
        _ powerful: [(name: String, gid: UInt32)],
        _ httpdUID: UInt32?
    ) -> [Problem] {
        let options = group.options
        let place = "\(group.place.text): process group '\(options.name)'"
        let user = options.user.flatMap { User($0) }
        var found: [Problem] = []
        if let user, user.uid < firstOwn || user.uid == nobody, user.uid != httpdUID {
            found.append(Problem(.userOfSystem, "\(place) runs as user '\(user.name)' (uid \(user.uid))"))
        }
        let gid = options.group.flatMap(groupID) ?? user?.gid
        let numbers = gid.map { SurroundingsResolver.groups(options, user: user, gid: $0) } ?? []
        for (name, number) in powerful where numbers.contains(number) {
            found.append(Problem(.groupPowerful, "\(place) has the group '\(name)' (gid \(number))"))
        }
        return found
    }

    static func groups(uid: UInt32, gid: UInt32) -> [UInt32] { User(uid: uid)?.groups(with: gid) ?? [gid] }

    /// root's group may come with the user, too.
    static func checkMembership(_ options: DaemonProcessOptions) throws(Problem) {
        guard options.surroundings.supplementaryGroups == nil, let user = options.user.flatMap({ User($0) }),
            user.groups(with: options.group.flatMap(groupID) ?? user.gid).contains(0)
        else { return }
        throw Problem(
            .rootGroupRefused,
            "\(directive): user '\(user.name)' is a member of gid 0; take it out, or name its groups with supplementary-groups="
        )
    }
}

extension Configuration {
    /// What the Timeout of a group's virtual host takes from its options; known when all servers have been merged.
    public func timeoutRemarks(_ timeout: (ServerFacts) -> Int64) -> [Problem] {
        groups.flatMap { group in
            let options = group.options
            return options.deadlines.conflicts(with: options.exchange, httpdTimeout: timeout(group.place.server)).map {
                Problem(.optionsConflict, "\(group.place.text): process group '\(options.name)': \($0)")
            }
        }
    }
}
