import Devices
import Foundation
import NeuralSynth
import Player
import Realtime
import Signal
import Streaming
import TestSupport
import Testing

/// Instruments at 48 kHz that are played by hosts at other rates.
@Suite("Host rates")
struct HostRateTests {
    static let rates = [8000, 11_025, 16_000, 22_050, 32_000, 44_100, 88_200, 96_000, 192_000, 384_000]

    private func song(_ generator: inout SeededGenerator, frames: Int, keys: ClosedRange<UInt8>) -> Song {
        var song = Song()
        for _ in 0..<8 {
            let start = Int.random(in: 0..<frames / 2, using: &generator)
            song.note(
                UInt8.random(in: keys, using: &generator), from: start,
                to: start + Int.random(in: 1...frames / 2, using: &generator))
        }
        for i in 0..<10 { song.add(frames / 4 + 7 * i, 0xE0, 0, UInt8(40 + 3 * i)) }
        return song
    }

    /// The same song in time of the instruments: a message of the host's frame t at ⌈t · 48000 / rate⌉.
    private func mapped(_ song: Song, rate: Int) -> Song {
        var mapped = song
        // Messages of several frames may get one sample, and keep their order.
        mapped.messages = song.messages.enumerated().sorted {
            ($0.element.sample, $0.offset) < ($1.element.sample, $1.offset)
        }.map(\.element)
        for i in mapped.messages.indices {
            mapped.messages[i].sample = (mapped.messages[i].sample * 48_000 + rate - 1) / rate
        }
        return mapped
    }

    /// The offline rendering, resampled in one piece, and how late that is: half a sample of the instruments besides the
    /// filter, as the messages are early by so much.
    private func reference(_ sound: [Float], rate: Int) -> (sound: [Float], delay: Int) {
        let ratio = RateRatio(from: 48_000, to: rate)
        let ticks = Resampler.delayTicks(of: ratio) + ratio.ticksPerInput / 2
        let delay = (ticks + ratio.ticksPerOutput - 1) / ratio.ticksPerOutput
        var resampler = Resampler(
            from: 48_000, to: rate, channels: 1, extraDelayTicks: delay * ratio.ticksPerOutput - ticks)!
        var output = [Float](repeating: .nan, count: resampler.outputFrames(taking: sound.count))
        let row = output.count
        _ = unsafe resampler.process(sound, frames: sound.count, into: &output, rowFrames: row)
        return (output, delay)
    }

    /// For any rate, blocks that vary or not, slices and look-ahead nothing is missed with the latency that is said, and what
    /// is heard is to the bit the offline rendering resampled as a whole, so much later.
    @Test func whatIsPlayedIsTheRenderingResampled() throws {
        var generator = SeededGenerator.announced()
        let instruments = try ModelFolder.fixtures.instruments(["sine"])
        for rate in Self.rates {
            let frames = rate / 4
            let song = song(&generator, frames: frames, keys: 50...80)
            var configuration = NeuralSynthConfiguration()
            configuration.sliceSamples = 128 * Int.random(in: 1...2, using: &generator)
            let live = LiveConfiguration(
                blockFrames: Int.random(in: 1...700, using: &generator),
                blocksVary: Bool.random(using: &generator),
                lookAheadSamples: Bool.random(using: &generator)
                    ? 0 : Int.random(in: 0...300, using: &generator),
                sampleRate: rate)
            var session = try LiveSession(
                instruments, configuration: configuration, live: live, song: song, isThreaded: false)
            while session.position < frames {
                try session.play(
                    frames: live.blocksVary
                        ? Int.random(in: 0...live.blockFrames, using: &generator) : live.blockFrames)
            }
            let status = session.live.status
            #expect(status.missedFrames == 0 && status.droppedNotes == 0, "\(live)")
            let offline = try mapped(song, rate: rate).render(
                instruments, configuration: configuration, endSample: 13_000 + 48_000 * 700 / rate)
            let (left, delay) = reference(offline.left, rate: rate)
            let (right, _) = reference(offline.right, rate: rate)
            let shift = session.live.latency.total - delay
            let count = session.position - shift
            #expect(session.left[..<shift].allSatisfy { $0 == 0 }, "\(live)")
            #expect(session.left[shift...].elementsEqual(left[..<count]), "\(live)")
            #expect(session.right[shift...].elementsEqual(right[..<count]), "\(live)")
            #expect(session.left.contains { abs($0) > 1e-3 }, "\(live)")
            // A block in which the instruments have no sample is told of with the next.
            #expect(status.frames <= session.position, "\(live)")
            #expect(status.frames >= session.position - live.blockFrames - 8, "\(live)")
        }
    }

