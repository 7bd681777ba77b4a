/// A fade-out along the smoothstep 1 − x²(3 − 2x): flat at both ends, so neither end clicks.
///
/// The gain is a function of absolute time, so it does not depend on how the time is cut into blocks.
///
/// Room: audio.
public struct Fade: BitwiseCopyable, Sendable {
    /// The first sample that is quieter, in samples of event time.
    public var start: Int
    /// Samples until silence, at least 1.
    public var length: Int

    @inlinable public init(start: Int, length: Int) {
        self.start = start
        self.length = length
    }

    /// A fade that never begins.
    @inlinable public static var never: Fade { Fade(start: .max, length: 1) }

    /// The first silent sample.
    @inlinable public var end: Int { start == .max ? .max : start + length }

    /// 1 before the start, 0 from the end on.
    @inlinable public func gain(at time: Int) -> Float {
        if time < start { return 1 }
        if time - start >= length { return 0 }
        let x = Float(time - start) / Float(length)
        return 1 - x * x * (3 - 2 * x)
    }
}
