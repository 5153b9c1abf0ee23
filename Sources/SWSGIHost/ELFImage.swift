internal import SWSGIConfiguration

/// What a bundle's ELF file says of itself.
///
/// Checked before the loader sees the file: the loader crashes on some broken files, or explains others wrongly.
struct ELFImage {
    /// Libraries that it needs, by name.
    private(set) var needed: [String] = []
    /// Where it looks for them first, as written: `$ORIGIN` is not replaced.
    private(set) var runPath: [String] = []
    /// What it exports.
    private(set) var symbols = ELFSymbols()

    private struct Segment {
        var type: UInt32
        var offset, address, fileSize: UInt64
    }

    /// Libraries that a bundle may need.
    static let neededLimit = 1000

    private static let loadSegment: UInt32 = 1
    private static let dynamicSegment: UInt32 = 2
    private static let sharedObject: UInt16 = 3
    private static let positionIndependentProgram: UInt64 = 0x0800_0000

    /// Whether bytes begin like an ELF file.
    static func hasMagic(_ bytes: some Collection<UInt8>) -> Bool {
        bytes.starts(with: [0x7f, UInt8(ascii: "E"), UInt8(ascii: "L"), UInt8(ascii: "F")])
    }

    /// Checks a whole file; `path` is for the messages.
    init(_ bytes: UnsafeRawBufferPointer, path: String) throws(Problem) {
        guard !bytes.isEmpty else { throw Problem(.fileEmpty, "bundle \(path) is empty") }
        guard Self.hasMagic(bytes.prefix(4)) else {
            throw Problem(.notELF, "bundle \(path) is not an ELF shared object")
        }
        guard bytes.count >= 64 else { throw Self.truncated(path, bytes.count, needs: 64) }
        guard bytes[4] == 2, bytes[5] == 1 else {
            throw Problem(.wrongClass, "bundle \(path) is not a 64-bit little-endian file")
        }
        let machine = bytes.loadUnaligned(fromByteOffset: 18, as: UInt16.self)
        guard machine == Self.hostMachine else {
            throw Problem(
                .wrongMachine,
                "bundle \(path) is for \(Self.name(machine)), this machine is \(Self.name(Self.hostMachine))"
            )
        }
        guard bytes.loadUnaligned(fromByteOffset: 16, as: UInt16.self) == Self.sharedObject else {
            throw Problem(.notLibrary, "bundle \(path) is a program or object file, not a shared object")
        }
        let segments = try Self.segments(bytes, path: path)
        let dynamic = segments.filter { $0.type == Self.dynamicSegment }
        // A second one could name the whole file once more, and a third: time and memory without bound.
        guard dynamic.count <= 1 else { throw Problem(.notELF, "bundle \(path) has \(dynamic.count) dynamic segments") }
        for segment in dynamic { try readDynamic(bytes, segment, segments, path: path) }
    }

    /// Refuses a name that is data: the host would call it.
    func refuseData(_ name: String, _ bytes: UnsafeRawBufferPointer, path: String) throws(Problem) {
        guard symbols.kind(of: name, bytes) == .data else { return }
        throw Problem(.symbolNoFunction, "'\(name)' of bundle \(path) is a variable, not a function")
    }

    private static var hostMachine: UInt16 {
        #if arch(x86_64)
            62
        #elseif arch(arm64)
            183
        #else
            0
        #endif
    }

    private static func name(_ machine: UInt16) -> String {
        switch machine {
        case 3: "x86 (32 bits)"
        case 40: "ARM (32 bits)"
        case 62: "x86-64"
        case 183: "AArch64"
        case 243: "RISC-V"
        default: "machine \(machine)"
        }
    }

    private static func truncated(_ path: String, _ count: Int, needs: UInt64) -> Problem {
        Problem(.truncated, "bundle \(path) is cut short: it has \(count) bytes and needs \(needs)")
    }

