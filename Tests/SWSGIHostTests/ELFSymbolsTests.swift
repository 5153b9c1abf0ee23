import SWSGIConfiguration
import Testing

@testable import SWSGIHost

/// What a bundle exports, by its file alone.
@Suite struct ELFSymbolsTests {
    /// "one" is defined, "two" is only used.
    private static let names = ["one", "two"]
    private static let texts: [UInt8] = Array("\0one\0two\0".utf8) + [0, 0, 0, 0, 0, 0, 0]
    private static let symbols =
        number(0 as UInt64) + number(0 as UInt64) + number(0 as UInt64) + symbol(1, section: 1) + symbol(5, section: 0)
    private static let hash = [1, 3, 0, 0, 0, 0].flatMap { number($0 as UInt32) }
    private static let gnuHash =
        [1, 1, 1, 0, 0, 0, 1, gnu("one") & ~1, gnu("two") | 1].flatMap { number($0 as UInt32) }
    private static let bytes = texts + symbols + hash + gnuHash

    private static let tables = ELFSymbols(
        texts: 0,
        symbols: UInt64(texts.count),
        gnuHash: UInt64(texts.count + symbols.count + hash.count),
        hash: UInt64(texts.count + symbols.count)
    )

    private static func number(_ value: some FixedWidthInteger) -> [UInt8] {
        withUnsafeBytes(of: value.littleEndian) { Array($0) }
    }

    private static func symbol(_ text: UInt32, section: UInt16) -> [UInt8] {
        number(text) + number(0 as UInt16) + number(section) + number(0 as UInt64) + number(0 as UInt64)
    }

    private static func gnu(_ name: String) -> UInt32 { name.utf8.reduce(5381) { $0 &* 33 &+ UInt32($1) } }

    private static let older: ELFSymbols = {
        var older = Self.tables
        older.gnuHash = nil
        return older
    }()

    private func kind(_ name: String, _ tables: ELFSymbols, _ bytes: [UInt8] = Self.bytes) -> ELFSymbols.Kind? {
        bytes.withUnsafeBytes { tables.kind(of: name, $0) }
    }

    @Test func definedSymbol_isFoundByEitherTable_andNoOther() {
        for tables in [Self.tables, Self.older] {
            #expect(kind("one", tables) == .function)
            for name in ["two", "on", "onee", "three", ""] { #expect(kind(name, tables) == .missing, "\(name)") }
        }
    }

    /// STT_OBJECT, STT_COMMON and STT_TLS are data; STT_FUNC, an indirect function and a symbol without a type may be code.
    @Test(arguments: [(1, true), (5, true), (6, true), (0, false), (2, false), (10, false)] as [(UInt8, Bool)])
    func symbolOfData_isNoFunction(type: UInt8, isData: Bool) {
        var bytes = Self.bytes
        // The second symbol's byte `st_info`, with STB_GLOBAL; a symbol has 24 bytes.
        bytes[Self.texts.count + 24 + 4] = 0x10 | type
        for tables in [Self.tables, Self.older] {
            #expect(kind("one", tables, bytes) == (isData ? .data : .function))
            #expect(kind("two", tables, bytes) == .missing)
        }
    }

    @Test func fileWithoutTables_tellsNothing() {
        var none = Self.older
        none.hash = nil
        #expect(kind("one", none) == nil)
        #expect(kind("one", ELFSymbols()) == nil)
        for tables in [Self.tables, Self.older] { #expect(kind("one", tables, []) == nil) }
    }

    @Test func bundle_exportsItsApplication() throws {
        let bytes = [UInt8](try Fixture.versionA.bytes())
        let image = try bytes.withUnsafeBytes { try ELFImage($0, path: "/x.so") }
        #expect(kind("application", image.symbols, bytes) == .function)
        // It only uses these.
        for name in ["malloc", "applications"] { #expect(kind(name, image.symbols, bytes) == .missing, "\(name)") }
    }

    /// Whatever stands in the file, a search ends, and inside of it.
    @Test func damagedTables_giveAnAnswer() {
        var counts: [ELFSymbols.Kind?: Int] = [:]
        var bytes = Self.bytes
        for tables in [Self.tables, Self.older] {
            for index in bytes.indices {
                let original = bytes[index]
                for other in [0, 1, 2, 0x7f, 0x80, 0xfe, 0xff, original ^ 0x10] as [UInt8] {
                    bytes[index] = other
                    counts[kind("one", tables, bytes), default: 0] += 1
                }
                bytes[index] = original
            }
            for count in bytes.indices { counts[kind("one", tables, Array(bytes[..<count])), default: 0] += 1 }
            for offset in [UInt64.max, UInt64.max - 3, 1 << 63, UInt64(bytes.count), UInt64(bytes.count) - 1] {
                for path in [\ELFSymbols.texts, \.symbols, \.gnuHash, \.hash] {
                    var moved = tables
                    if moved[keyPath: path] == nil { continue }
                    moved[keyPath: path] = offset
                    counts[kind("one", moved), default: 0] += 1
                }
            }
        }
        #expect(counts.keys.count == 4)
    }
}
