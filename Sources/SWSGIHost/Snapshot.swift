internal import Glibc
internal import SWSGIConfiguration
internal import SWSGISystem
internal import SWSGIWire

/// A private copy of a bundle, which nobody else can change while it is mapped.
struct Snapshot {
    /// Path of the copy.
    let path: String
    /// Libraries to load before it: the copy would not find them by itself.
    let preload: [String]
    /// Directories of the original's own run path: where the loader looks for what it needs.
    let runPath: [String]

    private static let copyAttempts = 5

    /// Copies the bundle into `directory`, which must exist and be empty, and makes the libraries beside the original
    /// reachable from the copy; `function` is what will be called.
    init(
        of bundle: String,
        function: String = "application",
        libraryPath: [String],
        in directory: String,
        _ ownership: Ownership = Ownership()
    ) throws(Problem) {
        let name = bundle.split(separator: "/").last.map(String.init) ?? "bundle.so"
        path = directory + "/" + name
        try Self.copy(bundle, to: path, ownership)
        let image = try Self.image(path, original: bundle, function: function)
        runPath = image.places(of: bundle)
        var links = LibraryLinks(copyDirectory: directory, libraryPath: libraryPath, ownership)
        try links.add(image, original: bundle)
        preload = links.preload
    }

    /// Copies until the original did not change meanwhile.
    private static func copy(_ bundle: String, to path: String, _ ownership: Ownership) throws(Problem) {
        for _ in 0..<copyAttempts {
            let source = try SourceFile(bundle, kind: "bundle", ownership)
            do throws(Errno) {
                let target = try Descriptor.open(path, O_WRONLY | O_CREAT | O_EXCL, mode: 0o500)
                try copyBytes(source.descriptor.number, target.number)
            } catch {
                throw Problem(.snapshotFailed, "bundle \(bundle) can't be copied to \(path): \(error)")
            }
            var status = stat()
            if fstat(source.descriptor.number, &status) == 0, FileIdentity(status) == source.identity { return }
            unlink(path)
        }
        throw Problem(.snapshotFailed, "bundle \(bundle) kept changing while it was copied")
    }

    private static func copyBytes(_ source: Int32, _ target: Int32) throws(Errno) {
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 256 * 1024, alignment: 4096)
        defer { buffer.deallocate() }
        while true {
            let got = read(source, buffer.baseAddress, buffer.count)
            if got == 0 { return }
            if got < 0 {
                if errno == EINTR { continue }
                throw .last
            }
            var done = 0
            while done < got {
                let written = write(target, buffer.baseAddress?.advanced(by: done), got - done)
                if written < 0, errno == EINTR { continue }
                guard written > 0 else { throw .last }
                done += written
            }
        }
    }

    private static func image(_ path: String, original: String, function: String) throws(Problem) -> ELFImage {
        let result: Result<ELFImage, Problem>
        do throws(Errno) {
            result = try withMapped(path) { bytes throws(Problem) in
                let image = try ELFImage(bytes, path: original)
                try image.refuseData(function, bytes, path: original)
                return image
            }
        } catch {
            throw Problem(.snapshotFailed, "the copy of bundle \(original) can't be read: \(error)")
        }
        return try result.get()
    }
}

/// Maps a file for the time of `body`; an empty file is given as no bytes.
func withMapped<Value>(
    _ path: String,
    _ body: (UnsafeRawBufferPointer) throws(Problem) -> Value
) throws(Errno) -> Result<Value, Problem> {
    let file = try Descriptor.open(path, O_RDONLY)
    var status = stat()
    guard fstat(file.number, &status) == 0 else { throw .last }
    guard status.st_size > 0 else { return Result { () throws(Problem) in try body(.init(start: nil, count: 0)) } }
    let size = Int(status.st_size)
    guard let address = mmap(nil, size, PROT_READ, MAP_PRIVATE, file.number, 0), address != MAP_FAILED else {
        throw .last
    }
    defer { munmap(address, size) }
    return Result { () throws(Problem) in try body(UnsafeRawBufferPointer(start: address, count: size)) }
}

