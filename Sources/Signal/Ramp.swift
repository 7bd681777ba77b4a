/// A value that moves to its target along a straight line of fixed length, as a function of absolute time.
///
/// Room: audio.
public struct Ramp: BitwiseCopyable, Sendable {
    public var from: Float
    public var to: Float
    /// When the line starts, in samples of event time.
    public var start: Int
    /// Samples from `from` to `to`, at least 1.
    public var length: Int

    /// A value at rest.
    @inlinable public init(_ value: Float, length: Int) {
        from = value
        to = value
        start = 0
        self.length = length
    }

    @inlinable public func value(at time: Int) -> Float {
        let elapsed = time - start
        if elapsed >= length { return to }
        if elapsed <= 0 { return from }
        return from + (to - from) * (Float(elapsed) / Float(length))
    }

    /// Moves towards `target` from wherever the value is at `time`.
    @inlinable public mutating func move(to target: Float, at time: Int) {
        from = value(at: time)
        to = target
        start = time
    }
}
