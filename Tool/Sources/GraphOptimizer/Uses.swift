import OnnxProto

/// Who makes and who uses each value of a graph, as it was when this was made.
struct Uses {
    private var makers: [String: Int] = [:]
    private var users: [String: [Int]] = [:]
    private let outputs: Set<String>

    init(_ graph: Graph) {
        for (index, node) in graph.nodes.enumerated() {
            for output in node.output where !output.isEmpty { makers[output] = index }
            for use in node.uses { users[use, default: []].append(index) }
        }
        outputs = Set(graph.model.graph.output.map(\.name))
    }

    /// The node that makes a value; nil for inputs and constants.
    func maker(of value: String) -> Int? { makers[value] }

    /// The one node that uses a value; nil where there are more, or it is an output of the model.
    func onlyUser(of value: String) -> Int? {
        guard !outputs.contains(value), let users = users[value], users.count == 1 else { return nil }
        return users[0]
    }
}
