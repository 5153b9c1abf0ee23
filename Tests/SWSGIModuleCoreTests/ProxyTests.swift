import Testing

@testable import SWSGIModuleCore

@Suite struct NetworkTests {
    @Test(arguments: [
        ("192.0.2.1", "192.0.2.1"), ("::ffff:192.0.2.1", "192.0.2.1"), ("2001:DB8:0::1", "2001:db8::1"), ("::", "::"),
    ]) func literalAddress_isRead(text: String, shown: String) {
        #expect(Address(text.utf8)?.text == shown)
    }

    @Test(arguments: [
        "", "1", "1.2.3", "1.2.3.4.5", "256.1.1.1", "01.2.3.4", "1.2.3.4 ", " 1.2.3.4", "1.2.3.4:80", "localhost",
        "fe80::1%eth0",
        "[::1]", "::1::", "12345::", "1.2.3.4/8", "1.2.3.4\u{0}", String(repeating: "1", count: 100),
    ]) func anythingElse_isNoAddress(text: String) {
        #expect(Address(text.utf8) == nil)
    }

    @Test(arguments: [
        ("10.0.0.0/8", "10.255.1.2", true), ("10.0.0.0/8", "11.0.0.1", false), ("10.1.2.3/8", "10.9.9.9", true),
        ("192.0.2.1", "192.0.2.1", true), ("192.0.2.1", "192.0.2.2", false), ("192.0.2.0/31", "192.0.2.1", true),
        ("0.0.0.0/0", "8.8.8.8", true), ("0.0.0.0/0", "2001:db8::1", false), ("::/0", "8.8.8.8", true),
        ("2001:db8::/32", "2001:db8:1::1", true), ("2001:db8::/32", "2001:db9::1", false),
        ("2001:db8::1:0/112", "2001:db8::1:ffff", true), ("2001:db8::1:0/112", "2001:db8::2:0", false),
        ("::ffff:10.0.0.0/104", "10.1.1.1", true), ("127.0.0.0/8", "::1", false),
    ]) func network_containsItsAddresses(network: String, address: String, isInside: Bool) throws {
        let network = try #require(Network(network))
        let inside = network.contains(try #require(Address(address.utf8)))
        #expect(inside == isInside)
    }

    @Test(arguments: [
        "", "/", "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/+8", "10.0.0.0/8/8", "10.0.0/8", "::/129",
        "host/8",
        "10.0.0.0/255.0.0.0", "10.0.0.0/ 8", "10.0.0.0/0008",
    ]) func malformedNetwork_isRefused(text: String) {
        #expect(Network(text) == nil)
    }
}

@Suite struct ForwardedTests {
    private static let trusted = [Network("10.0.0.0/8"), Network("2001:db8:ffff::/48"), Network("127.0.0.1")].compactMap
    { $0 }

    private func isTrusted(_ address: Address) -> Bool { Self.trusted.contains { $0.contains(address) } }

    private func client(_ list: String) -> String? {
        var list = list
        return list.withUTF8 { forwardedClient(UnsafeRawBufferPointer($0), isTrusted: isTrusted)?.node.address.text }
    }

    private func element(_ header: String) -> ForwardedElement? {
        var header = header
        return header.withUTF8 { forwardedElement(UnsafeRawBufferPointer($0), isTrusted: isTrusted) }
    }

    @Test(arguments: [
        ("192.0.2.1", "192.0.2.1"), ("192.0.2.1, 10.0.0.1", "192.0.2.1"), ("192.0.2.1,10.0.0.1,10.0.0.2", "192.0.2.1"),
        ("203.0.113.9, 192.0.2.1, 10.0.0.1", "192.0.2.1"), ("192.0.2.1, 203.0.113.9", "203.0.113.9"),
        ("10.0.0.1", "10.0.0.1"), ("10.0.0.3, 10.0.0.2, 10.0.0.1", "10.0.0.3"), ("  192.0.2.1  ", "192.0.2.1"),
        ("192.0.2.1,", "192.0.2.1"), (",192.0.2.1", "192.0.2.1"), ("192.0.2.1,,10.0.0.1", "192.0.2.1"),
        ("192.0.2.1, , ,10.0.0.1,", "192.0.2.1"), ("\t192.0.2.1\t,\t10.0.0.1", "192.0.2.1"),
        ("192.0.2.1:1234, 10.0.0.1", "192.0.2.1"), ("192.0.2.1, 10.0.0.1:80", "192.0.2.1"),
        ("[2001:db8::1], 10.0.0.1", "2001:db8::1"), ("[2001:db8::1]:443, 10.0.0.1", "2001:db8::1"),
        ("2001:db8::1, 10.0.0.1", "2001:db8::1"), ("2001:DB8:0:0::1", "2001:db8::1"),
        ("192.0.2.1, 2001:db8:ffff::7", "192.0.2.1"), ("::ffff:192.0.2.1, 10.0.0.1", "192.0.2.1"),
        ("192.0.2.1, ::ffff:10.0.0.1", "192.0.2.1"), ("::1", "::1"), ("127.0.0.1, 127.0.0.1", "127.0.0.1"),
        ("spoofed, 192.0.2.1, 10.0.0.1", "192.0.2.1"), ("1.1.1.1, 2.2.2.2", "2.2.2.2"),
    ]) func walk_findsTheFirstUntrustedAddress(list: String, expected: String) {
        #expect(client(list) == expected)
    }

