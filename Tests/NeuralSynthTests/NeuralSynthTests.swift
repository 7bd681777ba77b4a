import Devices
import NeuralSynth
import Player
import Realtime
import Streaming
import TestSupport
import Testing

@Suite("Neural synth")
struct NeuralSynthTests {
    private let instruments: [NeuralInstrument]

    init() throws { instruments = try ModelFolder.shipped.instruments(["strings", "trumpet"]) }

    /// Something of everything, at awkward samples.
    private func piece(_ generator: inout SeededGenerator) -> Song {
        var song = Song()
        song.add(0, 0xC1, 56)
        for _ in 0..<24 {
            let start = Int.random(in: 0..<36_000, using: &generator)
            song.note(
                UInt8.random(in: 54...82, using: &generator),
                velocity: UInt8.random(in: 20...127, using: &generator),
                from: start, to: start + Int.random(in: 1...20_000, using: &generator),
                channel: UInt8.random(in: 0...1, using: &generator))
        }
        song.add(5_001, 0xB0, 64, 127)
        song.add(17_003, 0xB0, 64, 0)
        for i in 0..<20 { song.add(9_000 + 311 * i, 0xE1, 0, UInt8(40 + 3 * i)) }
        song.add(12_345, 0xB0, 7, 60)
        song.add(13_000, 0xB1, 10, 20)
        return song
    }

    @Test func theResultDoesNotDependOnTheBlockSizeAndRepeats() throws {
        var generator = SeededGenerator.announced()
        let song = piece(&generator)
        var configuration = NeuralSynthConfiguration()
        configuration.voices = 6
        let reference = try song.render(
            instruments, configuration: configuration, blockFrames: 256, endSample: 48_000,
            tailSamples: 24_000)
        #expect(reference.left.count == 72_000)
        #expect(reference.left.contains { abs($0) > 1e-3 })
        for block in [1, 64, 256, 333, 4096, 65536] {
            let other = try song.render(
                instruments, configuration: configuration, blockFrames: block, endSample: 48_000,
                tailSamples: 24_000)
            #expect(other.left == reference.left && other.right == reference.right, "block \(block)")
        }
    }

    @Test func aNoteStartsOnItsSample() throws {
        func render(at start: Int) throws -> [Float] {
            var song = Song()
            song.note(69, from: start, to: start + 6_000)
            return try song.render(instruments, endSample: start + 9_000).left
        }
        let reference = try render(at: 0)
        for start in [1, 100, 127, 128, 129, 255, 256, 257, 5_003] {
            let shifted = try render(at: start)
            #expect(shifted[..<start].allSatisfy { $0 == 0 }, "silence before \(start)")
            // Where its slots are cut into other slices, a decoder keeps its sound to 1e-5; else to the bit.
            let note = shifted[start...]
            let farthest = zip(note, reference).map { abs($0 - $1) }.max() ?? .infinity
            #expect(note.count == reference.count && farthest <= 1e-5, "the same note from \(start) on")
            if start % 256 == 0 { #expect(farthest == 0, "bit by bit from \(start) on") }
        }
    }

    @Test func aReleasedNoteIsSilentWithinItsRelease() throws {
        var song = Song()
        song.note(64, from: 0, to: 10_000)
        let release = Int(instruments[0].releaseSeconds * 48_000)
        let sound = try song.render(instruments, endSample: 10_000 + release + 4_800).left
        #expect(sound[..<10_000].contains { abs($0) > 1e-3 })
        #expect(sound[(10_000 + release)...].allSatisfy { $0 == 0 })
    }

    @Test func thePedalHoldsANoteUntilItIsLifted() throws {
        let release = Int(instruments[0].releaseSeconds * 48_000)
        var held = Song()
        held.add(0, 0xB0, 64, 127)
        held.note(60, from: 10, to: 3_000)
        held.add(12_000, 0xB0, 64, 0)
        var longer = Song()
        longer.note(60, from: 10, to: 12_000)
        let end = 12_000 + release + 1_000
        #expect(
            try held.render(instruments, endSample: end).left
                == longer.render(instruments, endSample: end).left)
    }

