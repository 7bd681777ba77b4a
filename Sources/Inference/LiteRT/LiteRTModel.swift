import CLiteRT

/// A `.tflite` model that LiteRT has read: what it takes and gives, and the source of `LiteRTRun`s. Of several signatures
/// the first counts.
///
/// Room: control.
@safe final class LiteRTModel: @unchecked Sendable {
    // Sendable: LiteRT's model is only read, and the idle runs are inside the monitor.
    let liteRT: LiteRT
    let name: String
    let inputs: [TensorInfo]
    let outputs: [TensorInfo]
    let metadata: [String: String]
    let accelerator: LiteRT.Accelerator
    let threads: Int

    private let handle: OpaquePointer
    /// LiteRT reads the file's bytes in place as long as there is a model.
    private let bytes: UnsafeMutableRawBufferPointer
    /// Runs with memory of their own that nobody uses now, the latest last.
    private let idle = Monitor<[LiteRTRun]>([])
    private static let mostIdle = 4

    /// - Throws: `modelUnreadable`, `outOfResources`.
    init(
        _ liteRT: LiteRT, name: String, bytes content: [UInt8], accelerator: LiteRT.Accelerator, threads: Int
    ) throws(InferenceError) {
        let file = try TFLiteFile(content, name: name)
        if let state = file.state {
            throw InferenceError(
                .modelUnreadable,
                "\(name) is not run: \(state), so that a run's result would depend on those before. Export it with its "
                    + "states as inputs and outputs.")
        }
        let bytes = UnsafeMutableRawBufferPointer.allocate(
            byteCount: content.count, alignment: TensorBuffer.alignment)
        unsafe bytes.copyBytes(from: content)
        var model: OpaquePointer?
        do throws(InferenceError) {
            try unsafe liteRT.withEnvironment(accelerator) { environment throws(InferenceError) in
                try unsafe liteRT.check(
                    liteRT.table.pointee.CreateModelFromBuffer(
                        environment, bytes.baseAddress, bytes.count, &model), .modelUnreadable,
                    "\(name) cannot be read as a TensorFlow Lite model; export it, or download it, again")
            }
            guard let model = unsafe model else {
                throw InferenceError(.modelUnreadable, "\(name) gave no model.")
            }
            let reader = unsafe SignatureReader(liteRT: liteRT, model: model, name: name, file: file)
            (inputs, outputs) = try reader.tensors()
        } catch {
            if let model = unsafe model { unsafe liteRT.table.pointee.DestroyModel(model) }
            unsafe bytes.deallocate()
            throw error
        }
        self.liteRT = liteRT
        self.name = name
        self.accelerator = accelerator
        self.threads = threads
        metadata = file.metadata
        unsafe handle = unsafe model!
        unsafe self.bytes = unsafe bytes
    }

    deinit {
        idle.withLock { $0 = [] }
        unsafe liteRT.table.pointee.DestroyModel(handle)
        unsafe bytes.deallocate()
    }

    /// Does `body` with a run for these shapes of the inputs, which nobody else uses meanwhile.
    func withRun<R>(
        _ shapes: [[Int]], _ body: (LiteRTRun) throws(InferenceError) -> R
    ) throws(InferenceError) -> R {
        let known = idle.withLock { idle in
            idle.lastIndex { $0.inputShapes == shapes }.map { idle.remove(at: $0) }
        }
        let run = if let known { known } else { try unsafe LiteRTRun(self, inputShapes: shapes) }
        let result = try body(run)
        // One that failed is not kept, and what is dropped goes outside the lock.
        _ = idle.withLock { idle -> LiteRTRun? in
            idle.append(run)
            return idle.count > Self.mostIdle ? idle.removeFirst() : nil
        }
        return result
    }

