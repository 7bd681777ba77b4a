/// A folder of models in the project's tree: `NeuralSynth/*.instrument.json`, `*.onnx` and their manifests.
///
/// Room: control.
public struct ModelStore: Sendable, Equatable {
    /// The folder that holds `NeuralSynth`.
    public let folder: String

    public init(folder: String) {
        self.folder = folder
    }

    /// Where the instruments of `NeuralSoundSynth` and their models lie.
    public var neuralSynthFolder: String { "\(folder)/NeuralSynth" }
}
