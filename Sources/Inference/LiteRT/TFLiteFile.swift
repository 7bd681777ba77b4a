/// What a `.tflite` file says, checked for what LiteRT takes on trust: that every number of a tensor, buffer, operator or
/// signature is one that is there, and that constants are as long as their shapes say.
///
/// The format is TensorFlow Lite's [schema](https://github.com/google-ai-edge/LiteRT/blob/main/tflite/converter/schema/schema.fbs),
/// version 3. Room: control.
struct TFLiteFile {
    /// Those of the first signature's graph, of the first graph where there is no signature.
    let tensors: [TensorDescription]
    /// `description`, and what texts the file has by name.
    let metadata: [String: String]
    /// What keeps it from being run many times over with the same result; nil where nothing does. A clause.
    let state: String?

    struct TensorDescription {
        let shape: [Dimension]
        let elementType: ElementType
    }

    /// Whether the bytes say that they are such a file.
    static func isTFLite(_ bytes: some Collection<UInt8>) -> Bool {
        bytes.dropFirst(4).prefix(4).elementsEqual("TFL3".utf8)
    }

    /// - Throws: `modelUnreadable`.
    init(_ bytes: [UInt8], name: String) throws(InferenceError) {
        guard Self.isTFLite(bytes) else {
            throw InferenceError(
                .modelUnreadable,
                "\(name) is not a TensorFlow Lite model: it has no mark TFL3. Export the model, or download it, again."
            )
        }
        let reader = Reader(file: FlatBuffer(bytes: bytes))
        do throws(Damage) {
            let model = try reader.model()
            tensors = try reader.tensors(of: model)
            metadata = try reader.metadata(of: model)
            state = try reader.state(of: model)
        } catch {
            throw InferenceError(
                .modelUnreadable,
                "\(name) is not a complete TensorFlow Lite model (\(error.reason)). Export the model, or download it, "
                    + "again.")
        }
    }

    fileprivate struct Damage: Error { let reason: String }

    /// The schema's numbers of fields.
    private enum Field {
        enum Model {
            static let version = 0, operatorCodes = 1, subgraphs = 2, description = 3, buffers = 4
            static let metadata = 6, signatures = 7
        }
        enum OperatorCode { static let oldCode = 0, customCode = 1, code = 3 }
        enum Subgraph { static let tensors = 0, inputs = 1, outputs = 2, operators = 3 }
        enum Tensor { static let shape = 0, type = 1, buffer = 2, isVariable = 5, signature = 7 }
        enum Operator { static let code = 0, inputs = 1, outputs = 2, intermediates = 8 }
        enum Buffer { static let data = 0, offset = 1 }
        enum Metadata { static let name = 0, buffer = 1 }
        enum Signature { static let inputs = 0, outputs = 1, subgraph = 4 }
        enum TensorMap { static let tensor = 1 }
    }

    private static let variableHandle: Int32 = 142

    private struct Reader {
        let file: FlatBuffer

        func require<Value>(_ value: Value?, _ reason: String) throws(Damage) -> Value {
            guard let value else { throw Damage(reason: reason) }
            return value
        }

        func model() throws(Damage) -> FlatBuffer.Table {
            let model = try require(file.root, "it ends before its contents")
            let version: UInt32 = try require(
                file.number(Field.Model.version, of: model), "it has no version")
            guard version == 3 else { throw Damage(reason: "its format has version \(version), not 3") }
            return model
        }

        func tables(_ field: Int, of table: FlatBuffer.Table, _ what: String) throws(Damage) -> [FlatBuffer
            .Table]
        {
            try require(file.tables(field, of: table), "its \(what) lie outside the file")
        }

        func tensors(of model: FlatBuffer.Table) throws(Damage) -> [TensorDescription] {
            let codes = try tables(Field.Model.operatorCodes, of: model, "operator codes")
            var buffers: [Int?] = []
            for buffer in try tables(Field.Model.buffers, of: model, "buffers") {
                buffers.append(try data(of: buffer))
            }
            let graphs = try tables(Field.Model.subgraphs, of: model, "subgraphs")
            guard !graphs.isEmpty else { throw Damage(reason: "it has no graph") }
            guard graphs.count <= 256 else { throw Damage(reason: "it has \(graphs.count) graphs") }
            var described: [[TensorDescription]] = []
            for graph in graphs {
                let tensors = try tables(Field.Subgraph.tensors, of: graph, "tensors")
                var descriptions: [TensorDescription] = []
                for tensor in tensors { descriptions.append(try description(of: tensor, buffers)) }
                described.append(descriptions)
                try checkIndices(Field.Subgraph.inputs, of: graph, below: tensors.count)
                try checkIndices(Field.Subgraph.outputs, of: graph, below: tensors.count)
                for step in try tables(Field.Subgraph.operators, of: graph, "operators") {
                    try check(step, codes: codes.count, tensors: tensors.count)
                }
            }
            return described[try checkSignatures(of: model, described)]
        }

        /// The bytes of a buffer; nil for one without any.
        private func data(of buffer: FlatBuffer.Table) throws(Damage) -> Int? {
            guard !file.has(Field.Buffer.offset, of: buffer) else {
                throw Damage(reason: "its constants lie behind the model, which is not read here")
            }
            guard file.has(Field.Buffer.data, of: buffer) else { return nil }
            let data = try require(
                file.vector(Field.Buffer.data, of: buffer, width: 1), "a constant lies outside the file")
            return data.count == 0 ? nil : data.count
        }

