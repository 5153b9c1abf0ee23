import Foundation
import Testing

// Status lines and headers: the request says what the application is to answer.
extension ContractTests {
    func target(_ status: String, _ headers: [(String, String)] = [], body: String = "started") -> String {
        func encoded(_ text: String) -> String {
            text.utf8.map { byte in
                Character(UnicodeScalar(byte)).isLetter && byte < 0x80
                    ? String(UnicodeScalar(byte))
                    : "%" + String(Int(byte) + 0x100, radix: 16, uppercase: true).dropFirst()
            }.joined()
        }
        let fields = headers.map { "&name=\(encoded($0.0))&value=\(encoded($0.1))" }.joined()
        return "/start?status=\(encoded(status))&body=\(encoded(body))\(fields)"
    }

    func A13_statusOutOfRange_isAnswered500(_ server: TestServer) throws {
        for line in ["0 Zero", "99 Low", "1000 High", "-1 Negative", "9223372036854775807 Max", "abc", ""] {
            try server.expectFailure(target(line), "status code must be a 3 digit integer: \"\(line)\"")
        }
        try server.expectFailure(target("000 None"), "status code must be 200 to 599: 0")
        try server.expectFailure(target("200"), "no space following status code: \"200\"")
    }

    func A14_statusAbove599_isAnswered500(_ server: TestServer) throws {
        for status in [600, 999] {
            try server.expectFailure(target("\(status) Much"), "status code must be 200 to 599: \(status)")
        }
    }

    func A15_interimStatusAsFinal_isAnswered500(_ server: TestServer) throws {
        for status in [100, 101, 102, 103, 199] {
            try server.expectFailure(target("\(status) Continue"), "1xx can't be a final status: \(status)")
        }
    }

    func A16_forbiddenByteInReason_isAnswered500(_ server: TestServer) throws {
        for (byte, what) in [
            ("\r", "control"), ("\n", "control"), ("\0", "control"), ("\u{7F}", "control"), ("é", "invalid"),
        ] {
            try server.expectFailure(target("200 O\(byte)K"), "\(what) character in status reason phrase at byte 1: ")
        }
    }

    /// PEP 3333: without surrounding whitespace; RFC 9112, section 4: the phrase may be missing, the space may not.
    func spaceAroundTheReason_isAnswered500(_ server: TestServer) throws {
        for reason in [" OK", "OK ", " "] {
            let message = "space at an end of the status reason phrase: \"\(reason)\""
            try server.expectFailure(target("200 \(reason)"), message)
        }
        let empty = try server.get(target("200 "))
        #expect(empty.status == 200 && empty.reason == "OK" && empty.text == "started")
    }

    func A17_reasonOver256Bytes_isAnswered500(_ server: TestServer) throws {
        let reason = String(repeating: "r", count: 256)
        #expect(try server.get(target("200 \(reason)")).reason == reason)
        try server.expectFailure(target("200 \(reason)r"), "status reason phrase is longer than 256 bytes: 257")
    }

    func A18_wordsOfOtherProtocolsAsReason_areReasons(_ server: TestServer) throws {
        for word in ["Error", "Timeout", "Rejected", "Continue"] {
            let response = try server.get(target("200 \(word)"))
            #expect(response.status == 200)
            #expect(response.reason == word)
            #expect(response.text == "started")
        }
    }

    func A19_emptyHeaderName_isAnswered500(_ server: TestServer) throws {
        try server.expectFailure(target("200 OK", [("", "x")]), "header name is empty")
    }

    func A20_headerNameThatIsNoToken_isAnswered500(_ server: TestServer) throws {
        for (byte, what) in [
            (" ", "space"), (":", "invalid"), ("(", "invalid"), ("\r", "control"), ("\n", "control"), ("\0", "control"),
            ("é", "invalid"), ("\u{7F}", "control"),
        ] {
            let name = "X-N\(byte)ame"
            try server.expectFailure(
                target("200 OK", [(name, "x")]),
                "\(what) character in header name at byte 3: "
            )
        }
    }

