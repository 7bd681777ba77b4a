import COnnxRuntime

/// Where a model's bytes are.
enum ModelSource {
    case file(String, bytes: Int)
    case memory([UInt8])

    var path: String? {
        if case .file(let path, _) = self { path } else { nil }
    }

    /// Without external data.
    var sizeBytes: Int {
        switch self {
        case .file(_, let bytes): bytes
        case .memory(let bytes): bytes.count
        }
    }

    /// What messages call the model.
    var name: String { path ?? "the model in memory (\(sizeBytes) bytes)" }

    /// What tells it apart from others where nobody forges it.
    func hash() -> UInt64 {
        switch self {
        case .file(let path, _): fileHash(path)
        case .memory(let bytes): bytes.fnv1a()
        }
    }

    /// - Returns: ONNX Runtime's status.
    func create(
        _ runtime: OnnxRuntime, _ options: OpaquePointer, _ session: inout OpaquePointer?
    ) -> OpaquePointer? {
        switch self {
        case .file(let path, _):
            unsafe runtime.table.pointee.CreateSession(runtime.environment, path, options, &session)
        case .memory(let bytes):
            unsafe bytes.withUnsafeBytes { bytes in
                unsafe runtime.table.pointee.CreateSessionFromArray(
                    runtime.environment, bytes.baseAddress, bytes.count, options, &session)
            }
        }
    }
}