    @Test(arguments: [
        ("unknown, 10.0.0.1", "10.0.0.1"), ("<script>alert(1)</script>, 10.0.0.1", "10.0.0.1"),
        ("www.example.com, 10.0.0.2, 10.0.0.1", "10.0.0.2"), ("192.0.2.1, unknown, 10.0.0.1", "10.0.0.1"),
        ("192.0.2.1, _hidden, 10.0.0.1", "10.0.0.1"), ("192.0.2.1, fe80::1%eth0, 10.0.0.1", "10.0.0.1"),
        ("192.0.2.1; 10.0.0.5, 10.0.0.1", "10.0.0.1"), ("1.2.3, 10.0.0.1", "10.0.0.1"),
        ("010.0.0.1, 10.0.0.1", "10.0.0.1"), ("192.0.2.1, 0x0a000001, 10.0.0.1", "10.0.0.1"),
        ("192.0.2.1:, 10.0.0.1", "10.0.0.1"), ("192.0.2.1:123456, 10.0.0.1", "10.0.0.1"),
        ("[2001:db8::1, 10.0.0.1", "10.0.0.1"), ("[192.0.2.1], 10.0.0.1", "10.0.0.1"),
        ("[2001:db8::1]x, 10.0.0.1", "10.0.0.1"), ("\"192.0.2.1\", 10.0.0.1", "10.0.0.1"),
    ]) func walk_endsAtWhatIsNoAddress(list: String, expected: String) {
        #expect(client(list) == expected)
    }

    @Test(arguments: [
        "", " ", ",", ", ,", "unknown", "localhost", "<script>", "10.0.0.1, x", "\u{e9}", "192.0.2.1 10.0.0.1",
    ])
    func listWithoutAnAddressAtItsEnd_saysNothing(list: String) {
        #expect(client(list) == nil)
    }

    @Test func longList_isWalkedFor64HopsAndNoFurther() {
        let hops = Array(repeating: "10.0.0.1", count: 2000)
        #expect(client(hops.joined(separator: ",")) == "10.0.0.1")
        #expect(client((["192.0.2.1"] + hops.prefix(63)).joined(separator: ",")) == "192.0.2.1")
        #expect(client((["192.0.2.1"] + hops.prefix(64)).joined(separator: ",")) == "10.0.0.1")
        #expect(client(String(repeating: ",", count: 8000) + "192.0.2.1") == "192.0.2.1")
    }

    @Test(
        arguments: [
            ("for=192.0.2.1", "192.0.2.1", nil, nil), ("For=192.0.2.1;Proto=https", "192.0.2.1", nil, "https"),
            ("for=\"[2001:db8::1]:4711\"", "2001:db8::1", nil, nil), ("for=\"192.0.2.1:80\"", "192.0.2.1", nil, nil),
            ("for=192.0.2.1;host=example.com;proto=http;by=10.0.0.1", "192.0.2.1", "example.com", "http"),
            ("for=192.0.2.1;host=a, for=10.0.0.1;host=b", "192.0.2.1", "a", nil),
            ("for=203.0.113.1;host=evil, for=192.0.2.1;host=a, for=10.0.0.1;host=b", "192.0.2.1", "a", nil),
            ("for=\"a,b\", for=192.0.2.1", "192.0.2.1", nil, nil),
            ("for=192.0.2.1;ext=\"q\\\"uoted, ;\"", "192.0.2.1", nil, nil),
            ("for=unknown;proto=https", nil, nil, "https"), ("for=_hidden;host=a", nil, "a", nil),
            ("proto=https", nil, nil, "https"),
            ("for=_x;host=evil, for=10.0.0.1;host=b", "10.0.0.1", "b", nil),
            (" , for=192.0.2.1 ,", "192.0.2.1", nil, nil),
            ("for=192.0.2.1; proto=https", "192.0.2.1", nil, "https"),
            ("for=[2001:db8::1]:80", "2001:db8::1", nil, nil),
            // Pairs may be missing (section 4).
            ("for=192.0.2.1;proto=https;", "192.0.2.1", nil, "https"), (";for=192.0.2.1", "192.0.2.1", nil, nil),
            ("for=192.0.2.1;;host=a", "192.0.2.1", "a", nil),
            ("for=192.0.2.1; ;, for=10.0.0.1;", "192.0.2.1", nil, nil),
            (";, for=10.0.0.1", "10.0.0.1", nil, nil),
        ] as [(String, String?, String?, String?)]
    )
    func forwarded_isReadAsRFC7239(header: String, client: String?, host: String?, proto: String?) throws {
        let found = try #require(element(header))
        #expect(found.client?.address.text == client)
        #expect(found.host == host)
        #expect(found.proto == proto)
    }

