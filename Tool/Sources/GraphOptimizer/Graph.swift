package import OnnxProto

/// A model's graph while it is rewritten: its nodes in their order, and its constants by name.
///
/// Only the outermost graph is changed. What inner graphs (`If`, `Loop`, `Scan`) take from it counts as a use.
package struct Graph: Sendable {
    package var model: Onnx_ModelProto
    private(set) var constants: [String: Onnx_TensorProto]
    private var made = 0

    /// - Throws: for a model that has no graph, or is for an operator set that the rewrites do not speak.
    package init(_ model: Onnx_ModelProto) throws(OptimizeError) {
        guard model.hasGraph else {
            throw OptimizeError("it has no graph. Export the model again.")
        }
        let opset = model.opsetImport.first { $0.domain.isEmpty || $0.domain == "ai.onnx" }?.version ?? 0
        guard opset >= Self.leastOpset else {
            throw OptimizeError(
                "it is for ONNX's operator set \(opset), and the rewrites need \(Self.leastOpset) or later. "
                    + "Export it for a later one.")
        }
        guard model.graph.node.allSatisfy({ !$0.output.isEmpty }) else {
            throw OptimizeError("one of its nodes has no output. Export it again.")
        }
        self.model = model
        // A constant that is an input, too, may be replaced by whoever runs the model.
        let inputs = Set(model.graph.input.map(\.name))
        constants = Dictionary(
            model.graph.initializer.lazy.filter { !inputs.contains($0.name) }.map { ($0.name, $0) }
        ) { first, _ in first }
    }

    /// The first one in which axes are inputs of `Squeeze` and `Unsqueeze`.
    private static let leastOpset: Int64 = 13

    var nodes: [Onnx_NodeProto] {
        get { model.graph.node }
        set { model.graph.node = newValue }
    }

    /// A name that nothing in the graph has, with `stem` in it.
    mutating func name(_ stem: String) -> String {
        made += 1
        var name = "\(stem)__\(made)"
        let used = names
        while used.contains(name) {
            made += 1
            name = "\(stem)__\(made)"
        }
        return name
    }

    private var names: Set<String> {
        var names = Set(model.graph.initializer.map(\.name))
        names.formUnion(model.graph.input.map(\.name))
        for node in nodes { names.formUnion(node.output) }
        return names
    }

    /// Adds a constant under a new name. - Returns: that name.
    mutating func add(_ tensor: Onnx_TensorProto, _ stem: String) -> String {
        var tensor = tensor
        tensor.name = name(stem)
        set(tensor)
        return tensor.name
    }

    /// Adds a constant under its own name, which nothing else may have.
    mutating func set(_ tensor: Onnx_TensorProto) {
        constants[tensor.name] = tensor
        model.graph.initializer.append(tensor)
    }

    /// Removes nodes and constants that nothing uses. - Returns: how many nodes.
    @discardableResult
    mutating func removeUnused() -> Int {
        let before = nodes.count
        var needed = Set(model.graph.output.map(\.name))
        var kept: [Onnx_NodeProto] = []
        for node in nodes.reversed() where node.output.contains(where: needed.contains) {
            needed.formUnion(node.uses)
            kept.append(node)
        }
        nodes = kept.reversed()
        // What is an input, too, is its default.
        needed.formUnion(model.graph.input.map(\.name))
        model.graph.initializer.removeAll { !needed.contains($0.name) }
        constants = constants.filter { needed.contains($0.key) }
        let known = Set(nodes.flatMap(\.output)).union(model.graph.input.map(\.name))
        model.graph.valueInfo.removeAll { !known.contains($0.name) }
        return before - nodes.count
    }
}

extension Onnx_NodeProto {
    /// All values that it reads, those of its inner graphs included.
    var uses: [String] {
        var uses = input.filter { !$0.isEmpty }
        for attribute in attribute {
            for graph in (attribute.hasG ? [attribute.g] : []) + attribute.graphs {
                uses += graph.node.flatMap(\.uses) + graph.output.map(\.name)
            }
        }
        return uses
    }
}