        private func description(
            of tensor: FlatBuffer.Table, _ buffers: [Int?]
        ) throws(Damage) -> TensorDescription {
            let sizes = try require(
                file.numbers(Field.Tensor.shape, of: tensor), "a shape lies outside the file")
            let signature = try require(
                file.numbers(Field.Tensor.signature, of: tensor), "a shape lies outside the file")
            guard sizes.allSatisfy({ $0 >= 0 }), signature.isEmpty || signature.count == sizes.count else {
                throw Damage(reason: "a shape is no shape")
            }
            let type: Int8 = try require(file.number(Field.Tensor.type, of: tensor), "a type is missing")
            let elementType = ElementType(tfLite: type)
            let buffer: UInt32 = try require(
                file.number(Field.Tensor.buffer, of: tensor), "a buffer is missing")
            guard Int(buffer) < max(buffers.count, 1) else { throw Damage(reason: "a tensor has no buffer") }
            let count = try? Tensor.elementCount(sizes)
            guard let count, count <= 1 << 40 else { throw Damage(reason: "a tensor is too large") }
            if buffers.indices.contains(Int(buffer)), let bytes = buffers[Int(buffer)],
                let width = elementType.byteCount, bytes < count * width
            {
                throw Damage(reason: "a constant of \(count * width) bytes has \(bytes)")
            }
            return TensorDescription(
                shape: sizes.indices.map {
                    signature.isEmpty || signature[$0] >= 0 ? .fixed(sizes[$0]) : .dynamic(nil)
                },
                elementType: elementType)
        }

        private func checkIndices(
            _ field: Int, of table: FlatBuffer.Table, below count: Int, optional: Bool = false
        ) throws(Damage) {
            let indices = try require(file.numbers(field, of: table), "a list lies outside the file")
            let least = optional ? -1 : 0
            guard indices.allSatisfy({ $0 >= least && $0 < count }) else {
                throw Damage(reason: "it refers to a tensor that is not there")
            }
        }

        private func check(_ step: FlatBuffer.Table, codes: Int, tensors: Int) throws(Damage) {
            let code: UInt32 = try require(
                file.number(Field.Operator.code, of: step), "an operator has no code")
            guard Int(code) < codes else { throw Damage(reason: "an operator has no code") }
            try checkIndices(Field.Operator.inputs, of: step, below: tensors, optional: true)
            try checkIndices(Field.Operator.outputs, of: step, below: tensors)
            try checkIndices(Field.Operator.intermediates, of: step, below: tensors)
        }

        /// - Returns: the first signature's graph.
        private func checkSignatures(
            of model: FlatBuffer.Table, _ subgraphs: [[TensorDescription]]
        ) throws(Damage) -> Int {
            var first: Int?
            for signature in try tables(Field.Model.signatures, of: model, "signatures") {
                let graph: UInt32 = try require(
                    file.number(Field.Signature.subgraph, of: signature), "a signature has no graph")
                guard Int(graph) < subgraphs.count else { throw Damage(reason: "a signature has no graph") }
                first = first ?? Int(graph)
                for field in [Field.Signature.inputs, Field.Signature.outputs] {
                    for map in try tables(field, of: signature, "signatures") {
                        let tensor: UInt32? = file.number(Field.TensorMap.tensor, of: map)
                        guard let tensor, Int(tensor) < subgraphs[Int(graph)].count else {
                            throw Damage(reason: "a signature refers to a tensor that is not there")
                        }
                    }
                }
            }
            return first ?? 0
        }

        func metadata(of model: FlatBuffer.Table) throws(Damage) -> [String: String] {
            let buffers = try tables(Field.Model.buffers, of: model, "buffers")
            var metadata: [String: String] = [:]
            if let text = file.text(Field.Model.description, of: model), !text.isEmpty {
                metadata["description"] = text
            }
            for entry in try tables(Field.Model.metadata, of: model, "metadata").prefix(256) {
                let buffer: UInt32? = file.number(Field.Metadata.buffer, of: entry)
                guard let buffer, Int(buffer) < buffers.count else {
                    throw Damage(reason: "a metadata entry has no buffer")
                }
                guard let name = file.text(Field.Metadata.name, of: entry), !name.isEmpty,
                    let text = file.text(Field.Buffer.data, of: buffers[Int(buffer)], limit: 1024)
                else { continue }
                let value = text.prefix { $0 != "\0" }
                if !value.isEmpty, value.count < 256, !value.contains("\u{FFFD}") {
                    metadata[name] = String(value)
                }
            }
            return metadata
        }

        func state(of model: FlatBuffer.Table) throws(Damage) -> String? {
            for code in try tables(Field.Model.operatorCodes, of: model, "operator codes") {
                let number: Int32? = file.number(Field.OperatorCode.code, of: code)
                if number == TFLiteFile.variableHandle { return "it keeps variables" }
            }
            for graph in try tables(Field.Model.subgraphs, of: model, "subgraphs") {
                for tensor in try tables(Field.Subgraph.tensors, of: graph, "tensors") {
                    let isVariable: UInt8? = file.number(Field.Tensor.isVariable, of: tensor)
                    if isVariable != 0 { return "it keeps a tensor from run to run" }
                }
            }
            return nil
        }
    }
}

extension ElementType {
    /// By the schema's numbers.
    init(tfLite number: Int8) {
        let types: [ElementType] = [
            .float32, .float16, .int32, .uint8, .int64, .string, .bool, .int16, .complex64, .int8, .float64,
            .complex128, .uint64, .unknown, .unknown, .uint32, .uint16, .int4, .bfloat16,
        ]
        self = types.indices.contains(Int(number)) ? types[Int(number)] : .unknown
    }

    /// LiteRT's number for it; nil for what the engine does not run.
    var liteRT: Int32? {
        switch self {
        case .float32: 1
        case .int32: 2
        case .int64: 4
        case .float16: 10
        default: nil
        }
    }
}
