import Foundation
import Models

/// The notes of `--list`: a JSON array of objects with `file`, `key` or `hertz`, and `out` where --out does not tell.
enum NoteList {
    /// No list is larger.
    private static let limitBytes = 1 << 24

    struct Entry: Decodable {
        let file: String
        let key: Double?
        let hertz: Double?
        let out: String?
    }

    /// - Parameters:
    ///   - path: the list. A relative `file` in it starts from the list's folder.
    ///   - folder: where a relative `out` starts, and where notes without one go; nil is the list's folder, and every
    ///     note then has an `out`.
    /// - Throws: `ModelsError` when the file cannot be read, `badList`, naming the place in it.
    static func jobs(path: String, folder: String?) throws -> [NoteJob] {
        let bytes = try BoundedFile.bytes(path, limitBytes: limitBytes)
        let home = (path as NSString).deletingLastPathComponent
        let entries = try decode(bytes, path: path)
        guard !entries.isEmpty else {
            throw ToolError(.badList, "\(path) lists no notes. Put at least one into it.")
        }
        return try entries.enumerated().map { index, entry throws(ToolError) in
            func bad(_ what: String) -> ToolError { ToolError(.badList, "\(path): notes[\(index)]\(what)") }
            let hertz: Double
            switch (entry.key, entry.hertz) {
            case (let key?, nil):
                guard NoteJob.keyRange.contains(key) else {
                    throw bad(".key: \(key) is not a MIDI key, 0 to 127. Correct it.")
                }
                hertz = NoteJob.hertz(key: key)
            case (nil, let given?):
                guard NoteJob.hertzRange.contains(given) else {
                    throw bad(".hertz: \(given) is not a frequency, 1 to 24000 Hz. Correct it.")
                }
                hertz = given
            case (nil, nil): throw bad(" has neither key nor hertz. Give one of them.")
            case (.some, .some): throw bad(" has both key and hertz. Leave one of them out.")
            }
            guard !entry.file.isEmpty else { throw bad(".file is empty. Name a sound file.") }
            return NoteJob(
                recording: NoteJob.path(entry.file, in: home), hertz: hertz,
                out: try out(of: entry, in: folder, home: home, bad: bad))
        }
    }

    private static func out(
        of entry: Entry, in folder: String?, home: String, bad: (String) -> ToolError
    ) throws(ToolError) -> String {
        guard let out = entry.out else {
            guard let folder else { throw bad(" has no out. Add it, or give a folder with --out.") }
            return NoteJob.out(of: entry.file, in: folder)
        }
        guard NoteJob.isWave(out) else { throw bad(".out: \(out) does not end in .wav. Rename it.") }
        return NoteJob.path(out, in: folder ?? home)
    }

    private static func decode(_ bytes: [UInt8], path: String) throws(ToolError) -> [Entry] {
        do {
            return try JSONDecoder().decode([Entry].self, from: Data(bytes))
        } catch {
            throw ToolError(
                .badList,
                "\(path) is not a list of notes (\(reason(error))). It looks like "
                    + "[{\"file\": \"a.wav\", \"key\": 60}, …].")
        }
    }

    /// For example: `notes[3].key: a number is expected`.
    private static func reason(_ error: any Error) -> String {
        guard let error = error as? DecodingError else { return "\(error)" }
        func place(_ path: [any CodingKey]) -> String {
            path.reduce("notes") { $0 + ($1.intValue.map { "[\($0)]" } ?? ".\($1.stringValue)") }
        }
        return switch error {
        case .keyNotFound(let key, let context): "\(place(context.codingPath + [key])) is missing"
        case .typeMismatch(let type, let context), .valueNotFound(let type, let context):
            "\(place(context.codingPath)): \(expected(type)) is expected"
        case .dataCorrupted(let context) where !context.codingPath.isEmpty:
            "\(place(context.codingPath)): \(context.debugDescription)"
        default: "it is not JSON"
        }
    }

    private static func expected(_ type: any Any.Type) -> String {
        switch type {
        case is String.Type: "text"
        case is Double.Type: "a number"
        case is [Any].Type: "an array"
        default: "an object"
        }
    }
}
