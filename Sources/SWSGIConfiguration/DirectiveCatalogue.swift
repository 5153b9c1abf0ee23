// The catalogue of directives: the manual's pages and the module's table of commands are held against it by tests.
extension Directive {
    /// Every directive, in the manual's order, and then those without effect.
    public static let all = mapping + groups + requests + scripts + processes + ignored

    private static let mapping = [
        Directive(
            "WSGIScriptAlias",
            "URL-path entry-file [option=value] ...",
            .servers,
            "Maps a URL path to an entry file."
        ),
        Directive(
            "WSGIScriptAliasMatch",
            "expression entry-file [option=value] ...",
            .servers,
            "Maps the URL paths that match a regular expression to an entry file."
        ),
        Directive(
            "WSGIHandlerScript",
            "name entry-file [option=value] ...",
            .sections,
            "Names an entry file that handles other files."
        ),
        Directive(
            "WSGICallableObject",
            "name",
            .everywhere,
            default: "the entry file's symbol, and otherwise application",
            "Names the C function that the bundle exports."
        ),
        Directive(
            "WSGIScriptReloading",
            "On or Off",
            .everywhere,
            default: "On",
            "Says whether a changed entry file replaces the processes of its group."
        ),
        Directive(
            "WSGIRememberWalk",
            "On or Off",
            .servers,
            default: "On",
            "Remembers httpd's walk to the entry file of an alias, where each request would come to the same end."
        ),
    ]

    private static let groups = [
        Directive(
            "WSGIProcessGroup",
            "name",
            .sections,
            default: "%{GLOBAL}: embedded mode",
            "Says which process group runs the applications."
        ),
        Directive(
            "WSGIApplicationGroup",
            "name",
            .sections,
            default: "%{RESOURCE}",
            "Says which requests share one loaded instance of an application."
        ),
        Directive(
            "WSGIRestrictProcess",
            "name ...",
            .sections,
            default: "all process groups",
            "Says which process groups requests may use."
        ),
    ]

    private static let requests = [
        Directive(
            "WSGIPassAuthorization",
            "On or Off",
            .everywhere,
            default: "Off",
            "Says whether applications see the Authorization header."
        ),
        Directive(
            "WSGIChunkedRequest",
            "On or Off",
            .everywhere,
            default: "On; mod_wsgi: Off",
            "Says whether request bodies without a Content-Length are taken."
        ),
        Directive(
            "WSGIMapHEADToGET",
            "Off, On or Auto",
            .everywhere,
            default: "Auto",
            "Says when applications see a HEAD request as GET."
        ),
        Directive(
            "WSGIErrorOverride",
            "On, Off, or statuses from 400 to 599",
            .everywhere,
            default: "Off",
            "Replaces error responses of applications by those of httpd."
        ),
        Directive(
            "WSGILocalRedirect",
            "On or Off",
            .everywhere,
            default: "Off; mod_wsgi does it always in daemon mode",
            "Serves another path of this server in place of a response."
        ),
        Directive(
            "WSGITrustedProxies",
            "ADDRESS ...",
            .everywhere,
            default: "not set: every client is believed",
            "Names the reverse proxies whose headers are believed."
        ),
        Directive(
            "WSGITrustedProxyHeaders",
            "HEADER ...",
            .everywhere,
            "Says which headers of a reverse proxy are believed."
        ),
        Directive(
            "WSGIEnableSendfile",
            "On or Off",
            .everywhere,
            default: "Off",
            "Says whether the kernel may copy applications' files to clients by itself."
        ),
        Directive(
            "WSGIIgnoreActivity",
            "On or Off",
            .everywhere,
            default: "Off",
            "Says whether requests keep a daemon process from being inactive."
        ),
        Directive(
            "WSGISlowRequests",
            "seconds",
            .server,
            default: "none: no request is logged",
            "Writes a line to the error log for each request that takes longer."
        ),
    ]

    private static let authentication: DirectiveContexts = [.server, .virtualHost, .directory, .authConfig]

    private static let scripts = [
        Directive(
            "WSGIAccessScript",
            "entry-file [option=value] ...",
            authentication,
            "Names an entry file that says which clients may come."
        ),
        Directive(
            "WSGIAuthUserScript",
            "entry-file [option=value] ...",
            authentication,
            "Names an entry file that knows users and their passwords."
        ),
        Directive(
            "WSGIAuthGroupScript",
            "entry-file [option=value] ...",
            authentication,
            "Names an entry file that knows the groups of users."
        ),
        Directive(
            "WSGIDispatchScript",
            "entry-file [option=value] ...",
            .sections,
            "Names an entry file that chooses process group, application group and function for each request."
        ),
    ]

