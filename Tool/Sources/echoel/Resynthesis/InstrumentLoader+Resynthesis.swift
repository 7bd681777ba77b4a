import Inference
import Models
import Streaming

extension InstrumentLoader {
    /// The instrument's encoder and decoder, and what its prior says of whole notes where the encoder asks for it.
    ///
    /// - Throws: `unusable` when it has no encoder; `ModelsError`, `InferenceError`.
    mutating func resynthesizer(of manifest: InstrumentManifest) throws -> (Resynthesizer, NoteLatents?) {
        let installed = try store.verify(manifest, withEncoder: true)
        guard let encoder = installed.encoder else {
            throw ToolError(
                .unusable,
                "The instrument \(manifest.name) has no encoder, which takes recordings. Choose another, or add the "
                    + "key encoder to \(manifest.name)\(InstrumentManifest.fileSuffix).")
        }
        let resynthesizer = try Resynthesizer(
            encoder: try open(encoder), encoderDescription: try encoder.manifest.encoderDescription(),
            decoder: try open(installed.decoder),
            decoderDescription: try installed.decoder.manifest.decoderDescription())
        guard !resynthesizer.noteChannels.isEmpty else { return (resynthesizer, nil) }
        return (resynthesizer, try NoteLatents(of: try load(manifest)))
    }
}
