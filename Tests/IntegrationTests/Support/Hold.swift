import Foundation
import Glibc

/// Requests that stay in FixtureTrouble until the test lets them go, however long everything else takes.
struct Hold: Sendable {
    /// What to ask for, below the URL path of the application.
    let target: String
    private let file: String

    init(file: String) {
        self.file = file
        target = "/hold?until=\(file)"
    }

    /// Lets all requests for `target` end, also those that come later.
    func release() {
        let descriptor = creat(file, 0o644)
        if descriptor < 0 { perror("creat \(file)") } else { close(descriptor) }
    }
}

extension TestServer {
    /// `name` tells holds of one server apart.
    func hold(_ name: String = "hold") -> Hold { Hold(file: "\(directory)/\(name)") }
}
