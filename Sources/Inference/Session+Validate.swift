import COnnxRuntime

extension Session {
    /// That `inputs` are what the model takes: each by its name, shape and type, and none missing.
    func validate(_ given: [String: Tensor]) throws(InferenceError) {
        for name in given.keys.sorted() where !inputs.contains(where: { $0.name == name }) {
            throw unknownTensor(name, kind: "input", inputs)
        }
        for info in inputs {
            guard info.elementType.isRunnable else { throw unsupported(info, kind: "input") }
            guard let tensor = given[info.name] else {
                throw InferenceError(
                    .unknownTensor, "Input \(info) of \(name) is missing. Give every input of the model.")
            }
            guard tensor.elementType == info.elementType else {
                throw InferenceError(
                    .typeUnsupported,
                    "The input \(info.name) of \(name) takes \(info.elementType.name), not \(tensor.elementType.name)."
                )
            }
            _ = try elementCount(of: tensor.shape, for: info, kind: "input", minimum: 0)
        }
    }

    /// The outputs of these names (all for nil), each of a type that runs.
    func runnableOutputs(_ names: [String]?) throws(InferenceError) -> [TensorInfo] {
        var infos = outputs
        if let names {
            infos = []
            for name in names {
                guard let info = outputs.first(where: { $0.name == name }) else {
                    throw unknownTensor(name, kind: "output", outputs)
                }
                guard !infos.contains(info) else {
                    throw InferenceError(
                        .unknownTensor, "The output \(name) of \(self.name) is asked for twice. Ask once.")
                }
                infos.append(info)
            }
            guard !infos.isEmpty else {
                throw InferenceError(
                    .unknownTensor, "No output of \(name) is asked for. Ask for at least one.")
            }
        }
        for info in infos where !info.elementType.isRunnable { throw unsupported(info, kind: "output") }
        return infos
    }

    private func unsupported(_ info: TensorInfo, kind: String) -> InferenceError {
        let runnable = ElementType.allCases.filter(\.isRunnable).map(\.name).joined(separator: ", ")
        return InferenceError(
            .typeUnsupported,
            "The \(kind) \(info.name) of \(name) is \(info.elementType.name), which the engine describes but does not "
                + "run. It runs \(runnable): export the model with one of these.")
    }

    /// Copies a result of a run out of ONNX Runtime's memory.
    func read(
        _ value: OpaquePointer?, _ info: TensorInfo, _ runtime: OnnxRuntime
    ) throws(InferenceError) -> Tensor {
        let table = unsafe runtime.table
        let context = "The output \(info.name) of \(name) cannot be read"
        var type: OpaquePointer?
        try unsafe runtime.check(table.pointee.GetTensorTypeAndShape(value, &type), .runFailed, context)
        defer { unsafe table.pointee.ReleaseTensorTypeAndShapeInfo(type) }
        var raw: Int32 = 0
        try unsafe runtime.check(table.pointee.GetTensorElementType(type, &raw), .runFailed, context)
        var rank = 0
        try unsafe runtime.check(table.pointee.GetDimensionsCount(type, &rank), .runFailed, context)
        var sizes = [Int64](repeating: 0, count: rank)
        try unsafe runtime.check(table.pointee.GetDimensions(type, &sizes, rank), .runFailed, context)
        var data: UnsafeMutableRawPointer?
        try unsafe runtime.check(table.pointee.GetTensorMutableData(value, &data), .runFailed, context)

        let elementType = ElementType(rawValue: Int(raw)) ?? .unknown
        let shape = sizes.map(Int.init)
        guard elementType.isRunnable, let width = elementType.byteCount else {
            throw unsupported(info, kind: "output")
        }
        let count = try Tensor.elementCount(shape) * width
        let bytes = unsafe [UInt8](UnsafeRawBufferPointer(start: data, count: data == nil ? 0 : count))
        return try Tensor(elementType: elementType, shape: shape, bytes: bytes)
    }
}
