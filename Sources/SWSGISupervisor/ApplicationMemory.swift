internal import SWSGIWire

/// What a group remembers of its applications from one process to the next; all of it bounded.
struct ApplicationMemory {
    /// Applications that processes have loaded or seen change, oldest first.
    private(set) var known: [ApplicationKey] = []
    /// Versions that are not to be tried again.
    private(set) var poisoned: [PoisonedApplication] = []
    /// Versions that the group could not be reloaded to.
    private(set) var failed: [ApplicationVersion] = []
    private var interrupted: [(version: ApplicationVersion, count: Int)] = []

    /// What a new process loads before it takes work: what is configured first.
    func preload(configured: [ApplicationKey]) -> [ApplicationKey] {
        Array((configured + known).prefix(ControlLimits.applications))
    }

    mutating func remember(_ key: ApplicationKey, configured: [ApplicationKey]) {
        guard !known.contains(key), !configured.contains(key) else { return }
        append(&known, key)
    }

    mutating func loaded(_ version: ApplicationVersion, configured: [ApplicationKey]) {
        remember(version.key, configured: configured)
        poisoned.removeAll { $0.version.key == version.key && $0.version.identity != version.identity }
        interrupted.removeAll { $0.version.key == version.key }
        failed.removeAll { $0.key == version.key && $0.identity != version.identity }
    }

    func isPoisoned(_ version: ApplicationVersion) -> Bool { poisoned.contains { $0.version == version } }

    mutating func poison(_ version: ApplicationVersion, _ reason: String) {
        poisoned.removeAll { $0.version.key == version.key }
        append(&poisoned, PoisonedApplication(version: version, reason: reason))
    }

    func hasFailed(_ version: ApplicationVersion) -> Bool { failed.contains(version) }

    mutating func fail(_ version: ApplicationVersion) {
        failed.removeAll { $0.key == version.key }
        append(&failed, version)
    }

    /// A signal from outside came while this version was being loaded; returns how often in a row.
    mutating func interruptedLoading(_ version: ApplicationVersion) -> Int {
        if let index = interrupted.firstIndex(where: { $0.version == version }) {
            interrupted[index].count += 1
            return interrupted[index].count
        }
        interrupted.removeAll { $0.version.key == version.key }
        append(&interrupted, (version, 1))
        return 1
    }

    private func append<Element>(_ list: inout [Element], _ element: Element) {
        if list.count >= ControlLimits.applications { list.removeFirst() }
        list.append(element)
    }
}
