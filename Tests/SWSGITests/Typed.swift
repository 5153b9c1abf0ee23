import SWSGI

/// A typed application made of a closure.
struct Typed: Application {
    var stop: @Sendable () throws -> Void = {}
    var observer: @Sendable (ProcessEvent) -> Void = { _ in }
    let answer: @Sendable (Request) throws -> Response

    func respond(to request: Request) throws -> Response { try answer(request) }

    func stopping() { try? stop() }

    func observe(_ event: ProcessEvent) { observer(event) }
}
