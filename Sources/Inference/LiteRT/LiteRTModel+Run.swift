extension LiteRTModel {
    /// One run on tensors, which are as the model takes them. - Returns: what `infos` name, and how long the run itself took.
    ///
    /// Room: worker or control; it allocates.
    /// - Throws: `shapeMismatch`, `runFailed`, and as `compile`.
    func run(
        _ tensors: [String: Tensor], outputs infos: [TensorInfo]
    ) throws(InferenceError) -> (tensors: [String: Tensor], nanoseconds: UInt64) {
        let shapes = inputs.map { tensors[$0.name]?.shape ?? [] }
        return try withRun(shapes) { run throws(InferenceError) in
            for (index, info) in inputs.enumerated() {
                guard let tensor = tensors[info.name] else { continue }  // validated
                unsafe tensor.bytes.withUnsafeBytes { bytes in
                    unsafe run.memory(of: index).copyMemory(from: bytes.baseAddress!, byteCount: bytes.count)
                }
            }
            let start = monotonicNanoseconds()
            let status = run.run()
            let spent = monotonicNanoseconds() - start
            guard status == 0 else { throw run.failure(status, of: name) }
            var results: [String: Tensor] = [:]
            for (index, info) in outputs.enumerated() where infos.contains(info) {
                let shape = run.outputShapes[index]
                let count = try Tensor.elementCount(shape) * (info.elementType.byteCount ?? 0)
                let memory = unsafe UnsafeRawBufferPointer(
                    start: run.memory(of: inputs.count + index), count: count)
                results[info.name] = try Tensor(
                    elementType: info.elementType, shape: shape, bytes: unsafe [UInt8](memory))
            }
            return (results, spent)
        }
    }
}
