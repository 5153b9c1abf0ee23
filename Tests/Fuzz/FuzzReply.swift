import Glibc
import SWSGIConfiguration
import SWSGIModuleCore
import SWSGISystem
import SWSGIWire

/// A daemon process's frames as httpd reads them: a control byte, then the stream.
///
/// The control byte says in which pieces the stream comes, and whether the request was a HEAD.
func fuzzReply(_ bytes: UnsafeRawBufferPointer) {
    guard let control = bytes.first, bytes.count <= 600_000, let pair = try? Socket.pair(.stream) else { return }
    var rest = bytes.dropFirst()
    var reader = FrameReader()
    var response = Response(hasBody: control & 0x80 == 0)
    var model = FrameModel(Array(rest))
    let piece = [1, 3, 7, 8, 9, 100, 4096, 65_536][Int(control & 7)]
    while !rest.isEmpty, !response.isOver {
        let next = UnsafeRawBufferPointer(rebasing: rest.prefix(piece))
        guard let sent = try? Socket.send(pair.first.number, next, waits: false) else { return }
        rest = rest.dropFirst(sent)
        model.arrived += sent
        take(&reader, pair.second.number, &response, &model)
    }
    if !response.isOver {
        promise(model.next(isData: true) == nil, "a frame that came is not given out")
    }
}

private func take(
    _ reader: inout FrameReader,
    _ socket: Int32,
    _ response: inout Response,
    _ model: inout FrameModel
) {
    while !response.isOver {
        do throws(Malformed) {
            switch try reader.next(socket, waits: false) {
            case .frame(let kind, let payload):
                promise(model.next(isData: false) == .frame(kind.rawValue, Array(payload)), "another frame: \(kind)")
                try response.frame(kind, payload)
            case .data(let bytes):
                promise(model.takes(bytes), "other bytes")
                try response.data(bytes.count)
            case .nothing: return
            case .ended, .timedOut: broken("an end that has not come")
            }
        } catch {
            response.isOver = true
        }
    }
}

/// What httpd makes of the frames, without httpd.
private struct Response {
    var isOver = false
    private var state: ResponseState
    private var announced: Int64?
    private var passed: Int64 = 0
    private let hasBody: Bool
    /// httpd sends the head with what is flushed.
    private var isHeadSent = false

    init(hasBody: Bool) {
        self.hasBody = hasBody
        state = ResponseState(hasBody: hasBody)
    }

    mutating func data(_ count: Int) throws(Malformed) {
        let taken = try state.data(count)
        promise((0...count).contains(taken), "\(taken) of \(count) bytes")
        passed += Int64(taken)
        promise(hasBody || !isHeadSent || taken == 0, "a body for HEAD")
        promise(passed <= announced ?? .max, "more bytes than announced")
    }

    mutating func frame(_ kind: FrameKind, _ payload: UnsafeRawBufferPointer) throws(Malformed) {
        switch kind {
        case .head:
            let head = try ReceivedResponseHead(payload)
            checkHead(head, payload, statuses: 200...599)
            checkAnswers(head)
            try state.head(status: head.status, contentLength: head.contentLength)
            announced = state.announcedLength(status: head.status, contentLength: head.contentLength)
        case .end:
            guard let outcome = ExchangeOutcome(rawValue: payload[0]) else { throw Malformed("outcome") }
            let before = state.phase
            let ending = try state.end(outcome)
            isOver = true
            if ending == .complete {
                promise(before == .streaming, "complete without a head")
                promise(!hasBody || announced == nil || passed == announced, "complete, and too short")
            }
        case .interim:
            checkHead(try ReceivedResponseHead(payload, statuses: 102...103), payload, statuses: 102...103)
        case .trailers: checkHead(try ReceivedResponseHead(payload, statuses: 0...0), payload, statuses: 0...0)
        case .file:
            let part = try FilePart(payload)
            promise(part.offset >= 0 && part.length > 0 && part.end > part.offset, "a part of a file")
            try data(Int(part.length))
        case .flush:
            try state.flush()
            state.headIsSent()
            isHeadSent = true
        case .wantBody, .log, .taken: break
        case .retry: isOver = true
        case .data: broken("a DATA frame as a whole")
        case .body, .bodyEnd, .abort: throw Malformed("not from a daemon process")
        }
    }
}

