import Foundation
import Glibc
import SWSGIConfiguration
import Testing

@testable import SWSGIHost

@Suite struct ELFImageTests {
    private func image(_ bytes: some Collection<UInt8>) throws -> ELFImage {
        try Array(bytes).withUnsafeBytes { try ELFImage($0, path: "/x.so") }
    }

    private func mistake(_ bytes: some Collection<UInt8>) -> Problem? {
        Array(bytes).withUnsafeBytes { mistake($0) }
    }

    private func mistake(_ bytes: UnsafeRawBufferPointer) -> Problem? {
        problem { () throws(Problem) in _ = try ELFImage(bytes, path: "/x.so") }
    }

    @Test func bundle_tellsWhatItNeeds_andWhereItLooks() throws {
        let image = try image(try Fixture.versionA.bytes())
        #expect(image.needed.contains("libswiftCore.so"))
        #expect(image.needed.contains("libc.so.6"))
        #expect(image.runPath.contains("$ORIGIN"))
    }

    @Test func smallObject_tellsWhatItNeeds_inOrder() throws {
        let image = try image(SmallELF(needed: ["b.so", "a.so"], runPath: "$ORIGIN/lib:/usr/lib").bytes)
        #expect(image.needed == ["b.so", "a.so"])
        #expect(image.runPath == ["$ORIGIN/lib", "/usr/lib"])
    }

    @Test func oldRunPath_isReadToo() throws {
        #expect(try image(SmallELF(runPath: "$ORIGIN", runPathTag: 15).bytes).runPath == ["$ORIGIN"])
    }

    @Test func objectThatNeedsThousandsOfLibraries_isRefused() {
        #expect(mistake(SmallELF(needed: Array(repeating: "a.so", count: ELFImage.neededLimit)).bytes) == nil)
        let more = mistake(SmallELF(needed: Array(repeating: "a.so", count: ELFImage.neededLimit + 1)).bytes)
        #expect(more?.code == .notELF)
    }

    @Test func secondDynamicSegment_isRefused() {
        var bytes = SmallELF(needed: ["a.so"]).bytes
        bytes[64] = 2  // the segment that is to be loaded
        #expect(mistake(bytes)?.what.contains("2 dynamic segments") == true)
    }

    @Test func entriesAfterTheEndOfTheDynamicSegment_areNotRead() throws {
        var bytes = SmallELF(needed: ["a.so", "b.so"]).bytes
        bytes[SmallELF.dynamicOffset + 16] = 0  // the second library
        #expect(try image(bytes).needed == [])
    }

    @Test func objectThatNeedsNothing_isTaken() throws {
        let image = try image(SmallELF().bytes)
        #expect(image.needed == [] && image.runPath == [])
    }

    @Test(
        arguments: [
            ([], 2010, "is empty"),
            (Array("bundle = app.so\n".utf8), 2011, "is not an ELF shared object"),
            (Array("#!/bin/sh\n".utf8), 2011, "is not an ELF shared object"),
            ([0x7f], 2011, "is not an ELF shared object"),
            ([0x7f, 0x45, 0x4c, 0x46], 2015, "is cut short: it has 4 bytes and needs 64"),
        ] as [([UInt8], Int, String)]
    )
    func fileThatIsNoObject_isNamed(_ bytes: [UInt8], _ number: Int, _ what: String) {
        #expect(mistake(bytes)?.code.number == number)
        #expect(mistake(bytes)?.what == "bundle /x.so \(what)")
    }

    @Test(
        arguments: [
            (4, [1], 2012, "is not a 64-bit little-endian file"),
            (4, [0], 2012, "is not a 64-bit little-endian file"),
            (5, [2], 2012, "is not a 64-bit little-endian file"),
            (18, [3, 0], 2013, "is for x86 (32 bits), this machine is"),
            (18, [40, 0], 2013, "is for ARM (32 bits), this machine is"),
            (18, [243, 0], 2013, "is for RISC-V, this machine is"),
            (18, [0xff, 0xff], 2013, "is for machine 65535, this machine is"),
            (16, [0, 0], 2014, "is a program or object file, not a shared object"),
            (16, [1, 0], 2014, "is a program or object file, not a shared object"),
            (16, [2, 0], 2014, "is a program or object file, not a shared object"),
            (16, [4, 0], 2014, "is a program or object file, not a shared object"),
            (54, [32, 0], 2011, "has no usable segment table"),
            (56, [0xff, 0xff], 2015, "is cut short"),
            (32, [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff], 2015, "is cut short"),
            (40, [0xff, 0xff, 0xff, 0x7f], 2015, "is cut short"),
        ] as [(Int, [UInt8], Int, String)]
    )
    func wrongNumberInTheHeader_isNamed(_ offset: Int, _ value: [UInt8], _ number: Int, _ what: String) throws {
        for var bytes in [try Array(Fixture.versionA.bytes()), SmallELF(needed: ["a.so"]).bytes] {
            bytes.replaceSubrange(offset..<offset + value.count, with: value)
            let problem = mistake(bytes)
            #expect(problem?.code.number == number)
            #expect(problem?.what.hasPrefix("bundle /x.so \(what)") == true)
        }
    }

    @Test(arguments: ["/bin/ls", "/bin/sh", "/proc/self/exe"]) func program_isNoBundle(_ path: String) throws {
        let bytes = try Data(contentsOf: URL(fileURLWithPath: path))
        #expect(mistake(bytes)?.code == .notLibrary)
    }

    @Test func positionIndependentProgram_isNoBundle() {
        let problem = mistake(SmallELF(flags: 0x0800_0000).bytes)
        #expect(problem?.code == .notLibrary)
        #expect(problem?.what == "bundle /x.so is a program, not a shared object")
    }

    @Test func bundleCutAnywhere_isCutShort() throws {
        let bytes = try Array(Fixture.versionA.bytes())
        let offsets = Array(4..<512) + Array(stride(from: 512, to: bytes.count, by: 1021)) + [bytes.count - 1]
        for offset in offsets {
            let problem = bytes.withUnsafeBytes { mistake(UnsafeRawBufferPointer(rebasing: $0[..<offset])) }
            #expect(problem?.code == .truncated, "at \(offset)")
        }
    }

    @Test func everyByteChange_givesAnImageOrAProblem() {
        var bytes = SmallELF(needed: ["libdep.so"], runPath: "$ORIGIN/lib").bytes
        var taken = 0
        for index in bytes.indices {
            let original = bytes[index]
            for other in [0, 1, 2, 0x7f, 0x80, 0xfe, 0xff, original ^ 0x10] as [UInt8] {
                bytes[index] = other
                if mistake(bytes) == nil { taken += 1 }
            }
            bytes[index] = original
        }
        #expect(taken > 0 && taken < 8 * bytes.count)
    }

    @Test func thirtyThousandRandomObjects_giveAnImageOrAProblem() throws {
        var random = FixedRandom(seed: 21)
        let small = SmallELF(needed: ["libdep.so"], runPath: "$ORIGIN/lib").bytes
        for round in 0..<30_000 {
            var bytes = small
            if round % 3 == 0 {
                let size = Int.random(in: 0...200, using: &random)
                bytes = Array(small[..<20]) + (0..<size).map { _ in UInt8.random(in: 0...255, using: &random) }
            }
            for _ in 0..<6 {
                let extreme: [UInt8] = [0, 1, 0x7f, 0x80, 0xff, UInt8.random(in: 0...255, using: &random)]
                let index = Int.random(in: bytes.indices, using: &random)
                bytes[index] = extreme[Int.random(in: 0..<6, using: &random)]
            }
            _ = mistake(bytes)
        }
    }
}
