import Devices
import NeuralSynth
import Player
import Realtime
import TestSupport
import Testing

@Suite(
    "Audio room",
    .enabled(if: allocationsCanBeCounted, "allocations are counted with glibc and without sanitizers"))
struct AudioRoomTests {
    @Test func playingAllocatesNothingFromTheFirstBlockOn() throws {
        let instruments = try ModelFolder.shipped.instruments(["strings", "trumpet"])
        var configuration = NeuralSynthConfiguration()
        configuration.voices = 3
        let player = try OfflineRenderer(
            instruments: instruments, configuration: configuration, blockFrames: 256
        ).player
        var left = [Float](repeating: 0, count: 256)
        var right = left
        var counted = 0
        for block in 0..<60 {
            // Notes, stolen notes, pedal, bends, program changes and controllers, in every block.
            let key = UInt8(48 + block % 24)
            let bytes: [(UInt8, UInt8, UInt8)] = [
                (0x90, key, 90), (0x91, key, 70), (0xB0, 64, block % 2 == 0 ? 127 : 0), (0xE0, 0, key),
                (0xC1, 56, 0), (0xB1, 7, key), (0x80, key, 0),
            ]
            let messages = bytes.enumerated().map {
                TimedMessage(
                    offsetFrames: 30 * $0.offset,
                    message: ChannelMessage(
                        status: $0.element.0, data1: $0.element.1, data2: $0.element.2))
            }
            try player.renderer.render(until: block * 256)
            var leftSpan = left.mutableSpan
            var rightSpan = right.mutableSpan
            counted += allocations { player.process(messages.span, left: &leftSpan, right: &rightSpan) }
        }
        #expect(counted == 0)
        #expect(left.contains { $0 != 0 })
        #expect(allocations { player.reset() } == 0)
        #expect(player.counters.voicesPeak == 3)
        #expect(player.counters.missedFrames == 0)
    }

    /// In time, late, concealing what is missed, and reset.
    @Test func playingLiveAllocatesNothing() throws {
        var configuration = NeuralSynthConfiguration()
        configuration.sliceSamples = 128
        let live = try LivePlayer(
            instruments: try ModelFolder.fixtures.instruments(["sine"]), configuration: configuration,
            live: LiveConfiguration(), isThreaded: false)
        var left = [Float](repeating: 0, count: 128)
        var right = left
        var audio = 0
        for block in 0..<400 {
            let key = UInt8(48 + block % 24)
            let messages = [
                TimedMessage(
                    offsetFrames: block % 128, message: ChannelMessage(status: 0x90, data1: key, data2: 90)),
                TimedMessage(
                    offsetFrames: 127, message: ChannelMessage(status: 0x80, data1: key &- 1, data2: 0)),
            ]
            var leftSpan = left.mutableSpan
            var rightSpan = right.mutableSpan
            audio += allocations { live.player.process(messages.span, left: &leftSpan, right: &rightSpan) }
            if block == 300 { audio += allocations { live.player.reset() } }
            // The worker does nothing for a while.
            if !(100..<160).contains(block) { try live.renderWhatIsDue() }
        }
        #expect(audio == 0)
        #expect(live.status.missedFrames > 5000 && live.status.skippedSlices > 50)
        #expect(left.contains { $0 != 0 })
    }

    /// A minute of chords in the audio room and in the worker's, from the first block on. ONNX Runtime's own allocations
    /// are told apart.
    @Test func aMinuteOfPlayingAllocatesNothingInEitherRoom() throws {
        var configuration = NeuralSynthConfiguration()
        configuration.sliceSamples = 128
        configuration.voices = 8
        let live = try LivePlayer(
            instruments: try ModelFolder.fixtures.instruments(["sine"]), configuration: configuration,
            live: LiveConfiguration(), isThreaded: false)
        var left = [Float](repeating: 0, count: 128)
        var right = left
        var (audio, worker, runtime) = (0, 0, 0)
        for block in 0..<(60 * 48_000 / 128) {
            // Every 40 ms a note of a chord begins, and one ends.
            let key = UInt8(48 + block / 15 % 8 * 3)
            let messages =
                block % 15 == 0
                ? [
                    TimedMessage(
                        offsetFrames: block % 128,
                        message: ChannelMessage(status: 0x80, data1: key, data2: 0)),
                    TimedMessage(
                        offsetFrames: 127, message: ChannelMessage(status: 0x90, data1: key, data2: 90)),
                ] : []
            var leftSpan = left.mutableSpan
            var rightSpan = right.mutableSpan
            audio += allocations { live.player.process(messages.span, left: &leftSpan, right: &rightSpan) }
            let counted = try allocationsApart { try live.renderWhatIsDue() }
            worker += counted.ours
            runtime += counted.runtime
        }
        print(
            "A minute of playing: \(audio) allocations in audio, \(worker) in the worker, \(runtime) of ONNX "
                + "Runtime's own.")
        #expect(audio == 0)
        #if !DEBUG  // without optimisation generics allocate
            #expect(worker == 0)
        #endif
        #expect(runtime > 0, "its own have to be told from ours")
        #expect(live.status.missedFrames == 0 && live.status.voicesPeak > 6)
    }

