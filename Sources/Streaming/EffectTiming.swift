internal import Signal

/// What the parts of an effect's latency come to, at the model's rate and at the sound's.
struct EffectTiming {
    let rates: RateRatio
    /// At the model's rate: from a sample's arrival to its output's, without and with the model's own delay.
    let delay, totalDelay: Int
    /// What the way back is given on top, so that the whole is a whole number of samples of the sound.
    let extraDelayTicks: Int
    let latency: Latency

    init(_ model: EffectDescription, _ configuration: EffectConfiguration) {
        let n = configuration.blockFrames
        rates = Self.rates(model, configuration)
        let buffering = Latency.effectBuffering(
            blockFrames: n, hop: model.hop, blocksVary: configuration.blocksVary, rates: rates)
        let lookAhead = Latency.effectLookAhead(
            workSamples: configuration.roundSamples, blockFrames: n, hop: model.hop,
            blocksVary: configuration.blocksVary, rates: rates)
        delay = buffering + lookAhead
        totalDelay = delay + model.delaySamples + configuration.modelDelaySamples
        let own = Latency(buffering: buffering, model: totalDelay - delay, lookAhead: lookAhead)
        (latency, extraDelayTicks) = own.resampled(rates, filters: 2)
    }

    /// From the sound's rate to the model's.
    private static func rates(_ model: EffectDescription, _ configuration: EffectConfiguration) -> RateRatio {
        guard let sound = configuration.sampleRate, let model = model.sampleRate else { return .equal }
        return RateRatio(from: sound, to: model)
    }
}
