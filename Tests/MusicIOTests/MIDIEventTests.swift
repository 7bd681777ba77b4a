import MusicIO
import Testing

@Suite struct MIDIEventTests {
    @Test func everyChannelMessageIsRead() throws {
        let song = try MIDIBytes.read(
            MIDIBytes.song([
                0, 0x93, 60, 100,
                0, 0xA3, 60, 20,
                0, 0xB3, 64, 127,
                0, 0xC3, 48,
                0, 0xD3, 90,
                0, 0xE3, 0, 0,
                0, 0xE3, 0, 64,
                0, 0xE3, 127, 127,
                0, 0x83, 60, 33,
            ]))
        let kinds: [ChannelEvent.Kind] = [
            .noteOn(key: 60, velocity: 100), .polyPressure(key: 60, pressure: 20),
            .controlChange(controller: 64, value: 127), .programChange(program: 48),
            .channelPressure(pressure: 90),
            .pitchBend(value: -8192), .pitchBend(value: 0), .pitchBend(value: 8191),
            .noteOff(key: 60, velocity: 33),
        ]
        #expect(song.tracks[0].events.map(\.event) == kinds.map { ChannelEvent(channel: 3, kind: $0) })
    }

    @Test func runningStatusRepeatsTheStatusAndVelocityZeroReleases() throws {
        let song = try MIDIBytes.read(MIDIBytes.song([0, 0x90, 60, 100, 96, 62, 90, 96, 60, 0, 0, 62, 0]))
        #expect(song.tracks[0].events.map(\.event) == [.on(60, 100), .on(62, 90), .off(60), .off(62)])
        #expect(song.tracks[0].events.map(\.tick) == [0, 96, 192, 192])
        #expect(song.performance().noteCount == 2)
    }

    @Test(
        arguments: [
            [0, 0xFF, 0x01, 1, 0x41], [0, 0xF0, 2, 0x7E, 0xF7], [0, 0xF7, 1, 0xFA],
        ] as [[UInt8]])
    func metaAndSystemExclusiveEventsEndRunningStatus(between: [UInt8]) throws {
        let first: [UInt8] = [0, 0x90, 60, 100]
        let explicit = try MIDIBytes.read(MIDIBytes.song(first + between + [0, 0x90, 60, 0]))
        #expect(explicit.tracks[0].events.count == 2)
        let failure = MIDIBytes.failure(MIDIBytes.song(first + between + [0, 60, 0]))
        #expect(failure?.code == .malformed)
        #expect(failure?.byteOffset == 22 + first.count + between.count + 1)
    }

    @Test func systemExclusiveEscapesAndUnknownMetaEventsAreSkipped() throws {
        let body: [UInt8] =
            [0, 0xF0, 3, 0x7E, 0x09, 0xF7] + [10, 0xF7, 2, 0xF3, 0x01] + [10, 0xFF, 0x7F, 2, 1, 2]
            + [10, 0xFF, 0x59, 2, 0, 0] + [10, 0x90, 60, 64]
        let song = try MIDIBytes.read(MIDIBytes.song(body))
        #expect(song.tracks[0].events == [.init(tick: 40, event: .on(60))])
    }

    @Test func theFirstTracksNameIsTheTitle() throws {
        func title(_ name: [UInt8]) throws -> String? {
            let body = [0, 0xFF, 0x03, UInt8(name.count)] + name
            return try MIDIBytes.read(MIDIBytes.song(body)).performance().title
        }
        #expect(try title(Array("Für Elise".utf8)) == "Für Elise")
        #expect(try title([0x46, 0xFC, 0x72]) == "Für", "Latin-1, as older programs write")
        #expect(
            try title([0x1B] + Array("[31mRed\r\n".utf8)) == "[31mRed",
            "no control character reaches a terminal")
        #expect(try title(Array("  ".utf8)) == nil)
    }

    @Test func eventsAtOneTickKeepTheFilesOrder() throws {
        let first: [UInt8] = [0, 0xC0, 5, 0, 0x90, 60, 64] + [10, 0xB0, 64, 127, 0, 0x80, 60, 64]
        let second: [UInt8] = [0, 0xC1, 7, 0, 0x91, 72, 64] + [10, 0x81, 72, 64]
        let song = try MIDIBytes.read(
            MIDIBytes.header(tracks: 2) + MIDIBytes.chunk(first + MIDIBytes.end)
                + MIDIBytes.chunk(second + MIDIBytes.end))
        #expect(
            song.performance().events.map(\.event) == [
                .program(5), .on(60), .program(7, channel: 1), .on(72, channel: 1),
                ChannelEvent(channel: 0, kind: .controlChange(controller: 64, value: 127)), .off(60),
                .off(72, channel: 1),
            ])
    }

    @Test func aLaterTracksReleaseDoesNotEndANoteStruckAtItsTick() throws {
        typealias Event = StandardMIDIFile.TrackEvent
        let right = [Event(tick: 480, event: .on(60, 90)), Event(tick: 960, event: .off(60))]
        let left = [Event(tick: 0, event: .on(60, 50)), Event(tick: 480, event: .off(60))]
        for tracks in [[right, left], [left, right]] {
            let bytes = try MIDIFileWriter(tracks: tracks.map { .init(events: $0) }).bytes()
            let events = try MIDIBytes.read(bytes).performance().events.map(\.event)
            #expect(events == [.on(60, 50), .off(60), .on(60, 90), .off(60)])
        }
        // Another channel, another key, and a note of no length stay where they are.
        let short = [Event(tick: 480, event: .on(60, 1)), Event(tick: 480, event: .off(60))]
        let other = [Event(tick: 0, event: .on(61)), Event(tick: 480, event: .off(61))]
        let bytes = try MIDIFileWriter(tracks: [.init(events: short), .init(events: other)]).bytes()
        let events = try MIDIBytes.read(bytes).performance().events.map(\.event)
        #expect(events == [.on(61), .on(60, 1), .off(60), .off(61)])
    }
}
