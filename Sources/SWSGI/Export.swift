public import CSWSGI

/// What a bundle's `application` function returns: the application's table (`swsgi.h`).
public typealias ExportedApplication = UnsafePointer<swsgi_application>

/// Exports an application in the form of PEP 3333: a closure that gets the environ and `startResponse`, and returns
/// the body.
///
///     @c public func application() -> ExportedApplication {
///         export { environ, startResponse in
///             startResponse("200 OK", [("Content-Type", "text/plain")])
///             return ["Hello, world!\n"]
///         }
///     }
///
/// The closure is called from any of the process's request threads, from several at once. An error that it throws is
/// logged and answered with 500, unless it is an `ErrorWithResponse`.
public func export(
    _ application: @escaping @Sendable (_ environ: Environ, _ startResponse: StartResponse) throws -> Body
) -> ExportedApplication {
    export(onEvent: { _ in }, application)
}

/// The same, with a closure that is called with what happens to the process, from a thread of the host's while requests run.
public func export(
    onEvent observe: @escaping @Sendable (ProcessEvent) -> Void,
    _ application: @escaping @Sendable (_ environ: Environ, _ startResponse: StartResponse) throws -> Body
) -> ExportedApplication {
    makeTable(
        Exported(stopping: {}, observe: observe) { exchange in
            try application(Environ(exchange: exchange), StartResponse(exchange: exchange))
        }
    )
}

/// Exports an application in the typed form.
public func export(_ application: some Application) -> ExportedApplication {
    makeTable(
        Exported(stopping: application.stopping, observe: application.observe) { exchange in
            let response = try application.respond(to: Request(exchange: exchange))
            try exchange.start(response)
            return response.body
        }
    )
}

/// What the table's context points at.
final class Exported: Sendable {
    let stopping: @Sendable () -> Void
    let observe: @Sendable (ProcessEvent) -> Void
    let handler: Handler

    init(
        stopping: @escaping @Sendable () -> Void,
        observe: @escaping @Sendable (ProcessEvent) -> Void,
        handler: @escaping Handler
    ) {
        self.stopping = stopping
        self.observe = observe
        self.handler = handler
    }
}

#if compiler(>=6.4)
    let sdk: StaticString = "SWSGI/0.1.0 Swift/6.4+"
#elseif compiler(>=6.3)
    let sdk: StaticString = "SWSGI/0.1.0 Swift/6.3"
#else
    let sdk: StaticString = "SWSGI/0.1.0 Swift/6"
#endif

/// Makes a table that is never freed: the host may use it until the process ends.
func makeTable(_ exported: Exported) -> ExportedApplication {
    let table = UnsafeMutablePointer<swsgi_application>.allocate(capacity: 1)
    table.initialize(
        to: swsgi_application(
            abi_version: SWSGI_ABI_VERSION,
            size: UInt32(MemoryLayout<swsgi_application>.size),
            sdk: swsgi_text(
                bytes: UnsafeRawPointer(sdk.utf8Start).assumingMemoryBound(to: CChar.self),
                length: sdk.utf8CodeUnitCount
            ),
            context: Unmanaged.passRetained(exported).toOpaque(),
            respond: respond,
            stopping: stopping,
            event: event
        )
    )
    return UnsafePointer(table)
}

private func respond(
    _ context: UnsafeMutableRawPointer?,
    _ host: UnsafePointer<swsgi_host>,
    _ exchange: OpaquePointer
) -> Int32 {
    guard let context, isCompatible(host) else { return 1 }
    let exported = Unmanaged<Exported>.fromOpaque(context).takeUnretainedValue()
    return Exchange(host: host, pointer: exchange).run(exported.handler)
}

private func stopping(_ context: UnsafeMutableRawPointer?, _ host: UnsafePointer<swsgi_host>) {
    guard let context else { return }
    Unmanaged<Exported>.fromOpaque(context).takeUnretainedValue().stopping()
}

private func event(
    _ context: UnsafeMutableRawPointer?,
    _ host: UnsafePointer<swsgi_host>,
    _ number: Int32,
    _ detail: swsgi_text
) {
    guard let context, let event = ProcessEvent(number, detail) else { return }
    Unmanaged<Exported>.fromOpaque(context).takeUnretainedValue().observe(event)
}

/// Whether the host's table has the version, and at least the first size of it.
///
/// Reads nothing but these two fields. A host that fails this can't be told why: its `log` can't be relied on.
func isCompatible(_ host: UnsafePointer<swsgi_host>) -> Bool {
    let table = UnsafeRawPointer(host)
    return table.load(as: UInt32.self) == SWSGI_ABI_VERSION
        && table.load(fromByteOffset: 4, as: UInt32.self) >= UInt32(firstTableSize)
}

/// Bytes of the smallest table of this version of the bundle ABI.
private let firstTableSize = 152

extension UnsafePointer<swsgi_host> {
    /// Whether the table is large enough to have a field that came later.
    func has<Field>(_ field: KeyPath<swsgi_host, Field>) -> Bool {
        guard let offset = MemoryLayout<swsgi_host>.offset(of: field) else { return false }
        return Int(pointee.size) >= offset + MemoryLayout<Field>.size
    }
}
