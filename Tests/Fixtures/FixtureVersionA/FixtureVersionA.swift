import Glibc
public import SWSGI

/// Says which version of a bundle answers, and in which process.
@c public func application() -> ExportedApplication {
    export { _, startResponse in
        startResponse("200 OK", [("Content-Type", "text/plain"), ("X-Pid", String(getpid()))])
        return ["version A\n"]
    }
}
