import Devices
import Foundation
import NeuralSynth
import Player
import Realtime
import Streaming
import TestSupport
import Testing

/// Instruments that take each other's place while they are played.
@Suite("Instrument swap")
struct InstrumentSwapTests {
    private var configuration: NeuralSynthConfiguration {
        var configuration = NeuralSynthConfiguration()
        configuration.sliceSamples = 128
        return configuration
    }

    private func session(_ instruments: [NeuralInstrument], _ song: Song) throws -> LiveSession {
        try LiveSession(
            instruments, configuration: configuration, live: LiveConfiguration(), song: song,
            isThreaded: false)
    }

    /// Where two sounds differ first, and by how much; nil where they are equal.
    private func difference(_ a: ArraySlice<Float>, _ b: ArraySlice<Float>) -> String? {
        let differing = zip(a, b).enumerated().filter { $0.element.0 != $0.element.1 }
        guard let first = differing.first else { return a.count == b.count ? nil : "\(a.count), \(b.count)" }
        return "\(differing.count) from \(first.offset) on: \(first.element), \(differing.last!)"
    }

    /// Notes, pedals, bends, controllers and programs on four channels, and what is left of them at a time: the messages
    /// after which another player stands where this one does.
    private struct Play {
        var song = Song()
        var before = Song()
        private var last: [[UInt8]: (UInt8, UInt8)] = [:]
        private var order: [[UInt8]] = []
        private var held: [Held] = []

        private struct Held {
            let channel, key, velocity: UInt8
            /// The channel's when it was struck; nil where none had been chosen.
            let program: UInt8?
            var isLetGo = false
        }

        init(until time: Int, end: Int, _ generator: inout SeededGenerator) {
            var events: [(Int, UInt8, UInt8, UInt8)] = []
            for _ in 0..<60 {
                let at = Int.random(in: 0..<end, using: &generator)
                let channel = UInt8.random(in: 0..<4, using: &generator)
                let value = UInt8.random(in: 30...127, using: &generator)
                switch Int.random(in: 0..<10, using: &generator) {
                case 0: events.append((at, 0xB0 | channel, 7, value))
                case 1: events.append((at, 0xB0 | channel, 11, value))
                case 2: events.append((at, 0xB0 | channel, 10, value))
                case 3: events.append((at, 0xE0 | channel, 0, value))
                case 4: events.append((at, 0xB0 | channel, 64, value > 80 ? 127 : 0))
                case 5:
                    events.append((at, 0xC0 | channel, [81, 82].randomElement(using: &generator)!, 0))
                case 6:
                    events += [(at, 0xB0 | channel, 101, 0), (at, 0xB0 | channel, 100, 0)]
                    events.append((at, 0xB0 | channel, 6, value / 10))
                default:
                    let key = UInt8.random(in: 50...56, using: &generator)
                    events.append((at, 0x90 | channel, key, value))
                    let length = Int.random(in: 1...15_000, using: &generator)
                    events.append((min(at + length, end - 1), 0x80 | channel, key, 0))
                }
            }
            // All of one time as they were added.
            for (at, status, first, second) in events.enumerated().sorted(by: {
                ($0.element.0, $0.offset) < ($1.element.0, $1.offset)
            }).map(\.element) {
                song.add(at, status, first, second)
                if at >= time {
                    before.add(at - time, status, first, second)
                } else {
                    note(status, first, second)
                }
            }
            finish()
        }

        private mutating func note(_ status: UInt8, _ first: UInt8, _ second: UInt8) {
            let channel = status & 0x0F
            func isIt(_ note: Held) -> Bool {
                note.channel == channel && note.key == first
            }
            let pedal = last[[0xB0 | channel, 64]]?.1 ?? 0
            switch status & 0xF0 {
            case 0x90:
                held.removeAll(where: isIt)
                let program = last[[0xC0 | channel]]?.0
                held.append(Held(channel: channel, key: first, velocity: second, program: program))
            case 0x80:
                if pedal < 64 { held.removeAll(where: isIt) }
                for i in held.indices where isIt(held[i]) { held[i].isLetGo = true }
            default:
                if status & 0xF0 == 0xB0, first == 64, second < 64 {
                    held.removeAll { $0.channel == channel && $0.isLetGo }
                }
                let what = status & 0xF0 == 0xB0 ? [status, first] : [status]
                if last[what] == nil { order.append(what) }
                last[what] = (first, second)
            }
        }

        private mutating func finish() {
            var first = Song()
            // Of a registered parameter the number comes first.
            let controllers = order.filter { $0[0] & 0xF0 != 0xC0 }
            for what in controllers.sorted(by: { $0.last! == 6 ? false : $1.last! == 6 }) {
                first.add(0, what[0], last[what]!.0, last[what]!.1)
            }
            for note in held {
                if let program = note.program { first.add(0, 0xC0 | note.channel, program) }
                first.add(0, 0x90 | note.channel, note.key, note.velocity)
            }
            for what in order where what[0] & 0xF0 == 0xC0 { first.add(0, what[0], last[what]!.0) }
            for note in held where note.isLetGo { first.add(0, 0x80 | note.channel, note.key) }
            first.messages += before.messages
            before = first
        }
    }

