import MusicIO

/// Takes the renderer's two channels at its rate, and writes a stereo file at another.
struct SoundFile: ~Copyable {
    private var writer: AudioFileWriter
    private var converter: SampleRateConverter
    private(set) var inputFrames = 0

    /// - Parameter inputFrames: how many the renderer gives, so that a file too long for its format's plain form is
    ///   written in the long one, or refused before the work begins.
    /// - Throws: `MusicIOError`; nothing is written then.
    init(path: String, inputRate: Int, sampleRate: Int, inputFrames: Int) throws(MusicIOError) {
        let converter = try SampleRateConverter(from: inputRate, to: sampleRate, channels: 2)
        let writer = try AudioFileWriter(
            path: path, sampleRate: sampleRate, channels: 2,
            expectedFrames: Self.frames(inputFrames, inputRate: inputRate, sampleRate: sampleRate))
        self.converter = converter
        self.writer = writer
    }

    /// At most how many frames come out for `inputFrames`; the resampler may give a few more than the ratio.
    private static func frames(_ inputFrames: Int, inputRate: Int, sampleRate: Int) -> Int {
        let exact = (Double(inputFrames) * Double(sampleRate) / Double(inputRate)).rounded(.up)
        return Int(min(exact, 1e15)) + 1024
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
