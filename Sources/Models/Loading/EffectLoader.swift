public import Inference
public import Streaming

/// Opens models that sound is sent through.
///
/// Room: control.
public enum EffectLoader {
    /// An effect by its manifest, whose files are verified and compared with it.
    ///
    /// - Parameters:
    ///   - path: of an `.onnx` file with its manifest beside it.
    ///   - hop: samples of a run, where the model leaves them open.
    /// - Throws: `ModelsError`, `InferenceError`.
    public static func model(
        _ runtime: OnnxRuntime, _ path: String, hop: Int?, _ options: SessionOptions
    ) throws -> EffectModel {
        let effect = try InstalledEffect(model: path, hop: hop)
        let sessions = try effect.models.map { model in
            let session = try Session(runtime, model: model.path, options: options)
            try model.manifest.check(against: session)
            return session
        }
        return try EffectModel(sessions, effect.description)
    }

    /// An effect by its manifest; without one, a model of one input and one output that remembers nothing.
    ///
    /// - Throws: `ModelsError`, `InferenceError`.
    public static func anyModel(
        _ runtime: OnnxRuntime, _ path: String, hop: Int?, _ options: SessionOptions
    ) throws -> EffectModel {
        if try ModelManifest.beside(model: path)?.kind == .effect {
            return try model(runtime, path, hop: hop, options)
        }
        return try EffectModel(Session(runtime, model: path, options: options), hop: hop)
    }
}
