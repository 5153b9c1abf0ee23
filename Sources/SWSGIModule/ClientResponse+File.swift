internal import CSWSGIModule
internal import Glibc
internal import SWSGIConfiguration
internal import SWSGIModuleCore
internal import SWSGIWire

// Files that an application has handed over: httpd reads them itself.
extension ClientResponse {
    mutating func file(_ payload: UnsafeRawBufferPointer, _ descriptor: Int32) throws(Malformed) {
        guard descriptor >= 0 else { throw Malformed("a file frame without a file") }
        var isWanted = false
        defer { if !isWanted { close(descriptor) } }
        let part = try FilePart(payload)
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            throw Malformed("a file frame with something else than a file")
        }
        // For HEAD, the beginning is enough for filters that make the head.
        let wanted = facts.header_only == 0 ? part.length : min(part.length, options.responseBuffer)
        let passed = try state.data(Int(wanted), ofFile: true)
        guard passed > 0, replacement == nil else { return }
        guard part.end <= status.st_size else {
            fileHasShrunk = true
            return
        }
        isWanted = true
        hasFile = true
        beginContent()
        swsgi_response_add_file(request, brigade, descriptor, part.offset, passed, facts.sendfile)
        added += passed
    }

    /// Of a file that has become shorter, what is missing can't be made up for.
    mutating func shrank() -> Int32 {
        report(.fileShrank, "a file became shorter, or unreadable, while it was sent")
        return abort(else: badGateway)
    }
}
