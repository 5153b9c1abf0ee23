internal import SWSGISystem

/// Removes a directory of snapshots that the processes have left which used it; returns the exit code.
public func sweep(_ path: String?) -> Int32 {
    guard let path, let directory = try? SnapshotDirectory(existing: path), directory.lock(shared: false) else {
        return 1
    }
    directory.removeWithContents()
    return 0
}
