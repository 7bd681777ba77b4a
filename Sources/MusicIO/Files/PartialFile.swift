/// A file that is written beside its final name and takes that name only when it is complete.
///
/// Until `commit()` the bytes are in `<name>.partial-XXXXXX` in the same folder; without it that file is
/// removed.
struct PartialFile: ~Copyable {
    /// The final file, links followed.
    let path: String
    let partialPath: String
    let descriptor: Int32
    private var isOpen = true
    private var isCommitted = false

    /// - Throws: `unwritable`, before anything is written.
    init(replacing path: String) throws(MusicIOError) {
        var target = path
        guard !path.isEmpty else {
            throw MusicIOError(
                .unwritable, file: path, "the output has no name", remedy: "Name a file to write")
        }
        switch path.last == "/" ? .folder : Platform.kind(at: path) {
        case .folder: throw Self.isFolder(path)
        case .other:
            throw MusicIOError(
                .unwritable, file: path, "this is a device or a pipe",
                remedy: "Give the name of an ordinary file")
        case .file:
            guard Platform.mayWrite(path) else {
                throw MusicIOError(
                    .unwritable, file: path, "the file is there and may not be replaced",
                    remedy: "Change its permissions, or choose another name")
            }
            target = Platform.resolved(path) ?? path
        case nil: break
        }
        for _ in 0..<100 {
            let candidate = "\(target).partial-\(Self.tag())"
            switch Platform.create(candidate) {
            case .success(let opened):
                (self.path, partialPath, descriptor) = (target, candidate, opened)
                return
            case .failure(let error) where error.isTaken: continue
            case .failure(let error):
                guard !error.isMissing else {
                    throw MusicIOError(
                        .unwritable, file: path, "its folder does not exist",
                        remedy: "Make the folder first, or check the path", systemError: error.code)
                }
                throw MusicIOError(
                    .unwritable, file: path, "no file can be made there (\(error.description))",
                    remedy: error.remedyForWriting, systemError: error.code)
            }
        }
        throw MusicIOError(
            .unwritable, file: path, "its folder is full of partial files", remedy: "Remove *.partial-* there"
        )
    }

    static func isFolder(_ path: String) -> MusicIOError {
        MusicIOError(.unwritable, file: path, "this is a folder", remedy: "Give the name of a file to write")
    }

    private static func tag() -> String {
        let letters = Array("abcdefghijklmnopqrstuvwxyz0123456789")
        return String((0..<6).map { _ in letters[Int.random(in: 0..<letters.count)] })
    }

    /// Puts the file on its device and gives it its name. Room: control; it waits for the disk.
    ///
    /// - Throws: `writeFailed`; the partial file is then removed with this value.
    mutating func commit() throws(MusicIOError) {
        if let error = Platform.synchronise(descriptor) { throw error.writing(path) }
        isOpen = false
        if let error = Platform.closeDescriptor(descriptor) { throw error.writing(path) }
        if let error = Platform.move(partialPath, to: path) { throw error.writing(path) }
        isCommitted = true
        let folder = path.lastIndex(of: "/").map { path[...$0] } ?? "."
        if case .success(let opened) = Platform.openForReading(String(folder)) {
            _ = Platform.synchronise(opened)
            _ = Platform.closeDescriptor(opened)
        }
    }

    deinit {
        if isOpen { _ = Platform.closeDescriptor(descriptor) }
        if !isCommitted { Platform.remove(partialPath) }
    }
}

extension PlatformError {
    func writing(_ path: String) -> MusicIOError {
        MusicIOError(
            .writeFailed, file: path, "writing failed (\(description)); nothing was left",
            remedy: remedyForWriting,
            systemError: code)
    }
}
