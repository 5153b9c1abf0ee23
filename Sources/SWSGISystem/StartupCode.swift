internal import Glibc

extension CurrentProcess {
    /// Lets go of the code that has been mapped into memory so far; what is needed again comes back from the page cache.
    ///
    /// Loading runtimes and bundles touches megabytes of code that no request runs. Only executable file mappings without
    /// write permission are meant: their pages are never private, so that nothing is lost.
    public static func releaseStartupCode() {
        guard let text = try? Memory.readStream("/proc/self/maps", limit: 1024 * 1024) else { return }
        for line in text.split(separator: UInt8(ascii: "\n")) {
            let fields = line.split(separator: UInt8(ascii: " "), maxSplits: 5)
            guard fields.count == 6, fields[1].elementsEqual("r-xp".utf8),
                fields[5].drop(while: { $0 == UInt8(ascii: " ") }).first == UInt8(ascii: "/")
            else { continue }
            let ends = fields[0].split(separator: UInt8(ascii: "-")).map {
                UInt(String(decoding: $0, as: UTF8.self), radix: 16)
            }
            guard ends.count == 2, let start = ends[0], let end = ends[1], start < end else { continue }
            madvise(UnsafeMutableRawPointer(bitPattern: start), Int(end - start), MADV_DONTNEED)
        }
    }
}
