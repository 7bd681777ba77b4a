public import Streaming

extension ModelManifest {
    /// What a host must know to run this streaming decoder.
    ///
    /// - Throws: `ModelsError` when the manifest is of another kind.
    public func decoderDescription() throws(ModelsError) -> StreamingDecoderDescription {
        try decoderDescription(ManifestCheck(file: file))
    }

    /// What a host must know to run this streaming encoder.
    ///
    /// - Throws: `ModelsError` when the manifest is of another kind.
    public func encoderDescription() throws(ModelsError) -> StreamingEncoderDescription {
        try encoderDescription(ManifestCheck(file: file))
    }

    /// What a host must know to run this prior.
    ///
    /// - Throws: `ModelsError` when the manifest is of another kind.
    public func priorDescription() throws(ModelsError) -> PriorDescription {
        try priorDescription(ManifestCheck(file: file))
    }

    func require(_ wanted: Kind, _ check: ManifestCheck) throws(ModelsError) {
        guard kind == wanted else {
            throw check.refusal(
                "kind", "the model is a \(kind.rawValue), and not a \(wanted.rawValue)",
                remedy: "Name a \(wanted.rawValue)")
        }
    }

    func decoderDescription(_ check: ManifestCheck) throws(ModelsError) -> StreamingDecoderDescription {
        try require(.streamingDecoder, check)
        guard let maximumSlots else { throw check.missing("maximumSlots", for: "a \(kind.rawValue)") }
        guard let sampleRate, let slotSamples, let delaySamples, let states else {
            throw check.missing("slotSamples", for: "a \(kind.rawValue)")
        }
        let latent = try tensor("latent", in: inputs, "inputs", check)
        let pitch = try tensor("pitch", in: inputs, "inputs", check)
        let noise = try tensor("noise", in: inputs, "inputs", check)
        let audio = try tensor("audio", in: outputs, "outputs", check)
        guard let latentSize = channels(of: latent, perSlot: 1)?.channels else {
            throw wrongShape(latent, "[batch, latent size, slots]", check)
        }
        guard channels(of: pitch, perSlot: 1)?.channels == 1 else {
            throw wrongShape(pitch, "[batch, 1, slots]", check)
        }
        guard let bands = channels(of: noise), 1...1024 ~= bands.channels, 1...1024 ~= bands.perSlot else {
            throw wrongShape(noise, "[batch, bands, frames*slots]", check)
        }
        guard channels(of: audio, perSlot: slotSamples)?.channels == 1 else {
            throw wrongShape(audio, "[batch, 1, \(slotSamples)*slots]", check)
        }
        try check.require(latentSize <= 4096, "inputs", "a latent of \(latentSize) values is too large")
        let limit = Self.maximumValuesPerVoice
        let noisePerRun = bands.channels * bands.perSlot * maximumSlots
        try check.require(
            noisePerRun <= limit, "inputs",
            "a run of \(maximumSlots) slots takes \(noisePerRun) values of noise per voice, more than \(limit)"
        )
        let samplesPerRun = slotSamples * maximumSlots
        try check.require(
            samplesPerRun <= limit, "maximumSlots",
            "a run of \(maximumSlots) slots gives \(samplesPerRun) samples per voice, more than \(limit)")
        try check.require(
            inputs.count == 3, "inputs", "a \(kind.rawValue) has latent, pitch, noise and its states")
        try check.require(outputs.count == 1, "outputs", "a \(kind.rawValue) has audio and its states")
        return StreamingDecoderDescription(
            sampleRate: sampleRate, slotSamples: slotSamples, maximumSlots: maximumSlots,
            delaySamples: delaySamples,
            latentSize: latentSize, noiseBands: bands.channels, noiseFramesPerSlot: bands.perSlot,
            states: try descriptions(of: states, check))
    }

