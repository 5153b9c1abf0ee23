internal import CSWSGIModule
internal import SWSGIConfiguration
internal import SWSGIModuleCore
internal import SWSGISystem
internal import SWSGIWire

/// Nanoseconds between two lines about requests of a broken group.
private let pause: Int64 = 15_000_000_000

/// Answers a request whose group has no process: 503, with the time of the next attempt.
///
/// Requests whose entry file has changed since go to the queue instead, and have the next attempt made at once.
func refuseBroken(
    _ broken: BrokenGroup,
    _ request: OpaquePointer,
    _ facts: swsgi_request_facts,
    _ generation: Generation,
    _ group: Int
) -> Int32 {
    let now = Clock.monotonic
    let seconds = Int32(clamping: max(1, (broken.retryAt &- now &+ 999_999_999) / 1_000_000_000))
    swsgi_retry_after(request, seconds)
    guard let count = generation.scoreboard.refusal(group, now: now, every: pause) else { return unavailable }
    let others = count > 1 ? ", and \(count - 1) more since the last such line" : ""
    let name = generation.groups[group].name
    let text = "process group '\(name)' has no process, the next attempt is in \(seconds) s"
    log(Problem(.brokenRefused, "\(text): 503 for \"\(String(cString: facts.line))\"\(others)"), request: request)
    return unavailable
}
