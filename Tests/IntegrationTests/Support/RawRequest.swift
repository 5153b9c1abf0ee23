import Foundation
import Testing

/// A request as bytes, and what must come of it: a row of the table of requests that are odd, wrong or hostile.
struct RawRequest: Sendable, CustomTestStringConvertible {
    /// The row's number.
    let row: String
    /// What is sent; characters up to U+00FF stand for bytes.
    let bytes: [UInt8]
    /// The status of the response; 0: the connection ends without one.
    let status: Int
    /// Fields of the environ that the application saw; nil for those that must not be there.
    let seen: [String: String?]
    /// Whether the client says at the end that it sends no more.
    let finishes: Bool

    init(_ row: String, _ text: String, _ status: Int, seen: [String: String?] = [:], finishes: Bool = false) {
        self.row = row
        bytes = text.unicodeScalars.map { UInt8(truncatingIfNeeded: $0.value) }
        self.status = status
        self.seen = seen
        self.finishes = finishes
    }

    /// A GET request with these lines after its Host.
    static func get(_ row: String, _ lines: String, _ status: Int, seen: [String: String?] = [:]) -> RawRequest {
        RawRequest(row, "GET /environ HTTP/1.1\r\nHost: localhost\r\n\(lines)\r\n\r\n", status, seen: seen)
    }

    /// A GET request for this target.
    static func target(_ row: String, _ target: String, _ status: Int, seen: [String: String?] = [:]) -> RawRequest {
        RawRequest(row, "GET \(target) HTTP/1.1\r\nHost: localhost\r\n\r\n", status, seen: seen)
    }

    /// A POST request to an application that reads its body.
    static func post(_ row: String, _ lines: String, _ body: String, _ status: Int, finishes: Bool = false)
        -> RawRequest
    {
        RawRequest(
            row,
            "POST /body/count HTTP/1.1\r\nHost: localhost\r\n\(lines)\r\n\r\n\(body)",
            status,
            finishes: finishes
        )
    }

    var testDescription: String { row }

    /// Sends it on a connection of its own, and compares.
    func check(_ server: TestServer) throws {
        let connection = try HTTPConnection(port: server.port, timeout: 30)
        try connection.send(bytes)
        if finishes { connection.finishSending() }
        guard status > 0 else {
            #expect(throws: HTTPFailure.self, "\(row)") { try connection.response() }
            return
        }
        let response = try connection.response(to: bytes.starts(with: "HEAD".utf8) ? "HEAD" : "GET")
        #expect(response.status == status, "\(row): \(response.status) \(response.text.prefix(200))")
        guard status == 200 else { return }
        let fields = RawRequest.fields(response.body)
        for (key, value) in seen { #expect(fields[key] == value, "\(row): \(key)") }
        // One request is one response: nothing else may come of it.
        #expect(response.all("X-Injected").isEmpty, "\(row)")
    }

    /// `key=value` lines; bytes as characters up to U+00FF.
    private static func fields(_ body: [UInt8]) -> [String: String] {
        let text = String(String.UnicodeScalarView(body.map { Unicode.Scalar($0) }))
        var fields: [String: String] = [:]
        // A value may hold line ends: a line that is no field belongs to the one before.
        var last: String?
        for line in text.unicodeScalars.split(separator: "\n", omittingEmptySubsequences: false) {
            if let equals = line.firstIndex(of: "="),
                line[..<equals].allSatisfy({
                    $0 == "." || $0 == "_" || $0.properties.isAlphabetic || $0.properties.numericType != nil
                })
            {
                let key = String(line[..<equals])
                fields[key] = String(line[line.index(after: equals)...])
                last = key
            } else if let last {
                fields[last, default: ""] += "\n" + String(line)
            }
        }
        return fields
    }
}
