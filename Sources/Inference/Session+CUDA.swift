import COnnxRuntime

extension Session {
    static let cudaProvider = "CUDAExecutionProvider"

    /// Hands the session to the CUDA provider.
    ///
    /// - Throws: `accelerationUnavailable`, with what the provider's library lacks.
    static func appendCUDA(
        _ runtime: OnnxRuntime, to options: OpaquePointer, _ cuda: CUDAOptions
    ) throws(InferenceError) {
        let table = unsafe runtime.table
        func check(_ status: OpaquePointer?) throws(InferenceError) {
            guard let status = unsafe status else { return }
            let cause = unsafe OnnxRuntime.take(table, status)
            throw InferenceError(
                .accelerationUnavailable,
                "ONNX Runtime \(runtime.version) cannot use an NVIDIA processor as asked: \(cause.reason(model: "")). "
                    + "Mend that (its GPU build needs CUDA and cuDNN where the system finds them), or ask for cpu or auto.",
                underlying: cause)
        }
        var created: OpaquePointer?
        try unsafe check(table.pointee.CreateCUDAProviderOptions(&created))
        defer { unsafe table.pointee.ReleaseCUDAProviderOptions(created) }
        let entries = cuda.entries.sorted { $0.key < $1.key }
        let keys = TensorNames(entries.map(\.key))
        let values = TensorNames(entries.map(\.value))
        try unsafe check(
            table.pointee.UpdateCUDAProviderOptions(created, keys.pointers, values.pointers, entries.count))
        try unsafe check(table.pointee.SessionOptionsAppendExecutionProvider_CUDA_V2(options, created))
    }

    /// Whether runs compute on a device with memory of its own.
    var isOnDevice: Bool { acceleration == .cuda || acceleration == .tensorRT }

    /// What a session is asked for when its runs have to be bound.
    func requireUnrecorded() throws(InferenceError) {
        guard !recordsGraph else {
            throw InferenceError(
                .invalidArgument,
                "\(name) was loaded to be recorded as a CUDA graph, whose memory must stay. Run it by a BoundRun, or load "
                    + "it without the graph.")
        }
    }
}

/// The tensors of a bound run in a device's memory, beside their buffers in ordinary memory.
///
/// Room: `init` control; copies worker.
@safe final class DeviceTensors {
    private let runtime: OnnxRuntime
    private let allocator: OpaquePointer
    private let copy: CudaCopy
    private var tensors:
        [(value: OpaquePointer, memory: UnsafeMutableRawPointer, host: UnsafeMutableRawPointer, bytes: Int)]

    /// - Throws: `accelerationUnavailable`, `outOfResources`.
    init(
        _ session: Session, _ runtime: OnnxRuntime, _ handle: OpaquePointer, device: Int
    ) throws(InferenceError) {
        guard let copy = unsafe cuda_copy() else {
            throw InferenceError(
                .accelerationUnavailable,
                "ONNX Runtime \(runtime.version) has loaded no CUDA runtime that is known here (libcudart.so.13 or .12)."
            )
        }
        let table = unsafe runtime.table
        let context = "No memory on the processor for \(session.name)"
        var information: OpaquePointer?
        try unsafe runtime.check(
            table.pointee.CreateMemoryInfo(
                "Cuda", Int32(ORT_TABLE_DEVICE_ALLOCATOR), Int32(device), Int32(ORT_TABLE_DEFAULT_MEMORY),
                &information),
            .outOfResources, context)
        defer { unsafe table.pointee.ReleaseMemoryInfo(information) }
        var allocator: OpaquePointer?
        try unsafe runtime.check(
            table.pointee.CreateAllocator(handle, information, &allocator), .outOfResources, context)
        guard let allocator = unsafe allocator else { throw InferenceError(.outOfResources, "\(context).") }
        self.runtime = runtime
        unsafe self.allocator = unsafe allocator
        unsafe self.copy = unsafe copy
        unsafe tensors = unsafe []
    }

    deinit {
        for index in unsafe tensors.indices {
            unsafe runtime.table.pointee.ReleaseValue(tensors[index].value)
        }
        unsafe runtime.table.pointee.ReleaseAllocator(allocator)
    }

    /// A tensor on the device for `binding`; it belongs to this.
    func add(_ binding: BoundRun.Binding, in session: Session) throws(InferenceError) -> OpaquePointer {
        let shape = binding.shape.map(Int64.init)
        let table = unsafe runtime.table
        let context = "No memory on the processor for \(binding.name) of \(session.name)"
        var value: OpaquePointer?
        try unsafe runtime.check(
            table.pointee.CreateTensorAsOrtValue(
                allocator, shape, shape.count, Int32(ElementType.float32.rawValue), &value), .outOfResources,
            context)
        guard let value = unsafe value else { throw InferenceError(.outOfResources, "\(context).") }
        var memory: UnsafeMutableRawPointer?
        let status = unsafe table.pointee.GetTensorMutableData(value, &memory)
        guard unsafe status == nil, let memory = unsafe memory else {
            unsafe status.map { unsafe table.pointee.ReleaseStatus($0) }
            unsafe table.pointee.ReleaseValue(value)
            throw InferenceError(.outOfResources, "\(context).")
        }
        let bytes = binding.shape.reduce(MemoryLayout<Float>.stride, *)
        unsafe tensors.append((value, memory, UnsafeMutableRawPointer(binding.buffer.base), bytes))
        return unsafe value
    }

    /// Copies the tensors of `range`, in the order in which they were added: to the device, or from it.
    /// - Returns: whether all were copied.
    func copy(_ range: Range<Int>, toDevice: Bool) -> Bool {
        for index in range {
            let tensor = unsafe tensors[index]
            let failed =
                toDevice
                ? unsafe copy(tensor.memory, tensor.host, tensor.bytes, 1)
                : unsafe copy(tensor.host, tensor.memory, tensor.bytes, 2)
            if failed != 0 { return false }
        }
        return true
    }
}
