internal import Streaming

/// An instrument with its models found, their bytes verified and their manifests read.
public struct InstalledInstrument: Sendable, Equatable {
    public let manifest: InstrumentManifest
    public let decoder: InstalledModel
    public let prior: InstalledModel
    /// Nil when the instrument has none, or nobody asked for it.
    public let encoder: InstalledModel?
}

/// A model whose file is the one that its manifest describes.
public struct InstalledModel: Sendable, Equatable {
    /// The `.onnx` file.
    public let path: String
    public let manifest: ModelManifest
}

extension ModelStore {
    /// Finds an instrument's models, verifies their sizes and SHA-256, and checks that they fit one another.
    ///
    /// Reads every model's file once.
    /// - Parameter withEncoder: whether the encoder, which playing does not need, is looked at too.
    /// - Throws: `fileNotFound`, `digestMismatch`, `contradiction`, and what reading a manifest throws.
    public func verify(
        _ instrument: InstrumentManifest, withEncoder: Bool = false
    ) throws(ModelsError) -> InstalledInstrument {
        let file = "\(neuralSynthFolder)/\(instrument.name)\(InstrumentManifest.fileSuffix)"
        let decoder = try model(instrument.decoder, "decoder", of: instrument, kind: .streamingDecoder, file)
        let prior = try model(instrument.prior, "prior", of: instrument, kind: .prior, file)
        var encoder: InstalledModel?
        if withEncoder, let reference = instrument.encoder {
            let model = try model(reference, "encoder", of: instrument, kind: .streamingEncoder, file)
            try check(model.manifest, fits: decoder.manifest, file: file)
            encoder = model
        }
        try checkColumns(of: instrument, in: prior.manifest, file: file)
        let sizes = (
            try decoder.manifest.decoderDescription().latentSize,
            try prior.manifest.priorDescription().latentSize
        )
        guard sizes.0 == sizes.1 else {
            throw ModelsError(
                .contradiction, file: file, key: "prior",
                "\(prior.manifest.file) gives latents of \(sizes.1) values, and \(decoder.manifest.file) takes \(sizes.0)",
                remedy: "Name a prior and a decoder that were trained together")
        }
        return InstalledInstrument(manifest: instrument, decoder: decoder, prior: prior, encoder: encoder)
    }

    /// Checks that an encoder gives what a decoder takes.
    private func check(
        _ encoder: ModelManifest, fits decoder: ModelManifest, file: String
    ) throws(ModelsError) {
        let (theirs, ours) = (try encoder.encoderDescription(), try decoder.decoderDescription())
        let fits =
            theirs.sampleRate == ours.sampleRate && theirs.latentSize == ours.latentSize
            && theirs.latentSamples.isMultiple(of: ours.slotSamples)
        guard fits else {
            throw ModelsError(
                .contradiction, file: file, key: "encoder",
                "\(encoder.file) gives \(theirs.latentSize) values for \(theirs.latentSamples) samples at "
                    + "\(theirs.sampleRate) Hz, and \(decoder.file) takes \(ours.latentSize) for "
                    + "\(ours.slotSamples) at \(ours.sampleRate) Hz",
                remedy: "Name an encoder and a decoder that were trained together")
        }
    }

    /// Checks that the instrument's keys and the prior's columns stand for one another.
    private func checkColumns(
        of instrument: InstrumentManifest, in prior: ModelManifest, file: String
    ) throws(ModelsError) {
        let names = prior.instruments ?? []
        if let name = instrument.instrument {
            guard names.contains(name) else {
                throw ModelsError(
                    .contradiction, file: file, key: "instrument",
                    "the prior \(prior.file) has no column for \(quoted(name))",
                    remedy: names.isEmpty
                        ? "Remove the key: the prior plays one instrument"
                        : "Name one of its instruments: \(names.joined(separator: ", "))")
            }
        } else if !names.isEmpty {
            throw ModelsError(
                .missingKey, file: file, key: "instrument",
                "the key is missing, and the prior \(prior.file) plays several instruments",
                remedy: "Name one of them: \(names.joined(separator: ", "))")
        }
        guard instrument.temperature == nil || prior.columns?.contains("temperature") == true else {
            throw ModelsError(
                .contradiction, file: file, key: "temperature",
                "the prior \(prior.file) has no column temperature",
                remedy: "Remove the key, or name a prior that has the column")
        }
    }

    /// Checks that the card that an instrument names lies beside it; playing does not need it.
    ///
    /// - Throws: `fileNotFound`.
    public func checkCard(of instrument: InstrumentManifest) throws(ModelsError) {
        guard let card = instrument.card else { return }
        let path = "\(neuralSynthFolder)/\(card)"
        guard BoundedFile.exists(path) else {
            throw ModelsError(
                .fileNotFound, file: path,
                "the card is missing, and the instrument \(instrument.name) names it",
                remedy:
                    "Put it back, or remove the key card from \(instrument.name)\(InstrumentManifest.fileSuffix)"
            )
        }
    }

    private func model(
        _ reference: InstrumentManifest.ModelReference, _ key: String, of instrument: InstrumentManifest,
        kind: ModelManifest.Kind, _ file: String
    ) throws(ModelsError) -> InstalledModel {
        let path = "\(neuralSynthFolder)/\(reference.file)"
        guard BoundedFile.exists(path) else {
            throw ModelsError(
                .fileNotFound, file: path,
                "the file is missing, and the instrument \(instrument.name) needs it",
                remedy: "Put it back, or install the models again")
        }
        guard let manifest = try ModelManifest.beside(model: path) else {
            throw ModelsError(
                .fileNotFound, file: ModelManifest.path(besideModel: path),
                "the model's manifest is missing, and the instrument \(instrument.name) needs it",
                remedy: "Put it back, or install the models again")
        }
        guard manifest.kind == kind else {
            throw ModelsError(
                .contradiction, file: file, key: "\(key).file",
                "\(reference.file) is a \(manifest.kind.rawValue), and not a \(kind.rawValue)",
                remedy: "Name a \(kind.rawValue)")
        }
        guard manifest.sha256.lowercased() == reference.sha256.lowercased() else {
            throw ModelsError(
                .contradiction, file: file, key: "\(key).sha256",
                "it is not the SHA-256 in \(manifest.name).json", remedy: "Install the models again")
        }
        try manifest.verify(path)
        return InstalledModel(path: path, manifest: manifest)
    }
}

extension ModelManifest {
    /// Checks that the file at `path` is the one that this manifest describes, by size and SHA-256.
    ///
    /// Room: control; reads the whole file.
    /// - Throws: `digestMismatch`, `fileNotFound`, `unreadable`.
    public func verify(_ path: String) throws(ModelsError) {
        let digest = try FileDigest(of: path)
        guard digest.sizeBytes == sizeBytes else {
            throw ModelsError(
                .digestMismatch, file: path,
                "the file has \(digest.sizeBytes) bytes, and its manifest says \(sizeBytes)",
                remedy: "Download or export the model again")
        }
        guard digest.sha256 == sha256.lowercased() else {
            throw ModelsError(
                .digestMismatch, file: path,
                "the file's SHA-256 is \(digest.sha256), and its manifest says \(sha256)",
                remedy: "Download or export the model again")
        }
    }
}
