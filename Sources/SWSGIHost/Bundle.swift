internal import CSWSGI
internal import Glibc
internal import SWSGIConfiguration
internal import SWSGIWire

/// A mapped bundle and its application's table.
struct LoadedBundle {
    let application: UnsafePointer<swsgi_application>

    /// Calls the application's function, which lies at `address`.
    init(
        _ address: UnsafeMutableRawPointer,
        entry: EntryFile,
        symbol: String,
        host: UnsafePointer<swsgi_host>
    ) throws(Problem) {
        typealias Function = @convention(c) (UnsafePointer<swsgi_host>) -> UnsafePointer<swsgi_application>?
        guard let table = unsafeBitCast(address, to: Function.self)(host) else {
            throw Problem(.refused, "'\(symbol)' of bundle \(entry.bundle) returned no application")
        }
        try Self.check(
            version: table.pointee.abi_version,
            size: table.pointee.size,
            atLeast: Self.firstTableSize,
            bundle: entry.bundle,
            symbol: symbol
        )
        application = table
    }

    /// Maps a bundle, for good, and finds the function that it exports; `whenMapped` gets the loader's handle before.
    static func symbol(
        _ symbol: String,
        _ snapshot: Snapshot,
        entry: EntryFile,
        whenMapped: (UnsafeMutableRawPointer) -> Void = { _ in }
    ) throws(Problem) -> UnsafeMutableRawPointer {
        let places = snapshot.runPath + entry.libraryPath
        for library in snapshot.preload {
            guard dlopen(library, Self.mode) != nil else {
                throw Self.problem(Self.loaderError, bundle: entry.bundle, copy: library, places)
            }
        }
        guard let handle = dlopen(snapshot.path, Self.mode) else {
            throw Self.problem(Self.loaderError, bundle: entry.bundle, copy: snapshot.path, places)
        }
        whenMapped(handle)
        // dlsym also finds what the C library exports: calling that as an application would end the process.
        guard let address = dlsym(handle, symbol), address != dlsym(nil, symbol) else {
            throw Problem(.symbolMissing, "bundle \(entry.bundle) does not export '\(symbol)'")
        }
        return address
    }

    // NODELETE as unloading Swift code is never safe; NOW so that an undefined symbol shows here and not in a request.
    private static let mode = RTLD_NOW | RTLD_LOCAL | Int32(RTLD_NODELETE)

    /// Bytes of the smallest table of this version of the bundle ABI; what comes later may be missing.
    private static let firstTableSize = 48

    private static var loaderError: String {
        dlerror().map { String(cString: $0) } ?? "no reason given"
    }

    /// Checks what stands at the beginning of a table.
    static func check(
        version: UInt32,
        size: UInt32,
        atLeast least: Int,
        bundle: String,
        symbol: String
    ) throws(Problem) {
        guard version == SWSGI_ABI_VERSION else {
            throw Problem(
                .versionUnknown,
                "bundle \(bundle) was built for version \(version) of the bundle ABI, this server has version \(SWSGI_ABI_VERSION)"
            )
        }
        guard Int(size) >= least else {
            throw Problem(
                .tableInvalid,
                "'\(symbol)' of bundle \(bundle) returned a table of \(size) bytes"
            )
        }
    }

    /// Sorts the loader's texts, which begin with the path of the copy; `places` is where the loader looks before the system's
    /// directories.
    private static func problem(_ text: String, bundle: String, copy: String, _ places: [String]) -> Problem {
        let reason = text.hasPrefix(copy + ": ") ? String(text.dropFirst(copy.count + 2)) : text
        if reason.hasPrefix("undefined symbol") { return Problem(.symbolUndefined, "bundle \(bundle): \(reason)") }
        if strstr(reason, ": cannot open shared object file") != nil {
            let name = String(reason.prefix { $0 != ":" })
            return MissingLibrary(name: name, places: places).problem(bundle: bundle)
        }
        return Problem(.loadFailed, "bundle \(bundle): \(reason)")
    }
}
