public import SWSGI

/// Goes wrong in the way that the path says, and in no other.
@c public func application() -> ExportedApplication {
    export(onEvent: { print("Swift event \($0)") }) { environ, startResponse in
        let trouble = Trouble(environ: environ, startResponse: startResponse)
        let path = environ["PATH_INFO", default: ""]
        guard
            let body = try trouble.process(path) ?? trouble.output(path) ?? trouble.response(path)
                ?? trouble.head(path) ?? trouble.order(path) ?? trouble.misuse(path) ?? trouble.input(path)
                ?? trouble.descriptors(path)
                ?? trouble.time(path)
                ?? trouble.use(path)
        else {
            startResponse("404 Not Found", plain)
            return ["unknown trouble\n"]
        }
        return body
    }
}

let plain = [("Content-Type", "text/plain")]

/// An error of an application.
struct TroubleError: Error, CustomStringConvertible {
    let description: String
}
