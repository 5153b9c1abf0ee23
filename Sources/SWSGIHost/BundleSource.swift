internal import Glibc
internal import SWSGIConfiguration
internal import SWSGIWire

/// An entry file that has been read and acted on, and the snapshot of the bundle that it names.
struct BundleSource {
    let version: ApplicationVersion
    let entry: EntryFile
    /// The function that it exports.
    let symbol: String
    let snapshot: Snapshot

    /// Reads an entry file, enters its directory, sets its variables; `directory` is an empty directory for the snapshot.
    ///
    /// In a process that belongs to somebody else it may ask for neither.
    ///
    /// `usual` is the function of a bundle that neither the configuration nor the entry file names another one for.
    init(
        key: ApplicationKey,
        usual: String,
        directory: String,
        _ ownership: Ownership,
        isGuest: Bool = false
    ) throws(Problem) {
        let file = try SourceFile(key.entryFile, kind: "entry file", ownership)
        version = ApplicationVersion(key: key, identity: file.identity)
        entry = try Self.read(file)
        if isGuest { try Self.checkGuest(entry, path: key.entryFile) }
        if let place = entry.directory, chdir(place) != 0 {
            throw Problem(
                .entryDirectory,
                "directory \(place) of entry file \(key.entryFile): \(String(cString: strerror(errno)))"
            )
        }
        for variable in entry.environment { setenv(variable.name, variable.value, 1) }
        symbol = key.symbol.isEmpty ? entry.symbol ?? usual : key.symbol
        snapshot = try Snapshot(
            of: entry.bundle,
            function: symbol,
            libraryPath: entry.libraryPath,
            in: directory,
            ownership
        )
    }

    /// Refuses what an entry file may not ask for in a process that belongs to another program.
    static func checkGuest(_ entry: EntryFile, path: String) throws(Problem) {
        guard
            let name = entry.environment.first.map({ "environment.\($0.name)" })
                ?? entry.directory.map({ _ in "directory" })
        else { return }
        throw Problem(
            .processWide,
            "entry file \(path): '\(name)' would change the whole process, which in embedded mode is httpd's"
        )
    }

    static func read(_ file: SourceFile) throws(Problem) -> EntryFile {
        guard file.identity.size > 0 else { throw Problem(.fileEmpty, "entry file \(file.path) is empty") }
        if ELFImage.hasMagic(file.prefix(4)) { return EntryFile(bundle: file.path) }
        guard file.identity.size <= EntryFile.limit else {
            throw Problem(
                .entryNotText,
                "entry file \(file.path) is neither an ELF shared object nor a text of at most 64 KiB"
            )
        }
        return try EntryFile(text: file.prefix(EntryFile.limit), path: file.path)
    }
}
