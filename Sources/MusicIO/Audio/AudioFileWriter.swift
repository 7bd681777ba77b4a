internal import CSndfile

/// Writes a sound file, block by block, that appears under its name only when it is complete.
///
/// ```swift
/// var writer = try AudioFileWriter(path: "song.wav", sampleRate: 48_000)
/// try writer.write(stereoBlock.span)                 // as often as there are blocks
/// let written = try writer.finish()                  // closed, on the disk, renamed
/// print(written.seconds, written.peak)
/// ```
///
/// The container follows the extension: `.wav`, `.flac`, `.aiff` or `.aif`. A WAV that is expected to outgrow
/// 4 GB is written as RF64 (EBU Tech 3306). Until `finish()` the sound is in `<name>.partial-XXXXXX` beside
/// it; a writer that failed or was dropped removes that file. The same sound gives the same bytes: no time
/// stamps (but for RF64 files of floats, whose PEAK chunk is dated), no dither.
///
/// Room: control. One task at a time.
@safe public struct AudioFileWriter: ~Copyable {
    /// How a sample is stored.
    public enum BitDepth: Int, Sendable, CaseIterable {
        /// 16-bit integers, rounded to nearest.
        case pcm16 = 16
        /// 24-bit integers, rounded to nearest.
        case pcm24 = 24
        /// 32-bit floats; `.wav` and `.aiff` only. Nothing is clipped.
        case float32 = 32
    }

    /// What a finished file holds.
    public struct Summary: Hashable, Sendable {
        /// The file, links followed.
        public let path: String
        public let frames: Int
        public let sampleRate: Int
        public let channels: Int
        /// The largest magnitude of any sample as given, 1 = full scale.
        public let peak: Float
        /// Samples beyond full scale that were held to it; 0 for `float32`.
        public let clippedSamples: Int

        public var seconds: Double { Double(frames) / Double(sampleRate) }
    }

    public let sampleRate: Int
    public let channels: Int
    public let bitDepth: BitDepth
    /// Where the sound is until `finish()`.
    public var partialPath: String { file.partialPath }
    public private(set) var framesWritten = 0
    public private(set) var peak: Float = 0
    public private(set) var clippedSamples = 0

    /// Internal for tests, which cannot write 4 GB.
    var maximumFrames: Int
    private let name: String
    private let sound: SoundHandle
    private var file: PartialFile
    private var scratch: [Int32]
    private var failure: MusicIOError?

    private static let scratchFrames = 2048

    /// Opens the file: everything that can be known before the first sample is checked here.
    ///
    /// - Parameters:
    ///   - path: where the file goes; a file of that name is replaced by `finish()`.
    ///   - sampleRate: 1…768,000 Hz (FLAC: up to 655,350).
    ///   - channels: 1…64 (FLAC: up to 8), interleaved.
    ///   - expectedFrames: how long the sound will be at most, where that is known.
    /// - Throws: `invalidSampleRate`, `invalidArgument` (channels), `unsupported` (extension, or the depth in
    ///   it), `tooLarge` (`expectedFrames` in an AIFF file), `unwritable` (no such folder, a folder of that
    ///   name, no permission).
    public init(
        path: String, sampleRate: Int, channels: Int = 2, bitDepth: BitDepth = .pcm24, expectedFrames: Int = 0
    ) throws(MusicIOError) {
        let container = try AudioContainer(path: path)
        guard (1...container.maximumSampleRate).contains(sampleRate) else {
            throw MusicIOError(
                .invalidSampleRate, file: path, "a sample rate of \(sampleRate) Hz cannot be written",
                remedy: "Choose one from 1 to \(container.maximumSampleRate) Hz, such as 48000")
        }
        guard (1...container.maximumChannels).contains(channels) else {
            throw MusicIOError(
                .invalidArgument, file: path, "\(channels) channels cannot be written",
                remedy: "Choose from 1 to \(container.maximumChannels)")
        }
        guard container != .flac || bitDepth != .float32 else {
            throw MusicIOError(
                .unsupported, file: path, "FLAC holds integers, not floats",
                remedy: "Choose 16 or 24 bits, or a .wav file")
        }
        let frameBytes = channels * (bitDepth.rawValue / 8)
        let isLong = expectedFrames > container.maximumBytes(isLong: false) / frameBytes
        let maximumFrames = container.maximumBytes(isLong: isLong) / frameBytes
        guard expectedFrames <= maximumFrames else {
            throw Self.tooLong(path, frames: maximumFrames)
        }
        let file = try PartialFile(replacing: path)
        let sound = try SoundHandle(
            writing: file.descriptor, name: path, format: container.format(bitDepth, isLong: isLong),
            sampleRate: sampleRate, channels: channels)
        name = path
        self.file = file
        self.sound = sound
        self.sampleRate = sampleRate
        self.channels = channels
        self.bitDepth = bitDepth
        self.maximumFrames = maximumFrames
        scratch = bitDepth == .float32 ? [] : Array(repeating: 0, count: Self.scratchFrames * channels)
    }

