import Foundation
import Glibc

/// Bundles made for the tests.
enum Fixture: String {
    /// Tells what the process is that runs it.
    case facts = "FixtureFacts"
    /// Moves bodies.
    case echo = "FixtureEcho"
    /// Goes wrong in the way that the path says.
    case trouble = "FixtureTrouble"
    /// Records the ids of requests.
    case soak = "FixtureSoak"
    case versionA = "FixtureVersionA"
    case versionB = "FixtureVersionB"
    /// Answers as the query says.
    case response = "FixtureResponse"
    /// Answers what httpd asks.
    case scripts = "FixtureScripts"
    /// Works on the main thread.
    case main = "FixtureMain"

    /// The built bundle.
    var path: String { "\(Installation.products)/lib\(rawValue).so" }
}

extension TestServer {
    /// Copies a bundle to `www/NAME/NAME.so` and writes the entry file `www/NAME/NAME.wsgi`; gives its path.
    @discardableResult
    func deploy(_ fixture: Fixture, as name: String? = nil, entry lines: [String] = []) throws -> String {
        try deploy(bundle: fixture.path, as: name ?? fixture.rawValue, entry: lines)
    }

    /// The same for any file.
    @discardableResult
    func deploy(bundle: String, as name: String, entry lines: [String] = []) throws -> String {
        try FileManager.default.createDirectory(atPath: "\(www)/\(name)", withIntermediateDirectories: true)
        try copy(bundle, to: "\(www)/\(name)/\(name).so")
        return try writeEntry(name, ["bundle = \(name).so"] + lines)
    }

    /// Writes `www/NAME/NAME.wsgi`.
    @discardableResult
    func writeEntry(_ name: String, _ lines: [String]) throws -> String {
        try write(lines.joined(separator: "\n") + "\n", to: "www/\(name)/\(name).wsgi")
    }

    /// Copies a file over another, in place, as `cp` does.
    func copy(_ source: String, to target: String) throws {
        try run("/bin/cp", [source, target]).check()
        chmod(target, 0o755)
    }

    /// Gives a file the present time, as `touch` does.
    func touch(_ path: String) {
        if utimensat(AT_FDCWD, path, nil, 0) != 0 { perror("utimensat \(path)") }
    }
}

extension Finished {
    /// Throws when the program failed.
    @discardableResult
    func check() throws -> Finished {
        guard status == 0 else { throw ServerFailure("status \(status): \(errors)") }
        return self
    }
}

/// Lines of `key=value`, as FixtureFacts writes them.
struct Facts: Sendable {
    let values: [String: String]

    init(_ response: HTTPResponse) {
        var values: [String: String] = [:]
        for line in response.text.split(separator: "\n") {
            guard let equals = line.firstIndex(of: "=") else { continue }
            values[String(line[..<equals])] = String(line[line.index(after: equals)...])
        }
        self.values = values
    }

    subscript(key: String) -> String? { values[key] }

    var pid: Int32 { values["pid"].flatMap { Int32($0) } ?? -1 }

    /// Numbers of the open descriptors.
    var descriptors: [Int] {
        values.keys.filter { $0.hasPrefix("fd.") }.compactMap { Int($0.dropFirst(3)) }.sorted()
    }
}

extension TestServer {
    /// What FixtureFacts says at a URL.
    func facts(_ target: String = "/") throws -> Facts {
        let response = try get(target)
        guard response.status == 200 else { throw ServerFailure("\(target): status \(response.status)") }
        return Facts(response)
    }
}

/// Bundles written in C, compiled once for a run of the tests.
enum CFixture {
    /// Directory of the compiled `Tests/Fixtures/c`: scripts/test compiles them once for all test processes.
    private static let compiled: Result<String, any Error> = Result {
        if let made = ProcessInfo.processInfo.environment["SWSGI_C_FIXTURES"] { return made }
        let directory = try scratchDirectory("swsgi-c-fixtures")
        try run("/bin/sh", ["\(Installation.package)/Tests/Fixtures/c/build.sh", directory]).check()
        return directory
    }

    static func path(_ name: String) throws -> String { try "\(compiled.get())/\(name).so" }

    /// Compiles one source text into a shared object.
    static func compile(_ source: String, to target: String, _ options: [String] = []) throws {
        let file = target + ".c"
        try source.write(toFile: file, atomically: false, encoding: .utf8)
        let header = "\(Installation.package)/Sources/CSWSGI/include"
        try run("/usr/bin/cc", ["-shared", "-fPIC", "-O1", "-I", header, "-o", target, file] + options).check()
        unlink(file)
    }

    /// A bundle's source: it answers the text that the C expression `answer` gives.
    static func answering(_ answer: String, symbol: String = "application", before: String = "") -> String {
        """
        #include "swsgi.h"
        #include <stdlib.h>
        #include <string.h>
        #include <unistd.h>
        \(before)
        static int respond(void *context, const swsgi_host *host, swsgi_exchange *exchange) {
            swsgi_text reason = {"OK", 2};
            const swsgi_header type = {{"Content-Type", 12}, {"text/plain", 10}};
            (void)context;
            const char *text = \(answer);
            if (text == 0) text = "(none)";
            if (host->start_response(exchange, 200, reason, &type, 1) < 0) return 1;
            return host->write(exchange, text, strlen(text)) < 0;
        }
        const swsgi_application *\(symbol)(const swsgi_host *host) {
            static const swsgi_application table = {
                .abi_version = SWSGI_ABI_VERSION, .size = sizeof(swsgi_application), .respond = respond};
            (void)host;
            return &table;
        }
        """
    }

    /// A directory that is removed when the test process ends.
    static func scratchDirectory(_ name: String) throws -> String {
        var template = Array("/var/tmp/\(name).XXXXXX".utf8CString)
        guard let made = mkdtemp(&template) else { throw SystemFailure("mkdtemp") }
        let path = String(cString: made)
        Scratch.add(path)
        return path
    }
}

/// Directories to remove when the test process ends.
private enum Scratch {
    nonisolated(unsafe) private static var paths: [String] = []  // under `lock` only
    private static let lock = NSLock()

    static func add(_ path: String) {
        lock.withLock {
            if paths.isEmpty { atexit { Scratch.removeAll() } }
            paths.append(path)
        }
    }

    static func removeAll() {
        lock.withLock { for path in paths { try? FileManager.default.removeItem(atPath: path) } }
    }
}
