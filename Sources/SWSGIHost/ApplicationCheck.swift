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
    ///
    /// `isGuest`: for a process that belongs to another program, such as httpd's child. `function` is the one that the
    /// configuration names, empty for the entry file's own or the usual one, nil when it is not known. `program` is the path of
    /// the one that would load it, if that is known.
    public init(
        entryFile: String,
        _ ownership: Ownership,
        isGuest: Bool = false,
        function: String? = nil,
        program: String? = nil
    ) throws(Problem) {
        let file = try SourceFile(entryFile, kind: "entry file", ownership)
        let entry = try BundleSource.read(file)
        if isGuest { try BundleSource.checkGuest(entry, path: entryFile) }
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
        let named = function.map { $0.isEmpty ? entry.symbol ?? "application" : $0 }
        try Self.checkImage(source, function: named, entry, program)
    }

    /// A file that is cut short while it is mapped ends the process: whoever asks has one for this alone.
    private static func checkImage(
        _ file: SourceFile,
        function: String?,
        _ entry: EntryFile,
        _ program: String?
    ) throws(Problem) {
        let size = Int(file.identity.size)
        guard size > 0 else { throw Problem(.fileEmpty, "bundle \(file.path) is empty") }
        guard let address = mmap(nil, size, PROT_READ, MAP_PRIVATE, file.descriptor.number, 0), address != MAP_FAILED
        else {
            throw Problem(.fileUnreadable, "bundle \(file.path) can't be mapped: \(Errno.last)")
        }
        defer { munmap(address, size) }
        let bytes = UnsafeRawBufferPointer(start: address, count: size)
        let image = try ELFImage(bytes, path: file.path)
        if let function {
            try image.refuseData(function, bytes, path: file.path)
            // The loader would look into the libraries that a bundle brings, too.
            if image.symbols.kind(of: function, bytes) == .missing,
                !LibraryLinks.hasOwn(image, bundle: file.path, libraryPath: entry.libraryPath)
            {
                throw Problem(.symbolMissing, "bundle \(file.path) does not export '\(function)'")
            }
        }
        try ResourceBundles.check(bytes, bundle: file.path, program: program)
    }
}
