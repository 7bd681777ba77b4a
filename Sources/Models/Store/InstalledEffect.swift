public import Streaming

/// A model that sound can be sent through, or an encoder and its decoder: their bytes verified, their manifests read.
public struct InstalledEffect: Sendable, Equatable {
    /// One after the other.
    public let models: [InstalledModel]
    public let description: EffectDescription

    /// Finds the model's manifest beside it, and the decoder that it names in its folder.
    ///
    /// Room: control; reads every model's file once.
    /// - Parameters:
    ///   - path: an `.onnx` file.
    ///   - hop: samples of a run in place of the manifest's, where the model leaves them open.
    /// - Throws: `fileNotFound`, `digestMismatch`, `contradiction`, and what reading a manifest throws.
    public init(model path: String, hop: Int? = nil) throws(ModelsError) {
        let first = try Self.installed(path)
        let part = try first.manifest.effectDescription(hop: hop)
        switch first.manifest.method ?? .forward {
        case .forward: (models, description) = ([first], part)
        case .decode:
            throw ModelsError(
                .contradiction, file: path, key: "method", "this is the decoder of an effect",
                remedy: "Name the encoder that it belongs to")
        case .encode:
            guard let reference = first.manifest.decoder else {
                throw ModelsError(
                    .missingKey, file: ModelManifest.path(besideModel: path), key: "decoder",
                    "the model makes latents, and nothing says what makes audio of them",
                    remedy: "Name the decoder; Documentation/Models.md lists the keys")
            }
            let folder = path.split(separator: "/", omittingEmptySubsequences: false).dropLast()
            let second = try Self.installed(
                (folder.map(String.init) + [reference.file]).joined(separator: "/"))
            guard second.manifest.sha256.lowercased() == reference.sha256.lowercased() else {
                throw ModelsError(
                    .contradiction, file: ModelManifest.path(besideModel: path), key: "decoder.sha256",
                    "it is not the SHA-256 in \(second.manifest.name).json",
                    remedy: "Install both models again")
            }
            models = [first, second]
            description = try Self.joined(part, second.manifest.effectDescription(hop: hop), path)
        }
    }

    private static func installed(_ path: String) throws(ModelsError) -> InstalledModel {
        guard BoundedFile.exists(path) else {
            throw ModelsError(
                .fileNotFound, file: path, "there is no such file",
                remedy: "Check the path, or install the model again")
        }
        guard let manifest = try ModelManifest.beside(model: path) else {
            throw ModelsError(
                .fileNotFound, file: ModelManifest.path(besideModel: path),
                "the model's manifest is missing, and without it nobody knows how sound goes through the model",
                remedy: "Put it back, or write one; Documentation/Models.md lists the keys of an effect")
        }
        try manifest.verify(path)
        return InstalledModel(path: path, manifest: manifest)
    }

    /// An encoder's part and its decoder's as one effect.
    private static func joined(
        _ encoder: EffectDescription, _ decoder: EffectDescription, _ path: String
    ) throws(ModelsError) -> EffectDescription {
        func refusal(_ what: String, _ theirs: Any, _ ours: Any) -> ModelsError {
            ModelsError(
                .contradiction, file: path, key: "decoder",
                "the encoder has \(what) \(theirs), and the decoder \(ours)",
                remedy: "Name an encoder and a decoder that were made together")
        }
        for (what, theirs, ours) in [
            ("a rate in Hz of", encoder.sampleRate ?? 0, decoder.sampleRate ?? 0),
            ("hops of", encoder.hop, decoder.hop),
        ] where theirs != ours { throw refusal(what, theirs, ours) }
        let (latent, taken) = (encoder.methods[0].output.shape, decoder.methods[0].input.shape)
        guard latent == taken else { throw refusal("latents of", latent, taken) }
        guard encoder.channels == decoder.channels else {
            throw refusal("channels,", encoder.channels, decoder.channels)
        }
        guard !decoder.overlapsAndAdds || decoder.window == encoder.window else {
            throw refusal("windows of", encoder.window, decoder.window)
        }
        var effect = encoder
        effect.overlapsAndAdds = decoder.overlapsAndAdds
        effect.delaySamples += decoder.delaySamples
        effect.methods += decoder.methods
        return effect
    }
}
