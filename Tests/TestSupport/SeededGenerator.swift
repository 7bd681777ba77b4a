internal import Foundation

/// A random number generator that says its seed, so that a failure can be repeated with `ECHOEL_TEST_SEED=…`.
public struct SeededGenerator: RandomNumberGenerator {
    /// What it started from.
    public let seed: UInt64
    private var state: UInt64

    public init(seed: UInt64) {
        self.seed = seed
        state = seed
    }

    /// A generator with a new seed, printed with the test's name.
    public static func announced(_ test: String = #function) -> SeededGenerator {
        let wanted = ProcessInfo.processInfo.environment["ECHOEL_TEST_SEED"].flatMap { UInt64($0) }
        let seed = wanted ?? UInt64.random(in: 0...UInt64(UInt32.max))
        print("\(test): ECHOEL_TEST_SEED=\(seed)")
        return SeededGenerator(seed: seed)
    }

    /// SplitMix64 (Steele, Lea and Flood 2014).
    public mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}
