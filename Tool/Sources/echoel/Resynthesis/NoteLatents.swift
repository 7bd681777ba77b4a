import Foundation
import Inference
import NeuralSynth
import Streaming

/// What an instrument's prior says of a note as a whole: the latent of the key that is nearest in pitch, while it
/// sounds. An encoder's `noteChannels` are taken from it.
struct NoteLatents {
    private let prior: LatentPrior
    private let instrument: NeuralInstrument

    /// - Throws: `InferenceError`.
    init(of instrument: NeuralInstrument) throws(InferenceError) {
        self.instrument = instrument
        prior = try LatentPrior(
            session: instrument.prior.session, description: instrument.prior.description, maximumRows: 1)
    }

    /// - Parameter hertz: above 0.
    func latent(hertz: Double) throws(InferenceError) -> [Float] {
        let key = (69 + 12 * log2(hertz / 440)).rounded()
        let timbreKey = min(max(key, Double(instrument.keys.lowerBound)), Double(instrument.keys.upperBound))
        let own = instrument.priorInstrument.map { "instrument.\($0)" }
        for (index, column) in prior.description.columns.enumerated() {
            let value: Float =
                switch column {
                case "pitch": Float(timbreKey)
                case "velocity": 90
                case "secondsOn": 1
                case own: 1
                default: 0
                }
            prior.note(row: 0)[index] = value
        }
        try prior.run(rows: 1)
        let latent = prior.latent(row: 0)
        return (0..<prior.description.latentSize).map { latent[$0] }
    }
}
