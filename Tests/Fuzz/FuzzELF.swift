import SWSGIConfiguration

@testable import SWSGIHost

/// A bundle's file, before the loader sees it.
func fuzzELF(_ bytes: UnsafeRawBufferPointer) {
    let image: ELFImage
    do throws(Problem) {
        image = try ELFImage(bytes, path: "/srv/app.so")
    } catch {
        promise(error.what.contains("/srv/app.so"), "a problem that does not name the file: \(error)")
        return
    }
    promise(bytes.count >= 64 && ELFImage.hasMagic(bytes.prefix(4)), "a file that is no ELF file")
    _ = image.symbols.kind(of: "application", bytes)
    promise(image.needed.count <= ELFImage.neededLimit, "\(image.needed.count) libraries")
    for name in image.needed + image.runPath {
        promise(name.utf8.count <= 3 * 4096, "a name of \(name.utf8.count) bytes")
        promise(!name.utf8.contains(0), "a name with a NUL")
        // Bytes that are no UTF-8 are replaced; as a scalar, which a combining one may follow.
        promise(
            name.unicodeScalars.contains("\u{fffd}") || contains(bytes, Array(name.utf8)),
            "the file does not have '\(name)'"
        )
    }
}

private func contains(_ bytes: UnsafeRawBufferPointer, _ text: [UInt8]) -> Bool {
    guard !text.isEmpty else { return true }
    guard bytes.count >= text.count else { return false }
    return (0...bytes.count - text.count).contains { start in
        text.indices.allSatisfy { bytes[start + $0] == text[$0] }
    }
}