    private static func segments(_ bytes: UnsafeRawBufferPointer, path: String) throws(Problem) -> [Segment] {
        let table = bytes.loadUnaligned(fromByteOffset: 32, as: UInt64.self)
        let sections = bytes.loadUnaligned(fromByteOffset: 40, as: UInt64.self)
        let entrySize = UInt64(bytes.loadUnaligned(fromByteOffset: 54, as: UInt16.self))
        let count = UInt64(bytes.loadUnaligned(fromByteOffset: 56, as: UInt16.self))
        let sectionSize = UInt64(bytes.loadUnaligned(fromByteOffset: 58, as: UInt16.self))
        let sectionCount = UInt64(bytes.loadUnaligned(fromByteOffset: 60, as: UInt16.self))
        guard entrySize == 56 else { throw Problem(.notELF, "bundle \(path) has no usable segment table") }
        for end in [
            table.addingReportingOverflow(count * 56), sections.addingReportingOverflow(sectionCount * sectionSize),
        ]
        where end.overflow || end.partialValue > UInt64(bytes.count) {
            throw truncated(path, bytes.count, needs: end.partialValue)
        }
        var segments: [Segment] = []
        for index in 0..<Int(count) {
            let start = Int(table) + index * 56
            let segment = Segment(
                type: bytes.loadUnaligned(fromByteOffset: start, as: UInt32.self),
                offset: bytes.loadUnaligned(fromByteOffset: start + 8, as: UInt64.self),
                address: bytes.loadUnaligned(fromByteOffset: start + 16, as: UInt64.self),
                fileSize: bytes.loadUnaligned(fromByteOffset: start + 32, as: UInt64.self)
            )
            let end = segment.offset.addingReportingOverflow(segment.fileSize)
            if end.overflow || end.partialValue > UInt64(bytes.count) {
                throw truncated(path, bytes.count, needs: end.partialValue)
            }
            segments.append(segment)
        }
        return segments
    }

    private mutating func readDynamic(
        _ bytes: UnsafeRawBufferPointer,
        _ dynamic: Segment,
        _ segments: [Segment],
        path: String
    ) throws(Problem) {
        var texts: UInt64?
        var neededOffsets: [UInt64] = []
        var runPathOffset: UInt64?
        for index in 0..<Int(dynamic.fileSize / 16) {
            let place = Int(dynamic.offset) + index * 16
            let tag = bytes.loadUnaligned(fromByteOffset: place, as: UInt64.self)
            let value = bytes.loadUnaligned(fromByteOffset: place + 8, as: UInt64.self)
            // The loader reads no further either.
            if tag == 0 { break }
            switch tag {
            case 1:
                guard neededOffsets.count < Self.neededLimit else {
                    throw Problem(.notELF, "bundle \(path) needs more than \(Self.neededLimit) libraries")
                }
                neededOffsets.append(value)
            case 4: symbols.hash = Self.fileOffset(value, segments)
            case 5: texts = Self.fileOffset(value, segments)
            case 6: symbols.symbols = Self.fileOffset(value, segments)
            case 0x6fff_fef5: symbols.gnuHash = Self.fileOffset(value, segments)
            case 15 where runPathOffset == nil: runPathOffset = value
            case 29: runPathOffset = value
            case 0x6fff_fffb where value & Self.positionIndependentProgram != 0:
                throw Problem(.notLibrary, "bundle \(path) is a program, not a shared object")
            default: break
            }
        }
        symbols.texts = texts
        guard let texts else { return }
        needed = neededOffsets.compactMap { Self.text(bytes, texts, $0) }
        if let offset = runPathOffset, let text = Self.text(bytes, texts, offset) {
            runPath = text.split(separator: ":").map(String.init)
        }
    }

    private static func fileOffset(_ address: UInt64, _ segments: [Segment]) -> UInt64? {
        for segment in segments where segment.type == loadSegment && address >= segment.address {
            let inside = address - segment.address
            if inside < segment.fileSize { return segment.offset + inside }
        }
        return nil
    }

    private static func text(_ bytes: UnsafeRawBufferPointer, _ table: UInt64, _ offset: UInt64) -> String? {
        let start = table.addingReportingOverflow(offset)
        guard !start.overflow, start.partialValue < UInt64(bytes.count) else { return nil }
        return String(decoding: bytes[Int(start.partialValue)...].prefix(4096).prefix { $0 != 0 }, as: UTF8.self)
    }
}
