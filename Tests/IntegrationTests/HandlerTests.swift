import Foundation
import Testing

/// WSGIHandlerScript: one script for all files of a kind.
@Suite(.enabled(if: Machine.canServe, "needs root, apache2 and the release build"))
struct HandlerTests {
    private let groups = """
        WSGIDaemonProcess one user=\(TestUser.first.name) group=\(TestUser.first.name) threads=2
        WSGIDaemonProcess two user=\(TestUser.second.name) group=\(TestUser.second.name) threads=2

        """

    /// Deploys a bundle that answers what the C expression `text` gives, and exports a handler's function alone.
    private func deployHandler(_ server: TestServer, _ name: String, answering text: String) throws -> String {
        try server.write("", to: "www/\(name)/x")
        let source = CFixture.answering(text, symbol: "handle_request", before: Self.lookup)
        try CFixture.compile(source, to: "\(server.www)/\(name)/\(name).so")
        // The key is for aliases: a handler's function has one name.
        return try server.writeEntry(name, ["bundle = \(name).so", "symbol = something_else"])
    }

    /// Gives environ fields of the request, with a line end behind each.
    private static let lookup = """
        #include <stdio.h>
        static const char *fields(const swsgi_host *host, swsgi_exchange *exchange) {
            static __thread char text[4096];
            static const char *const names[] = {
                "SCRIPT_FILENAME", "SCRIPT_NAME", "PATH_INFO", "mod_wsgi.handler_script", "mod_wsgi.request_handler",
                "mod_wsgi.process_group", "mod_wsgi.application_group", "mod_wsgi.callable_object", "HTTP_AUTHORIZATION"};
            size_t length = 0;
            for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
                swsgi_text value = {"-", 1};
                host->environ_get(exchange, names[i], strlen(names[i]), &value);
                length += snprintf(text + length, sizeof text - length, "%s=%.*s\\n", names[i], (int)value.length, value.bytes);
            }
            return text;
        }
        """
    private static let answer = "fields(host, exchange)"

    @Test func handlerScript_getsEveryResourceOfItsHandler() throws {
        try withServer { server in
            server.announce("SWSGI4122", "SWSGI1019")
            server.extraModules = ["actions"]
            let script = try deployHandler(server, "handler", answering: Self.answer)
            let outer = try deployHandler(server, "outer", answering: "\"outer\\n\"")
            try server.write("text\n", to: "htdocs/page.md")
            try server.write("text\n", to: "htdocs/inner/page.md")
            try server.start(
                groups + """
                    WSGIHandlerScript markdown \(outer) process-group=two
                    WSGIHandlerScript forced \(script) process-group=two application-group=%{GLOBAL}
                    WSGIHandlerScript lost \(server.www)/nosuch.wsgi process-group=one
                    WSGIProcessGroup one
                    AddHandler markdown .md
                    <Directory \(server.directory)/htdocs/inner>
                        WSGIHandlerScript markdown /nonexistent.wsgi
                        WSGIHandlerScript markdown \(script) pass-authorization=On
                    </Directory>
                    <Location /forced>
                        SetHandler forced
                    </Location>
                    <Location /lost>
                        SetHandler lost
                    </Location>
                    <Location /acted>
                        Action acted /forced/by-action virtual
                        SetHandler acted
                    </Location>

                    """
            )
            try server.logs.waitForLine("loaded \(script)")
            #expect(try server.get("/page.md").text == "outer\n")
            let page = Facts(try server.get("/inner/page.md/more", headers: ["Authorization: Basic eDp5"]))
            #expect(page["SCRIPT_FILENAME"] == "\(server.directory)/htdocs/inner/page.md")
            #expect(page["SCRIPT_NAME"] == "/inner/page.md")
            #expect(page["PATH_INFO"] == "/more")
            #expect(page["mod_wsgi.handler_script"] == script)
            #expect(page["mod_wsgi.request_handler"] == "markdown")
            #expect(page["mod_wsgi.process_group"] == "one")
            #expect(page["mod_wsgi.application_group"] == "localhost:\(server.port)|/inner/page.md")
            #expect(page["mod_wsgi.callable_object"] == "handle_request")
            #expect(page["HTTP_AUTHORIZATION"] == "Basic eDp5")
            // The resource need not be there; another URL may be the script of an Action.
            let forced = Facts(try server.get("/forced/nosuch"))
            #expect(forced["mod_wsgi.process_group"] == "two")
            #expect(forced["mod_wsgi.application_group"] == "")
            #expect(forced["HTTP_AUTHORIZATION"] == "-")
            let acted = Facts(try server.get("/acted/thing"))
            #expect(acted["mod_wsgi.request_handler"] == "forced")
            #expect(acted["SCRIPT_NAME"]?.hasPrefix("/forced") == true)
            #expect(try server.get("/lost").status == 500)
            try server.logs.waitForLine("SWSGI4122", "nosuch.wsgi")
            // A name without a handler is as httpd has it.
            #expect(try server.get("/static.txt").text == "static\n")
        }
    }

    @Test func touchedHandlerScript_isReloaded() throws {
        try withServer { server in
            let script = try deployHandler(server, "handler", answering: "\"first\\n\"")
            try server.start(
                groups + "WSGIHandlerScript forced \(script) process-group=one application-group=%{GLOBAL}\n"
                    + "<Location /forced>\nSetHandler forced\n</Location>\n"
            )
            #expect(try server.get("/forced").text == "first\n")
            let source = CFixture.answering("\"second\\n\"", symbol: "handle_request")
            try CFixture.compile(source, to: "\(server.www)/handler/new.so")
            try server.writeEntry("handler", ["bundle = new.so"])
            #expect(try server.get("/forced").text == "second\n")
        }
    }
}