    /// Whatever was played: until the swap is heard nothing is different, and from the end of the fade on both channels are to
    /// the bit what a player of the new instruments alone plays that was told the same.
    @Test func afterASwapTheNewInstrumentsPlayAsIfAlone() throws {
        var generator = SeededGenerator.announced()
        var carried = 0
        for _ in 0..<12 {
            let (time, end) = (128 * Int.random(in: 20...160, using: &generator), 36_000)
            let play = Play(until: time, end: end, &generator)
            carried += play.before.messages.count { $0.sample == 0 && $0.message.kind == 0x90 }
            let old = try ModelFolder.fixtures.instruments(["sine", "sway"])
            // They sound the same at every age.
            let new = try ModelFolder.fixtures.instruments(["soft", "sway"])
            var kept = try session(old, play.song)
            var swapped = try session(old, play.song)
            var alone = try session(new, play.before)
            while swapped.position < end {
                if swapped.position == time { try swapped.live.swap(to: new) }
                try swapped.play(frames: 128)
                if kept.position < time + 1000 { try kept.play(frames: 128) }
                if swapped.position > time { try alone.play(frames: 128) }
            }
            let heard = time + swapped.live.latency.total
            #expect(difference(swapped.left[..<heard], kept.left[..<heard]) == nil)
            #expect(difference(swapped.right[..<heard], kept.right[..<heard]) == nil)
            let over = heard + 960
            #expect(difference(swapped.left[over...], alone.left[(over - time)...]) == nil)
            #expect(difference(swapped.right[over...], alone.right[(over - time)...]) == nil)
            let isHeard = swapped.left[over...].contains { abs($0) > 1e-3 }
            #expect(isHeard)
            #expect(!swapped.live.collect() && swapped.live.status.missedFrames == 0)
        }
        #expect(carried > 20)
    }

    /// A note goes on at its age: of an instrument whose attack hisses nothing hisses once more.
    @Test func aHeldNoteIsNotStruckAgain() throws {
        var song = Song()
        song.note(60, from: 0, to: 60_000)
        let soft = try ModelFolder.fixtures.instruments(["soft"])
        let sine = try ModelFolder.fixtures.instruments(["sine"])
        var kept = try session(soft, song)
        var swapped = try session(soft, song)
        while swapped.position < 40_064 {
            if swapped.position == 24_064 { try swapped.live.swap(to: sine) }
            try swapped.play(frames: 128)
            // The quiet one, begun when the other was swapped.
            if swapped.position > 24_064 { try kept.play(frames: 128) }
        }
        let over = swapped.live.latency.total + 960
        let difference = (over..<kept.left.count).map { abs(swapped.left[24_064 + $0] - 2 * kept.left[$0]) }
        #expect(difference.max()! < 1e-5)
    }

    /// What is shipped: in 20 ms of the change there is as much sound as fits both, and no click.
    @Test(arguments: [
        ("strings", "strings"), ("strings", "trumpet"), ("piano", "synth"), ("trumpet", "piano"),
    ])
    func thereIsNoGap(from old: String, to new: String) throws {
        var song = Song()
        for key in [55, 62, 71] as [UInt8] { song.note(key, from: 0, to: 60_000) }
        let (first, second) = (
            try ModelFolder.shipped.instruments([old]), try ModelFolder.shipped.instruments([new])
        )
        func play(_ instruments: [NeuralInstrument], swap: Bool) throws -> [Float] {
            var session = try session(instruments, song)
            while session.position < 48_000 {
                if swap, session.position == 30_080 { try session.live.swap(to: second) }
                try session.play(frames: 128)
            }
            #expect(session.live.status.missedFrames == 0)
            return session.left
        }
        func power(_ sound: [Float], _ from: Int) -> Float {
            sound[from..<from + 960].reduce(0) { $0 + $1 * $1 } / 960
        }
        let swapped = try play(first, swap: true)
        let (before, after) = (try play(first, swap: false), try play(second, swap: false))
        let heard = 30_080 + 256
        for start in stride(from: heard - 480, to: heard + 4800, by: 240) {
            let least = min(power(before, start), power(after, start))
            #expect(power(swapped, start) > 0.1 * least, "at \(start - heard)")
        }
        let part = heard - 960..<heard + 4800
        let step = max(steepest(before[part]), steepest(after[part]))
        #expect(steepest(swapped[part]) < 1.5 * step)
    }

