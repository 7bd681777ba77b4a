import Inference

/// A file's size and SHA-256, as manifests name them.
public struct FileDigest: Sendable, Equatable {
    public let sizeBytes: Int
    /// 64 lower-case hex digits.
    public let sha256: String

    /// Reads the file once, in pieces.
    ///
    /// - Throws: `fileNotFound`, `unreadable`.
    public init(of path: String) throws(ModelsError) {
        let file = try OpenFile(path)
        var hash = SHA256()
        var size = 0
        var piece = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count = try file.readNext(into: &piece)
            if count == 0 { break }
            hash.update(piece.span.extracting(..<count))
            size += count
        }
        sizeBytes = size
        sha256 = hash.hexDigest()
    }
}