    // The handle's last words must go to a descriptor that is still open.
    deinit { sound.abandon() }

    /// Appends a block.
    ///
    /// - Parameter block: interleaved samples, a whole number of frames, nominally −1…1. Integer depths hold
    ///   what is beyond to full scale and count it.
    /// - Throws: `invalidArgument` (not whole frames), `invalidSample` (NaN or infinite; none of the block is
    ///   written), `tooLarge` (a WAV of 4 GB that was not expected, an AIFF of 2 GB), `writeFailed`. After an
    ///   error the writer only repeats it, and no file is left.
    public mutating func write(_ block: Span<Float>) throws(MusicIOError) {
        if let failure { throw failure }
        do throws(MusicIOError) {
            try check(block)
            if bitDepth == .float32 { try sound.write(block, name: name) } else { try writeIntegers(block) }
            framesWritten += block.count / channels
        } catch {
            failure = error
            throw error
        }
    }

    /// Appends a stereo block that is kept channel by channel; else as `write(_:)`.
    ///
    /// - Parameters: as many samples of each channel.
    /// - Throws: also `invalidArgument` where the file is not stereo or the counts differ.
    public mutating func write(left: Span<Float>, right: Span<Float>) throws(MusicIOError) {
        guard channels == 2, left.count == right.count else {
            throw MusicIOError(
                .invalidArgument, file: name,
                "\(left.count) left and \(right.count) right samples do not fit \(channels) channels",
                remedy: "Pass equally many samples to a file of two channels")
        }
        var block: [Float] = []
        block.reserveCapacity(2 * left.count)
        for index in left.indices {
            block.append(left[index])
            block.append(right[index])
        }
        try write(block.span)
    }

    /// Closes the file, waits until it is on its disk, and gives it its name.
    ///
    /// - Throws: `writeFailed`, or the error of an earlier `write`; no file is left then, and one that was
    ///   there before is untouched.
    public consuming func finish() throws(MusicIOError) -> Summary {
        if let failure { throw failure }
        try sound.close(name: name)
        try file.commit()
        return Summary(
            path: file.path, frames: framesWritten, sampleRate: sampleRate, channels: channels, peak: peak,
            clippedSamples: clippedSamples)
    }

    private static func tooLong(_ name: String, frames: Int) -> MusicIOError {
        MusicIOError(
            .tooLarge, file: name, "this file type holds at most \(frames) frames",
            remedy: "Write a .flac file")
    }

    private mutating func check(_ block: Span<Float>) throws(MusicIOError) {
        guard block.count % channels == 0 else {
            throw MusicIOError(
                .invalidArgument, file: name,
                "a block of \(block.count) samples is no whole number of frames",
                remedy: "Pass \(channels) interleaved samples for each frame")
        }
        guard block.count / channels <= maximumFrames - framesWritten else {
            throw Self.tooLong(name, frames: maximumFrames)
        }
        var blockPeak = peak
        for index in block.indices {
            let magnitude = block[index].magnitude
            guard magnitude < .infinity else {
                let frame = framesWritten + index / channels
                throw MusicIOError(
                    .invalidSample, file: name,
                    "sample \(index % channels + 1) of frame \(frame) is not a finite number",
                    remedy: "The model or effect that made it is at fault; nothing was left")
            }
            blockPeak = max(blockPeak, magnitude)
        }
        peak = blockPeak
    }

    private mutating func writeIntegers(_ block: Span<Float>) throws(MusicIOError) {
        let scale: Float = bitDepth == .pcm16 ? 0x8000 : 0x80_0000
        let shift = bitDepth == .pcm16 ? Int32(16) : 8
        var start = 0
        while start < block.count {
            let count = min(scratch.count, block.count - start)
            for index in 0..<count {
                let sample = block[start + index]
                if sample.magnitude > 1 { clippedSamples += 1 }
                let code = min(max((sample * scale).rounded(), -scale), scale - 1)
                scratch[index] = Int32(code) << shift
            }
            try sound.write(scratch.span.extracting(first: count), name: name)
            start += count
        }
    }
}
