import Foundation

/// Several files that appear together: each is written beside its name, and all are renamed when all are complete.
enum StagedFiles {
    /// Refuses what no file may replace: a folder, a pipe, a device, a file that is protected.
    ///
    /// - Throws: `unwritable`, naming the file and the reason.
    static func checkTarget(_ path: String) throws(ToolError) { _ = try StagedFile.target(of: path) }

    /// - Throws: `unwritable`, naming the file and the reason, or `Interrupted`; no file is left half-written, and
    ///   what was there before is untouched unless its own replacement was complete.
    static func write(_ files: [(file: String, bytes: [UInt8])]) throws {
        try Interruption.deferring {
            var staged: [StagedFile] = []
            defer { for file in staged { file.discard() } }
            for (path, bytes) in files {
                try Interruption.check()
                let file = try StagedFile(replacing: path)
                staged.append(file)
                try file.write(bytes)
            }
            try Interruption.check()
            while let file = staged.first {
                try file.commit()
                staged.removeFirst()
            }
        }
    }
}

/// One file on its way.
private struct StagedFile {
    let path: String
    let target: String
    let partialPath: String

    init(replacing path: String) throws(ToolError) {
        self.path = path
        target = try Self.target(of: path)
        partialPath = "\(target).partial-\(UInt32.random(in: .min ... .max))"
    }

    /// The file that `path` stands for, once it is sure that it may be written.
    static func target(of path: String) throws(ToolError) -> String {
        // A link keeps pointing where it points.
        let target = URL(fileURLWithPath: path).resolvingSymlinksInPath().path
        let attributes = try? FileManager.default.attributesOfItem(atPath: target)
        switch attributes?[.type] as? FileAttributeType {
        case nil, .typeRegular: break
        case .typeDirectory:
            throw ToolError(.unwritable, "\(path): this is a folder. Give the name of a file to write.")
        default:
            throw ToolError(
                .unwritable, "\(path): this is a device or a pipe. Give the name of an ordinary file.")
        }
        guard attributes == nil || FileManager.default.isWritableFile(atPath: target) else {
            throw ToolError(
                .unwritable,
                "\(path): the file is there and may not be replaced. Change its permissions, or choose another name."
            )
        }
        return target
    }

    func write(_ bytes: [UInt8]) throws(ToolError) {
        let descriptor = unsafe open(partialPath, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o666)
        guard descriptor >= 0 else { throw failure(errno) }
        var done = 0
        while done < bytes.count {
            let count = unsafe bytes.withUnsafeBytes { bytes in
                unsafe Foundation.write(descriptor, bytes.baseAddress! + done, bytes.count - done)
            }
            if count > 0 {
                done += count
            } else if count == 0 || errno != EINTR {
                let number = count == 0 ? EIO : errno
                close(descriptor)
                throw failure(number)
            }
        }
        let synced = fsync(descriptor) == 0 || errno == EINVAL || errno == ENOTSUP
        let number = errno
        guard close(descriptor) == 0, synced else { throw failure(synced ? errno : number) }
    }

    func commit() throws(ToolError) {
        guard unsafe rename(partialPath, target) == 0 else { throw failure(errno) }
    }

    func discard() { unsafe unlink(partialPath) }

    private func failure(_ number: Int32) -> ToolError { .writing(path, number) }
}
