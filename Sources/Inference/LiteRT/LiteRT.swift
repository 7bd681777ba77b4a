import CLiteRT

/// The LiteRT library (TensorFlow Lite's successor), found and opened at run time: the engine for `.tflite` models.
///
/// A library is opened once per process and never closed. Its log is silent but for one line of TensorFlow Lite's on
/// standard error at the first model; what goes wrong is thrown.
///
/// Room: control.
@safe public final class LiteRT: @unchecked Sendable {
    // Sendable: C functions that are never written; the environments are inside the monitor.
    private let library: UnsafePointer<LiteRtLibrary>
    let table: UnsafePointer<LiteRtTable>
    /// The file that was opened.
    public let path: String

    /// By the accelerators that they have. Models are also made and compiled under this lock.
    private let environments = Monitor(Environments())

    @safe private struct Environments {
        var byAccelerator: [Accelerator: OpaquePointer] = unsafe [:]
    }

    /// What LiteRT runs a model by. The raw values are its own.
    enum Accelerator: Int32 {
        /// XNNPACK.
        case cpu = 1
        /// WebGPU.
        case gpu = 2
    }

    /// - Parameter library: stays for ever, as what it describes does.
    private init(_ library: UnsafePointer<LiteRtLibrary>, candidate: String) {
        unsafe self.library = unsafe library
        unsafe table = unsafe library.pointer(to: \.table)!
        path =
            unsafe library.pointee.path.map { unsafe String(cString: $0) }.flatMap(resolvedPath) ?? candidate
    }

    /// Does `body` with an environment, alone.
    func withEnvironment<R>(
        _ accelerator: Accelerator, _ body: (OpaquePointer) throws(InferenceError) -> R
    ) throws(InferenceError) -> R {
        try environments.withLock { environments throws(InferenceError) in
            if let known = unsafe environments.byAccelerator[accelerator] { return try unsafe body(known) }
            var environment: OpaquePointer?
            let all = Accelerator.cpu.rawValue | accelerator.rawValue
            let folder = OnnxRuntime.folder(of: path)
            let status = unsafe litert_environment_create(library, all, folder, &environment)
            guard status == 0, let environment = unsafe environment else {
                throw InferenceError(
                    .outOfResources, "LiteRT (\(path)) did not start: \(LiteRTStatus(code: Int(status))).")
            }
            unsafe environments.byAccelerator[accelerator] = unsafe environment
            return try unsafe body(environment)
        }
    }

    func check(
        _ status: Int32, _ code: InferenceError.Code, _ context: @autoclosure () -> String
    ) throws(InferenceError) {
        guard status != 0 else { return }
        let cause = LiteRTStatus(code: Int(status))
        throw InferenceError(code, "\(context()) (\(cause)).", underlying: cause)
    }
}

/// LiteRT's own account of a failure.
public struct LiteRTStatus: Error, Sendable, Hashable, CustomStringConvertible {
    /// `LiteRtStatus`: 1 invalid argument, 3 runtime failure, 5 unsupported, 501 invalid flatbuffer, 504 compilation, …
    public let code: Int

    public var description: String {
        let words =
            switch code {
            case 1: "invalid argument"
            case 2: "out of memory"
            case 3: "failure while running"
            case 4: "missing input"
            case 5: "unsupported"
            case 6: "not found"
            case 8, 4000, 4001: "wrong version"
            case 500: "unreadable file"
            case 501: "invalid flatbuffer"
            case 502: "a library cannot be loaded"
            case 504: "compilation failed"
            case 1000...1003: "invalid graph"
            default: "failure"
            }
        return "LiteRT says: \(words), status \(code)"
    }
}

extension LiteRT {
    private static let opened = Monitor<[String: LiteRT]>([:])

    /// Opens one file, or returns it if it is open.
    static func open(file: String) throws(InferenceError) -> LiteRT {
        let key = resolvedPath(file) ?? file
        return try opened.withLock { opened throws(InferenceError) in
            if let known = opened[key] { return known }
            let library = try load(file)
            opened[key] = library
            return library
        }
    }

    private static func load(_ file: String) throws(InferenceError) -> LiteRT {
        let library = UnsafeMutablePointer<LiteRtLibrary>.allocate(capacity: 1)
        unsafe library.initialize(to: LiteRtLibrary())
        var message = ""
        let result = unsafe withUnsafeTemporaryAllocation(of: CChar.self, capacity: 1024) { buffer in
            let result = unsafe litert_library_open(file, library, buffer.baseAddress!, buffer.count)
            message = unsafe String(cString: buffer.baseAddress!)
            return result
        }
        if result == LITERT_OPEN_OK { return unsafe LiteRT(library, candidate: file) }
        unsafe library.deallocate()
        switch result {
        case LITERT_OPEN_NOT_LITERT:
            throw InferenceError(.notLiteRT, "\(file) is a shared library, but not LiteRT. \(remedy)")
        case LITERT_OPEN_UNSUITABLE:
            throw InferenceError(
                .libraryTooOld, "\(file) is a LiteRT without \(message); 2.3 is needed. \(remedy)")
        default:
            let cause = LibraryLoaderError(message: message)
            if case .missing = fileKind(file) {
                throw InferenceError(
                    .libraryNotFound, "No LiteRT library at \(file). \(remedy)", underlying: cause)
            }
            throw InferenceError(
                .notLiteRT, "\(file) cannot be loaded as a shared library (\(message)). \(remedy)",
                underlying: cause)
        }
    }

    static let remedy =
        "Run echoel runtime install litert, or set ECHOEL_LITERT to the path of its library (libLiteRt.so)."
}
