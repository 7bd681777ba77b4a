import CLiteRT

/// A model compiled for fixed shapes, with its inputs and outputs bound to memory that stays. One thread runs it at a time.
///
/// Room: `init` control; `run` worker: it allocates nothing on this side of LiteRT.
@safe final class LiteRTRun: @unchecked Sendable {
    // Sendable: C handles that one thread at a time uses.
    let inputShapes: [[Int]]
    let outputShapes: [[Int]]
    private let model: Anchor
    private let table: UnsafePointer<LiteRtTable>
    private let compiled: OpaquePointer
    /// Inputs first, in the model's order.
    private let memory: [UnsafeMutableRawPointer]
    private let buffers: UnsafeMutablePointer<OpaquePointer?>
    private let inputCount: Int
    private let outputCount: Int
    /// What of `memory` this has to free.
    private let owned: [UnsafeMutableRawPointer]

    /// What a run needs to live as long: a run that lies idle in its model must not hold it.
    private enum Anchor {
        case owner(LiteRTModel)
        case idle
    }

    /// - Parameters:
    ///   - bound: the tensors' memory, inputs first, in the model's order; those that are nil get some of this run's own.
    ///   - wanted: shapes by the outputs' names, for those that are to be held to them.
    ///
    /// - Throws: `shapeMismatch`, `modelUnreadable`, `accelerationUnavailable`, `outOfResources`.
    init(
        _ model: LiteRTModel, inputShapes: [[Int]], bound: [UnsafeMutableRawPointer?]? = nil,
        outputShapes wanted: [String: [Int]] = [:]
    ) throws(InferenceError) {
        let table = unsafe model.liteRT.table
        let compiled = try unsafe model.compile()
        var owned: [UnsafeMutableRawPointer] = unsafe []
        var memory: [UnsafeMutableRawPointer] = unsafe []
        let infos = model.inputs + model.outputs
        let buffers = UnsafeMutablePointer<OpaquePointer?>.allocate(capacity: Swift.max(infos.count, 1))
        unsafe buffers.initialize(repeating: nil, count: Swift.max(infos.count, 1))
        do throws(InferenceError) {
            let outputShapes = try unsafe Self.resize(compiled, model, inputShapes)
            for (info, shape) in zip(model.outputs, outputShapes) {
                guard let asked = wanted[info.name], asked != shape else { continue }
                throw InferenceError(
                    .shapeMismatch,
                    "The output \(info.name) of \(model.name) has shape \(shape) for these inputs, not \(asked)."
                )
            }
            for (index, (info, shape)) in zip(infos, inputShapes + outputShapes).enumerated() {
                let bytes = try Tensor.elementCount(shape) * (info.elementType.byteCount ?? 0)
                let block: UnsafeMutableRawPointer
                if let given = unsafe bound?[index] {
                    unsafe block = unsafe given
                } else {
                    unsafe block = .allocate(
                        byteCount: Swift.max(bytes, 1), alignment: TensorBuffer.alignment)
                    unsafe owned.append(block)
                }
                unsafe memory.append(block)
                unsafe buffers[index] = try unsafe Self.makeBuffer(model, info, shape, block, bytes)
            }
            self.outputShapes = outputShapes
        } catch {
            for index in infos.indices {
                if let buffer = unsafe buffers[index] { unsafe table.pointee.DestroyTensorBuffer(buffer) }
            }
            unsafe buffers.deallocate()
            unsafe table.pointee.DestroyCompiledModel(compiled)
            for index in unsafe owned.indices { unsafe owned[index].deallocate() }
            throw error
        }
        self.inputShapes = inputShapes
        unsafe self.table = unsafe table
        unsafe self.compiled = unsafe compiled
        unsafe self.memory = unsafe memory
        unsafe self.owned = unsafe owned
        unsafe self.buffers = unsafe buffers
        inputCount = model.inputs.count
        outputCount = model.outputs.count
        self.model = unsafe bound == nil ? .idle : .owner(model)
    }

    deinit {
        for index in 0..<(inputCount + outputCount) {
            if let buffer = unsafe buffers[index] { unsafe table.pointee.DestroyTensorBuffer(buffer) }
        }
        unsafe buffers.deallocate()
        unsafe table.pointee.DestroyCompiledModel(compiled)
        for index in unsafe owned.indices { unsafe owned[index].deallocate() }
    }

