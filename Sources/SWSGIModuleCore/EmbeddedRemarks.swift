internal import SWSGIConfiguration

// What is said at start, and by `apachectl configtest`, of applications in httpd's own children.
extension Configuration {
    /// What httpd's processes are to embedded applications; nil: none is known.
    public func embeddedRemark(httpd: HTTPDFacts) -> String? {
        let files = Set(mounts.filter(runsEmbedded).map(\.target))
        guard !files.isEmpty else { return nil }
        let what = files.count == 1 ? "an entry file runs" : "\(files.count) entry files run"
        return "embedded mode: \(what) in httpd's children, \(httpd.sharing)"
    }

    /// WSGIRestrictEmbedded beside directives that name embedded mode, and are no aliases.
    var restrictedRemarks: [Problem] {
        guard embedded.isRestricted else { return [] }
        return mounts.filter { $0.isEmbedded && $0.location == nil && !$0.isQuestion }.compactMap { mount in
            guard mount.kind == nil else {
                let what = "process-group=%{GLOBAL}, and WSGIRestrictEmbedded is On: requests are answered 500"
                return Problem(.embeddedConflict, "\(mount.place.text): entry file \(mount.target): \(what)")
            }
            // Scripts run in httpd's children all the same, and what they need is imported with them.
            guard !embedded.isNeeded else { return nil }
            let what = "is not imported: WSGIRestrictEmbedded is On, and process-group=%{GLOBAL} is embedded mode"
            return Problem(.importRestricted, "\(mount.place.text): \(mount.target) \(what)")
        }
    }

    private func runsEmbedded(_ mount: Mount) -> Bool {
        mount.isEmbedded && (mount.isQuestion || !embedded.isRestricted)
    }

    /// Whether httpd's children will read a mount's entry file, whatever comes: a dispatch script may choose another place.
    func embeds(_ mount: Mount) -> Bool { runsEmbedded(mount) && (mount.isQuestion || !hasDispatch) }
}

extension Mount {
    /// Whether it runs in httpd's own children, as far as the server, its `<Directory>` sections and the directive itself say.
    var isEmbedded: Bool {
        // A WSGIHandlerScript serves files of any directory.
        processGroup.map { $0 == "%{GLOBAL}" } ?? (kind != .handler)
    }

    /// Whether it is of WSGIAccessScript and the like, which httpd asks whatever WSGIRestrictEmbedded says.
    var isQuestion: Bool { kind?.isQuestion ?? false }
}

extension HTTPDFacts {
    /// What the multi-processing module means for applications in httpd's children.
    var sharing: String {
        let threads = threadsPerChild == 1 ? "1 thread" : "\(threadsPerChild) threads"
        return
            "at most \(liveChildren) with \(threads) each: wsgi.multithread is \(threadsPerChild > 1), wsgi.multiprocess is \(liveChildren > 1)"
    }
}
