import SWSGIWire
import Testing

@Suite struct TrailerTests {
    @Test(arguments: ["Server-Timing", "Digest", "X-Checksum", "grpc-status", "i", "tea", "hosts", "Dat"])
    func fieldsThatMayFollow(_ name: String) {
        #expect(Array(name.utf8).withUnsafeBytes { HeaderSyntax.isTrailer($0) })
    }

    @Test(arguments: [
        "Transfer-Encoding", "CONTENT-LENGTH", "content-type", "Content-Encoding", "Content-Range", "Host", "Trailer",
        "TE",
        "Connection", "Set-Cookie", "Authorization", "WWW-Authenticate", "Proxy-Authenticate", "If-Match",
        "Cache-Control",
        "Expires", "Date", "Age", "Location", "Vary", "Range", "ETag",
    ])
    func fieldsThatMayNot(_ name: String) {
        #expect(!Array(name.utf8).withUnsafeBytes { HeaderSyntax.isTrailer($0) })
    }
}
