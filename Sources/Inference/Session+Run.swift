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

/// A model's inputs, ready to run any number of times.
final class PreparedRun {
    private let session: Session
    private let inputs: [String: Tensor]
    private let outputInfos: [TensorInfo]
    private let engine: Engine

    private enum Engine {
        case onnxRuntime(OnnxPreparedRun)
        case liteRT(LiteRTModel)
    }

    init(
        _ session: Session, inputs: [String: Tensor], outputs names: [String]?
    ) throws(InferenceError) {
        try session.validate(inputs)
        outputInfos = try session.runnableOutputs(names)
        self.session = session
        self.inputs = inputs
        engine =
            switch session.engine {
            case .onnxRuntime(let graph):
                .onnxRuntime(try OnnxPreparedRun(session, graph, inputs: inputs, outputs: outputInfos))
            case .liteRT(let model): .liteRT(model)
            }
    }

    /// One run, outputs read.
    func run() throws(InferenceError) -> [String: Tensor] {
        let tensors =
            switch engine {
            case .onnxRuntime(let prepared): try prepared.run()
            case .liteRT(let model): try model.run(inputs, outputs: outputInfos).tensors
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
        switch engine {
        case .onnxRuntime(let prepared): try prepared.timedRun()
        case .liteRT(let model): try model.run(inputs, outputs: []).nanoseconds
        }
    }
}
