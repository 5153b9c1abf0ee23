internal import Glibc

/// An IPv4 or IPv6 address; IPv4 is kept as its IPv4-mapped IPv6 form, so that both forms are equal.
public struct Address: Equatable, Sendable {
    /// The first 64 bits.
    public var high: UInt64
    /// The last 64 bits.
    public var low: UInt64

    private static let mapped: UInt64 = 0x0000_ffff_0000_0000

    /// An address from its halves.
    public init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    /// Whether it is an IPv4 address, in either form.
    public var isIPv4: Bool { high == 0 && low & 0xffff_ffff_0000_0000 == Self.mapped }

    /// Reads a literal address, as inet_pton does: no names, no ports, no zones.
    public init?(_ text: some Collection<UInt8>) {
        guard (2...45).contains(text.count), !text.contains(0) else { return nil }
        let parsed = withUnsafeTemporaryAllocation(of: CChar.self, capacity: 46) { buffer -> Address? in
            for (index, byte) in text.enumerated() { buffer[index] = CChar(bitPattern: byte) }
            buffer[text.count] = 0
            guard let start = buffer.baseAddress else { return nil }
            return Address(literal: start)
        }
        guard let parsed else { return nil }
        self = parsed
    }

    private init?(literal: UnsafePointer<CChar>) {
        var four: UInt32 = 0
        if inet_pton(AF_INET, literal, &four) == 1 {
            self.init(high: 0, low: Self.mapped | UInt64(UInt32(bigEndian: four)))
            return
        }
        var six: (UInt64, UInt64) = (0, 0)
        guard inet_pton(AF_INET6, literal, &six) == 1 else { return nil }
        self.init(high: UInt64(bigEndian: six.0), low: UInt64(bigEndian: six.1))
    }

    /// The address in its shortest usual form; IPv4 with dots.
    public var text: String {
        withUnsafeTemporaryAllocation(of: CChar.self, capacity: 46) { buffer in
            guard let start = buffer.baseAddress else { return "" }
            if isIPv4 {
                var four = UInt32(truncatingIfNeeded: low).bigEndian
                inet_ntop(AF_INET, &four, start, 46)
            } else {
                var six = (high.bigEndian, low.bigEndian)
                inet_ntop(AF_INET6, &six, start, 46)
            }
            return String(cString: start)
        }
    }
}

/// All addresses that begin with the same bits: `10.0.0.0/8`, `2001:db8::/32`, or one address.
public struct Network: Equatable, Sendable {
    /// The bits that are compared, the others are 0.
    public var base: Address
    /// How many bits of the 128 are compared.
    public var bits: Int

    /// A network from its parts.
    public init(base: Address, bits: Int) {
        self.bits = bits
        self.base = Address(high: base.high & Self.mask(bits), low: base.low & Self.mask(bits - 64))
    }

    /// Reads an address, or an address with the number of its bits: of 32 for IPv4, of 128 for IPv6.
    public init?(_ text: String) {
        let parts = text.utf8.split(separator: UInt8(ascii: "/"), maxSplits: 1, omittingEmptySubsequences: false)
        guard let address = Address(parts[0]) else { return nil }
        // An IPv4-mapped address is written with colons, and counts its bits as IPv6 does.
        let isShort = !parts[0].contains(UInt8(ascii: ":"))
        guard parts.count == 2 else {
            self.init(base: address, bits: 128)
            return
        }
        let digits = parts[1]
        guard (1...3).contains(digits.count), digits.allSatisfy({ (0x30...0x39).contains($0) }),
            let bits = Int(String(Substring(digits))), bits <= (isShort ? 32 : 128)
        else { return nil }
        self.init(base: address, bits: isShort ? bits + 96 : bits)
    }

    /// The network as it is written.
    var text: String {
        let isIPv4 = base.isIPv4 && bits >= 96
        let all = isIPv4 ? 32 : 128
        let own = isIPv4 ? bits - 96 : bits
        return own == all ? base.text : "\(base.text)/\(own)"
    }

    /// Whether an address belongs to it.
    public func contains(_ address: Address) -> Bool {
        address.high & Self.mask(bits) == base.high && address.low & Self.mask(bits - 64) == base.low
    }

    private static func mask(_ bits: Int) -> UInt64 {
        bits >= 64 ? .max : bits <= 0 ? 0 : ~(UInt64.max >> UInt64(bits))
    }
}