    func encoderDescription(_ check: ManifestCheck) throws(ModelsError) -> StreamingEncoderDescription {
        try require(.streamingEncoder, check)
        let audio = try tensor("audio", in: inputs, "inputs", check)
        let latent = try tensor("latent", in: outputs, "outputs", check)
        guard let sampleRate, let slotSamples, let states, let latentSamples else {
            throw check.missing("latentSamples", for: "a \(kind.rawValue)")
        }
        try check.integer("latentSamples", latentSamples, in: 1...1_048_576, "a number of samples")
        try check.require(
            latentSamples.isMultiple(of: slotSamples), "latentSamples",
            "\(latentSamples) is not a multiple of slotSamples, \(slotSamples)")
        guard channels(of: audio, perSlot: latentSamples)?.channels == 1 else {
            throw wrongShape(audio, "[batch, 1, \(latentSamples)*latents]", check)
        }
        guard let latentSize = channels(of: latent, perSlot: 1)?.channels else {
            throw wrongShape(latent, "[batch, latent size, latents]", check)
        }
        try check.require(latentSize <= 4096, "outputs", "a latent of \(latentSize) values is too large")
        try check.require(inputs.count == 1, "inputs", "a \(kind.rawValue) has audio and its states")
        try check.require(outputs.count == 1, "outputs", "a \(kind.rawValue) has latent and its states")
        for (index, channel) in (noteChannels ?? []).enumerated() {
            try check.integer(
                "noteChannels[\(index)]", channel, in: 0...latentSize - 1, "a channel of the latent")
        }
        return StreamingEncoderDescription(
            sampleRate: sampleRate, latentSamples: latentSamples, latentSize: latentSize,
            states: try descriptions(of: states, check), noteChannels: noteChannels ?? [])
    }

    func descriptions(of states: [StateManifest], _ check: ManifestCheck)
        throws(ModelsError) -> [StateDescription]
    {
        var descriptions: [StateDescription] = []
        for (index, state) in states.enumerated() {
            descriptions.append(
                StateDescription(
                    input: state.input, output: state.output,
                    shape: try sizes(of: state, key: "states[\(index)].shape", check)))
        }
        return descriptions
    }

    func priorDescription(_ check: ManifestCheck) throws(ModelsError) -> PriorDescription {
        try require(.prior, check)
        guard let columns else { throw check.missing("columns", for: "a prior") }
        guard let instruments else { throw check.missing("instruments", for: "a prior") }
        try check.require(
            1...4096 ~= columns.count, "columns", "a prior has 1…4096 columns, not \(columns.count)")
        try check.unique("columns", columns, "a column")
        try check.unique("instruments", instruments, "an instrument")
        for (index, name) in instruments.enumerated() {
            try check.name("instruments[\(index)]", name)
            let column = PriorDescription.column(ofInstrument: name)
            try check.require(
                columns.contains(column), "instruments[\(index)]", "there is no column \(quoted(column))")
        }
        for (index, column) in columns.enumerated() {
            let isKnown =
                PriorDescription.noteColumns.contains(column)
                || instruments.contains { column == PriorDescription.column(ofInstrument: $0) }
            guard isKnown else {
                throw check.refusal(
                    "columns[\(index)]", "this echoel does not know the column \(quoted(column))",
                    remedy: "Update echoel, or list the instrument that the column stands for")
            }
        }
        let note = try tensor("note", in: inputs, "inputs", check)
        let latent = try tensor("latent", in: outputs, "outputs", check)
        guard note.shape.count == 2, case .dynamic(1, _) = note.shape[0],
            note.shape[1] == .fixed(columns.count)
        else { throw wrongShape(note, "[batch, \(columns.count)] for its \(columns.count) columns", check) }
        guard latent.shape.count == 2, case .dynamic(1, _) = latent.shape[0],
            case .fixed(let size) = latent.shape[1],
            size <= 4096
        else { throw wrongShape(latent, "[batch, latent size]", check) }
        try check.require(inputs.count == 1, "inputs", "a prior has one input")
        try check.require(outputs.count == 1, "outputs", "a prior has one output")
        return PriorDescription(columns: columns, latentSize: size)
    }

    /// The channels and the values per slot of a `[batch, channels, values*slots]` tensor.
    private func channels(of tensor: TensorManifest) -> (channels: Int, perSlot: Int)? {
        guard tensor.shape.count == 3, case .dynamic(1, _) = tensor.shape[0],
            case .fixed(let channels) = tensor.shape[1], case .dynamic(let perSlot, _) = tensor.shape[2]
        else { return nil }
        return (channels, perSlot)
    }

    private func channels(of tensor: TensorManifest, perSlot: Int) -> (channels: Int, perSlot: Int)? {
        channels(of: tensor).flatMap { $0.perSlot == perSlot ? $0 : nil }
    }
}
