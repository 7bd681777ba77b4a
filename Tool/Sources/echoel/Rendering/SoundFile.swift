import MusicIO

/// Takes the renderer's two channels at its rate, and writes a stereo file at another.
struct SoundFile: ~Copyable {
    private var writer: AudioFileWriter
    private var converter: SampleRateConverter
    private(set) var inputFrames = 0

    /// - Throws: `MusicIOError`; nothing is written then.
    init(path: String, inputRate: Int, sampleRate: Int) throws(MusicIOError) {
        let converter = try SampleRateConverter(from: inputRate, to: sampleRate, channels: 2)
        let writer = try AudioFileWriter(path: path, sampleRate: sampleRate, channels: 2)
        self.converter = converter
        self.writer = writer
    }

    mutating func write(_ left: Span<Float>, _ right: Span<Float>) throws(MusicIOError) {
        var interleaved: [Float] = []
        interleaved.reserveCapacity(2 * left.count)
        for index in left.indices {
            interleaved.append(left[index])
            interleaved.append(right[index])
        }
        inputFrames += left.count
        var converted: [Float] = []
        try converter.convert(interleaved.span, appendingTo: &converted)
        try writer.write(converted.span)
    }

    consuming func finish() throws(MusicIOError) -> AudioFileWriter.Summary {
        var converted: [Float] = []
        try converter.finish(appendingTo: &converted)
        try writer.write(converted.span)
        return try writer.finish()
    }
}
