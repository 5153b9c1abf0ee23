import Foundation

extension TestServer {
    /// The beginning of every configuration; nothing in it concerns mod_swsgi.
    var configurationHead: String {
        let usual = [
            "authz_core", "authz_host", "access_compat", "alias", "mime", "dir", "headers", "env", "setenvif",
        ]
        let modules = (["mpm_\(multiProcessing)"] + usual + extraModules).map {
            "LoadModule \($0)_module \(Installation.httpdModules)/mod_\($0).so"
        }
        return """
            ServerRoot \(directory)
            DefaultRuntimeDir run
            PidFile run/httpd.pid
            \(modules.joined(separator: "\n"))
            \(loadsModule ? "LoadModule wsgi_module \(library)/mod_swsgi.so" : "")
            ServerName localhost:\(port)
            Listen 127.0.0.1:\(port)
            User www-data
            Group www-data
            ErrorLog logs/error.log
            LogLevel info
            LogFormat "%>s %B %D \\"%r\\"" brief
            CustomLog logs/access.log brief
            TypesConfig /dev/null
            DocumentRoot \(directory)/htdocs
            Timeout 60
            KeepAlive On
            KeepAliveTimeout 60
            MaxKeepAliveRequests 0
            \(processSettings)
            <Directory />
                AllowOverride None
                Require all denied
            </Directory>
            <Directory \(directory)/htdocs>
                Require all granted
            </Directory>

            """
    }

    /// How many children httpd starts with.
    private var startServers: Int { multiProcessing == "prefork" ? 4 : 2 }

    /// The numbers of httpd's children, when all that it starts with are there: it listens before.
    func startedChildren() throws -> Set<Int32> {
        try eventually("\(startServers) children of httpd") {
            let numbers = Set(children.map(\.pid))
            return numbers.count >= startServers ? numbers : nil
        }
    }

    /// All daemon processes, when there are so many and each has loaded what it serves: one that is starting has not got its
    /// name yet, and takes nothing.
    func loadedDaemons(_ count: Int) throws -> [ProcessFacts] {
        try eventually("\(count) daemon processes that have loaded their application") {
            let found = daemons.map(\.pid)
            let haveLoaded = found.allSatisfy { !logs.lines(containing: "[pid \($0)]", "loaded ").isEmpty }
            return found.count == count && haveLoaded ? found.compactMap { ProcessFacts(pid: $0) } : nil
        }
    }

    private var processSettings: String {
        if multiProcessing == "prefork" {
            return """
                StartServers \(startServers)
                MinSpareServers 2
                MaxSpareServers 80
                MaxRequestWorkers 80
                """
        }
        // A child whose threads are all busy closes connections that wait: one child must have a thread for each client.
        return """
            StartServers \(startServers)
            ServerLimit 4
            ThreadLimit 80
            ThreadsPerChild 80
            MaxRequestWorkers 320
            MinSpareThreads 80
            MaxSpareThreads 320
            """
    }

    /// A virtual host's worth of lines that serve `entryFile` at / in process group `group`.
    func application(
        _ entryFile: String,
        at url: String = "/",
        group: String = "one",
        options: String = "threads=4",
        user: TestUser = .first,
        inDirectory: String = ""
    ) -> String {
        let folder = URL(fileURLWithPath: entryFile).deletingLastPathComponent().path
        return """
            WSGIDaemonProcess \(group) user=\(user.name) group=\(user.name) \(options)
            WSGIScriptAlias \(url) \(entryFile)
            <Directory \(folder)>
                WSGIProcessGroup \(group)
                WSGIApplicationGroup %{GLOBAL}
                Require all granted
                \(inDirectory)
            </Directory>

            """
    }

    /// The same in embedded mode: without a process group.
    func embedded(_ entryFile: String, at url: String = "/", options: String = "", inDirectory: String = "") -> String {
        let folder = URL(fileURLWithPath: entryFile).deletingLastPathComponent().path
        return """
            WSGIScriptAlias \(url) \(entryFile) \(options)
            <Directory \(folder)>
                WSGIApplicationGroup %{GLOBAL}
                Require all granted
                \(inDirectory)
            </Directory>

            """
    }
}
