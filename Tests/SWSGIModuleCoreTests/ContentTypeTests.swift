import SWSGIModuleCore
import Testing

@Suite struct ContentTypeTests {
    private func faults(_ status: Int, _ values: String...) -> [ContentType.Fault?] {
        var type = ContentType(status: status)
        return values.map { value in
            var value = value
            return value.withUTF8 { type.field(UnsafeRawBufferPointer($0)) }
        } + [type.faultOfContent]
    }

    @Test func oneType_isRight() {
        #expect(faults(200, "text/plain") == [nil, nil])
    }

    @Test func missingEmptyAndRepeatedTypes_areFaults() {
        #expect(faults(200) == [.missing])
        #expect(faults(200, "") == [.empty, .missing])
        #expect(faults(200, " \t") == [.empty, .missing])
        #expect(faults(404, "a/b", "a/b") == [nil, .repeated, nil])
        #expect(faults(200, "", "a/b") == [.empty, nil, nil])
    }

    @Test func typeOfNothing_isAFault() {
        for status in [204, 205, 304] { #expect(faults(status, "a/b") == [.withoutContent, nil]) }
    }
}
