internal import Glibc
internal import SWSGIConfiguration
internal import SWSGIHost
internal import SWSGISystem
internal import SWSGIWire

/// Looks at the files of applications as those who will use them see them; returns the program's exit status.
///
/// httpd's parent has started this program with the descriptors of `CheckDescriptors`, and never reads what it writes. A process of
/// its own: file systems that don't answer, and files that change under the eye, keep or end nobody else.
public func check() -> Int32 {
    signal(SIGPIPE, SIG_IGN)
    alarm(CheckPlan.seconds)
    guard let plan = readPlan() else { return 1 }
    var checker = Checker(plan)
    checker.run()
    return 0
}

private let planLimit = 256 << 20

private func readPlan() -> CheckPlan? {
    guard Memory.isSealed(CheckDescriptors.plan),
        let bytes = try? Memory.read(CheckDescriptors.plan, limit: planLimit)
    else { return nil }
    return try? bytes.withUnsafeBytes { bytes throws(Malformed) in try CheckPlan(bytes) }
}

private struct Checker {
    let plan: CheckPlan
    /// Indexes of the entries of each reader.
    private var entries: [[Int]]
    /// The programs that load bundles, while they can be seen: this one is that of daemon processes.
    private let program = Self.program(of: getpid())
    private let httpd = Self.program(of: getppid())
    /// Whether an entry has been reported already.
    private var isReported: [Bool]

    init(_ plan: CheckPlan) {
        self.plan = plan
        isReported = Array(repeating: false, count: plan.entries.count)
        entries = Array(repeating: [], count: plan.readers.count)
        for (index, entry) in plan.entries.enumerated() { entries[Int(entry.reader)].append(index) }
    }

    private static func program(of process: Int32) -> String? {
        withUnsafeTemporaryAllocation(of: CChar.self, capacity: Int(PATH_MAX)) { buffer in
            guard let start = buffer.baseAddress else { return nil }
            let count = readlink("/proc/\(process)/exe", start, buffer.count)
            guard count > 0, count < buffer.count else { return nil }
            return String(decoding: buffer[..<count].lazy.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        }
    }

    mutating func run() {
        if plan.purpose == .dump { Output.write("Entry files:\n") }
        asReader(plan.readers[0]) { checker in
            for index in checker.plan.entries.indices { checker.look(index) }
            for index in checker.entries[0] where !checker.isReported[index] { checker.read(index, as: 0) }
        }
        for index in plan.readers.indices.dropFirst() {
            asReader(plan.readers[index]) { checker in
                if checker.plan.purpose == .test { checker.enterDirectory(of: checker.plan.readers[index]) }
                for entry in checker.entries[index] where !checker.isReported[entry] { checker.read(entry, as: index) }
            }
        }
    }

    private mutating func asReader(_ reader: CheckPlan.Reader, _ body: (inout Checker) -> Void) {
        do throws(SwitchFailure) {
            let disguise = try Disguise.put(on: reader)
            body(&self)
            disguise.end()
        } catch {
            report(.checkFailed, "\(reader.title)\(error)")
        }
    }

    /// httpd's children find a file before they hand its request on.
    private mutating func look(_ index: Int) {
        let entry = plan.entries[index]
        var status = stat()
        guard stat(entry.path, &status) != 0 else { return }
        let error = Errno.last
        isReported[index] = true
        switch error.code {
        case ENOENT, ENOTDIR:
            report(index, Problem(.fileMissing, "entry file \(entry.path) does not exist"))
        default:
            let what = "entry file \(entry.path), for httpd's uid \(plan.readers[0].uid): \(error)"
            report(.entryFileHidden, "\(entry.place): \(what)")
            if plan.purpose == .dump { Output.write("  \(entry.path)  can't be used: \(what)\n") }
        }
    }

    private mutating func read(_ index: Int, as reader: Int) {
        let entry = plan.entries[index]
        if entry.mayBeDirectory, isDirectory(entry.inside) {
            if plan.purpose == .dump { Output.write("  \(entry.path)  a directory of entry files\n") }
            return
        }
        do throws(Problem) {
            var ownership = plan.readers[reader].ownership
            // httpd's children load no file that any user may write to, unless they run as the user who started httpd.
            if entry.isEmbedded { ownership.refusesWritable = plan.readers[reader].changesIdentity }
            let application = try ApplicationCheck(
                entryFile: entry.inside,
                ownership,
                isGuest: entry.isEmbedded,
                function: entry.function,
                program: entry.isEmbedded ? httpd : program
            )
            guard plan.purpose == .dump else { return }
            let symbol = application.symbol.map { ", symbol \($0)" } ?? ""
            Output.write("  \(entry.path)  bundle \(application.bundle)\(symbol)\n")
        } catch {
            // Who will read it is not known.
            if reader == 0, !entry.isEmbedded, error.code == .fileUnreadable { return }
            // The process that loads it at a start tells of it, but for what only the first use would show.
            if plan.purpose == .start, entry.isLoaded, error.code != .resourcesMissing { return }
            report(index, error)
        }
        _ = chdir("/")
    }

    private func isDirectory(_ path: String) -> Bool {
        var status = stat()
        return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
    }

    private func enterDirectory(of reader: CheckPlan.Reader) {
        do throws(Errno) {
            try CurrentProcess.enterDirectory(reader.directory)
        } catch {
            report(
                .directoryDoubtful,
                "\(reader.place): \(reader.title)\(reader.directory) for uid \(reader.uid): \(error)"
            )
        }
        _ = chdir("/")
    }

    private func report(_ index: Int, _ problem: Problem) {
        let entry = plan.entries[index]
        if plan.purpose == .dump {
            Output.write("  \(entry.path)  can't be used: \(problem)\n")
        } else {
            let title =
                entry.reader == 0 ? entry.isEmbedded ? "embedded mode: " : "" : plan.readers[Int(entry.reader)].title
            report(.entryFileDoubtful, "\(entry.place): \(title)\(problem)")
        }
    }

    private func report(_ code: MessageCode, _ what: String) {
        guard plan.purpose != .dump, code.level.rawValue <= max(plan.logLevel, LogLevel.notice.rawValue) else { return }
        let head = "[\(LogText.time())] [wsgi:\(code.level.name)] [pid \(getpid()):tid \(getpid())] "
        Output.write(head + LogText.escaped(code.text(what).utf8) + "\n", to: CheckDescriptors.log)
    }
}
