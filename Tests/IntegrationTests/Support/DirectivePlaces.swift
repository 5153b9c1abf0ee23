import Foundation
import SWSGIConfiguration

/// A directive in some of the places that concern a request, with another value at each than at the one before.
struct DirectivePlaces: Sendable {
    /// From outside to inside.
    private enum Place {
        case host, directory, htaccess, location
    }

    let directive: String
    /// Two that differ in effect.
    let values: [String]
    private let places: [Place]

    init(_ directive: String, _ first: String, _ second: String) {
        self.directive = directive
        values = [first, second]
        let contexts = Directive.named(directive)?.contexts ?? []
        places =
            contexts.isDisjoint(with: [.fileInfo, .authConfig])
            ? [.host, .directory, .location] : [.host, .directory, .htaccess, .location]
    }

    /// Every set of places, as a number.
    var sets: Range<Int> { 0..<(1 << places.count) }

    /// The value of the innermost place in a set.
    func value(in set: Int) -> String? {
        places.indices.last { set & 1 << $0 != 0 }.map { values[$0 % 2] }
    }

    /// Lays `www/plain` and `www/DIRECTIVE` out: entry files of deployed bundles, and in the latter an .htaccess.
    func prepare(_ names: [String], _ server: TestServer) throws {
        for directory in ["plain", directive] {
            for name in names {
                try server.write("bundle = ../\(name)/\(name).so\n", to: "www/\(directory)/\(name).wsgi")
            }
        }
        if places.contains(.htaccess) {
            try server.write("\(directive) \(values[0])\n", to: "www/\(directive)/.htaccess")
        }
    }

    /// A virtual host with the directive at the places of `set`; `lines` is given the directory of its entry files.
    func host(_ name: String, set: Int, _ server: TestServer, lines: (String) -> String) -> String {
        var directory = "\(server.www)/plain"
        var texts: [Place: String] = [:]
        for (index, place) in places.enumerated() where set & 1 << index != 0 {
            if place == .htaccess { directory = "\(server.www)/\(directive)" }
            texts[place] = "\(directive) \(values[index % 2])"
        }
        return """
            <VirtualHost *>
            ServerName \(name)
            \(lines(directory))
            \(texts[.host] ?? "")
            <Directory \(directory)>
                \(texts[.directory] ?? "")
            </Directory>
            <Location />
                \(texts[.location] ?? "")
            </Location>
            </VirtualHost>

            """
    }

    /// What every such configuration needs.
    static func common(_ server: TestServer) -> String {
        """
        <Directory \(server.www)>
            Require all granted
            AllowOverride FileInfo AuthConfig
        </Directory>

        """
    }
}
