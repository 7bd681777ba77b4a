import CDigest

/// What is in a model's file: models with the same content are one.
///
/// Room: control.
struct ModelContent: Hashable {
    /// 64 lower-case hex digits.
    let sha256: String
    /// Whether nothing of the model lies in other files, which may change without it.
    let isWhole: Bool

    init(sha256: String, isWhole: Bool) {
        self.sha256 = sha256
        self.isWhole = isWhole
    }

    init(of bytes: [UInt8]) {
        var reader = ContentReader()
        reader.add(bytes, bytes.count)
        self = reader.finish()
    }

    /// Reads a file; nil where it cannot be read.
    init?(reading path: String) {
        var reader = ContentReader()
        guard eachPiece(of: path, { reader.add($0, $1) }) else { return nil }
        self = reader.finish()
    }
}

/// Takes a model's bytes piece by piece.
private struct ContentReader {
    private var hash = SHA256()
    private var refersToFiles = false
    /// The end of the piece before, and the beginning of the next.
    private var seam: [UInt8] = []

    /// The key with which a tensor names the file that it is in: a field 1 of 8 bytes.
    private static let mark = [0x0A, 0x08] + Array("location".utf8)

    mutating func add(_ piece: [UInt8], _ count: Int) {
        hash.update(piece.span.extracting(..<count))
        let overlap = Self.mark.count - 1
        seam += piece.prefix(min(count, overlap))
        refersToFiles =
            unsafe refersToFiles || bytes_contain(piece, count, Self.mark, Self.mark.count) != 0
            || bytes_contain(seam, seam.count, Self.mark, Self.mark.count) != 0
        seam = Array((seam + piece.prefix(count).suffix(overlap)).suffix(overlap))
    }

    consuming func finish() -> ModelContent {
        ModelContent(sha256: hash.hexDigest(), isWhole: !refersToFiles)
    }
}
