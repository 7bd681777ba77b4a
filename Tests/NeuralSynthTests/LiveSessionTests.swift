import Foundation
import NeuralSynth
import Player
import Streaming
import TestSupport
import Testing

/// How many random sessions are played: `script/sessions` asks for thousands.
private let sessionCount = ProcessInfo.processInfo.environment["ECHOEL_SESSIONS"].flatMap(Int.init) ?? 40

/// Sessions of a live player with notes, blocks, look-aheads, stalls of the worker, resets and swaps of the instrument at
/// random, each compared with the same session without stalls.
@Suite("Live sessions")
struct LiveSessionTests {
    @Test(arguments: 0..<sessionCount)
    func sessionsKeepTheirTime(_ number: Int) throws {
        try RandomSession(Opened.fixtures.get(), polyphony: 6).check()
    }

    @Test(arguments: 0..<max(1, sessionCount / 50))
    func sessionsOfAShippedInstrumentKeepTheirTime(_ number: Int) throws {
        let instruments = try Opened.shipped.get()
        try RandomSession([0, 1].map { instruments[(number + $0) % 4] }, polyphony: 2).check()
    }

    /// Opened once: sessions differ in what they play, not in the models.
    private enum Opened {
        static let fixtures = Result { try open(["sine", "soft"], in: .fixtures) }
        static let shipped = Result { try open(["strings", "trumpet", "piano", "synth"], in: .shipped) }

        private static func open(_ names: [String], in folder: ModelFolder) throws -> [[NeuralInstrument]] {
            try names.map { try folder.instruments([$0]) }
        }
    }
}

/// The greatest difference between neighbours.
private func greatestStep(_ sound: ArraySlice<Float>) -> Float {
    zip(sound, sound.dropFirst()).reduce(0) { max($0, abs($1.1 - $1.0)) }
}

/// The greatest second difference.
func steepest(_ sound: ArraySlice<Float>) -> Float {
    var most: Float = 0
    for i in sound.indices.dropFirst(2) {
        let difference: Float = sound[i] - 2 * sound[i - 1] + sound[i - 2]
        most = max(most, abs(difference))
    }
    return most
}

/// What happens in a session, and what has to come of it.
private struct RandomSession {
    /// Stalls, resets and swaps end before this sample, and all notes but the last before that.
    static let (unrest, held) = (12_000, 22_000)

    struct Block {
        var start: Int
        var frames: Int
        var isStalled = false
        /// Whether the player is reset before it.
        var isReset = false
        /// Whether the instruments are swapped before it.
        var isSwapped = false
    }

    /// Which take turns.
    let instruments: [[NeuralInstrument]]
    let seed: UInt64
    let configuration: NeuralSynthConfiguration
    let live: LiveConfiguration
    var song = Song()
    var blocks: [Block] = []
    /// Where the last note begins: all that the others leave has faded.
    let last: Int
    let end: Int

    init(_ instruments: [[NeuralInstrument]], polyphony: Int) throws {
        var generator = SeededGenerator.announced()
        seed = generator.seed
        self.instruments = instruments
        var configuration = NeuralSynthConfiguration()
        configuration.sliceSamples = 128 * Int.random(in: 1...2, using: &generator)
        configuration.maximumBatch = Int.random(in: 1...8, using: &generator)
        self.configuration = configuration
        let blockFrames = Int.random(in: 1...600, using: &generator)
        live = LiveConfiguration(
            blockFrames: blockFrames, blocksVary: true,
            lookAheadSamples: Int.random(in: 0...700, using: &generator),
            workers: Int.random(in: 1...3, using: &generator))
        let release = instruments.joined().map(\.releaseSeconds).max() ?? 0
        last = Self.held + Int(48_000 * release) + Int.random(in: 1000..<1500, using: &generator)
        end = last + 5000
        let resets = Bool.random(using: &generator)
        let swaps = Int.random(in: 0..<3, using: &generator) == 0

        var (position, stalledUntil) = (0, 0)
        while position < end {
            let frames = min(Int.random(in: 1...blockFrames, using: &generator), end - position)
            var block = Block(start: position, frames: frames)
            if position < Self.unrest {
                if position > stalledUntil, Int.random(in: 0..<40, using: &generator) == 0 {
                    stalledUntil = position + Int.random(in: 1...6000, using: &generator)
                }
                block.isSwapped = swaps && position > 0 && Int.random(in: 0..<20, using: &generator) == 0
                block.isReset = resets && position > 0 && Int.random(in: 0..<60, using: &generator) == 0
            }
            block.isStalled = position < stalledUntil
            blocks.append(block)
            position += frames
        }

        // One note is held all the time that there are stalls, so that what is missing is missed; a reset ends it.
        let starts = [0] + blocks.filter(\.isReset).map(\.start)
        for (start, next) in zip(starts, starts.dropFirst() + [Self.held]) {
            song.add(start, 0x90, 60, 100)
            if next == Self.held { song.add(next, 0x80, 60) }
        }
        for _ in 0..<Int.random(in: 0...polyphony - 1, using: &generator) {
            let start = Int.random(in: 0..<Self.unrest, using: &generator)
            song.note(
                UInt8.random(in: 62...72, using: &generator), from: start,
                to: start + Int.random(in: 1...9000, using: &generator))
        }
        song.note(72, from: last, to: last + 2500)
    }

