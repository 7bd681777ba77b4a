/// Times in steps of at most a 64th of themselves, from 64 ns to 17 s: as much memory however many there are, so that what they
/// take is not taken for what is measured.
///
/// Room: control; `add` any, one thread.
public struct TimeHistogram: Sendable {
    private static let (shortestExponent, octaves, stepsPerOctave) = (6, 28, 64)
    private var counts = [Int](repeating: 0, count: octaves * stepsPerOctave)

    public private(set) var count = 0
    /// Exact, in nanoseconds; 0 where there is none.
    public private(set) var most = 0

    public init() {}

    public mutating func add(nanoseconds: Int) {
        let time = max(Double(nanoseconds), Double(1 << Self.shortestExponent))
        let octave = Int(time.exponent) - Self.shortestExponent
        let step = octave * Self.stepsPerOctave + Int((time.significand - 1) * Double(Self.stepsPerOctave))
        counts[min(step, counts.count - 1)] += 1
        count += 1
        most = max(most, nanoseconds)
    }

    /// So long, in nanoseconds, a `share` took at most, 0…1: the middle of a step, and never more than the most.
    public func nanoseconds(atShare share: Double) -> Double {
        var left = Int((share * Double(count)).rounded(.up))
        for (nanoseconds, count) in steps {
            left -= count
            if left <= 0 { return min(Double(most), nanoseconds) }
        }
        return Double(most)
    }

    /// The steps that hold any: the middle of each, and how many.
    public var steps: [(nanoseconds: Double, count: Int)] {
        counts.indices.filter { counts[$0] > 0 }.map { step in
            let (octave, place) = step.quotientAndRemainder(dividingBy: Self.stepsPerOctave)
            let begin = 1 + (Double(place) + 0.5) / Double(Self.stepsPerOctave)
            return (begin * Double(1 << (octave + Self.shortestExponent)), counts[step])
        }
    }
}
