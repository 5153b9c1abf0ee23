internal import Glibc
internal import SWSGIConfiguration
internal import SWSGISystem
internal import SWSGIWire

/// The environment of a daemon process: made from nothing, so that nothing of httpd's can leak into it.
enum WorkerEnvironment {
    static func make(_ group: GroupPlan, backtrace: String?) throws(Problem) -> [String] {
        var variables = [
            ("PATH", "/usr/local/bin:/usr/bin:/bin"),
            ("LANG", group.surroundings.lang ?? "C.UTF-8"),
            ("HOME", group.userHome),
            ("USER", group.userName),
            ("LOGNAME", group.userName),
        ]
        if let locale = group.surroundings.locale { variables.append(("LC_ALL", locale)) }
        for (name, value) in try fileVariables(group) {
            variables.removeAll { $0.0 == name }
            variables.append((name, value))
        }
        // In a root directory of its own a process can run the backtrace program only if that, and /proc, are in there.
        let isThere = group.surroundings.root.map { root in
            [(backtrace ?? "", X_OK), ("/proc/self/maps", R_OK)].allSatisfy { access(root + $0, $1) == 0 }
        }
        variables.append(("SWIFT_BACKTRACE", backtraceSettings(isThere ?? true ? backtrace : nil)))
        return variables.map { "\($0)=\($1)" }
    }

    /// The file is read anew for each process: a change counts from the next start on.
    private static func fileVariables(_ group: GroupPlan) throws(Problem) -> [(name: String, value: String)] {
        guard let path = group.surroundings.environmentFile else { return [] }
        return try environmentFile(path, uid: group.uid).variables
    }

    private static func environmentFile(_ path: String, uid: UInt32) throws(Problem) -> EnvironmentFile {
        let text: [UInt8]
        do throws(TrustedFile.Failure) {
            text = try TrustedFile.read(path, for: uid, limit: EnvironmentFile.limit)
        } catch {
            throw Problem(.environmentFile, "environment-file \(path): \(error)")
        }
        return try EnvironmentFile(text: text, path: path)
    }
}
