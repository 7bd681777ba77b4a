public import Streaming

extension ModelManifest {
    /// What a host must know to send sound through this model, or to run its half of an encoder and a decoder.
    ///
    /// - Parameter hop: samples of a run in place of the manifest's `hopSamples`, where the model leaves them open.
    /// - Throws: `ModelsError` when the manifest is of another kind, or its shapes do not allow such hops.
    public func effectDescription(hop: Int? = nil) throws(ModelsError) -> EffectDescription {
        try effectDescription(ManifestCheck(file: file), hop: hop)
    }

    func validateEffect(_ check: ManifestCheck) throws(ModelsError) {
        guard let sampleRate else { throw check.missing("sampleRate", for: "an effect") }
        guard let hopSamples else { throw check.missing("hopSamples", for: "an effect") }
        guard let delaySamples else { throw check.missing("delaySamples", for: "an effect") }
        try check.integer("sampleRate", sampleRate, in: 8000...192_000, "a sample rate in Hz")
        try check.integer("hopSamples", hopSamples, in: 1...65_536, "a number of samples")
        try check.integer("delaySamples", delaySamples, in: 0...65_536, "a number of samples")
        if let windowSamples {
            try check.integer(
                "windowSamples", windowSamples, in: hopSamples...131_072, "a window of a hop or more")
        }
        if let decoder {
            try check.require(method == .encode, "decoder", "only a model that encodes has a decoder")
            try check.fileName("decoder.file", decoder.file, suffix: ".onnx")
            try check.digest("decoder.sha256", decoder.sha256)
        }
    }

    func effectDescription(
        _ check: ManifestCheck, hop wanted: Int? = nil
    ) throws(ModelsError) -> EffectDescription {
        try require(.effect, check)
        guard let sampleRate, let hopSamples, let delaySamples else {
            throw check.missing("hopSamples", for: "an effect")
        }
        let method = method ?? .forward
        let hop = wanted ?? hopSamples
        let window = windowSamples ?? hop
        try check.require(
            wanted == nil || wanted == hopSamples || windowSamples == nil, "hopSamples",
            "windows of \(window) samples go with hops of \(hopSamples), not \(hop)")
        let input = try only(inputs, "inputs", method == .decode ? "latent" : "audio", check)
        let output = try only(outputs, "outputs", method == .encode ? "latent" : "audio", check)
        var sizes: [String: Int] = [:]
        var channels = 1
        if method != .decode { channels = try bind(input, "inputs", samples: window, &sizes, check) }
        if method != .encode {
            let given = try bind(
                output, "outputs", samples: overlapAdd == true ? window : hop, &sizes, check)
            try check.require(
                method == .decode || given == channels, "outputs",
                "\(given) channels go out, and \(channels) come in")
            channels = given
        }
        return EffectDescription(
            sampleRate: sampleRate, channels: channels, hop: hop, window: window,
            overlapsAndAdds: overlapAdd ?? false, delaySamples: delaySamples,
            methods: [
                .init(
                    input: try resolved(input, "inputs", sizes, check),
                    output: try resolved(output, "outputs", sizes, check),
                    states: try descriptions(of: states ?? [], check))
            ])
    }

    private func only(
        _ tensors: [TensorManifest], _ key: String, _ role: String, _ check: ManifestCheck
    ) throws(ModelsError) -> TensorManifest {
        guard tensors.count == 1, (tensors[0].role ?? tensors[0].name) == role else {
            throw check.refusal(
                key,
                "an effect that does \((method ?? .forward).rawValue) has one tensor of the role \(role) there"
            )
        }
        guard tensors[0].type == "float32" else {
            throw check.refusal(
                key, "the tensor \(quoted(tensors[0].name)) is \(quoted(tensors[0].type)), and not float32")
        }
        return tensors[0]
    }

    /// The channels of an audio tensor; what its last axis is called then has a size.
    private func bind(
        _ audio: TensorManifest, _ key: String, samples: Int, _ sizes: inout [String: Int],
        _ check: ManifestCheck
    ) throws(ModelsError) -> Int {
        guard audio.shape.count == 3, case .fixed(let channels) = audio.shape[1], 1...16 ~= channels else {
            throw wrongShape(audio, "[batch, 1 to 16 channels, samples]", check)
        }
        switch audio.shape[2] {
        case .fixed(let size):
            try check.require(
                size == samples, key, "\(quoted(audio.name)) has \(size) samples, and a run \(samples)")
        case .dynamic(let factor, let name):
            try check.require(
                samples.isMultiple(of: factor), key,
                "\(samples) samples of \(quoted(audio.name)) are no multiple of \(factor)")
            let size = samples / factor
            try check.require(
                sizes.updateValue(size, forKey: name) ?? size == size, key,
                "\(quoted(name)) cannot be two sizes, one for the window and one for the hop")
        }
        return channels
    }

    /// A tensor's shape in a run of one hop of one sound.
    private func resolved(
        _ tensor: TensorManifest, _ key: String, _ sizes: [String: Int], _ check: ManifestCheck
    ) throws(ModelsError) -> EffectDescription.Tensor {
        guard tensor.shape.first?.isBatch(mayBeOne: true) == true else {
            throw wrongShape(tensor, "the batch as its first axis", check)
        }
        var shape = [1]
        var count = 1
        for axis in tensor.shape.dropFirst() {
            let size: Int
            switch axis {
            case .fixed(let fixed): size = fixed
            case .dynamic(let factor, let name):
                guard let bound = sizes[name] else {
                    throw check.refusal(key, "nothing says how large the axis \(quoted(name)) is")
                }
                size = factor.multipliedReportingOverflow(by: bound).partialValue
            }
            let (product, overflow) = count.multipliedReportingOverflow(by: size)
            try check.require(
                size > 0 && !overflow && product <= 16 * 131_072, key,
                "the tensor \(quoted(tensor.name)) of \(tensor.shape.text) is too large for a run")
            count = product
            shape.append(size)
        }
        return .init(name: tensor.name, shape: shape)
    }
}
