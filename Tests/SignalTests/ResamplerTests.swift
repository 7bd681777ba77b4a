import Foundation
import Signal
import Testing

/// Rates in pairs that sound cards, files and models have.
@Suite("Resampler")
struct ResamplerTests {
    static let pairs = [
        (44_100, 48_000), (48_000, 44_100), (48_000, 96_000), (96_000, 48_000), (48_000, 22_050),
        (22_050, 48_000), (48_000, 16_000), (16_000, 44_100), (44_100, 96_000), (192_000, 44_100),
    ]

    private func sine(_ hertz: Double, rate: Int, from start: Double = 0, count: Int) -> [Float] {
        (0..<count).map { Float(sin(2 * .pi * hertz * ((Double($0) + start) / Double(rate)))) }
    }

    /// Everything at once.
    private func convert(_ sound: [Float], from: Int, to: Int, extra: Int = 0) -> (
        sound: [Float], delay: Double
    ) {
        var resampler = Resampler(from: from, to: to, channels: 1, extraDelayTicks: extra)!
        let frames = resampler.outputFrames(taking: sound.count)
        var output = [Float](repeating: .nan, count: frames)
        let given = unsafe resampler.process(sound, frames: sound.count, into: &output, rowFrames: frames)
        #expect(given == frames && frames == resampler.ratio.outputs(after: sound.count))
        return (output, resampler.delaySamples)
    }

    /// The amplitude of a frequency in a sound, by a Hann window over all of it.
    private func amplitude(_ sound: ArraySlice<Float>, hertz: Double, rate: Int) -> Double {
        var (real, imaginary, total) = (0.0, 0.0, 0.0)
        for (index, sample) in sound.enumerated() {
            let weight = 0.5 - 0.5 * cos(2 * .pi * Double(index) / Double(sound.count))
            let angle = 2 * .pi * hertz * Double(index) / Double(rate)
            real += weight * Double(sample) * cos(angle)
            imaginary += weight * Double(sample) * sin(angle)
            total += weight
        }
        return 2 * (real * real + imaginary * imaginary).squareRoot() / total
    }

    /// Up to 90 % of the lower Nyquist frequency a sine comes out as the same sine, `delaySamples` later: level and delay at
    /// once, sample for sample.
    @Test(arguments: pairs)
    func aSineIsTheSameSineLater(from: Int, to: Int) {
        let nyquist = Double(min(from, to)) / 2
        for part in [0.01, 0.13, 0.5, 0.77, 0.9] {
            let (sound, delay) = convert(
                sine(part * nyquist, rate: from, count: from / 10), from: from, to: to)
            let wanted = sine(part * nyquist, rate: to, from: -delay, count: sound.count)
            let settled = Int(3 * delay)
            let error = zip(sound, wanted).dropFirst(settled).map { abs($0 - $1) }.max()!
            #expect(error < 2e-5, "\(part) of the Nyquist frequency")
        }
    }

    /// What lies above the lower Nyquist frequency is gone, and so are the images of what lies below: −100 dB.
    @Test(arguments: pairs)
    func whatCannotBeThereIsNot(from: Int, to: Int) {
        let nyquist = Double(min(from, to)) / 2
        func loudest(_ hertz: Double) -> Double {
            let (sound, delay) = convert(sine(hertz, rate: from, count: from / 5), from: from, to: to)
            return Double(sound.dropFirst(Int(3 * delay)).map(abs).max()!)
        }
        if to < from {
            for part in [1.0, 1.003, 1.07, 1.5, 1.99] where part * nyquist < Double(from) / 2 {
                #expect(loudest(part * nyquist) < 1e-5, "\(part) of the Nyquist frequency")
            }
        } else {
            for part in [0.03, 0.4, 0.9] {
                let (sound, delay) = convert(
                    sine(part * nyquist, rate: from, count: from / 5), from: from, to: to)
                let image = Double(from) - part * nyquist
                guard image < Double(to) / 2 else { continue }
                let settled = sound.dropFirst(Int(3 * delay))
                #expect(amplitude(settled, hertz: image, rate: to) < 1e-5, "\(part)")
            }
        }
    }

