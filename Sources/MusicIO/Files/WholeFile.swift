/// Reads a file of bounded size.
///
/// - Throws: `fileNotFound`, `unreadable`, `tooLarge`.
func bytesOfFile(_ path: String, limitBytes: Int) throws(MusicIOError) -> [UInt8] {
    let file = try ReadableFile(path)
    let tooLarge = MusicIOError(
        .tooLarge, file: path, "the file is larger than \(limitBytes >> 20) MB",
        remedy: "Check that it is the file you meant")
    guard file.sizeBytes <= limitBytes else { throw tooLarge }

    var bytes: [UInt8] = []
    bytes.reserveCapacity(file.sizeBytes)
    var chunk = [UInt8](repeating: 0, count: 1 << 16)
    while true {
        let result = unsafe chunk.withUnsafeMutableBytes {
            unsafe Platform.readBytes(file.descriptor, into: $0)
        }
        switch result {
        case .success(0): return bytes
        case .success(let count): bytes += chunk[..<count]
        case .failure(let error): throw error.reading(path)
        }
        guard bytes.count <= limitBytes else { throw tooLarge }
    }
}

/// A descriptor open for reading.
struct ReadableFile: ~Copyable {
    let descriptor: Int32
    /// 0 for a pipe.
    let sizeBytes: Int

    init(_ path: String) throws(MusicIOError) {
        let opened: Int32
        switch Platform.openForReading(path) {
        case .success(let descriptor): opened = descriptor
        case .failure(let error): throw error.reading(path)
        }
        guard let (kind, size) = Platform.kindAndSize(of: opened), kind != .folder else {
            _ = Platform.closeDescriptor(opened)
            throw MusicIOError(.unreadable, file: path, "this is a folder", remedy: "Name a file in it")
        }
        (descriptor, sizeBytes) = (opened, size)
    }

    /// Whether it is a file rather than a pipe or a device.
    var isSeekable: Bool { Platform.kindAndSize(of: descriptor)?.kind == .file }

    /// As many bytes as are there from `offset` on, up to `count`; the reading place is the start of the file
    /// after.
    func bytes(at offset: Int, count: Int) -> [UInt8]? {
        guard Platform.seek(descriptor, offset, from: .start) == offset else { return nil }
        defer { _ = Platform.seek(descriptor, 0, from: .start) }
        var bytes = [UInt8](repeating: 0, count: count)
        let (got, error) = unsafe bytes.withUnsafeMutableBytes {
            unsafe Platform.readAllBytes(descriptor, into: $0)
        }
        return error == nil ? Array(bytes[..<got]) : nil
    }

    deinit { _ = Platform.closeDescriptor(descriptor) }
}

extension PlatformError {
    func reading(_ path: String) -> MusicIOError {
        guard !isMissing else {
            return MusicIOError(
                .fileNotFound, file: path, "there is no such file", remedy: "Check the path",
                systemError: code)
        }
        return MusicIOError(
            .unreadable, file: path, "the file cannot be read (\(description))",
            remedy: "Check its permissions and its disk", systemError: code)
    }
}
