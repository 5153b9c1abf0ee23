internal import Glibc
internal import SWSGICheck
internal import SWSGIConfiguration
internal import SWSGISupervisor
internal import SWSGISystem
internal import SWSGIWorker

/// The program beside the module: `swsgid supervise` and `swsgid check` are started by httpd, `swsgid serve` by the supervisor;
/// `swsgid sweep` by httpd, for what children have left that were killed.
@main
struct Swsgid {
    static func main() {
        CurrentProcess.setName("swsgid")
        switch CommandLine.arguments.dropFirst().first {
        case "supervise": exit(supervise())
        case "serve": exit(serve())
        case "check": exit(check())
        case "sweep": exit(sweep(CommandLine.arguments.dropFirst(2).first))
        case "--help", "-h", "help": say(help, to: STDOUT_FILENO)
        case "--version", "version": say("mod_swsgi \(productVersion)\n", to: STDOUT_FILENO)
        default:
            say(help, to: STDERR_FILENO)
            exit(EX_USAGE)
        }
    }

    private static let help = """
        swsgid is the program of mod_swsgi's daemon processes. Apache httpd starts it, and it is of no use without httpd:

            swsgid supervise    starts, watches and replaces the daemon processes of one configuration
            swsgid serve        is a daemon process: serves the requests of a process group
            swsgid check        looks at entry files and directories for apachectl configtest
            swsgid sweep        removes what a killed child of httpd has left
            swsgid --version
            swsgid --help

        WSGIDaemonProcess says which daemon processes there are: swsgi directive WSGIDaemonProcess. What they log has a code:
        swsgi explain SWSGI4022. The manual's page about processes is Processes, in share/swsgi/Sources/SWSGI/SWSGI.docc.

        """

    private static func say(_ text: String, to descriptor: Int32) {
        _ = text.withCString { write(descriptor, $0, text.utf8.count) }
    }
}
