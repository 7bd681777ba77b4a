import Testing

@testable import MusicIO

@Suite struct AudioFileTests {
    @Test(
        arguments: ["a.wav", "a.flac", "a.aiff", "a.AIF"], [AudioFileWriter.BitDepth.pcm16, .pcm24, .float32])
    func whatIsWrittenIsReadBack(name: String, bitDepth: AudioFileWriter.BitDepth) throws {
        guard name != "a.flac" || bitDepth != .float32 else { return }
        let folder = try TemporaryFolder()
        let sound = Sound.fading(frames: 10_000)
        let summary = try Sound.write(sound, to: folder.path(name), bitDepth: bitDepth)
        #expect(summary.frames == 10_000)
        #expect(summary.clippedSamples == 0)
        #expect(summary.peak == sound.map(\.magnitude).max())
        #expect(folder.contents == [name])

        var reader = try AudioFileReader(path: folder.path(name))
        #expect(reader.frames == 10_000)
        #expect(reader.channels == 2)
        #expect(reader.sampleRate == 48_000)
        let back = try reader.readAll()
        #expect(back.count == sound.count)
        let halfStep: Float = bitDepth == .float32 ? 0 : bitDepth == .pcm24 ? 0x1p-24 : 0x1p-16
        #expect(zip(sound, back).allSatisfy { abs($0 - $1) <= halfStep })
    }

    @Test func everySixteenBitCodeSurvives() throws {
        let folder = try TemporaryFolder()
        let codes = (-32768...32767).map { Float($0) / 32768 }
        for name in ["a.wav", "b.flac", "c.aiff"] {
            _ = try Sound.write(codes, to: folder.path(name), channels: 1, bitDepth: .pcm16)
            var reader = try AudioFileReader(path: folder.path(name))
            #expect(try reader.readAll() == codes)
        }
    }

    @Test func theSameSoundGivesTheSameBytesHoweverItIsCut() throws {
        let folder = try TemporaryFolder()
        let sound = Sound.fading(frames: 9000)
        for (ending, bitDepth) in [
            ("wav", AudioFileWriter.BitDepth.float32), ("wav", .pcm24), ("flac", .pcm24),
        ] {
            let names = [1, 333, 9000].map { "\($0).\(ending)" }
            for (name, frames) in zip(names, [1, 333, 9000]) {
                _ = try Sound.write(sound, to: folder.path(name), bitDepth: bitDepth, blockFrames: frames)
            }
            let files = try names.map { try folder.bytes(of: $0) }
            #expect(files[0] == files[1])
            #expect(files[0] == files[2])
        }
    }

    @Test func whatIsBeyondFullScaleIsHeldAndCounted() throws {
        let folder = try TemporaryFolder()
        let sound: [Float] = [1, -1, 1.5, -1.5, 3e38, -0.25]
        let summary = try Sound.write(sound, to: folder.path("a.wav"), channels: 1, bitDepth: .pcm16)
        #expect(summary.clippedSamples == 3)
        #expect(summary.peak == 3e38)
        var reader = try AudioFileReader(path: folder.path("a.wav"))
        let top = Float(32767) / 32768
        #expect(try reader.readAll() == [top, -1, top, -1, top, -0.25])

        let float = try Sound.write([1.5, -2], to: folder.path("b.wav"), channels: 1, bitDepth: .float32)
        #expect(float.clippedSamples == 0)
        var floats = try AudioFileReader(path: folder.path("b.wav"))
        #expect(try floats.readAll() == [1.5, -2])
    }

    @Test func leftAndRightAreInterleaved() throws {
        let folder = try TemporaryFolder()
        var writer = try AudioFileWriter(path: folder.path("a.wav"), sampleRate: 44_100, bitDepth: .float32)
        try writer.write(left: [1, 2].span, right: [3, 4].span)
        _ = try writer.finish()
        var reader = try AudioFileReader(path: folder.path("a.wav"))
        #expect(try reader.readAll() == [1, 3, 2, 4])
    }

    @Test func anEmptySoundIsAFile() throws {
        let folder = try TemporaryFolder()
        for name in ["a.wav", "a.flac", "a.aiff"] {
            let summary = try AudioFileWriter(path: folder.path(name), sampleRate: 48_000).finish()
            #expect(summary.frames == 0)
            var reader = try AudioFileReader(path: folder.path(name))
            #expect(try reader.readAll() == [])
        }
    }

    @Test func aReaderGoesToAFrame() throws {
        let folder = try TemporaryFolder()
        let sound = Sound.fading(frames: 20_000)
        for name in ["a.wav", "a.flac"] {
            _ = try Sound.write(sound, to: folder.path(name), bitDepth: .pcm24)
            var reader = try AudioFileReader(path: folder.path(name))
            let whole = try reader.readAll()
            try reader.seek(toFrame: 12_345)
            #expect(reader.position == 12_345)
            #expect(try reader.readAll() == Array(whole[(2 * 12_345)...]))
            try reader.seek(toFrame: 20_000)
            #expect(try reader.readAll().isEmpty)
            #expect(throws: MusicIOError.self) { try reader.seek(toFrame: 20_001) }
            #expect(throws: MusicIOError.self) { try reader.seek(toFrame: -1) }
        }
    }

    @Test func aSoundOfMoreThanFourGigabytesIsRF64() throws {
        let folder = try TemporaryFolder()
        let sound = Sound.fading(frames: 1000)
        var writer = try AudioFileWriter(
            path: folder.path("a.wav"), sampleRate: 48_000, bitDepth: .pcm24, expectedFrames: 800_000_000)
        try writer.write(sound.span)
        _ = try writer.finish()
        #expect(try folder.bytes(of: "a.wav").starts(with: "RF64".utf8))
        var reader = try AudioFileReader(path: folder.path("a.wav"))
        #expect(try reader.readAll().count == sound.count)
    }

    @Test func aFileThatOutgrowsItsHeaderIsRefusedAndRemoved() throws {
        let folder = try TemporaryFolder()
        var writer = try AudioFileWriter(path: folder.path("a.wav"), sampleRate: 48_000)
        #expect(writer.maximumFrames == 0xFFFF_0000 / 6)
        writer.maximumFrames = 100
        try writer.write(Sound.fading(frames: 100).span)
        let failure = MusicIOError.caught { () throws(MusicIOError) in try writer.write([0, 0].span) }
        #expect(failure?.code == .tooLarge)
        _ = consume writer
        #expect(folder.contents.isEmpty)
    }
}
