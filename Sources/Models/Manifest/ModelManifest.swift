/// The JSON beside an `.onnx` file: what the model is, and what its tensors mean.
///
/// The format is in Documentation/Models.md. Keys that this version does not know are ignored. A manifest that has
/// been read is valid: `ModelManifest.read` checks every value.
public struct ModelManifest: Codable, Sendable, Equatable {
    /// The newest format that this version reads.
    public static let newestFormatVersion = 1

    public enum Kind: String, Codable, Sendable, CaseIterable {
        /// Latents, pitch and noise to audio, slot by slot, with states.
        case streamingDecoder = "streaming-decoder"
        /// Audio to latents, slot by slot, with states.
        case streamingEncoder = "streaming-encoder"
        /// The columns of a note to a latent.
        case prior
        /// Audio to audio, hop by hop, or one half of that.
        case effect
        /// Inputs and outputs only.
        case model
    }

    /// What an effect's model does.
    public enum Method: String, Codable, Sendable, CaseIterable {
        /// Audio to audio.
        case forward
        /// Audio to latents, of which its `decoder` makes audio.
        case encode
        /// Latents to audio.
        case decode
    }

    /// How the model came to be. Everything is optional: a model may come from elsewhere.
    public struct Training: Codable, Sendable, Equatable {
        public var summary: String?
        public var command: String?
        public var minutes: Double?
        public var steps: Int?
    }

    public var formatVersion: Int
    public var kind: Kind
    public var name: String
    /// The `.onnx` file, in the same folder.
    public var file: String
    /// Of the `.onnx` file, 64 hex digits.
    public var sha256: String
    public var sizeBytes: Int
    /// An SPDX expression.
    public var licence: String
    public var authors: [String]
    public var attribution: [String]?

    /// Hz. Streaming models and effects only, as the next five; slots and latents are the former's.
    public var sampleRate: Int?
    /// Samples of audio per slot.
    public var slotSamples: Int?
    /// The most slots in one run of a decoder.
    public var maximumSlots: Int?
    /// Samples of audio per latent of an encoder, a multiple of `slotSamples`.
    public var latentSamples: Int?
    /// Channels of an encoder's latent that belong to the whole note: it leaves them 0, and a prior knows them.
    public var noteChannels: [Int]?
    /// How late the audio is, in samples.
    public var delaySamples: Int?

    /// Effects only, as the next four; nil is `forward`.
    public var method: Method?
    /// Samples of audio that a run makes.
    public var hopSamples: Int?
    /// Samples of audio that a run takes, the hop's the last; nil is `hopSamples`.
    public var windowSamples: Int?
    /// Whether a run gives a whole window, which is added to those before; nil is not.
    public var overlapAdd: Bool?
    /// What makes audio of an `encode` model's latents.
    public var decoder: InstrumentManifest.ModelReference?

    public var inputs: [TensorManifest]
    public var outputs: [TensorManifest]
    /// Streaming models and effects only.
    public var states: [StateManifest]?

    /// A prior's note columns in order: `PriorDescription.noteColumns`, `instrument.<name>`…
    public var columns: [String]?
    /// The names that a prior's `instrument.*` columns stand for; empty for a prior that plays one instrument.
    public var instruments: [String]?

    /// How near results have to be to float32's on the CPU, whatever runs the model: the least signal-to-noise ratio in dB,
    /// 0…200.
    public var leastSnrDb: Double?

    public var training: Training?
    /// Measured figures, by name.
    public var quality: [String: JSONValue]?
    /// The command that measures the quality.
    public var reproduce: String?

    public init(
        kind: Kind, name: String, file: String, sha256: String, sizeBytes: Int, licence: String,
        authors: [String],
        inputs: [TensorManifest], outputs: [TensorManifest]
    ) {
        formatVersion = Self.newestFormatVersion
        self.kind = kind
        self.name = name
        self.file = file
        self.sha256 = sha256
        self.sizeBytes = sizeBytes
        self.licence = licence
        self.authors = authors
        self.inputs = inputs
        self.outputs = outputs
    }
}
