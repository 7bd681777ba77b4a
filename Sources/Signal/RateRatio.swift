/// Two sample rates against each other, exactly: in **ticks**, of which a sample of either rate is a whole number.
///
/// A tick is a sample of the least rate that is a multiple of both: between 44.1 and 48 kHz 7.056 MHz, of which a sample
/// at 44.1 kHz has 160 and one at 48 kHz 147.
///
/// Room: any.
public struct RateRatio: BitwiseCopyable, Sendable, Equatable {
    /// Ticks of a sample that comes in.
    public let ticksPerInput: Int
    /// Ticks of a sample that goes out.
    public let ticksPerOutput: Int

    /// - Parameters: Hz, 1 or more.
    public init(from inputRate: Int, to outputRate: Int) {
        var (a, b) = (inputRate, outputRate)
        while b != 0 { (a, b) = (b, a % b) }
        ticksPerInput = outputRate / a
        ticksPerOutput = inputRate / a
    }

    /// One rate.
    public static var equal: RateRatio { RateRatio(from: 1, to: 1) }

    /// The way back.
    public var inverse: RateRatio { RateRatio(from: ticksPerInput, to: ticksPerOutput) }

    /// How many samples begin before `inputs` samples have passed: ⌈inputs · ticksPerInput / ticksPerOutput⌉.
    @_noLocks
    public func outputs(after inputs: Int) -> Int {
        (inputs * ticksPerInput + ticksPerOutput - 1) / ticksPerOutput
    }
}