    @Test(arguments: [
        "for", "for=", "=x", "for=\"", "for=\"a\\", "for=a b", "for=192.0.2.1;host", "for=192.0.2.1;;=a", "a/b=c",
        "for =1.2.3.4",
        "for=192.0.2.1, for", "", ",",
    ]) func malformedForwarded_saysNothing(header: String) {
        #expect(element(header) == nil)
    }
}

@Suite struct ProxyOverridesTests {
    private func overrides(
        _ declared: [ProxyHeader],
        _ headers: [ProxyHeader: String],
        peer: String = "127.0.0.1",
        proxies: [String]? = ["127.0.0.0/8", "10.0.0.0/8"]
    ) -> ProxyOverrides {
        let networks = proxies?.compactMap { Network($0) }
        let stored = headers.mapValues { Array($0.utf8) }
        return withExtendedLifetime(stored) {
            ProxyOverrides(
                declared: declared,
                peer: Address(peer.utf8),
                isTrusted: { address in networks?.contains { $0.contains(address) } ?? true },
                value: { header in
                    stored[header].map { bytes in
                        let copy = UnsafeMutableRawBufferPointer.allocate(byteCount: max(1, bytes.count), alignment: 1)
                        copy.copyBytes(from: bytes)
                        return UnsafeRawBufferPointer(rebasing: copy[..<bytes.count])
                    }
                }
            )
        }
    }

    @Test func everyHeader_hasItsNameAndEnvironKey() {
        for header in ProxyHeader.allCases {
            #expect(ProxyHeader("\(header.name)") == header)
            #expect(ProxyHeader("\(header.name)".lowercased()) == header)
            var key = "HTTP_" + "\(header.name)".uppercased().replacing("-", with: "_")
            #expect(key.withUTF8 { ProxyHeader(environKey: UnsafeRawBufferPointer($0)) } == header)
        }
        #expect(ProxyHeader("X-Forwarded") == nil)
        #expect(ProxyHeader("Via") == nil)
    }

    @Test func oneHeaderOfACategory_controlsAllOfThem() {
        let found = overrides(
            [.realIP],
            [.realIP: "192.0.2.1", .forwardedFor: "203.0.113.1", .forwardedProto: "https"]
        )
        #expect(found.client == "192.0.2.1")
        #expect(!found.drops(.realIP))
        #expect(found.drops(.forwardedFor) && found.drops(.clientIP) && found.drops(.forwarded))
        #expect(!found.drops(.forwardedProto) && !found.drops(.forwardedHost))
        #expect(found.isSecure == nil)
    }

    @Test func untrustedPeer_isNotBelieved() {
        let declared: [ProxyHeader] = [.forwardedFor, .forwardedProto, .scriptName]
        let found = overrides(declared, [.forwardedFor: "192.0.2.1", .forwardedProto: "https"], peer: "192.0.2.9")
        #expect(found.client == nil && found.isSecure == nil)
        #expect(found.drops(.forwardedFor) && found.drops(.clientIP) && found.drops(.https) && found.drops(.scriptName))
        #expect(!found.drops(.forwardedHost))
    }

    @Test func withoutAListOfProxies_everybodyIsBelieved() {
        let found = overrides(
            [.forwardedFor],
            [.forwardedFor: "203.0.113.1, 192.0.2.1"],
            peer: "192.0.2.9",
            proxies: nil
        )
        #expect(found.client == "203.0.113.1")
    }

    @Test func firstDeclaredHeaderThatIsThere_isUsed() {
        let found = overrides([.clientIP, .realIP, .forwardedFor], [.realIP: "192.0.2.1", .forwardedFor: "192.0.2.2"])
        #expect(found.client == "192.0.2.1")
        #expect(found.drops(.forwardedFor) && found.drops(.clientIP) && !found.drops(.realIP))
    }

    @Test(
        arguments: [
            ("https", true), ("HTTPS", true), ("http", false), ("ftp", nil), ("", nil), ("http, https", true),
            ("on", nil),
        ] as [(String, Bool?)]
    ) func schemeHeaders_sayHTTPOrHTTPS(value: String, expected: Bool?) {
        for header in [ProxyHeader.forwardedProto, .forwardedScheme, .scheme] {
            #expect(overrides([header], [header: value]).isSecure == expected)
        }
    }

