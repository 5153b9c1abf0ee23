internal import Glibc
internal import SWSGIConfiguration
internal import SWSGISystem

/// A library that the loader could not open: the loader says the same of one that is not there and of one that it can't read.
struct MissingLibrary {
    let name: String
    /// Where it was looked for, before the system's own directories.
    let places: [String]

    func problem(bundle: String) -> Problem {
        let what = "bundle \(bundle) needs \(name)"
        let user = "uid \(geteuid())"
        for place in places {
            let file = name.contains("/") ? name : place + "/" + name
            guard let error = Self.obstacle(file) else { continue }
            return Problem(.libraryHidden, "\(what): \(file) can't be read by \(user): \(error)")
        }
        let looked = places.isEmpty ? "" : "in \(places.joined(separator: ", ")) and "
        return Problem(.libraryMissing, "\(what): not found \(looked)in the system's directories")
    }

    /// Why a file can't be read that is there, or may be: a directory above can't be searched.
    private static func obstacle(_ file: String) -> Errno? {
        let descriptor = open(file, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor < 0 else {
            close(descriptor)
            return nil
        }
        let error = Errno.last
        return error.code == EACCES || error.code == EPERM ? error : nil
    }
}

extension ELFImage {
    /// The directories of the run path of a file that lies at `path`.
    func places(of path: String) -> [String] {
        runPath.map { place in
            for origin in ["$ORIGIN", "${ORIGIN}"] where place.hasPrefix(origin) {
                return EntryFile.directory(of: path) + place.dropFirst(origin.count)
            }
            return place
        }
    }
}
