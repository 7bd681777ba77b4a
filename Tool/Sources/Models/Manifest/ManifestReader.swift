internal import Foundation

/// What the two manifest types share: bounded reading, decoding, and errors that name the key.
protocol Manifest: Codable {
    static var newestFormatVersion: Int { get }
    func validate(_ check: ManifestCheck) throws(ModelsError)
}

enum ManifestReader {
    /// No manifest is larger.
    static let limitBytes = 1 << 20
    /// No manifest nests deeper; the decoder recurses, so this bounds its stack.
    static let limitDepth = 32

    static func read<M: Manifest>(_: M.Type, path: String) throws(ModelsError) -> M {
        try decode(M.self, bytes: try BoundedFile.bytes(path, limitBytes: limitBytes), file: path)
    }

    static func decode<M: Manifest>(_: M.Type, bytes: [UInt8], file: String) throws(ModelsError) -> M {
        guard bytes.count <= limitBytes else { throw BoundedFile.tooLarge(file, limitBytes: limitBytes) }
        try checkText(bytes, file: file)
        let data = Data(bytes)
        let head = try decode(Head.self, data, file: file)
        guard head.formatVersion <= M.newestFormatVersion else {
            throw ModelsError(
                .newerFormat, file: file, key: "formatVersion",
                "the manifest has format version \(head.formatVersion), and this echoel reads up to "
                    + "\(M.newestFormatVersion)",
                remedy: "Update echoel")
        }
        guard head.formatVersion >= 1 else {
            throw ModelsError(
                .invalidValue, file: file, key: "formatVersion", "there is no format version \(head.formatVersion)",
                remedy: "Write \(M.newestFormatVersion)")
        }
        let manifest = try decode(M.self, data, file: file)
        try manifest.validate(ManifestCheck(file: file))
        return manifest
    }

    private struct Head: Decodable { let formatVersion: Int }

    private static func decode<T: Decodable>(_: T.Type, _ data: Data, file: String) throws(ModelsError) -> T {
        do {
            return try JSONDecoder().decode(T.self, from: data)
        } catch let error as DecodingError {
            throw ModelsError(error, file: file)
        } catch {
            throw ModelsError.notJSON(file, "\(error)")
        }
    }

    /// Refuses what is not UTF-8 text and what nests too deeply.
    private static func checkText(_ bytes: [UInt8], file: String) throws(ModelsError) {
        guard !bytes.isEmpty else { throw ModelsError.notJSON(file, "the file is empty") }
        guard String(validating: bytes, as: UTF8.self) != nil, !bytes.contains(0) else {
            throw ModelsError.notJSON(file, "it is not UTF-8 text")
        }
        var depth = 0
        var inString = false
        var escaped = false
        for byte in bytes {
            if inString {
                if escaped {
                    escaped = false
                } else if byte == UInt8(ascii: "\\") {
                    escaped = true
                } else if byte == UInt8(ascii: "\"") {
                    inString = false
                }
                continue
            }
            switch byte {
            case UInt8(ascii: "\""): inString = true
            case UInt8(ascii: "{"), UInt8(ascii: "["):
                depth += 1
                guard depth <= limitDepth else {
                    throw ModelsError.notJSON(file, "it nests more than \(limitDepth) levels deep")
                }
            case UInt8(ascii: "}"), UInt8(ascii: "]"): depth -= 1
            default: break
            }
        }
    }
}

extension ModelsError {
    static func notJSON(_ file: String, _ why: String) -> ModelsError {
        ModelsError(
            .notJSON, file: file, "this is not a JSON manifest (\(why))",
            remedy: "Check that it is the file you meant, or export the model again")
    }

    fileprivate init(_ error: DecodingError, file: String) {
        switch error {
        case .keyNotFound(let key, let context):
            self.init(
                .missingKey, file: file, key: Self.path(context.codingPath + [key]), "the key is missing",
                remedy: "Add it; Documentation/Models.md lists the keys")
        case .typeMismatch(let type, let context):
            self.init(
                .wrongType, file: file, key: Self.path(context.codingPath), "the value is not \(Self.name(of: type))",
                remedy: "Correct it; Documentation/Models.md lists the keys")
        case .valueNotFound(let type, let context):
            self.init(
                .wrongType, file: file, key: Self.path(context.codingPath),
                "the value is null, and not \(Self.name(of: type))",
                remedy: "Correct it; Documentation/Models.md lists the keys")
        case .dataCorrupted(let context) where context.codingPath.isEmpty:
            let why = (context.underlyingError as NSError?)?.userInfo[NSDebugDescriptionErrorKey] as? String
            self = .notJSON(file, Self.clause(why ?? context.debugDescription))
        case .dataCorrupted(let context):
            self.init(
                .invalidValue, file: file, key: Self.path(context.codingPath), Self.clause(context.debugDescription),
                remedy: "Correct it; Documentation/Models.md lists the keys")
        @unknown default: self = .notJSON(file, "\(error)")
        }
    }

    /// A Foundation sentence as a clause of ours.
    private static func clause(_ sentence: String) -> String {
        let text = sentence.prefix(200).map { $0.isControl ? "\u{FFFD}" : $0 }
        return String(text.last == "." ? text.dropLast() : text[...])
    }

    private static func path(_ keys: [any CodingKey]) -> String {
        keys.reduce(into: "") { text, key in
            if let index = key.intValue {
                text += "[\(index)]"
            } else {
                let name = String(key.stringValue.prefix(64).map { $0.isControl ? "\u{FFFD}" : $0 })
                text += text.isEmpty ? name : ".\(name)"
            }
        }
    }

    private static func name(of type: any Any.Type) -> String {
        switch type {
        case is Int.Type: "a whole number"
        case is Double.Type, is Float.Type: "a number"
        case is Bool.Type: "true or false"
        case is String.Type: "text"
        case is [String: Any].Type: "an object"
        case is [Any].Type: "a list"
        default: "\(type)".hasPrefix("Array") ? "a list" : "what the format demands"
        }
    }
}
