import Foundation
import Glibc

/// What the tests need of this machine and of the build.
enum Installation {
    static let apache = "/usr/sbin/apache2"
    static let httpdModules = "/usr/lib/apache2/modules"
    static let curl = "/usr/bin/curl"

    /// The package's directory.
    static let package = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        .path

    /// The directory of the built products.
    static let products: String = {
        let chosen = ProcessInfo.processInfo.environment["SWSGI_BUILD_DIR"] ?? "\(package)/.build/release"
        return URL(fileURLWithPath: chosen).resolvingSymlinksInPath().path
    }()

    /// Why the tests can't run here; nil when they can.
    static var obstacle: String? {
        if geteuid() != 0 { return "integration tests run as root, as httpd's parent does" }
        for path in [apache, curl, module, daemon] where !FileManager.default.isExecutableFile(atPath: path) {
            if !FileManager.default.fileExists(atPath: path) { return "\(path) is missing" }
        }
        return nil
    }

    static var module: String { "\(products)/libmod_swsgi.so" }
    static var daemon: String { "\(products)/swsgid" }

    /// The toolchain's helper that writes backtraces, in its self-contained form.
    static var backtraceHelper: String? {
        let search = (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":").map { "\($0)/swift" }
        for swift in search + ["/opt/swift/usr/bin/swift", "/usr/bin/swift"] {
            let real = URL(fileURLWithPath: swift).resolvingSymlinksInPath().deletingLastPathComponent()
            let helper = real.deletingLastPathComponent().path + "/libexec/swift/linux/swift-backtrace-static"
            if FileManager.default.isExecutableFile(atPath: helper) { return helper }
        }
        return nil
    }

    /// Lays an installation out in `directory`.
    static func install(into directory: String) throws {
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        try place(module, at: "\(directory)/mod_swsgi.so")
        try place(daemon, at: "\(directory)/swsgid")
        if let backtraceHelper { try place(backtraceHelper, at: "\(directory)/swift-backtrace-static") }
    }

    /// The same file under another name where that is possible, and otherwise a copy.
    static func place(_ source: String, at target: String) throws {
        if link(source, target) == 0 { return }
        try FileManager.default.copyItem(atPath: source, toPath: target)
        chmod(target, 0o755)
    }
}

/// Ports of 127.0.0.1 below the range that the kernel gives to clients: each test process has a range of its own.
enum Ports {
    private static let lock = NSLock()
    private static let first: UInt16 = 15000
    private static let perProcess: UInt16 = 500
    /// The first port of this process's range: it is taken for as long as the process lives, by a name that goes with it.
    private static let range: UInt16? = (0..<UInt16(32)).lazy.map { first + $0 * perProcess }.first { reserve($0) }
    nonisolated(unsafe) private static var next = UInt16(getpid() % 500)  // under `lock` only

    static func free() throws -> UInt16 {
        try lock.withLock {
            guard let range else { throw SystemFailure("no free range of ports") }
            for _ in 0..<perProcess {
                next = (next + 1) % perProcess
                if isFree(range + next) { return range + next }
            }
            throw SystemFailure("no free port")
        }
    }

    /// Binds an abstract Unix socket that is named after the range; it stays open.
    private static func reserve(_ range: UInt16) -> Bool {
        let socket = Glibc.socket(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let name = Array("\0swsgi-test-ports-\(range)".utf8)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: name) }
        let length = socklen_t(MemoryLayout<sa_family_t>.size + name.count)
        let isBound = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(socket, $0, length) == 0 }
        }
        if !isBound { close(socket) }
        return isBound
    }

    private static func isFree(_ port: UInt16) -> Bool {
        let socket = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        defer { close(socket) }
        var one: Int32 = 1
        setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &one, socklen_t(MemoryLayout<Int32>.size))
        var address = sockaddr_in.loopback(port)
        return withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(socket, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
            }
        }
    }
}

extension sockaddr_in {
    static func loopback(_ port: UInt16) -> sockaddr_in {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        return address
    }
}

/// Conditions of the suites.
enum Machine {
    static var hasApache: Bool {
        geteuid() == 0
            && [Installation.apache, Installation.curl].allSatisfy(FileManager.default.isExecutableFile(atPath:))
    }

    /// Everything that integration tests need; they are skipped otherwise.
    static var canServe: Bool { Installation.obstacle == nil }

    /// Whether file systems can be mounted here: in many containers they can't.
    static let canMount: Bool = {
        let directory = FileManager.default.temporaryDirectory.appendingPathComponent("swsgi-mount.\(getpid())").path
        try? FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        defer { rmdir(directory) }
        guard geteuid() == 0, (try? run("/bin/mount", ["-t", "tmpfs", "tmpfs", directory]).status) == 0 else {
            return false
        }
        return (try? run("/bin/umount", [directory]).status) == 0
    }()

    /// Whether system calls can be delayed and made to fail.
    static let canTrace = FileManager.default.isExecutableFile(atPath: "/usr/bin/strace")

    /// Whether limits of running processes can be changed.
    static let canLimit = FileManager.default.isExecutableFile(atPath: "/usr/bin/prlimit")

    /// Whether daemon processes are built with a sanitizer (scripts/sanitize): what memory they need is not theirs then.
    static var isSanitized: Bool { sanitizer != nil }

    /// Whether a crashed daemon process writes a backtrace: the thread sanitizer does not survive that.
    static var hasBacktraces: Bool { sanitizer != "thread" }

    private static var sanitizer: String? { ProcessInfo.processInfo.environment["SWSGI_SANITIZER"] }
}
