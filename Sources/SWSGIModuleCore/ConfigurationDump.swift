internal import SWSGIConfiguration
internal import SWSGIWire

// `apachectl -t -D DUMP_WSGI`: what was understood of a configuration.
extension Configuration {
    /// The whole table but for the entry files, for a person to read.
    public func dump(httpd: HTTPDFacts) -> String {
        var text = "mod_swsgi configuration:\n"
        for group in groups { text += dump(group, httpd) }
        text += dumpEmbedded(httpd)
        text += dumpMounts()
        text += section("Imports, handlers and scripts", mounts.filter { $0.location == nil }.map(line))
        text += section("Trusted proxies", proxies.listed)
        let restricted = "WSGIRestrictEmbedded \(embedded.isRestricted ? "On" : "Off")"
        text += section("Server", ["WSGISlowRequests \(slowRequests.map(timeText) ?? "none")", restricted])
        return text
    }

    private func section(_ title: String, _ lines: [String]) -> String {
        lines.isEmpty ? "" : "\(title):\n" + lines.map { "  \($0)\n" }.joined()
    }

    private func dump(_ group: GroupDefinition, _ httpd: HTTPDFacts) -> String {
        let plan = IdentityResolver.plan(group, httpd: httpd, logLevel: 0)
        var lines = [
            "defined at \(group.place.text), for \(group.place.server.title(inheriting: true))",
            "runs as \(plan.userName), uid \(plan.uid), gid \(plan.gid), groups \(list(plan.groups))",
            "directory \(plan.surroundings.directoryInRoot ?? plan.directory)",
        ]
        lines += group.options.effective.map { "\($0.name)=\($0.value)" }
        lines += group.options.withoutEffect.map { "\($0)= has no effect" }
        lines += restrictions(of: group.options.name)
        lines += group.applications.map { "loads \($0.entryFile), application group \(name($0.applicationGroup))" }
        return section("Process group '\(group.options.name)'", lines)
    }

    /// Only where something is known to run so.
    private func dumpEmbedded(_ httpd: HTTPDFacts) -> String {
        guard mounts.contains(where: \.isEmbedded) else { return "" }
        let refused = "refused by WSGIRestrictEmbedded: requests without a process group are answered 500"
        var lines = embedded.isRestricted ? [refused] : []
        if embedded.isNeeded {
            lines += ["runs as \(httpd.userName), uid \(httpd.uid), gid \(httpd.gid)", httpd.sharing]
            lines += embedded.preloads.map {
                "loads \($0.entryFile), application group \(name($0.applicationGroup))"
            }
        }
        return section("Embedded mode", lines)
    }

    private func list(_ numbers: [UInt32]) -> String {
        numbers.isEmpty ? "httpd's" : numbers.map { "\($0)" }.joined(separator: ",")
    }

    private func name(_ applicationGroup: String) -> String {
        applicationGroup.isEmpty ? "%{GLOBAL}" : applicationGroup
    }

    /// In the order of the servers.
    private func dumpMounts() -> String {
        var text = ""
        var server: ServerFacts?
        for mount in mounts where mount.location != nil {
            if mount.server != server {
                text += "Aliases of \(mount.server.title(inheriting: false)):\n"
                server = mount.server
            }
            text += "  \(line(mount))\n"
        }
        return text
    }

    private func line(_ mount: Mount) -> String {
        let location = mount.location.map { "\($0)  " } ?? ""
        let group = runner(of: mount)
        let application = mount.applicationGroup.map(name) ?? (mount.isQuestion ? "%{GLOBAL}" : "%{RESOURCE}")
        let symbol = mount.symbol.map { ", symbol \($0)" } ?? ""
        return "\(location)\(mount.target)  \(group), application group \(application)\(symbol)  (\(mount.place.text))"
    }

    private func runner(of mount: Mount) -> String {
        if mount.isEmbedded { return "in httpd's children (embedded mode)" }
        return mount.processGroup.map { "process group \($0)" } ?? "process group of the request's directory"
    }

    private func restrictions(of group: String) -> [String] {
        let flags: [(String, Restrictions)] = [
            ("WSGIRestrictStdin", .input), ("WSGIRestrictStdout", .output), ("WSGIRestrictSignal", .signals),
        ]
        let on = restrictions.restrictions(of: group)
        return flags.map { "\($0.0) \(on.contains($0.1) ? "On" : "Off")" }
    }
}

extension ServerFacts {
    fileprivate func title(inheriting: Bool) -> String {
        if isVirtual { return "virtual host \(hostName)" }
        return inheriting ? "all servers" : "the main server, \(hostName)"
    }
}
