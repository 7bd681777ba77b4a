extension ModelManifest: Manifest {
    /// Reads and checks a model's manifest.
    ///
    /// Room: control.
    /// - Throws: `ModelsError`, naming the file, the key and the remedy.
    public static func read(path: String) throws(ModelsError) -> ModelManifest {
        try ManifestReader.read(ModelManifest.self, path: path)
    }

    /// Reads and checks the manifest beside an `.onnx` file; nil when there is none.
    ///
    /// Room: control.
    /// - Throws: `ModelsError`, also when the manifest is that of another file.
    public static func beside(model path: String) throws(ModelsError) -> ModelManifest? {
        let manifestPath = self.path(besideModel: path)
        guard BoundedFile.exists(manifestPath) else { return nil }
        let manifest = try read(path: manifestPath)
        let file = path.split(separator: "/").last.map(String.init) ?? path
        guard manifest.file == file else {
            throw ModelsError(
                .contradiction, file: manifestPath, key: "file",
                "it is the manifest of \(quoted(manifest.file)), and lies beside \(file)",
                remedy: "Rename one of the two, or export the model again")
        }
        return manifest
    }

    /// Where the manifest of the model at `path` would be.
    public static func path(besideModel path: String) -> String {
        (path.hasSuffix(".onnx") ? String(path.dropLast(5)) : path) + ".json"
    }

    /// Reads and checks a manifest's JSON.
    ///
    /// Room: control. Any bytes are safe.
    /// - Parameter file: what errors call it.
    /// - Throws: `ModelsError`, naming the file, the key and the remedy.
    public init(json bytes: [UInt8], file: String) throws(ModelsError) {
        self = try ManifestReader.decode(ModelManifest.self, bytes: bytes, file: file)
    }

    func validate(_ check: ManifestCheck) throws(ModelsError) {
        try check.name("name", name)
        try check.fileName("file", file, suffix: ".onnx")
        try check.require(
            file == name + ".onnx", "file",
            "\(quoted(file)) is not the model's name with .onnx, \(quoted(name))")
        try check.digest("sha256", sha256)
        try check.integer("sizeBytes", sizeBytes, in: 1...(1 << 40), "a file's size")
        try check.text("licence", licence, limit: 200)
        try check.texts("authors", authors)
        try check.texts("attribution", attribution)
        try validateTensors(inputs, "inputs", check)
        try validateTensors(outputs, "outputs", check)
        try validateTraining(check)
        if let leastSnrDb {
            try check.require(0...200 ~= leastSnrDb, "leastSnrDb", "\(leastSnrDb) dB is not from 0 to 200")
        }
        switch kind {
        case .streamingDecoder, .streamingEncoder:
            try validateTime(check)
            try validateStates(check)
            if kind == .streamingDecoder {
                _ = try decoderDescription(check)
            } else {
                _ = try encoderDescription(check)
            }
        case .prior: _ = try priorDescription(check)
        case .effect:
            try validateEffect(check)
            if states != nil { try validateStates(check) }
            _ = try effectDescription(check)
        case .model: break
        }
    }

    private func validateTensors(_ tensors: [TensorManifest], _ key: String, _ check: ManifestCheck)
        throws(ModelsError)
    {
        try check.require(!tensors.isEmpty, key, "the model has none")
        try check.require(tensors.count <= 1024, key, "there are more than 1024")
        for (index, tensor) in tensors.enumerated() {
            let key = "\(key)[\(index)]"
            try check.text("\(key).name", tensor.name, limit: 200)
            if let role = tensor.role { try check.text("\(key).role", role, limit: 64) }
            try check.text("\(key).type", tensor.type, limit: 64)
            if let unit = tensor.unit { try check.text("\(key).unit", unit, limit: 64) }
            try check.require(tensor.shape.count <= 8, "\(key).shape", "there are more than 8 axes")
        }
        try check.unique(key, tensors.map(\.name), "a tensor")
    }

    private func validateTraining(_ check: ManifestCheck) throws(ModelsError) {
        if let minutes = training?.minutes {
            try check.number("training.minutes", minutes, in: 0...1e9, "a time in minutes")
        }
        if let steps = training?.steps {
            try check.require(steps >= 0, "training.steps", "\(steps) is negative")
        }
        if let summary = training?.summary { try check.text("training.summary", summary, limit: 10_000) }
        if let command = training?.command { try check.text("training.command", command, limit: 10_000) }
        if let reproduce { try check.text("reproduce", reproduce, limit: 10_000) }
    }

    private func validateTime(_ check: ManifestCheck) throws(ModelsError) {
        let what = "a \(kind.rawValue)"
        guard let sampleRate else { throw check.missing("sampleRate", for: what) }
        guard let slotSamples else { throw check.missing("slotSamples", for: what) }
        guard let delaySamples else { throw check.missing("delaySamples", for: what) }
        try check.integer("sampleRate", sampleRate, in: 8000...192_000, "a sample rate in Hz")
        try check.integer("slotSamples", slotSamples, in: 1...65_536, "a number of samples")
        if let maximumSlots {
            try check.integer("maximumSlots", maximumSlots, in: 1...256, "a number of slots")
        }
        try check.integer("delaySamples", delaySamples, in: 0...sampleRate, "a delay of up to a second")
    }

    /// The most numbers of one kind that a model may make its host keep for each voice: states, noise or audio of a run.
    static let maximumValuesPerVoice = 1 << 20

    private func validateStates(_ check: ManifestCheck) throws(ModelsError) {
        guard let states else { throw check.missing("states", for: "a \(kind.rawValue)") }
        try check.require(states.count <= 256, "states", "there are more than 256")
        var values = 0
        for (index, state) in states.enumerated() {
            let key = "states[\(index)]"
            try check.text("\(key).input", state.input, limit: 200)
            try check.text("\(key).output", state.output, limit: 200)
            if let unit = state.unit { try check.text("\(key).unit", unit, limit: 64) }
            values += try sizes(of: state, key: "\(key).shape", check).reduce(1, *)
            try check.require(
                values <= Self.maximumValuesPerVoice, "states",
                "the states hold more than \(Self.maximumValuesPerVoice) values per voice")
        }
        try check.unique("states", inputs.map(\.name) + states.map(\.input), "an input")
        try check.unique("states", outputs.map(\.name) + states.map(\.output), "an output")
    }

    /// A state's shape without the batch axis.
    func sizes(of state: StateManifest, key: String, _ check: ManifestCheck) throws(ModelsError) -> [Int] {
        // An effect runs one sound at a time.
        guard state.shape.first.map({ $0.isBatch(mayBeOne: kind == .effect) }) == true else {
            throw check.refusal(key, "the first axis of \(state.shape.text) is not the batch")
        }
        try check.require(state.shape.count <= 8, key, "there are more than 8 axes")
        var sizes: [Int] = []
        var count = 1
        for axis in state.shape.dropFirst() {
            guard case .fixed(let size) = axis else {
                throw check.refusal(key, "only the first axis of \(state.shape.text) may be dynamic")
            }
            sizes.append(size)
            let (product, overflow) = count.multipliedReportingOverflow(by: size)
            try check.require(
                !overflow && product <= 1 << 24, key, "\(state.shape.text) is too large for a state")
            count = product
        }
        return sizes
    }

    func tensor(_ name: String, in tensors: [TensorManifest], _ key: String, _ check: ManifestCheck)
        throws(ModelsError) -> TensorManifest
    {
        guard let tensor = tensors.first(where: { $0.name == name }) else {
            throw check.refusal(key, "there is no tensor \(quoted(name)), which a \(kind.rawValue) has")
        }
        guard tensor.role == nil || tensor.role == name else {
            throw check.refusal(
                key, "the tensor \(quoted(name)) has the role \(quoted(tensor.role ?? "")), and not its own")
        }
        guard tensor.type == "float32" else {
            throw check.refusal(key, "the tensor \(quoted(name)) is \(quoted(tensor.type)), and not float32")
        }
        return tensor
    }

    func wrongShape(_ tensor: TensorManifest, _ shape: String, _ check: ManifestCheck) -> ModelsError {
        check.refusal(
            inputs.contains(tensor) ? "inputs" : "outputs",
            "the tensor \(quoted(tensor.name)) has the shape \(tensor.shape.text), and a \(kind.rawValue) has \(shape)"
        )
    }
}
