internal import Glibc
internal import SWSGIConfiguration

/// The administrator's command: prints what the error log's codes mean, and what directives take.
///
/// It needs no server, and changes nothing.
@main
struct Swsgi {
    static func main() {
        let words = CommandLine.arguments.dropFirst()
        let names = words.dropFirst()
        switch words.first {
        case "explain" where !names.isEmpty: exit(explain(names))
        case "directive" where !names.isEmpty: exit(describe(names))
        case "directives" where names.isEmpty: list()
        case "help", "--help", "-h": print(help)
        case "version", "--version": print("mod_swsgi \(productVersion)")
        default:
            complain(usage)
            exit(EX_USAGE)
        }
    }

    private static let usage = """
        usage: swsgi explain CODE ...      what a message of the error log means, why it comes, and what to do
               swsgi directive NAME ...    what a directive takes, where it may stand, and what it does
               swsgi directives            all directives, with a line for each
               swsgi --version
               swsgi --help
        """

    private static let help = """
        swsgi explains mod_swsgi's messages and directives. It needs no server, and changes nothing.

        \(usage)

        The lines of the error log have the codes: /var/log/apache2/error.log, on Debian. 'apachectl configtest' checks a
        configuration, and 'apachectl -t -D DUMP_WSGI' prints what was understood of it.
        """

    /// Gives the exit status: 1 when one of the codes does not exist.
    private static func explain(_ names: ArraySlice<String>) -> Int32 {
        show(names, "message") { MessageCode.named($0)?.explanation }
    }

    private static func describe(_ names: ArraySlice<String>) -> Int32 {
        let status = show(names, "directive") { Directive.named($0)?.explanation }
        for name in names where Directive.named(name) == nil {
            let known = Directive.all.map(\.name)
            if let close = nearest(to: name, among: known) { complain("swsgi: did you mean \(close)?") }
        }
        return status
    }

    private static func show(_ names: ArraySlice<String>, _ what: String, _ text: (String) -> String?) -> Int32 {
        var status: Int32 = 0
        var separator = ""
        for name in names {
            if let text = text(name) {
                print(separator + text)
                separator = "\n"
            } else {
                complain("swsgi: there is no \(what) '\(name)'")
                status = 1
            }
        }
        return status
    }

    private static func list() {
        for directive in Directive.all where directive.hasEffect {
            print("\(directive.name)\n    \(directive.summary)")
        }
        let others = Directive.all.filter { !$0.hasEffect }.map(\.name)
        print("\nAccepted for mod_wsgi's configurations, without effect:\n    \(others.joined(separator: ", "))")
    }

    private static func complain(_ text: String) {
        let line = text + "\n"
        _ = line.withCString { write(STDERR_FILENO, $0, line.utf8.count) }
    }
}
