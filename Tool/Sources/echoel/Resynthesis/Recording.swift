import MusicIO

/// Reads recordings of notes as models take them: mono, at the models' rate.
enum Recording {
    /// What is longer is not a note.
    private static let maximumSeconds = 600

    /// Opens a sound file and says how long it is, in seconds; 0 where its format does not tell.
    ///
    /// - Throws: `MusicIOError`, and `unusable` for a file without sound.
    static func seconds(of path: String) throws -> Double {
        let reader = try AudioFileReader(path: path)
        let (frames, rate) = (reader.frames, reader.sampleRate)
        if frames == 0 { throw empty(path) }
        return Double(frames ?? 0) / Double(rate)
    }

    /// The mean of a file's channels, resampled if need be.
    ///
    /// - Throws: `MusicIOError` (also for a file that holds NaN or infinity), and `unusable` for a file without sound.
    static func read(_ path: String, sampleRate: Int) throws -> [Float] {
        var reader = try AudioFileReader(path: path)
        let (channels, rate) = (reader.channels, reader.sampleRate)
        let interleaved = try reader.readAll(limitFrames: maximumSeconds * rate)
        var mono = interleaved
        if channels > 1 {
            mono = stride(from: 0, to: interleaved.count, by: channels).map { first in
                interleaved[first..<(first + channels)].reduce(0, +) / Float(channels)
            }
        }
        let sound = try SampleRateConverter.convert(mono, from: rate, to: sampleRate, channels: 1)
        guard !sound.isEmpty else { throw empty(path) }
        return sound
    }

    private static func empty(_ path: String) -> ToolError {
        ToolError(.unusable, "\(path) holds no sound. Record the note again, or leave it out.")
    }
}