/// Symbolic links that let a copied bundle find the libraries which the original would find.
///
/// The loader replaces `$ORIGIN` by the directory of the file it opened: the copy's. So each library that the original would
/// find beside itself gets a link at the same place relative to the copy; and those in the entry file's library-path a link
/// in the first such place. A bundle that looks at no such place has its libraries loaded before it.
struct LibraryLinks {
    private let copyDirectory: String
    private let libraryPath: [String]
    private let ownership: Ownership
    private var visited: Set<String> = []
    /// Libraries to load by path, those that others need first.
    private(set) var preload: [String] = []

    init(copyDirectory: String, libraryPath: [String], _ ownership: Ownership = Ownership()) {
        self.ownership = ownership
        self.copyDirectory = copyDirectory
        self.libraryPath = libraryPath
    }

    /// Links what `image` needs, and what that needs; it lies at `original`, and its copy or link at `place` below the copy's
    /// directory.
    mutating func add(_ image: ELFImage, original: String, place: String = "") throws(Problem) {
        let directory = EntryFile.directory(of: original)
        let places = image.runPath.compactMap(Self.afterOrigin)
        var libraries: [(name: String, place: String, file: String)] = []
        for name in image.needed where !name.contains("/") {
            let beside = places.map { (name, place + $0, directory + $0 + "/" + name) }
            let listed = libraryPath.map { (name, place + (places.first ?? ""), $0 + "/" + name) }
            guard let found = (beside + listed).first(where: { access($0.2, R_OK) == 0 }) else { continue }
            if !places.isEmpty { link(found.2, at: found.1, name: name) }
            libraries.append(found)
        }
        for library in libraries where visited.insert(library.name).inserted {
            let file = library.file
            let inner = try self.image(of: file)
            // To the loader, its '$ORIGIN' is where its link stands.
            if let inner { try add(inner, original: file, place: library.place) }
            if places.isEmpty { preload.append(file) }
        }
    }

    /// What a library says of itself; nil for what is none.
    ///
    /// It is read and not mapped: unlike the copy, it may be cut short at any moment.
    private func image(of library: String) throws(Problem) -> ELFImage? {
        let file: SourceFile
        do throws(Problem) {
            file = try SourceFile(library, kind: "library", ownership)
        } catch {
            if error.code.forbids { throw error }
            return nil
        }
        guard let bytes = try? Memory.read(file.descriptor.number, limit: 512 * 1024 * 1024)
        else { return nil }
        return try? bytes.withUnsafeBytes { bytes throws(Problem) in try ELFImage(bytes, path: library) }
    }

    /// Whether a bundle brings libraries of its own, beside it or in the entry file's library-path.
    static func hasOwn(_ image: ELFImage, bundle: String, libraryPath: [String]) -> Bool {
        let beside = image.runPath.compactMap(afterOrigin).map { EntryFile.directory(of: bundle) + $0 }
        return image.needed.contains { name in
            name.contains("/") || (beside + libraryPath).contains { access($0 + "/" + name, R_OK) == 0 }
        }
    }

    /// What follows `$ORIGIN` in a run path, or nil for another kind.
    private static func afterOrigin(_ place: String) -> String? {
        for origin in ["$ORIGIN", "${ORIGIN}"] where place.hasPrefix(origin) {
            return String(place.dropFirst(origin.count))
        }
        return nil
    }

    private func link(_ file: String, at place: String, name: String) {
        // A place above the copy's directory ("/../lib") stays inside this bundle's own part of the snapshots.
        var target = copyDirectory
        for part in place.split(separator: "/") {
            target += "/" + part
            if part != ".." { mkdir(target, 0o700) }
        }
        guard let absolute = realpath(file, nil) else { return }
        defer { free(absolute) }
        symlink(absolute, target + "/" + name)
    }
}
