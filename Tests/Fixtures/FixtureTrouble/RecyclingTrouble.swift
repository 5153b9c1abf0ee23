import Glibc
import SWSGI

extension Trouble {
    /// What uses up a process.
    func use(_ path: String) -> Body? {
        let query = Parameters(decoding: environ["QUERY_STRING", default: ""].utf8)
        switch path {
        case "/pid": return started([String(getpid())])
        case "/spin": spin(milliseconds: query["ms"].flatMap { Int($0) } ?? 1000)
        case "/leak": leak(bytes: (query["mb"].flatMap { Int($0) } ?? 1) << 20)
        default: return nil
        }
        return started(["ok\n"])
    }

    /// Uses processor time, not only time.
    private func spin(milliseconds: Int) {
        let end = clock() + milliseconds * Int(CLOCKS_PER_SEC) / 1000
        while clock() < end {}
    }

    private func leak(bytes: Int) {
        let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: bytes, alignment: 4096)
        for offset in stride(from: 0, to: bytes, by: 4096) { memory[offset] = 1 }
    }
}
