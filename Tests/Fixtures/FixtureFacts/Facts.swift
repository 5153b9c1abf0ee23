import Glibc

/// Who the process is.
func identityFacts() -> [String] {
    // Real, effective, saved and file system: Glibc's module has no getresuid.
    let users = statusField("Uid:")
    let mainGroups = statusField("Gid:")
    var groups = [gid_t](repeating: 0, count: 1024)
    let count = max(0, Int(getgroups(Int32(groups.count), &groups)))
    let list = groups[..<count].sorted().map { String($0) }.joined(separator: ",")
    return [
        "pid=\(getpid())\n", "uid=\(users[0])\n", "euid=\(users[1])\n", "suid=\(users[2])\n",
        "gid=\(mainGroups[0])\n", "egid=\(mainGroups[1])\n", "sgid=\(mainGroups[2])\n", "groups=\(list)\n",
    ]
}

/// Where and as what it runs.
func processFacts() -> [String] {
    let directory = withUnsafeTemporaryAllocation(of: CChar.self, capacity: Int(PATH_MAX)) { buffer in
        buffer.baseAddress.flatMap { getcwd($0, buffer.count) }.map { String(cString: $0) } ?? "?"
    }
    let commandLine = file("/proc/self/cmdline").map { $0 == 0 ? UInt8(ascii: " ") : $0 }
    let name = file("/proc/self/comm").filter { $0 != UInt8(ascii: "\n") }
    return [
        "umask=\(statusField("Umask:")[0])\n", "cwd=\(directory)\n",
        "cmdline=\(String(decoding: commandLine, as: UTF8.self))\n",
        "comm=\(String(decoding: name, as: UTF8.self))\n", "threads=\(statusField("Threads:")[0])\n",
    ]
}

/// Each open descriptor but the one that reads the directory: `fd.N=target`.
func descriptorFacts() -> [String] {
    guard let directory = opendir("/proc/self/fd") else { return [] }
    defer { closedir(directory) }
    var open: [(Int32, String)] = []
    while let entry = readdir(directory) {
        let name = withUnsafeBytes(of: entry.pointee.d_name) { bytes in
            String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
        }
        guard let number = Int32(name), number != dirfd(directory) else { continue }
        open.append((number, linkTarget("/proc/self/fd/\(name)")))
    }
    return open.sorted { $0.0 < $1.0 }.map { "fd.\($0.0)=\($0.1)\n" }
}

/// Each variable of the process's environment as it is now: `env.NAME=value`.
func environmentFacts() -> [String] {
    var variables: [String] = []
    var next = environ
    while let variable = next.pointee {
        variables.append("env.\(String(cString: variable))\n")
        next = next.successor()
    }
    return variables.sorted()
}

private func linkTarget(_ path: String) -> String {
    withUnsafeTemporaryAllocation(of: CChar.self, capacity: Int(PATH_MAX)) { buffer in
        guard let start = buffer.baseAddress else { return "?" }
        let length = readlink(path, start, buffer.count)
        guard length >= 0 else { return "?" }
        return String(decoding: UnsafeRawBufferPointer(start: start, count: length), as: UTF8.self)
    }
}

/// The values of a line of /proc/self/status; the only way to see the umask without changing it.
private func statusField(_ name: String) -> [Substring] {
    let lines = file("/proc/self/status").split(separator: UInt8(ascii: "\n"))
    let line = lines.map { String(decoding: $0, as: UTF8.self) }.first { $0.hasPrefix(name) } ?? ""
    return line.dropFirst(name.count).split { $0.isWhitespace }
}

private func file(_ path: String) -> [UInt8] {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return [] }
    defer { close(descriptor) }
    var content: [UInt8] = []
    while true {
        let piece = [UInt8](unsafeUninitializedCapacity: 4096) { buffer, count in
            count = max(0, read(descriptor, buffer.baseAddress, buffer.count))
        }
        if piece.isEmpty { return content }
        content += piece
    }
}
