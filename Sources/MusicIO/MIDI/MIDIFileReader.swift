/// The chunks of a file. Each track's events are `MIDITrackReader`'s.
struct MIDIFileReader {
    private(set) var format = 0
    private(set) var division = StandardMIDIFile.Division.ticksPerQuarter(480)
    private(set) var tracks: [StandardMIDIFile.Track] = []
    private var cursor: ByteCursor
    private var declaredTracks = 0

    init(bytes: [UInt8], name: String) { cursor = ByteCursor(bytes: bytes, name: name) }

    mutating func read() throws(MusicIOError) {
        try unwrapRIFF()
        try readHeader()
        while let chunk = try nextChunk() {
            if chunk.type == "MTrk" {
                try readTrack(declaredEnd: chunk.declaredEnd)
            } else {
                cursor.position = min(chunk.declaredEnd, cursor.end)
            }
        }
        guard !tracks.isEmpty else {
            throw cursor.error(.truncated, "there is no track after the header")
        }
    }

    /// `.rmi` files: `RIFF`, a length, `RMID`, and the MIDI file in the chunk `data`.
    private mutating func unwrapRIFF() throws(MusicIOError) {
        guard !cursor.bytes.isEmpty else { throw cursor.error(.notMIDI, "the file is empty") }
        guard cursor.type(at: 0) == "RIFF" else { return }
        guard cursor.type(at: 8) == "RMID" else {
            throw cursor.error(.notMIDI, "this is a RIFF file of another kind, perhaps audio")
        }
        cursor.position = 12
        while cursor.end - cursor.position >= 8 {
            let length = (0..<4).reduce(0) { $0 | Int(cursor.bytes[cursor.position + 4 + $1]) << (8 * $1) }
            let isData = cursor.type(at: cursor.position) == "data"
            cursor.position += 8
            if isData {
                // A wrong length here only moves the end; what the tracks promise is checked against it.
                cursor.end = min(cursor.end, cursor.position + length)
                return
            }
            cursor.position = min(cursor.end, cursor.position + length + length % 2)
        }
        throw cursor.error(.truncated, "the RIFF wrapper holds no MIDI data")
    }

    private mutating func readHeader() throws(MusicIOError) {
        guard cursor.type(at: cursor.position) == "MThd" else {
            throw cursor.error(.notMIDI, "this is not a Standard MIDI File (it does not start with MThd)")
        }
        let start = cursor.position
        cursor.position += 4
        let length = try cursor.uint32()
        guard length >= 6 else {
            throw cursor.error(.malformed, at: start + 4, "the header is \(length) bytes long instead of 6")
        }
        format = try cursor.uint16()
        declaredTracks = try cursor.uint16()
        let rawDivision = try cursor.uint16()
        guard format <= 2 else {
            throw cursor.error(.unsupported, at: start + 8, "MIDI file format \(format) is unknown")
        }
        guard declaredTracks > 0 else {
            throw cursor.error(.malformed, at: start + 10, "the header declares no tracks")
        }
        division = try self.division(rawDivision, at: start + 12)
        guard length - 6 <= cursor.end - cursor.position else {
            throw cursor.error(.truncated, "the file ends inside its header")
        }
        cursor.position += length - 6
    }

    private func division(_ raw: Int, at offset: Int) throws(MusicIOError) -> StandardMIDIFile.Division {
        if raw < 0x8000 {
            guard raw > 0 else { throw cursor.error(.malformed, at: offset, "a quarter note has no ticks") }
            return .ticksPerQuarter(raw)
        }
        let framesPerSecond = 256 - raw >> 8
        let ticksPerFrame = raw & 0xFF
        guard [24, 25, 29, 30].contains(framesPerSecond) else {
            throw cursor.error(
                .malformed, at: offset, "there is no SMPTE rate of \(framesPerSecond) frames a second")
        }
        guard ticksPerFrame > 0 else { throw cursor.error(.malformed, at: offset, "a frame has no ticks") }
        return .smpte(framesPerSecond: framesPerSecond, ticksPerFrame: ticksPerFrame)
    }

    /// Nil after the last chunk. Once all declared tracks are there, what does not look like a chunk is
    /// ignored.
    private mutating func nextChunk() throws(MusicIOError) -> (type: String, declaredEnd: Int)? {
        let isComplete = tracks.count >= declaredTracks
        let start = cursor.position
        guard cursor.end - start >= 8, let type = cursor.type(at: start) else {
            if isComplete { return nil }
            guard cursor.end - start < 8 else {
                throw cursor.error(.malformed, "there is no track where one is expected")
            }
            throw cursor.error(
                .truncated, at: cursor.end,
                "the file ends after \(tracks.count) of \(declaredTracks) tracks")
        }
        cursor.position += 4
        let declaredEnd = start + 8 + (try cursor.uint32())
        if type != "MTrk", declaredEnd > cursor.end, !isComplete {
            throw cursor.error(.truncated, at: cursor.end, "the file ends inside a chunk of type \(type)")
        }
        return (type, declaredEnd)
    }

    /// The end-of-track event rules over the declared length where they disagree.
    private mutating func readTrack(declaredEnd: Int) throws(MusicIOError) {
        var track = MIDITrackReader(cursor: cursor, declaredEnd: declaredEnd)
        try track.read()
        tracks.append(track.track)
        cursor.position = track.cursor.position
        if track.hasEnd, cursor.position < declaredEnd, cursor.type(at: cursor.position) != "MTrk" {
            cursor.position = min(declaredEnd, cursor.end)
        }
    }
}
