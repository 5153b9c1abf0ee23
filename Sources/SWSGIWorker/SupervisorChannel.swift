internal import SWSGIConfiguration
internal import SWSGISystem
internal import SWSGIWire

/// The socket to the supervisor.
///
/// Any thread may send; one receives.
struct SupervisorChannel: Sendable {
    let socket: Int32

    /// Sends a message; without a supervisor there is nobody to tell, and the control thread sees that by itself.
    func send(_ message: WorkerMessage) {
        message.bytes.withUnsafeBytes { bytes in
            _ = try? Socket.send(socket, bytes)
        }
    }

    /// Sends a line for the log of the group's virtual host.
    func log(_ level: LogLevel, _ text: String) {
        send(.log(level: level.rawValue, text: text))
    }

    /// Sends a problem for that log.
    func log(_ problem: Problem) {
        log(problem.code.level, problem.description)
    }

    /// The next message, or nil when the supervisor has gone.
    func receive() throws(Malformed) -> SupervisorMessage? {
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: ControlLimits.message, alignment: 8)
        defer { buffer.deallocate() }
        while true {
            let received: Socket.Received
            do throws(Errno) {
                received = try Socket.receive(socket, into: buffer)
            } catch {
                if error.interrupted { continue }
                return nil
            }
            received.closeDescriptors()
            if received.count == 0 { return nil }
            return try SupervisorMessage(UnsafeRawBufferPointer(rebasing: buffer[0..<received.count]))
        }
    }
}
