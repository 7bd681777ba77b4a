import MusicIO
import TestSupport
import Testing

@Suite struct MIDIRobustnessTests {
    @Test func whatTheWriterWritesTheReaderReads() throws {
        var generator = SeededGenerator.announced()
        for _ in 0..<300 {
            let writer = RandomSong.writer(using: &generator)
            let song = try MIDIBytes.read(try writer.bytes())
            #expect(song.format == writer.format, "seed \(generator.seed)")
            #expect(song.division == writer.division, "seed \(generator.seed)")
            #expect(song.tracks == writer.tracks, "seed \(generator.seed)")
        }
    }

    @Test func noMutationOfAFileTraps() throws {
        var generator = SeededGenerator.announced()
        var read = 0
        var refused = 0
        for _ in 0..<200 {
            let valid = try RandomSong.writer(using: &generator).bytes()
            for _ in 0..<100 {
                var bytes = valid
                for _ in 0..<Int.random(in: 1...4, using: &generator) {
                    Self.mutate(&bytes, using: &generator)
                }
                do throws(MusicIOError) {
                    let piece = try MIDIBytes.read(bytes).performance()
                    #expect(
                        piece.durationSeconds <= StandardMIDIFile.maximumSeconds, "seed \(generator.seed)")
                    read += 1
                } catch {
                    #expect(error.byteOffset ?? 0 <= bytes.count, "seed \(generator.seed)")
                    refused += 1
                }
            }
        }
        #expect(read > 1000 && refused > 1000, "mutations reach both ends; seed \(generator.seed)")
    }

    private static func mutate(_ bytes: inout [UInt8], using generator: inout SeededGenerator) {
        guard let index = bytes.indices.randomElement(using: &generator) else { return }
        switch Int.random(in: 0..<5, using: &generator) {
        case 0: bytes[index] ^= 1 << UInt8.random(in: 0..<8, using: &generator)
        case 1: bytes[index] = [0, 0x7F, 0x80, 0xFF, 0xF0, 0x51].randomElement(using: &generator)!
        case 2: bytes.remove(at: index)
        case 3: bytes.insert(UInt8.random(in: 0...255, using: &generator), at: index)
        default: bytes.removeSubrange(index..<min(bytes.count, index + 9))
        }
    }

    @Test func everyBeginningOfAFileIsRefusedAsCutOff() throws {
        let events: [UInt8] = [
            0, 0x90, 60, 100, 0x83, 0x60, 60, 0, 0, 0xFF, 0x51, 3, 7, 0xA1, 0x20, 0, 0xF0, 2, 1, 0xF7,
        ]
        let bytes =
            MIDIBytes.header(tracks: 2) + MIDIBytes.chunk([1, 2, 3], type: "XFIH")
            + MIDIBytes.chunk(events + MIDIBytes.end) + MIDIBytes.chunk(events + MIDIBytes.end)
        #expect(MIDIBytes.failure(bytes) == nil)
        for count in 0..<bytes.count {
            let failure = MIDIBytes.failure(Array(bytes[..<count]))
            #expect(failure?.code == (count < 4 ? .notMIDI : .truncated), "\(count) bytes")
        }
    }

    struct Contradiction: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let bytes: [UInt8]
        let code: MusicIOError.Code
        let byteOffset: Int?

        init(_ what: String, _ code: MusicIOError.Code, at byteOffset: Int?, _ bytes: [UInt8]) {
            (testDescription, self.code, self.byteOffset, self.bytes) = (what, code, byteOffset, bytes)
        }
    }

    static let contradictions: [Contradiction] = {
        let (track, text) = (MIDIBytes.track(), { (text: String) in Array(text.utf8) })
        func header(_ high: UInt8, _ low: UInt8) -> [UInt8] { MIDIBytes.header(division: (high, low)) }
        let late: [UInt8] = [0xFF, 0xFF, 0xFF, 0x7F, 0xFF, 0x51, 3, 1, 0, 0]
        return [
            .init("empty", .notMIDI, at: 0, []),
            .init("audio", .notMIDI, at: 0, text("RIFF\u{8}\0\0\0WAVEfmt ")),
            .init("text", .notMIDI, at: 0, text("Dear diary, today")),
            .init("header too short", .malformed, at: 4, text("MThd") + [0, 0, 0, 5, 0, 0, 0, 1, 1, 0]),
            .init(
                "header too long", .truncated, at: 14, text("MThd") + [255, 255, 255, 255, 0, 0, 0, 1, 1, 0]),
            .init("format 3", .unsupported, at: 8, MIDIBytes.header(format: 3) + track),
            .init("no tracks", .malformed, at: 10, MIDIBytes.header(tracks: 0)),
            .init("no ticks in a quarter", .malformed, at: 12, header(0, 0) + track),
            .init("no ticks in a frame", .malformed, at: 12, header(0xE7, 0) + track),
            .init("26 frames a second", .malformed, at: 12, header(0xE6, 4) + track),
            .init("a track missing", .truncated, at: 26, MIDIBytes.header(tracks: 2) + track),
            .init(
                "number of five bytes", .malformed, at: 22,
                MIDIBytes.song([0x81, 128, 128, 128, 0, 0x90, 60, 64])),
            .init("data without status", .malformed, at: 23, MIDIBytes.song([0, 60, 64])),
            .init("status inside an event", .malformed, at: 25, MIDIBytes.song([0, 0x90, 60, 0x90])),
            .init("clock in a file", .malformed, at: 23, MIDIBytes.song([0, 0xF8])),
            .init("meta event above 127", .malformed, at: 23, MIDIBytes.song([0, 0xFF, 0x80, 0])),
            .init("tempo zero", .malformed, at: 23, MIDIBytes.song([0, 0xFF, 0x51, 3, 0, 0, 0])),
            .init("tempo of two bytes", .malformed, at: 23, MIDIBytes.song([0, 0xFF, 0x51, 2, 7, 7])),
            .init(
                "text of 256 MB", .truncated, at: 23, MIDIBytes.song([0, 0xFF, 0x01, 0xFF, 0xFF, 0xFF, 0x7F])),
            .init(
                "message of 256 MB", .truncated, at: 23, MIDIBytes.song([0, 0xF0, 0xFF, 0xFF, 0xFF, 0x7F])),
            .init(
                "chunk of 4 GB", .truncated, at: 23,
                MIDIBytes.header() + MIDIBytes.chunk([1], type: "XXXX", length: 0xFFFF_FFFF)),
            .init(
                "an event into the next track", .malformed, at: 25,
                MIDIBytes.header(tracks: 2) + MIDIBytes.chunk([0, 0x90, 60]) + track),
            .init("RIFF without data", .truncated, at: nil, text("RIFF\u{8}\0\0\0RMIDjunk\u{FF}")),
            .init("later than a day", .unsupported, at: nil, header(0, 1) + MIDIBytes.track(late)),
        ]
    }()

    @Test(arguments: contradictions)
    func aContradictionIsAnErrorWithItsPlace(_ contradiction: Contradiction) {
        let failure = MIDIBytes.failure(contradiction.bytes)
        #expect(failure?.code == contradiction.code, "\(failure?.description ?? "no error")")
        #expect(
            contradiction.byteOffset == nil || failure?.byteOffset == contradiction.byteOffset,
            "\(failure?.description ?? "no error")")
    }

    /// A fault that programs really make, and the notes there are all the same.
    struct Leniency: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let notes: Int
        let bytes: [UInt8]

        init(_ what: String, notes: Int, tracks: UInt8 = 1, format: UInt8 = 1, _ chunks: [UInt8]) {
            (testDescription, self.notes) = (what, notes)
            bytes = MIDIBytes.header(format: format, tracks: tracks) + chunks
        }
    }

    static let note: [UInt8] = [0, 0x90, 60, 64, 96, 0x80, 60, 64]

    static let leniences: [Leniency] = {
        let (track, open) = (MIDIBytes.track(note), MIDIBytes.chunk(note))
        func unknown(_ body: [UInt8]) -> [UInt8] { MIDIBytes.chunk(body, type: "XFIH") }
        return [
            .init("no end of track", notes: 1, open),
            .init("no end of track before another", notes: 2, tracks: 2, open + track),
            .init("declared beyond the file", notes: 1, MIDIBytes.track(note, length: 5000)),
            .init(
                "declared into the next track", notes: 2, tracks: 2, MIDIBytes.track(note, length: 16) + track
            ),
            .init("declared too short", notes: 2, tracks: 2, MIDIBytes.track(note, length: 6) + track),
            .init("declared empty", notes: 1, MIDIBytes.track(note, length: 0)),
            .init(
                "padding after the end", notes: 2, tracks: 2,
                MIDIBytes.chunk(note + MIDIBytes.end + [0, 0, 0]) + track),
            .init("more tracks than declared", notes: 2, track + track),
            .init("bytes after the last track", notes: 1, track + [0x1A, 0, 0, 0, 0, 0, 0, 0, 0, 0]),
            .init("unknown chunks", notes: 2, tracks: 2, unknown([9, 9, 9]) + track + unknown([]) + track),
            .init("an empty track", notes: 1, tracks: 2, MIDIBytes.chunk([]) + track),
            .init("two tracks in format 0", notes: 2, tracks: 2, format: 0, track + track),
        ]
    }()

    @Test(arguments: leniences)
    func aHarmlessFaultIsAccepted(_ leniency: Leniency) throws {
        #expect(try MIDIBytes.read(leniency.bytes).performance().noteCount == leniency.notes)
    }

    @Test func aLongerHeaderIsSkipped() throws {
        let bytes = MIDIBytes.header(extra: [1, 2, 3]) + MIDIBytes.track(Self.note)
        #expect(try MIDIBytes.read(bytes).performance().noteCount == 1)
    }

    @Test func theRIFFWrapperChangesNothing() throws {
        let song = MIDIBytes.song(Self.note)
        let length = UInt8(song.count)
        let info = Array("LIST".utf8) + [3, 0, 0, 0, 1, 2, 3, 0]
        let wrapped =
            Array("RIFF".utf8) + [99, 0, 0, 0] + Array("RMID".utf8) + info + Array("data".utf8)
            + [length, 0, 0, 0] + song + Array("DISP".utf8) + [1, 0, 0, 0, 7, 0]
        #expect(try MIDIBytes.read(wrapped) == (try MIDIBytes.read(song)))
    }

    @Test func theWriterRefusesWhatTheFormatCannotHold() {
        typealias Track = StandardMIDIFile.Track
        let writers = [
            MIDIFileWriter(tracks: []), MIDIFileWriter(format: 0, tracks: [Track(), Track()]),
            MIDIFileWriter(format: 3, tracks: [Track()]),
            MIDIFileWriter(division: .ticksPerQuarter(0), tracks: [Track()]),
            MIDIFileWriter(division: .smpte(framesPerSecond: 26, ticksPerFrame: 4), tracks: [Track()]),
            MIDIFileWriter(tracks: [Track(events: [.init(tick: 0, event: .on(128))])]),
            MIDIFileWriter(tracks: [Track(events: [.init(tick: 0, event: .on(60, channel: 16))])]),
            MIDIFileWriter(tracks: [Track(events: [.init(tick: -1, event: .on(60))])]),
            MIDIFileWriter(tracks: [Track(events: [.init(tick: 1 << 28, event: .on(60))])]),
            MIDIFileWriter(tracks: [Track(tempos: [.init(tick: 0, microsecondsPerQuarter: 0)])]),
        ]
        for writer in writers { #expect(throws: MusicIOError.self) { try writer.bytes() } }
    }
}
