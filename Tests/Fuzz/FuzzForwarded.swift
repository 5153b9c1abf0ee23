import SWSGIModuleCore

/// What proxies and clients write into X-Forwarded-For and Forwarded, and addresses and networks of the configuration.
func fuzzForwarded(_ bytes: UnsafeRawBufferPointer) {
    // With every other address trusted, walks are of all lengths.
    func isTrusted(_ address: Address) -> Bool { address.low & 1 == 0 }
    func nobody(_: Address) -> Bool { false }

    let found = forwardedClient(bytes, isTrusted: isTrusted)
    promise(found?.node == model(Array(bytes), isTrusted), "another client than a plain walk finds")
    if let found {
        travelsAgain(found.node.address)
        // What is left of a list when the rest has been cut off says the same.
        let kept = UnsafeRawBufferPointer(rebasing: bytes[found.start...])
        promise(
            forwardedClient(kept, isTrusted: isTrusted)?.node == found.node,
            "a list that was cut says something else"
        )
    }
    // Without trust only the last element counts: whatever a client wrote before it changes nothing.
    let last = bytes.lastIndex(of: UInt8(ascii: ",")).map { bytes[($0 + 1)...] } ?? bytes[...]
    if !last.allSatisfy({ $0 == 0x20 || $0 == 0x09 }) {
        let alone = forwardedClient(UnsafeRawBufferPointer(rebasing: last), isTrusted: nobody)
        promise(
            forwardedClient(bytes, isTrusted: nobody)?.node == alone?.node,
            "an element that nobody vouches for is believed"
        )
    }
    if let element = forwardedElement(bytes, isTrusted: isTrusted) {
        if let client = element.client { travelsAgain(client.address) }
        let kept = UnsafeRawBufferPointer(rebasing: bytes[element.start...])
        let again = forwardedElement(kept, isTrusted: isTrusted)
        promise(
            again?.client == element.client && again?.host == element.host,
            "a header that was cut says something else"
        )
        promise((element.host?.utf8.count ?? 0) <= 3 * bytes.count, "a host longer than the header")
    }
    if let node = forwardedNode(bytes[...]) { travelsAgain(node.address) }
    if let network = Network(String(decoding: bytes, as: UTF8.self)) {
        promise((0...128).contains(network.bits) && network.contains(network.base), "a network without its base")
    }
}

/// The same walk, over a list that has been cut before it is looked at.
private func model(_ list: [UInt8], _ isTrusted: (Address) -> Bool) -> ForwardedNode? {
    func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 }
    var client: ForwardedNode?
    for part in list.split(separator: UInt8(ascii: ","), omittingEmptySubsequences: false).reversed().prefix(64) {
        let element = Array(Array(part.drop(while: isBlank).reversed()).drop(while: isBlank).reversed())
        if element.isEmpty { continue }
        guard let node = element.withUnsafeBytes({ forwardedNode($0[...]) }) else { return client }
        client = node
        if !isTrusted(node.address) { return client }
    }
    return client
}

/// An address written and read once more is the same.
private func travelsAgain(_ address: Address) {
    promise(Address(Array(address.text.utf8)) == address, "'\(address.text)' is another address")
}
