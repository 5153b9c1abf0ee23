public import SWSGI

/// Tells what the process is that runs it, as lines of `key=value`; a path that ends with `/environ` tells the environ of the request.
@c public func application() -> ExportedApplication {
    export { environ, startResponse in
        startResponse("200 OK", [("Content-Type", "text/plain; charset=utf-8")])
        if environ["PATH_INFO", default: ""].hasSuffix("/environ") {
            return Body(
                environ.map { field in Array("\(field.name)=".utf8) + (environ.bytes(field.name) ?? []) + [10] }
            )
        }
        return Body((identityFacts() + processFacts() + descriptorFacts() + environmentFacts()).joined())
    }
}
