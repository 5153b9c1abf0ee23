internal import Glibc
internal import SWSGIConfiguration
internal import SWSGISystem
internal import SWSGIWire

/// From `user=` and `group=` to numbers, refusing root.
enum IdentityResolver {
    static let directive = DaemonProcessOptions.directive

    /// Checks what the directive itself says, while its line is known.
    static func check(_ options: DaemonProcessOptions, isRoot: Bool) throws(Problem) {
        if let text = options.user {
            guard let user = User(text) else {
                throw Problem(.userUnknown, "\(directive): user '\(text)' does not exist")
            }
            guard user.uid != 0 else {
                throw Problem(
                    .rootRefused,
                    "\(directive): process group '\(options.name)' must not run as uid 0 (user '\(text)')"
                )
            }
            if options.group == nil, user.gid == 0 {
                throw Problem(
                    .rootGroupRefused,
                    "\(directive): the primary group of user '\(text)' is gid 0; name another one with group="
                )
            }
            try needRoot(user.uid == getuid(), isRoot, "user", text)
        }
        if let text = options.group {
            guard let gid = groupID(text) else {
                throw Problem(.groupUnknown, "\(directive): group '\(text)' does not exist")
            }
            guard gid != 0 else {
                throw Problem(
                    .rootGroupRefused,
                    "\(directive): process group '\(options.name)' must not run as gid 0 (group '\(text)')"
                )
            }
            try needRoot(gid == getgid(), isRoot, "group", text)
        }
        try checkMembership(options)
        try SurroundingsResolver.check(options, isRoot: isRoot)
        if let home = options.home, !mayBeDirectory((options.surroundings.chroot ?? "") + home) {
            throw Problem(.directoryInvalid, "\(directive): home '\(home)' is not a directory")
        }
    }

    /// Where root may not look (an NFS server that squashes root, a directory without its capability), only the group's user knows:
    /// the check of what that user sees comes later.
    private static func mayBeDirectory(_ path: String) -> Bool {
        var status = stat()
        guard stat(path, &status) == 0 else { return errno == EACCES || errno == EPERM }
        return status.st_mode & S_IFMT == S_IFDIR
    }

    static func needRoot(_ isOurs: Bool, _ isRoot: Bool, _ option: String, _ text: String) throws(Problem) {
        guard isRoot || isOurs else {
            throw Problem(.identityNeedsRoot, "\(directive): \(option)=\(text) needs httpd to be started as root")
        }
    }

    static func remarks(_ group: GroupDefinition) -> [Problem] {
        primaryGroupRemarks(group) + SurroundingsResolver.remarks(group)
    }

    private static func primaryGroupRemarks(_ group: GroupDefinition) -> [Problem] {
        guard let text = group.options.user, group.options.group == nil, let user = User(text) else { return [] }
        return [
            Problem(
                .primaryGroup,
                "\(group.place.file):\(group.place.line): process group '\(group.options.name)' runs with gid \(user.gid), the primary group of user '\(text)', as group= is missing"
            )
        ]
    }

    /// The plan of a group for its supervisor.
    static func plan(_ group: GroupDefinition, httpd: HTTPDFacts, logLevel: UInt8) -> GroupPlan {
        let options = group.options
        let user = options.user.flatMap { User($0) } ?? User(uid: httpd.uid)
        let uid = user?.uid ?? httpd.uid
        let gid = options.group.flatMap { groupID($0) } ?? (options.user == nil ? httpd.gid : user?.gid ?? httpd.gid)
        let home = user?.home ?? "/"
        var plan = GroupPlan(
            name: options.name,
            changesIdentity: httpd.isRoot,
            uid: uid,
            gid: gid,
            groups: httpd.isRoot ? SurroundingsResolver.groups(options, user: user, gid: gid) : [],
            userName: user?.name ?? httpd.userName,
            userHome: home,
            directory: directory(options, uid: uid, httpd: httpd, home: home),
            umask: options.umask,
            processes: options.processes,
            threads: options.threads,
            displayName: options.displayName,
            startupTimeout: options.startupTimeout,
            shutdownTimeout: options.shutdownTimeout,
            applications: group.applications,
            logLevel: logLevel
        )
        plan.isMultiprocess = options.isMultiprocess
        plan.inactivityTimeout = options.exchange.inactivityTimeout ?? 0
        plan.deadlines = DeadlinePlan(
            requestTimeout: options.deadlines.requestTimeout ?? 0,
            interruptTimeout: options.deadlines.interruptTimeout,
            deadlockTimeout: options.deadlines.deadlockTimeout ?? 0
        )
        plan.recycling = RecyclingPlan(options)
        plan.surroundings = SurroundingsResolver.plan(
            options,
            httpd: httpd,
            isDedicated: options.user != nil && uid != httpd.uid
        )
        if let jail = options.surroundings.chroot.map({ Jail($0) }) {
            plan.surroundings.directoryInRoot = plan.directory
            plan.applications = group.applications.compactMap { $0.inside(jail) }
        }
        return plan
    }

    /// As mod_wsgi: `home=`, else the home of a user that is not httpd's, else the root directory.
    private static func directory(_ options: DaemonProcessOptions, uid: UInt32, httpd: HTTPDFacts, home: String)
        -> String
    {
        if let directory = options.home { return directory }
        var status = stat()
        guard uid != httpd.uid, stat((options.surroundings.chroot ?? "") + home, &status) == 0,
            status.st_mode & S_IFMT == S_IFDIR
        else { return "/" }
        return home
    }
}