    struct Played {
        let left: [Float]
        let right: [Float]
        let status: LiveStatus
        let latency: Int
        /// The frames that a model of the two clocks says are missed.
        let missed: Int
        let areFreed: Bool
    }

    /// An instrument on two clocks: that of the device, which it was taken by at `start`, and the worker's.
    private struct Clock {
        let start: Int
        /// In its own event time: what is there, where the held note's sound begins, and where another took its place.
        var rendered = 0
        var begun = 0
        var left = 1 << 40

        /// From a taking over on, until nothing can be heard.
        static let (fade, concealed) = (960, 128)

        /// The frames of a block from its own time `first` on that are missed, piece by piece as the mixer goes.
        func missed(from first: Int, frames: Int) -> Int {
            let end = left + Self.fade
            var (time, missed) = (first, 0)
            while time < first + frames {
                var count = min(256, first + frames - time)
                for cut in [left, begun, rendered] where cut > time { count = min(count, cut - time) }
                if time >= max(rendered, begun), time < end { missed += count }
                time += count
            }
            return missed
        }
    }

    private struct Weak { weak var renderer: NeuralVoiceRenderer? }

    /// - Parameter only: plays these instruments alone, without swaps.
    private func play(stalling: Bool, only: Int? = nil) throws -> Played {
        var session = try LiveSession(
            instruments[only ?? 0], configuration: configuration, live: live, song: song, isThreaded: false)
        let latency = session.live.latency.total
        let slice = configuration.sliceSamples
        // The one that is played last, and before it the one whose place it has taken.
        var clocks = [Clock(start: 0)]
        var (missed, swaps, isWaiting) = (0, 0, false)
        var renderers: [Weak] = [Weak(renderer: session.live.player.renderer)]
        for block in blocks {
            if block.isReset {
                session.live.player.reset()
                clocks.removeFirst(clocks.count - 1)
                clocks[0].begun = block.start - clocks[0].start
            }
            if block.isSwapped, only == nil {
                swaps += 1
                try session.live.swap(to: instruments[swaps % instruments.count])
                renderers.append(Weak(renderer: session.live.player.renderer))
                isWaiting = true
            }
            if isWaiting, clocks.count == 1 {
                isWaiting = false
                clocks[0].left = block.start - clocks[0].start
                // After a reset there is nothing that could go on, and the held note begins in the new one.
                if block.isReset { clocks[0].begun = 1 << 40 }
                clocks.append(Clock(start: block.start))
            }
            // What the block reads beyond what is rendered, from the held note's sound on.
            for clock in clocks where block.start < Self.held - 1000 {
                missed += clock.missed(from: block.start - latency - clock.start, frames: block.frames)
            }
            let isStalled = stalling && block.isStalled
            try session.play(frames: block.frames, waiting: !isStalled)
            if !isStalled {
                for index in clocks.indices {
                    clocks[index].rendered = (session.position - clocks[index].start) / slice * slice
                }
            }
            if clocks.count == 2,
                session.position - latency >= clocks[1].start + Clock.fade + Clock.concealed
            {
                clocks.removeFirst()
            }
        }
        let isUnderWay = session.live.collect()
        return Played(
            left: session.left, right: session.right, status: session.live.status, latency: latency,
            missed: missed,
            areFreed: !isUnderWay && renderers.count { $0.renderer != nil } == 1)
    }

    func check() throws {
        let steady = try play(stalling: false)
        let session = try play(stalling: true)
        #expect(steady.missed == 0 && steady.status.missedFrames == 0)
        #expect(session.status.missedFrames == session.missed, "seed \(seed)")
        #expect(session.areFreed && steady.areFreed)
        #expect(session.status.droppedNotes == 0 && steady.status.droppedNotes == 0)
        let isFinite = session.left.allSatisfy { $0.isFinite } && session.right.allSatisfy { $0.isFinite }
        #expect(isFinite)

        // Before the first stall, and from the last note on, nothing has happened.
        let firstStall = blocks.first(where: \.isStalled)?.start ?? end
        #expect(session.left[..<firstStall].elementsEqual(steady.left[..<firstStall]))
        let lastNote = session.left[(last + session.latency)...]
        #expect(lastNote.elementsEqual(steady.left[(last + steady.latency)...]))
        #expect(lastNote.contains { abs($0) > 1e-4 })

        // No click but where a reset cuts everything off: held to what the instruments are without swaps and stalls.
        // Where sound was concealed, notes are added up in other phases: at most 1.25 and 1.45 times in 2,000 sessions.
        let cuts = [0] + blocks.filter(\.isReset).map(\.start) + [end]
        let parts = zip(cuts, cuts.dropFirst()).filter { $1 - $0 > 4 }.map { ($0 + 1)..<($1 - 1) }
        let isSwapped = blocks.contains(where: \.isSwapped)
        let alone =
            isSwapped
            ? try instruments.indices.map { try play(stalling: false, only: $0).left } : [steady.left]
        func most(_ measure: (ArraySlice<Float>) -> Float) -> Float {
            alone.flatMap { sound in parts.map { measure(sound[$0]) } }.max() ?? 0
        }
        let (step, corner) = (2 * most(greatestStep), 2 * most(steepest))
        for part in parts {
            #expect(greatestStep(session.left[part]) <= step, "in \(part)")
            #expect(steepest(session.left[part]) <= corner, "in \(part)")
            #expect(greatestStep(steady.left[part]) <= step && steepest(steady.left[part]) <= corner)
        }
    }
}
