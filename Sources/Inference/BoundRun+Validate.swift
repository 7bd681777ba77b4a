extension BoundRun {
    static func validate(
        _ bindings: [Binding], against infos: [TensorInfo], kind: String, in session: Session
    ) throws(InferenceError) {
        var seen: Set<String> = []
        for binding in bindings {
            guard let info = infos.first(where: { $0.name == binding.name }) else {
                throw session.unknownTensor(binding.name, kind: kind, infos)
            }
            guard seen.insert(binding.name).inserted else {
                throw InferenceError(
                    .unknownTensor,
                    "The \(kind) \(binding.name) of \(session.name) is bound twice. Bind it once.")
            }
            guard info.elementType == .float32 else {
                throw InferenceError(
                    .typeUnsupported,
                    "The \(kind) \(binding.name) of \(session.name) is \(info.elementType.name); only float32 can be "
                        + "bound. Run the model with tensors instead.")
            }
            let count = try session.elementCount(of: binding.shape, for: info, kind: kind, minimum: 1)
            guard count <= binding.buffer.count else {
                throw InferenceError(
                    .shapeMismatch,
                    "The \(kind) \(binding.name) of \(session.name) has \(count) elements in shape \(binding.shape), "
                        + "but its buffer holds \(binding.buffer.count). Make the buffer larger.")
            }
        }
    }
}

extension Session {
    func unknownTensor(_ name: String, kind: String, _ infos: [TensorInfo]) -> InferenceError {
        InferenceError(
            .unknownTensor,
            "\(self.name) has no \(kind) \"\(name)\". Its \(kind)s: \(infos.map(\.name).joined(separator: ", "))."
        )
    }

    /// The elements in `shape`, once it is one that `info` admits.
    func elementCount(
        of shape: [Int], for info: TensorInfo, kind: String, minimum: Int
    ) throws(InferenceError) -> Int {
        let admitted = shape.count == info.shape.count && zip(info.shape, shape).allSatisfy { $0.admits($1) }
        guard admitted, shape.allSatisfy({ $0 >= minimum }) else {
            throw InferenceError(
                .shapeMismatch,
                "The \(kind) \(info.name) of \(name) takes shape \(info.shapeText), not \(shape).")
        }
        var count = 1
        for size in shape {
            let (product, overflow) = count.multipliedReportingOverflow(by: size)
            guard !overflow, product <= Int.max / 16 else {
                throw InferenceError(
                    .shapeMismatch,
                    "The \(kind) \(info.name) of \(name) cannot hold shape \(shape): it is too large.")
            }
            count = product
        }
        return count
    }
}
