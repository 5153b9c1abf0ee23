import CSQLite

/// What SQLite says about a failure.
struct DatabaseError: Error, CustomStringConvertible {
    let description: String
}

/// A connection to an SQLite database, for one thread at a time.
final class Database {
    private let connection: OpaquePointer

    /// Opens the database, and makes it if need be.
    ///
    /// Another process that writes is waited for, up to five seconds.
    init(path: String) throws {
        var connection: OpaquePointer?
        let flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX
        let result = sqlite3_open_v2(path, &connection, flags, nil)
        guard result == SQLITE_OK, let connection else {
            let reason = connection.map { String(cString: sqlite3_errmsg($0)) } ?? "out of memory"
            sqlite3_close_v2(connection)
            throw DatabaseError(description: "opening '\(path)' failed: \(reason)")
        }
        self.connection = connection
        sqlite3_busy_timeout(connection, 5000)
    }

    deinit { sqlite3_close_v2(connection) }

    /// Runs one statement with values in place of its question marks, and calls `body` for each row.
    func run(_ statement: String, _ values: [String], _ body: (Row) throws -> Void) throws {
        var prepared: OpaquePointer?
        try check(sqlite3_prepare_v2(connection, statement, -1, &prepared, nil))
        defer { sqlite3_finalize(prepared) }
        for (index, value) in values.enumerated() {
            // SQLite copies the text: what C calls SQLITE_TRANSIENT, a macro that Swift can't import.
            let transient = unsafeBitCast(-1, to: sqlite3_destructor_type.self)
            try check(sqlite3_bind_text(prepared, Int32(index + 1), value, Int32(value.utf8.count), transient))
        }
        while true {
            switch sqlite3_step(prepared) {
            case SQLITE_ROW: try body(Row(statement: prepared))
            case SQLITE_DONE: return
            case let failure: try check(failure)
            }
        }
    }

    private func check(_ result: Int32) throws {
        guard result != SQLITE_OK else { return }
        throw DatabaseError(description: String(cString: sqlite3_errmsg(connection)))
    }

    /// A row of a result, valid until the next one.
    struct Row {
        fileprivate let statement: OpaquePointer?

        /// The text of a column.
        func text(_ column: Int32) -> String {
            sqlite3_column_text(statement, column).map { String(cString: $0) } ?? ""
        }
    }
}
