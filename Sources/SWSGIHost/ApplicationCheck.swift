internal import Glibc
public import SWSGIConfiguration
internal import SWSGISystem
public import SWSGIWire

/// An application that has been looked at, and not loaded.
public struct ApplicationCheck: Sendable {
    /// The bundle that its entry file names, or is.
    public let bundle: String
    /// The function that the entry file names.
    public let symbol: String?

    /// Looks at an entry file and its bundle as the process's effective user sees them.
    public init(entryFile: String, _ ownership: Ownership) throws(Problem) {
        let file = try SourceFile(entryFile, kind: "entry file", ownership)
        let entry = try BundleSource.read(file)
        bundle = entry.bundle
        symbol = entry.symbol
        if let place = entry.directory {
            do throws(Errno) {
                try CurrentProcess.enterDirectory(place)
            } catch {
                throw Problem(.entryDirectory, "directory \(place) of entry file \(entryFile): \(error)")
            }
        }
        let source = try SourceFile(entry.bundle, kind: "bundle", ownership)
        try Self.checkImage(source)
    }

    /// A file that is cut short while it is mapped ends the process: whoever asks has one for this alone.
    private static func checkImage(_ file: SourceFile) throws(Problem) {
        let size = Int(file.identity.size)
        guard size > 0 else { throw Problem(.fileEmpty, "bundle \(file.path) is empty") }
        guard let address = mmap(nil, size, PROT_READ, MAP_PRIVATE, file.descriptor.number, 0), address != MAP_FAILED
        else {
            throw Problem(.fileUnreadable, "bundle \(file.path) can't be mapped: \(Errno.last)")
        }
        defer { munmap(address, size) }
        _ = try ELFImage(UnsafeRawBufferPointer(start: address, count: size), path: file.path)
    }
}
