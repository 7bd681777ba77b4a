internal import CEchoel
internal import Devices
internal import Inference
internal import Models
internal import Realtime
internal import Streaming

/// What a host's handle on an effect points to. Each part says from which room it may be used.
struct EffectInstance: ~Copyable {
    /// Other than 0 where blocks wait for the worker. Room: any.
    let isOffline = PublishedValue()
    var audio = EffectPlayer()
    /// Room: any.
    let channels: Int
    /// The model's own, Hz; nil where it works at any. Room: any.
    let sampleRate: Int?
    /// Room: control.
    private let model: EffectModel
    /// Room: control; audio waits for its worker while offline.
    private(set) var live: LiveEffect?

    /// Loads the model at a path.
    ///
    /// - Parameters:
    ///   - hop: 0 where the model or its manifest says it.
    ///   - runtime: ONNX Runtime's file or folder; nil looks for it.
    /// - Throws: `PluginError`, `ModelsError`, `InferenceError`.
    init(model path: String, hop: Int, runtime: String?) throws {
        guard path.hasSuffix(".onnx") else {
            throw PluginError(
                ECHOEL_CANNOT_LOAD, "\(path): this is no model. Give the path of a file <name>.onnx.")
        }
        guard hop <= 65_536 else {
            throw PluginError(ECHOEL_INVALID_ARGUMENT, "A hop has at most 65536 samples, not \(hop).")
        }
        let library = unsafe support_library_path().map { unsafe String(cString: $0) }
        model = try EffectLoader.anyModel(
            try OnnxRuntime.open(library: runtime, neighbour: library), path, hop: hop == 0 ? nil : hop,
            SessionOptions(intraOpThreads: 1))
        channels = model.description.channels
        sampleRate = model.description.sampleRate
    }

    /// Room: control, while audio is not running.
    ///
    /// - Parameters:
    ///   - channels: 0 for the model's.
    ///   - work: frames; 0 for a hop.
    /// - Throws: `PluginError`, `InferenceError`; then nothing has changed.
    mutating func prepare(sampleRate: Double, channels: Int, maximumBlock: Int, work: Int) throws {
        let rate = try PluginError.wholeRate(sampleRate, own: self.sampleRate)
        let channels = channels == 0 ? self.channels : channels
        guard (1...Int(ECHOEL_MAXIMUM_BLOCK)).contains(maximumBlock),
            (0...Int(ECHOEL_MAXIMUM_WORK)).contains(work)
        else {
            throw PluginError(
                ECHOEL_INVALID_ARGUMENT,
                "Blocks have 1 to \(ECHOEL_MAXIMUM_BLOCK) frames, and a run takes 0 to \(ECHOEL_MAXIMUM_WORK); asked for "
                    + "were \(maximumBlock) and \(work).")
        }
        guard self.channels == 1 ? 1...16 ~= channels : channels == self.channels else {
            throw PluginError(
                ECHOEL_INVALID_ARGUMENT,
                "The effect has \(self.channels) channels, and \(channels) were asked for. Take "
                    + (self.channels == 1 ? "1 to 16." : "\(self.channels)."))
        }
        // Each channel of a model of one is run by itself, one after the other.
        let runs = self.channels == 1 ? channels : 1
        let configuration = EffectConfiguration(
            blockFrames: maximumBlock, blocksVary: true,
            workSamples: work == 0 ? hopFrames(at: rate, runs: runs) : work)
        let live = try Self.effect(model, channels, rate, configuration)
        audio.start(live)
        self.live = live
    }

    /// - Throws: `PluginError`, `InferenceError`.
    private static func effect(
        _ model: EffectModel, _ channels: Int, _ rate: Int, _ configuration: EffectConfiguration
    ) throws -> LiveEffect {
        do throws(InferenceError) {
            return try LiveEffect(model, channels: channels, sampleRate: rate, configuration: configuration)
        } catch {
            let isOwnRate = rate == model.description.sampleRate
            if isOwnRate || error.code != .invalidArgument { throw error }
            throw PluginError(ECHOEL_UNSUPPORTED_RATE, error.message)
        }
    }

    /// How long one of so many runs may take at most, for all of them to keep up.
    private func hopFrames(at rate: Int, runs: Int) -> Int {
        let frames = model.description.hop * rate / (model.description.sampleRate ?? rate)
        return min(max(frames / runs, 1), Int(ECHOEL_MAXIMUM_WORK))
    }

    /// - Throws: `PluginError` where inference has failed, and before `prepare`.
    func status(_ fill: (LiveEffectStatus, _ workerIsRealtime: Bool) -> Void) throws {
        guard let live else { throw PluginError.notPrepared("effect", by: "echoel_effect_prepare") }
        fill(live.status, live.slot.realtimeWorkers > 0)
        if let failure = live.slot.failure {
            throw PluginError(ECHOEL_INFERENCE_FAILED, failure.message)
        }
    }
}
