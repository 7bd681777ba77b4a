/// A second form of an optimised graph, whose large matrices the kernels use as they lie in the file, so that loading them is
/// mapping them. A product with one row reads every weight once, in whatever layout; only products with several rows are
/// quicker with weights in the kernels' own.
///
/// ONNX Runtime lays out initializers, unless they are inputs as well, which a caller might set. So the second form is the
/// first with these initializers as inputs too: they are appended, since messages in protobuf add up. A matrix that the
/// model has the other way round is transposed in both forms: rows of outputs can then be read as they are.
enum MappedGraph {
    /// How near its results have to be: 125 dB is what another order of float32 sums makes of thousands of products.
    static let leastDecibels = 100.0
    /// Smaller ones are laid out in no time.
    static let leastMatrixBytes = 1 << 20

    /// Writes it beside the graph that is in a folder.
    ///
    /// - Returns: whether there are such matrices, and all went well. The graph and its weights are whole in any case, and mean
    ///   the same.
    static func write(in folder: String) -> Bool {
        let path = "\(folder)/\(GraphEntry.graphFile)"
        let limit = 1 << 24
        guard var bytes = fileBytes(path, limit: limit), bytes.count < limit,
            let matrices = matrices(of: bytes),
            !matrices.isEmpty
        else { return false }
        for matrix in matrices {
            guard let flag = matrix.transposed else { continue }
            // Both are one change: a graph whose weights could not be turned is not used.
            guard
                transposeFloats(
                    in: "\(folder)/\(GraphEntry.weightsFile)", at: matrix.offset, rows: matrix.rows.value,
                    columns: matrix.columns.value)
            else { return false }
            bytes[flag] = 0
            let sizes = matrix.rows.range.lowerBound..<matrix.columns.range.upperBound
            let between = bytes[matrix.rows.range.upperBound..<matrix.columns.range.lowerBound]
            bytes.replaceSubrange(
                sizes, with: bytes[matrix.columns.range] + between + bytes[matrix.rows.range])
        }
        let inputs = matrices.flatMap { ProtobufFields.field(11, $0.asInput) }
        return replaceFile(path, with: bytes)
            && replaceFile(
                "\(folder)/\(GraphEntry.mappedFile)", with: bytes + ProtobufFields.field(7, inputs))
    }

    /// A weight of float32 that one product has as its second factor.
    private struct Matrix {
        let name: String
        let rows, columns: (value: Int, range: Range<Int>)
        /// In the file of weights, in bytes.
        let offset: Int
        /// The place of the flag that says that it is used transposed; nil where it is not.
        let transposed: Int?

        /// As a graph's input (`ValueInfoProto`), as it is afterwards.
        var asInput: [UInt8] {
            let sizes = transposed == nil ? [rows.value, columns.value] : [columns.value, rows.value]
            let shape = sizes.flatMap { ProtobufFields.field(1, ProtobufFields.field(1, UInt64($0))) }
            let tensor = ProtobufFields.field(1, 1) + ProtobufFields.field(2, shape)
            return ProtobufFields.field(1, Array(name.utf8))
                + ProtobufFields.field(2, ProtobufFields.field(1, tensor))
        }
    }

    /// Nil where the graph is not what is expected, or has graphs inside, in which a name may mean something else.
    private static func matrices(of bytes: [UInt8]) -> [Matrix]? {
        guard let model = ProtobufFields(bytes, bytes.indices), let graphs = model.messages(7),
            graphs.count == 1, let nodes = graphs[0].messages(1), let weights = graphs[0].messages(5),
            let inputs = graphs[0].messages(11), let outputs = graphs[0].messages(12)
        else { return nil }
        var uses: [String: Int] = [:]
        for name in (inputs + outputs).map({ $0.text(1) }) { uses[name, default: 0] += 1 }
        for node in nodes {
            for input in node.all(1) { uses[node.text(input), default: 0] += 1 }
        }
        let byName = Dictionary(weights.map { ($0.text(8), $0) }) { first, _ in first }
        var matrices: [Matrix] = []
        for node in nodes {
            guard let attributes = node.messages(5) else { return nil }
            if attributes.contains(where: { !$0.all(6).isEmpty || !$0.all(11).isEmpty }) { return nil }
            let factors = node.all(1).map(node.text)
            guard ["Gemm", "MatMul"].contains(node.text(4)), node.text(7).isEmpty, factors.count >= 2,
                uses[factors[1]] == 1, let weight = byName[factors[1]],
                let flags = flags(attributes), flags["transA"].map({ $0.value == 0 }) ?? true
            else { continue }
            let flag = flags["transB"].flatMap {
                $0.value == 1 && $0.range.count == 1 ? $0.range.lowerBound : nil
            }
            if let matrix = matrix(weight, transposed: flag) { matrices.append(matrix) }
        }
        return matrices
    }

    /// Whole numbers among a node's attributes.
    private static func flags(_ attributes: [ProtobufFields]) -> [String: (value: UInt64, range: Range<Int>)]?
    {
        var flags: [String: (value: UInt64, range: Range<Int>)] = [:]
        for attribute in attributes {
            guard let numbers = attribute.numbers(3) else { return nil }
            if let number = numbers.first { flags[attribute.text(1)] = number }
        }
        return flags
    }

    private static func matrix(_ weight: ProtobufFields, transposed: Int?) -> Matrix? {
        let float32: UInt64 = 1
        guard let sizes = weight.numbers(1), sizes.count == 2, weight.numbers(2)?.first?.value == float32,
            let entries = weight.messages(13)
        else { return nil }
        let place = Dictionary(entries.map { ($0.text(1), $0.text(2)) }) { first, _ in first }
        guard place["location"] == GraphEntry.weightsFile, let offset = Int(place["offset"] ?? "0"),
            let length = place["length"].flatMap(Int.init), length >= leastMatrixBytes,
            offset >= 0, sizes.allSatisfy({ 1...(1 << 28) ~= $0.value })
        else { return nil }
        let (rows, columns) = (Int(sizes[0].value), Int(sizes[1].value))
        guard rows * columns * 4 == length else { return nil }
        return Matrix(
            name: weight.text(8), rows: (rows, sizes[0].range), columns: (columns, sizes[1].range),
            offset: offset, transposed: transposed)
    }
}
