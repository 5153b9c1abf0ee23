import Foundation
import Glibc
import Testing

/// As MergeTests, for directives whose effect is not seen in a response.
@Suite(.enabled(if: Machine.canServe, "needs root, apache2 and the release build"))
struct MergeEffectTests {
    private static let group = "user=\(TestUser.first.name) group=\(TestUser.first.name) threads=2"

    /// The answer of an instance that has been loaded anew is "1".
    private static let counter = CFixture.answering(
        "count()",
        before: """
            #include <stdio.h>
            static const char *count(void) { static int n; static char t[12]; snprintf(t, 12, "%d", ++n); return t; }
            """
    )

    @Test(.enabled(if: !Machine.isSanitized, "no embedded mode with a sanitizer"))
    func scriptReloading_innermostPlaceSays_whetherAChangeIsFollowed() throws {
        try withServer { server in
            server.settings = EmbeddedTests.oneChild
            let places = DirectivePlaces("WSGIScriptReloading", "Off", "On")
            try server.write("", to: "www/app/x")
            try CFixture.compile(Self.counter, to: "\(server.www)/app/app.so")
            try places.prepare(["app"], server)
            let hosts = places.sets.map { set in
                // An instance for each host, in httpd's own child: what one loads is no matter of another.
                places.host("h\(set).example", set: set, server) {
                    "WSGIScriptAlias / \($0)/app.wsgi application-group=g\(set)"
                }
            }
            try server.start(DirectivePlaces.common(server) + hosts.joined())
            for set in places.sets {
                let url = "http://h\(set).example/"
                #expect(try server.get(url).text == "1")
                for name in ["plain", places.directive] {
                    // A time of its own for each change, however quickly they follow each other.
                    var times = [
                        timespec(tv_sec: 1_000_000 + set, tv_nsec: 0), timespec(tv_sec: 1_000_000 + set, tv_nsec: 0),
                    ]
                    utimensat(AT_FDCWD, "\(server.www)/\(name)/app.wsgi", &times, 0)
                }
                let expected = places.value(in: set) == "Off" ? "2" : "1"
                #expect(try server.get(url).text == expected, "in \(set)")
            }
        }
    }

    @Test(.enabled(if: Machine.canTrace, "needs strace"))
    func enableSendfile_innermostPlaceSays_whoCopies() throws {
        try withServer { server in
            server.settings = EmbeddedTests.oneChild
            let places = DirectivePlaces("WSGIEnableSendfile", "On", "Off")
            try server.deploy(.response, as: "files")
            try places.prepare(["files"], server)
            let hosts = places.sets.map { set in
                places.host("h\(set).example", set: set, server) { "WSGIScriptAlias / \($0)/files.wsgi" }
            }
            try server.start(
                "WSGIDaemonProcess one \(Self.group)\nWSGIProcessGroup one\n" + DirectivePlaces.common(server)
                    + hosts.joined()
            )
            let child = try #require(server.children.first).pid
            let tracer = try Tracer([child], ["-e", "trace=sendfile"], record: "\(server.directory)/calls")
            // The length of the file says in the record whose call it is.
            func length(_ set: Int) -> Int { 70_001 + set }
            for set in places.sets {
                let file = "\(server.directory)/files/\(set)"
                try server.write(String(repeating: "x", count: length(set)), to: file)
                chown(file, uid_t(TestUser.first.uid), gid_t(TestUser.first.gid))
                let response = try server.get("http://h\(set).example/static?path=\(file)")
                #expect(response.body.count == length(set))
            }
            let calls = try tracer.end()
            for set in places.sets {
                let isOn = places.value(in: set) == "On"
                #expect(calls.contains(", \(length(set)))") == isOn, "in \(set): \(calls)")
            }
        }
    }

    /// A request that runs keeps its process from being inactive, or does not.
    @Test func ignoreActivity_innermostPlaceSays_whetherARequestCounts() throws {
        try withServer { server in
            let places = DirectivePlaces("WSGIIgnoreActivity", "On", "Off")
            try server.deploy(.echo, as: "app")
            try places.prepare(["app"], server)
            let groups = places.sets.map { "WSGIDaemonProcess g\($0) \(Self.group) inactivity-timeout=1\n" }
            let plain = places.sets.map {
                "WSGIScriptAlias /g\($0) \(server.www)/plain/app.wsgi process-group=g\($0)\n"
            }
            let hosts = places.sets.map { set in
                places.host("h\(set).example", set: set, server) {
                    "WSGIScriptAlias / \($0)/app.wsgi process-group=g\(set)"
                }
            }
            try server.start(
                groups.joined() + plain.joined() + DirectivePlaces.common(server)
                    + "<VirtualHost *>\nServerName plain.example\n</VirtualHost>\n" + hosts.joined()
            )
            // Each runs for as long as its body is not complete.
            let running = try places.sets.map { set in
                let connection = try HTTPConnection(port: server.port)
                try connection.sendHead("POST", "http://h\(set).example/count", ["Content-Length: 2"])
                try connection.send("a")
                return connection
            }
            try eventually("requests in all processes") {
                server.daemons.count { $0.exchanges > 0 } == places.sets.count
            }
            // Only a process that has had something to do becomes inactive.
            for set in places.sets { #expect(try server.get("http://plain.example/g\(set)/count").status == 200) }
            let expected = Set(places.sets.filter { places.value(in: $0) == "On" }.map { "[group g\($0)]" })
            func replaced() -> Set<String> {
                let lines = server.logs.lines(containing: "asks to be replaced")
                return Set(
                    places.sets.map { "[group g\($0)]" }.filter { name in lines.contains { $0.contains([name]) } }
                )
            }
            try eventually("inactive processes") { expected.isSubset(of: replaced()) }
            #expect(replaced() == expected)
            for connection in running {
                try connection.send("b")
                #expect(try connection.response(to: "POST").status == 200)
            }
        }
    }
}
