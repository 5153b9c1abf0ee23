public import SWSGI

/// Comes to the end of the stack; the room that is looked at after each call keeps it from becoming a loop.
@inline(never) func digForEver(_ depth: Int) -> Int {
    withUnsafeTemporaryAllocation(byteCount: 1024, alignment: 8) { room in
        room.copyBytes(from: repeatElement(UInt8(depth & 255), count: room.count))
        return depth == .max ? 0 : digForEver(depth + 1) &+ Int(room[depth & 1023])
    }
}

/// Overflows the stack while it is loaded.
@c public func overflowing_application() -> ExportedApplication {
    export { [depth = digForEver(0)] environ, startResponse in
        startResponse("200 OK", [("Content-Type", "text/plain")])
        return ["\(depth)\n"]
    }
}
