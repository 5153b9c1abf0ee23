import Foundation
import Testing

/// What the module brings into httpd, and what a daemon process consists of.
@Suite(.enabled(if: Machine.canServe, "needs root, apache2 and the release build"))
struct IsolationTests {
    private struct Handlers: Equatable {
        let caught: String
        let ignored: String

        init(_ process: ProcessFacts?) {
            caught = Self.mask(process?.status["SigCgt"])
            ignored = Self.mask(process?.status["SigIgn"])
        }

        /// Without 32 and 33: the C library takes them for itself with the first thread, and nobody else can.
        private static func mask(_ text: String?) -> String {
            text.flatMap { UInt64($0, radix: 16) }.map { String($0 & ~(3 << 31), radix: 16) } ?? "?"
        }
    }

    private struct Observation {
        let parent: Handlers
        let child: Handlers
        let restarted: Handlers
    }

    /// Signal handlers of parent and child, with and without the module.
    private func observe(module: Bool, multiProcessing: String) throws -> Observation? {
        var result: Observation?
        try withServer { server in
            server.multiProcessing = multiProcessing
            server.loadsModule = module
            let entry = module ? try server.deploy(.versionA, as: "app") : ""
            try server.start(module ? server.application(entry, at: "/app") : "")
            if module { #expect(try server.get("/app").status == 200) }
            #expect(try server.get("/static.txt").status == 200)
            let parent = try #require(server.parentPID.flatMap { ProcessFacts(pid: $0) })
            let first = Handlers(parent)
            let child = try settled(server)
            try server.graceful()
            result = Observation(parent: first, child: child, restarted: Handlers(parent))
        }
        return result
    }

    /// The handlers of a child that has begun to work.
    private func settled(_ server: TestServer) throws -> Handlers {
        try eventually("a child with steady handlers") {
            let seen = Set(server.children.map { Handlers($0).caught })
            return seen.count == 1 ? server.children.first.map { Handlers($0) } : nil
        }
    }

    @Test(arguments: ["event", "prefork"])
    func httpdsSignalHandlers_areTheSameAsWithoutTheModule(multiProcessing: String) throws {
        let without = try #require(try observe(module: false, multiProcessing: multiProcessing))
        let with = try #require(try observe(module: true, multiProcessing: multiProcessing))
        #expect(with.parent == without.parent)
        #expect(with.child == without.child)
        #expect(with.restarted == without.restarted)
    }

    @Test func httpdsChild_dyingOfASignalIsReportedByHttpd() throws {
        try withServer { server in
            server.announce("AH00051", "AH00052")
            let entry = try server.deploy(.versionA, as: "app")
            try server.start(server.application(entry))
            #expect(try server.get("/").status == 200)
            let child = try #require(server.children.first)
            kill(child.pid, SIGSEGV)
            try server.logs.waitForLine("\(child.pid)", "Segmentation fault")
            #expect(try server.get("/").status == 200)
        }
    }

    @Test func httpd_mapsNoSwiftLibraryAndNoBundle() throws {
        try withServer { server in
            let entry = try server.deploy(.versionA, as: "app")
            try server.start(server.application(entry))
            #expect(try server.get("/").status == 200)
            let parent = try #require(server.parentPID.flatMap { ProcessFacts(pid: $0) })
            for process in [parent] + server.children {
                let names = process.mappedFiles.map { URL(fileURLWithPath: $0).lastPathComponent }
                let wrong = names.filter {
                    $0.hasPrefix("libswift") || $0.contains("Foundation") || $0.contains("dispatch")
                        || $0.hasPrefix("app.so") || $0.hasPrefix("libFixture")
                }
                #expect(wrong.isEmpty)
                #expect(names.contains("mod_swsgi.so"))
            }
        }
    }

    @Test func daemonProcess_mapsNeitherFoundationNorHttpd() throws {
        try withServer { server in
            let entry = try server.deploy(.versionA, as: "app")
            try server.start(server.application(entry))
            #expect(try server.get("/").status == 200)
            for process in server.daemons + server.supervisors {
                let names = process.mappedFiles.map { URL(fileURLWithPath: $0).lastPathComponent }
                let wrong = names.filter { name in
                    ["Foundation", "apache2", "libapr", "mod_swsgi"].contains { name.contains($0) }
                }
                #expect(wrong.isEmpty)
            }
        }
    }

    @Test(.enabled(if: !Machine.isSanitized, "the memory is the sanitizer's"))
    func helloProcess_needsLessThanTwelveMebibytes() throws {
        try withServer { server in
            let entry = try server.deploy(.versionA, as: "app")
            try server.start(server.application(entry, options: "processes=1 threads=16"))
            _ = try LoadGenerator(port: server.port, connections: 16, requests: 2000).wait()
            let daemon = try server.daemon()
            #expect(daemon.resident < 12 * 1024)
        }
    }

    @Test func noDescriptorOfHttpd_reachesTheDaemonProcesses() throws {
        try withServer { server in
            let entry = try server.deploy(.versionA, as: "app")
            try server.write("secret", to: "secret.key", mode: 0o600)
            try server.start(
                server.application(entry) + "CustomLog \"|$/bin/cat >> \(server.directory)/piped\" brief\n"
            )
            #expect(try server.get("/").status == 200)
            let sockets = Set(
                try #require(server.parentPID.flatMap { ProcessFacts(pid: $0) }).descriptors.values
                    .filter { $0.hasPrefix("socket:") }
            )
            for daemon in server.daemons {
                try eventually("five descriptors") { daemon.hostDescriptors.keys.sorted() == [0, 1, 2, 3, 4] }
                // The queue, and nothing else: not the socket that httpd listens on.
                let shared = sockets.intersection(daemon.descriptors.values)
                #expect(shared.count <= 1, "\(shared)")
                if let queue = shared.first { #expect(daemon.descriptors[3] == queue) }
                for name in ["piped", "access.log", "httpd.conf"] {
                    #expect(!daemon.descriptors.values.contains { $0.contains(name) })
                }
            }
        }
    }

    /// The modes of everything in the runtime directory, by path without what differs from start to start.
    private func modes(umask: String) throws -> [String: String] {
        var modes: [String: String] = [:]
        try withServer { server in
            server.umask = umask
            let entry = try server.deploy(.facts, as: "app")
            try server.start(server.application(entry))
            #expect(try server.get("/").status == 200)
            let found = try run(
                "/usr/bin/find",
                ["\(server.directory)/run", "-path", "*/run/swsgi*", "-printf", "%P %y%m %u %s\n"]
            )
            try found.check()
            for line in found.output.split(separator: "\n") {
                let parts = line.split(separator: " ", maxSplits: 1).map(String.init)
                modes[parts[0].replacing(#/-\w{6}\b|\b\d+\b/#, with: "")] = parts[1]
            }
        }
        return modes
    }

    @Test func s26_modesOfWhatWeMake_doNotDependOnTheUmask() throws {
        let open = try modes(umask: "000")
        #expect(open.count >= 3, "\(open)")
        #expect(try modes(umask: "077") == open)
        #expect(open.values.allSatisfy { $0.hasPrefix("d7") || $0.hasPrefix("f5") }, "\(open)")
    }

    /// Through requests, a replacement and a crash.
    @Test(.enabled(if: Machine.canTrace, "needs strace"))
    func parent_readsNothing_thatOthersWrite() throws {
        try withServer { server in
            server.announceCrashes()
            let entry = try server.deploy(.trouble, as: "app")
            try server.start(server.application(entry, options: "threads=4"))
            #expect(try server.get("/ok").status == 200)
            let parent = try #require(server.parentPID)
            let calls = "trace=read,readv,pread64,preadv,recvfrom,recvmsg,recvmmsg,process_vm_readv"
            let tracer = try Tracer([parent], ["-e", calls], following: false, record: "\(server.directory)/calls")
            for _ in 0..<20 { #expect(try server.get("/ok").status == 200) }
            server.touch(entry)
            #expect(try server.get("/ok").status == 200)
            try server.logs.waitForLine("SWSGI3007")
            #expect(try server.get("/trap").status == 502)
            #expect(try server.get("/ok").status == 200)
            #expect(tracer.calls.isEmpty, "\(tracer.calls)")
            // strace sees what it should: a signal makes the parent read its configuration again.
            try server.graceful()
            try eventually("reads of a file") { tracer.calls.contains("read(") }
            try tracer.end()
        }
    }

    @Test func daemonProcess_canNotReadWhatOnlyRootCan() throws {
        try withServer { server in
            let entry = try server.deploy(.facts, as: "app")
            try server.start(server.application(entry))
            let facts = try server.facts()
            let process = try #require(ProcessFacts(pid: facts.pid))
            #expect(process.userIDs.allSatisfy { $0 != 0 })
            #expect(process.status["NoNewPrivs"] != nil)
            #expect(!process.supplementaryGroups.contains(0))
        }
    }
}
