internal import Crypto
internal import Foundation

/// A file's size and SHA-256, as manifests name them.
public struct FileDigest: Sendable, Equatable {
    public let sizeBytes: Int
    /// 64 lower-case hex digits.
    public let sha256: String

    /// Reads the file once, a megabyte at a time.
    ///
    /// - Throws: `fileNotFound`, `unreadable`.
    public init(of path: String) throws(ModelsError) {
        let handle = try BoundedFile.open(path)
        defer { try? handle.close() }
        var hash = SHA256()
        var size = 0
        do {
            while let chunk = try handle.read(upToCount: 1 << 20), !chunk.isEmpty {
                hash.update(data: chunk)
                size += chunk.count
            }
        } catch {
            throw BoundedFile.unreadable(path, error)
        }
        sizeBytes = size
        sha256 = hash.finalize().map { byte in
            let digits = String(byte, radix: 16)
            return digits.count == 1 ? "0" + digits : digits
        }.joined()
    }
}
