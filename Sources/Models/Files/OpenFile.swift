internal import Inference

#if canImport(Darwin)
    import Darwin
#elseif canImport(Musl)
    import Musl
#else
    import Glibc
#endif

/// An ordinary file that is open for reading. Room: control.
struct OpenFile: ~Copyable {
    private let descriptor: Int32
    private let path: String

    /// A folder, a pipe and a device are refused before they can make a reader wait.
    ///
    /// - Throws: `fileNotFound`, `unreadable`.
    init(_ path: String) throws(ModelsError) {
        descriptor = try Self.descriptor(of: path)
        self.path = path
    }

    private static func descriptor(of path: String) throws(ModelsError) -> Int32 {
        switch fileKind(path) {
        case .file: break
        case .directory:
            throw ModelsError(.unreadable, file: path, "this is a folder", remedy: "Name a file in it")
        case .other:
            throw ModelsError(
                .unreadable, file: path, "this is a device or a pipe",
                remedy: "Give the name of an ordinary file")
        case .missing:
            throw ModelsError(
                .fileNotFound, file: path, "there is no such file", remedy: "Check the path")
        case .unreachable(let error): throw BoundedFile.unreadable(path, error.number)
        }
        let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else { throw BoundedFile.unreadable(path, errno) }
        return descriptor
    }

    deinit { _ = close(descriptor) }

    /// Reads as much as there is and fits; 0 at the file's end.
    ///
    /// - Throws: `unreadable`.
    func readNext(into bytes: inout [UInt8]) throws(ModelsError) -> Int {
        while true {
            let count = unsafe bytes.withUnsafeMutableBytes { buffer in
                unsafe read(descriptor, buffer.baseAddress, buffer.count)
            }
            if count >= 0 { return count }
            guard errno == EINTR else { throw BoundedFile.unreadable(path, errno) }
        }
    }
}