    func A21_lineEndInHeaderValue_isAnswered500(_ server: TestServer) throws {
        for end in ["\r", "\n", "\r\n"] {
            try server.expectFailure(
                target("200 OK", [("X-Value", "one\(end)X-Injected: two")]),
                "carriage return/line feed character in header value at byte 3: X-Value: "
            )
        }
    }

    func A22_controlByteInHeaderValue_isAnswered500(_ server: TestServer) throws {
        for byte in ["\0", "\u{1}", "\u{1B}", "\u{7F}"] {
            try server.expectFailure(
                target("200 OK", [("X-Value", "one\(byte)two")]),
                "control character in header value at byte 3: X-Value: "
            )
        }
    }

    func A27_strangeContentLength_isAnswered500(_ server: TestServer) throws {
        for length in ["-1", "abc", "4,4", "+5", " 5", "5 ", "", "0x10", "18446744073709551616"] {
            try server.expectFailure(
                target("200 OK", [("Content-Length", length)]),
                "invalid Content-Length header value: \"\(length)\""
            )
        }
    }

    func A28_contentLengthAboveBody_abortsTheConnection(_ server: TestServer) throws {
        try server.expectCut(
            target("200 OK", [("Content-Length", "100")]),
            "SWSGI4025",
            "93 bytes less than the Content-Length"
        )
    }

    func A29_contentLengthBelowBody_cutsTheBody(_ server: TestServer) throws {
        let connection = try HTTPConnection(port: server.port)
        #expect(try connection.get(target("200 OK", [("Content-Length", "4")])).text == "star")
        try server.logs.waitForLine("SWSGI4026", "GET /start")
        #expect(try connection.get("/ok").text == "ok\n")
    }

    func A30_twoContentLengths_areAnswered500(_ server: TestServer) throws {
        for second in ["7", "8"] {
            try server.expectFailure(
                target("200 OK", [("Content-Length", "7"), ("content-length", second)]),
                "Content-Length header is given twice: \"7\", \"\(second)\""
            )
        }
    }

    func A31_transferEncoding_isDropped(_ server: TestServer) throws {
        for value in ["chunked", "gzip, chunked", "identity"] {
            let response = try server.get(target("200 OK", [("Transfer-Encoding", value)]))
            #expect(response.status == 200)
            #expect(response.text == "started")
            #expect(response["Transfer-Encoding"] == nil)
            #expect(response["Content-Length"] == "7")
        }
        try server.logs.waitForLine("SWSGI4029", "'Transfer-Encoding'")
    }

    func A32_headersOfTheServer_areDropped(_ server: TestServer) throws {
        for name in [
            "Connection", "Keep-Alive", "Proxy-Connection", "TE", "Trailer", "Trailers", "Upgrade",
            "Proxy-Authenticate",
            "Proxy-Authorization",
        ] {
            let response = try server.get(target("200 OK", [(name, "x-trouble")]))
            #expect(response.status == 200)
            #expect(response.all(name).allSatisfy { $0 != "x-trouble" }, "\(name)")
            try server.logs.waitForLine("SWSGI4029", "'\(name)'")
        }
    }

    func A33_statusHeader_isNoStatus(_ server: TestServer) throws {
        let response = try server.get(target("200 OK", [("Status", "404 Not Found")]))
        #expect(response.status == 200)
        #expect(response["Status"] == nil)
        try server.logs.waitForLine("SWSGI4029", "'Status'")
    }

    func A34_localLocation_isAPlainHeader(_ server: TestServer) throws {
        let response = try server.get(target("200 OK", [("Location", "/ok")]))
        #expect(response.status == 200)
        #expect(response["Location"] == "/ok")
        #expect(response.text == "started")
    }

    func A35_sendfileHeaders_arePlainHeaders(_ server: TestServer) throws {
        for name in ["X-Sendfile", "X-Accel-Redirect", "X-LIGHTTPD-send-file"] {
            let response = try server.get(target("200 OK", [(name, "/etc/passwd")]))
            #expect(response[name] == "/etc/passwd")
            #expect(response.text == "started")
        }
    }
}
