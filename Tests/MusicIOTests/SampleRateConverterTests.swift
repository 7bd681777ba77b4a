import MusicIO
import TestSupport
import Testing

#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

@Suite struct SampleRateConverterTests {
    static let rates = [
        (48_000, 44_100), (48_000, 96_000), (44_100, 48_000), (96_000, 48_000), (48_000, 22_050),
    ]

    /// The sinusoid of known frequency that fits best: its amplitude, its phase in cycles, and the rest (rms).
    static func fit(_ samples: ArraySlice<Float>, cycles: Double) -> (
        amplitude: Double, phase: Double, rest: Double
    ) {
        var (real, imaginary) = (0.0, 0.0)
        for (index, sample) in zip(samples.indices, samples) {
            let angle = 2 * Double.pi * cycles * Double(index)
            real += Double(sample) * sin(angle)
            imaginary += Double(sample) * cos(angle)
        }
        let (a, b) = (2 * real / Double(samples.count), 2 * imaginary / Double(samples.count))
        var rest = 0.0
        for (index, sample) in zip(samples.indices, samples) {
            let angle = 2 * Double.pi * cycles * Double(index)
            let difference = Double(sample) - a * sin(angle) - b * cos(angle)
            rest += difference * difference
        }
        return (hypot(a, b), atan2(b, a) / (2 * .pi), (rest / Double(samples.count)).squareRoot())
    }

    @Test(arguments: rates)
    func aSineKeepsItsLevelItsPitchAndItsPlace(from: Int, to: Int) throws {
        for hertz in [100.0, 1000, 9000] {
            let frames = from
            let input = Sound.sine(cycles: hertz / Double(from), frames: frames)
            let output = try SampleRateConverter.convert(input, from: from, to: to, channels: 1)
            // A whole number of cycles in half a second of the middle.
            let fit = Self.fit(output[(to / 4)..<(3 * to / 4)], cycles: hertz / Double(to))
            #expect(abs(20 * log10(fit.amplitude / 0.5)) < 0.001, "\(hertz) Hz")
            #expect(abs(fit.phase) < 1e-5, "\(hertz) Hz starts where it started")
            #expect(
                20 * log10(fit.rest / 0.5) < -120, "\(hertz) Hz is alone: another pitch would be in the rest")
        }
    }

    @Test(arguments: [(48_000, 44_100, 23_000.0), (96_000, 48_000, 30_000), (48_000, 22_050, 15_000)])
    func whatTheNewRateCannotHoldIsGone(from: Int, to: Int, hertz: Double) throws {
        let input = Sound.sine(cycles: hertz / Double(from), frames: from, amplitude: 1)
        let output = try SampleRateConverter.convert(input, from: from, to: to, channels: 1)
        let peak = output[(to / 4)..<(3 * to / 4)].map(\.magnitude).max()!
        #expect(20 * log10(Double(peak)) < -120)
    }

    @Test(arguments: rates)
    func blocksDoNotChangeABit(from: Int, to: Int) throws {
        var generator = SeededGenerator.announced()
        let frames = 30_011
        let input = (0..<2 * frames).map { _ in Float.random(in: -1...1, using: &generator) }
        let whole = try SampleRateConverter.convert(input, from: from, to: to, channels: 2)
        for blockFrames in [1, 64, 333, 4096, 0] {
            var converter = try SampleRateConverter(from: from, to: to, channels: 2)
            var output: [Float] = []
            var frame = 0
            while frame < frames {
                let count = blockFrames > 0 ? blockFrames : Int.random(in: 0...5000, using: &generator)
                let end = min(frames, frame + count)
                try converter.convert(input.span.extracting(2 * frame..<2 * end), appendingTo: &output)
                frame = end
            }
            try converter.finish(appendingTo: &output)
            #expect(output == whole, "blocks of \(blockFrames), seed \(generator.seed)")
        }
    }

    @Test(arguments: rates + [(8000, 192_000), (44_100, 44_100), (48_000, 47_999)])
    func theLengthIsExact(from: Int, to: Int) throws {
        for frames in [0, 1, 2, 3, 100, 4409, 4410, 48_001] {
            let input = Sound.fading(frames: frames, channels: 2)
            let output = try SampleRateConverter.convert(input, from: from, to: to, channels: 2)
            let exact = (Double(frames) * Double(to) / Double(from)).rounded()
            #expect(output.count == 2 * Int(exact), "\(frames) frames")
        }
    }

    @Test func equalRatesCopy() throws {
        let input = Sound.fading(frames: 1000)
        #expect(try SampleRateConverter.convert(input, from: 48_000, to: 48_000, channels: 2) == input)
    }

    @Test func channelsDoNotMix() throws {
        let mono = Sound.sine(cycles: 0.02, frames: 10_000)
        let input = mono.flatMap { sample -> [Float] in [sample, 0] }
        let stereo = try SampleRateConverter.convert(input, from: 48_000, to: 44_100, channels: 2)
        let alone = try SampleRateConverter.convert(mono, from: 48_000, to: 44_100, channels: 1)
        #expect(stride(from: 0, to: stereo.count, by: 2).map { stereo[$0] } == alone)
        #expect(stride(from: 1, to: stereo.count, by: 2).allSatisfy { stereo[$0] == 0 })
    }

    @Test func whatCannotBeConvertedIsTold() throws {
        func code(_ from: Int, _ to: Int, _ channels: Int) -> MusicIOError.Code? {
            MusicIOError.caught { () throws(MusicIOError) in
                _ = try SampleRateConverter(from: from, to: to, channels: channels)
            }?.code
        }
        #expect(code(0, 48_000, 2) == .invalidSampleRate)
        #expect(code(48_000, -1, 2) == .invalidSampleRate)
        #expect(code(48_000, 44_100, 0) == .invalidArgument)
        var converter = try SampleRateConverter(from: 48_000, to: 44_100, channels: 2)
        var output: [Float] = []
        #expect(throws: MusicIOError.self) { try converter.convert([0, 0, 0].span, appendingTo: &output) }
        try converter.finish(appendingTo: &output)
        #expect(throws: MusicIOError.self) { try converter.convert([0, 0].span, appendingTo: &output) }
        #expect(throws: MusicIOError.self) { try converter.finish(appendingTo: &output) }
    }
}
