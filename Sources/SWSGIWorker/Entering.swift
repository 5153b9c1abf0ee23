internal import Glibc
internal import SWSGIConfiguration
internal import SWSGISystem
internal import SWSGIWire

/// Makes the process what its group is configured to be, before any code of an application is there.
func enter(_ surroundings: Surroundings, _ channel: SupervisorChannel) throws(Problem) {
    if let locale = surroundings.locale, setlocale(LC_ALL, locale) == nil {
        channel.log(Problem(.localeMissing, "locale '\(locale)' does not exist"))
    }
    CurrentProcess.preferForKilling(outOfMemoryScore)
    try step("core dumps") { () throws(Errno) in
        try CurrentProcess.setCoreDumps(surroundings.dumpDirectory)
    }
    if let root = surroundings.root { try enter(root, directory: surroundings.directoryInRoot ?? "/") }
    // The crash handler takes it back, for the backtrace program and for a core dump.
    try step("dumpable") { () throws(Errno) in try CurrentProcess.hide() }
    try step("memory-limit") { () throws(Errno) in
        try CurrentProcess.limit(.data, surroundings.dataLimit)
    }
    try step("virtual-memory-limit") { () throws(Errno) in
        try CurrentProcess.limit(.addressSpace, surroundings.addressLimit)
    }
}

/// The process is to go before httpd and the supervisor when memory runs out.
private let outOfMemoryScore = 200

/// Only now, when nothing outside is needed any more: the program, its loader and the locale have been read.
private func enter(_ root: String, directory: String) throws(Problem) {
    do throws(Errno) {
        try CurrentProcess.enterRoot(root)
    } catch {
        throw Problem(.setupFailed, "chroot to \(root): \(Capability.sysChroot.explain(error))")
    }
    try step("working directory \(directory) in \(root)") { () throws(Errno) in
        try CurrentProcess.enterDirectory(directory)
    }
}

private func step(_ name: String, _ body: () throws(Errno) -> Void) throws(Problem) {
    do throws(Errno) {
        try body()
    } catch {
        throw Problem(.setupFailed, "\(name): \(error)")
    }
}
