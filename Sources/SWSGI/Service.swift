public import CSWSGI

/// What a bundle's `service` function returns: the service's table (`swsgi.h`).
public typealias ExportedService = UnsafePointer<swsgi_service>

/// Exports a service: what a daemon process of a group with `threads=0` runs, on its main thread, in place of requests.
///
///     @c public func service() -> ExportedService {
///         exportService { service in
///             while service.wait(for: .seconds(60)) {
///                 try removeOldFiles()
///             }
///         }
///     }
///
/// When the closure returns or throws, the process ends and is started again, unless it was told to end. What it throws is
/// logged.
public func exportService(_ work: @escaping @Sendable (_ service: Service) throws -> Void) -> ExportedService {
    let table = UnsafeMutablePointer<swsgi_service>.allocate(capacity: 1)
    table.initialize(
        to: swsgi_service(
            abi_version: SWSGI_ABI_VERSION,
            size: UInt32(MemoryLayout<swsgi_service>.size),
            sdk: swsgi_text(
                bytes: UnsafeRawPointer(sdk.utf8Start).assumingMemoryBound(to: CChar.self),
                length: sdk.utf8CodeUnitCount
            ),
            context: Unmanaged.passRetained(Work(run: work)).toOpaque(),
            run: run
        )
    )
    return UnsafePointer(table)
}

/// The process that runs a service.
public struct Service: @unchecked Sendable {  // both tables are constant and live as long as the process
    private let host: UnsafePointer<swsgi_host>
    private let control: UnsafePointer<swsgi_control>

    fileprivate init(host: UnsafePointer<swsgi_host>, control: UnsafePointer<swsgi_control>) {
        self.host = host
        self.control = control
    }

    /// Whether the process is to end: the service should return soon.
    public var isStopping: Bool { control.pointee.stopping(control) != 0 }

    /// Waits for some time, or until the process is to end; false: it is to end.
    ///
    /// May be called from any thread.
    @discardableResult
    public func wait(for time: Duration) -> Bool {
        let (seconds, attoseconds) = time.components
        let milliseconds = seconds.multipliedReportingOverflow(by: 1000)
        let whole = milliseconds.overflow ? .max : milliseconds.partialValue
        let rest = (attoseconds + 999_999_999_999_999) / 1_000_000_000_000_000
        return control.pointee.wait(control, max(0, whole.addingReportingOverflow(rest).overflow ? .max : whole + rest))
            == 0
    }

    /// Waits until the process is to end.
    public func waitUntilStopping() { _ = control.pointee.wait(control, -1) }

    /// Writes to the error log of the process group, a line for each line of the text.
    public func log(_ level: LogLevel, _ text: String) {
        text.withChunkBytes { bytes in
            host.pointee.log(
                host,
                nil,
                level.rawValue,
                bytes.baseAddress?.assumingMemoryBound(to: CChar.self),
                bytes.count
            )
        }
    }

    /// The error log of the process group as a stream whose lines are of this level.
    ///
    ///     var log = service.stream(.notice)
    ///     print("removed", count, "files", to: &log)
    public func stream(_ level: LogLevel) -> ServiceLog { ServiceLog(service: self, level: level) }

    /// What the host says about itself and about the process.
    public var server: ServerFacts { ServerFacts(host: host) }
}

/// The error log of a process group as a stream of text.
///
/// What is written is collected to lines, each of which is logged when it is complete, and the last one with `flush()` or
/// when the last copy of the stream goes. A stream belongs to one thread; each thread takes one of its own.
public struct ServiceLog: TextOutputStream {
    private final class Line {
        let service: Service
        let level: LogLevel
        var unfinished = UnfinishedLine()

        init(service: Service, level: LogLevel) {
            self.service = service
            self.level = level
        }

        deinit { flush() }

        func flush() {
            if !unfinished.text.isEmpty { service.log(level, unfinished.text) }
            unfinished = UnfinishedLine()
        }
    }

    private let line: Line

    fileprivate init(service: Service, level: LogLevel) { line = Line(service: service, level: level) }

    /// Adds text to the stream.
    public mutating func write(_ text: String) {
        if let lines = line.unfinished.add(text) { line.service.log(line.level, lines) }
    }

    /// Ends the line that has been begun, if there is one.
    public func flush() { line.flush() }
}

/// Two threads would mix their lines.
@available(*, unavailable)
extension ServiceLog: Sendable {}

/// What the table's context points at.
private final class Work: Sendable {
    let run: @Sendable (Service) throws -> Void

    init(run: @escaping @Sendable (Service) throws -> Void) {
        self.run = run
    }
}

private func run(
    _ context: UnsafeMutableRawPointer?,
    _ host: UnsafePointer<swsgi_host>,
    _ control: UnsafePointer<swsgi_control>
) -> Int32 {
    guard let context, isCompatible(host), control.pointee.abi_version == SWSGI_ABI_VERSION else { return 1 }
    let service = Service(host: host, control: control)
    do {
        try Unmanaged<Work>.fromOpaque(context).takeUnretainedValue().run(service)
        return 0
    } catch {
        service.log(.error, "the service has failed: \(described(error))")
        return 1
    }
}
