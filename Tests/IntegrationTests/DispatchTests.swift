import Foundation
import Testing

/// WSGIDispatchScript: a script that chooses where each request goes.
@Suite(.enabled(if: Machine.canServe && !Machine.isSanitized, "needs root, apache2 and the release build"))
struct DispatchTests {
    @Test(arguments: ScriptTests.places) func dispatchScript_choosesGroupsAndFunction(place: String) throws {
        try withServer { server in
            server.announce(
                "SWSGI4020",
                "SWSGI4120",
                "SWSGI4121",
                "SWSGI4134",
                "SWSGI4023",
                "Trouble",
                "SWSGI2020",
                "SWSGI4028"
            )
            let script = try server.deploy(.scripts, as: "scripts")
            let groups = [("asked", TestUser.first), ("blue", .first), ("green", .second), ("closed", .second)]
            try server.start(
                groups.map { "WSGIDaemonProcess \($0.0) user=\($0.1.name) threads=2\n" }.joined()
                    + """
                    WSGIScriptAlias / \(script) application-group=first process-group=%{ENV:NOBODY_SETS_IT}
                    <Directory \(server.www)>
                        Require all granted
                        WSGIDispatchScript \(script) \(place)
                        WSGIRestrictProcess blue green asked %{GLOBAL}
                    </Directory>

                    """
            )
            func page(_ headers: String...) throws -> Facts { Facts(try server.get("/", headers: headers)) }
            func status(_ headers: String...) throws -> Int { try server.get("/", headers: headers).status }
            let blue = try page("X-Process-Group: blue")
            #expect(blue["mod_wsgi.process_group"] == "blue")
            #expect(blue["mod_wsgi.application_group"] == "first")
            #expect(blue["symbol"] == "application")
            #expect(blue["secrets"] == "")
            let green = try page(
                "X-Process-Group: green",
                "X-Application-Group: second",
                "X-Callable-Object: other_application"
            )
            #expect(green["mod_wsgi.process_group"] == "green")
            #expect(green["mod_wsgi.application_group"] == "second")
            #expect(green["symbol"] == "other_application")
            let own = try page("X-Process-Group: %{GLOBAL}", "X-Application-Group: %{GLOBAL}")
            #expect(own["mod_wsgi.process_group"] == "")
            #expect(own["mod_wsgi.application_group"] == "")
            // What it leaves out stays as configured: here a variable that is not set.
            #expect(try status() == 500)
            #expect(try status("X-Application-Group: second") == 500)
            #expect(try status("X-Process-Group: closed") == 500)
            #expect(try status("X-Process-Group: nosuch") == 500)
            #expect(try status("X-Process-Group: %{ENV:X}") == 500)
            try server.logs.waitForLine("SWSGI4134", "process-group=%{ENV:X}")
            #expect(try status("X-Callable-Object: no-name", "X-Process-Group: blue") == 500)
            #expect(try status("X-Callable-Object: nosuch", "X-Process-Group: blue") == 500)
            #expect(try status("X-Process-Group: throw") == 500)
        }
    }
}
