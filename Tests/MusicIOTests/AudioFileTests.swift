import MusicIO
import Testing

@Suite struct AudioFileTests {
    /// A stereo sine of 441 Hz that fades, at the given rate.
    static func sound(frames: Int, channels: Int = 2) -> [Float] {
        (0..<frames * channels).map { index in
            let frame = Float(index / channels)
            let channel = Float(index % channels)
            return (0.9 - 0.1 * channel) * Float.sin(frame * 0.0577) * (1 - frame / Float(frames))
        }
    }

    static func write(
        _ sound: [Float], to path: String, channels: Int = 2, bitDepth: AudioFileWriter.BitDepth
    )
        throws -> AudioFileWriter.Summary
    {
        var writer = try AudioFileWriter(
            path: path, sampleRate: 48_000, channels: channels, bitDepth: bitDepth)
        var start = 0
        while start < sound.count {
            let end = min(sound.count, start + 333 * channels)
            try writer.write(sound[start..<end].span)
            start = end
        }
        return try writer.finish()
    }

    @Test(
        arguments: ["a.wav", "a.flac", "a.aiff", "a.AIF"], [AudioFileWriter.BitDepth.pcm16, .pcm24, .float32])
    func whatIsWrittenIsReadBack(name: String, bitDepth: AudioFileWriter.BitDepth) throws {
        guard name != "a.flac" || bitDepth != .float32 else { return }
        let folder = try TemporaryFolder()
        let sound = Self.sound(frames: 10_000)
        let summary = try Self.write(sound, to: folder.path(name), bitDepth: bitDepth)
        #expect(summary.frames == 10_000)
        #expect(summary.clippedSamples == 0)
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
}