    /// The new instruments' rate is another, or their model no good: nothing is heard of it.
    @Test func whatDoesNotFitIsRefusedAndTheOldPlaysOn() throws {
        var song = Song()
        song.note(60, from: 0, to: 60_000)
        let sine = try ModelFolder.fixtures.instruments(["sine"])
        var other = try ModelFolder.fixtures.instruments(["soft"])
        var description = other[0].decoder.description
        description.sampleRate = 44_100
        other[0].decoder = NeuralDecoder(session: other[0].decoder.session, description: description)
        var kept = try session(sine, song)
        var tried = try session(sine, song)
        while tried.position < 20_000 {
            let error = #expect(throws: NeuralSynthError.self) { try tried.live.swap(to: other) }
            #expect(error?.code == .incompatibleModels)
            #expect(error?.message.contains("44100") == true && error?.message.contains("48000") == true)
            #expect(throws: NeuralSynthError.self) { try tried.live.swap(to: []) }
            try tried.play(frames: 128)
            try kept.play(frames: 128)
        }
        #expect(difference(tried.left[...], kept.left[...]) == nil && !tried.live.collect())
    }

    private struct Weak { weak var renderer: NeuralVoiceRenderer? }

    /// Nobody plays: what is replaced is freed at once, what waits with the player.
    @Test func theNewestOfThoseThatWaitIsPlayedAndTheOthersAreFreed() throws {
        var renderers: [Weak] = []
        do {
            let live = try LivePlayer(
                instruments: ModelFolder.fixtures.instruments(["sine"]), configuration: configuration)
            renderers.append(Weak(renderer: live.player.renderer))
            for _ in 0..<3 {
                try live.swap(to: ModelFolder.fixtures.instruments(["soft"]))
                renderers.append(Weak(renderer: live.player.renderer))
                #expect(live.collect())
            }
            #expect(renderers.map { $0.renderer != nil } == [true, false, false, true])
            // Before anything has been played the newest plays at once.
            var (left, right) = ([Float](repeating: 0, count: 128), [Float](repeating: 0, count: 128))
            var leftSpan = left.mutableSpan
            var rightSpan = right.mutableSpan
            live.player.process([TimedMessage]().span, left: &leftSpan, right: &rightSpan)
            #expect(!live.collect())
            #expect(renderers.map { $0.renderer != nil } == [false, false, false, true])
            try live.swap(to: ModelFolder.fixtures.instruments(["sway"]))
            renderers.append(Weak(renderer: live.player.renderer))
            #expect(live.collect() && renderers.last?.renderer != nil)
        }
        #expect(renderers.allSatisfy { $0.renderer == nil })
    }

    /// Threads as they are: one plays, one swaps, and every instrument that is over is freed.
    @Test(arguments: [48_000, 44_100])
    func instrumentsAreSwappedByAnotherThreadWhilePlaying(hostRate: Int) async throws {
        let live = try LivePlayer(
            instruments: ModelFolder.fixtures.instruments(["sine"]), configuration: configuration,
            live: LiveConfiguration(lookAheadSamples: 2048, sampleRate: hostRate))
        let isPlaying = Shared(PublishedValue(1))
        async let peak = onThread {
            var (left, right) = ([Float](repeating: 0, count: 128), [Float](repeating: 0, count: 128))
            var (block, peak) = (0, Float(0))
            while isPlaying.value.read() != 0 {
                let key = UInt8(48 + block % 24)
                let messages = [
                    TimedMessage(
                        offsetFrames: 5, message: ChannelMessage(status: 0x90, data1: key, data2: 90)),
                    TimedMessage(
                        offsetFrames: 90, message: ChannelMessage(status: 0x80, data1: key &- 5, data2: 0)),
                ]
                var leftSpan = left.mutableSpan
                var rightSpan = right.mutableSpan
                live.player.process(messages.span, left: &leftSpan, right: &rightSpan)
                if block % 300 == 299 { live.player.reset() }
                for sample in left { peak = sample.isFinite ? max(peak, abs(sample)) : .infinity }
                block += 1
                Thread.sleep(forTimeInterval: 0.001)
            }
            return peak
        }
        defer { isPlaying.value.publish(0) }
        var gone: [Weak] = []
        for swap in 0..<12 {
            try live.swap(to: ModelFolder.fixtures.instruments([["soft", "sine", "sway"][swap % 3]]))
            gone.append(Weak(renderer: live.player.renderer))
            // Every third waits for no end.
            if swap % 3 != 0 { while live.collect() { try await Task.sleep(for: .milliseconds(1)) } }
        }
        while live.collect() { try await Task.sleep(for: .milliseconds(1)) }
        isPlaying.value.publish(0)
        let loudest = await peak
        #expect(loudest > 0.01 && loudest < 20)
        #expect(gone.dropLast().allSatisfy { $0.renderer == nil } && gone.last?.renderer != nil)
        #expect(live.failure == nil)
    }
}
