import OnnxProto

extension Graph {
    /// The function of one number that alone uses `value`, which ONNX Runtime computes together with what comes before it
    /// where nothing is between them; nil for none.
    func activation(of value: String, _ uses: Uses) -> Int? {
        guard let user = uses.onlyUser(of: value) else { return nil }
        let isOne = nodes[user].isOperator("Relu", "LeakyRelu", "Tanh", "Sigmoid")
        return isOne && nodes[user].input == [value] ? user : nil
    }
}
