internal import CSWSGISystem
internal import Glibc

/// Memory behind a descriptor, to hand to another process.
public enum Memory {
    /// A sealed copy of bytes: nobody can change or shorten it.
    public static func sealed(_ name: String, _ bytes: UnsafeRawBufferPointer) throws(Errno) -> Descriptor {
        var empty: UInt8 = 0
        let start: UnsafeRawPointer = bytes.baseAddress ?? withUnsafePointer(to: &empty) { UnsafeRawPointer($0) }
        return Descriptor(owning: try check(swsgi_sealed_memory(name, start, bytes.count)))
    }

    /// A sealed copy of an array's bytes.
    public static func sealed(_ name: String, _ bytes: [UInt8]) throws(Errno) -> Descriptor {
        Descriptor(owning: try check(swsgi_sealed_memory(name, bytes, bytes.count)))
    }

    /// Zeroed memory of a fixed size, to be mapped by several processes.
    public static func shared(_ name: String, bytes: Int) throws(Errno) -> Descriptor {
        Descriptor(owning: try check(swsgi_shared_memory(name, bytes)))
    }

    /// Whether a received descriptor is memory that its sender can't change under the reader.
    public static func isSealed(_ descriptor: Int32) -> Bool {
        swsgi_is_sealed(descriptor) != 0
    }

    /// Maps shared memory; the mapping lives until the process ends or `unmap`.
    public static func map(_ descriptor: Int32, bytes: Int, writable: Bool) throws(Errno) -> UnsafeMutableRawPointer {
        let address = mmap(nil, bytes, writable ? PROT_READ | PROT_WRITE : PROT_READ, MAP_SHARED, descriptor, 0)
        guard let address, address != MAP_FAILED else { throw .last }
        return address
    }

    /// Ends a mapping.
    public static func unmap(_ address: UnsafeMutableRawPointer, bytes: Int) {
        munmap(address, bytes)
    }

    /// Reads a whole file, up to `limit` bytes; a longer one is an error (EFBIG).
    public static func read(_ descriptor: Int32, limit: Int) throws(Errno) -> [UInt8] {
        var bytes: [UInt8] = []
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw .last }
        guard status.st_size <= limit else { throw Errno(EFBIG) }
        bytes.reserveCapacity(Int(status.st_size) + 1)
        while true {
            let room = 64 * 1024
            var failure: Errno?
            let before = bytes.count
            bytes.append(contentsOf: repeatElement(0, count: room))
            let got = bytes.withUnsafeMutableBytes { buffer in
                pread(descriptor, buffer.baseAddress?.advanced(by: before), room, off_t(before))
            }
            if got < 0 { failure = .last }
            bytes.removeLast(room - max(got, 0))
            if let failure, !failure.interrupted { throw failure }
            if got == 0 { return bytes }
            if bytes.count > limit { throw Errno(EFBIG) }
        }
    }

    /// Reads what has no size of its own, such as a file under /proc, up to `limit` bytes.
    static func readStream(_ path: String, limit: Int) throws(Errno) -> [UInt8] {
        let file = try Descriptor.open(path, O_RDONLY)
        var bytes: [UInt8] = []
        while bytes.count < limit {
            let before = bytes.count
            bytes.append(contentsOf: repeatElement(0, count: 16 * 1024))
            let got = bytes.withUnsafeMutableBytes {
                Glibc.read(file.number, $0.baseAddress?.advanced(by: before), 16 * 1024)
            }
            bytes.removeLast(16 * 1024 - max(got, 0))
            if got < 0 { throw .last }
            if got == 0 { break }
        }
        return bytes
    }
}

/// Memory that several processes map: with its descriptor, until the last holder of this object goes.
public final class SharedMemory: Sendable {
    /// To hand on.
    public let descriptor: SharedDescriptor
    /// How many bytes there are.
    public let bytes: Int
    private let place: UInt

    /// Zeroed memory, mapped for reading and writing.
    public init(_ name: String, bytes: Int) throws(Errno) {
        descriptor = SharedDescriptor(try Memory.shared(name, bytes: bytes))
        self.bytes = bytes
        place = UInt(bitPattern: try Memory.map(descriptor.number, bytes: bytes, writable: true))
    }

    /// Where it is.
    public var address: UnsafeMutableRawPointer {
        // A mapping is never at 0.
        UnsafeMutableRawPointer(bitPattern: place).unsafelyUnwrapped
    }

    deinit { Memory.unmap(address, bytes: bytes) }
}

extension Memory {
    /// Maps all of the memory behind an inherited descriptor for good, and closes that.
    public static func adopt(_ number: Int32) throws(Errno) -> (address: UnsafeMutableRawPointer, bytes: Int) {
        let descriptor = Descriptor(owning: number)
        var status = stat()
        guard fstat(descriptor.number, &status) == 0 else { throw .last }
        let bytes = Int(status.st_size)
        return (try map(descriptor.number, bytes: bytes, writable: true), bytes)
    }
}
