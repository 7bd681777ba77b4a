import Foundation

/// A recording of one note that is to be taken through an instrument.
struct NoteJob: Equatable {
    /// The sound file to read.
    let recording: String
    /// The frequency of the note's first partial.
    let hertz: Double
    /// The .wav file to write.
    let out: String

    /// Frequencies that a note may have: from below hearing to the Nyquist frequency of 48 kHz.
    static let hertzRange = 1.0...24_000
    static let keyRange = 0.0...127

    /// Hertz of a MIDI key, which may lie between two keys; A4 = 69 = 440 Hz.
    static func hertz(key: Double) -> Double { 440 * pow(2, (key - 69) / 12) }

    /// The file that a recording becomes in a folder: its own name with .wav.
    static func out(of recording: String, in folder: String) -> String {
        let name = URL(fileURLWithPath: recording).deletingPathExtension().lastPathComponent
        return path("\(name).wav", in: folder)
    }

    /// `path` as it is when it is absolute, else in `folder`.
    static func path(_ path: String, in folder: String) -> String {
        path.hasPrefix("/") || folder.isEmpty
            ? path : folder.hasSuffix("/") ? folder + path : "\(folder)/\(path)"
    }

    static func isWave(_ path: String) -> Bool { path.lowercased().hasSuffix(".wav") }

    /// Refuses jobs that would write over one another or over a recording.
    ///
    /// - Throws: `unusable`, naming both files.
    static func check(_ jobs: [NoteJob]) throws(ToolError) {
        func place(_ path: String) -> String { URL(fileURLWithPath: path).resolvingSymlinksInPath().path }
        var recordings: [String: String] = [:]
        for job in jobs { recordings[place(job.recording)] = job.recording }
        var written: [String: String] = [:]
        for job in jobs {
            let target = place(job.out)
            if recordings[target] != nil {
                throw ToolError(
                    .unusable,
                    "\(job.out) is one of the recordings, and would be replaced. Choose another --out."
                )
            }
            if let other = written.updateValue(job.recording, forKey: target) {
                throw ToolError(
                    .unusable,
                    "\(other) and \(job.recording) would both be written to \(job.out). Give them other names."
                )
            }
        }
    }
}
