extension Session {
    static let liteRTProvider = "LiteRT XNNPACK"
    static let liteRTGPUProvider = "LiteRT WebGPU"

    /// Loads a model's file with the engine that it is for: LiteRT for `.tflite`, ONNX Runtime for any other, each as it is
    /// found. Room: control.
    ///
    /// - Throws: as `OnnxRuntime.open` and `LiteRT.open`, and as the other initialisers.
    public convenience init(model path: String, options: SessionOptions = .init()) throws(InferenceError) {
        if Self.isForLiteRT(path) {
            try self.init(try LiteRT.open(), model: path, options: options)
        } else {
            try self.init(try OnnxRuntime.open(), model: path, options: options)
        }
    }

    /// Loads a `.tflite` model's file. Room: control.
    ///
    /// Of `options` the threads, the acceleration (`cpu`, `xnnpack`, which is the same here, `webGPU` and `auto`), the
    /// probe and `leastDecibels` count.
    ///
    /// - Throws: `modelNotFound`, `modelUnreadable` (also for one that keeps states of its own), `accelerationUnavailable`,
    ///   `nonFinite`, `invalidArgument`, `outOfResources`.
    public convenience init(
        _ liteRT: LiteRT, model path: String, options: SessionOptions = .init()
    ) throws(InferenceError) {
        let size = try Self.modelFileSize(path)
        guard size <= Int(Int32.max) else {
            throw InferenceError(
                .modelUnreadable, "\(path) is larger than a .tflite can be, 2 GiB. Export it again.")
        }
        // In memory of this process: a file that shrinks while it is mapped would end it.
        guard let bytes = fileBytes(path, limit: size) else {
            throw InferenceError(.modelUnreadable, "\(path) cannot be read. Check its permissions.")
        }
        try self.init(liteRT, name: path, path: path, bytes: bytes, options: options)
    }

    /// Loads a `.tflite` model from the bytes of its file. Room: control.
    ///
    /// - Throws: as for a file.
    public convenience init(
        _ liteRT: LiteRT, bytes: [UInt8], options: SessionOptions = .init()
    ) throws(InferenceError) {
        let name = "the model in memory (\(bytes.count) bytes)"
        try self.init(liteRT, name: name, path: nil, bytes: bytes, options: options)
    }

    private convenience init(
        _ liteRT: LiteRT, name: String, path: String?, bytes: [UInt8], options: SessionOptions
    ) throws(InferenceError) {
        guard (1...1024).contains(options.intraOpThreads) else {
            throw InferenceError(
                .invalidArgument, "\(options.intraOpThreads) threads per run; take 1 to 1024.")
        }
        let (accelerator, note) = try liteRT.accelerator(for: options.acceleration)
        let model = try LiteRTModel(
            liteRT, name: name, bytes: bytes, accelerator: accelerator, threads: options.intraOpThreads)
        // What LiteRT cannot prepare is refused now, not in the first run.
        if !model.inputs.contains(where: { $0.shape.contains(where: \.isDynamic) }),
            (model.inputs + model.outputs).allSatisfy(\.elementType.isRunnable)
        {
            try model.withRun(model.inputs.map(\.fixedShape)) { _ in }
        }
        try self.init(model, path: path, sizeBytes: bytes.count, options: options, note: note)
        if let least = options.leastDecibels, isForeign {
            var plain = options
            plain.acceleration = .cpu
            let reference = try Session(liteRT, name: name, path: path, bytes: bytes, options: plain)
            try requireAccuracy(least, against: reference, dimensions: options.auto.dimensions)
        }
    }

    /// By the file's name or, where that says nothing, its first bytes.
    public static func isForLiteRT(_ path: String) -> Bool {
        if path.lowercased().hasSuffix(".tflite") { return true }
        guard !path.lowercased().hasSuffix(".onnx"), case .file = fileKind(path) else { return false }
        return fileBytes(path, limit: 8).map { TFLiteFile.isTFLite($0) } ?? false
    }
}

extension LiteRT {
    /// What models are run by where `acceleration` is asked for, and what was given up for it.
    ///
    /// - Throws: `accelerationUnavailable`.
    func accelerator(
        for acceleration: AccelerationType
    ) throws(InferenceError) -> (Accelerator, note: String?) {
        switch acceleration {
        case .cpu, .xnnpack: return (.cpu, nil)
        case .auto:
            return (
                .cpu, "The CPU was chosen: LiteRT's GPU accelerator is taken only where webGPU is asked for."
            )
        case .webGPU:
            let file = "\(OnnxRuntime.folder(of: path))/\(Self.gpuLibraryName)"
            guard case .file = fileKind(file) else {
                throw acceleration.unavailable("LiteRT's GPU accelerator is not here: there is no \(file).")
            }
            return (.gpu, nil)
        default:
            throw acceleration.unavailable(
                "LiteRT, which runs .tflite models, has no \(acceleration); it has the processor, and graphics processors "
                    + "by webGPU.")
        }
    }
}

extension TensorInfo {
    /// Its sizes, 1 for what is dynamic.
    var fixedShape: [Int] { shape.map { if case .fixed(let size) = $0 { size } else { 1 } } }
}
