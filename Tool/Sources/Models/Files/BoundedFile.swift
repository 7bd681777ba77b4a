internal import Foundation

/// Reads files whose size is bounded. Room: control.
public enum BoundedFile {
    /// The bytes of an ordinary file.
    ///
    /// - Throws: `fileNotFound`, `unreadable`, `tooLarge`.
    public static func bytes(_ path: String, limitBytes: Int) throws(ModelsError) -> [UInt8] {
        let handle = try open(path)
        defer { try? handle.close() }
        do {
            // One byte more than allowed tells a file that is too large, whatever its size claimed to be.
            let data = try handle.read(upToCount: limitBytes + 1) ?? Data()
            guard data.count <= limitBytes else { throw tooLarge(path, limitBytes: limitBytes) }
            return Array(data)
        } catch let error as ModelsError {
            throw error
        } catch {
            throw unreadable(path, error)
        }
    }

    /// Opens an ordinary file; a folder, a pipe and a device are refused before they can make a reader wait.
    static func open(_ path: String) throws(ModelsError) -> FileHandle {
        let attributes: [FileAttributeKey: Any]
        let resolved = URL(fileURLWithPath: path).resolvingSymlinksInPath().path
        do {
            attributes = try FileManager.default.attributesOfItem(atPath: resolved)
        } catch {
            guard FileManager.default.fileExists(atPath: path) else {
                throw ModelsError(
                    .fileNotFound, file: path, "there is no such file", remedy: "Check the path")
            }
            throw unreadable(path, error)
        }
        switch attributes[.type] as? FileAttributeType {
        case .typeRegular: break
        case .typeDirectory:
            throw ModelsError(.unreadable, file: path, "this is a folder", remedy: "Name a file in it")
        default:
            throw ModelsError(
                .unreadable, file: path, "this is a device or a pipe",
                remedy: "Give the name of an ordinary file")
        }
        do {
            return try FileHandle(forReadingFrom: URL(fileURLWithPath: resolved))
        } catch {
            throw unreadable(path, error)
        }
    }

    static func isFolder(_ path: String) -> Bool {
        var isFolder: ObjCBool = false
        return unsafe FileManager.default.fileExists(atPath: path, isDirectory: &isFolder)
            && isFolder.boolValue
    }

    static func exists(_ path: String) -> Bool { FileManager.default.fileExists(atPath: path) }

    static func tooLarge(_ path: String, limitBytes: Int) -> ModelsError {
        ModelsError(
            .tooLarge, file: path, "the file is larger than \(limitBytes >> 20) MB",
            remedy: "Check that it is the file you meant")
    }

    static func unreadable(_ path: String, _ error: any Error) -> ModelsError {
        let why =
            ((error as NSError).userInfo[NSUnderlyingErrorKey] as? NSError)?.localizedDescription
            ?? (error as NSError).localizedDescription
        return ModelsError(
            .unreadable, file: path, "the file cannot be read (\(why))",
            remedy: "Check its permissions and its disk")
    }
}
