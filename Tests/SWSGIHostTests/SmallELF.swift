/// A shared object of a few hundred bytes that has nothing but the names of what it needs.
struct SmallELF {
    var needed: [String] = []
    var runPath: String?
    /// DT_RUNPATH, or DT_RPATH (15).
    var runPathTag: UInt64 = 29
    var flags: UInt64?

    static let dynamicOffset = 176

    var bytes: [UInt8] {
        var texts: [UInt8] = [0]
        var entries: [(UInt64, UInt64)] = []
        for name in needed {
            entries.append((1, UInt64(texts.count)))
            texts += Array(name.utf8) + [0]
        }
        if let runPath {
            entries.append((runPathTag, UInt64(texts.count)))
            texts += Array(runPath.utf8) + [0]
        }
        if let flags { entries.append((0x6fff_fffb, flags)) }
        let dynamicSize = UInt64((entries.count + 2) * 16)
        let textsOffset = UInt64(Self.dynamicOffset) + dynamicSize
        entries += [(5, textsOffset), (0, 0)]
        let size = textsOffset + UInt64(texts.count)
        return header + segment(1, 0, size) + segment(2, UInt64(Self.dynamicOffset), dynamicSize)
            + entries.flatMap { number($0.0) + number($0.1) } + texts
    }

    private var header: [UInt8] {
        #if arch(arm64)
            let machine: UInt16 = 183
        #else
            let machine: UInt16 = 62
        #endif
        return [0x7f, 0x45, 0x4c, 0x46, 2, 1, 1, 0] + number(0 as UInt64) + number(3 as UInt16) + number(machine)
            + number(1 as UInt32) + number(0 as UInt64) + number(64 as UInt64) + number(0 as UInt64)
            + number(0 as UInt32) + number(64 as UInt16) + number(56 as UInt16) + number(2 as UInt16)
            + number(0 as UInt16) + number(0 as UInt16) + number(0 as UInt16)
    }

    /// A segment that lies in memory where it lies in the file.
    private func segment(_ type: UInt32, _ offset: UInt64, _ size: UInt64) -> [UInt8] {
        number(type) + number(5 as UInt32) + [offset, offset, offset, size, size, 8].flatMap { number($0) }
    }

    private func number(_ value: some FixedWidthInteger) -> [UInt8] {
        withUnsafeBytes(of: value.littleEndian) { Array($0) }
    }
}
