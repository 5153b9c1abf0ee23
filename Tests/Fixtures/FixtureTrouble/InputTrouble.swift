import SWSGI

extension Trouble {
    /// Every strange way to read the request body.
    func input(_ path: String) throws -> Body? {
        let input = environ.input
        switch path {
        case "/read-past-end":
            let all = try input.readAll(limit: 1000)
            var more = 0
            for _ in 0..<1000 { more += try input.read(upTo: 10).count }
            return started(["\(all.count) and \(more)\n"])
        case "/read-strangely":
            let counts = try [-1, Int.min, 0].map { try input.read(upTo: $0).count }
            let all = try input.readAll(limit: .max)
            return started(["\(counts) and \(all.count)\n"])
        case "/read-lines":
            var lines: [String] = []
            try input.forEachLine { lines.append(String(decoding: $0, as: UTF8.self)) }
            return started(["\(lines)\n"])
        default: return nil
        }
    }
}
