/// How near results are to those of a reference.
public enum Accuracy {
    /// What results have that are equal to the bit.
    public static let equalDecibels = 200.0

    /// Why results will not do. A sentence.
    static func refusal(_ decibels: Double, least: Double) -> String {
        func tenths(_ value: Double) -> String { "\((value * 10).rounded() / 10)" }
        return "its results are \(tenths(decibels)) dB from the CPU's, and \(tenths(least)) are asked for."
    }

    /// The signal-to-noise ratio in dB, at most 200, of the output that has the least; outputs that are zero count as equal
    /// where both are. Minus 200 where a number is not finite, or the outputs are not alike in number and size.
    public static func decibels(_ outputs: [[Float]], reference: [[Float]]) -> Double {
        guard outputs.map(\.count) == reference.map(\.count) else { return -equalDecibels }
        var least = equalDecibels
        for (output, reference) in zip(outputs, reference) {
            var signal = 0.0
            var noise = 0.0
            for (value, wanted) in zip(output, reference) {
                signal += Double(wanted) * Double(wanted)
                noise += (Double(value) - Double(wanted)) * (Double(value) - Double(wanted))
            }
            guard noise.isFinite, signal.isFinite else { return -equalDecibels }
            if noise == 0 { continue }
            least = min(least, signal == 0 ? -equalDecibels : 10 * decimalLogarithm(signal / noise))
        }
        return max(least, -equalDecibels)
    }
}
