import Foundation
import Inference
import Models

/// Puts a package among the runtimes: the wheel is downloaded (or taken from a file) into a folder of its own, checked
/// against the catalogue's hash, unpacked, and its library opened; then the folder is renamed. Whatever goes wrong before
/// leaves nothing.
///
/// A wheel is opened only once its hash is the catalogue's: what is in it is known, so no archive from outside is ever
/// unpacked.
struct RuntimeInstaller {
    let folder: RuntimeFolder
    let package: RuntimePackage
    /// Where the wheel comes from.
    var source = Source.index(nil)
    /// The version that the ONNX Runtime in a folder says it has.
    var version: (_ folder: String) throws(InferenceError) -> String = { folder throws(InferenceError) in
        try OnnxRuntime.open(library: folder).version
    }

    enum Source {
        /// A Python package index; nil for the one that pip is set up with, or the public one.
        case index(String?)
        /// A wheel that somebody has downloaded.
        case file(String)
    }

    private var target: String { "\(folder.path)/\(package.folderName)" }

    /// - Returns: whether there was anything to do.
    /// - Throws: `unusable`, `unwritable`, `Interrupted`.
    func install() throws -> Bool {
        if folder.installed.contains(where: { $0.name == package.folderName }) { return false }
        folder.removeLeftovers()
        let stage = try makeStage()
        defer { try? FileManager.default.removeItem(atPath: stage) }
        try Interruption.deferring {
            let python = PythonProgram(temporaryFolder: "\(stage)/tmp")
            let wheel =
                switch source {
                case .file(let path): path
                case .index(let index):
                    try WheelDownload(package: package, index: index, stage: stage).run(python)
                }
            try check(wheel)
            try Interruption.check()
            try unpack(wheel, python, in: stage)
            try Interruption.check()
            try commit(stage)
        }
        if folder.nameInUse == nil, package.kind == .onnxRuntime {
            try folder.use(folder.find(package.folderName))
        }
        return true
    }

    /// A folder beside the runtimes, so that renaming needs no copy.
    private func makeStage() throws(ToolError) -> String {
        let stage = folder.newStage
        do {
            try FileManager.default.createDirectory(atPath: "\(stage)/tmp", withIntermediateDirectories: true)
        } catch {
            throw ToolError(
                .unwritable,
                "\(folder.path) cannot be written to (\(ToolError.reason(error))). Change its permissions, or set "
                    + "ECHOEL_HOME to a folder of yours.")
        }
        let free = try? FileManager.default.attributesOfFileSystem(forPath: stage)[.systemFreeSize] as? Int
        let needed = package.wheel.bytes + package.wheel.unpackedBytes
        if let free, free < needed {
            try? FileManager.default.removeItem(atPath: stage)
            throw ToolError(
                .unwritable,
                "Installing \(package.folderName) takes \(needed.megabytes), and \(folder.path) has \(free.megabytes) "
                    + "left. Free some space there, or set ECHOEL_HOME to a folder elsewhere.")
        }
        return stage
    }

    private func check(_ wheel: String) throws {
        let digest: FileDigest
        do throws(ModelsError) {
            digest = try FileDigest(of: wheel)
        } catch {
            throw ToolError(.unusable, "The wheel cannot be read: \(error)")
        }
        guard digest.sha256 == package.wheel.sha256 else {
            let length =
                digest.sizeBytes == package.wheel.bytes
                ? "" : " It has \(digest.sizeBytes) bytes instead of \(package.wheel.bytes)."
            throw ToolError(
                .unusable,
                "\(wheel) is not the wheel of \(package.project) \(package.version) for "
                    + "\(package.wheel.platform): its SHA-256 is \(digest.sha256), not \(package.wheel.sha256)."
                    + "\(length) Download it again.")
        }
    }

    /// Leaves the libraries, the licences and a plain name for ONNX Runtime's library in `stage/<name>`.
    private func unpack(_ wheel: String, _ python: PythonProgram, in stage: String) throws {
        let outcome = try python.run(["-m", "zipfile", "-e", wheel, "\(stage)/wheel"])
        guard outcome.isSuccess else {
            throw ToolError(.unwritable, "\(wheel) cannot be unpacked: \(outcome.lastLine)")
        }
        let files = FileManager.default
        let made = "\(stage)/\(package.folderName)"
        do {
            try files.createDirectory(atPath: made, withIntermediateDirectories: false)
            for library in package.libraries {
                guard files.fileExists(atPath: "\(stage)/wheel/\(package.folder)/\(library)") else {
                    throw ToolError(.unusable, "\(wheel) has no \(package.folder)/\(library).")
                }
                try files.moveItem(
                    atPath: "\(stage)/wheel/\(package.folder)/\(library)", toPath: "\(made)/\(library)")
            }
            let notices = ["LICENSE", "ThirdPartyNotices.txt"]
            for case let entry as String in files.enumerator(atPath: "\(stage)/wheel") ?? .init() {
                let name = URL(fileURLWithPath: entry).lastPathComponent
                guard notices.contains(name), !files.fileExists(atPath: "\(made)/\(name)") else { continue }
                try files.copyItem(atPath: "\(stage)/wheel/\(entry)", toPath: "\(made)/\(name)")
            }
            if package.kind == .onnxRuntime, let library = package.libraries.first {
                try files.createSymbolicLink(
                    atPath: "\(made)/libonnxruntime.so", withDestinationPath: library)
            }
        } catch let error as ToolError {
            throw error
        } catch {
            throw ToolError(
                .unwritable, "\(package.folderName) cannot be put together: \(ToolError.reason(error)).")
        }
    }

    /// The version that the library in a folder says it has; nil where it says none.
    ///
    /// - Throws: `unusable` where it cannot be opened.
    private func answer(_ folder: String) throws(ToolError) -> String? {
        do throws(InferenceError) {
            switch package.kind {
            case .onnxRuntime: return try version(folder)
            case .liteRT: _ = try LiteRT.open(library: folder)
            case .plugin: break
            }
            return nil
        } catch {
            throw ToolError(.unusable, "\(package.folderName) does not run here: \(error)")
        }
    }

    private func commit(_ stage: String) throws(ToolError) {
        let made = "\(stage)/\(package.folderName)"
        if let found = try answer(made), found != package.version {
            throw ToolError(.unusable, "The library of \(package.folderName) says that it is \(found).")
        }
        guard unsafe rename(made, target) != 0 else { return }
        let number = errno
        // Another installation of the same may have been quicker.
        if folder.installed.contains(where: { $0.name == package.folderName }) { return }
        if number == EEXIST || number == ENOTEMPTY || number == ENOTDIR {
            throw ToolError(.unwritable, "\(target) is in the way and no runtime. Move it away.")
        }
        throw .writing(target, number)
    }
}

extension Int {
    /// Such as `28 MB`.
    var megabytes: String { "\((self + 999_999) / 1_000_000) MB" }
}
