import SWSGIWire

/// Messages between supervisor and daemon process; the bytes are tried as either.
func fuzzControl(_ bytes: UnsafeRawBufferPointer) {
    if let message = try? WorkerMessage(bytes) {
        travelsAgain(message, message.bytes, bytes) { bytes throws(Malformed) in try WorkerMessage(bytes) }
        if case .log(_, let text) = message {
            // Bytes that are no UTF-8 become three each.
            promise(text.utf8.count <= 9 * ControlLimits.text, "a log line of \(text.utf8.count) bytes")
        }
    }
    if let message = try? SupervisorMessage(bytes) {
        travelsAgain(message, message.bytes, bytes) { bytes throws(Malformed) in try SupervisorMessage(bytes) }
        if case .configure(let plan) = message {
            promise(plan.preload.count <= ControlLimits.applications, "too many applications")
            promise(plan.required.count <= ControlLimits.applications, "too many applications")
            promise(plan.poisoned.count <= ControlLimits.applications, "too many applications")
        }
    }
}

/// What httpd's parent hands to the supervisor.
func fuzzPlan(_ bytes: UnsafeRawBufferPointer) {
    guard let plan = try? SupervisorPlan(bytes) else { return }
    travelsAgain(plan, plan.bytes, bytes) { bytes throws(Malformed) in try SupervisorPlan(bytes) }
    // Each takes bytes of the plan: a count alone can't make anybody allocate.
    promise(plan.groups.count <= bytes.count, "more groups than bytes")
    promise(plan.groups.allSatisfy { $0.groups.count <= bytes.count / 4 }, "more group ids than bytes")
}

/// What was read, written and read once more, is the same; it may be refused where bytes that are no UTF-8 made it longer.
private func travelsAgain<Value: Equatable>(
    _ value: Value,
    _ written: [UInt8],
    _ bytes: UnsafeRawBufferPointer,
    _ decode: (UnsafeRawBufferPointer) throws(Malformed) -> Value
) {
    written.withUnsafeBytes { written in
        do throws(Malformed) {
            promise(try decode(written) == value, "not the same when it is written again")
        } catch {
            promise(written.count > bytes.count, "refused when it is written again: \(error)")
        }
    }
}
