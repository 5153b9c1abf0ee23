internal import CSWSGIModule
internal import Glibc
internal import SWSGIConfiguration
internal import SWSGIModuleCore
internal import SWSGISystem
internal import SWSGIWire

/// What a request is worked on with, by the thread of httpd that has it: kept for the next one.
final class ExchangeDesk {
    /// No other desk in use has it.
    let number: Int
    private var head = ExchangeHeadWriter()
    private var reader = FrameReader()
    /// A channel for each process group: a daemon process that keeps a far end can reach exchanges of its own group only.
    private var channels: [Int: Box] = [:]
    private var bodyBuffer: UnsafeMutableRawBufferPointer?
    /// Of the exchange that is being served.
    var times = ExchangeTimes(now: 0)
    /// Microseconds after which a wait for the daemon process alone ends.
    private(set) var patience = moment
    /// Only where it has served a request in embedded mode.
    private var embedded: EmbeddedDesk?

    private final class Box {
        var channel: ReplyChannel
        init(_ channel: consuming ReplyChannel) { self.channel = channel }
    }

    /// How often one request may be sent back to the queue for newer code.
    private static let retryLimit = 1000
    static let bodyPiece = 64 * 1024
    /// Microseconds that are waited for the daemon process alone; after that the client is watched too.
    static let moment: Int64 = 250_000

    init(number: Int) {
        self.number = number
    }

    deinit {
        bodyBuffer?.deallocate()
    }

