/// What an ELF file exports, as far as the file tells by itself: the loader's own way to a symbol, by its hash table.
///
/// Every offset comes from the file and is checked against its length before it is used.
struct ELFSymbols {
    /// Offsets in the file; nil: the file says nothing of it.
    var texts, symbols, gnuHash, hash: UInt64?

    private static let symbolSize: UInt64 = 24

    /// What a name stands for.
    enum Kind: Equatable {
        /// The file defines no symbol of this name.
        case missing
        /// Code, as far as the symbol's type says.
        case function
        /// A variable or a constant: to call it would end the process.
        case data
    }

    /// What a name stands for; nil: the file has no table that would tell.
    func kind(of name: String, _ bytes: UnsafeRawBufferPointer) -> Kind? {
        guard let texts, let symbols else { return nil }
        let file = File(bytes: bytes, texts: texts, symbols: symbols, name: Array(name.utf8))
        if let gnuHash { return file.find(gnuHash: gnuHash) }
        if let hash { return file.find(hash: hash) }
        return nil
    }

    /// One search.
    private struct File {
        let bytes: UnsafeRawBufferPointer
        let texts, symbols: UInt64
        let name: [UInt8]

        func number<Value: FixedWidthInteger>(_ offset: UInt64, _ index: UInt64 = 0, as type: Value.Type) -> Value? {
            let size = UInt64(MemoryLayout<Value>.size)
            let step = index.multipliedReportingOverflow(by: size)
            let start = offset.addingReportingOverflow(step.partialValue)
            let count = UInt64(bytes.count)
            guard !step.overflow, !start.overflow, start.partialValue < count, count - start.partialValue >= size else {
                return nil
            }
            return bytes.loadUnaligned(fromByteOffset: Int(start.partialValue), as: type)
        }

        /// What a symbol of the table is; nil: it has another name, or no definition.
        private func kind(_ index: UInt32) -> Kind? {
            let place = symbols.addingReportingOverflow(UInt64(index) * ELFSymbols.symbolSize)
            guard !place.overflow, let text = number(place.partialValue, as: UInt32.self),
                let info = number(place.partialValue, 4, as: UInt8.self),
                let section = number(place.partialValue, 3, as: UInt16.self), section != 0
            else { return nil }
            let start = texts.addingReportingOverflow(UInt64(text))
            let count = UInt64(bytes.count)
            guard !start.overflow, start.partialValue < count, count - start.partialValue > UInt64(name.count) else {
                return nil
            }
            let found = bytes[Int(start.partialValue)...].prefix(name.count + 1)
            guard found.last == 0, found.dropLast().elementsEqual(name) else { return nil }
            // STT_OBJECT, STT_COMMON and STT_TLS. What an assembler makes without a type (STT_NOTYPE) may be code.
            return [1, 5, 6].contains(info & 15) ? .data : .function
        }

        /// The table of today: a bucket's symbols stand together, and the last one's hash is odd.
        func find(gnuHash: UInt64) -> Kind? {
            guard let buckets = number(gnuHash, 0, as: UInt32.self), let first = number(gnuHash, 1, as: UInt32.self),
                let filters = number(gnuHash, 2, as: UInt32.self)
            else { return nil }
            guard buckets > 0 else { return .missing }
            let hash = name.reduce(5381 as UInt32) { $0 &* 33 &+ UInt32($1) }
            // 16 bytes of head, then a filter of eight-byte words; the tables follow each other.
            guard let table = sum(gnuHash, 16, UInt64(filters) * 8), let chains = sum(table, UInt64(buckets) * 4, 0),
                var index = number(table, UInt64(hash % buckets), as: UInt32.self)
            else { return nil }
            guard index >= first else { return .missing }
            while let found = number(chains, UInt64(index - first), as: UInt32.self) {
                if found | 1 == hash | 1, let known = kind(index) { return known }
                if found & 1 == 1 || index == .max { return .missing }
                index += 1
            }
            return nil
        }

        /// The older table says how many symbols there are.
        func find(hash: UInt64) -> Kind? {
            guard let count = number(hash, 1, as: UInt32.self) else { return nil }
            guard UInt64(count) <= UInt64(bytes.count) / ELFSymbols.symbolSize else { return nil }
            return (0..<count).lazy.compactMap(kind).first ?? .missing
        }

        private func sum(_ first: UInt64, _ second: UInt64, _ third: UInt64) -> UInt64? {
            let start = first.addingReportingOverflow(second)
            let end = start.partialValue.addingReportingOverflow(third)
            return start.overflow || end.overflow ? nil : end.partialValue
        }
    }
}
