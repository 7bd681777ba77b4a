internal import CSndfile

/// The files that can be written.
enum AudioContainer: Hashable {
    case wav, flac, aiff

    /// - Throws: `unsupported`, naming the extensions there are; `unwritable` for a folder.
    init(path: String) throws(MusicIOError) {
        let name = path.split(separator: "/").last ?? ""
        switch name.split(separator: ".", omittingEmptySubsequences: false).dropFirst().last?.lowercased() {
        case "wav", "wave": self = .wav
        case "flac": self = .flac
        case "aiff", "aif": self = .aiff
        case _ where Platform.kind(at: path) == .folder: throw PartialFile.isFolder(path)
        case let other:
            throw MusicIOError(
                .unsupported, file: path,
                other.map { "sound cannot be written as .\($0)" } ?? "the name has no extension",
                remedy: "End the name in .wav, .flac or .aiff")
        }
    }

    var maximumSampleRate: Int { self == .flac ? 655_350 : 768_000 }
    var maximumChannels: Int { self == .flac ? 8 : 64 }

    /// The most bytes of sound whose length the container's header can tell; RF64 and FLAC have no such
    /// limit.
    func maximumBytes(isLong: Bool) -> Int {
        switch self {
        case .wav: isLong ? .max : 0xFFFF_0000
        case .aiff: 0x7FFF_0000
        case .flac: .max
        }
    }

    /// libsndfile's format word.
    ///
    /// - Parameter isLong: a WAV takes the form of RF64.
    func format(_ bitDepth: AudioFileWriter.BitDepth, isLong: Bool) -> Int32 {
        let container =
            switch self {
            case .wav: isLong ? SF_FORMAT_RF64 : SF_FORMAT_WAV
            case .flac: SF_FORMAT_FLAC
            case .aiff: SF_FORMAT_AIFF
            }
        let encoding =
            switch bitDepth {
            case .pcm16: SF_FORMAT_PCM_16
            case .pcm24: SF_FORMAT_PCM_24
            case .float32: SF_FORMAT_FLOAT
            }
        return Int32(container) | Int32(encoding)
    }
}
