internal import Glibc
internal import SWSGIWire

// Files that httpd sends itself.
extension ResponseBuffer {
    /// Adds a part of a regular file to the body; `length` below 0: up to the end of the file.
    mutating func sendFile(_ descriptor: Int32, offset: Int64, length: Int64) -> Int32 {
        guard isStarted else { return ABIResult.notStarted }
        guard !isGone else { return ABIResult.clientGone }
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG, offset >= 0,
            offset <= status.st_size, length <= Int64(status.st_size) - offset
        else { return ABIResult.file }
        var count = length < 0 ? Int64(status.st_size) - offset : length
        var result = ABIResult.ok
        if let announced, count > announced - written {
            // One byte too many goes on: httpd drops it, and says so in its log.
            count = announced + 1 - written
            result = ABIResult.tooLong
        }
        guard count > 0 else { return result }
        let part = FilePart(offset: offset, length: count)
        // Opened anew, so that httpd shares neither position nor locks with the application.
        let opened = open("/proc/self/fd/\(descriptor)", O_RDONLY | O_CLOEXEC)
        let added = opened < 0 ? copy(part, of: descriptor) : add(part, of: opened)
        return added == ABIResult.ok ? result : added
    }

    /// Sends a part of a file as bytes: without /proc, without permission, without descriptors.
    private mutating func copy(_ part: FilePart, of descriptor: Int32) -> Int32 {
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 64 * 1024, alignment: 16)
        defer { buffer.deallocate() }
        var offset = part.offset
        while offset < part.end {
            let count = pread(descriptor, buffer.baseAddress, min(buffer.count, Int(part.end - offset)), off_t(offset))
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { return ABIResult.file }
            let sent = write(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
            guard sent == ABIResult.ok else { return sent }
            offset += Int64(count)
        }
        return ABIResult.ok
    }
}