    /// The filter is symmetrical: an impulse's middle is where the delay says, to a tick.
    @Test(arguments: [(44_100, 48_000, 0), (48_000, 44_100, 5), (48_000, 16_000, 1), (16_000, 48_000, 2)])
    func theDelayIsExact(from: Int, to: Int, extra: Int) {
        // Of all phases of the output together an impulse has every tick of the filter: its centre of gravity.
        var (moment, sum) = (0.0, 0.0)
        let ratio = RateRatio(from: from, to: to)
        for shift in 0..<ratio.ticksPerOutput {
            var impulse = [Float](
                repeating: 0, count: 2 * 72 * max(1, from / to + 1) + ratio.ticksPerOutput + 8)
            impulse[shift] = 1
            let (sound, _) = convert(impulse, from: from, to: to, extra: extra)
            for (n, sample) in sound.enumerated() {
                let tick = n * ratio.ticksPerOutput - shift * ratio.ticksPerInput
                moment += Double(tick) * Double(sample)
                sum += Double(sample)
            }
        }
        let resampler = Resampler(from: from, to: to, channels: 1, extraDelayTicks: extra)!
        #expect(resampler.delayTicks == Resampler.delayTicks(of: ratio) + extra)
        #expect(abs(moment / sum - Double(resampler.delayTicks)) < 0.01)
        // As much comes out as goes in.
        #expect(abs(sum / Double(ratio.ticksPerInput) - 1) < 1e-5)
    }

    /// The same sound k samples later, with so much less extra delay that it comes out a whole number of samples later, has
    /// the same bits: what a host's blocks ask for in latency does not change the sound.
    @Test(arguments: pairs)
    func anExtraDelayKeepsTheBits(from: Int, to: Int) {
        let noise = CounterNoise(seed: 4)
        let sound = (0..<1000).map { noise.value(at: UInt64($0)) }
        let ratio = RateRatio(from: from, to: to)
        let whole = convert(sound, from: from, to: to).sound
        for k in [1, 2, 77, 161] {
            let ticks = k * ratio.ticksPerInput
            let later = (ticks + ratio.ticksPerOutput - 1) / ratio.ticksPerOutput
            let delayed = convert(
                [Float](repeating: 0, count: k) + sound, from: from, to: to,
                extra: later * ratio.ticksPerOutput - ticks
            ).sound
            #expect(delayed.prefix(later).allSatisfy { $0 == 0 })
            let count = min(whole.count, delayed.count - later)
            #expect(delayed.dropFirst(later).prefix(count).elementsEqual(whole.prefix(count)), "\(k)")
        }
    }

    /// Bit for bit, however it is cut and in however many channels; and again after a reset.
    @Test(arguments: pairs)
    func theResultDoesNotDependOnTheBlocks(from: Int, to: Int) {
        let noise = [CounterNoise(seed: 1), CounterNoise(seed: 2)]
        let frames = 3000
        let sounds = noise.map { noise in (0..<frames).map { noise.value(at: UInt64($0)) } }
        let whole = sounds.map { convert($0, from: from, to: to).sound }
        var resampler = Resampler(from: from, to: to, channels: 2)!
        let cuts = CounterNoise(seed: 3)
        for round in 0..<2 {
            var heard: [[Float]] = [[], []]
            var (position, cut) = (0, UInt64(round) << 32)
            while position < frames {
                cut += 1
                let count = min(Int(71 * cuts.uniform(at: cut)), frames - position)
                let block = sounds.flatMap { $0[position..<position + count] }
                let given = resampler.outputFrames(taking: count)
                var output = [Float](repeating: .nan, count: 2 * (given + 3))
                let written = unsafe output.withUnsafeMutableBufferPointer { output in
                    unsafe resampler.process(
                        block, frames: count, into: output.baseAddress! + 2, rowFrames: given + 3)
                }
                #expect(written == given)
                for channel in 0..<2 {
                    let first = channel * (given + 3)
                    #expect(output[first].isNaN && output[first + 1].isNaN && output[first + given + 2].isNaN)
                    heard[channel] += output[first + 2..<first + 2 + given]
                }
                position += block.count / 2
            }
            #expect(heard == whole)
            resampler.reset()
        }
    }

    @Test func whatCannotBeConvertedIsNil() {
        func isNil(_ from: Int, _ to: Int, _ channels: Int, extra: Int = 0) -> Bool {
            switch Resampler(from: from, to: to, channels: channels, extraDelayTicks: extra) {
            case nil: true
            case .some: false
            }
        }
        #expect(isNil(0, 48_000, 1) && isNil(48_000, -1, 1) && isNil(48_000, 44_100, 0))
        #expect(isNil(48_000, 44_100, 1, extra: -1) && isNil(47_999, 48_000, 1))
        #expect(!isNil(44_100, 44_056, 2))
    }

    @Test func ratesOfTwoAreExact() {
        let ratio = RateRatio(from: 44_100, to: 48_000)
        #expect(ratio.ticksPerInput == 160 && ratio.ticksPerOutput == 147)
        #expect(ratio.inverse == RateRatio(from: 48_000, to: 44_100))
        #expect(
            ratio.outputs(after: 0) == 0 && ratio.outputs(after: 1) == 2 && ratio.outputs(after: 441) == 480)
    }
}
