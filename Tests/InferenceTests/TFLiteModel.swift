/// Makes small `.tflite` models byte by byte: what a test needs, from nothing.
///
/// A table's fields are all four bytes wide; children follow their parents.
struct TFLiteModel {
    indirect enum Node {
        /// Fields by their number; nil for one that is not there.
        case table([Field?])
        case tables([Node])
        case numbers([Int32])
        case text(String)
        /// Aligned to 16 bytes, as constants are.
        case constant([UInt8])
    }

    enum Field {
        case number(Int32)
        case child(Node)
    }

    private var bytes: [UInt8] = []

    static func file(_ model: Node) -> [UInt8] {
        var writer = TFLiteModel()
        writer.bytes = [0, 0, 0, 0] + Array("TFL3".utf8)
        let root = writer.write(model)
        writer.patch(0, root)
        return writer.bytes
    }

    private mutating func append(_ value: Int32) {
        unsafe withUnsafeBytes(of: value.littleEndian) { unsafe bytes.append(contentsOf: $0) }
    }

    private mutating func append(_ value: UInt16) { bytes += [UInt8(value & 255), UInt8(value >> 8)] }

    private mutating func pad(to alignment: Int, ahead: Int = 0) {
        while (bytes.count + ahead) % alignment != 0 { bytes.append(0) }
    }

    /// Lets the offset at `place` lead to `target`.
    private mutating func patch(_ place: Int, _ target: Int) {
        let offset = UInt32(target - place)
        for index in 0..<4 { bytes[place + index] = UInt8(offset >> (8 * index) & 255) }
    }

    /// - Returns: where it lies.
    private mutating func write(_ node: Node) -> Int {
        switch node {
        case .table(let fields):
            let header = 4 + 2 * fields.count
            pad(to: 4, ahead: header)
            let vtable = bytes.count
            append(UInt16(header))
            append(UInt16(4 + 4 * fields.count { $0 != nil }))
            var offset: UInt16 = 4
            for field in fields {
                append(field == nil ? 0 : offset)
                if field != nil { offset += 4 }
            }
            let start = bytes.count
            append(Int32(start - vtable))
            var children: [(place: Int, node: Node)] = []
            for case let field? in fields {
                switch field {
                case .number(let number): append(number)
                case .child(let child):
                    children.append((bytes.count, child))
                    append(Int32(0))
                }
            }
            for child in children { patch(child.place, write(child.node)) }
            return start
        case .tables(let nodes):
            pad(to: 4)
            let start = bytes.count
            append(Int32(nodes.count))
            for _ in nodes { append(Int32(0)) }
            for (index, node) in nodes.enumerated() { patch(start + 4 + 4 * index, write(node)) }
            return start
        case .numbers(let numbers):
            pad(to: 4)
            let start = bytes.count
            append(Int32(numbers.count))
            for number in numbers { append(number) }
            return start
        case .text(let text):
            pad(to: 4)
            let start = bytes.count
            append(Int32(text.utf8.count))
            bytes += Array(text.utf8) + [0]
            return start
        case .constant(let content):
            pad(to: 16, ahead: 4)
            let start = bytes.count
            append(Int32(content.count))
            bytes += content
            return start
        }
    }
}

extension TFLiteModel {
    static func tensor(
        _ name: String, _ shape: [Int32], signature: [Int32]? = nil, type: Int32 = 0, buffer: Int32 = 0,
        isVariable: Bool = false
    ) -> Node {
        .table([
            .child(.numbers(shape)), .number(type), .number(buffer), .child(.text(name)), nil,
            isVariable ? .number(1) : nil, nil, signature.map { .child(.numbers($0)) },
        ])
    }

    static func operation(_ code: Int32, inputs: [Int32], outputs: [Int32], options: Int32) -> Node {
        .table([
            .number(code), .child(.numbers(inputs)), .child(.numbers(outputs)), .number(options),
            .child(.table([])),
        ])
    }

    /// - Parameters:
    ///   - codes: TensorFlow Lite's numbers of the operators.
    ///   - constants: the buffers from 1 on.
    static func model(
        codes: [Int32], tensors: [Node], inputs: [Int32], outputs: [Int32], operations: [Node],
        constants: [[UInt8]] = [], version: Int32 = 3
    ) -> [UInt8] {
        file(
            .table([
                .number(version),
                .child(.tables(codes.map { .table([.number($0), nil, .number(1), .number($0)]) })),
                .child(
                    .tables([
                        .table([
                            .child(.tables(tensors)), .child(.numbers(inputs)), .child(.numbers(outputs)),
                            .child(.tables(operations)), .child(.text("main")),
                        ])
                    ])), .child(.text("made by a test")),
                .child(.tables([.table([])] + constants.map { .table([.child(.constant($0))]) })),
            ]))
    }

    /// y [n, 2] = x [n, 4] · wᵀ, w = 0…7; the first axis is dynamic unless `rows` says otherwise.
    static func dense(
        rows: Int32? = nil, weightBytes: Int = 32, weightBuffer: Int32 = 1, weight: Int32 = 1,
        output: String = "y"
    ) -> [UInt8] {
        let weights = (0..<8).flatMap { unsafe withUnsafeBytes(of: Float($0)) { unsafe [UInt8]($0) } }
        let first = rows ?? -1
        return model(
            codes: [9],
            tensors: [
                tensor("x", [rows ?? 1, 4], signature: [first, 4]),
                tensor("w", [2, 4], buffer: weightBuffer),
                tensor(output, [rows ?? 1, 2], signature: [first, 2]),
            ], inputs: [0], outputs: [2],
            operations: [operation(0, inputs: [0, weight, -1], outputs: [2], options: 8)],
            constants: [Array(weights.prefix(weightBytes))])
    }

    /// y [1, 4] = x [1, 4] · 1: `Tests/Fixtures/identity.tflite`, for the tests of the tool.
    static func identity() -> [UInt8] {
        let weights = (0..<16).flatMap { index in
            unsafe withUnsafeBytes(of: Float(index % 5 == 0 ? 1 : 0)) { unsafe [UInt8]($0) }
        }
        return model(
            codes: [9],
            tensors: [tensor("x", [1, 4]), tensor("w", [4, 4], buffer: 1), tensor("y", [1, 4])],
            inputs: [0], outputs: [2],
            operations: [operation(0, inputs: [0, 1, -1], outputs: [2], options: 8)], constants: [weights])
    }

    /// `sum` = `left` + `right`, 3 elements each.
    static func addition(
        type: Int32 = 0, isVariable: Bool = false, right: String = "right"
    ) -> [UInt8] {
        model(
            codes: [0],
            tensors: [
                tensor("left", [3], type: type), tensor(right, [3], type: type, isVariable: isVariable),
                tensor("sum", [3], type: type),
            ], inputs: [0, 1], outputs: [2],
            operations: [operation(0, inputs: [0, 1], outputs: [2], options: 11)])
    }
}
