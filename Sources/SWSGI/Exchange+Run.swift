import CSWSGI

/// What an application does with one exchange: it may start the response, and returns the body.
typealias Handler = @Sendable (Exchange) throws -> Body

extension Exchange {
    /// Answers the request.
    ///
    /// Returns 0 when the response is complete, as the bundle ABI wants it.
    func run(_ handler: Handler) -> Int32 {
        defer { end() }
        do {
            try send(handler(self))
            return 0
        } catch {
            return conclude(afterOthers { failure } ?? error)
        }
    }

    /// What becomes of a response that an error has ended.
    private func conclude(_ error: any Error) -> Int32 {
        if let error = error as? ExchangeError {
            switch error.code {
            case .clientGone:
                log(.debug, "Client closed connection.")
                return Int32(SWSGI_ERROR_CLIENT_GONE)
            case .inputFailed:
                // The client broke off, or was too slow: httpd knows, and answers accordingly.
                log(.info, error.message)
                return Int32(SWSGI_ERROR_BODY)
            case .contentTooLong:
                log(.warning, error.message)
                return 0
            case _ where !error.isForClient:
                return fail(error)
            default: break
            }
        }
        guard let error = error as? any ErrorWithResponse, !isSent else { return fail(error) }
        let line = (error as? FileError)?.logLine ?? (.info, "answered with an error: \(described(error))")
        log(line.level, line.text)
        return answer(error.response)
    }

    private var isSent: Bool {
        afterOthers {
            if case .sent = head { true } else { false }
        }
    }

    /// Sends the response that an error brings along.
    private func answer(_ response: Response) -> Int32 {
        afterOthers {
            failure = nil
            head = .none
        }
        do {
            try start(response)
            try send(response.body)
            return 0
        } catch {
            return fail(error)
        }
    }

    /// Checks and keeps the head of a typed response.
    func start(_ response: Response) throws {
        guard take() else { throw ExchangeError.inUse }
        defer { release() }
        let code = UInt32(response.status.code)
        try HeadRules.check(status: code, reason: response.status.reason)
        try start(code: code, reason: response.status.reason, fields: response.headers.fields, after: nil)
    }

    private func fail(_ error: any Error) -> Int32 {
        if isCancelled {
            // The application has stopped as nobody waits, or failed for the same reason: no reason for an alarm.
            log(.debug, "Client closed connection. \(described(error))")
            return Int32(SWSGI_ERROR_CLIENT_GONE)
        }
        let script = String(host.pointee.entry_file)
        log(.error, "Exception occurred processing WSGI script '\(script)'. \(described(error))")
        return 1
    }
}

/// "Type: description", without the addresses that stand in the names of private types.
func described(_ error: any Error) -> String {
    let path = String(reflecting: type(of: error)).split(separator: ".")
    let type = path.filter { !$0.hasPrefix("(unknown context at ") }.joined(separator: ".")
    return "\(type): \(String(describing: error))"
}
