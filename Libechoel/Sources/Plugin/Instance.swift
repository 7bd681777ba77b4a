internal import CEchoel
internal import Inference
internal import Models
internal import NeuralSynth
internal import Player
internal import Realtime
internal import Streaming

/// What a host's handle points to. Each part says from which room it may be used.
struct Instance: ~Copyable {
    let parameters: Parameters
    /// Other than 0 where blocks wait for the worker. Room: any.
    let isOffline = PublishedValue()
    var audio = BlockPlayer()
    /// The instrument's own, Hz.
    let sampleRate: Int
    /// The instrument, with its models. Room: control.
    private let instrument: NeuralInstrument
    /// Room: control; audio waits for its worker while offline.
    private(set) var live: LivePlayer?

    /// Loads the instrument at a path.
    ///
    /// - Parameter runtime: ONNX Runtime's file or folder; nil looks for it.
    /// - Throws: `PluginError`, `ModelsError`, `InferenceError`.
    init(instrument path: String, runtime: String?) throws {
        guard path.hasSuffix(InstrumentManifest.fileSuffix) else {
            throw PluginError(
                ECHOEL_CANNOT_LOAD,
                "\(path): this is no instrument. Give the path of a file <name>\(InstrumentManifest.fileSuffix)."
            )
        }
        let manifest = try InstrumentManifest.read(path: path)
        let library = unsafe support_library_path().map { unsafe String(cString: $0) }
        var loader = InstrumentLoader(
            runtime: try OnnxRuntime.open(library: runtime, neighbour: library),
            store: ModelStore(instrumentsIn: folder(of: path)), threads: 1)
        instrument = try loader.load(manifest)
        sampleRate = instrument.decoder.description.sampleRate
        parameters = Parameters(movement: instrument.temperature)
    }

    /// Room: control, while audio is not running.
    ///
    /// - Throws: `PluginError`, `NeuralSynthError`; then nothing has changed.
    mutating func prepare(sampleRate: Double, maximumBlock: Int, lookAhead: Int) throws {
        guard (1...Int(ECHOEL_MAXIMUM_BLOCK)).contains(maximumBlock),
            (0...Int(ECHOEL_MAXIMUM_LOOK_AHEAD)).contains(lookAhead)
        else {
            throw PluginError(
                ECHOEL_INVALID_ARGUMENT,
                "Blocks have 1 to \(ECHOEL_MAXIMUM_BLOCK) frames, and the look-ahead 0 to "
                    + "\(ECHOEL_MAXIMUM_LOOK_AHEAD); asked for were \(maximumBlock) and \(lookAhead).")
        }
        let rate = try PluginError.wholeRate(sampleRate, own: self.sampleRate)
        var instrument = instrument
        instrument.temperature = parameters.get(UInt32(ECHOEL_MOVEMENT))
        var configuration = NeuralSynthConfiguration()
        configuration.voices = Int(parameters.get(UInt32(ECHOEL_VOICES)))
        // A block is played in pieces, one after the other: the voices of the whole must be there before the first.
        let piece = min(maximumBlock, BlockPlayer.pieceFrames)
        let live = try LivePlayer(
            instruments: [instrument], configuration: configuration,
            live: LiveConfiguration(
                blockFrames: piece, blocksVary: true, lookAheadSamples: lookAhead + maximumBlock - piece,
                sampleRate: rate))
        audio.start(
            live.player, latencyFrames: live.latency.total,
            decibels: parameters.get(UInt32(ECHOEL_VOLUME)))
        self.live = live
    }

    /// - Throws: `PluginError` where inference has failed, and before `prepare`.
    func status(_ fill: (LiveStatus) -> Void) throws {
        guard let live else { throw PluginError.notPrepared("instrument", by: "echoel_prepare") }
        fill(live.status)
        if let failure = live.failure { throw PluginError(ECHOEL_INFERENCE_FAILED, failure.message) }
    }
}

extension PluginError {
    static func notPrepared(_ what: String, by function: String) -> PluginError {
        PluginError(ECHOEL_NOT_PREPARED, "The \(what) has not been prepared. Call \(function) first.")
    }
}

private func folder(of path: String) -> String {
    guard let slash = path.lastIndex(of: "/") else { return "." }
    return slash == path.startIndex ? "/" : String(path[..<slash])
}
