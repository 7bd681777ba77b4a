extension Session {
    /// Measures how long a run takes, on noise; on a graphics processor with the copies there and back.
    ///
    /// Room: control; it blocks for the runs.
    /// - Parameters:
    ///   - dimensions: sizes of dynamic axes by name (`["batch": 8]`); the others are 1. A name such as `8*slots`
    ///     follows from `slots`.
    ///   - warmUpRuns: runs before the measured ones, 0 or more.
    ///   - runs: measured runs at least, 1 or more.
    ///   - seconds: goes on measuring for at least this long.
    /// - Throws: `invalidArgument` (also for more than 2^28 elements of inputs and outputs), `unknownTensor` for a dimension that no input has, `typeUnsupported`, `runFailed`.
    public func measureLatency(
        dimensions: [String: Int] = [:], warmUpRuns: Int = 5, runs: Int = 50, seconds: Double = 0
    ) throws(InferenceError) -> LatencyStatistics {
        guard warmUpRuns >= 0, runs >= 1, seconds >= 0, seconds.isFinite else {
            throw InferenceError(
                .invalidArgument,
                "\(warmUpRuns) warm-up runs, \(runs) runs, \(seconds) s; take 0 or more, 1 or more, 0 or more."
            )
        }
        let trial = try LatencyTrial(self, dimensions: dimensions)
        for _ in 0..<warmUpRuns { _ = try trial.run() }
        var milliseconds: [Double] = []
        let end = monotonicNanoseconds() + UInt64(min(seconds, 1e6) * 1e9)
        repeat {
            milliseconds.append(try trial.run())
        } while milliseconds.count < runs || monotonicNanoseconds() < end
        return LatencyStatistics(milliseconds: milliseconds)
    }

    /// Noise for all inputs, with the sizes that it was made for.
    func measuredInputs(
        _ dimensions: [String: Int]
    ) throws(InferenceError) -> [String: Tensor] {
        var used: Set<String> = []
        let size = { (name: String?) -> Int in
            guard let name, let size = dimensions[name] else { return 1 }
            used.insert(name)
            return size
        }
        if let (name, size) = dimensions.first(where: { $0.value < 1 }) {
            throw InferenceError(.invalidArgument, "The dimension \(name) is \(size); take 1 or more.")
        }
        for info in inputs where !info.elementType.isRunnable { try validate([:]) }
        let elements = tensorElements { $0.flatMap { dimensions[$0] } ?? 1 }
        guard elements.map({ $0 <= Self.maximumMeasuredElements }) ?? false else {
            throw InferenceError(
                .invalidArgument,
                "A run of \(name) with these dimensions takes and gives more than \(Self.maximumMeasuredElements) "
                    + "numbers, a gigabyte. Make the batch or another dimension smaller.")
        }
        guard let tensors = inputTensors(.positiveNoise, sizeOf: size) else {
            throw InferenceError(.invalidArgument, "The inputs of \(name) are too large to measure.")
        }
        if let unused = dimensions.keys.sorted().first(where: { !used.contains($0) }) {
            throw InferenceError(
                .unknownTensor,
                "No input of \(name) has a dynamic axis \"\(unused)\". Its inputs: "
                    + inputs.map(\.description).joined(separator: "; ") + ".")
        }
        return tensors
    }

    /// The model with `tensors` in its inputs' buffers, bound once.
    func boundRun(
        _ tensors: [String: Tensor], sizeOf: (String?) -> Int
    ) throws(InferenceError) -> BoundRun {
        func binding(_ info: TensorInfo) -> BoundRun.Binding {
            let shape = info.shape.map { size(of: $0, sizeOf) }
            let buffer = TensorBuffer(count: shape.reduce(1, *))
            if let elements = tensors[info.name]?.floats {
                buffer.withMutableSpan { span in
                    for index in elements.indices { span[index] = elements[index] }
                }
            }
            return BoundRun.Binding(name: info.name, shape: shape, buffer: buffer)
        }
        return try BoundRun(self, inputs: inputs.map(binding), outputs: outputs.map(binding))
    }

    private static let maximumMeasuredElements = 1 << 28

    /// The elements of all inputs and outputs together; nil where they overflow. An output's axis whose size does not
    /// follow from the inputs' counts as 1.
    private func tensorElements(sizeOf: (String?) -> Int) -> Int? {
        var total = 0
        for info in inputs + outputs {
            var count = 1
            for size in info.shape.map({ size(of: $0, sizeOf) }) {
                let (product, overflow) = count.multipliedReportingOverflow(by: size)
                if overflow { return nil }
                count = product
            }
            let (sum, overflow) = total.addingReportingOverflow(count)
            if overflow { return nil }
            total = sum
        }
        return total
    }
}
