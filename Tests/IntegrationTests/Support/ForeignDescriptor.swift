import Glibc

/// A copy of another process's descriptor, which root may take.
final class ForeignDescriptor {
    let number: Int32

    private init(_ number: Int32) { self.number = number }

    deinit { close(number) }

    /// The end of a queue of messages that a child of httpd sends to.
    static func queue(of pid: Int32) throws -> ForeignDescriptor? {
        let process = try call("pidfd_open", pid, 0)
        defer { close(process) }
        for number in (ProcessFacts(pid: pid)?.descriptors ?? [:]).keys {
            guard let copy = try? call("pidfd_getfd", process, Int32(number)) else { continue }
            let found = ForeignDescriptor(copy)
            var type: Int32 = 0
            var size = socklen_t(MemoryLayout<Int32>.size)
            if getsockopt(copy, SOL_SOCKET, SO_TYPE, &type, &size) == 0, type == Int32(SOCK_SEQPACKET.rawValue) {
                return found
            }
        }
        return nil
    }

    func send(_ bytes: [UInt8]) -> Bool {
        Glibc.send(number, bytes, bytes.count, Int32(MSG_NOSIGNAL)) == bytes.count
    }

    /// The C library has these functions, and no header that Swift sees.
    private static func call(_ name: String, _ first: Int32, _ second: Int32) throws -> Int32 {
        guard let symbol = dlsym(nil, name) else { throw SystemFailure(name, ENOSYS) }
        typealias Function = @convention(c) (Int32, Int32, UInt32) -> Int32
        let result = unsafeBitCast(symbol, to: Function.self)(first, second, 0)
        guard result >= 0 else { throw SystemFailure(name) }
        return result
    }
}
