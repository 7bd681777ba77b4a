import COnnxRuntime

/// A model's inputs as ONNX Runtime's values, ready to run any number of times.
@safe final class OnnxPreparedRun {
    private let session: Session
    private let runtime: OnnxRuntime
    private let handle: OpaquePointer
    private let names: TensorNames
    private let inputCount: Int
    private let outputInfos: [TensorInfo]
    private var values: [OpaquePointer?]
    private var memory: [UnsafeMutableRawPointer]

    /// - Parameter inputs: as the session has validated them.
    init(
        _ session: Session, _ graph: LoadedGraph, inputs: [String: Tensor], outputs: [TensorInfo]
    ) throws(InferenceError) {
        outputInfos = outputs
        self.session = session
        runtime = graph.runtime
        unsafe handle = unsafe graph.handle(for: inputs.mapValues(\.shape))
        self.names = TensorNames(session.inputs.map(\.name) + outputInfos.map(\.name))
        inputCount = session.inputs.count
        unsafe values = unsafe []
        unsafe memory = unsafe []
        for info in session.inputs {
            guard let tensor = inputs[info.name] else { continue }  // validated
            try add(tensor, info)
        }
    }

    deinit {
        unsafe release(values)
        for index in unsafe memory.indices { unsafe memory[index].deallocate() }
    }

    private func add(_ tensor: Tensor, _ info: TensorInfo) throws(InferenceError) {
        let bytes = tensor.bytes.count
        let block = UnsafeMutableRawPointer.allocate(
            byteCount: Swift.max(bytes, 1), alignment: TensorBuffer.alignment)
        unsafe memory.append(block)
        unsafe tensor.bytes.withUnsafeBytes { source in
            if bytes > 0 { unsafe block.copyMemory(from: source.baseAddress!, byteCount: bytes) }
        }
        let shape = tensor.shape.map(Int64.init)
        var value: OpaquePointer?
        try unsafe runtime.check(
            runtime.table.pointee.CreateTensorWithDataAsOrtValue(
                runtime.memory, block, bytes, shape, shape.count, Int32(tensor.elementType.rawValue), &value),
            .shapeMismatch, "No tensor of shape \(tensor.shape) for \(info.name) of \(session.name)")
        unsafe values.append(value)
    }

    /// One run, outputs read.
    func run() throws(InferenceError) -> [String: Tensor] {
        var results = unsafe [OpaquePointer?](repeating: nil, count: outputInfos.count)
        try unsafe run(into: &results)
        defer { unsafe release(results) }
        var tensors: [String: Tensor] = [:]
        for (index, info) in outputInfos.enumerated() {
            tensors[info.name] = try unsafe session.read(results[index], info, runtime)
        }
        return tensors
    }

    /// One run, outputs dropped. - Returns: nanoseconds.
    func timedRun() throws(InferenceError) -> UInt64 {
        var results = unsafe [OpaquePointer?](repeating: nil, count: outputInfos.count)
        let start = monotonicNanoseconds()
        try unsafe run(into: &results)
        let spent = monotonicNanoseconds() - start
        unsafe release(results)
        return spent
    }

    private func run(into results: inout [OpaquePointer?]) throws(InferenceError) {
        let count = outputInfos.count
        let status = unsafe runtime.table.pointee.Run(
            handle, nil, names.pointers, values, inputCount, names.pointers + inputCount, count,
            &results)
        try unsafe runtime.check(status, .runFailed, "A run of \(session.name) failed")
    }

    private func release(_ results: [OpaquePointer?]) {
        for index in unsafe results.indices {
            unsafe runtime.table.pointee.ReleaseValue(results[index])
        }
    }
}
