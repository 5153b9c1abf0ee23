import Foundation

extension TestServer {
    /// One request on a connection of its own.
    func get(_ target: String, headers: [String] = [], timeout: Double = 60) throws -> HTTPResponse {
        try HTTPConnection(port: port, timeout: timeout).get(target, headers: headers)
    }

    func request(_ method: String, _ target: String, headers: [String] = [], body: [UInt8] = []) throws -> HTTPResponse
    {
        try HTTPConnection(port: port).request(method, target, headers: headers, body: body.isEmpty ? nil : body)
    }

    func url(_ target: String) -> String { "http://127.0.0.1:\(port)\(target)" }

    /// curl, with its exit status: 18 is a transfer that was cut short.
    func curl(
        _ first: String...,
        arguments: [String] = [],
        within seconds: Double = 60
    ) throws -> Finished {
        try run(Installation.curl, ["--silent", "--show-error", "--noproxy", "*"] + first + arguments, within: seconds)
    }
}