    /// Room for a frame header and a piece of a request body.
    func body() -> UnsafeMutableRawBufferPointer {
        if let bodyBuffer { return bodyBuffer }
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: FrameHeader.size + Self.bodyPiece, alignment: 16)
        bodyBuffer = buffer
        return buffer
    }

    /// Sends the request to its process group and the response to the client, unless too many are outstanding.
    func serve(
        _ request: OpaquePointer,
        _ facts: swsgi_request_facts,
        _ generation: Generation,
        group: Int
    ) -> ExchangeResult {
        let queue = generation.groups[group]
        times = ExchangeTimes(
            now: Clock.monotonic,
            queueTimeout: queue.exchange.queueTimeout,
            requestTimeout: queue.requestTimeout
        )
        if let broken = generation.ends.broken(group: group), max(facts.modified, facts.changed) <= broken.since {
            return .status(refuseBroken(broken, request, facts, generation, group))
        }
        guard enter(request, generation, group) else {
            guard ClientWatch.isBroken(request) else {
                return .status(overloaded(request, facts, generation, group))
            }
            swsgi_connection_abort(request)
            return .status(statusOK)
        }
        var result = exchange(request, facts, generation, group: group)
        generation.scoreboard.leave(group)
        // Only now: the request for the other path may be for the same group.
        if case .redirect(let location) = result { result = .status(swsgi_redirect(request, location)) }
        if let limit = generation.slowLimit {
            let now = Clock.monotonic
            if now - times.begin >= limit { reportSlow(request, facts, .group(generation, group), result, now) }
        }
        return result
    }

    /// Runs the request's application here.
    func serveEmbedded(
        _ request: OpaquePointer,
        _ facts: swsgi_request_facts,
        _ child: EmbeddedChild
    ) -> ExchangeResult {
        let limit = parent.configuration.slowRequests
        times = ExchangeTimes(now: limit == nil ? 0 : Clock.monotonic)
        let worker = embedded ?? EmbeddedDesk(request, facts, number: number)
        embedded = worker
        var result = worker.serve(request, facts, child, self)
        if case .redirect(let location) = result { result = .status(swsgi_redirect(request, location)) }
        if let limit {
            let now = Clock.monotonic
            times.taken(now: times.begin)
            if now - times.begin >= limit * 1000 { reportSlow(request, facts, .embedded, result, now) }
        }
        return result
    }

    /// WSGISlowRequests.
    private func reportSlow(
        _ request: OpaquePointer,
        _ facts: swsgi_request_facts,
        _ origin: ExchangeOrigin,
        _ result: ExchangeResult,
        _ now: Int64
    ) {
        let line = String(cString: facts.line)
        var text = "slow request \"\(line)\" of \(origin.text): "
        if facts.question != nil {
            text += "'\(String(cString: facts.symbol))' of \(String(cString: facts.file_name)) was asked, "
        } else if case .status(let status) = result {
            text += "status \(status == statusOK ? swsgi_response_status(request) : status), "
        }
        text += times.text(now: now)
        log(Problem(.slowRequest, text), request: request)
    }

    /// Counts the exchange in; waits for room for as long as connect-timeout says, and the client.
    private func enter(_ request: OpaquePointer, _ generation: Generation, _ group: Int) -> Bool {
        let queue = generation.groups[group]
        if generation.scoreboard.enter(group, limit: queue.limit) { return true }
        let end = times.begin + queue.exchange.connectTimeout * 1000
        var pause: UInt32 = 1000
        while Clock.monotonic < times.earlier(of: end), !ClientWatch.isBroken(request) {
            usleep(pause)
            if generation.scoreboard.enter(group, limit: queue.limit) { return true }
            pause = min(pause * 2, 20_000)
        }
        return false
    }

    private func overloaded(
        _ request: OpaquePointer,
        _ facts: swsgi_request_facts,
        _ generation: Generation,
        _ group: Int
    ) -> Int32 {
        swsgi_retry_after(request, 1)
        guard let count = generation.scoreboard.refusal(group, now: Clock.monotonic) else { return unavailable }
        let queue = generation.groups[group]
        let others = count > 1 ? ", and \(count - 1) more since the last such line" : ""
        let text =
            "process group '\(queue.name)' has \(queue.limit) requests at work and waiting: 503 for \"\(String(cString: facts.line))\"\(others)"
        log(Problem(.backlogFull, text), request: request)
        return unavailable
    }

    private func exchange(
        _ request: OpaquePointer,
        _ facts: swsgi_request_facts,
        _ generation: Generation,
        group: Int
    ) -> ExchangeResult {
        var flags: ExchangeFlags = facts.reloading != 0 ? .reloading : []
        if facts.has_body != 0 { flags.insert(.body) }
        if facts.ignore_activity != 0 { flags.insert(.isNoActivity) }
        if times.isLimited || generation.slowLimit != nil { flags.insert(.announced) }
        write(request, facts, generation.groups[group].jail, place: generation.place(of: number))
        for _ in 0..<Self.retryLimit {
            head.finish(flags: flags)
            guard !head.isTooLarge else {
                log(
                    Problem(.headTooLarge, "the environ of this request is larger than \(ExchangeHead.limit) bytes"),
                    request: request
                )
                return .status(internalError)
            }
            do throws(Errno) {
                let box = try lend(facts, generation, group: group)
                var relay = Relay(desk: self, request: request, facts: facts, generation: generation, group: group)
                let result = relay.run(&box.channel, &reader)
                if !box.channel.isWhole { channels[group] = nil }
                reader.begin()
                switch result {
                case .status, .redirect, .answer: return result
                case .again(let acceptsStale):
                    times.returned()
                    if times.isOverdue(now: Clock.monotonic) { return .status(relay.queueTimedOut()) }
                    flags.formUnion(acceptsStale ? .staleAccepted : .fresh)
                }
            } catch {
                channels[group] = nil
                return .status(refuse(request, error, generation.groups[group].name))
            }
        }
        let name = generation.groups[group].name
        let text = "process group '\(name)' sent the request back \(Self.retryLimit) times"
        log(Problem(.channelFailed, text), request: request)
        swsgi_retry_after(request, 1)
        return .status(unavailable)
    }

    private func write(_ request: OpaquePointer, _ facts: swsgi_request_facts, _ jail: Jail?, place: UInt32) {
        var count: Int32 = 0
        let fields = UnsafeBufferPointer(start: facts.environ(request, &count), count: Int(count))
        head.begin(
            identity: facts.identity,
            requestStart: facts.start,
            queueStart: Clock.wall,
            place: place,
            entryFile: jail?.inside(facts.file_name) ?? facts.file_name,
            applicationGroup: facts.application_group,
            symbol: facts.symbol,
            line: facts.line
        )
        Self.add(fields, ProxyEnviron(facts, fields), jail, to: &head)
    }

    /// A function of its own: the object is asked for the head once, and not for each field.
    private static func add(
        _ fields: UnsafeBufferPointer<swsgi_field>,
        _ proxies: ProxyEnviron?,
        _ jail: Jail?,
        to head: inout ExchangeHeadWriter
    ) {
        for field in fields {
            guard let name = field.name, let value = field.value, proxies?.keeps(name) ?? true else { continue }
            head.add(name, jail?.value(name, value) ?? value)
        }
        proxies?.add(to: &head)
    }

    private func lend(_ facts: swsgi_request_facts, _ generation: Generation, group: Int) throws(Errno) -> Box {
        let box: Box
        let options = generation.groups[group].exchange
        if let known = channels[group] {
            box = known
        } else {
            box = Box(try ReplyChannel(sendBuffer: options.sendBuffer, receiveBuffer: options.receiveBuffer))
            channels[group] = box
        }
        patience = times.patience(min(options.socketTimeout ?? facts.timeout, Self.moment), now: Clock.monotonic)
        box.channel.setTimeout(patience)
        reader.begin()
        generation.groups[group].takers.set(0, at: generation.place(of: number))
        try box.channel.lend(head, to: generation.groups[group].sender)
        return box
    }

    private func refuse(_ request: OpaquePointer, _ error: Errno, _ name: String) -> Int32 {
        swsgi_retry_after(request, 1)
        let isFull = error.wouldBlock || error.code == ETOOMANYREFS
        log(
            Problem(
                isFull ? .queueFull : .channelFailed,
                isFull
                    ? "the queue of process group '\(name)' is full"
                    : "the request can't be handed to process group '\(name)': \(error)"
            ),
            request: request
        )
        return unavailable
    }
}

extension swsgi_request_facts {
    /// What tells the entry file's state from the next.
    var identity: FileIdentity {
        FileIdentity(device: device, inode: inode, size: size, modified: modified, changed: changed)
    }
}
