import CDigest

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

/// Logarithm to base 10, of the C library.
func decimalLogarithm(_ value: Double) -> Double { log10(value) }

/// The first bytes of a file, at most `limit`; nil where it cannot be read.
func fileBytes(_ path: String, limit: Int) -> [UInt8]? {
    guard let file = unsafe fopen(path, "rb") else { return nil }
    defer { unsafe fclose(file) }
    return unsafe [UInt8](unsafeUninitializedCapacity: limit) { buffer, count in
        count = unsafe fread(buffer.baseAddress, 1, limit, file)
    }
}

/// The hash of a file's bytes; 0 where it cannot be read.
func fileHash(_ path: String) -> UInt64 {
    var hash = fnv1aStart
    return eachPiece(of: path) { hash = $0.span.extracting(..<$1).fnv1a(from: hash) } ? hash : 0
}

/// Reads a file piece by piece; `body` gets a buffer and how many of its bytes count.
///
/// - Returns: whether it could be read to its end.
func eachPiece(of path: String, _ body: ([UInt8], Int) -> Void) -> Bool {
    guard let file = unsafe fopen(path, "rb") else { return false }
    defer { unsafe fclose(file) }
    var piece = [UInt8](repeating: 0, count: 1 << 18)
    while true {
        let count = unsafe piece.withUnsafeMutableBytes { unsafe fread($0.baseAddress, 1, $0.count, file) }
        if count == 0 { return unsafe ferror(file) == 0 }
        body(piece, count)
    }
}

/// Writes a whole file at once: what is there before stays until the new one is complete. - Returns: whether it is.
func replaceFile(_ path: String, with text: String) -> Bool { replaceFile(path, with: Array(text.utf8)) }

func replaceFile(_ path: String, with bytes: [UInt8]) -> Bool {
    let staged = "\(path).\(UInt32.random(in: .min ... .max))"
    guard let file = unsafe fopen(staged, "wb") else { return false }
    let written = unsafe fwrite(bytes, 1, bytes.count, file)
    let closed = unsafe fclose(file)
    if written == bytes.count, closed == 0, unsafe rename(staged, path) == 0 { return true }
    unsafe unlink(staged)
    return false
}

/// Transposes a matrix of numbers of four bytes where it is in a file. - Returns: whether that was done.
func transposeFloats(in path: String, at offset: Int, rows: Int, columns: Int) -> Bool {
    let count = rows * columns
    guard let stamp = FileStamp(path), offset <= stamp.bytes, count <= (stamp.bytes - Int64(offset)) / 4,
        let file = unsafe fopen(path, "r+b")
    else { return false }
    var matrix = [UInt32](repeating: 0, count: count)
    let isRead = unsafe fseek(file, offset, SEEK_SET) == 0 && fread(&matrix, 4, count, file) == count
    guard isRead else {
        unsafe fclose(file)
        return false
    }
    var turned = [UInt32](repeating: 0, count: count)
    unsafe transpose_words(matrix, &turned, rows, columns)
    let isWritten = unsafe fseek(file, offset, SEEK_SET) == 0 && fwrite(turned, 4, count, file) == count
    return unsafe fclose(file) == 0 && isWritten
}

/// Removes a file.
func removeFile(_ path: String) { unsafe unlink(path) }

/// Changes a file's name, or a folder's to one that is not there or empty. - Returns: 0, or the `errno`.
func renameFile(_ path: String, to new: String) -> Int32 { unsafe rename(path, new) == 0 ? 0 : errno }

/// Makes one folder. - Returns: 0, or the `errno`.
func makeFolder(_ path: String) -> Int32 { unsafe mkdir(path, 0o777) == 0 ? 0 : errno }

/// Removes a folder of files.
func removeFolder(_ path: String) {
    for name in (try? folderEntries(path)) ?? [] where name != "." && name != ".." {
        unsafe unlink("\(path)/\(name)")
    }
    unsafe rmdir(path)
}

/// Sets a file's time of change to now.
func touch(_ path: String) { unsafe utimensat(AT_FDCWD, path, nil, 0) }

/// Asks the system to read a file into memory soon.
func readAhead(_ path: String) {
    #if os(Linux)
        let file = unsafe open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return }
        posix_fadvise(file, 0, 0, POSIX_FADV_WILLNEED)
        close(file)
    #endif
}

