import Devices
import Realtime

/// What `bench --realtime` plays on an instrument: as many notes as it has voices, all the time.
struct BenchPerformance {
    let voices: Int
    let keys: ClosedRange<Int>

    /// Between one note's beginning and the next one's: a quarter of a second.
    static let interval = 12_000
    /// Between chords, about: 85 ms.
    private static let chordInterval = 4096
    /// Chords begin anywhere in a block.
    private static let scatter = 977

    /// One note after the other ends, and another one begins in its place.
    func steady(until end: Int) -> [ScheduledMessage] {
        var messages = (0..<voices).map { note(0x90, $0, at: 0) }
        for (number, start) in stride(from: Self.interval, to: end, by: Self.interval).enumerated() {
            messages.append(note(0x80, number, at: start))
            messages.append(note(0x90, number + voices, at: start))
        }
        return messages
    }

    struct Chords {
        var messages: [ScheduledMessage] = []
        var starts: [Int] = []
        var end = 0
    }

    /// Chords of as many notes as there are voices, each of which lands while the one before is held: its notes take all
    /// of that one's voices, which are still rendered while they fade.
    func chords(_ count: Int) -> Chords {
        var chords = Chords()
        for number in 0...count {
            let start = Self.interval + Self.chordInterval * number + number * Self.scatter % 1024
            if number > 0 { chords.starts.append(start) }
            for voice in 0..<voices {
                chords.messages.append(note(0x90, number % 2 * voices + voice, at: start))
            }
            chords.end = start + Self.chordInterval
        }
        return chords
    }

    /// The keys of neighbouring numbers are a fourth apart, or so much that all keys have their turn.
    private func note(_ status: UInt8, _ number: Int, at sample: Int) -> ScheduledMessage {
        let step = [5, 7, 3].first { keys.count % $0 != 0 } ?? 1
        let key = keys.lowerBound + number * step % keys.count
        return ScheduledMessage(
            sample: sample, message: ChannelMessage(status: status, data1: UInt8(key), data2: 90))
    }
}
