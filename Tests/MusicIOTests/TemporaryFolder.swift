#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

/// A folder that goes with its owner.
final class TemporaryFolder {
    let path: String

    init() throws {
        var template = Array("/tmp/echoel-musicio-XXXXXX".utf8CString)
        let made = unsafe template.withUnsafeMutableBufferPointer { buffer -> String? in
            unsafe mkdtemp(buffer.baseAddress!).map { unsafe String(cString: $0) }
        }
        guard let made else { throw POSIXFailure(code: errno) }
        path = made
    }

    deinit {
        for name in contents { _ = unsafe remove(path(name)) }
        _ = unsafe rmdir(path)
    }

    func path(_ name: String) -> String { "\(path)/\(name)" }

    /// The names in the folder, sorted.
    var contents: [String] {
        guard let folder = unsafe opendir(path) else { return [] }
        defer { _ = unsafe closedir(folder) }
        var names: [String] = []
        while let entry = unsafe readdir(folder) {
            let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) {
                unsafe $0.withMemoryRebound(to: CChar.self, capacity: 256) { unsafe String(cString: $0) }
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names.sorted()
    }

    func write(_ bytes: [UInt8], to name: String) throws {
        guard let file = unsafe fopen(path(name), "wb") else { throw POSIXFailure(code: errno) }
        defer { _ = unsafe fclose(file) }
        guard unsafe fwrite(bytes, 1, bytes.count, file) == bytes.count else {
            throw POSIXFailure(code: errno)
        }
    }

    func bytes(of name: String) throws -> [UInt8] {
        guard let file = unsafe fopen(path(name), "rb") else { throw POSIXFailure(code: errno) }
        defer { _ = unsafe fclose(file) }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 65536)
        while case let count = unsafe fread(&chunk, 1, chunk.count, file), count > 0 {
            bytes += chunk[..<count]
        }
        return bytes
    }
}

struct POSIXFailure: Error {
    let code: Int32
}
