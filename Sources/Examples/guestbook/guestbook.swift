public import SWSGI

/// A guestbook: one page, with its entries in SQLite.
///
/// The database is `guestbook.sqlite` in the current directory, which is the process group's home; all processes of
/// the group share it.
@c public func application() -> ExportedApplication { export(Guestbook()) }

private struct Guestbook: Application {
    private let entries = Entries(path: "guestbook.sqlite")

    func respond(to request: Request) throws -> Response {
        guard request.path == "" || request.path == "/" else { throw HTTPError(.notFound) }
        switch request.method {
        case "GET", "HEAD": return try show(request, Draft())
        case "POST": return try sign(request)
        default: return Response(status: .methodNotAllowed, headers: ["Allow": "GET, HEAD, POST"])
        }
    }

    /// Stores an entry and sends the browser back to the page, so that reloading it does not store the entry again.
    private func sign(_ request: Request) throws -> Response {
        let form = try request.form(limit: 16 * 1024)
        var draft = Draft(name: trimmed(form["name"] ?? ""), message: trimmed(form["message"] ?? ""))
        draft.complaint = complaint(about: draft)
        guard draft.complaint == nil else { return try show(request, draft, status: .unprocessableContent) }
        try entries.add(name: draft.name, message: draft.message)
        return .redirect(to: request.scriptName + "/")
    }

    private func show(_ request: Request, _ draft: Draft, status: Status = .ok) throws -> Response {
        let page = Page(action: request.scriptName + "/", draft: draft, entries: try entries.newest(50))
        var response = Response.html(page.html, status: status)
        response.headers["Content-Security-Policy"] =
            "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; base-uri 'none'"
        response.headers["X-Content-Type-Options"] = "nosniff"
        return response
    }

    private func complaint(about draft: Draft) -> String? {
        if draft.name.isEmpty { return "Please tell your name." }
        if draft.message.isEmpty { return "Please write something." }
        if draft.name.count > Draft.nameLimit { return "The name is too long." }
        if draft.message.count > Draft.messageLimit { return "The message is too long." }
        return nil
    }

    private func trimmed(_ text: String) -> String {
        let start = text.drop { $0.isWhitespace }
        guard let last = start.lastIndex(where: { !$0.isWhitespace }) else { return "" }
        return String(start[...last])
    }
}

/// What someone wants to write.
struct Draft {
    static let nameLimit = 60
    static let messageLimit = 2000

    var name = ""
    var message = ""
    var complaint: String?
}
