import Glibc
import SWSGI

/// What an earlier request has left behind, against all advice.
nonisolated(unsafe) private var kept: Trouble?
nonisolated(unsafe) private var keptWriter: ResponseWriter?

extension Trouble {
    /// What was kept of a request and used later, and what is used by two threads.
    func misuse(_ path: String) throws -> Body? {
        switch path {
        case "/keep":
            kept = self
            keptWriter = startResponse("200 OK", plain)
            return [environ["QUERY_STRING", default: ""], "\n"]
        case "/use-kept": return started(Body(useKept()))
        case "/two-writers": return try twoWriters()
        case "/two-readers": return try twoReaders()
        case "/setenv":
            setenv("SWSGI_LEAK", "leaked", 1)
            setenv("HTTP_X_LEAK", "leaked", 1)
            setenv("PATH_INFO", "leaked", 1)
        case "/getenv":
            let keys = ["SWSGI_LEAK", "HTTP_X_LEAK", "PATH_INFO"]
            return started(Body(keys.map { environ[$0] ?? "none" }.joined(separator: " ") + "\n"))
        case "/umask": makeFile()
        default: return nil
        }
        return started(["ok\n"])
    }

    private func useKept() -> String {
        guard let kept, let keptWriter else { return "nothing was kept\n" }
        var lines = ["environ: \(kept.environ["QUERY_STRING"] ?? "none") \(kept.environ.count)"]
        lines.append("cancelled: \(kept.environ.isCancelled)")
        do {
            try keptWriter.write("stolen")
            lines.append("write: done")
        } catch {
            lines.append("write: \(error)")
        }
        do {
            lines.append("read: \(try kept.environ.input.read(upTo: 10))")
        } catch {
            lines.append("read: \(error)")
        }
        kept.startResponse("200 Stolen", plain)
        kept.environ.errors.log(.info, "a line of a request that is over")
        return lines.joined(separator: "\n") + "\n"
    }

    /// Writes, as another thread does at the same time; it goes on for a moment when this request is over.
    private func twoWriters() throws -> Body {
        let writer = startResponse("200 OK", plain)
        kept = self
        keptWriter = writer
        var thread = pthread_t()
        let create = pthread_create(&thread, nil, { _ in writeUntilRefused() }, nil)
        guard create == 0 else { throw TroubleError(description: "no thread") }
        pthread_detach(thread)
        for _ in 0..<20000 {
            do {
                try writer.write("owner...")
            } catch let error as ExchangeError where error.code == .inUse {
                continue
            }
        }
        return ["end of the body"]
    }

    /// Reads the request body while another thread is waiting for it.
    private func twoReaders() throws -> Body {
        kept = self
        var thread = pthread_t()
        guard pthread_create(&thread, nil, { _ in readKept() }, nil) == 0 else {
            throw TroubleError(description: "no thread")
        }
        readUntilEnd(environ)
        var result: UnsafeMutableRawPointer?
        pthread_join(thread, &result)
        return started(["complete\n"])
    }

    /// Makes the file that the query names, with every permission that the mask leaves, under its own mask and under none.
    private func makeFile() {
        let path = environ["QUERY_STRING", default: ""]
        close(open(path + ".masked", O_CREAT | O_WRONLY | O_CLOEXEC, 0o666))
        let old = umask(0)
        close(open(path + ".open", O_CREAT | O_WRONLY | O_CLOEXEC, 0o666))
        umask(old)
    }
}

private func writeUntilRefused() -> UnsafeMutableRawPointer? {
    guard let writer = keptWriter else { return nil }
    while true {
        do {
            try writer.write("intruder")
        } catch let error as ExchangeError where error.code == .inUse {
            continue
        } catch {
            return nil
        }
    }
}

private func readKept() -> UnsafeMutableRawPointer? {
    if let kept { readUntilEnd(kept.environ) }
    return nil
}

/// Reads whatever it gets, in competition with another thread; says once that it was refused.
private func readUntilEnd(_ environ: Environ) {
    var wasRefused = false
    while true {
        do {
            if try environ.input.read(upTo: 100).isEmpty { return }
        } catch {
            guard error.code == .inUse else { return }
            if !wasRefused { environ.errors.log(.info, "a second reader was refused") }
            wasRefused = true
            usleep(1000)
        }
    }
}
