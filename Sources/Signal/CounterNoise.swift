/// White noise as a function of a seed and a position: the same place always has the same value, in any order of
/// evaluation, so a render repeats however it is cut.
///
/// The values are uniform in ±√3, i.e. of unit variance. The mixing is the finaliser of SplitMix64 (Steele, Lea and
/// Flood, "Fast splittable pseudorandom number generators", 2014).
///
/// Room: any.
public struct CounterNoise: BitwiseCopyable, Sendable {
    public var seed: UInt64

    @inlinable public init(seed: UInt64) { self.seed = seed }

    /// The value at `position`.
    @inlinable public func value(at position: UInt64) -> Float {
        (2 * uniform(at: position) - 1) * 1.732_050_8
    }

    /// What `value` is made of: uniform in 0..<1, in steps of 2^-24.
    @inlinable public func uniform(at position: UInt64) -> Float {
        var z = seed &+ (position &+ 1) &* 0x9E37_79B9_7F4A_7C15
        z = (z ^ (z &>> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z &>> 27)) &* 0x94D0_49BB_1331_11EB
        z ^= z &>> 31
        return Float(z &>> 40) * 0x1p-24
    }
}
