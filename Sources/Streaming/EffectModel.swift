public import Inference

/// Models that sound is sent through, opened, and what their manifests say of it.
///
/// Room: control.
public struct EffectModel: Sendable {
    public let description: EffectDescription
    let sessions: [Session]

    /// - Parameter sessions: one for each of the description's methods.
    /// - Throws: `invalidArgument` where the description is not one of an effect. Tensors that the models do not have are
    ///   found when an engine binds them.
    public init(_ sessions: [Session], _ description: EffectDescription) throws(InferenceError) {
        self.sessions = sessions
        self.description = description
        try validate()
    }

    /// A model without a manifest: one input and one output of the same shape, float32 `[1, channels, hop]`, and no memory
    /// from one hop to the next, at any rate.
    ///
    /// - Parameter hop: nil where the input says so itself.
    /// - Throws: `invalidArgument`, `shapeMismatch`.
    public init(_ session: Session, hop wanted: Int?) throws(InferenceError) {
        let (channels, hop) = try Self.shape(of: session, hop: wanted)
        let shape = [1, channels, hop]
        try self.init(
            [session],
            EffectDescription(
                sampleRate: nil, channels: channels, hop: hop,
                methods: [
                    .init(
                        input: .init(name: session.inputs[0].name, shape: shape),
                        output: .init(name: session.outputs[0].name, shape: shape))
                ]))
    }

    /// How long a run takes, on a tone at half the rate, after a warm-up.
    ///
    /// - Throws: `runFailed`, and what binding the tensors throws.
    public func measureLatency(runs: Int) throws(InferenceError) -> LatencyStatistics {
        let run = try EffectRun(self, memory: EffectMemory(description, streams: 1))
        return try run.measureLatency(warmUpRuns: 10, runs: runs)
    }

    private func validate() throws(InferenceError) {
        let it = description
        try it.validateRanges()
        guard let first = it.methods.first, let last = it.methods.last, it.methods.count == sessions.count
        else {
            throw InferenceError(
                .invalidArgument,
                "An effect of \(it.methods.count) methods needs as many models, not \(sessions.count).")
        }
        let given = it.overlapsAndAdds ? it.window : it.hop
        let ends = [(first.input, it.window), (last.output, given)]
        for (tensor, samples) in ends where tensor.shape != [1, it.channels, samples] {
            throw InferenceError(
                .invalidArgument,
                "\(tensor.name) has the shape \(tensor.shape); sound has [1, \(it.channels), \(samples)] there."
            )
        }
        for tensor in it.methods.flatMap({ [$0.input, $0.output] }) {
            try Self.check(tensor.name, tensor.shape)
        }
        for state in it.methods.flatMap(\.states) { try Self.check(state.input, state.shape) }
        for (method, next) in zip(it.methods, it.methods.dropFirst())
        where method.output.count != next.input.count {
            throw InferenceError(
                .invalidArgument,
                "\(method.output.name) \(method.output.shape) does not fit \(next.input.name) \(next.input.shape). Take models "
                    + "that were made together.")
        }
    }

    /// The most values of a tensor: sixteen channels of the longest window.
    private static let largestTensor = 16 * 131_072

    private static func check(_ name: String, _ shape: [Int]) throws(InferenceError) {
        var count = 1
        for size in shape {
            guard size > 0, size <= largestTensor / count else {
                throw InferenceError(
                    .invalidArgument,
                    "\(name) has the shape \(shape); tensors of an effect have 1 to \(largestTensor) values.")
            }
            count *= size
        }
    }

    /// Channels and hop, once the model is one that sound can go through.
    private static func shape(of session: Session, hop wanted: Int?) throws(InferenceError) -> (Int, Int) {
        guard session.inputs.count == 1, session.outputs.count == 1 else {
            throw InferenceError(
                .shapeMismatch,
                "The model has \(session.inputs.count) inputs and \(session.outputs.count) outputs; sound goes through one "
                    + "with one of each, or with a manifest.")
        }
        let (input, output) = (session.inputs[0], session.outputs[0])
        guard input.shape.count == 3, output.shape.count == 3 else {
            throw InferenceError(
                .shapeMismatch,
                "The model takes \(input) and gives \(output); sound is [1, channels, hop].")
        }
        var channels = 1
        if case .fixed(let size) = input.shape[1] { channels = size }
        guard (1...16).contains(channels) else {
            throw InferenceError(.shapeMismatch, "The model has \(channels) channels; sound has 1 to 16.")
        }
        switch (input.shape[2], wanted) {
        case (.fixed(let size), nil): return (channels, size)
        case (.fixed(let size), let wanted?) where size == wanted: return (channels, size)
        case (.fixed(let size), _):
            throw InferenceError(
                .shapeMismatch, "The model takes hops of \(size) samples, not \(wanted ?? 0).")
        case (.dynamic, let wanted?): return (channels, wanted)
        case (.dynamic, nil):
            throw InferenceError(
                .invalidArgument, "The model takes hops of any length. Say how many samples one has.")
        }
    }
}
