internal import Inference
internal import Signal

/// What the parts of an effect's latency come to, at the model's rate and at the sound's.
struct EffectTiming {
    let rates: RateRatio
    /// At the model's rate: from a sample's arrival to its output's, without and with the model's own delay.
    let delay, totalDelay: Int
    /// What the way back is given on top, so that the whole is a whole number of samples of the sound.
    let extraDelayTicks: Int
    let latency: Latency

    /// - Throws: `invalidArgument` where the configuration says a latency that is not enough.
    init(_ model: EffectDescription, _ configuration: EffectConfiguration) throws(InferenceError) {
        let n = configuration.blockFrames
        rates = Self.rates(model, configuration)
        let buffering = Latency.effectBuffering(
            blockFrames: n, hop: model.hop, blocksVary: configuration.blocksVary, rates: rates)
        var lookAhead = Latency.effectLookAhead(
            workSamples: configuration.roundSamples, blockFrames: n, hop: model.hop,
            blocksVary: configuration.blocksVary, rates: rates)
        let own = model.delaySamples + configuration.modelDelaySamples
        let (l, m) = (rates.ticksPerInput, rates.ticksPerOutput)
        let filters = rates == .equal ? 0 : 2 * Resampler.delayTicks(of: rates)
        let least = (filters + (buffering + lookAhead + own) * m + l - 1) / l
        let total = configuration.latencySamples ?? least
        guard total >= least else {
            throw InferenceError(
                .invalidArgument,
                "The model needs a latency of \(least) samples, and \(total) is what there is. Give it more, or take a model "
                    + "of shorter hops or less work.")
        }
        if total > least { lookAhead = (total * l - filters) / m - buffering - own }
        delay = buffering + lookAhead
        totalDelay = delay + own
        (latency, extraDelayTicks) = Latency(buffering: buffering, model: own, lookAhead: lookAhead)
            .resampled(rates, filters: 2, whole: total)
    }

    /// From the sound's rate to the model's.
    static func rates(_ model: EffectDescription, _ configuration: EffectConfiguration) -> RateRatio {
        guard let sound = configuration.sampleRate, let model = model.sampleRate else { return .equal }
        return RateRatio(from: sound, to: model)
    }
}