    /// Where a sine of that frequency begins its period, in samples of 48 kHz, from its samples at some times.
    private func phase(_ sound: ArraySlice<Float>, hertz: Double, seconds: (Int) -> Double) -> Double {
        var (real, imaginary) = (0.0, 0.0)
        for index in sound.indices {
            let part = Double(index - sound.startIndex) / Double(sound.count)
            let weight = (0.5 - 0.5 * cos(2 * .pi * part)) * Double(sound[index])
            let angle = 2 * .pi * hertz * seconds(index)
            real += weight * cos(angle)
            imaginary += weight * sin(angle)
        }
        return -atan2(real, imaginary) / (2 * .pi * hertz) * 48_000
    }

    /// A message of frame t is heard at t + latency, within half a sample of the instruments: by the phase of a sine.
    @Test func aNoteIsHeardWithinHalfASampleOfItsTime() throws {
        var generator = SeededGenerator.announced()
        let instruments = try ModelFolder.fixtures.instruments(["soft"])
        var song = Song()
        song.note(69, from: 0, to: 40_000)
        let offline = try song.render(instruments, endSample: 12_000).left
        let wanted = phase(offline[4_800..<9_600], hertz: 440, seconds: { Double($0) / 48_000 })
        for rate in [8000, 44_100, 88_200, 96_000, 192_000] {
            var worst = 0.0
            for _ in 0..<6 {
                let start = Int.random(in: 0...2000, using: &generator)
                var song = Song()
                song.note(69, from: start, to: 10 * rate)
                var session = try LiveSession(
                    instruments, configuration: .init(),
                    live: LiveConfiguration(blockFrames: 300, blocksVary: true, sampleRate: rate), song: song,
                    isThreaded: false)
                let heard = start + session.live.latency.total
                while session.position < heard + rate / 4 {
                    try session.play(frames: Int.random(in: 1...300, using: &generator))
                }
                let part = session.left[heard + rate / 10..<heard + rate / 5]
                let late =
                    phase(part, hertz: 440, seconds: { Double($0 - heard) / Double(rate) }) - wanted
                worst = max(worst, abs(late))
            }
            #expect(worst <= 0.5 + 0.01, "\(rate) Hz: \(worst) samples")
        }
    }

    /// What is said of the blocks alone, by trying every block of a period.
    @Test func theBufferingIsTheLeastWithWhichNothingIsMissed() {
        var generator = SeededGenerator.announced()
        for _ in 0..<400 {
            let pair =
                Bool.random(using: &generator)
                ? (Self.rates.randomElement(using: &generator)!, 48_000)
                : (Int.random(in: 1...9, using: &generator), Int.random(in: 1...9, using: &generator))
            let rates = RateRatio(from: pair.0, to: pair.1)
            let (n, s) = (
                Int.random(in: 1...300, using: &generator), Int.random(in: 1...300, using: &generator)
            )
            let vary = Bool.random(using: &generator)
            let step = vary ? 1 : n
            // The beginnings of blocks, as remainders of a slice, come again after so many.
            let whole = s * rates.ticksPerOutput
            var (begin, most) = (0, 0)
            repeat {
                let known = rates.outputs(after: begin) / s * s
                most = max(most, rates.outputs(after: begin + n) - known)
                begin += step
            } while begin * rates.ticksPerInput % whole != 0
            let said = Latency.buffering(blockFrames: n, sliceSamples: s, blocksVary: vary, rates: rates)
            #expect(said == most, "\(pair), blocks of \(n), slices of \(s), \(vary)")
        }
    }

    @Test func theLatencyHasItsParts() throws {
        let instruments = try ModelFolder.fixtures.instruments(["sine"])
        func latency(_ rate: Int?) throws -> Latency {
            var configuration = NeuralSynthConfiguration()
            configuration.sliceSamples = 128
            return try LivePlayer(
                instruments: instruments, configuration: configuration,
                live: LiveConfiguration(sampleRate: rate), isThreaded: false
            ).latency
        }
        let own = Latency(buffering: 128, model: 0, lookAhead: 128)
        #expect(try latency(nil) == own && latency(48_000) == own)
        // Blocks of 256 samples of the instruments, and of 64.
        let half = try latency(24_000)
        #expect(half.buffering == 128 && half.lookAhead == 128 && half.resampling == 72)
        let double = try latency(96_000)
        // 192 and 64 samples, 72 of the filter and half a one.
        #expect(double == Latency(buffering: 256, model: 0, lookAhead: 128, resampling: 145))
        for rate in Self.rates {
            let it = try latency(rate)
            let least = 72 * max(1, Double(rate) / 48_000)
            let most = least + 2 * max(1, Double(rate) / 48_000) + 2
            #expect(Double(it.resampling) >= least && Double(it.resampling) <= most, "\(rate): \(it)")
        }
    }

