import Foundation
import Glibc

/// Requests that stay in FixtureTrouble, or in FixtureEcho, until the test lets them go, however long everything else takes.
struct Hold: Sendable {
    /// What to ask for, below the URL path of the application.
    let target: String
    private let file: String

    init(file: String, path: String) {
        self.file = file
        target = "\(path)?until=\(file)"
    }

    /// Lets all requests for `target` end, also those that come later.
    func release() {
        let descriptor = creat(file, 0o644)
        if descriptor < 0 { perror("creat \(file)") } else { close(descriptor) }
    }
}

extension TestServer {
    /// `name` tells holds of one server apart; `path` is what waits in the fixture.
    func hold(_ name: String = "hold", at path: String = "/hold") -> Hold {
        Hold(file: "\(directory)/\(name)", path: path)
    }
}
