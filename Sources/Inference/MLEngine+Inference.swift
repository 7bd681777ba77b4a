extension MLEngine {
    /// Runs a model on named tensors. Blocks the calling thread for the run.
    ///
    /// - Parameter outputs: the outputs to compute; nil for all.
    /// - Throws: `unknownModel`, `modelNotLoaded`, `unknownTensor`, `shapeMismatch`, `typeUnsupported`, `runFailed`.
    public func runInference(
        _ name: String, inputs: [String: Tensor], outputs: [String]? = nil
    ) throws(InferenceError) -> [String: Tensor] {
        let model = try model(name)
        return try model.whileOpen { session throws(InferenceError) in
            let prepared = try PreparedRun(session, inputs: inputs, outputs: outputs)
            let start = monotonicNanoseconds()
            let results = try prepared.run()
            model.record(nanoseconds: monotonicNanoseconds() - start)
            return results
        }
    }

    /// Runs a model of one float32 input on plain numbers, and gives its first output's. Blocks the calling thread.
    ///
    /// The first dynamic axis of the input takes what the elements fill; further ones are 1.
    ///
    /// - Throws: as `runInference(_:inputs:outputs:)`; `shapeMismatch` where the elements fill no whole shape.
    public func runInference(_ name: String, _ input: [Float]) throws(InferenceError) -> [Float] {
        let session = try model(name).session
        let plain = try session.plainTensors()
        let tensor = try Tensor(input, shape: try session.shape(of: plain.input, holding: input.count))
        let results = try runInference(name, inputs: [plain.input.name: tensor], outputs: [plain.output.name])
        return results[plain.output.name]?.floats ?? []
    }

    /// Measures how long a model's run takes, on noise. Blocks the calling thread. These runs are not part of
    /// `performanceMetrics`.
    ///
    /// - Parameters:
    ///   - dimensions: sizes of dynamic axes by name; the others are 1.
    ///   - warmUpRuns: runs before the measured ones, 0 or more.
    ///   - runs: measured runs at least, 1 or more.
    ///   - seconds: goes on measuring for at least this long.
    /// - Throws: `unknownModel`, `modelNotLoaded`, and as `Session.measureLatency`.
    public func measureLatency(
        _ name: String, dimensions: [String: Int] = [:], warmUpRuns: Int = 5, runs: Int = 50,
        seconds: Double = 0
    ) throws(InferenceError) -> LatencyStatistics {
        try model(name).whileOpen { session throws(InferenceError) in
            try session.measureLatency(
                dimensions: dimensions, warmUpRuns: warmUpRuns, runs: runs, seconds: seconds)
        }
    }

    /// How a model's inferences have performed since it was loaded.
    /// - Throws: `unknownModel`, `modelNotLoaded`.
    public func performanceMetrics(_ name: String) throws(InferenceError) -> PerformanceMetrics {
        try model(name).metrics
    }
}

extension Session {
    /// The tensors of a model that takes and gives plain numbers.
    fileprivate func plainTensors() throws(InferenceError) -> (input: TensorInfo, output: TensorInfo) {
        guard inputs.count == 1, let input = inputs.first, let output = outputs.first else {
            throw InferenceError(
                .unknownTensor,
                "\(name) takes \(inputs.count) inputs (\(inputs.map(\.name).joined(separator: ", "))), not one array. "
                    + "Give its inputs by name.")
        }
        for info in [input, output] where info.elementType != .float32 {
            throw InferenceError(
                .typeUnsupported,
                "\(info) of \(name) is no array of float32. Give its inputs by name, as tensors.")
        }
        return (input, output)
    }

    /// The shape in which an input holds `count` elements.
    fileprivate func shape(of info: TensorInfo, holding count: Int) throws(InferenceError) -> [Int] {
        var fixed = 1
        for case .fixed(let size) in info.shape {
            fixed = fixed.multipliedReportingOverflow(by: size).partialValue
        }
        guard let dynamic = info.shape.firstIndex(where: \.isDynamic) else {
            return info.shape.map { if case .fixed(let size) = $0 { size } else { 1 } }
        }
        guard fixed > 0, count > 0, count % fixed == 0 else {
            throw InferenceError(
                .shapeMismatch,
                "\(count) elements do not fill the input \(info) of \(name); give a multiple of \(fixed).")
        }
        return info.shape.enumerated().map { axis, dimension in
            if case .fixed(let size) = dimension { size } else { axis == dynamic ? count / fixed : 1 }
        }
    }
}
