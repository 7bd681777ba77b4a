/// The contents of models' files that have been read already, in this process and, where a cache has a folder, in earlier
/// ones. A file whose stamp has changed is read again, and so is one that changed just before it was read.
///
/// Room: control.
struct KnownContents {
    /// Where earlier processes have left what they knew; nil for this one alone.
    let folder: String?

    private static let known = Monitor<[String: (stamp: FileStamp, content: ModelContent)]>([:])
    private static let capacity = 1024

    /// Nil where the file cannot be read, or changes meanwhile.
    func content(of path: String) -> ModelContent? {
        guard let path = resolvedPath(path), let stamp = FileStamp(path) else { return nil }
        if let known = Self.known.withLock({ $0[path] }), known.stamp == stamp { return known.content }
        let isSettled = stamp.isSettled
        let remembered = isSettled ? read(path, stamp) : nil
        guard let content = remembered ?? ModelContent(reading: path), FileStamp(path) == stamp else {
            return nil
        }
        guard isSettled else { return content }
        Self.known.withLock { known in
            if known.count >= Self.capacity { known.removeAll() }
            known[path] = (stamp, content)
        }
        if remembered == nil { write(path, stamp, content) }
        return content
    }

    private static let header = "The digest of a model's file, kept by echoel; it may be removed."
    private static let end = "end"
    private static let whole = "whole"

    private func file(_ path: String) -> String? {
        folder.map { "\($0)/files/\(String(Array(path.utf8).fnv1a(), radix: 16))" }
    }

    private func read(_ path: String, _ stamp: FileStamp) -> ModelContent? {
        guard let file = file(path), let bytes = fileBytes(file, limit: 1 << 14) else { return nil }
        let lines = String(decoding: bytes, as: UTF8.self).split(
            separator: "\n", omittingEmptySubsequences: false)
        guard lines.count == 7, lines[0] == Self.header, lines[1] == line(path), lines[2] == stamp.text,
            lines[3].count == 64, lines[5] == Self.end
        else { return nil }
        return ModelContent(sha256: String(lines[3]), isWhole: lines[4] == Self.whole)
    }

    /// Where it cannot be written, the file is read again the next time.
    private func write(_ path: String, _ stamp: FileStamp, _ content: ModelContent) {
        guard let file = file(path) else { return }
        makeFolders(OnnxRuntime.folder(of: file))
        let lines = [
            Self.header, line(path), stamp.text, content.sha256, content.isWhole ? Self.whole : "in parts",
            Self.end, "",
        ]
        _ = replaceFile(file, with: lines.joined(separator: "\n"))
    }

    private func line(_ path: String) -> String { path.map { $0.isNewline ? " " : "\($0)" }.joined() }
}