    @Test(
        arguments: [
            ("on", true), ("1", true), ("True", true), ("Off", false), ("0", false), ("false", false), ("yes", nil),
        ] as [(String, Bool?)]
    ) func flagHeaders_sayOnOrOff(value: String, expected: Bool?) {
        for header in [ProxyHeader.forwardedHTTPS, .forwardedSSL, .https] {
            #expect(overrides([header], [header: value]).isSecure == expected)
        }
    }

    @Test(
        arguments: [
            ("example.com", "example.com"), ("example.com:8443", "example.com:8443"),
            ("evil, example.com", "example.com"),
            ("[::1]:80", "[::1]:80"), ("a b", nil), ("a/b", nil), ("<b>", nil), ("", nil),
        ] as [(String, String?)]
    ) func hostHeaders_areNames(value: String, expected: String?) {
        #expect(overrides([.forwardedHost], [.forwardedHost: value]).host == expected)
        #expect(overrides([.host], [.host: value]).host == expected)
        #expect(overrides([.forwardedServer], [.forwardedServer: value]).server == expected)
    }

    @Test(
        arguments: [
            ("443", "443"), ("0443", "443"), ("80, 443", "443"), ("0", nil), ("65536", nil), ("+80", nil), ("x", nil),
        ]
            as [(String, String?)]
    ) func portHeader_isAPort(value: String, expected: String?) {
        #expect(overrides([.forwardedPort], [.forwardedPort: value]).port == expected)
    }

    @Test(
        arguments: [
            ("/app", "/app"), ("/app/", "/app"), ("/", ""), ("", ""), ("app", nil), ("http://a/b", nil),
            ("/ham, /eggs", "/eggs"),
            ("/ham,", ""), ("/ham, eggs", nil),
        ]
            as [(String, String?)]
    ) func scriptHeaders_arePaths(value: String, expected: String?) {
        #expect(overrides([.scriptName], [.scriptName: value]).script == expected)
        #expect(overrides([.forwardedScriptName], [.forwardedScriptName: value]).script == expected)
    }

    @Test(
        arguments: [
            ("10.1.1.1, 198.51.100.2, 127.0.0.9", "198.51.100.2, 127.0.0.9", nil),
            ("evil, 198.51.100.2:4711", "198.51.100.2:4711", 4711), ("198.51.100.2", nil, nil),
            ("  198.51.100.2, 127.0.0.9", nil, nil), ("a, 198.51.100.2,,127.0.0.9", "198.51.100.2,,127.0.0.9", nil),
            ("unknown, 127.0.0.9", "127.0.0.9", nil), ("evil, unknown", "unknown", nil), ("evil,", "", nil),
            ("[2001:db8::1]:0", nil, nil), ("[2001:db8::1]:443", nil, 443), ("198.51.100.2:99999", nil, nil),
        ] as [(String, String?, UInt16?)]
    ) func listOfAddresses_isCutToWhatProxiesWrote(list: String, part: String?, port: UInt16?) {
        let found = overrides([.forwardedFor], [.forwardedFor: list])
        #expect(found.forwardedFor == part && found.clientPort == port && !found.drops(.forwardedFor))
    }

    @Test(
        arguments: [
            (
                "for=10.9.9.9;host=evil, for=192.0.2.1:80;host=a, for=10.0.0.1",
                "for=192.0.2.1:80;host=a, for=10.0.0.1", 80
            ),
            ("for=192.0.2.1", nil, nil), ("for=evil, for=unknown", "for=unknown", nil),
            ("for=evil, ;for=192.0.2.1;", ";for=192.0.2.1;", nil),
        ] as [(String, String?, UInt16?)]
    ) func forwarded_isCutToWhatProxiesWrote(list: String, part: String?, port: UInt16?) {
        let found = overrides([.forwarded], [.forwarded: list.replacing("192.0.2.1:80", with: "\"192.0.2.1:80\"")])
        #expect(found.forwarded == part?.replacing("192.0.2.1:80", with: "\"192.0.2.1:80\""))
        #expect(found.clientPort == port)
    }

    @Test func forwarded_standsForThreeCategories() {
        let header = "for=192.0.2.1;host=example.com;proto=https"
        let found = overrides([.forwarded], [.forwarded: header, .forwardedFor: "1.1.1.1", .forwardedPort: "99"])
        #expect(
            found.client == "192.0.2.1" && found.host == "example.com" && found.isSecure == true && found.port == nil
        )
        #expect(
            found.drops(.forwardedFor) && found.drops(.host) && found.drops(.scheme) && !found.drops(.forwardedPort)
        )
        #expect(!found.drops(.forwarded))
    }
}
