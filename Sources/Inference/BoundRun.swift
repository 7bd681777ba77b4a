/// A model with its inputs and outputs bound once to memory that stays: write the inputs' buffers, `run()`, read the
/// outputs' buffers. A run allocates nothing on this side of the engine. Where the model runs on a graphics processor,
/// its tensors have memory there too, which stays as well, and a run copies the inputs there and the outputs back.
///
/// Several bound runs may share buffers (one per batch size, say), and one buffer may be the output of one run and
/// the input of the next. One bound run is run by one thread at a time.
@safe public struct BoundRun: ~Copyable, @unchecked Sendable {
    // Sendable: one thread at a time has the value, and with it what is bound.
    private let session: Session
    private let engine: Engine
    private let inputCount: Int
    private let buffers: [TensorBuffer]
    /// The elements of each that count.
    private let counts: [Int]
    private let isForeign: Bool

    private enum Engine {
        case onnxRuntime(OnnxBinding)
        /// Compiled for these shapes, apart from the session's other runs.
        case liteRT(LiteRTRun)
    }

    /// One tensor of the model and its memory.
    public struct Binding: Sendable {
        public let name: String
        /// Every axis is 1 or more.
        public let shape: [Int]
        /// May be larger than the shape needs: the first elements are used.
        public let buffer: TensorBuffer

        public init(name: String, shape: [Int], buffer: TensorBuffer) {
            self.name = name
            self.shape = shape
            self.buffer = buffer
        }
    }

    /// Binds `inputs` and `outputs`: every input of the model, and at least one of its outputs. All are float32.
    ///
    /// A dynamic axis of an output is not known before the model runs: a size that is wrong there shows as
    /// `runFailed` in the first run.
    ///
    /// Room: control.
    /// - Throws: `unknownTensor`, `shapeMismatch`, `typeUnsupported`, `runFailed`; for a graphics processor also
    ///   `accelerationUnavailable`, `outOfResources`.
    public init(_ session: Session, inputs: [Binding], outputs: [Binding]) throws(InferenceError) {
        try Self.validate(inputs, against: session.inputs, kind: "input", in: session)
        try Self.validate(outputs, against: session.outputs, kind: "output", in: session)
        let bound = Set(inputs.map(\.name))
        if let missing = session.inputs.first(where: { !bound.contains($0.name) }) {
            throw InferenceError(
                .unknownTensor,
                "Input \(missing) of \(session.name) is not bound. Bind every input of the model.")
        }
        guard !outputs.isEmpty else {
            throw InferenceError(.unknownTensor, "No output of \(session.name) is bound. Bind at least one.")
        }

        engine =
            switch session.engine {
            case .onnxRuntime(let graph):
                .onnxRuntime(try OnnxBinding(session, graph, inputs: inputs, outputs: outputs))
            case .liteRT(let model): .liteRT(try LiteRTRun(model, inputs: inputs, outputs: outputs))
            }
        self.session = session
        inputCount = inputs.count
        buffers = (inputs + outputs).map(\.buffer)
        counts = (inputs + outputs).map { $0.shape.reduce(1, *) }
        isForeign = session.isForeign
    }

    /// Runs the model once, from the inputs' buffers to the outputs'.
    ///
    /// Room: worker. A run that succeeds allocates nothing on this side of ONNX Runtime or LiteRT.
    /// - Throws: `runFailed`, or `nonFinite` where a provider other than the CPU's computes that from finite inputs; the
    ///   outputs then hold anything.
    public borrowing func run() throws(InferenceError) {
        switch engine {
        case .onnxRuntime(let binding): try binding.run()
        case .liteRT(let run):
            let status = run.run()
            if status != 0 { throw run.failure(status, of: session.name) }
        }
        if isForeign, !isFinite(inputCount..<buffers.count), isFinite(0..<inputCount) { throw nonFinite() }
    }

    /// Whether the elements that count are all finite.
    private borrowing func isFinite(_ range: Range<Int>) -> Bool {
        for index in range where !buffers[index].isFinite(counts[index]) { return false }
        return true
    }

    @inline(never)
    private borrowing func nonFinite() -> InferenceError { session.nonFinite("that is bound") }

    /// Nanoseconds that `count` runs take in a bare C loop over the engine's API: what `run()` is measured against.
    ///
    /// Room: control.
    /// - Throws: `runFailed`.
    public borrowing func bareNanoseconds(_ count: Int) throws(InferenceError) -> UInt64 {
        let spent =
            switch engine {
            case .onnxRuntime(let binding): binding.bareNanoseconds(count)
            case .liteRT(let run): run.bareNanoseconds(count)
            }
        if spent == 0, count > 0 {
            try run()
            throw InferenceError(.runFailed, "A bare run of \(session.name) failed.")
        }
        return spent
    }
}
