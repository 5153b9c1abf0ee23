internal import Glibc

/// The functions that an ELF file names for debuggers, also those that it does not export.
///
/// The file is a tenant's: every number in it is checked before it is used.
final class SymbolFile {
    private let bytes: UnsafeRawBufferPointer
    private var symbols: (start: Int, count: Int, names: Range<Int>)?

    private static let symbolTable: UInt32 = 2
    private static let sectionSize = 64
    private static let symbolSize = 24
    /// Symbols that are looked through.
    private static let symbolLimit = 1 << 20

    /// Maps a file; one that can't be read, or is no ELF file, names nothing.
    init(_ path: String) {
        bytes = Self.map(path) ?? UnsafeRawBufferPointer(start: nil, count: 0)
        symbols = findSymbols()
    }

    deinit {
        if let start = bytes.baseAddress { munmap(UnsafeMutableRawPointer(mutating: start), bytes.count) }
    }

    private static func map(_ path: String) -> UnsafeRawBufferPointer? {
        var status = stat()
        guard let file = try? Descriptor.open(path, O_RDONLY), fstat(file.number, &status) == 0,
            status.st_mode & S_IFMT == S_IFREG, status.st_size > 0,
            let start = mmap(nil, Int(status.st_size), PROT_READ, MAP_PRIVATE, file.number, 0), start != MAP_FAILED
        else { return nil }
        return UnsafeRawBufferPointer(start: start, count: Int(status.st_size))
    }

    private func number<Number: FixedWidthInteger>(_ offset: Int, as type: Number.Type) -> Int? {
        guard offset >= 0, bytes.count - offset >= MemoryLayout<Number>.size else { return nil }
        return Int(exactly: bytes.loadUnaligned(fromByteOffset: offset, as: type))
    }

    /// A part of the file, when it lies within it.
    private func part(_ offset: Int?, _ size: Int?) -> Range<Int>? {
        guard let offset, let size, offset >= 0, size >= 0, offset <= bytes.count, size <= bytes.count - offset else {
            return nil
        }
        return offset..<offset + size
    }

    private func findSymbols() -> (start: Int, count: Int, names: Range<Int>)? {
        guard bytes.count >= 64, bytes[4] == 2, bytes.starts(with: [0x7f, 0x45, 0x4c, 0x46]),
            let sections = number(40, as: UInt64.self), let count = number(60, as: UInt16.self),
            let table = part(sections, count * Self.sectionSize)
        else { return nil }
        func section(_ index: Int) -> Range<Int>? {
            let place = table.lowerBound + index * Self.sectionSize
            return part(number(place + 24, as: UInt64.self), number(place + 32, as: UInt64.self))
        }
        for index in 0..<count {
            let place = table.lowerBound + index * Self.sectionSize
            guard number(place + 4, as: UInt32.self) == Int(Self.symbolTable), let symbols = section(index),
                let link = number(place + 40, as: UInt32.self), link < count, let names = section(link)
            else { continue }
            return (symbols.lowerBound, min(symbols.count / Self.symbolSize, Self.symbolLimit), names)
        }
        return nil
    }

    /// The function that an address of the file lies in.
    func function(at address: UInt64) -> (name: String, start: UInt64)? {
        guard let symbols else { return nil }
        for index in 0..<symbols.count {
            let place = symbols.start + index * Self.symbolSize
            let value = bytes.loadUnaligned(fromByteOffset: place + 8, as: UInt64.self)
            let size = bytes.loadUnaligned(fromByteOffset: place + 16, as: UInt64.self)
            guard bytes[place + 4] & 0xf == 2, value <= address, address - value < size else { continue }
            let start = symbols.names.lowerBound + Int(bytes.loadUnaligned(fromByteOffset: place, as: UInt32.self))
            guard start < symbols.names.upperBound else { return nil }
            let name = bytes[start..<symbols.names.upperBound].prefix { $0 != 0 }.prefix(4096)
            return (String(decoding: name, as: UTF8.self), value)
        }
        return nil
    }
}
