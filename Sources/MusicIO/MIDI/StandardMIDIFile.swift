/// A Standard MIDI File (Standard MIDI Files 1.0, RP-001), read whole: its tracks as written, in ticks.
///
/// ```swift
/// let song = try StandardMIDIFile(contentsOf: "song.mid").performance()
/// for timed in song.events { schedule(timed.event, at: timed.sample(at: 48_000)) }
/// ```
///
/// Formats 0, 1 and 2, with or without the RIFF wrapper of `.rmi` files. System exclusive messages, escapes,
/// unknown chunks and meta events other than tempo, track name and end of track are skipped; ports (meta
/// 0x21) are not told apart, and the SMPTE offset (meta 0x54) is not applied. A track without an end-of-track
/// event, a chunk whose declared length is wrong while its events are right, a wrong track count that leaves
/// tracks over, and bytes after the last track are accepted. Everything else that contradicts the format is
/// an error with its byte offset; nothing traps.
///
/// Room: control.
public struct StandardMIDIFile: Sendable, Hashable {
    /// What a tick is.
    public enum Division: Hashable, Sendable {
        /// 1…32767 ticks in a quarter note; a tick's length follows the tempo.
        case ticksPerQuarter(Int)
        /// `framesPerSecond` is 24, 25, 29 (which stands for 29.97, that is 30000/1001) or 30;
        /// `ticksPerFrame` is 1…255. A tick has a constant length, and tempo events have no effect.
        case smpte(framesPerSecond: Int, ticksPerFrame: Int)
    }

    /// A tempo from a tick on.
    public struct TempoChange: Hashable, Sendable {
        public var tick: Int
        /// 1…16,777,215. 500,000 (120 beats a minute) holds until a file says otherwise.
        public var microsecondsPerQuarter: Int

        public init(tick: Int, microsecondsPerQuarter: Int) {
            self.tick = tick
            self.microsecondsPerQuarter = microsecondsPerQuarter
        }
    }

    public struct TrackEvent: Hashable, Sendable {
        public var tick: Int
        public var event: ChannelEvent

        public init(tick: Int, event: ChannelEvent) {
            self.tick = tick
            self.event = event
        }
    }

    public struct Track: Hashable, Sendable {
        /// The first track-name meta event, control characters removed.
        public var name: String?
        /// In file order, hence by tick.
        public var events: [TrackEvent]
        /// In file order, hence by tick.
        public var tempos: [TempoChange]
        /// Where the track ends; not before its last event.
        public var endTick: Int

        public init(
            name: String? = nil, events: [TrackEvent] = [], tempos: [TempoChange] = [], endTick: Int = 0
        ) {
            self.name = name
            self.events = events
            self.tempos = tempos
            self.endTick = endTick
        }
    }

    /// 0 (one track), 1 (tracks played together) or 2 (patterns, played one after another).
    public let format: Int
    public let division: Division
    public let tracks: [Track]

    /// One for all tracks; in format 2 one for each.
    let timelines: [Timeline]

    /// The largest file that is read, in bytes.
    public static let maximumBytes = 64 << 20
    /// The longest piece that is accepted, in seconds: a day.
    public static let maximumSeconds = 86_400.0

    /// Reads a file of at most 64 MB.
    ///
    /// - Throws: `fileNotFound`, `unreadable`, `tooLarge`, and what `init(bytes:name:)` throws.
    public init(contentsOf path: String) throws(MusicIOError) {
        try self.init(bytes: try bytesOfFile(path, limitBytes: Self.maximumBytes), name: path)
    }

    /// Reads the bytes of a file.
    ///
    /// - Parameter name: what errors call it.
    /// - Throws: `notMIDI`, `truncated`, `malformed`, `unsupported` (a piece longer than a day, a format
    ///   above 2), `tooLarge`.
    public init(bytes: [UInt8], name: String) throws(MusicIOError) {
        guard bytes.count <= Self.maximumBytes else {
            throw MusicIOError(
                .tooLarge, file: name, "the file is larger than \(Self.maximumBytes >> 20) MB",
                remedy: "Check that it is the file you meant")
        }
        var reader = MIDIFileReader(bytes: bytes, name: name)
        try reader.read()
        format = reader.format
        division = reader.division
        tracks = reader.tracks
        timelines = try Timeline.timelines(format: format, division: division, tracks: tracks, name: name)
    }
}
