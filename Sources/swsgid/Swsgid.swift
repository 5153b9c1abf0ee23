internal import Glibc
internal import SWSGICheck
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
        default:
            let text = "swsgid is started by mod_swsgi and is of no use by itself\n"
            _ = write(STDERR_FILENO, text, text.utf8.count)
            exit(64)
        }
    }
}
