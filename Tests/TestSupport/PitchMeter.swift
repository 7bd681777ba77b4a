internal import Foundation

/// Measures how far a tone is from its nominal pitch, by the phase that its partials gain between two windows
/// (as in a phase vocoder: Flanagan and Golden 1966).
public struct PitchMeter {
    public let sampleRate: Double
    /// Samples of each window, and from one to the next.
    let window = 4096
    let hop = 240

    public init(sampleRate: Double) { self.sampleRate = sampleRate }

    /// The cents from `nominal` (Hz) of the partials of `sound`, averaged by their power; nil where nothing sounds.
    ///
    /// Right within ±50 cents up to the partials that are used: those below 2 kHz, and always the first.
    public func cents(of sound: ArraySlice<Float>, nominal: Double) -> Double? {
        guard sound.count >= window + hop else { return nil }
        var sum = 0.0
        var weight = 0.0
        for partial in 1...max(1, Int(2000 / nominal)) {
            let frequency = nominal * Double(partial)
            var start = sound.startIndex
            while start + window + hop <= sound.endIndex {
                let a = component(of: sound, from: start, frequency)
                let b = component(of: sound, from: start + hop, frequency)
                // The product's argument is what the partial gained on the nominal one.
                let gained = atan2(b.1 * a.0 - b.0 * a.1, b.0 * a.0 + b.1 * a.1)
                let power = b.0 * b.0 + b.1 * b.1
                let measured = frequency + gained / (2 * .pi) * sampleRate / Double(hop)
                sum += power * 1200 * log2(measured / frequency)
                weight += power
                start += window / 2
            }
        }
        return weight > 1e-9 ? sum / weight : nil
    }

    /// The sound's complex amplitude at `frequency`, relative to a cosine that began at sample 0.
    private func component(of sound: ArraySlice<Float>, from start: Int, _ frequency: Double) -> (
        Double, Double
    ) {
        let step = 2 * Double.pi * frequency / sampleRate
        var real = 0.0
        var imaginary = 0.0
        for i in 0..<window {
            let hann = 0.5 - 0.5 * cos(2 * .pi * Double(i) / Double(window))
            let phase = step * Double(start + i)
            real += Double(sound[start + i]) * hann * cos(phase)
            imaginary -= Double(sound[start + i]) * hann * sin(phase)
        }
        return (real / Double(window), imaginary / Double(window))
    }
}