    /// The model, compiled anew: an interpreter with its own tensors.
    ///
    /// - Throws: `modelUnreadable`, `accelerationUnavailable`, `outOfResources`.
    func compile() throws(InferenceError) -> OpaquePointer {
        let table = unsafe liteRT.table
        var created: OpaquePointer?
        let context = "LiteRT refused its options"
        try unsafe liteRT.check(table.pointee.CreateOptions(&created), .outOfResources, context)
        guard let options = unsafe created else { throw InferenceError(.outOfResources, "\(context).") }
        defer { unsafe table.pointee.DestroyOptions(options) }
        try unsafe liteRT.check(
            table.pointee.SetOptionsHardwareAccelerators(options, accelerator.rawValue), .invalidArgument,
            context)
        let groups = [
            "xnnpack": "num_threads = \(threads)\n",
            // Messages are kept, to be asked for, instead of printed.
            "runtime_options_string": "error_reporter_mode = 2\n",
        ]
        for (kind, text) in groups {
            try unsafe liteRT.check(
                litert_options_add(table, options, kind, text), .invalidArgument, context)
        }
        var compiled: OpaquePointer?
        let status = try unsafe liteRT.withEnvironment(accelerator) { environment in
            unsafe table.pointee.CreateCompiledModel(environment, handle, options, &compiled)
        }
        guard status == 0, let compiled = unsafe compiled else {
            throw refusal(LiteRTStatus(code: Int(status)))
        }
        if accelerator == .gpu {
            var isWhole = false
            unsafe _ = table.pointee.CompiledModelIsNonCpuFullyAccelerated(compiled, &isWhole)
            guard isWhole else {
                unsafe table.pointee.DestroyCompiledModel(compiled)
                throw AccelerationType.webGPU.unavailable(
                    "\(name): LiteRT's GPU accelerator does not run all of its operators.")
            }
        }
        return unsafe compiled
    }

    private func refusal(_ cause: LiteRTStatus) -> InferenceError {
        if accelerator == .gpu {
            return AccelerationType.webGPU.unavailable(
                "LiteRT's GPU accelerator finds no processor that it can use, or cannot compile \(name) (\(cause)).",
                underlying: cause)
        }
        return InferenceError(
            .modelUnreadable,
            "\(name) cannot be prepared by LiteRT (\(cause)). It may have an operator that LiteRT does not have: export "
                + "it with TensorFlow Lite's own operators.", underlying: cause)
    }
}

/// Reads the first signature through the C table.
@safe private struct SignatureReader {
    let liteRT: LiteRT
    let model: OpaquePointer
    let name: String
    let file: TFLiteFile

    private func check(_ status: Int32) throws(InferenceError) {
        try liteRT.check(status, .modelUnreadable, "\(name) does not describe itself")
    }

    func tensors() throws(InferenceError) -> (inputs: [TensorInfo], outputs: [TensorInfo]) {
        let table = unsafe liteRT.table
        var signatures = 0
        try unsafe check(table.pointee.GetNumModelSignatures(model, &signatures))
        var found: OpaquePointer?
        if signatures > 0 { try unsafe check(table.pointee.GetModelSignature(model, 0, &found)) }
        guard let signature = unsafe found else {
            throw InferenceError(.modelUnreadable, "\(name) has no signature. Export it again.")
        }
        var (inputCount, outputCount) = (0, 0)
        try unsafe check(table.pointee.GetNumSignatureInputs(signature, &inputCount))
        try unsafe check(table.pointee.GetNumSignatureOutputs(signature, &outputCount))
        var (inputs, outputs): ([TensorInfo], [TensorInfo]) = ([], [])
        for index in 0..<inputCount {
            var (text, tensor): (UnsafePointer<CChar>?, OpaquePointer?)
            try unsafe check(table.pointee.GetSignatureInputName(signature, index, &text))
            try unsafe check(table.pointee.GetSignatureInputTensorByIndex(signature, index, &tensor))
            inputs.append(try unsafe info(text, tensor))
        }
        for index in 0..<outputCount {
            var (text, tensor): (UnsafePointer<CChar>?, OpaquePointer?)
            try unsafe check(table.pointee.GetSignatureOutputName(signature, index, &text))
            try unsafe check(table.pointee.GetSignatureOutputTensorByIndex(signature, index, &tensor))
            outputs.append(try unsafe info(text, tensor))
        }
        for tensors in [inputs, outputs] where Set(tensors.map(\.name)).count < tensors.count {
            throw InferenceError(
                .modelUnreadable, "\(name) has two inputs, or two outputs, of one name. Export it again.")
        }
        return (inputs, outputs)
    }

    private func info(_ text: UnsafePointer<CChar>?, _ tensor: OpaquePointer?) throws(InferenceError)
        -> TensorInfo
    {
        var index: UInt32 = 0
        try unsafe check(liteRT.table.pointee.GetTensorIndex(tensor, &index))
        guard let text = unsafe text, file.tensors.indices.contains(Int(index)) else {
            throw InferenceError(.modelUnreadable, "\(name) has a tensor without a name. Export it again.")
        }
        let described = file.tensors[Int(index)]
        return TensorInfo(
            name: unsafe String(cString: text), shape: described.shape, elementType: described.elementType)
    }
}
