extension ModelManifest {
    init(_ node: JSONNode) throws(ModelsError) {
        formatVersion = try node.member("formatVersion").integer()
        let kindNode = try node.member("kind")
        let kindName = try kindNode.text()
        guard let kind = Kind(rawValue: kindName) else {
            let known = Kind.allCases.map(\.rawValue).joined(separator: ", ")
            throw kindNode.invalid("\(quoted(kindName)) is no kind of model that this echoel knows: \(known)")
        }
        self.kind = kind
        name = try node.member("name").text()
        file = try node.member("file").text()
        sha256 = try node.member("sha256").text()
        sizeBytes = try node.member("sizeBytes").integer()
        licence = try node.member("licence").text()
        authors = try node.member("authors").texts()
        attribution = try node.optional("attribution")?.texts()
        sampleRate = try node.optional("sampleRate")?.integer()
        slotSamples = try node.optional("slotSamples")?.integer()
        maximumSlots = try node.optional("maximumSlots")?.integer()
        latentSamples = try node.optional("latentSamples")?.integer()
        noteChannels = try node.optional("noteChannels")?.map { node throws(ModelsError) in try node.integer()
        }
        delaySamples = try node.optional("delaySamples")?.integer()
        method = try Self.method(node)
        hopSamples = try node.optional("hopSamples")?.integer()
        windowSamples = try node.optional("windowSamples")?.integer()
        overlapAdd = try node.optional("overlapAdd")?.bool()
        decoder = try node.optional("decoder").map(InstrumentManifest.ModelReference.init)
        inputs = try node.member("inputs").map(TensorManifest.init)
        outputs = try node.member("outputs").map(TensorManifest.init)
        states = try node.optional("states")?.map(StateManifest.init)
        columns = try node.optional("columns")?.texts()
        instruments = try node.optional("instruments")?.texts()
        leastSnrDb = try node.optional("leastSnrDb")?.number()
        training = try node.optional("training").map(Training.init)
        quality = try node.optional("quality")?.object()
        reproduce = try node.optional("reproduce")?.text()
    }

    private static func method(_ node: JSONNode) throws(ModelsError) -> Method? {
        guard let node = try node.optional("method") else { return nil }
        let name = try node.text()
        guard let method = Method(rawValue: name) else {
            let known = Method.allCases.map(\.rawValue).joined(separator: ", ")
            throw node.invalid("\(quoted(name)) is nothing that an effect's model does: \(known)")
        }
        return method
    }
}

extension Optional {
    /// `Optional.map` keeps no typed error.
    fileprivate func map<T>(_ transform: (Wrapped) throws(ModelsError) -> T) throws(ModelsError) -> T? {
        guard let self else { return nil }
        return try transform(self)
    }
}

extension ModelManifest.Training {
    init(_ node: JSONNode) throws(ModelsError) {
        summary = try node.optional("summary")?.text()
        command = try node.optional("command")?.text()
        minutes = try node.optional("minutes")?.number()
        steps = try node.optional("steps")?.integer()
    }
}

extension TensorManifest {
    init(_ node: JSONNode) throws(ModelsError) {
        name = try node.member("name").text()
        role = try node.optional("role")?.text()
        shape = try node.member("shape").map(Axis.init)
        type = try node.member("type").text()
        unit = try node.optional("unit")?.text()
    }
}

extension StateManifest {
    init(_ node: JSONNode) throws(ModelsError) {
        input = try node.member("input").text()
        output = try node.member("output").text()
        shape = try node.member("shape").map(Axis.init)
        unit = try node.optional("unit")?.text()
    }
}

extension Axis {
    init(_ node: JSONNode) throws(ModelsError) {
        switch node.value {
        case .number(let number):
            guard let size = Int(exactly: number), let axis = Axis(size: size) else {
                throw node.invalid(Self.rule)
            }
            self = axis
        case .text(let text):
            guard let axis = Axis(text) else { throw node.invalid(Self.rule) }
            self = axis
        default: throw node.invalid(Self.rule)
        }
    }
}
