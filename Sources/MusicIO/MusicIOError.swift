/// Why a music file could not be read or written: a sentence that names the file, the place and the remedy.
///
/// Room: control.
public struct MusicIOError: Error, Sendable, CustomStringConvertible {
    /// What went wrong, to branch on. More codes may be added; compare, do not switch exhaustively.
    public struct Code: Hashable, Sendable, CustomStringConvertible {
        public let description: String

        /// There is no file of that name.
        public static let fileNotFound = Code(description: "fileNotFound")
        /// The file is there and cannot be read: a folder, no permission, a device error.
        public static let unreadable = Code(description: "unreadable")
        /// The bytes are not a Standard MIDI File.
        public static let notMIDI = Code(description: "notMIDI")
        /// The file ends before what it promises.
        public static let truncated = Code(description: "truncated")
        /// The bytes contradict the format.
        public static let malformed = Code(description: "malformed")
        /// The file is sound, and beyond what this library does.
        public static let unsupported = Code(description: "unsupported")
        /// The file is larger than the reader accepts.
        public static let tooLarge = Code(description: "tooLarge")
        /// The audio format is not one that the library knows.
        public static let unknownFormat = Code(description: "unknownFormat")
        /// The place to write to will not take a file: no such folder, a folder of that name, no permission.
        public static let unwritable = Code(description: "unwritable")
        /// Writing began and failed: a full disk, a quota, a device error. Nothing is left.
        public static let writeFailed = Code(description: "writeFailed")
        /// A sample is not a finite number.
        public static let invalidSample = Code(description: "invalidSample")
        /// A sample rate is out of range.
        public static let invalidSampleRate = Code(description: "invalidSampleRate")
        /// Another argument is out of range: the channel count, a block's size, a MIDI value.
        public static let invalidArgument = Code(description: "invalidArgument")
    }

    public let code: Code
    /// The file's path, or the name given for bytes in memory; empty where no file is involved.
    public let file: String
    /// Where in the file, in bytes from its start.
    public let byteOffset: Int?
    /// What is wrong.
    public let reason: String
    /// What to do about it.
    public let remedy: String
    /// The operating system's `errno`, where it was the cause.
    public let systemError: Int32?

    init(
        _ code: Code, file: String, at byteOffset: Int? = nil, _ reason: String, remedy: String,
        systemError: Int32? = nil
    ) {
        self.code = code
        self.file = file
        self.byteOffset = byteOffset
        self.reason = reason
        self.remedy = remedy
        self.systemError = systemError
    }

    /// For example: `song.mid, byte 1187: the track ends inside an event. Export it again.`
    public var description: String {
        let place = byteOffset.map { ", byte \($0)" } ?? ""
        let subject = file.isEmpty ? "" : "\(file)\(place): "
        return "\(subject)\(reason). \(remedy)."
    }
}
