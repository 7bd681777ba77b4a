internal import CSndfile

/// Reads a sound file, block by block, as floats.
///
/// ```swift
/// var reader = try AudioFileReader(path: "note.flac")
/// var block = [Float](repeating: 0, count: 4096 * reader.channels)
/// while case let frames = try reader.read(into: &block), frames > 0 {
///     use(block[..<(frames * reader.channels)])
/// }
/// ```
///
/// WAV, RF64, W64, AIFF, AU, CAF, FLAC, Ogg and MP3, as far as the installed libsndfile has them. Integer samples
/// are divided by 2^(bits − 1). A WAV, AIFF or FLAC file that holds less sound than its header promises is an error
/// (`truncated`).
///
/// Room: control. One task at a time.
@safe public struct AudioFileReader: ~Copyable {
    public let path: String
    /// In Hz, above 0.
    public let sampleRate: Int
    public let channels: Int
    /// The file's length in frames; nil where the format does not tell.
    public let frames: Int?
    /// For example "FLAC (Free Lossless Audio Codec), 24 bit".
    public let formatName: String
    /// The frame that the next `read` starts with.
    public private(set) var position = 0

    private let sound: SoundHandle
    private let file: ReadableFile

    /// - Throws: `fileNotFound`, `unreadable`, `unknownFormat`, `truncated`.
    public init(path: String) throws(MusicIOError) {
        let file = try ReadableFile(path)
        guard file.isSeekable else {
            throw MusicIOError(
                .unreadable, file: path, "this is a pipe or a device, not a file",
                remedy: "Save it to a file first")
        }
        guard file.sizeBytes > 0 else {
            throw MusicIOError(
                .truncated, file: path, at: 0, "the file is empty", remedy: "Copy or download it again")
        }
        try checkDeclaredLength(of: file, path: path)
        let sound = try SoundHandle(reading: file.descriptor, name: path)
        let information = sound.information
        guard information.channels > 0, information.samplerate > 0 else {
            throw MusicIOError(
                .malformed, file: path, "the file declares no channels or no sample rate",
                remedy: "Export it again from the program that made it")
        }
        self.path = path
        self.file = file
        self.sound = sound
        sampleRate = Int(information.samplerate)
        channels = Int(information.channels)
        frames = (0..<sf_count_t.max).contains(information.frames) ? Int(information.frames) : nil
        formatName = Self.name(of: information.format)
    }

    deinit { sound.abandon() }

    /// Reads on.
    ///
    /// - Parameter block: filled with interleaved samples; as many whole frames as fit and are there.
    /// - Returns: the number of frames read; 0 at the end.
    /// - Throws: `truncated`, `unreadable`, `malformed` (the coded sound is damaged), `invalidSample` (a
    ///   float file that holds NaN or infinity), `invalidArgument` (a block of less than a frame).
    public mutating func read(into block: inout MutableSpan<Float>) throws(MusicIOError) -> Int {
        guard block.count >= channels else {
            throw MusicIOError(
                .invalidArgument, file: path, "a block of \(block.count) samples holds no frame",
                remedy: "Pass at least \(channels) samples")
        }
        let count = try sound.read(into: &block, name: path)
        for index in 0..<count where !block[index].isFinite {
            throw MusicIOError(
                .invalidSample, file: path,
                "sample \(index % channels + 1) of frame \(position + index / channels) is not a finite number",
                remedy: "Export it again from the program that made it")
        }
        position += count / channels
        if count == 0 {
            if let complaint = sound.complaint {
                throw MusicIOError(
                    .malformed, file: path, "the sound is damaged after frame \(position) (\(complaint))",
                    remedy: "Copy or download it again")
            }
            if let frames, position < frames {
                throw MusicIOError(
                    .truncated, file: path, at: file.sizeBytes,
                    "the file ends after \(position) of \(frames) frames",
                    remedy: "Copy or download it again")
            }
        }
        return count / channels
    }

    /// `read(into:)` for an array, whose size stays.
    public mutating func read(into block: inout [Float]) throws(MusicIOError) -> Int {
        var span = block.mutableSpan
        return try read(into: &span)
    }

    /// Goes to a frame, 0…`frames`.
    ///
    /// - Throws: `invalidArgument`.
    public mutating func seek(toFrame frame: Int) throws(MusicIOError) {
        guard frame >= 0, frame <= frames ?? .max, sound.seek(toFrame: frame) else {
            throw MusicIOError(
                .invalidArgument, file: path, "there is no frame \(frame)",
                remedy: "Choose one from 0 to \(frames.map(String.init) ?? "the end")")
        }
        position = frame
    }

    /// All frames from here on, interleaved.
    ///
    /// - Parameter limitFrames: more than so many is an error (`tooLarge`) instead of a full memory.
    public mutating func readAll(limitFrames: Int = 1 << 28) throws(MusicIOError) -> [Float] {
        let tooLarge = MusicIOError(
            .tooLarge, file: path, "the file is longer than \(limitFrames) frames",
            remedy: "Cut it into shorter files")
        var samples: [Float] = []
        var block = [Float](repeating: 0, count: 8192 * channels)
        var total = 0
        while case let count = try read(into: &block), count > 0 {
            total += count
            guard total <= limitFrames else { throw tooLarge }
            samples += block[..<(count * channels)]
        }
        return samples
    }

    private static func name(of format: Int32) -> String {
        func name(_ word: Int32) -> String? {
            var information = unsafe SF_FORMAT_INFO()
            unsafe information.format = word
            let size = unsafe Int32(MemoryLayout<SF_FORMAT_INFO>.size)
            guard unsafe sf_command(nil, Int32(SFC_GET_FORMAT_INFO), &information, size) == 0 else {
                return nil
            }
            return unsafe information.name.map { unsafe String(cString: $0) }
        }
        let words = [Int32(SF_FORMAT_TYPEMASK), Int32(SF_FORMAT_SUBMASK)]
        return words.compactMap { name(format & $0) }.joined(separator: ", ")
    }
}