/// A head's parts lie inside of the frame, have their form, and make the same bytes again.
private func checkHead(_ head: ReceivedResponseHead, _ payload: UnsafeRawBufferPointer, statuses: ClosedRange<Int>) {
    promise(statuses.contains(head.status), "status \(head.status)")
    promise(head.headerCount <= ResponseHead.headerLimit, "\(head.headerCount) headers")
    promise(lies(head.reason, in: payload) && isHarmless(head.reason), "the reason phrase")
    var writer = ByteWriter()
    writer.write(UInt16(head.status))
    writer.write(UInt16(head.headerCount))
    writer.write(UInt32(head.reason.count))
    writer.write(head.contentLength ?? -1)
    var bytes = writer.bytes + head.reason
    var count = 0
    head.forEachHeader { name, value in
        count += 1
        promise(lies(name, in: payload) && lies(value, in: payload), "a header lies outside")
        promise(!name.isEmpty && name.allSatisfy { $0 > 0x20 && $0 < 0x7f && $0 != 0x3a }, "a header's name")
        promise(isHarmless(value), "a header's value")
        let lower = String(decoding: name, as: UTF8.self).lowercased()
        promise(lower != "content-length", "a length beside the one that is enforced")
        var lengths = ByteWriter()
        lengths.write(UInt32(name.count))
        lengths.write(UInt32(value.count))
        bytes += lengths.bytes + Array(name) + Array(value)
    }
    promise(count == head.headerCount, "\(count) headers of \(head.headerCount)")
    promise(payload.elementsEqual(bytes), "not the same when it is written again")
}

private func isHarmless(_ text: UnsafeRawBufferPointer) -> Bool {
    text.allSatisfy { $0 >= 0x20 && $0 != 0x7f || $0 == 0x09 }
}

/// The frames of a stream by a decoder that is as plain as can be.
private struct FrameModel {
    enum Piece: Equatable {
        case frame(UInt8, [UInt8])
        case data(Int)
    }

    /// Bytes that have been sent so far.
    var arrived = 0
    private let stream: [UInt8]
    private var place = 0
    private var dataRest = 0

    init(_ stream: [UInt8]) { self.stream = stream }

    /// The next whole frame, or with `isData` also the beginning of a body; nil while it has not come.
    mutating func next(isData: Bool) -> Piece? {
        if dataRest > 0 { return isData && place < arrived ? .data(dataRest) : nil }
        guard arrived - place >= 8 else { return nil }
        let length = (0..<4).reduce(0) { $0 | Int(stream[place + 4 + $1]) << (8 * $1) }
        let kind = stream[place]
        if kind == 3 {
            place += 8
            dataRest = length
            return next(isData: isData)
        }
        guard arrived - place >= 8 + length else { return nil }
        defer { place += 8 + length }
        return .frame(kind, Array(stream[place + 8..<place + 8 + length]))
    }

    /// Whether these are the next bytes of the body.
    mutating func takes(_ bytes: UnsafeRawBufferPointer) -> Bool {
        guard case .data(let rest)? = next(isData: true), !bytes.isEmpty, bytes.count <= min(rest, arrived - place)
        else { return false }
        defer {
            place += bytes.count
            dataRest -= bytes.count
        }
        return bytes.elementsEqual(stream[place..<place + bytes.count])
    }
}

/// As the answer to any question: a request is allowed by nothing but an answer.
private func checkAnswers(_ head: ReceivedResponseHead) {
    for question in Question.allCases {
        guard let answer = try? ScriptAnswer(head, to: question) else { continue }
        promise(head.status == 200, "an answer with status \(head.status)")
        switch answer {
        case .allowed: promise(question == .access, "access for \(question)")
        case .granted(let user): promise(question == .password && user != "", "a user for \(question)")
        case .hash(let hash): promise(question == .realmHash && hash.utf8.count == 32, "a hash for \(question)")
        case .groups(let names):
            promise(question == .groups && !names.contains { $0.utf8.contains(UInt8(ascii: "\n")) }, "groups")
        case .destination(let chosen):
            promise(question == .destination && chosen.processGroup != "", "a destination for \(question)")
        case .refused, .undecided: break
        }
    }
}
