internal import Glibc
internal import SWSGIConfiguration

/// The resource bundles of Swift packages: where the code that SwiftPM makes for `Bundle.module` looks for them.
///
/// That is the directory of the program that runs, and the directory in which the package was built. Where neither has
/// the bundle, that code ends the process.
enum ResourceBundles {
    /// A part of that code's last words.
    private static let mark = "could not load resource bundle: from "
    /// How names of resource bundles end, in the text of a program.
    private static let ending = ".resources\0"
    /// Bytes of a path.
    private static let pathLimit = 4096
    /// Resource bundles that are looked for: each has a target of its own.
    private static let limit = 1000

    /// Throws for the first one that a process of `program` would look for and not find; `program` is nil when it is not known.
    static func check(_ bytes: UnsafeRawBufferPointer, bundle: String, program: String?) throws(Problem) {
        guard find(mark, in: bytes) != nil else { return }
        for built in paths(in: bytes).prefix(limit) {
            guard let slash = built.utf8.lastIndex(of: UInt8(ascii: "/")) else { continue }
            let beside = program.map { String(folder($0) + built[slash...]) }
            let places = [beside, built].compactMap(\.self)
            guard !places.contains(where: isDirectory) else { continue }
            throw Problem(
                .resourcesMissing,
                "bundle \(bundle) looks for resources at \(places.joined(separator: " and at ")), and there are none"
            )
        }
    }

    /// Paths of resource bundles in the text of a program.
    static func paths(in bytes: UnsafeRawBufferPointer) -> [String] {
        var paths: [String] = []
        var rest = bytes
        var passed = 0
        while let place = find(ending, in: rest) {
            let end = passed + place + ending.utf8.count - 1
            let line = bytes[max(passed, end - pathLimit)..<end]
            let path = line.reversed().prefix { $0 != 0 }.reversed()
            if path.first == UInt8(ascii: "/"), let text = String(validating: path, as: UTF8.self),
                !paths.contains(text)
            {
                paths.append(text)
            }
            if paths.count >= limit { break }
            passed = end
            rest = UnsafeRawBufferPointer(rebasing: bytes[passed...])
        }
        return paths
    }

    /// Where a text begins.
    private static func find(_ text: String, in bytes: UnsafeRawBufferPointer) -> Int? {
        var text = text
        return text.withUTF8 { text in
            guard let start = bytes.baseAddress, let first = text.first, let wanted = text.baseAddress else {
                return nil
            }
            var place = 0
            while bytes.count - place >= text.count,
                let found = memchr(start + place, Int32(first), bytes.count - place - text.count + 1)
            {
                if memcmp(found, wanted, text.count) == 0 { return UnsafeRawPointer(found) - start }
                place = UnsafeRawPointer(found) - start + 1
            }
            return nil
        }
    }

    private static func folder(_ path: String) -> Substring {
        path[..<(path.utf8.lastIndex(of: UInt8(ascii: "/")) ?? path.endIndex)]
    }

    private static func isDirectory(_ path: String) -> Bool {
        var status = stat()
        return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
    }
}
