import MusicIO
import TestSupport

/// Valid pieces of every kind that the format knows, short and dense: many events share a tick.
enum RandomSong {
    static func writer(using generator: inout SeededGenerator) -> MIDIFileWriter {
        let format = Int.random(in: 0...2, using: &generator)
        let division: StandardMIDIFile.Division =
            Bool.random(using: &generator)
            ? .ticksPerQuarter(.random(in: 1...0x7FFF, using: &generator))
            : .smpte(
                framesPerSecond: [24, 25, 29, 30].randomElement(using: &generator)!,
                ticksPerFrame: .random(in: 1...255, using: &generator))
        let count = format == 0 ? 1 : Int.random(in: 1...5, using: &generator)
        var writer = MIDIFileWriter(
            format: format, division: division, tracks: (0..<count).map { _ in track(using: &generator) })
        writer.usesRunningStatus = Bool.random(using: &generator)
        return writer
    }

    private static func track(using generator: inout SeededGenerator) -> StandardMIDIFile.Track {
        var track = StandardMIDIFile.Track()
        if Bool.random(using: &generator) {
            track.name = ["Lead", "Bässe", "左手"].randomElement(using: &generator)
        }
        var tick = 0
        for _ in 0..<Int.random(in: 0...40, using: &generator) {
            tick += [0, 0, 1, 127, 128, 16_383, 16_384].randomElement(using: &generator)!
            if Int.random(in: 0..<8, using: &generator) == 0 {
                let tempo = Int.random(in: 1...1_000_000, using: &generator)
                track.tempos.append(.init(tick: tick, microsecondsPerQuarter: tempo))
            } else {
                track.events.append(.init(tick: tick, event: event(using: &generator)))
            }
        }
        track.endTick = tick + Int.random(in: 0...1, using: &generator) * 480
        return track
    }

    private static func event(using generator: inout SeededGenerator) -> ChannelEvent {
        let value = UInt8.random(in: 0...127, using: &generator)
        // Few keys, so that tracks collide.
        let key = UInt8.random(in: 60...62, using: &generator)
        let kinds: [ChannelEvent.Kind] = [
            .noteOn(key: key, velocity: max(1, value)), .noteOff(key: key, velocity: value),
            .noteOn(key: key, velocity: max(1, value)), .noteOff(key: key, velocity: value),
            .polyPressure(key: key, pressure: value), .controlChange(controller: key, value: value),
            .programChange(program: value), .channelPressure(pressure: value),
            .pitchBend(value: .random(in: -8192...8191, using: &generator)),
        ]
        return ChannelEvent(
            channel: .random(in: 0...15, using: &generator) & .random(in: 0...15, using: &generator),
            kind: kinds.randomElement(using: &generator)!)
    }
}
