import Glibc
import SWSGI

/// One request that asks for trouble.
struct Trouble {
    let environ: Environ
    let startResponse: StartResponse

    /// What ends or stops the process; and `/ok`.
    func process(_ path: String) throws -> Body? {
        switch path {
        case "/ok": break
        case "/trap": return Body("never \(troubleTrap([], at: 3))\n")
        case "/overflow": return Body("never \(digForEver(0))\n")
        case "/abort": abort()
        case "/segv": raise(SIGSEGV)
        case "/exit": exit(3)
        case "/kill9": kill(getpid(), SIGKILL)
        case "/trap-after-head":
            let write = startResponse("200 OK", plain)
            try write("some of the body\n")
            try write("never \(troubleTrap([], at: 3))\n")
        case "/sleep": sleepMilliseconds()
        case "/count": count()
        default: return nil
        }
        return started(["ok\n"])
    }

    /// What writes somewhere else than to the client.
    func output(_ path: String) throws -> Body? {
        switch path {
        case "/stdout":
            print("stdout line one\nstdout line two")
            fflush(nil)
        case "/stderr":
            var text = "stderr line one\nstderr line two\n"
            text.withUTF8 { _ = write(STDERR_FILENO, $0.baseAddress, $0.count) }
        case "/log":
            for level in LogLevel.allCases { environ.errors.log(level, "a line at level \(level)") }
            print("a line through wsgi.errors", to: &environ.errors)
        case "/log-bytes":
            environ.errors.log(.info, "escaped: \u{1B}[31m \u{7} \"quoted\" end\nsecond line")
            environ.errors.log(.info, "long: " + String(repeating: "x", count: 1 << 20))
            environ.errors.log(.info, "control: " + String(repeating: "\u{1}", count: 1 << 20))
        case "/stderr-bytes":
            var text = "stderr \u{1B}[31m \u{7} end\n" + String(repeating: "y", count: 20000) + "\n"
            text.withUTF8 { _ = write(STDERR_FILENO, $0.baseAddress, $0.count) }
        default: return nil
        }
        return started(["ok\n"])
    }

    /// What an application does wrong with its response.
    func response(_ path: String) throws -> Body? {
        switch path {
        case "/throw":
            throw TroubleError(description: "thrown before the head")
        case "/throw-after-head":
            let write = startResponse("200 OK", plain)
            try write("some of the body\n")
            throw TroubleError(description: "thrown after the head")
        case "/never-start":
            return ["content without a head\n"]
        case "/short":
            startResponse("200 OK", plain + [("Content-Length", "100")])
            return ["0123456789"]
        case "/long":
            startResponse("200 OK", plain + [("Content-Length", "10")])
            return [String(repeating: "0123456789", count: 10)]
        case "/headers":
            let query = Parameters(decoding: environ["QUERY_STRING", default: ""].utf8)
            let value = String(repeating: "x", count: query["bytes"].flatMap { Int($0) } ?? 0)
            let count = query["count"].flatMap { Int($0) } ?? 1
            return started(["ok\n"], (0..<count).map { ("X-Big-\($0)", value) })
        case "/bad-header":
            return started(["never\n"], [("X-Trouble", "one\r\nX-Injected: two")])
        default: return nil
        }
    }

    func started(_ body: Body, _ headers: [(String, String)] = []) -> Body {
        startResponse("200 OK", plain + headers)
        return body
    }

    /// Notes in a file that this request was run.
    private func count() {
        let query = Parameters(decoding: environ["QUERY_STRING", default: ""].utf8)
        guard let name = query["name"], let file = query["file"], let stream = fopen(file, "a") else { return }
        fputs("\(name)\n", stream)
        fclose(stream)
    }

    private func sleepMilliseconds() {
        let query = Parameters(decoding: environ["QUERY_STRING", default: ""].utf8)
        let milliseconds = query["ms"].flatMap { Int($0) } ?? 1000
        var left = timespec(tv_sec: milliseconds / 1000, tv_nsec: milliseconds % 1000 * 1_000_000)
        var rest = timespec()
        while nanosleep(&left, &rest) != 0 && errno == EINTR { left = rest }
    }
}

/// Traps: an index out of bounds, in a function that a backtrace can name.
@inline(never)
func troubleTrap(_ values: [Int], at index: Int) -> Int {
    values[index]
}