    /// Chords of sixteen notes, one over the other, of which a helper renders what it can get.
    @Test func aHelperAllocatesNothing() async throws {
        var configuration = NeuralSynthConfiguration()
        (configuration.sliceSamples, configuration.workers) = (128, 2)
        let player = try OfflineRenderer(
            instruments: try ModelFolder.shipped.instruments(["strings"]), configuration: configuration,
            blockFrames: 128
        ).player
        nonisolated(unsafe) let renderer = player.renderer
        let hasJoined = Shared(Semaphore())
        async let helped = onThread {
            let hand = try! renderer.join()!
            hasJoined.value.signal()
            return allocationsApart { renderer.help(as: hand) }
        }
        await onThread { hasJoined.value.wait() }
        var left = [Float](repeating: 0, count: 128)
        var right = left
        for block in 0..<400 {
            let first = UInt8(block / 20 % 2 * 16 + 40)
            let messages = (0..<(block % 20 == 0 ? 16 : 0)).map {
                TimedMessage(
                    offsetFrames: 5, message: ChannelMessage(status: 0x90, data1: first + $0, data2: 90))
            }
            try renderer.render(until: block * 128)
            Self.process(player, messages, &left, &right)
        }
        renderer.letHelpersGo()
        let counted = await helped
        #expect(counted.runtime > 0, "it has to have run something")
        #if !DEBUG  // without optimisation generics allocate
            #expect(counted.ours == 0)
        #endif
        #expect(player.counters.missedFrames == 0 && left.contains { $0 != 0 })
    }

    private static func process(
        _ player: Player, _ messages: [TimedMessage], _ left: inout [Float], _ right: inout [Float]
    ) {
        var leftSpan = left.mutableSpan
        var rightSpan = right.mutableSpan
        player.process(messages.span, left: &leftSpan, right: &rightSpan)
    }

    /// The blocks in which instruments are taken, take over held notes, are heard together, and are let go of; a worker that
    /// does nothing meanwhile, and a reset.
    @Test(arguments: [48_000, 44_100, 96_000])
    func swappingInstrumentsAllocatesNothing(hostRate: Int) throws {
        var configuration = NeuralSynthConfiguration()
        configuration.sliceSamples = 128
        let live = try LivePlayer(
            instruments: try ModelFolder.fixtures.instruments(["sine"]), configuration: configuration,
            live: LiveConfiguration(sampleRate: hostRate), isThreaded: false)
        let others = try ["soft", "sway", "sine"].map { try ModelFolder.fixtures.instruments([$0]) }
        var left = [Float](repeating: 0, count: 128)
        var right = left
        var (audio, worker, swaps) = (0, 0, 0)
        for block in 0..<420 {
            if block % 40 == 20 {
                try live.swap(to: others[block / 40 % 3])
                swaps += 1
            }
            let key = UInt8(48 + block % 24)
            let messages = [(0xB0, 64, block % 50 < 25 ? 127 : 0), (0xE0, 0, key), (0x90, key, 90)].map {
                TimedMessage(
                    offsetFrames: 64, message: ChannelMessage(status: $0.0, data1: $0.1, data2: $0.2))
            }
            var leftSpan = left.mutableSpan
            var rightSpan = right.mutableSpan
            audio += allocations {
                live.player.process(messages.span, left: &leftSpan, right: &rightSpan)
                if block % 110 == 109 { live.player.reset() }
            }
            if !(100..<110).contains(block) {
                worker += try allocationsApart { try live.renderWhatIsDue() }.ours
            }
        }
        #expect(audio == 0)
        #if !DEBUG  // without optimisation generics allocate
            #expect(worker == 0)
        #endif
        #expect(!live.collect() && swaps == 10 && left.contains { $0 != 0 })
    }

    @Test func aResetPlayerIsSilentAndPlaysAgain() throws {
        let instruments = try ModelFolder.shipped.instruments(["trumpet"])
        let player = try OfflineRenderer(
            instruments: instruments, configuration: NeuralSynthConfiguration(), blockFrames: 256
        ).player
        let noteOn = TimedMessage(
            offsetFrames: 0, message: ChannelMessage(status: 0x90, data1: 70, data2: 100))
        var position = 0
        /// The largest sample of the next `blocks` blocks.
        func play(_ blocks: Int, _ messages: [TimedMessage] = []) throws -> Float {
            var peak: Float = 0
            for block in 0..<blocks {
                var left = [Float](repeating: 1, count: 256)
                var right = left
                try player.renderer.render(until: position)
                let now = block == 0 ? messages : []
                var leftSpan = left.mutableSpan
                var rightSpan = right.mutableSpan
                player.process(now.span, left: &leftSpan, right: &rightSpan)
                position += 256
                for sample in left { peak = max(peak, abs(sample)) }
            }
            return peak
        }
        #expect(try play(40, [noteOn]) > 0.01)
        player.reset()
        #expect(try play(40) == 0)
        #expect(try play(40, [noteOn]) > 0.01)
    }
}