    private static let processes = [
        Directive(
            "WSGIDaemonProcess",
            "name [option=value] ...",
            .servers,
            "Defines a process group: the daemon processes that run applications."
        ),
        Directive(
            "WSGIImportScript",
            "entry-file process-group=name application-group=name",
            .servers,
            "Loads an application into a process group before its first request, or names the service of a group."
        ),
        Directive(
            "WSGIInterpreterOptions",
            "[process-group=name] [application-group=name]",
            .servers,
            isSection: true,
            "Restricts the processes of one process group."
        ),
        Directive(
            "WSGIRestrictStdin",
            "On or Off",
            [.server, .section],
            default: "Off",
            "Says whether applications may read their standard input."
        ),
        Directive(
            "WSGIRestrictStdout",
            "On or Off",
            [.server, .section],
            default: "Off",
            "Says whether applications may write to their standard output."
        ),
        Directive(
            "WSGIRestrictSignal",
            "On or Off",
            [.server, .section],
            default: "On",
            "Says whether handlers that applications install for the signals of a daemon process are removed."
        ),
        Directive(
            "WSGIRestrictEmbedded",
            "On or Off",
            .server,
            default: "Off",
            "Says whether requests without a process group are refused."
        ),
    ]

    private static let inSection: DirectiveContexts = [.server, .virtualHost, .directory, .section]

    private static let ignored = [
        Directive(ignored: "WSGISocketPrefix", "socket files; mod_swsgi has none"),
        Directive(ignored: "WSGISocketRotation", "socket files"),
        Directive(ignored: "WSGIAcceptMutex", "a lock between daemon processes; the queue needs none"),
        Directive(ignored: "WSGIPythonHome", "Python"),
        Directive(
            ignored: "WSGIPythonPath",
            in: inSection,
            "Python; libraries are found by library-path of <doc:EntryFiles>"
        ),
        Directive(ignored: "WSGIPythonEggs", "Python"),
        Directive(ignored: "WSGIPythonOptimize", "Python"),
        Directive(ignored: "WSGIPythonWarnings", "Python"),
        Directive(ignored: "WSGIPythonHashSeed", "Python"),
        Directive(ignored: "WSGIDontWriteBytecode", "Python"),
        Directive(ignored: "WSGISwitchInterval", in: inSection, "Python"),
        Directive(ignored: "WSGIDestroyInterpreter", "Python"),
        Directive(ignored: "WSGIPerInterpreterGIL", in: inSection, "Python"),
        Directive(ignored: "WSGIFreeThreading", in: inSection, "Python"),
        Directive(ignored: "WSGILazyInitialization", "Python"),
        Directive(ignored: "WSGIVerboseDebugging", "mod_wsgi's own log; LogLevel wsgi:debug shows more here"),
        Directive(ignored: "WSGICaseSensitivity", "file systems that ignore case"),
        Directive(ignored: "WSGIPy3kWarningFlag", "Python"),
        Directive(ignored: "WSGIPassApacheRequest", "Python"),
        Directive(ignored: "WSGINewRelicConfigFile", "Python"),
        Directive(ignored: "WSGINewRelicEnvironment", "Python"),
        Directive(
            ignored: "WSGIReloadMechanism",
            in: .everywhere,
            "mod_wsgi 2; <doc:WSGIScriptReloading> replaces processes"
        ),
        Directive(ignored: "WSGIServerMetrics", "a function of mod_wsgi's Python module"),
        Directive(ignored: "WSGITelemetryService", "mod_wsgi's own measurements"),
        Directive(ignored: "WSGITelemetryOptions", "mod_wsgi's own measurements"),
        Directive(
            ignored: "WSGIGroupAuthoritative",
            in: authentication,
            "nothing, in mod_wsgi 6; authentication before httpd 2.4"
        ),
        Directive(ignored: "WSGIUserAuthoritative", in: authentication, "authentication before httpd 2.4"),
        Directive(ignored: "WSGIAuthoritative", in: authentication, "authentication before httpd 2.4"),
    ]
}
