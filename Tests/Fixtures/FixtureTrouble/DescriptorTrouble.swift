import Glibc
import SWSGI

extension Trouble {
    /// What concerns the process and its own descriptors, behind the back of the gateway.
    func descriptors(_ path: String) throws -> Body? {
        let query = Parameters(decoding: environ["QUERY_STRING", default: ""].utf8)
        func number(_ name: String) -> Int { query[name].flatMap { Int($0) } ?? 0 }
        switch path {
        case "/fd-read":
            var byte: UInt8 = 0
            return started([outcome(read(Int32(number("fd")), &byte, 1))])
        case "/fd-write":
            let line = "a line for descriptor \(number("fd"))\n"
            return started([outcome(write(Int32(number("fd")), line, line.utf8.count))])
        case "/flood":
            // Numbered lines, each in one call, to a descriptor or to the error stream (fd=-1).
            let fill = String(repeating: "x", count: number("fill"))
            for index in 0..<number("lines") {
                guard number("fd") >= 0 else {
                    environ.errors.log(.error, "flood \(index) \(fill)")
                    continue
                }
                let line = "flood \(index) \(fill)\n"
                _ = write(Int32(number("fd")), line, line.utf8.count)
            }
            return started(["done\n"])
        case "/handle":
            signal(Int32(number("signal")), SIG_IGN)
            return started(["ok\n"])
        case "/handler":
            var action = sigaction()
            sigaction(Int32(number("signal")), nil, &action)
            let handler = withUnsafeBytes(of: action.__sigaction_handler) { $0.load(as: UInt.self) }
            return started([handler == 1 ? "ignored\n" : "handled\n"])
        default: return nil
        }
    }

    private func outcome(_ result: Int) -> String {
        let error = errno
        return result < 0 ? "\(String(cString: strerror(error)))\n" : "\(result)\n"
    }
}
