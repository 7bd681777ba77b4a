import MusicIO
import Testing

@Suite struct MIDIFileTests {
    @Test func aWrittenFileIsReadBack() throws {
        let folder = try TemporaryFolder()
        let track = StandardMIDIFile.Track(events: [
            .init(tick: 0, event: .on(60)), .init(tick: 480, event: .off(60)),
        ])
        let writer = MIDIFileWriter(tracks: [track])
        try writer.write(to: folder.path("a.mid"))
        #expect(folder.contents == ["a.mid"])
        #expect(try folder.bytes(of: "a.mid") == (try writer.bytes()))
        #expect(try StandardMIDIFile(contentsOf: folder.path("a.mid")).performance().noteCount == 1)
    }

    @Test func theErrorNamesTheFileThePlaceAndTheRemedy() throws {
        let folder = try TemporaryFolder()
        try folder.write(MIDIBytes.song([0, 0x90, 60, 0x90]), to: "broken.mid")
        let path = folder.path("broken.mid")
        let failure = MusicIOError.caught { () throws(MusicIOError) in
            _ = try StandardMIDIFile(contentsOf: path)
        }
        #expect(
            failure?.description == "\(path), byte 25: there is a status byte (0x90) inside an event."
                + " Export it again from the program that made it.")
    }

    @Test func missingFilesAndFoldersAreTold() throws {
        let folder = try TemporaryFolder()
        func code(_ path: String) -> MusicIOError.Code? {
            MusicIOError.caught { () throws(MusicIOError) in _ = try StandardMIDIFile(contentsOf: path) }?
                .code
        }
        #expect(code(folder.path("none.mid")) == .fileNotFound)
        #expect(code("") == .fileNotFound)
        #expect(code(folder.path) == .unreadable)
        #expect(code("/dev/zero") == .tooLarge)
        try folder.write([], to: "empty.mid")
        #expect(code(folder.path("empty.mid")) == .notMIDI)
    }

    @Test func aFileThatCannotBeMadeLeavesNothing() throws {
        let folder = try TemporaryFolder()
        let writer = MIDIFileWriter(tracks: [.init()])
        for path in [folder.path, folder.path("none/a.mid"), "", folder.path + "/", "/dev/null"] {
            let failure = MusicIOError.caught { () throws(MusicIOError) in try writer.write(to: path) }
            #expect(failure?.code == .unwritable, "\(path)")
        }
        #expect(folder.contents.isEmpty)
    }
}
