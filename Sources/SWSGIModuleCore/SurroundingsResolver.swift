internal import Glibc
internal import SWSGIConfiguration
internal import SWSGISystem
internal import SWSGIWire

/// From the options that say what a group's processes are and see to what their supervisor is told.
enum SurroundingsResolver {
    private static let directive = DaemonProcessOptions.directive

    /// Checks what the directive itself says, while its line is known.
    static func check(_ options: DaemonProcessOptions, isRoot: Bool) throws(Problem) {
        for text in options.surroundings.supplementaryGroups ?? [] {
            guard let gid = groupID(text) else {
                throw Problem(.groupUnknown, "\(directive): supplementary group '\(text)' does not exist")
            }
            guard gid != 0 else {
                throw Problem(
                    .rootGroupRefused,
                    "\(directive): process group '\(options.name)' must not have the supplementary gid 0 (group '\(text)')"
                )
            }
        }
        if let text = options.surroundings.supplementaryGroups?.first {
            try IdentityResolver.needRoot(false, isRoot, "supplementary-groups", text)
        }
        if let text = options.surroundings.scriptUser, User(text) == nil {
            throw Problem(.userUnknown, "\(directive): script-user '\(text)' does not exist")
        }
        if let text = options.surroundings.scriptGroup, groupID(text) == nil {
            throw Problem(.groupUnknown, "\(directive): script-group '\(text)' does not exist")
        }
        if let root = options.surroundings.chroot { try check(root: root, isRoot: isRoot) }
        if options.surroundings.cpuPriority < 0 {
            try IdentityResolver.needRoot(false, isRoot, "cpu-priority", String(options.surroundings.cpuPriority))
        }
    }

    private static func check(root: String, isRoot: Bool) throws(Problem) {
        var status = stat()
        guard stat(root, &status) == 0, status.st_mode & S_IFMT == S_IFDIR else {
            throw Problem(.directoryInvalid, "\(directive): chroot '\(root)' is not a directory")
        }
        try IdentityResolver.needRoot(false, isRoot, "chroot", root)
        do throws(TrustedFile.Failure) {
            try TrustedFile.checkRoots(directory: root)
        } catch {
            throw Problem(.rootUntrusted, "\(directive): chroot '\(root)': \(error)")
        }
    }

    static func groups(_ options: DaemonProcessOptions, user: User?, gid: UInt32) -> [UInt32] {
        guard let names = options.surroundings.supplementaryGroups else { return user?.groups(with: gid) ?? [gid] }
        var groups = [gid]
        for number in names.compactMap(groupID) where !groups.contains(number) { groups.append(number) }
        return groups
    }

    static func plan(_ options: DaemonProcessOptions, httpd: HTTPDFacts, isDedicated: Bool) -> Surroundings {
        let options = options.surroundings
        var surroundings = Surroundings()
        surroundings.lang = options.lang
        surroundings.locale = options.locale
        surroundings.priority = options.cpuPriority
        surroundings.stackSize = options.stackSize ?? 0
        surroundings.dataLimit = options.memoryLimit ?? 0
        surroundings.addressLimit = options.virtualMemoryLimit ?? 0
        surroundings.environmentFile = options.environmentFile
        surroundings.root = options.chroot
        surroundings.dumpDirectory = httpd.dumpDirectory
        surroundings.ownership.uid = options.scriptUser.flatMap { User($0) }?.uid
        surroundings.ownership.gid = options.scriptGroup.flatMap(groupID)
        // A user that is there for the applications of this group alone.
        surroundings.ownership.refusesWritable = httpd.isRoot && isDedicated
        return surroundings
    }

    /// What a start of a process would fail with, as far as it can be known now.
    static func remarks(_ group: GroupDefinition) -> [Problem] {
        environmentRemarks(group) + rootRemarks(group)
    }

    /// Groups of one user are kept apart by nothing; a line for each such user.
    static func sharedUsers(_ groups: [GroupDefinition]) -> [Problem] {
        var names: [UInt32: [String]] = [:]
        for group in groups {
            guard let uid = group.options.user.flatMap({ User($0) })?.uid else { continue }
            names[uid, default: []].append(group.options.name)
        }
        return names.sorted { $0.key < $1.key }.filter { $0.value.count > 1 }.map { uid, names in
            let list = names.map { "'\($0)'" }.joined(separator: ", ")
            return Problem(.userShared, "process groups \(list) all run as uid \(uid)")
        }
    }

    private static func rootRemarks(_ group: GroupDefinition) -> [Problem] {
        guard let jail = group.options.surroundings.chroot.map({ Jail($0) }) else { return [] }
        return group.applications.filter { $0.inside(jail) == nil }.map {
            Problem(
                .entryFileOutside,
                "\(group.place.file):\(group.place.line): process group '\(group.options.name)': entry file \($0.entryFile) is outside its chroot"
            )
        }
    }

    private static func environmentRemarks(_ group: GroupDefinition) -> [Problem] {
        guard let path = group.options.surroundings.environmentFile,
            let why = doubt(path, for: group.options.user.flatMap { User($0) }?.uid ?? geteuid())
        else { return [] }
        return [
            Problem(
                .environmentFileDoubtful,
                "\(group.place.file):\(group.place.line): process group '\(group.options.name)': \(why)"
            )
        ]
    }

    private static func doubt(_ path: String, for uid: UInt32) -> String? {
        let text: [UInt8]
        do throws(TrustedFile.Failure) {
            text = try TrustedFile.read(path, for: uid, limit: EnvironmentFile.limit)
        } catch {
            return "environment-file \(path): \(error)"
        }
        do throws(Problem) {
            _ = try EnvironmentFile(text: text, path: path)
            return nil
        } catch {
            return error.what
        }
    }
}

extension ApplicationKey {
    /// The key as processes inside see it; nil: its entry file is outside.
    func inside(_ jail: Jail) -> ApplicationKey? {
        jail.inside(entryFile).map {
            ApplicationKey(entryFile: $0, applicationGroup: applicationGroup, symbol: symbol)
        }
    }
}
