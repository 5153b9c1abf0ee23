internal import SWSGIConfiguration

/// What the directives about proxies say together: whom they trust that they should not.
public struct ProxyTrust: Sendable {
    private var trustsProxies = false
    private var headers: (first: Place, last: Place, categories: ProxyHeader.Category, names: [String])?
    private var found: [Problem] = []
    /// What is trusted where, for a list of it.
    private(set) var listed: [String] = []

    init() {}

    /// An address or network of WSGITrustedProxies.
    public mutating func note(_ network: Network, at place: Place) {
        trustsProxies = true
        listed.append("\(network.text)  (\(place.text))")
        // 96 bits are those that every IPv4 address has.
        guard network.bits == 0 || network.bits == 96 && network.base.isIPv4 else { return }
        found.append(
            Problem(
                .everybodyTrusted,
                "\(place.text): WSGITrustedProxies names all addresses, as \(network.bits == 0 ? "::/0" : "0.0.0.0/0")"
            )
        )
    }

    /// A header of WSGITrustedProxyHeaders.
    public mutating func note(_ header: ProxyHeader, at place: Place) {
        listed.append("\(header.name)  (\(place.text))")
        guard let seen = headers, seen.last == place else {
            headers = (headers?.first ?? place, place, header.categories, ["\(header.name)"])
            return
        }
        if !seen.categories.isDisjoint(with: header.categories),
            let rival = seen.names.last(where: {
                ProxyHeader($0)?.categories.isDisjoint(with: header.categories) == false
            })
        {
            found.append(
                Problem(
                    .headersRival,
                    "\(place.text): WSGITrustedProxyHeaders has \(rival) and \(header.name) for the same; the first that a request has is used"
                )
            )
        }
        headers?.categories.formUnion(header.categories)
        headers?.names.append("\(header.name)")
    }

    /// What is doubtful.
    var remarks: [Problem] {
        guard let headers, !trustsProxies else { return found }
        let missing =
            "\(headers.first.text): WSGITrustedProxyHeaders without WSGITrustedProxies: every client is believed"
        return [Problem(.proxiesMissing, missing)] + found
    }
}

extension Place {
    /// File and line, for messages.
    public var text: String { "\(file):\(line)" }
}