    @Test func allNotesOffLetsGoAndAllSoundOffCutsShort() throws {
        func silentAfter(_ number: UInt8) throws -> Int {
            var song = Song()
            song.add(0, 0x90, 60, 100)
            song.add(0, 0x90, 67, 100)
            song.add(9_000, 0xB0, number, 0)
            let sound = try song.render(instruments, endSample: 96_000).left
            return (sound.lastIndex { $0 != 0 } ?? 0) - 9_000
        }
        let release = Int(instruments[0].releaseSeconds * 48_000)
        #expect(try (240..<release + 1).contains(silentAfter(123)))
        #expect(try (0..<240).contains(silentAfter(120)))
    }

    @Test func aProgramChangeSelectsTheInstrumentUnlessTheChannelIsPinned() throws {
        var plain = Song()
        plain.note(62, from: 0, to: 8_000)
        var changed = Song()
        changed.add(0, 0xC0, 56)
        changed.note(62, from: 0, to: 8_000)
        let strings = try plain.render(instruments, endSample: 9_000).left
        var configuration = NeuralSynthConfiguration()
        configuration.channelInstruments = Array(repeating: 1, count: 16)
        let trumpet = try plain.render(instruments, configuration: configuration, endSample: 9_000).left
        #expect(strings != trumpet)
        #expect(try changed.render(instruments, endSample: 9_000).left == trumpet)
        configuration.channelInstruments = Array(repeating: 0, count: 16)
        configuration.pinnedChannels = [0]
        #expect(
            try changed.render(instruments, configuration: configuration, endSample: 9_000).left == strings)
    }

    @Test func aStolenVoiceFadesAndTheNewOneIsUnharmed() throws {
        var configuration = NeuralSynthConfiguration()
        configuration.voices = 1
        var both = Song()
        both.add(0, 0x90, 60, 100)
        both.note(72, from: 9_001, to: 20_000)
        var first = Song()
        first.add(0, 0x90, 60, 100)
        var second = Song()
        second.add(0, 0x90, 60, 0)
        second.note(72, from: 9_001, to: 20_000)
        let sound = try both.render(instruments, configuration: configuration, endSample: 24_000).left
        let old = try first.render(instruments, configuration: configuration, endSample: 24_000).left
        #expect(sound[..<9_001].elementsEqual(old[..<9_001]))
        let limit = (1..<9_000).map { abs(old[$0] - old[$0 - 1]) }.max()!
        let new = try second.render(instruments, configuration: configuration, endSample: 24_000).left
        for i in 9_001..<9_300 {
            // What is left of the old note: no step is larger than its own.
            let step = (sound[i] - new[i]) - (sound[i - 1] - new[i - 1])
            #expect(abs(step) <= 1.5 * limit + 1e-6)
        }
    }

    @Test func moreNotesThanVoicesNeverExceedThePolyphonyAndNothingIsDropped() throws {
        var configuration = NeuralSynthConfiguration()
        configuration.voices = 4
        let renderer = try OfflineRenderer(
            instruments: instruments, configuration: configuration, blockFrames: 100)
        var song = Song()
        for i in 0..<40 { song.add(i * 400, 0x90, UInt8(48 + i % 30), 90) }
        try renderer.render(song.messages, endSample: 18_000, tailSamples: 0) { left, _ in
            for i in left.indices { #expect(left[i].isFinite) }
        }
        let counters = renderer.player.counters
        #expect(counters.voicesPeak == 4)
        #expect(counters.droppedNotes == 0)
        #expect(counters.missedFrames == 0)
    }

    @Test func aStormOfControllersLosesNothingAndNoNoteIsLeftBehind() throws {
        var song = Song()
        for i in 0..<40_000 { song.add(1_000 + i, 0xB0, 7, UInt8(i % 100)) }
        for i in 0..<20_000 { song.add(50_000, i % 2 == 0 ? 0xB0 : 0xE0, 7, UInt8(i % 128)) }
        song.add(50_001, 0xB0, 7, 100)
        song.add(50_001, 0xE0, 0, 64)
        song.note(60, from: 2_000, to: 48_000)
        song.note(64, from: 52_000, to: 60_000)
        let release = Int(instruments[0].releaseSeconds * 48_000)
        let end = 60_000 + release + 9_600
        let reference = try song.render(instruments, blockFrames: 64, endSample: end).left
        #expect(reference[52_500..<60_000].contains { abs($0) > 1e-3 })
        #expect(reference[(60_000 + release)...].allSatisfy { $0 == 0 })
        for block in [1_000, 65_536] {
            #expect(try song.render(instruments, blockFrames: block, endSample: end).left == reference)
        }
    }

    @Test func ofMoreNotesAtOnceThanThereAreTracksTheLastSound() throws {
        var configuration = NeuralSynthConfiguration()
        configuration.voices = 2
        var storm = Song()
        for i in 0..<500 { storm.add(480, 0x90, UInt8(i % 60 + 30), 80) }
        let renderer = try OfflineRenderer(
            instruments: instruments, configuration: configuration, blockFrames: 512)
        try renderer.render(storm.messages, endSample: 9_600, tailSamples: 0) { left, _ in
            for i in left.indices { #expect(left[i].isFinite) }
        }
        #expect(renderer.player.counters.droppedNotes == 0)
        #expect(renderer.player.counters.voicesPeak == 2)
    }

    @Test func numbersOutOfRangeAreRefused() throws {
        var wrong = instruments[0]
        wrong.programs = [128]
        var endless = instruments[0]
        endless.releaseSeconds = .infinity
        for instrument in [wrong, endless] {
            #expect(throws: NeuralSynthError.self) {
                _ = try OfflineRenderer(
                    instruments: [instrument], configuration: NeuralSynthConfiguration(), blockFrames: 64)
            }
        }
        for change in [
            { (c: inout NeuralSynthConfiguration) in c.voices = 65 }, { $0.voices = 0 },
            { $0.sliceSamples = 100 },
            { $0.sliceSamples = 1 << 40 }, { $0.maximumBatch = 0 }, { $0.channelInstruments = [7] },
        ] {
            var configuration = NeuralSynthConfiguration()
            change(&configuration)
            #expect(throws: NeuralSynthError.self) {
                _ = try OfflineRenderer(
                    instruments: instruments, configuration: configuration, blockFrames: 64)
            }
        }
    }

    @Test func instrumentsOfOneModelPlayAsTheyDoAlone() throws {
        func render(_ strings: Bool, _ trumpet: Bool) throws -> [Float] {
            var song = Song()
            song.add(0, 0xC1, 56)
            if strings { song.note(50, from: 100, to: 9_000, channel: 0) }
            if trumpet { song.note(70, from: 100, to: 9_000, channel: 1) }
            return try song.render(instruments, endSample: 12_000).left
        }
        let both = try render(true, true)
        let first = try render(true, false)
        let second = try render(false, true)
        for i in both.indices { #expect(abs(both[i] - first[i] - second[i]) < 1e-4) }
    }

    @Test func theLatencyIsTheLeastThatWorks() {
        for slice in [128, 256] {
            for block in 1...700 {
                let latency = Latency.buffering(blockFrames: block, sliceSamples: slice)
                // By simulation: what a block reads, and what is rendered before it.
                var needed = 0
                for i in 0..<slice {
                    let position = i * block
                    let rendered = position / slice * slice
                    needed = max(needed, position + block - rendered)
                }
                #expect(latency == needed)
            }
        }
    }
}
