import OnnxProto

extension Graph {
    /// Puts nodes in the place of others, where the last of those was.
    mutating func replace(_ old: [Int], by new: [Onnx_NodeProto]) {
        let gone = Set(old)
        guard let last = old.max() else { return }
        var kept: [Onnx_NodeProto] = []
        for index in nodes.indices {
            if !gone.contains(index) { kept.append(nodes[index]) }
            if index == last { kept += new }
        }
        nodes = kept
    }
}
