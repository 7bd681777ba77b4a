import COnnxRuntime

/// A model with its inputs and outputs bound once to memory that stays: write the inputs' buffers, `run()`, read the
/// outputs' buffers. A run allocates nothing on this side of ONNX Runtime. Where the model runs on a graphics processor,
/// its tensors have memory there too, which stays as well, and a run copies the inputs there and the outputs back.
///
/// Several bound runs may share buffers (one per batch size, say), and one buffer may be the output of one run and
/// the input of the next. One bound run is run by one thread at a time.
@safe public struct BoundRun: ~Copyable, @unchecked Sendable {
    // Sendable: C handles that move with the value.
    private let session: Session
    private let binding: OpaquePointer
    private let sessionHandle: OpaquePointer
    private let runWithBinding:
        @convention(c) (OpaquePointer?, OpaquePointer?, OpaquePointer?) -> OpaquePointer?
    /// What was bound of ordinary memory.
    private let values: [OpaquePointer]
    /// The tensors' memory on a device, inputs first; nil where the model runs in ordinary memory.
    private let device: DeviceTensors?
    private let inputCount: Int
    private let buffers: [TensorBuffer]
    /// The elements of each that count.
    private let counts: [Int]
    private let isForeign: Bool

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

        let runtime = session.runtime
        let table = unsafe runtime.table
        let device = session.isOnDevice ? try DeviceTensors(session, device: session.device) : nil
        let context = "The tensors of \(session.name) cannot be bound"
        let sessionHandle = unsafe session.handle(
            for: Dictionary(inputs.map { ($0.name, $0.shape) }) { first, _ in first })
        var handle: OpaquePointer?
        try unsafe runtime.check(table.pointee.CreateIoBinding(sessionHandle, &handle), .runFailed, context)
        guard let binding = unsafe handle else { throw InferenceError(.runFailed, "\(context).") }
        var values: [OpaquePointer] = unsafe []
        do throws(InferenceError) {
            // What is on a device belongs to `device`, the rest to this.
            func value(_ tensor: Binding) throws(InferenceError) -> OpaquePointer {
                if let device { return try unsafe device.add(tensor, in: session) }
                let value = try unsafe Self.makeValue(tensor, in: session)
                unsafe values.append(value)
                return unsafe value
            }
            for tensor in inputs {
                let value = try unsafe value(tensor)
                try unsafe runtime.check(
                    table.pointee.BindInput(binding, tensor.name, value), .runFailed, context)
            }
            for tensor in outputs {
                let value = try unsafe value(tensor)
                try unsafe runtime.check(
                    table.pointee.BindOutput(binding, tensor.name, value), .runFailed, context)
            }
        } catch {
            unsafe table.pointee.ReleaseIoBinding(binding)
            for index in unsafe values.indices { unsafe table.pointee.ReleaseValue(values[index]) }
            throw error
        }
        self.session = session
        unsafe self.binding = unsafe binding
        unsafe self.sessionHandle = unsafe sessionHandle
        unsafe runWithBinding = unsafe table.pointee.RunWithBinding
        unsafe self.values = unsafe values
        self.device = device
        inputCount = inputs.count
        buffers = (inputs + outputs).map(\.buffer)
        counts = (inputs + outputs).map { $0.shape.reduce(1, *) }
        isForeign = session.isForeign
    }

    deinit {
        let table = unsafe session.runtime.table
        unsafe table.pointee.ReleaseIoBinding(binding)
        for index in unsafe values.indices { unsafe table.pointee.ReleaseValue(values[index]) }
    }

    /// Runs the model once, from the inputs' buffers to the outputs'.
    ///
    /// Room: worker. A run that succeeds allocates nothing on this side of ONNX Runtime.
    /// - Throws: `runFailed`, or `nonFinite` where a provider other than the CPU's computes that from finite inputs; the
    ///   outputs then hold anything.
    public borrowing func run() throws(InferenceError) {
        if let device, !device.copy(0..<inputCount, toDevice: true) { throw copyFailure() }
        if let status = unsafe runWithBinding(sessionHandle, nil, binding) { throw unsafe failure(status) }
        if let device, !device.copy(inputCount..<buffers.count, toDevice: false) { throw copyFailure() }
        if isForeign, !isFinite(inputCount..<buffers.count), isFinite(0..<inputCount) { throw nonFinite() }
    }

    /// Whether the elements that count are all finite.
    private borrowing func isFinite(_ range: Range<Int>) -> Bool {
        for index in range where !buffers[index].isFinite(counts[index]) { return false }
        return true
    }

    @inline(never)
    private borrowing func nonFinite() -> InferenceError { session.nonFinite("that is bound") }

    @inline(never)
    private borrowing func copyFailure() -> InferenceError {
        InferenceError(
            .runFailed,
            "A run of \(session.name) failed: its tensors could not be copied to or from the processor.")
    }

    @inline(never)
    private borrowing func failure(_ status: OpaquePointer) -> InferenceError {
        let cause = unsafe OnnxRuntime.take(session.runtime.table, status)
        return InferenceError(
            .runFailed, "A run of \(session.name) failed: \(cause.message)", underlying: cause)
    }

    /// Nanoseconds that `count` runs take in a bare C loop over ONNX Runtime's API: what `run()` is measured against.
    ///
    /// Room: control.
    /// - Throws: `runFailed`.
    public borrowing func bareNanoseconds(_ count: Int) throws(InferenceError) -> UInt64 {
        let spent = unsafe ort_bare_runs(session.runtime.table, sessionHandle, binding, Int64(count))
        if spent == 0, count > 0 {
            try run()
            throw InferenceError(.runFailed, "A bare run of \(session.name) failed.")
        }
        return spent
    }
}