    /// Gives the inputs their shapes. - Returns: the shapes that the outputs then have.
    private static func resize(
        _ compiled: OpaquePointer, _ model: LiteRTModel, _ shapes: [[Int]]
    ) throws(InferenceError) -> [[Int]] {
        let table = unsafe model.liteRT.table
        for (index, (info, shape)) in zip(model.inputs, shapes).enumerated() {
            guard shape.count <= Int(LITERT_MAXIMUM_RANK), shape.allSatisfy({ $0 >= 1 && $0 <= Int32.max })
            else {
                throw InferenceError(
                    .shapeMismatch,
                    "The input \(info.name) of \(model.name) cannot have shape \(shape) in LiteRT.")
            }
            guard info.shape.contains(where: \.isDynamic) else { continue }
            try unsafe model.liteRT.check(
                table.pointee.CompiledModelResizeInputTensor(
                    compiled, 0, index, shape.map(Int32.init), shape.count),
                .shapeMismatch, "The input \(info.name) of \(model.name) cannot have shape \(shape)")
        }
        var layouts = [LiteRtShape](repeating: LiteRtShape(), count: model.outputs.count)
        try unsafe model.liteRT.check(
            table.pointee.GetCompiledModelOutputTensorLayouts(compiled, 0, layouts.count, &layouts, true),
            .shapeMismatch,
            "\(model.name) does not run with inputs of shape \(shapes)\(message(table, compiled))")
        return layouts.map { layout in
            unsafe withUnsafeBytes(of: layout.sizes) { bytes in
                unsafe bytes.bindMemory(to: Int32.self).prefix(Int(layout.rank)).map { Swift.max(Int($0), 0) }
            }
        }
    }

    private static func makeBuffer(
        _ model: LiteRTModel, _ info: TensorInfo, _ shape: [Int], _ block: UnsafeMutableRawPointer,
        _ bytes: Int
    ) throws(InferenceError) -> OpaquePointer {
        guard let number = info.elementType.liteRT, shape.count <= Int(LITERT_MAXIMUM_RANK), bytes > 0 else {
            throw InferenceError(
                .shapeMismatch,
                "\(info) of \(model.name) cannot have shape \(shape) in LiteRT: it takes tensors of 1 element or more, of "
                    + "\(LITERT_MAXIMUM_RANK) axes or fewer.")
        }
        var type = LiteRtTensorType()
        type.elementType = number
        type.shape.rank = UInt32(shape.count)
        unsafe withUnsafeMutableBytes(of: &type.shape.sizes) { bytes in
            let sizes = unsafe bytes.bindMemory(to: Int32.self)
            for axis in shape.indices { unsafe sizes[axis] = Int32(shape[axis]) }
        }
        var buffer: OpaquePointer?
        let context = "No tensor of shape \(shape) for \(info.name) of \(model.name)"
        try unsafe model.liteRT.check(
            model.liteRT.table.pointee.CreateTensorBufferFromHostMemory(&type, block, bytes, nil, &buffer),
            .outOfResources, context)
        guard let buffer = unsafe buffer else { throw InferenceError(.outOfResources, "\(context).") }
        return unsafe buffer
    }

    /// What LiteRT has kept of what went wrong, to be put behind a sentence; empty where it kept nothing.
    private static func message(_ table: UnsafePointer<LiteRtTable>, _ compiled: OpaquePointer) -> String {
        var text: UnsafeMutablePointer<CChar>?
        guard unsafe table.pointee.CompiledModelGetErrorMessages(compiled, &text) == 0, let text = unsafe text
        else {
            return ""
        }
        defer { unsafe litert_text_free(text) }
        unsafe _ = table.pointee.CompiledModelClearErrors(compiled)
        let words = unsafe String(cString: text).split(separator: "\n").joined(separator: "; ")
        return words.isEmpty ? "" : ": \(words)"
    }

    /// The memory of a tensor; inputs first, in the model's order.
    func memory(of index: Int) -> UnsafeMutableRawPointer { unsafe memory[index] }

    /// One run, from the inputs' memory to the outputs'. - Returns: LiteRT's status, 0 for success.
    func run() -> Int32 {
        unsafe table.pointee.RunCompiledModel(
            compiled, 0, inputCount, buffers, outputCount, buffers + inputCount)
    }

    @inline(never)
    func failure(_ status: Int32, of name: String) -> InferenceError {
        let cause = LiteRTStatus(code: Int(status))
        return InferenceError(
            .runFailed, "A run of \(name) failed\(unsafe Self.message(table, compiled)) (\(cause)).",
            underlying: cause)
    }

    /// Nanoseconds of runs in a bare C loop; 0 where one failed.
    func bareNanoseconds(_ count: Int) -> UInt64 {
        unsafe litert_bare_runs(
            table, compiled, inputCount, buffers, outputCount, buffers + inputCount, Int64(count))
    }
}

extension LiteRTRun {
    /// The model compiled for these shapes, with its tensors in these buffers.
    ///
    /// - Parameters: as `BoundRun` has validated them.
    convenience init(
        _ model: LiteRTModel, inputs: [BoundRun.Binding], outputs: [BoundRun.Binding]
    ) throws(InferenceError) {
        // An output may have an input's name.
        let taken = Dictionary(uniqueKeysWithValues: inputs.map { ($0.name, $0) })
        let given = Dictionary(uniqueKeysWithValues: outputs.map { ($0.name, $0) })
        let bindings = model.inputs.map { taken[$0.name] } + model.outputs.map { given[$0.name] }
        let memory = unsafe bindings.map { unsafe $0.map { unsafe UnsafeMutableRawPointer($0.buffer.base) } }
        try unsafe self.init(
            model, inputShapes: bindings.prefix(inputs.count).map { $0?.shape ?? [] }, bound: memory,
            outputShapes: given.mapValues(\.shape))
    }
}
