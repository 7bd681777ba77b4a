#if canImport(Glibc)
    internal import Glibc
#elseif canImport(Musl)
    internal import Musl
#else
    internal import Darwin
#endif

/// The low-pass filter of a resampler, as a function of ticks.
///
/// Kaiser's formulas: attenuation A = 110 dB asks for β = 0.1102 (A − 8.7), and a transition of width Δ (in cycles per
/// sample) for (A − 7.95) / (14.36 Δ) samples. The transition lies between 90 and 100 % of the lower Nyquist frequency,
/// Δ = 0.05, so it takes 142 samples of the lower rate; a resampler has 144.
///
/// Room: control.
struct KaiserSinc {
    private static let attenuation = 110.0
    private static let passband = 0.9

    let ratio: RateRatio
    /// How far it reaches from its middle, in ticks; its middle is so far from its beginning.
    let half: Int

    /// `ticksPerInput` × `taps` values, the value for the oldest of the last `taps` samples first; of phase p those at the
    /// ticks p, p + ticksPerInput, … To be deallocated by the caller.
    func phases(taps: Int) -> UnsafeMutablePointer<Float> {
        let phases = ratio.ticksPerInput
        let table = UnsafeMutablePointer<Float>.allocate(capacity: phases * taps)
        unsafe table.initialize(repeating: 0, count: phases * taps)
        let ticks = max(phases, ratio.ticksPerOutput)
        // Cycles per tick, in the middle of the transition.
        let cutoff = (1 + Self.passband) / 4 / Double(ticks)
        let beta = 0.1102 * (Self.attenuation - 8.7)
        let scale = Double(phases) * 2 * cutoff / Self.bessel(beta)
        for distance in 0...half {
            let place = Double(distance) / Double(half)
            let window = Self.bessel(beta * (1 - place * place).squareRoot())
            let angle = 2 * Double.pi * cutoff * Double(distance)
            let value = Float(scale * window * (distance == 0 ? 1 : sin(angle) / angle))
            for tick in [half - distance, half + distance] {
                unsafe table[tick % phases * taps + taps - 1 - tick / phases] = value
            }
        }
        return unsafe table
    }

    /// The modified Bessel function of the first kind and order zero, by its series: every term is positive.
    private static func bessel(_ x: Double) -> Double {
        var (sum, term, n) = (1.0, 1.0, 1.0)
        while term > sum * 1e-17 {
            term *= (x / (2 * n)) * (x / (2 * n))
            sum += term
            n += 1
        }
        return sum
    }
}
