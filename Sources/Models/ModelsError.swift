/// Why a manifest, a model or an instrument cannot be used: a sentence that names the file, the key and the remedy.
///
/// Room: control.
public struct ModelsError: Error, Sendable, CustomStringConvertible {
    /// What went wrong, to branch on. More codes may be added; compare, do not switch exhaustively.
    public struct Code: Hashable, Sendable, CustomStringConvertible {
        public let description: String

        /// There is no file of that name.
        public static let fileNotFound = Code(description: "fileNotFound")
        /// The file is there and cannot be read: a folder, no permission, a device error.
        public static let unreadable = Code(description: "unreadable")
        /// The file is larger than the reader accepts.
        public static let tooLarge = Code(description: "tooLarge")
        /// The bytes are not JSON in UTF-8, or not an object.
        public static let notJSON = Code(description: "notJSON")
        /// A key that the format demands is not there.
        public static let missingKey = Code(description: "missingKey")
        /// A value of another JSON type than the format demands.
        public static let wrongType = Code(description: "wrongType")
        /// A value of the right type that the format does not allow.
        public static let invalidValue = Code(description: "invalidValue")
        /// The manifest was written for a newer `echoel`.
        public static let newerFormat = Code(description: "newerFormat")
        /// The file is not the one that was published: its size or SHA-256 differs.
        public static let digestMismatch = Code(description: "digestMismatch")
        /// A manifest says of its model, or an instrument of its models, what is not so.
        public static let contradiction = Code(description: "contradiction")
        /// No folder of models could be found.
        public static let noModels = Code(description: "noModels")
        /// No instrument of that name is installed.
        public static let unknownInstrument = Code(description: "unknownInstrument")
    }

    public let code: Code
    /// The file's path, or the name given for bytes in memory; empty where no file is involved.
    public let file: String
    /// The place in the manifest, such as `inputs[0].shape[2]`; empty where none is involved.
    public let key: String
    /// What is wrong.
    public let reason: String
    /// What to do about it.
    public let remedy: String

    init(_ code: Code, file: String, key: String = "", _ reason: String, remedy: String) {
        self.code = code
        self.file = file
        self.key = key
        self.reason = reason
        self.remedy = remedy
    }

    /// For example: `strings.instrument.json: lowKey: 130 is not a MIDI key, 0…127. Correct it.`
    public var description: String {
        let place = [file, key].filter { !$0.isEmpty }.map { "\($0): " }.joined()
        return "\(place)\(reason). \(remedy)"
    }

    func inFile(_ path: String) -> ModelsError {
        ModelsError(code, file: path, key: key, reason, remedy: remedy)
    }
}

/// Text from outside, fit for a message: quoted, without control characters, at most 80 characters long.
func quoted(_ text: some StringProtocol) -> String {
    let printable = text.prefix(80).map { $0.isControl ? "\u{FFFD}" : $0 }
    return "“\(String(printable))\(text.dropFirst(80).isEmpty ? "" : "…")”"
}

extension Character {
    /// C0 and C1 controls, line separators and the marks that reorder text on a terminal.
    var isControl: Bool {
        unicodeScalars.contains { scalar in
            switch scalar.properties.generalCategory {
            case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate, .unassigned: true
            default: false
            }
        }
    }
}
