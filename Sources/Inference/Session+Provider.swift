import COnnxRuntime

extension Session {
    static let cpuProvider = "CPUExecutionProvider"

    /// Hands a session to the provider behind `acceleration`.
    ///
    /// - Throws: `accelerationUnavailable`, with what the provider says.
    static func append(
        _ runtime: OnnxRuntime, _ acceleration: AccelerationType, to handle: OpaquePointer,
        _ options: SessionOptions
    ) throws(InferenceError) {
        switch acceleration {
        case .cpu, .auto: return
        case .cuda: try unsafe appendCUDA(runtime, to: handle, options.cuda)
        case .tensorRT: try unsafe appendTensorRT(runtime, to: handle, options.tensorRT)
        case .openVINO, .openCL:
            var openVINO = options.openVINO
            if acceleration == .openCL { openVINO.device = .gpu }
            try unsafe appendOpenVINO(runtime, acceleration, to: handle, openVINO, options.intraOpThreads)
        case .metal: try unsafe appendNamed(runtime, acceleration, "CoreML", to: handle, options.others)
        case .xnnpack:
            var entries = options.others
            entries["intra_op_num_threads"] = "\(options.intraOpThreads)"
            try unsafe appendNamed(runtime, acceleration, "XNNPACK", to: handle, entries)
        case .webGPU: try unsafe runtime.append(.webGPU, to: handle, options.others)
        }
    }

    /// Whether the provider takes a session at all, as far as it tells without a model.
    ///
    /// - Throws: `accelerationUnavailable`, `outOfResources`.
    static func tryProvider(
        _ runtime: OnnxRuntime, _ acceleration: AccelerationType, _ options: SessionOptions
    ) throws(InferenceError) {
        var created: OpaquePointer?
        try unsafe runtime.check(
            runtime.table.pointee.CreateSessionOptions(&created), .outOfResources,
            "ONNX Runtime \(runtime.version) refused to make a session's options")
        guard let handle = unsafe created else { return }
        defer { unsafe runtime.table.pointee.ReleaseSessionOptions(handle) }
        try unsafe append(runtime, acceleration, to: handle, options)
    }

    /// Providers that ONNX Runtime knows by a short name.
    private static func appendNamed(
        _ runtime: OnnxRuntime, _ acceleration: AccelerationType, _ name: String, to handle: OpaquePointer,
        _ options: [String: String]
    ) throws(InferenceError) {
        let entries = ProviderEntries(options)
        let status = unsafe runtime.table.pointee.SessionOptionsAppendExecutionProvider(
            handle, name, entries.keys.pointers, entries.values.pointers, entries.count)
        try unsafe refuse(runtime, acceleration, status)
    }

    private static func appendTensorRT(
        _ runtime: OnnxRuntime, to handle: OpaquePointer, _ options: TensorRTOptions
    ) throws(InferenceError) {
        let table = unsafe runtime.table
        var created: OpaquePointer?
        try unsafe refuse(runtime, .tensorRT, table.pointee.CreateTensorRTProviderOptions(&created))
        defer { unsafe table.pointee.ReleaseTensorRTProviderOptions(created) }
        let entries = ProviderEntries(options.entries)
        try unsafe refuse(
            runtime, .tensorRT,
            table.pointee.UpdateTensorRTProviderOptions(
                created, entries.keys.pointers, entries.values.pointers, entries.count))
        try unsafe refuse(
            runtime, .tensorRT,
            table.pointee.SessionOptionsAppendExecutionProvider_TensorRT_V2(handle, created))
    }

    private static func appendOpenVINO(
        _ runtime: OnnxRuntime, _ acceleration: AccelerationType, to handle: OpaquePointer,
        _ options: OpenVINOOptions, _ threads: Int
    ) throws(InferenceError) {
        do throws(InferenceError) {
            try unsafe appendNamed(
                runtime, acceleration, "OpenVINO", to: handle, options.entries(sessionThreads: threads))
        } catch {
            // ONNX Runtime's words for libraries that do not load, too; the loader's are better.
            let isSilent =
                (error.underlying as? OnnxRuntimeStatus)?.message.contains("Failed to load provider") ?? false
            if isSilent, let problem = runtime.problem(ofLibrary: "libonnxruntime_providers_openvino.so") {
                throw acceleration.unavailable(
                    "OpenVINO's libraries do not load: \(problem). Install them again.",
                    underlying: error.underlying)
            }
            // Of a device that is not there ONNX Runtime only says that OpenVINO did not load, which it does for the processor.
            guard options.device != .cpu else { throw error }
            try tryProvider(runtime, .openVINO, SessionOptions())
            throw acceleration.unavailable(
                "OpenVINO finds no \(options.device.name) on this machine.", underlying: error.underlying)
        }
        // What OpenVINO does not take would be run by ONNX Runtime's own kernels without a word.
        try unsafe refuseFallback(runtime, in: handle)
    }

    private static func refuseFallback(_ runtime: OnnxRuntime, in handle: OpaquePointer)
        throws(InferenceError)
    {
        try unsafe runtime.check(
            runtime.table.pointee.AddSessionConfigEntry(handle, "session.disable_cpu_ep_fallback", "1"),
            .invalidArgument, "ONNX Runtime \(runtime.version) refused the session's options")
    }

    /// Throws what a provider says against being used.
    static func refuse(
        _ runtime: OnnxRuntime, _ acceleration: AccelerationType, _ status: OpaquePointer?
    ) throws(InferenceError) {
        guard let status = unsafe status else { return }
        let cause = unsafe OnnxRuntime.take(runtime.table, status)
        throw acceleration.unavailable(
            "ONNX Runtime \(runtime.version) says: \(cause.reason(model: "")).", underlying: cause)
    }

    /// - Throws: `accelerationUnavailable`, with the figure; what a run throws.
    func requireAccuracy(
        _ least: Double, against reference: Session, dimensions: [String: Int]
    ) throws(InferenceError) {
        let outputs = try LatencyTrial(self, dimensions: dimensions).outputs()
        let wanted = try LatencyTrial(reference, dimensions: dimensions).outputs()
        let decibels = Accuracy.decibels(outputs, reference: wanted)
        if decibels < least { throw acceleration.unavailable(Accuracy.refusal(decibels, least: least)) }
    }

    /// Whether results have to be looked at: ONNX Runtime's own kernels are trusted, and LiteRT's on the processor, a
    /// provider's are not.
    var isForeign: Bool { acceleration != .cpu }

    func nonFinite(_ output: String) -> InferenceError {
        InferenceError(
            .nonFinite,
            "\(provider) computed NaN or infinity in the output \(output) of \(name), from inputs that have none. Run it "
                + "on the CPU.")
    }
}

/// A provider's options by ONNX Runtime's names, for its C API.
struct ProviderEntries {
    let keys: TensorNames
    let values: TensorNames
    let count: Int

    init(_ options: [String: String]) {
        let entries = options.sorted { $0.key < $1.key }
        keys = TensorNames(entries.map(\.key))
        values = TensorNames(entries.map(\.value))
        count = entries.count
    }
}
