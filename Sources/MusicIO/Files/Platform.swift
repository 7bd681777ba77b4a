// The C library under its platform's name; nothing else here imports it.
#if canImport(Darwin)
    internal import Darwin
#elseif canImport(Glibc)
    internal import Glibc
#elseif canImport(Musl)
    internal import Musl
#endif

/// The operating system's calls that this target uses, with `EINTR` retried and failures as values.
enum Platform {
    enum Kind { case file, folder, other }

    static func describe(_ error: Int32) -> String {
        unsafe strerror(error).map { unsafe String(cString: $0) } ?? "error \(error)"
    }

    static func openForReading(_ path: String) -> Result<Int32, PlatformError> {
        descriptor { unsafe open(path, O_RDONLY | O_CLOEXEC) }
    }

    /// Creates a file that did not exist.
    static func create(_ path: String) -> Result<Int32, PlatformError> {
        descriptor { unsafe open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o666) }
    }

    private static func descriptor(_ call: () -> Int32) -> Result<Int32, PlatformError> {
        while true {
            let descriptor = call()
            if descriptor >= 0 { return .success(descriptor) }
            let error = errno
            if error != EINTR { return .failure(PlatformError(code: error)) }
        }
    }

    static func kindAndSize(of descriptor: Int32) -> (kind: Kind, size: Int)? {
        var information = stat()
        guard unsafe fstat(descriptor, &information) == 0 else { return nil }
        return (kind(information.st_mode), Int(information.st_size))
    }

    /// Follows links; nil when there is nothing.
    static func kind(at path: String) -> Kind? {
        var information = stat()
        guard unsafe stat(path, &information) == 0 else { return nil }
        return kind(information.st_mode)
    }

    private static func kind(_ mode: mode_t) -> Kind {
        switch mode & S_IFMT {
        case S_IFREG: .file
        case S_IFDIR: .folder
        default: .other
        }
    }

    static func mayWrite(_ path: String) -> Bool { unsafe access(path, W_OK) == 0 }

    /// The path with links followed; nil when there is nothing.
    static func resolved(_ path: String) -> String? {
        guard let resolved = unsafe realpath(path, nil) else { return nil }
        defer { unsafe free(resolved) }
        return unsafe String(cString: resolved)
    }

    /// Bytes read, 0 at the end of the file.
    static func readBytes(_ descriptor: Int32, into buffer: UnsafeMutableRawBufferPointer) -> Result<
        Int, PlatformError
    > {
        while true {
            let count = unsafe read(descriptor, buffer.baseAddress, buffer.count)
            if count >= 0 { return .success(count) }
            let error = errno
            if error != EINTR { return .failure(PlatformError(code: error)) }
        }
    }

    /// Reads until the buffer is full or the file ends.
    static func readAllBytes(
        _ descriptor: Int32, into buffer: UnsafeMutableRawBufferPointer
    ) -> (count: Int, error: PlatformError?) {
        var done = 0
        while done < buffer.count {
            let rest = unsafe UnsafeMutableRawBufferPointer(rebasing: buffer[done...])
            switch unsafe readBytes(descriptor, into: rest) {
            case .success(0): return (done, nil)
            case .success(let count): done += count
            case .failure(let error): return (done, error)
            }
        }
        return (done, nil)
    }

    /// Writes everything, or tells how much and why not more.
    static func writeBytes(_ descriptor: Int32, _ bytes: UnsafeRawBufferPointer) -> (
        count: Int, error: PlatformError?
    ) {
        var done = 0
        while done < bytes.count {
            let count = unsafe write(descriptor, bytes.baseAddress! + done, bytes.count - done)
            if count > 0 {
                done += count
            } else {
                let error = count == 0 ? EIO : errno
                if error != EINTR { return (done, PlatformError(code: error)) }
            }
        }
        return (done, nil)
    }

    enum Origin { case start, current, end }

    static func seek(_ descriptor: Int32, _ offset: Int, from origin: Origin) -> Int {
        let whence =
            switch origin {
            case .start: SEEK_SET
            case .current: SEEK_CUR
            case .end: SEEK_END
            }
        return Int(lseek(descriptor, off_t(offset), whence))
    }

    /// Waits until the file is on its device. A device that has no such notion is no failure.
    static func synchronise(_ descriptor: Int32) -> PlatformError? {
        while fsync(descriptor) != 0 {
            let error = errno
            if error == EINVAL || error == ENOTSUP { return nil }
            if error != EINTR { return PlatformError(code: error) }
        }
        return nil
    }

    static func closeDescriptor(_ descriptor: Int32) -> PlatformError? {
        guard close(descriptor) != 0 else { return nil }
        let error = errno
        return error == EINTR ? nil : PlatformError(code: error)
    }

    static func move(_ old: String, to new: String) -> PlatformError? {
        unsafe rename(old, new) == 0 ? nil : PlatformError(code: errno)
    }

    static func remove(_ path: String) { _ = unsafe unlink(path) }
}

struct PlatformError: Error {
    let code: Int32

    var description: String { Platform.describe(code) }
    var isMissing: Bool { code == ENOENT || code == ENOTDIR }
    var isTaken: Bool { code == EEXIST }

    /// What a person does about a write that failed so.
    var remedyForWriting: String {
        switch code {
        case ENOSPC, EDQUOT: "Free some space there, or choose another folder"
        case EFBIG: "Lift the file-size limit (ulimit -f), or choose another disk or format"
        case EACCES, EPERM, EROFS: "Choose a folder that you may write to"
        default: "Check the disk, or choose another folder"
        }
    }
}
