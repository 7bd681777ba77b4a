package import Inference

/// What models are compared on: runs of random numbers, the states of one run being those of the next.
package struct Stimulus: Sendable {
    /// Of dynamic axes, by name.
    package var sizes: [String: Int]
    /// Of those that have none there.
    var otherSize = 1
    /// Of an input's numbers; of the others the variance is one.
    package var ranges: [String: ClosedRange<Float>]
    /// Pairs of an input and the output that it takes in the next run; zeros in the first.
    package var states: [(input: String, output: String)]
    package var runs: Int
    /// An input's tensors in run after run, in place of random numbers.
    package var given: [String: [Tensor]] = [:]
    package var seed: UInt64
    /// Positive numbers only, for a model that takes a logarithm or a root.
    var isPositive = false

    package init(
        sizes: [String: Int] = [:], ranges: [String: ClosedRange<Float>] = [:],
        states: [(input: String, output: String)] = [], runs: Int = 6, seed: UInt64 = 0x5EED
    ) {
        self.sizes = sizes
        self.ranges = ranges
        self.states = states
        self.runs = runs
        self.seed = seed
    }

    /// The states as our models name them: `state_x` takes `next_x`.
    package static func namedStates(_ session: Session) -> [(input: String, output: String)] {
        let outputs = Set(session.outputs.map(\.name))
        return session.inputs.compactMap { info in
            guard info.name.hasPrefix("state_") else { return nil }
            let output = "next_" + info.name.dropFirst("state_".count)
            return outputs.contains(output) ? (info.name, output) : nil
        }
    }

    /// What a model makes of it: its outputs of floats, the runs one after another, but not its states, which are heard in them.
    ///
    /// - Throws: `InferenceError`; `OptimizeError` for an input that nothing is known to be put in.
    package func outputs(of session: Session) throws -> [[Float]] {
        let internals = Set(states.map(\.output))
        let audible = session.outputs.filter { !internals.contains($0.name) && $0.elementType.isRunnable }
        let names = (audible.isEmpty ? session.outputs : audible).map(\.name)
        var results = [[Float]](repeating: [], count: names.count)
        try observe(session) { name, numbers in
            if let index = names.firstIndex(of: name) { results[index] += numbers }
        }
        return results
    }

    /// Tells the numbers of all inputs and outputs, run after run.
    ///
    /// - Throws: as `outputs`.
    func observe(_ session: Session, _ body: (String, [Float]) -> Void) throws {
        var generator = SeededNumbers(state: seed)
        var carried: [String: Tensor] = [:]
        let outputs = session.outputs.filter(\.elementType.isRunnable).map(\.name)
        for run in 0..<runs {
            var inputs: [String: Tensor] = [:]
            for info in session.inputs {
                let ours = given[info.name].flatMap { run < $0.count ? $0[run] : $0.last }
                inputs[info.name] = try ours ?? carried[info.name] ?? tensor(info, &generator)
            }
            let made = try session.run(inputs, outputs: outputs)
            for (name, tensor) in inputs.merging(made, uniquingKeysWith: { input, _ in input }) {
                body(name, tensor.floats ?? tensor.integers?.map(Float.init) ?? [])
            }
            for state in states { carried[state.input] = made[state.output] }
        }
    }

    private func tensor(_ info: TensorInfo, _ generator: inout SeededNumbers) throws -> Tensor {
        let shape = info.shape.map { $0.size(sizes, others: otherSize) ?? otherSize }
        var count = 1
        for size in shape {
            let (product, overflow) = count.multipliedReportingOverflow(by: size)
            guard !overflow, product <= 1 << 28 else {
                throw OptimizeError("its input \(info) has too many numbers to be compared on.")
            }
            count = product
        }
        let isState = states.contains { $0.input == info.name }
        guard !isState, info.elementType == .float32 || info.elementType == .float16 else {
            return try .zeros(info.elementType, shape: shape)
        }
        let range = ranges[info.name] ?? (isPositive ? 0.1...1 : -1.7320508...1.7320508)
        let values = (0..<count).map { _ in Float.random(in: range, using: &generator) }
        return info.elementType == .float32
            ? try Tensor(values, shape: shape) : try Tensor(float16: values, shape: shape)
    }
}

/// Steele, Lea and Flood, "Fast splittable pseudorandom number generators", 2014: the same for everyone who compares.
struct SeededNumbers: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ mixed >> 30) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
        return mixed ^ mixed >> 31
    }
}
