/// Makes a Standard MIDI File of tracks.
///
/// ```swift
/// var writer = MIDIFileWriter(division: .ticksPerQuarter(480))
/// writer.tracks.append(.init(name: "Scale", events: events))
/// try writer.write(to: "scale.mid")
/// ```
///
/// Room: control.
public struct MIDIFileWriter: Sendable {
    /// 0 for a single track, 1 for tracks played together, 2 for patterns played in turn.
    public var format: Int
    public var division: StandardMIDIFile.Division
    /// Events and tempos in any order of tick; those at one tick keep theirs, tempos first.
    public var tracks: [StandardMIDIFile.Track]
    /// Leaves out a status byte that equals the one before.
    public var usesRunningStatus = true

    public init(
        format: Int = 1, division: StandardMIDIFile.Division = .ticksPerQuarter(480),
        tracks: [StandardMIDIFile.Track] = []
    ) {
        self.format = format
        self.division = division
        self.tracks = tracks
    }

    /// Writes the file; it has its name only when it is complete.
    ///
    /// - Throws: what `bytes()` throws, `unwritable`, `writeFailed`.
    public func write(to path: String) throws(MusicIOError) {
        let bytes = try bytes()
        var file = try PartialFile(replacing: path)
        let (_, error) = unsafe bytes.withUnsafeBytes { unsafe Platform.writeBytes(file.descriptor, $0) }
        if let error { throw error.writing(path) }
        try file.commit()
    }

    /// The file's bytes.
    ///
    /// A note-on of velocity 0 is written, and read again as a note-off.
    ///
    /// - Throws: `invalidArgument` where the format cannot say it: no track or more than 65535, several
    ///   tracks in format 0, a division, tempo or MIDI value out of range, a negative tick, more than 2^28 −
    ///   1 ticks between two events.
    public func bytes() throws(MusicIOError) -> [UInt8] {
        guard (0...2).contains(format) else { throw Self.invalid("there is no MIDI file format \(format)") }
        guard (1...(format == 0 ? 1 : 65535)).contains(tracks.count) else {
            throw Self.invalid("format \(format) cannot hold \(tracks.count) tracks")
        }
        var bytes = Array("MThd".utf8)
        bytes.append(bigEndian: 6, count: 4)
        bytes.append(bigEndian: format, count: 2)
        bytes.append(bigEndian: tracks.count, count: 2)
        bytes.append(bigEndian: try rawDivision(), count: 2)
        for track in tracks {
            let body = try self.bytes(of: track)
            guard body.count <= UInt32.max else { throw Self.invalid("a track is longer than 4 GB") }
            bytes += Array("MTrk".utf8)
            bytes.append(bigEndian: body.count, count: 4)
            bytes += body
        }
        return bytes
    }

    private func rawDivision() throws(MusicIOError) -> Int {
        switch division {
        case .ticksPerQuarter(let ticks) where (1...0x7FFF).contains(ticks): return ticks
        case .smpte(let frames, let ticks)
        where [24, 25, 29, 30].contains(frames) && (1...255).contains(ticks):
            return (256 - frames) << 8 | ticks
        default: throw Self.invalid("the division \(division) is out of range")
        }
    }

    private func bytes(of track: StandardMIDIFile.Track) throws(MusicIOError) -> [UInt8] {
        var body: [UInt8] = []
        if let name = track.name {
            guard name.utf8.count <= 0x0FFF_FFFF else {
                throw Self.invalid("a track name is longer than 256 MB")
            }
            body += [0, 0xFF, 0x03]
            body.append(variableLength: name.utf8.count)
            body += name.utf8
        }
        var items = track.tempos.map { (tick: $0.tick, bytes: Item.tempo($0.microsecondsPerQuarter)) }
        items += track.events.map { (tick: $0.tick, bytes: Item.event($0.event)) }
        let sorted = items.enumerated().sorted { ($0.element.tick, $0.offset) < ($1.element.tick, $1.offset) }

        var tick = 0
        var runningStatus: UInt8?
        func appendDelta(to next: Int) throws(MusicIOError) {
            guard next >= tick, next - tick <= 0x0FFF_FFFF else {
                throw Self.invalid("there is no time from tick \(tick) to tick \(next) in a track")
            }
            body.append(variableLength: next - tick)
            tick = next
        }
        for (_, item) in sorted {
            try appendDelta(to: item.tick)
            switch item.bytes {
            case .tempo(let tempo):
                guard (1...0xFF_FFFF).contains(tempo) else {
                    throw Self.invalid("a tempo of \(tempo) µs a quarter is out of range")
                }
                body += [0xFF, 0x51, 3]
                body.append(bigEndian: tempo, count: 3)
                runningStatus = nil
            case .event(let event):
                guard let (status, data1, data2) = event.message else {
                    throw Self.invalid("a value is out of range in \(event)")
                }
                if status != runningStatus { body.append(status) }
                body.append(data1)
                if let data2 { body.append(data2) }
                runningStatus = usesRunningStatus ? status : nil
            }
        }
        try appendDelta(to: max(tick, track.endTick))
        return body + [0xFF, 0x2F, 0]
    }

    private enum Item {
        case tempo(Int)
        case event(ChannelEvent)
    }

    private static func invalid(_ reason: String) -> MusicIOError {
        MusicIOError(
            .invalidArgument, file: "", reason, remedy: "Change the piece to what a MIDI file can hold")
    }
}

extension [UInt8] {
    fileprivate mutating func append(bigEndian value: Int, count: Int) {
        for index in (0..<count).reversed() { append(UInt8(truncatingIfNeeded: value >> (8 * index))) }
    }

    /// - Parameter value: 0…0x0FFFFFFF.
    fileprivate mutating func append(variableLength value: Int) {
        for shift in [21, 14, 7] where value >> shift != 0 { append(UInt8(value >> shift & 0x7F) | 0x80) }
        append(UInt8(value & 0x7F))
    }
}
