internal import Glibc
internal import SWSGIConfiguration
internal import SWSGISystem
internal import SWSGIWire

/// The supervisor's side of one daemon process: its control socket and its output.
final class WorkerHandle {
    /// One of its two output pipes.
    final class Output {
        let level: LogLevel
        /// Whether nothing may be written: closed at the first byte, so that writing fails from then on.
        let isRestricted: Bool
        private var descriptor: SharedDescriptor?
        private var splitter = LineSplitter()
        private(set) var isOpen = true

        init(_ descriptor: consuming Descriptor, level: LogLevel, isRestricted: Bool = false) {
            number = descriptor.number
            self.descriptor = SharedDescriptor(descriptor)
            self.level = level
            self.isRestricted = isRestricted
        }

        /// For poll, while `isOpen`.
        let number: Int32

        /// Whether something was written although nothing may be; true once, and closed after that.
        func wasMisused() -> Bool {
            guard isRestricted, isOpen else { return false }
            var byte: UInt8 = 0
            let count = Glibc.read(number, &byte, 1)
            if count < 0, errno == EINTR || errno == EAGAIN { return false }
            isOpen = false
            descriptor = nil
            return count > 0
        }

        /// Reads what is there, at most `limit` bytes, and returns the complete lines.
        func read(limit: Int) -> [String] {
            guard isOpen, !isRestricted else { return [] }
            var lines: [String] = []
            var rest = limit
            withUnsafeTemporaryAllocation(byteCount: 16 * 1024, alignment: 16) { buffer in
                while rest > 0 {
                    let count = Glibc.read(number, buffer.baseAddress, min(buffer.count, rest))
                    if count < 0, errno == EINTR { continue }
                    if count == 0 || (count < 0 && errno != EAGAIN) { isOpen = false }
                    guard count > 0 else { return }
                    rest -= count
                    lines += splitter.add(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
                }
            }
            return lines
        }

        /// The last line, when it has no newline.
        func finish() -> String? { splitter.finish() }
    }

    /// One read of its control socket.
    enum Reading {
        case message(WorkerMessage)
        case malformed(String)
        case nothing
        case closed
    }

    let group: Int
    let ticket: Int
    let pid: Int32
    /// Name of its directory for snapshots.
    let directory: String
    let outputs: [Output]
    /// Whether httpd's children know that it has ended, or is about to.
    var hasRecordedEnd = false
    /// Whether it has been told that its output does not appear.
    var hasHiddenOutput = false
    private let control: Descriptor
    private(set) var isControlOpen = true

    init(
        group: Int,
        ticket: Int,
        pid: Int32,
        directory: String,
        control: consuming Descriptor,
        stdout: consuming Descriptor,
        stderr: consuming Descriptor,
        restrictsOutput: Bool
    ) {
        self.group = group
        self.ticket = ticket
        self.pid = pid
        self.directory = directory
        self.control = control
        outputs = [Output(stdout, level: .info, isRestricted: restrictsOutput), Output(stderr, level: .error)]
    }

    var controlNumber: Int32 { control.number }

    /// Whether it took the message; it never gets the time to make us wait.
    func send(_ message: SupervisorMessage) -> Bool {
        message.bytes.withUnsafeBytes { bytes in
            do throws(Errno) {
                try Socket.send(control.number, bytes, waits: false)
                return true
            } catch {
                // A process that is just ending is not deaf: its end comes by itself.
                return !error.wouldBlock
            }
        }
    }

    /// The next message; every byte of it is the tenant's.
    func receive(_ buffer: UnsafeMutableRawBufferPointer) -> Reading {
        guard isControlOpen else { return .nothing }
        do {
            let received = try Socket.receive(control.number, into: buffer, waits: false)
            received.closeDescriptors()
            if received.descriptors.0 >= 0 { return .malformed("a descriptor") }
            if received.count == 0 {
                isControlOpen = false
                return .closed
            }
            return try .message(WorkerMessage(UnsafeRawBufferPointer(rebasing: buffer[..<received.count])))
        } catch let error as Malformed {
            return .malformed("a malformed message (\(error))")
        } catch let error as Errno {
            if error.wouldBlock || error.interrupted { return .nothing }
            if error.code == EMSGSIZE { return .malformed("a message that is too long") }
            isControlOpen = false
            return .closed
        } catch {
            return .malformed("a malformed message")
        }
    }

    /// Ends it and everything that it started in its session; returns why that can't be.
    func kill() -> Errno? {
        guard Glibc.kill(-pid, SIGKILL) != 0, errno != ESRCH else { return nil }
        return .last
    }
}
