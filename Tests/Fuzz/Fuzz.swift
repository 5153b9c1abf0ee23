// The entry point of the fuzzer that scripts/fuzz builds; libFuzzer brings `main`.
import Glibc

/// What is fed with bytes: it takes any, and ends the process when a promise is broken.
private let targets: [String: @Sendable (UnsafeRawBufferPointer) -> Void] = [
    "body": fuzzBody, "control": fuzzControl, "directive": fuzzDirective, "elf": fuzzELF, "entry": fuzzEntry,
    "exchange": fuzzExchange, "forwarded": fuzzForwarded, "plan": fuzzPlan, "reply": fuzzReply,
]

private let target: @Sendable (UnsafeRawBufferPointer) -> Void = {
    let name = variable("SWSGI_FUZZ_TARGET") ?? ""
    guard let target = targets[name] else { broken("there is no target '\(name)'") }
    return target
}()

/// Writes seeds, or says what the decoders make of a file, instead of fuzzing.
///
/// These end without a look for leaks: whoever ends a process in the middle leaves some.
@c public func LLVMFuzzerInitialize(
    _ count: UnsafeMutablePointer<Int32>,
    _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?>
) -> Int32 {
    if let directory = variable("SWSGI_FUZZ_SEEDS") {
        writeSeeds(to: directory)
        _exit(0)
    }
    if let file = variable("SWSGI_FUZZ_MESSAGES") {
        printVerdicts(on: file)
        fflush(nil)
        _exit(0)
    }
    return 0
}

/// One input.
@c public func LLVMFuzzerTestOneInput(_ bytes: UnsafePointer<UInt8>, _ count: Int) -> Int32 {
    target(UnsafeRawBufferPointer(start: bytes, count: count))
    return 0
}

private func variable(_ name: String) -> String? {
    getenv(name).map { String(cString: $0) }
}

/// Ends the process, so that the fuzzer keeps the input.
func broken(_ promise: String) -> Never {
    let line = "broken promise: \(promise)\n"
    _ = write(STDERR_FILENO, line, line.utf8.count)
    abort()
}

/// Ends the process when a promise does not hold.
func promise(_ holds: Bool, _ what: @autoclosure () -> String) {
    if !holds { broken(what()) }
}

/// Whether a view lies inside of the bytes that it was made from.
func lies(_ view: UnsafeRawBufferPointer, in bytes: UnsafeRawBufferPointer) -> Bool {
    guard let start = view.baseAddress, let first = bytes.baseAddress else { return view.isEmpty }
    return start >= first && start + view.count <= first + bytes.count
}
