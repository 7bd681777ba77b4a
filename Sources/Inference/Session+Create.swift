import COnnxRuntime

extension Session {
    /// The size of a model's file, once it is sure to be one that may be opened.
    static func modelFileSize(_ path: String) throws(InferenceError) -> Int {
        switch fileKind(path) {
        case .file(bytes: 0):
            throw InferenceError(
                .modelUnreadable, "\(path) is empty. Export the model, or download it, again.")
        case .file(let bytes): return bytes
        case .missing:
            throw InferenceError(.modelNotFound, "No model at \(path). Check the path.")
        case .directory:
            throw InferenceError(
                .modelUnreadable, "\(path) is a folder. Give the path of an .onnx file in it.")
        case .other:
            throw InferenceError(
                .modelUnreadable, "\(path) is not a regular file. Give the path of an .onnx file.")
        case .unreachable(let cause):
            throw InferenceError(
                .modelUnreadable,
                "\(path) cannot be reached (\(systemMessage(cause.number))). Check its permissions.",
                underlying: cause)
        }
    }

    /// Makes ONNX Runtime's session of a model.
    ///
    /// - Parameter graph: where to write what it has been optimised to, besides; its weights go beside it.
    static func create(
        _ runtime: OnnxRuntime, _ source: ModelSource, _ options: SessionOptions,
        _ acceleration: AccelerationType, savingTo graph: String? = nil
    ) throws(InferenceError) -> OpaquePointer {
        let handle = try unsafe makeOptions(runtime, options)
        defer { unsafe runtime.table.pointee.ReleaseSessionOptions(handle) }
        let name = source.name
        if let graph { try unsafe save(runtime, handle, to: graph) }
        var hasOperators = false
        if acceleration != .cpu {
            try unsafe append(runtime, acceleration, to: handle, options)
        } else if options.ownOperators, let operators = unsafe runtime.operators {
            hasOperators = true
            try unsafe runtime.check(
                runtime.table.pointee.AddCustomOpDomain(handle, operators), .invalidArgument,
                "ONNX Runtime \(runtime.version) refused operators of ours")
        }
        var session: OpaquePointer?
        // ONNX Runtime looks for a domain and then adds it, without a lock: the first that has ours is made alone.
        let status = unsafe runtime.operatorsAreKnown.withLock { areKnown -> OpaquePointer?? in
            if areKnown || !hasOperators { return nil }
            let status = unsafe source.create(runtime, handle, &session)
            areKnown = unsafe status == nil
            return unsafe .some(status)
        }
        if let status = unsafe status ?? source.create(runtime, handle, &session) {
            throw loadError(
                unsafe OnnxRuntime.take(runtime.table, status), name: name, runtime, acceleration)
        }
        guard let session = unsafe session else {
            throw InferenceError(.modelUnreadable, "\(name) gave no session.")
        }
        return unsafe session
    }

    private static func save(
        _ runtime: OnnxRuntime, _ handle: OpaquePointer, to graph: String
    ) throws(InferenceError) {
        let table = unsafe runtime.table
        let context = "ONNX Runtime \(runtime.version) refused the session's options"
        try unsafe runtime.check(
            table.pointee.SetOptimizedModelFilePath(handle, graph), .invalidArgument, context)
        for (key, value) in [
            ("session.optimized_model_external_initializers_file_name", GraphEntry.weightsFile),
            ("session.optimized_model_external_initializers_min_size_in_bytes", "1024"),
        ] {
            try unsafe runtime.check(
                table.pointee.AddSessionConfigEntry(handle, key, value), .invalidArgument, context)
        }
    }

    private static func makeOptions(
        _ runtime: OnnxRuntime, _ options: SessionOptions
    ) throws(InferenceError) -> OpaquePointer {
        for threads in [options.intraOpThreads, options.interOpThreads] where !(1...1024).contains(threads) {
            throw InferenceError(.invalidArgument, "\(threads) threads per run; take 1 to 1024.")
        }
        let table = unsafe runtime.table
        var created: OpaquePointer?
        let context = "ONNX Runtime \(runtime.version) refused the session's options"
        try unsafe runtime.check(table.pointee.CreateSessionOptions(&created), .outOfResources, context)
        guard let handle = unsafe created else { throw InferenceError(.outOfResources, "\(context).") }
        do throws(InferenceError) {
            try unsafe runtime.check(
                table.pointee.SetIntraOpNumThreads(handle, Int32(options.intraOpThreads)), .invalidArgument,
                context)
            try unsafe runtime.check(
                table.pointee.SetInterOpNumThreads(handle, Int32(options.interOpThreads)), .invalidArgument,
                context)
            try unsafe runtime.check(
                table.pointee.SetSessionGraphOptimizationLevel(
                    handle, Int32(options.graphOptimization.rawValue)),
                .invalidArgument, context)
            try unsafe runtime.check(
                table.pointee.SetSessionLogSeverityLevel(handle, Int32(ORT_TABLE_LOG_FATAL)),
                .invalidArgument,
                context)
            for key in ["session.intra_op.allow_spinning", "session.inter_op.allow_spinning"] {
                try unsafe runtime.check(
                    table.pointee.AddSessionConfigEntry(handle, key, options.allowSpinning ? "1" : "0"),
                    .invalidArgument, context)
            }
        } catch {
            unsafe table.pointee.ReleaseSessionOptions(handle)
            throw error
        }
        return unsafe handle
    }

    private static func loadError(
        _ cause: OnnxRuntimeStatus, name: String, _ runtime: OnnxRuntime, _ acceleration: AccelerationType
    ) -> InferenceError {
        if let (made, reads) = cause.versions {
            return InferenceError(
                .modelUnreadable,
                "\(name) was made for a newer ONNX Runtime (\(made); \(runtime.version) reads up to \(reads)): "
                    + "update it, or export the model for an older one.",
                underlying: cause)
        }
        let reason = cause.reason(model: name)
        if acceleration != .cpu, cause.code != 3, cause.code != 7 {
            let why =
                cause.message.contains("fallback to CPU EP has been explicitly disabled")
                ? "the model has operators that it does not run." : "it cannot load the model (\(reason))."
            return acceleration.unavailable("\(name): \(why)", underlying: cause)
        }
        let message =
            switch cause.code {
            case 3:
                "\(name) or a file that it refers to is missing (\(reason)). Restore it beside the model."
            case 7:
                "\(name) is not a complete ONNX model (\(reason)). Export the model, or download it, again."
            case 9:
                "\(name) uses an operator that ONNX Runtime \(runtime.version) does not have (\(reason)). "
                    + "Install a newer ONNX Runtime, or export the model for an older opset."
            default:
                "\(name) cannot be loaded by ONNX Runtime \(runtime.version) (\(reason)). "
                    + "Check that it is an ONNX model and export it again."
            }
        return InferenceError(.modelUnreadable, message, underlying: cause)
    }
}
