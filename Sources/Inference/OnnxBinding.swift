import COnnxRuntime

/// A session's inputs and outputs bound to memory in ONNX Runtime. One thread runs it at a time.
///
/// Room: `init` control; `run` worker: it allocates nothing on this side of ONNX Runtime.
@safe final class OnnxBinding: @unchecked Sendable {
    // Sendable: C handles that one thread at a time uses.
    private let session: Session
    private let runtime: OnnxRuntime
    private let binding: OpaquePointer
    private let sessionHandle: OpaquePointer
    private let runWithBinding:
        @convention(c) (OpaquePointer?, OpaquePointer?, OpaquePointer?) -> OpaquePointer?
    /// What was bound of ordinary memory.
    private let values: [OpaquePointer]
    /// The tensors' memory on a device, inputs first; nil where the model runs in ordinary memory.
    private let device: DeviceTensors?
    private let inputCount: Int
    private let count: Int

    /// - Throws: `shapeMismatch`, `runFailed`; for a graphics processor also `accelerationUnavailable`, `outOfResources`.
    init(
        _ session: Session, _ graph: LoadedGraph, inputs: [BoundRun.Binding], outputs: [BoundRun.Binding]
    ) throws(InferenceError) {
        let runtime = graph.runtime
        let table = unsafe runtime.table
        let sessionHandle = unsafe graph.handle(
            for: Dictionary(inputs.map { ($0.name, $0.shape) }) { first, _ in first })
        let device =
            session.isOnDevice
            ? try unsafe DeviceTensors(session, runtime, sessionHandle, device: session.device) : nil
        let context = "The tensors of \(session.name) cannot be bound"
        var handle: OpaquePointer?
        try unsafe runtime.check(table.pointee.CreateIoBinding(sessionHandle, &handle), .runFailed, context)
        guard let binding = unsafe handle else { throw InferenceError(.runFailed, "\(context).") }
        var values: [OpaquePointer] = unsafe []
        do throws(InferenceError) {
            // What is on a device belongs to `device`, the rest to this.
            func value(_ tensor: BoundRun.Binding) throws(InferenceError) -> OpaquePointer {
                if let device { return try unsafe device.add(tensor, in: session) }
                let value = try unsafe Self.makeValue(tensor, in: session, runtime)
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
        self.runtime = runtime
        unsafe self.binding = unsafe binding
        unsafe self.sessionHandle = unsafe sessionHandle
        unsafe runWithBinding = unsafe table.pointee.RunWithBinding
        unsafe self.values = unsafe values
        self.device = device
        inputCount = inputs.count
        count = inputs.count + outputs.count
    }

    deinit {
        let table = unsafe runtime.table
        unsafe table.pointee.ReleaseIoBinding(binding)
        for index in unsafe values.indices { unsafe table.pointee.ReleaseValue(values[index]) }
    }

    /// - Throws: `runFailed`.
    func run() throws(InferenceError) {
        if let device, !device.copy(0..<inputCount, toDevice: true) { throw copyFailure() }
        if let status = unsafe runWithBinding(sessionHandle, nil, binding) { throw unsafe failure(status) }
        if let device, !device.copy(inputCount..<count, toDevice: false) { throw copyFailure() }
    }

    /// Nanoseconds of runs in a bare C loop; 0 where one failed.
    func bareNanoseconds(_ count: Int) -> UInt64 {
        unsafe ort_bare_runs(runtime.table, sessionHandle, binding, Int64(count))
    }

    @inline(never)
    private func copyFailure() -> InferenceError {
        InferenceError(
            .runFailed,
            "A run of \(session.name) failed: its tensors could not be copied to or from the processor.")
    }

    @inline(never)
    private func failure(_ status: OpaquePointer) -> InferenceError {
        let cause = unsafe OnnxRuntime.take(runtime.table, status)
        return InferenceError(
            .runFailed, "A run of \(session.name) failed: \(cause.message)", underlying: cause)
    }

    private static func makeValue(
        _ binding: BoundRun.Binding, in session: Session, _ runtime: OnnxRuntime
    ) throws(InferenceError) -> OpaquePointer {
        let shape = binding.shape.map(Int64.init)
        let bytes = binding.shape.reduce(MemoryLayout<Float>.stride, *)
        var value: OpaquePointer?
        try unsafe runtime.check(
            runtime.table.pointee.CreateTensorWithDataAsOrtValue(
                runtime.memory, binding.buffer.base, bytes, shape, shape.count,
                Int32(ElementType.float32.rawValue),
                &value), .shapeMismatch,
            "No tensor of shape \(binding.shape) for \(binding.name) of \(session.name)")
        guard let value = unsafe value else {
            throw InferenceError(.outOfResources, "No tensor of shape \(binding.shape) for \(binding.name).")
        }
        return unsafe value
    }
}
