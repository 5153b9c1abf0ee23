import Synchronization

/// One entry of the guestbook.
struct Entry {
    let name: String
    let message: String
    let time: String
}

/// The entries, for all threads of the process.
final class Entries: Sendable {
    private let path: String
    private let database = Mutex<Database?>(nil)

    /// Nothing is opened before the first request: a bundle should load even while its database can't be reached.
    init(path: String) {
        self.path = path
    }

    func add(name: String, message: String) throws {
        try withDatabase { database in
            try database.run("INSERT INTO entry (name, message) VALUES (?, ?)", [name, message]) { _ in }
        }
    }

    /// The newest entries, newest first.
    func newest(_ count: Int) throws -> [Entry] {
        try withDatabase { database in
            var entries: [Entry] = []
            try database.run(
                "SELECT name, message, time FROM entry ORDER BY id DESC LIMIT CAST(? AS INTEGER)",
                [String(count)]
            ) { row in
                entries.append(Entry(name: row.text(0), message: row.text(1), time: row.text(2)))
            }
            return entries
        }
    }

    private func withDatabase<Result>(_ work: (borrowing Database) throws -> sending Result) throws -> sending Result {
        try database.withLock { database in
            if database == nil { database = try opened() }
            guard let opened = database else { throw DatabaseError(description: "no database") }
            return try work(opened)
        }
    }

    private func opened() throws -> Database {
        let database = try Database(path: path)
        try database.run(
            """
            CREATE TABLE IF NOT EXISTS entry (
                id INTEGER PRIMARY KEY,
                name TEXT NOT NULL,
                message TEXT NOT NULL,
                time TEXT NOT NULL DEFAULT (strftime('%Y-%m-%d %H:%M', 'now'))
            )
            """,
            []
        ) { _ in }
        return database
    }
}
