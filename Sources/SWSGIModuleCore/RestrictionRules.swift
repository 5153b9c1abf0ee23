public import SWSGIConfiguration
public import SWSGIWire

/// WSGIRestrictStdin, WSGIRestrictStdout and WSGIRestrictSignal, of the server and of `<WSGIInterpreterOptions>`.
public struct RestrictionRules: Sendable {
    private struct Rule {
        /// nil: every group.
        let group: String?
        let what: Restrictions
        let isOn: Bool
    }

    private var base = Restrictions.standard
    private var rules: [Rule] = []
    private var section: InterpreterSection?
    private var idle: [(directive: String, section: InterpreterSection, place: Place)] = []

    init() {}

    /// What follows stands in a section.
    public mutating func begin(_ section: InterpreterSection) {
        self.section = section
    }

    /// The section ends.
    public mutating func end() {
        section = nil
    }

    /// One of the directives.
    public mutating func set(_ what: Restrictions, _ isOn: Bool, directive: String, at place: Place) {
        guard let section else {
            if isOn { base.insert(what) } else { base.remove(what) }
            return
        }
        // Standard streams and signal handlers are a process's: no application group has any of its own.
        guard section.applicationGroup == nil, section.processGroup != "%{GLOBAL}" else {
            idle.append((directive, section, place))
            return
        }
        rules.append(Rule(group: section.processGroup, what: what, isOn: isOn))
    }

    /// What holds in a group's processes: a section that names the group counts more than one that names none, and that more
    /// than the server; of equals the last one counts.
    public func restrictions(of group: String) -> Restrictions {
        var result = base
        for rule in rules.filter({ $0.group == nil }) + rules.filter({ $0.group == group }) {
            if rule.isOn { result.insert(rule.what) } else { result.remove(rule.what) }
        }
        return result
    }

    /// Directives that can't have an effect where they stand.
    var remarks: [Problem] {
        idle.map {
            let reason =
                $0.section.applicationGroup == nil
                ? "process-group=%{GLOBAL} is httpd itself" : "an application group shares its process with others"
            return Problem(
                .sectionWithoutEffect,
                "\($0.place.file):\($0.place.line): \($0.directive) has no effect in this section: \(reason)"
            )
        }
    }
}
