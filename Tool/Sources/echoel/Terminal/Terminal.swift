import Foundation

/// What the tool says: results on standard output, everything else on standard error.
enum Terminal {
    /// Writes a result.
    ///
    /// - Throws: `unwritable` when it cannot be written, to a full disk for instance.
    static func result(_ text: String) throws {
        do {
            try FileHandle.standardOutput.write(contentsOf: Data((text + "\n").utf8))
        } catch {
            throw ToolError(
                .unwritable,
                "The result cannot be written to standard output. Check the disk or the pipe behind it.")
        }
    }

    /// Writes a result as JSON with sorted keys.
    static func result(json value: some Encodable) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        try result(String(decoding: try encoder.encode(value), as: UTF8.self))
    }

    /// Writes a hint, a warning or progress. It may be lost: nobody depends on it.
    static func note(_ text: String) {
        try? FileHandle.standardError.write(contentsOf: Data((text + "\n").utf8))
    }

    /// Writes without a newline, for a progress bar.
    static func noteRaw(_ text: String) {
        try? FileHandle.standardError.write(contentsOf: Data(text.utf8))
    }

    /// The sentence that every failure ends with.
    static func failure(_ error: any Error) {
        let sentence = clean("\(error)")
        note("echoel: \(sentence)\(sentence.last.map(".!?".contains) == true ? "" : ".")")
    }

    /// Text from outside on one line and without control characters, so that no file can steer a terminal.
    static func clean(_ text: String) -> String {
        String(
            text.map { character -> Character in
                if character.isNewline || character == "\t" { return " " }
                let isControl = character.unicodeScalars.contains {
                    [.control, .format, .lineSeparator, .paragraphSeparator].contains(
                        $0.properties.generalCategory)
                }
                return isControl ? "\u{FFFD}" : character
            })
    }

    /// Whether standard error is a terminal that can move its cursor.
    static let isErrorInteractive = isatty(2) == 1 && environment["TERM"] != "dumb"

    /// Whether standard output may be coloured: a terminal, and `NO_COLOR` unset (no-color.org).
    static let mayColour =
        isatty(1) == 1 && environment["TERM"] != "dumb" && (environment["NO_COLOR"] ?? "").isEmpty

    private static let environment = ProcessInfo.processInfo.environment

    enum Colour: String {
        case green = "32"
        case red = "31"
    }

    static func coloured(_ text: String, _ colour: Colour) -> String {
        mayColour ? "\u{1B}[\(colour.rawValue)m\(text)\u{1B}[0m" : text
    }
}
