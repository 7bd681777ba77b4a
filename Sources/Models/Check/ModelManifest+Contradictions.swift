public import Inference

/// A statement of a manifest that its model disproves.
public struct Contradiction: Sendable, Equatable, CustomStringConvertible {
    /// The tensor's name.
    public let tensor: String
    /// Such as: `the input “latent” is [batch, 64, slots] in the model, and [batch, 128, slots] in the manifest`.
    public let description: String
}

extension ModelManifest {
    /// Everything that the manifest says of the tensors and the model disproves; empty when they agree.
    ///
    /// An axis that the manifest fixes must have that size, or be dynamic, in the model; an axis that the manifest
    /// leaves open must be dynamic in an input. The names of dynamic axes are not compared.
    public func contradictions(inputs: [TensorInfo], outputs: [TensorInfo]) -> [Contradiction] {
        let states = states ?? []
        let stateInputs = states.map { TensorManifest(name: $0.input, shape: $0.shape) }
        let stateOutputs = states.map { TensorManifest(name: $0.output, shape: $0.shape) }
        return compare(self.inputs + stateInputs, inputs, "input", mustStayOpen: true)
            + compare(self.outputs + stateOutputs, outputs, "output", mustStayOpen: false)
    }

    /// Compares what the model's custom metadata says of keys that shapes cannot tell, where it says anything.
    ///
    /// Numbers are decimal: `sampleRate`, `slotSamples`, `maximumSlots`, `latentSamples`, `delaySamples`, `hopSamples`,
    /// `windowSamples`; `overlapAdd` is true or false; `method` is its name. A prior's
    /// `columns` are their names in order, separated by commas.
    /// - Throws: `contradiction`, naming the key and both values.
    public func check(metadata: [String: String], file: String) throws(ModelsError) {
        func compare(_ key: String, _ value: String, _ real: String) throws(ModelsError) {
            guard real != value else { return }
            throw ModelsError(
                .contradiction, file: file, key: key,
                "the manifest contradicts its model: \(quoted(value)) in the manifest, and \(quoted(real)) in the model",
                remedy: "Export the model again, or give the manifest the model's value")
        }
        for (key, value) in [
            ("sampleRate", sampleRate), ("slotSamples", slotSamples), ("maximumSlots", maximumSlots),
            ("latentSamples", latentSamples), ("delaySamples", delaySamples), ("hopSamples", hopSamples),
            ("windowSamples", windowSamples),
        ] {
            if let value, let real = metadata[key] { try compare(key, "\(value)", real) }
        }
        for (key, value) in [("overlapAdd", overlapAdd.map { "\($0)" }), ("method", method?.rawValue)] {
            if let value, let real = metadata[key] { try compare(key, value, real) }
        }
        guard let columns, let real = metadata["columns"] else { return }
        let names = real.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
        try compare("columns", "\(columns.count) columns", "\(names.count) columns")
        for (index, (name, real)) in zip(columns, names).enumerated() {
            try compare("columns[\(index)]", name, real)
        }
    }

    /// - Throws: `contradiction`, naming the first tensor, or the first key of the model's metadata, that differs.
    public func check(against session: Session) throws(ModelsError) {
        try check(
            metadata: session.metadata, file: session.path.map(Self.path(besideModel:)) ?? "\(name).json")
        let found = contradictions(inputs: session.inputs, outputs: session.outputs)
        guard let first = found.first else { return }
        let others = found.count > 1 ? ", and \(found.count - 1) more" : ""
        throw ModelsError(
            .contradiction, file: session.path.map(Self.path(besideModel:)) ?? "\(name).json",
            "the manifest contradicts its model: \(first.description)\(others)",
            remedy: "Export the model again, or correct the manifest")
    }

    private func compare(
        _ promised: [TensorManifest], _ actual: [TensorInfo], _ kind: String, mustStayOpen: Bool
    ) -> [Contradiction] {
        var found: [Contradiction] = []
        for tensor in promised {
            guard let real = actual.first(where: { $0.name == tensor.name }) else {
                let names = actual.map { quoted($0.name) }.joined(separator: ", ")
                found.append(
                    Contradiction(
                        tensor: tensor.name,
                        description: "the model has no \(kind) \(quoted(tensor.name)); it has \(names)"))
                continue
            }
            let name = "the \(kind) \(quoted(tensor.name))"
            if real.elementType.name != tensor.type {
                found.append(
                    Contradiction(
                        tensor: tensor.name,
                        description:
                            "\(name) is \(real.elementType.name) in the model, and \(tensor.type) in the manifest"
                    ))
            }
            if !Self.agree(tensor.shape, real.shape, mustStayOpen: mustStayOpen) {
                let shape = real.shape.map(\.description).joined(separator: ", ")
                found.append(
                    Contradiction(
                        tensor: tensor.name,
                        description:
                            "\(name) is [\(shape)] in the model, and \(tensor.shape.text) in the manifest"))
            }
        }
        for real in actual where !promised.contains(where: { $0.name == real.name }) {
            found.append(
                Contradiction(
                    tensor: real.name,
                    description: "the model's \(kind) \(quoted(real.name)) is not in the manifest"))
        }
        return found
    }

    private static func agree(_ promised: [Axis], _ actual: [Dimension], mustStayOpen: Bool) -> Bool {
        guard promised.count == actual.count else { return false }
        return zip(promised, actual).allSatisfy { promised, actual in
            switch (promised, actual) {
            case (.fixed(let size), .fixed(let real)): size == real
            case (.fixed, .dynamic), (.dynamic, .dynamic): true
            case (.dynamic, .fixed): !mustStayOpen
            }
        }
    }
}
