import MusicIO

#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

enum Sound {
    /// A sine of 441 Hz at 48 kHz that fades, softer from channel to channel.
    static func fading(frames: Int, channels: Int = 2) -> [Float] {
        (0..<frames * channels).map { index in
            let (frame, channel) = (Float(index / channels), Float(index % channels))
            return (0.9 - 0.1 * channel) * sinf(frame * 0.0577) * (1 - frame / Float(frames))
        }
    }

    /// `cycles` a sample, in double precision.
    static func sine(cycles: Double, frames: Int, amplitude: Double = 0.5) -> [Float] {
        (0..<frames).map { Float(amplitude * sin(2 * .pi * cycles * Double($0))) }
    }

    static func write(
        _ sound: [Float], to path: String, channels: Int = 2, bitDepth: AudioFileWriter.BitDepth,
        blockFrames: Int = 333
    ) throws(MusicIOError) -> AudioFileWriter.Summary {
        var writer = try AudioFileWriter(
            path: path, sampleRate: 48_000, channels: channels, bitDepth: bitDepth)
        var start = 0
        while start < sound.count {
            let end = min(sound.count, start + blockFrames * channels)
            try writer.write(sound.span.extracting(start..<end))
            start = end
        }
        return try writer.finish()
    }
}

extension MusicIOError {
    /// What `body` throws.
    static func caught(_ body: () throws(MusicIOError) -> Void) -> MusicIOError? {
        do throws(MusicIOError) {
            try body()
            return nil
        } catch {
            return error
        }
    }
}
