import MusicIO
import TestSupport
import Testing

@Suite struct MIDITimeTests {
    typealias Tempo = StandardMIDIFile.TempoChange
    typealias Event = StandardMIDIFile.TrackEvent

    static func performance(_ writer: MIDIFileWriter) throws -> MIDIPerformance {
        try MIDIBytes.read(try writer.bytes()).performance()
    }

    @Test func aQuarterLastsHalfASecondUntilATempoSaysOtherwise() throws {
        let track = StandardMIDIFile.Track(
            events: [Event(tick: 480, event: .on(60)), Event(tick: 960, event: .off(60))],
            tempos: [Tempo(tick: 480, microsecondsPerQuarter: 1_000_000)], endTick: 1440)
        let piece = try Self.performance(MIDIFileWriter(format: 0, tracks: [track]))
        #expect(piece.events.map(\.seconds) == [0.5, 1.5])
        #expect(piece.durationSeconds == 2.5)
        #expect(piece.lastNoteSeconds == 1.5)
        #expect(piece.events[1].sample(at: 44_100) == 66_150)
    }

    @Test func aTempoInAnyTrackHoldsForAll() throws {
        let notes = StandardMIDIFile.Track(events: [Event(tick: 960, event: .on(60))])
        let tempos = StandardMIDIFile.Track(
            tempos: [
                Tempo(tick: 0, microsecondsPerQuarter: 250_000),
                Tempo(tick: 480, microsecondsPerQuarter: 750_000),
            ])
        for tracks in [[notes, tempos], [tempos, notes]] {
            let piece = try Self.performance(MIDIFileWriter(tracks: tracks))
            #expect(piece.events[0].seconds == 1)
        }
    }

    @Test func timeDoesNotDriftOverManyTempoChanges() throws {
        // 100,000 changes between two tempos whose ticks are no finite binary fractions.
        let tempos = (0..<100_000).map {
            Tempo(tick: $0 * 7, microsecondsPerQuarter: $0 % 2 == 0 ? 333_333 : 500_001)
        }
        let track = StandardMIDIFile.Track(events: [Event(tick: 700_000, event: .on(60))], tempos: tempos)
        let piece = try Self.performance(MIDIFileWriter(division: .ticksPerQuarter(997), tracks: [track]))
        let microseconds = 7.0 * 50_000 * (333_333 + 500_001)
        #expect(piece.events[0].seconds == microseconds / (997 * 1_000_000))
    }

    @Test func smpteTicksHaveTheirOwnLengthWhateverTheTempo() throws {
        let expected: [(frames: Int, ticks: Int, seconds: Double)] = [
            (24, 80, 1), (25, 40, 1), (29, 100, 1.001), (30, 80, 1),
        ]
        for (frames, ticks, seconds) in expected {
            let track = StandardMIDIFile.Track(
                events: [Event(tick: (frames == 29 ? 30 : frames) * ticks, event: .on(60))],
                tempos: [Tempo(tick: 0, microsecondsPerQuarter: 1_000_000)])
            let division = StandardMIDIFile.Division.smpte(framesPerSecond: frames, ticksPerFrame: ticks)
            let bytes = try MIDIFileWriter(division: division, tracks: [track]).bytes()
            let song = try MIDIBytes.read(bytes)
            #expect(song.division == division)
            #expect(song.performance().events[0].seconds == seconds)
        }
    }

    @Test func patternsOfFormatTwoPlayInTurnEachFrom120() throws {
        let slow = StandardMIDIFile.Track(
            name: "A", events: [Event(tick: 480, event: .on(60))],
            tempos: [Tempo(tick: 0, microsecondsPerQuarter: 2_000_000)], endTick: 960)
        let plain = StandardMIDIFile.Track(events: [Event(tick: 480, event: .on(62))], endTick: 480)
        let piece = try Self.performance(MIDIFileWriter(format: 2, tracks: [slow, plain]))
        #expect(piece.events.map(\.seconds) == [2, 4.5])
        #expect(piece.durationSeconds == 4.5)
        #expect(piece.title == "A")
    }

    @Test func aDayIsAcceptedAndMoreIsRefused() throws {
        // 4 s a quarter, one tick a quarter: 21,600 ticks are a day.
        func piece(endTick: Int, format: Int, copies: Int) throws -> MIDIPerformance {
            let track = StandardMIDIFile.Track(
                tempos: [Tempo(tick: 0, microsecondsPerQuarter: 4_000_000)], endTick: endTick)
            return try Self.performance(
                MIDIFileWriter(
                    format: format, division: .ticksPerQuarter(1),
                    tracks: Array(repeating: track, count: copies)))
        }
        #expect(try piece(endTick: 21_600, format: 1, copies: 2).durationSeconds == 86_400)
        #expect(try piece(endTick: 10_800, format: 2, copies: 2).durationSeconds == 86_400)
        #expect(throws: MusicIOError.self) { try piece(endTick: 21_601, format: 1, copies: 1) }
        #expect(throws: MusicIOError.self) { try piece(endTick: 10_801, format: 2, copies: 2) }
    }

    @Test func eventsOfAPerformanceAreInOrderOfTime() throws {
        var generator = SeededGenerator.announced()
        for _ in 0..<50 {
            let piece = try Self.performance(RandomSong.writer(using: &generator))
            let times = piece.events.map(\.seconds)
            #expect(zip(times, times.dropFirst()).allSatisfy { $0 <= $1 }, "seed \(generator.seed)")
            #expect(times.allSatisfy { $0 >= 0 && $0 <= piece.durationSeconds }, "seed \(generator.seed)")
        }
    }
}
