internal import SWSGIConfiguration
internal import SWSGISystem
internal import SWSGIWire

// Process groups with a root directory of their own: their snapshots must lie in it.
extension Supervisor {
    /// The directory for the snapshots of a group; made at its first start, so that a bad one concerns no other group.
    func snapshots(of group: Int) throws(Errno) -> SnapshotDirectory {
        guard let root = groups[group].plan.surroundings.root else { return snapshots }
        if let known = jails[group] { return known }
        SnapshotDirectory.removeAbandoned(base: root)
        let made = try SnapshotDirectory(base: root)
        jails[group] = made
        return made
    }

    var allSnapshots: [SnapshotDirectory] { [snapshots] + jails.values }

    /// Removes what a process of the group has left.
    func removeSnapshots(_ directory: String, of group: Int) {
        (jails[group] ?? snapshots).remove(directory)
    }

    /// A path as the processes of a group see it.
    func seen(_ path: String, by group: GroupPlan) -> String {
        guard let root = group.surroundings.root, path.hasPrefix(root + "/") else { return path }
        return String(path.dropFirst(root.count))
    }
}
