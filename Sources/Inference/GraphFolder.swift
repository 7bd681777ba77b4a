/// The folder of a `GraphCache`: a folder for each entry, one file for each model's path whose content is known, and folders
/// of entries that are being made.
///
/// Entries come and go by a `rename`, so several processes may use it at once.
struct GraphFolder {
    let path: String

    init(_ path: String) { self.path = path }

    private static let staging = "new-"
    private static let removed = "old-"

    struct Entry {
        let path: String
        let bytes: Int
        /// Nanoseconds since 1970.
        let lastUse: Int64
    }

    func entries() -> [Entry] {
        names().filter { $0.count == GraphEntry.nameCharacters }.compactMap { name in
            let folder = "\(path)/\(name)"
            guard let stamp = FileStamp("\(folder)/\(GraphEntry.listFile)") else { return nil }
            let bytes = GraphEntry.files.reduce(0) { $0 + (FileStamp("\(folder)/\($1)")?.bytes ?? 0) }
            return Entry(path: folder, bytes: Int(bytes), lastUse: stamp.modified)
        }
    }

    private func names() -> [String] { (try? folderEntries(path)) ?? [] }

    func makeStagingFolder() throws(SystemCallError) -> String {
        makeFolders(path)
        let folder = "\(path)/\(Self.staging)\(UInt64.random(in: .min ... .max))"
        let number = makeFolder(folder)
        guard number == 0 else { throw SystemCallError(call: "mkdir", number: number) }
        return folder
    }

    /// Takes an entry away from whoever looks for it; those who have it keep it.
    func remove(_ entry: String) {
        let aside = "\(path)/\(Self.removed)\(UInt64.random(in: .min ... .max))"
        if renameFile(entry, to: aside) == 0 { removeFolder(aside) }
    }

    /// Removes what was used least recently, until the rest is within the limit, and what was never finished.
    func evict(limitBytes: Int) {
        var entries = entries().sorted { $0.lastUse < $1.lastUse }
        var total = entries.reduce(0) { $0 + $1.bytes }
        while total > limitBytes, let oldest = entries.first {
            remove(oldest.path)
            total -= oldest.bytes
            entries.removeFirst()
        }
        let hourAgo = realNanoseconds() - 3_600_000_000_000
        for name in names() where name.hasPrefix(Self.staging) || name.hasPrefix(Self.removed) {
            let times = ((try? folderEntries("\(path)/\(name)")) ?? []).compactMap {
                FileStamp("\(path)/\(name)/\($0)")?.modified
            }
            if let last = times.max(), last < hourAgo { removeFolder("\(path)/\(name)") }
        }
    }
}
