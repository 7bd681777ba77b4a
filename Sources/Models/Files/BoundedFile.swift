internal import Inference

/// Reads files whose size is bounded. Room: control.
public enum BoundedFile {
    /// The bytes of an ordinary file.
    ///
    /// - Throws: `fileNotFound`, `unreadable`, `tooLarge`.
    public static func bytes(_ path: String, limitBytes: Int) throws(ModelsError) -> [UInt8] {
        let file = try OpenFile(path)
        var bytes: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count = try file.readNext(into: &piece)
            if count == 0 { return bytes }
            bytes += piece[..<count]
            // Read, and not asked for: whatever the file's size claims to be.
            guard bytes.count <= limitBytes else { throw tooLarge(path, limitBytes: limitBytes) }
        }
    }

    static func isFolder(_ path: String) -> Bool {
        if case .directory = fileKind(path) { true } else { false }
    }

    static func exists(_ path: String) -> Bool {
        switch fileKind(path) {
        case .missing, .unreachable: false
        case .file, .directory, .other: true
        }
    }

    static func tooLarge(_ path: String, limitBytes: Int) -> ModelsError {
        ModelsError(
            .tooLarge, file: path, "the file is larger than \(limitBytes >> 20) MB",
            remedy: "Check that it is the file you meant")
    }

    /// - Parameter number: an `errno`.
    static func unreadable(_ path: String, _ number: Int32) -> ModelsError {
        ModelsError(
            .unreadable, file: path, "the file cannot be read (\(systemMessage(number)))",
            remedy: "Check its permissions and its disk")
    }
}
