import COnnxRuntime
import COperators

/// The ONNX Runtime library, found and opened at run time, and its environment.
///
/// A library is opened once per process and never closed; every caller that asks for it shares it. Its log is
/// silent: what goes wrong is thrown.
///
/// Room: control.
@safe public final class OnnxRuntime: @unchecked Sendable {
    // Sendable: a table of C functions that is never written.
    let table: UnsafePointer<OrtTable>
    /// What registers plug-ins; nil where the library is too old for them.
    let plugins: UnsafePointer<OrtPluginTable>?
    /// The plug-ins that are registered, by their files.
    let registeredPlugins = Monitor<Set<String>>([])
    let environment: OpaquePointer
    let allocator: OpaquePointer
    /// Describes ordinary memory to ONNX Runtime.
    let memory: OpaquePointer
    /// Our operators, for its sessions; `nil` where the library is too old for them.
    let operators: OpaquePointer?
    /// Whether the library has made a session that has them.
    let operatorsAreKnown = Monitor(false)

    /// What its sessions have in common.
    let graphs = LoadedGraphs()

    /// The file that was opened.
    public let path: String
    /// The library's own version, such as `"1.21.0"`.
    public let version: String
    /// The execution providers in this build, by ONNX Runtime's names, best first; the last is always the CPU's.
    public let availableProviders: [String]

    private init(_ library: OrtLibrary, candidate: String) throws(InferenceError) {
        let table = unsafe library.table!
        unsafe self.table = unsafe table
        unsafe plugins = unsafe library.plugins
        path = unsafe library.path.map { unsafe String(cString: $0) }.flatMap(resolvedPath) ?? candidate
        version = unsafe library.version.map { unsafe String(cString: $0) } ?? "unknown"
        let context = "ONNX Runtime (\(candidate)) did not start"

        var environment: OpaquePointer?
        try unsafe Self.check(
            table, table.pointee.CreateEnv(Int32(ORT_TABLE_LOG_FATAL), "echoel", &environment),
            .notOnnxRuntime,
            context)
        var allocator: OpaquePointer?
        try unsafe Self.check(
            table, table.pointee.GetAllocatorWithDefaultOptions(&allocator), .notOnnxRuntime, context)
        var memory: OpaquePointer?
        try unsafe Self.check(
            table,
            table.pointee.CreateCpuMemoryInfo(
                Int32(ORT_TABLE_ARENA_ALLOCATOR), Int32(ORT_TABLE_DEFAULT_MEMORY), &memory), .notOnnxRuntime,
            context)
        guard let environment = unsafe environment, let allocator = unsafe allocator,
            let memory = unsafe memory
        else { throw InferenceError(.notOnnxRuntime, "\(context): it returned nothing.") }
        unsafe self.environment = unsafe environment
        unsafe self.allocator = unsafe allocator
        unsafe self.memory = unsafe memory
        var operators: OpaquePointer?
        if unsafe library.takesOperators != 0 {
            try unsafe Self.check(table, echoel_operators_create(table, &operators), .notOnnxRuntime, context)
        }
        unsafe self.operators = unsafe operators
        // Only Windows builds send telemetry; elsewhere this does nothing and cannot fail.
        unsafe table.pointee.DisableTelemetryEvents(environment).map {
            unsafe table.pointee.ReleaseStatus($0)
        }

        var names: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?
        var count: Int32 = 0
        try unsafe Self.check(
            table, table.pointee.GetAvailableProviders(&names, &count), .notOnnxRuntime, context)
        var providers: [String] = []
        for index in 0..<Int(count) {
            if let name = unsafe names?[index] { providers.append(unsafe String(cString: name)) }
        }
        unsafe table.pointee.ReleaseAvailableProviders(names, count).map {
            unsafe table.pointee.ReleaseStatus($0)
        }
        availableProviders = providers
    }
}

extension OnnxRuntime {
    /// The libraries opened so far, by the name that they were asked for.
    private static let opened = Monitor<[String: OnnxRuntime]>([:])

    /// Opens one file (or bare name, for the system's loader), or returns it if it is open.
    static func open(file: String) throws(InferenceError) -> OnnxRuntime {
        let key = (file.contains("/") ? resolvedPath(file) : nil) ?? file
        return try opened.withLock { opened throws(InferenceError) in
            if let runtime = opened[key] { return runtime }
            let runtime = try load(file)
            if let same = opened[runtime.path] {
                opened[key] = same
                return same
            }
            opened[key] = runtime
            opened[runtime.path] = runtime
            return runtime
        }
    }

    private static func load(_ file: String) throws(InferenceError) -> OnnxRuntime {
        var library = unsafe OrtLibrary()
        var message = ""
        let result = unsafe withUnsafeTemporaryAllocation(of: CChar.self, capacity: 1024) { buffer in
            let result = unsafe ort_library_open(
                file, UInt32(ORT_TABLE_API_VERSION), &library, buffer.baseAddress!, buffer.count)
            message = unsafe String(cString: buffer.baseAddress!)
            return result
        }
        switch result {
        case ORT_OPEN_OK:
            return try unsafe OnnxRuntime(library, candidate: file)
        case ORT_OPEN_NOT_RUNTIME:
            throw InferenceError(
                .notOnnxRuntime, "\(file) is a shared library, but not ONNX Runtime. \(remedy)")
        case ORT_OPEN_TOO_OLD:
            let version = unsafe library.version.map { unsafe String(cString: $0) } ?? "of unknown version"
            throw InferenceError(
                .libraryTooOld,
                "\(file) is ONNX Runtime \(version), which is too old; 1.21 or later is needed. \(remedy)")
        default:
            let cause = LibraryLoaderError(message: message)
            if file.contains("/"), case .missing = fileKind(file) {
                throw InferenceError(
                    .libraryNotFound, "No ONNX Runtime library at \(file). \(remedy)", underlying: cause)
            }
            throw InferenceError(
                .notOnnxRuntime, "\(file) cannot be loaded as a shared library (\(message)). \(remedy)",
                underlying: cause)
        }
    }

    static let remedy =
        "Run script/bootstrap to install ONNX Runtime, or set ECHOEL_ONNXRUNTIME to the path of its library."
}
