/// A folder of models in the project's tree: `NeuralSynth/*.instrument.json`, `*.onnx` and their manifests.
///
/// Room: control.
public struct ModelStore: Sendable, Equatable {
    /// The folder that holds `NeuralSynth`; that of the instruments themselves where they lie in no such tree.
    public let folder: String
    /// Where the instruments of `NeuralSoundSynth` and their models lie.
    public let neuralSynthFolder: String

    public init(folder: String) {
        self.folder = folder
        neuralSynthFolder = "\(folder)/NeuralSynth"
    }

    /// One folder in which instruments and their models lie side by side.
    public init(instrumentsIn folder: String) {
        self.folder = folder
        neuralSynthFolder = folder
    }
}
