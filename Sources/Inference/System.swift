#if canImport(Darwin)
    import Darwin
#elseif canImport(Musl)
    import Musl
#else
    import Glibc
#endif

/// The C library's text for an `errno`.
package func systemMessage(_ number: Int32) -> String {
    unsafe withUnsafeTemporaryAllocation(of: CChar.self, capacity: 256) { buffer in
        unsafe buffer.initialize(repeating: 0)
        guard unsafe strerror_r(number, buffer.baseAddress!, buffer.count) == 0 else {
            return "error \(number)"
        }
        return unsafe String(cString: buffer.baseAddress!)
    }
}

/// The environment variable's value; nil where it is unset or empty.
package func environmentVariable(_ name: String) -> String? {
    guard let value = unsafe getenv(name), unsafe value.pointee != 0 else { return nil }
    return unsafe String(cString: value)
}

/// The path with every link followed; nil where nothing is there.
package func resolvedPath(_ path: String) -> String? {
    guard let resolved = unsafe realpath(path, nil) else { return nil }
    defer { unsafe free(resolved) }
    return unsafe String(cString: resolved)
}

/// What is at a path.
package enum FileKind {
    case file(bytes: Int)
    case directory
    case other
    case missing
    case unreachable(SystemCallError)
}

package func fileKind(_ path: String) -> FileKind {
    var status = stat()
    guard unsafe stat(path, &status) == 0 else {
        let number = errno
        if number == ENOENT || number == ENOTDIR { return .missing }
        return .unreachable(SystemCallError(call: "stat", number: number))
    }
    switch status.st_mode & S_IFMT {
    case S_IFREG: return .file(bytes: Int(status.st_size))
    case S_IFDIR: return .directory
    default: return .other
    }
}

/// The names in a folder, sorted.
///
/// - Throws: where it cannot be read.
package func folderEntries(_ path: String) throws(SystemCallError) -> [String] {
    guard let folder = unsafe opendir(path) else { throw SystemCallError(call: "opendir", number: errno) }
    defer { unsafe closedir(folder) }
    var names: [String] = []
    while let entry = unsafe readdir(folder) {
        let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) { pointer in
            unsafe pointer.withMemoryRebound(to: CChar.self, capacity: 256) { unsafe String(cString: $0) }
        }
        names.append(name)
    }
    return names.sorted()
}

/// Nanoseconds of a clock that only moves forward.
func monotonicNanoseconds() -> UInt64 {
    var now = timespec()
    unsafe clock_gettime(CLOCK_MONOTONIC, &now)
    return UInt64(now.tv_sec) &* 1_000_000_000 &+ UInt64(now.tv_nsec)
}
