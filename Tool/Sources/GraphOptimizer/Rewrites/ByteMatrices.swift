import Foundation
import OnnxProto

/// Stores the matrices of large products in one byte a number, and a factor for each sixteen, and multiplies them so
/// (`MatMulNBits` of ONNX Runtime's own operators, which rounds the other factor to bytes in the run).
///
/// A product with one row reads each number of its matrix once: it is as fast as memory is, and a byte is a quarter of a float.
/// The results lose precision, so this is only done when it is asked for, and needs no calibration.
package struct ByteMatrices: GraphRewrite {
    package static let name = "byte-matrices"
    package let gain = Gain.time

    package init() {}

    package func apply(to graph: inout Graph) throws -> String? {
        var count = 0
        while rewriteOne(&graph) { count += 1 }
        if count == 0 { return nil }
        if !graph.model.opsetImport.contains(where: { $0.domain == Self.domain }) {
            var opset = Onnx_OperatorSetIdProto()
            opset.domain = Self.domain
            opset.version = 1
            graph.model.opsetImport.append(opset)
        }
        graph.removeUnused()
        return counted(count, "matrix product")
    }

    private static let domain = "com.microsoft"
    private static let block = 16
    private static let leastElements = 1 << 16

    private func rewriteOne(_ graph: inout Graph) -> Bool {
        let uses = Uses(graph)
        for (index, node) in graph.nodes.enumerated() where node.isOperator("Gemm", "MatMul") {
            let isGemm = node.opType == "Gemm"
            guard node.input.count >= 2, let weights = graph.weights(node.input[1], uses),
                weights.shape.count == 2,
                weights.values.count >= Self.leastElements,
                !isGemm
                    || (node.integer("transA", default: 0) == 0 && node.number("alpha", default: 1) == 1
                        && node.number("beta", default: 1) == 1)
            else { continue }
            let isTurned = isGemm && node.integer("transB", default: 0) != 0
            let (rows, columns) =
                isTurned ? (weights.shape[0], weights.shape[1]) : (weights.shape[1], weights.shape[0])
            guard columns.isMultiple(of: Self.block) else { continue }
            var bias: String?
            if isGemm, let name = node.optionalInput(2) {
                guard graph.weights(name, uses)?.shape == [rows] else { continue }
                bias = name
            }
            let (bytes, scales) = Self.quantised(rows: rows, columns: columns) { row, column in
                weights.values[isTurned ? row * columns + column : column * rows + row]
            }
            let blocks = columns / Self.block
            var product = Onnx_NodeProto(
                "MatMulNBits",
                [
                    node.input[0],
                    graph.add(.init(.uint8, [rows, blocks, Self.block], bytes: bytes), "bytes"),
                    graph.add(.init(scales, [rows, blocks]), "scales"),
                ], node.output[0],
                [
                    .init("K", columns), .init("N", rows), .init("bits", 8), .init("block_size", Self.block),
                    .init("accuracy_level", 4),
                ])
            product.domain = Self.domain
            if let bias { product.input += ["", "", bias] }
            graph.nodes[index] = product
            return true
        }
        return false
    }

    /// Bytes around 128 and the factor of each block, symmetric.
    private static func quantised(
        rows: Int, columns: Int, _ value: (Int, Int) -> Float
    ) -> (Data, [Float]) {
        var bytes = Data(capacity: rows * columns)
        var scales: [Float] = []
        scales.reserveCapacity(rows * columns / block)
        for row in 0..<rows {
            for start in stride(from: 0, to: columns, by: block) {
                var peak: Float = 0
                for column in start..<start + block { peak = max(peak, value(row, column).magnitude) }
                let scale = peak / 127
                scales.append(scale)
                for column in start..<start + block {
                    let steps = scale > 0 ? (value(row, column) / scale).rounded() : 0
                    bytes.append(UInt8(clamping: Int(steps.clamped(127)) + 128))
                }
            }
        }
        return (bytes, scales)
    }
}
