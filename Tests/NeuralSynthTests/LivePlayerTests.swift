import Devices
import NeuralSynth
import Player
import Streaming
import TestSupport
import Testing

@Suite("Live player")
struct LivePlayerTests {
    /// Chords, single notes and bends over a second.
    private func song(_ generator: inout SeededGenerator) -> Song {
        var song = Song()
        song.add(0, 0xC1, 56)
        // More than one batch holds.
        for step in 0..<11 { song.note(48 + 2 * UInt8(step), from: 5_000, to: 16_000) }
        for _ in 0..<14 {
            let start = Int.random(in: 0..<30_000, using: &generator)
            let end = start + Int.random(in: 1...12_000, using: &generator)
            for step in 0..<UInt8.random(in: 1...3, using: &generator) {
                song.note(
                    UInt8.random(in: 54...70, using: &generator) + 4 * step, from: start, to: end,
                    channel: UInt8.random(in: 0...1, using: &generator))
            }
        }
        for i in 0..<10 { song.add(9_000 + 311 * i, 0xE1, 0, UInt8(40 + 3 * i)) }
        return song
    }

    @Test(arguments: [(128, false, 128), (64, false, 192), (700, true, 0)], [1, 2, 3])
    func whatIsPlayedIsWhatIsRendered(
        _ blocks: (frames: Int, vary: Bool, lookAhead: Int), workers: Int
    ) throws {
        let (blockFrames, blocksVary, lookAhead) = blocks
        var generator = SeededGenerator.announced()
        let song = song(&generator)
        let instruments = try ModelFolder.shipped.instruments(["strings", "trumpet"])
        var configuration = NeuralSynthConfiguration()
        configuration.sliceSamples = 128
        let offline = try song.render(instruments, configuration: configuration, endSample: 48_000)
        var session = try LiveSession(
            instruments, configuration: configuration,
            live: LiveConfiguration(
                blockFrames: blockFrames, blocksVary: blocksVary, lookAheadSamples: lookAhead,
                workers: workers),
            song: song)
        while session.position < 48_000 {
            try session.play(
                frames: blocksVary ? Int.random(in: 1...blockFrames, using: &generator) : blockFrames)
        }
        let status = session.live.status
        #expect(status.missedFrames == 0 && status.skippedSlices == 0 && status.droppedNotes == 0)
        #expect(status.frames == session.position && status.voicesPeak > 2)
        let latency = session.live.latency.total
        #expect(session.left[..<latency].allSatisfy { $0 == 0 })
        let count = session.position - latency
        #expect(session.left[latency...].elementsEqual(offline.left[..<count]))
        #expect(session.right[latency...].elementsEqual(offline.right[..<count]))
        #expect(offline.left[..<count].contains { abs($0) > 1e-3 })
    }

    @Test func theLatencyIsTwoBlocksAsItComes() throws {
        var configuration = NeuralSynthConfiguration()
        configuration.sliceSamples = 128
        let live = try LivePlayer(
            instruments: try ModelFolder.fixtures.instruments(["sine"]), configuration: configuration)
        #expect(live.latency == Latency(buffering: 128, model: 0, lookAhead: 128))
        #expect(live.player.latencySamples == 256)
    }

    /// The device goes on without the worker for a while: nothing clicks, all is counted, and the music is where it
    /// would be.
    @Test func aStallIsConcealedCountedAndForgotten() throws {
        let instruments = try ModelFolder.fixtures.instruments(["sine"])
        var configuration = NeuralSynthConfiguration()
        configuration.sliceSamples = 128
        var song = Song()
        for key in [57, 64, 69] as [UInt8] { song.note(key, from: 0, to: 30_000) }
        song.note(72, from: 60_001, to: 70_000)
        let offline = try song.render(instruments, configuration: configuration, endSample: 96_000).left
        var session = try LiveSession(
            instruments, configuration: configuration, live: LiveConfiguration(), song: song,
            isThreaded: false)
        while session.position < 12_000 { try session.play(frames: 128) }
        let before = session.live.status
        #expect(before.missedFrames == 0 && before.lateSlices == 0)
        // The worker does nothing for half a second.
        let stalled = session.position
        while session.position < stalled + 188 * 128 { try session.play(frames: 128, waiting: false) }
        while session.position < 96_000 { try session.play(frames: 128) }

        let after = session.live.status
        // Two blocks had been rendered ahead. The worker is there again after the first block that is not in the stall.
        #expect(after.missedFrames == 188 * 128 - 256 + 128)
        #expect(after.skippedSlices == after.missedFrames / 128 && after.lateSlices == 0)
        let isFinite = session.left.allSatisfy { $0.isFinite }
        #expect(isFinite)
        let latency = session.live.latency.total
        #expect(session.left[latency..<stalled].elementsEqual(offline[..<(stalled - latency)]))
        // The last note begins on its sample, and to the bit: nothing of the stall is left.
        let last = 60_001..<session.position - latency
        #expect(session.left[(last.lowerBound + latency)...].elementsEqual(offline[last]))
        #expect(steepest(session.left[...]) < 2 * steepest(offline[...]))
    }

    /// Players that end while their threads are only starting, or in the middle of a chord.
    @Test(.timeLimit(.minutes(1)))
    func playersEndAtAnyMoment() throws {
        let instruments = try ModelFolder.fixtures.instruments(["sine"])
        var configuration = NeuralSynthConfiguration()
        (configuration.sliceSamples, configuration.maximumBatch) = (128, 2)
        var song = Song()
        for key in 40..<56 { song.note(UInt8(key), from: 0, to: 9_000) }
        for blocks in 0..<24 {
            var session = try LiveSession(
                instruments, configuration: configuration, live: LiveConfiguration(workers: 1 + blocks % 4),
                song: song)
            for _ in 0..<blocks { try session.play(frames: 128, waiting: blocks % 2 == 0) }
            #expect(session.live.failure == nil)
        }
    }

    @Test func wrongConfigurationsAreRefused() throws {
        let instruments = try ModelFolder.fixtures.instruments(["sine"])
        for wrong in [
            LiveConfiguration(blockFrames: 0), LiveConfiguration(blockFrames: 4097),
            LiveConfiguration(lookAheadSamples: -1), LiveConfiguration(workerPriority: 100),
            LiveConfiguration(workers: 0), LiveConfiguration(workers: 9),
        ] {
            #expect(throws: NeuralSynthError.self) {
                _ = try LivePlayer(instruments: instruments, configuration: .init(), live: wrong)
            }
        }
    }
}
