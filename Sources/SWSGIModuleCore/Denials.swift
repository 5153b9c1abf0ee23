internal import SWSGIConfiguration

extension Configuration {
    /// Aliases whose requests httpd itself refuses: once for each line of the configuration, also when hosts inherit it.
    var denialRemarks: [Problem] {
        var seen: Set<String> = []
        return mounts.compactMap { mount in
            guard let denier = mount.denier, seen.insert(mount.place.text).inserted else { return nil }
            let directory = mount.target[..<(mount.target.lastIndex(of: "/") ?? mount.target.startIndex)]
            return Problem(
                .aliasDenied,
                "\(mount.place.text): 'Require all denied' of \(denier) counts for \(mount.target), and every request for it is answered 403; write 'Require all granted' in <Directory \(directory.isEmpty ? "/" : directory)>"
            )
        }
    }
}
