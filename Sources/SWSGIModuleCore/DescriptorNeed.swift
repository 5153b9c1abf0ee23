internal import Glibc
internal import SWSGIConfiguration
internal import SWSGISystem

/// How many open files process groups need: of httpd's parent, and of the supervisor, whose soft limit is raised to the hard one.
enum DescriptorNeed {
    /// Of httpd's parent for each group: both ends of its queue, and the page of who has taken what.
    private static let perGroup = 3
    /// Pages, plan, standard descriptors, and what is open for a moment only.
    private static let rest = 24
    /// Of the supervisor for each daemon process: its control socket and its two output pipes.
    private static let perProcess = 3

    /// Refuses a start that would leave httpd without a supervisor; `highest` is the last descriptor that was made.
    static func check(_ groups: [DaemonProcessOptions], highest: Int32) throws(Problem) {
        // One process more for each group: the one that comes up beside those that it replaces.
        let processes = groups.reduce(0) { $0 + Int($1.processes) + 1 }
        let inherited = rest + perGroup * groups.count
        let needed = max(Int(highest) + inherited, inherited + perProcess * processes)
        let hard = CurrentProcess.descriptorLimits.hard
        guard UInt64(needed) > hard else { return }
        let text = "the supervisor of \(groups.count) process groups with \(processes - groups.count) processes needs"
        throw Problem(.queueFailed, "\(text) \(needed) open files, and the hard limit of httpd is \(hard)")
    }

    /// httpd's parent could not make all of the queues; `open` files were open before.
    static func problem(groups: Int, open: Int, _ error: Errno) -> Problem {
        let text = "the queues of \(groups) process groups can't be made: \(error)"
        guard error.code == EMFILE else { return Problem(.queueFailed, text) }
        let needed = open + perGroup * groups + rest
        let soft = CurrentProcess.descriptorLimits.soft
        return Problem(.queueFailed, "\(text); httpd needs \(needed) of them, and its soft limit is \(soft)")
    }
}