/// Why files cannot be made in a folder, or in the one that it would be made in: an `errno`; nil where they can.
func obstacle(toWritingIn folder: String) -> Int32? {
    switch fileKind(folder) {
    case .directory: return unsafe access(folder, W_OK | X_OK) == 0 ? nil : errno
    case .missing:
        let above = OnnxRuntime.folder(of: folder)
        return above == folder ? ENOENT : obstacle(toWritingIn: above)
    case .file, .other: return ENOTDIR
    case .unreachable(let error): return error.number
    }
}

/// The bytes that are free to this user where a folder is; nil where that cannot be told.
func freeBytes(_ folder: String) -> UInt64? {
    var status = statvfs()
    guard unsafe statvfs(folder, &status) == 0 else { return nil }
    return UInt64(status.f_bavail) &* UInt64(status.f_frsize)
}

/// Nanoseconds since 1970.
func realNanoseconds() -> Int64 {
    var now = timespec()
    unsafe clock_gettime(CLOCK_REALTIME, &now)
    return nanoseconds(now)
}

private func nanoseconds(_ time: timespec) -> Int64 {
    Int64(time.tv_sec) &* 1_000_000_000 &+ Int64(time.tv_nsec)
}

/// Which file it is and when it was changed: as long as that is the same, so are its bytes.
struct FileStamp: Hashable {
    let bytes: Int64
    private let device: UInt64
    private let inode: UInt64
    let modified: Int64
    private let changed: Int64

    /// Of a file; nil where there is none.
    init?(_ path: String) {
        var status = stat()
        guard unsafe stat(path, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { return nil }
        bytes = Int64(status.st_size)
        device = UInt64(truncatingIfNeeded: status.st_dev)
        inode = UInt64(status.st_ino)
        #if canImport(Darwin)
            modified = nanoseconds(status.st_mtimespec)
            changed = nanoseconds(status.st_ctimespec)
        #else
            modified = nanoseconds(status.st_mtim)
            changed = nanoseconds(status.st_ctim)
        #endif
    }

    /// Whether the last change is so long ago that another one would have another time: clocks of files are coarse.
    var isSettled: Bool { changed < realNanoseconds() - 2_000_000_000 }

    var text: String { "\(bytes) \(device) \(inode) \(modified) \(changed)" }
}

/// Makes a folder and those above it, as far as they are not there.
func makeFolders(_ path: String) {
    var made = ""
    for part in path.split(separator: "/", omittingEmptySubsequences: false) {
        made += made.isEmpty && part.isEmpty ? "/" : made.isEmpty || made == "/" ? "\(part)" : "/\(part)"
        unsafe mkdir(made, 0o777)
    }
}

let fnv1aStart: UInt64 = 0xcbf2_9ce4_8422_2325

extension Span<UInt8> {
    /// The hash FNV-1a of 64 bits (Fowler, Noll and Vo), to tell files apart that nobody forges.
    func fnv1a(from start: UInt64 = fnv1aStart) -> UInt64 {
        var hash = start
        for index in indices { hash = (hash ^ UInt64(self[index])) &* 0x100_0000_01b3 }
        return hash
    }
}

extension [UInt8] {
    func fnv1a() -> UInt64 { span.fnv1a() }
}

/// What this machine's processor can do, as far as the system lists it: Linux does.
let processorFeatures: UInt64 = {
    let text = fileBytes("/proc/cpuinfo", limit: 1 << 14).map { String(decoding: $0, as: UTF8.self) } ?? ""
    let line = text.split(separator: "\n").first { $0.hasPrefix("flags") || $0.hasPrefix("Features") }
    return Array((line ?? "").utf8).fnv1a()
}()

/// The processor that this machine has, and its name in the network.
func machineDescription() -> String {
    let processor = fileBytes("/proc/cpuinfo", limit: 1 << 16).flatMap { bytes in
        String(decoding: bytes, as: UTF8.self).split(separator: "\n").first { $0.hasPrefix("model name") }
    }
    var name = [CChar](repeating: 0, count: 256)
    unsafe gethostname(&name, name.count - 1)
    let host = String(decoding: name.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    return "\(host) \(processor.map(String.init) ?? "") \(sysconf(Int32(_SC_NPROCESSORS_ONLN)))"
}
