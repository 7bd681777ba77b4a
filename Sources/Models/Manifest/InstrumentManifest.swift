/// `<name>.instrument.json`: what a musician picks, and the models that play it.
///
/// The format is in Documentation/Models.md. Keys that this version does not know are ignored. A manifest that has
/// been read is valid: `InstrumentManifest.read` checks every value.
public struct InstrumentManifest: Codable, Sendable, Equatable {
    /// The newest format that this version reads.
    public static let newestFormatVersion = 1

    /// A model in the same folder, pinned to its bytes.
    public struct ModelReference: Codable, Sendable, Hashable {
        /// The `.onnx` file's name.
        public var file: String
        /// Of that file, 64 hex digits.
        public var sha256: String

        public init(file: String, sha256: String) {
            self.file = file
            self.sha256 = sha256
        }
    }

    public var formatVersion: Int
    /// What `--instrument` takes; the file's name begins with it.
    public var name: String
    /// For people.
    public var title: String
    public var family: String
    /// False for percussion and noises: the key picks a sound, not a pitch.
    public var pitched: Bool
    /// The lowest MIDI key, 0…127.
    public var lowKey: Int
    /// The highest MIDI key, `lowKey`…127.
    public var highKey: Int
    /// The General MIDI programs, 0…127, that the instrument answers to.
    public var programs: [Int]
    /// An SPDX expression.
    public var licence: String
    public var authors: [String]
    public var attribution: [String]?
    public var decoder: ModelReference
    public var prior: ModelReference
    public var encoder: ModelReference?
    /// The prior's column: `instrument.<this>`. Nil for a prior that plays one instrument and has no such column.
    public var instrument: String?
    /// Amplitude is proportional to (velocity / 127) to this power.
    public var velocityExponent: Double
    /// Linear amplitude at velocity 127.
    public var gain: Double
    /// When a released note is silent at the latest.
    public var releaseSeconds: Double
    /// How much a sustained note moves, 0…2, for a prior with the column `temperature`; nil is 1, as recorded.
    public var temperature: Double?
    /// A page about the instrument, in the same folder.
    public var card: String?

    public init(
        name: String, title: String, family: String, pitched: Bool, lowKey: Int, highKey: Int,
        programs: [Int],
        licence: String, authors: [String], decoder: ModelReference, prior: ModelReference,
        instrument: String? = nil,
        velocityExponent: Double, gain: Double, releaseSeconds: Double, temperature: Double? = nil
    ) {
        formatVersion = Self.newestFormatVersion
        self.name = name
        self.title = title
        self.family = family
        self.pitched = pitched
        self.lowKey = lowKey
        self.highKey = highKey
        self.programs = programs
        self.licence = licence
        self.authors = authors
        self.decoder = decoder
        self.prior = prior
        self.instrument = instrument
        self.velocityExponent = velocityExponent
        self.gain = gain
        self.releaseSeconds = releaseSeconds
        self.temperature = temperature
    }
}
