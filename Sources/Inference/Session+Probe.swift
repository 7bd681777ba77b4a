/// What a model's inputs are filled with where nothing is known of their meaning. Integers are always 0, a valid index.
enum ProbeSignal: CaseIterable {
    case zeros
    /// Uniform in ±0.1.
    case noise
    /// Uniform in 0.1…1: for models that take a logarithm or a root.
    case positiveNoise
}

extension Session {
    /// Tensors for every input, or nil where the model takes a type that the engine does not run, or too much memory.
    ///
    /// - Parameter sizeOf: the size of a dynamic axis, by its name; nil for one without.
    func inputTensors(_ signal: ProbeSignal, sizeOf: (String?) -> Int) -> [String: Tensor]? {
        var generator = SplitMix64(state: 0x5EED)
        var tensors: [String: Tensor] = [:]
        var elements = 0
        for info in inputs {
            let shape = info.shape.map { size(of: $0, sizeOf) }
            guard info.elementType.isRunnable, let count = try? Tensor.elementCount(shape) else { return nil }
            elements += count
            guard elements <= 1 << 28 else { return nil }  // a gigabyte
            tensors[info.name] = try? Self.tensor(info.elementType, shape, count, signal, &generator)
        }
        return tensors.count == inputs.count ? tensors : nil
    }

    /// - Parameter sizeOf: the size of a dynamic axis, by its name; nil for one without.
    func size(of dimension: Dimension, _ sizeOf: (String?) -> Int) -> Int {
        switch dimension {
        case .fixed(let size): size
        case .dynamic(let name?): DimensionExpression.value(of: name, sizeOf) ?? sizeOf(name)
        case .dynamic(nil): sizeOf(nil)
        }
    }

    private static func tensor(
        _ type: ElementType, _ shape: [Int], _ count: Int, _ signal: ProbeSignal,
        _ generator: inout SplitMix64
    ) throws(InferenceError) -> Tensor {
        guard signal != .zeros, type == .float32 || type == .float16 else {
            return try .zeros(type, shape: shape)
        }
        let range: ClosedRange<Float> = signal == .noise ? -0.1...0.1 : 0.1...1
        let elements = (0..<count).map { _ in Float.random(in: range, using: &generator) }
        return type == .float32
            ? try Tensor(elements, shape: shape) : try Tensor(float16: elements, shape: shape)
    }

    /// Runs the model on zeros and on small noise, and refuses it when it computes NaN or infinity.
    ///
    /// A model need not take zeros or negative numbers (a logarithm does not): finite results for positive noise
    /// are enough. A model that cannot be run without knowing more about its axes is let through.
    ///
    /// - Throws: `nonFinite`.
    func probe() throws(InferenceError) {
        guard let zeros = isFinite(.zeros), let noise = isFinite(.noise) else { return }
        if zeros.finite && noise.finite { return }
        guard let positive = isFinite(.positiveNoise), !positive.finite else { return }
        if isForeign { throw self.nonFinite(positive.output ?? "?") }
        throw InferenceError(
            .nonFinite,
            "\(name) computes NaN or infinity in its output \(positive.output ?? "?"): its weights are damaged. "
                + "Export the model again from a healthy checkpoint.")
    }

    /// Whether one run's floating-point outputs are all finite, and the first that is not; nil where no run succeeds.
    private func isFinite(_ signal: ProbeSignal) -> (finite: Bool, output: String?)? {
        let names = outputs.filter { $0.elementType == .float32 || $0.elementType == .float16 }.map(\.name)
        guard !names.isEmpty else { return nil }
        // One slot, or sixteen for a model that takes them in blocks.
        for size in [1, 16] {
            guard let inputs = inputTensors(signal, sizeOf: { _ in size }) else { continue }
            let results: [String: Tensor]
            do throws(InferenceError) {
                results = try run(inputs, outputs: names)
            } catch {
                // From a provider other than the CPU's that is an error by itself.
                if error.code == .nonFinite { return (false, nil) }
                continue
            }
            let bad = names.first { results[$0].map { !$0.isFinite } ?? false }
            return (bad == nil, bad)
        }
        return nil
    }
}

extension Tensor {
    /// Whether no element is NaN or infinite. Integers always are finite.
    var isFinite: Bool { floats?.allSatisfy(\.isFinite) ?? true }
}

/// A small random generator with a seed, so that a probe is the same every time.
///
/// Steele, Lea and Flood, "Fast splittable pseudorandom number generators", 2014.
struct SplitMix64: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ mixed >> 30) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
        return mixed ^ mixed >> 31
    }
}
