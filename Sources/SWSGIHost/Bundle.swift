internal import CSWSGI
internal import Glibc
internal import SWSGIConfiguration
internal import SWSGIWire

/// A mapped bundle and its application's table.
struct LoadedBundle {
    let application: UnsafePointer<swsgi_application>

    /// Maps the snapshot, for good, and calls the application's function.
    init(_ snapshot: Snapshot, entry: EntryFile, symbol: String, host: UnsafePointer<swsgi_host>) throws(Problem) {
        for library in snapshot.preload {
            guard dlopen(library, Self.mode) != nil else {
                throw Self.problem(Self.loaderError, bundle: entry.bundle, copy: library)
            }
        }
        guard let handle = dlopen(snapshot.path, Self.mode) else {
            throw Self.problem(Self.loaderError, bundle: entry.bundle, copy: snapshot.path)
        }
        guard let address = dlsym(handle, symbol) else {
            throw Problem(.symbolMissing, "bundle \(entry.bundle) does not export '\(symbol)'")
        }
        typealias Function = @convention(c) (UnsafePointer<swsgi_host>) -> UnsafePointer<swsgi_application>?
        guard let table = unsafeBitCast(address, to: Function.self)(host) else {
            throw Problem(.refused, "'\(symbol)' of bundle \(entry.bundle) returned no application")
        }
        try Self.check(table, bundle: entry.bundle, symbol: symbol)
        application = table
    }

    // NODELETE as unloading Swift code is never safe; NOW so that an undefined symbol shows here and not in a request.
    private static let mode = RTLD_NOW | RTLD_LOCAL | Int32(RTLD_NODELETE)

    /// Bytes of the smallest table of this version of the bundle ABI; what comes later may be missing.
    private static let firstTableSize = 48

    private static var loaderError: String {
        dlerror().map { String(cString: $0) } ?? "no reason given"
    }

    private static func check(
        _ table: UnsafePointer<swsgi_application>,
        bundle: String,
        symbol: String
    ) throws(Problem) {
        guard table.pointee.abi_version == SWSGI_ABI_VERSION else {
            throw Problem(
                .versionUnknown,
                "bundle \(bundle) was built for version \(table.pointee.abi_version) of the bundle ABI, this server has version \(SWSGI_ABI_VERSION)"
            )
        }
        guard Int(table.pointee.size) >= Self.firstTableSize else {
            throw Problem(
                .tableInvalid,
                "'\(symbol)' of bundle \(bundle) returned a table of \(table.pointee.size) bytes"
            )
        }
    }

    /// Sorts the loader's texts, which begin with the path of the copy.
    private static func problem(_ text: String, bundle: String, copy: String) -> Problem {
        let reason = text.hasPrefix(copy + ": ") ? String(text.dropFirst(copy.count + 2)) : text
        if reason.hasPrefix("undefined symbol") { return Problem(.symbolUndefined, "bundle \(bundle): \(reason)") }
        if strstr(reason, "cannot open shared object file") != nil {
            return Problem(.libraryMissing, "bundle \(bundle): \(reason)")
        }
        return Problem(.loadFailed, "bundle \(bundle): \(reason)")
    }
}
