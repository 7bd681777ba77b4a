import COnnxRuntime

extension Session {
    /// Runs the model once on tensors by name.
    ///
    /// Room: worker or control; it allocates. For runs without allocation take a `BoundRun`.
    /// - Parameter outputs: the outputs to compute; nil for all.
    /// - Throws: `unknownTensor`, `shapeMismatch`, `typeUnsupported`, `runFailed`; `nonFinite` where a provider other than the
    ///   CPU's computes that from finite inputs.
    public func run(
        _ inputs: [String: Tensor], outputs names: [String]? = nil
    ) throws(InferenceError) -> [String: Tensor] {
        try requireUnrecorded()
        let prepared = try PreparedRun(self, inputs: inputs, outputs: names)
        return try prepared.run()
    }
}

/// A model's inputs as ONNX Runtime's values, ready to run any number of times.
@safe final class PreparedRun {
    private let session: Session
    private let handle: OpaquePointer
    private let inputs: [String: Tensor]
    private let names: TensorNames
    private let inputCount: Int
    private let outputInfos: [TensorInfo]
    private var values: [OpaquePointer?]
    private var memory: [UnsafeMutableRawPointer]

    init(
        _ session: Session, inputs: [String: Tensor], outputs names: [String]?
    ) throws(InferenceError) {
        try session.validate(inputs)
        outputInfos = try session.runnableOutputs(names)
        self.session = session
        unsafe handle = unsafe session.handle(for: inputs.mapValues(\.shape))
        self.inputs = inputs
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
        let runtime = session.runtime
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
            tensors[info.name] = try unsafe session.read(results[index], info)
        }
        if session.isForeign, let bad = outputInfos.first(where: { tensors[$0.name]?.isFinite == false }),
            inputs.values.allSatisfy(\.isFinite)
        {
            throw session.nonFinite(bad.name)
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
        let runtime = session.runtime
        let count = outputInfos.count
        let status = unsafe runtime.table.pointee.Run(
            handle, nil, names.pointers, values, inputCount, names.pointers + inputCount, count,
            &results)
        try unsafe runtime.check(status, .runFailed, "A run of \(session.name) failed")
    }

    private func release(_ results: [OpaquePointer?]) {
        for index in unsafe results.indices {
            unsafe session.runtime.table.pointee.ReleaseValue(results[index])
        }
    }
}

/// C strings that live as long as this.
@safe final class TensorNames {
    let pointers: UnsafeMutablePointer<UnsafePointer<CChar>?>
    private let count: Int

    init(_ names: [String]) {
        count = names.count
        unsafe pointers = .allocate(capacity: Swift.max(count, 1))
        for (index, name) in names.enumerated() {
            let text = name.utf8CString
            let copy = UnsafeMutablePointer<CChar>.allocate(capacity: text.count)
            for (offset, character) in text.enumerated() { unsafe (copy + offset).initialize(to: character) }
            unsafe (pointers + index).initialize(to: UnsafePointer(copy))
        }
    }

    deinit {
        for index in 0..<count { unsafe pointers[index]?.deallocate() }
        unsafe pointers.deallocate()
    }
}