    @Test func afterAResetThereIsSilenceAtOnceAndItPlaysAgain() throws {
        let instruments = try ModelFolder.fixtures.instruments(["soft"])
        for rate in [44_100, 96_000] {
            var song = Song()
            song.note(69, from: 100, to: 10 * rate)
            song.note(57, from: 30_000, to: 10 * rate)
            var session = try LiveSession(
                instruments, configuration: .init(),
                live: LiveConfiguration(blockFrames: 100, sampleRate: rate), song: song, isThreaded: false)
            while session.position < 20_000 { try session.play(frames: 100) }
            #expect(session.left[19_900...].contains { abs($0) > 0.01 })
            session.live.player.reset()
            while session.position < 40_000 { try session.play(frames: 100) }
            let heard = 30_000 + session.live.latency.total
            // The filter begins before the note.
            let silence = session.left[20_000..<heard - 100 * rate / 44_100]
            #expect(silence.allSatisfy { $0 == 0 })
            #expect(session.left[heard...].contains { abs($0) > 0.01 })
        }
    }

    @Test func ratesThatCannotBePlayedAreNamed() throws {
        let instruments = try ModelFolder.fixtures.instruments(["sine"])
        for rate in [7999, 384_001, 47_999, 0, -1] {
            let error = #expect(throws: NeuralSynthError.self) {
                _ = try LivePlayer(
                    instruments: instruments, configuration: .init(),
                    live: LiveConfiguration(sampleRate: rate), isThreaded: false)
            }
            #expect(error?.code == .sampleRate && error?.message.contains("\(rate) Hz") == true)
        }
    }

    /// More messages in a block than there is room for are left out and counted, and what is held is let go.
    @Test func messagesWithoutRoomAreCounted() throws {
        let live = try LivePlayer(
            instruments: ModelFolder.fixtures.instruments(["sine"]), configuration: .init(),
            live: LiveConfiguration(blockFrames: 64, sampleRate: 44_100), isThreaded: false)
        let wheel = ChannelMessage(status: 0xB0, data1: 1, data2: 0)
        let messages = [TimedMessage](repeating: TimedMessage(offsetFrames: 3, message: wheel), count: 8200)
        var (left, right) = ([Float](repeating: 1, count: 64), [Float](repeating: 1, count: 64))
        for _ in 0..<2 {
            var leftSpan = left.mutableSpan
            var rightSpan = right.mutableSpan
            live.player.process(messages.span, left: &leftSpan, right: &rightSpan)
        }
        #expect(live.status.droppedNotes == 16)
        #expect(left == [Float](repeating: 0, count: 64))
    }

    @Test(
        .enabled(if: allocationsCanBeCounted, "allocations are counted with glibc and without sanitizers"),
        arguments: [44_100, 192_000])
    func playingAtAnotherRateAllocatesNothing(rate: Int) throws {
        let live = try LivePlayer(
            instruments: try ModelFolder.fixtures.instruments(["sine"]), configuration: .init(),
            live: LiveConfiguration(blocksVary: true, sampleRate: rate), isThreaded: false)
        var left: [Float] = []
        var audio = 0
        for block in 0..<400 {
            let message = ChannelMessage(status: 0x90, data1: UInt8(48 + block % 24), data2: 90)
            let messages = [TimedMessage(offsetFrames: block % 3, message: message)]
            let frames = block % 5 == 0 ? 3 : 128
            var (l, r) = (
                [Float](repeating: .nan, count: frames), [Float](repeating: .nan, count: frames)
            )
            var leftSpan = l.mutableSpan
            var rightSpan = r.mutableSpan
            audio += allocations { live.player.process(messages.span, left: &leftSpan, right: &rightSpan) }
            left = l
            #expect(r.allSatisfy { $0.isFinite })
            if block == 300 { audio += allocations { live.player.reset() } }
            // The worker does nothing for a while.
            if !(100..<160).contains(block) { try live.renderWhatIsDue() }
        }
        #expect(audio == 0)
        #expect(live.status.missedFrames > 500 && left.contains { $0 != 0 })
    }
}
