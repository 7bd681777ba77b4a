/// What the two manifest types share: bounded reading, and errors that name the key.
protocol Manifest {
    static var newestFormatVersion: Int { get }
    init(_ node: JSONNode) throws(ModelsError)
    func validate(_ check: ManifestCheck) throws(ModelsError)
}

enum ManifestReader {
    /// No manifest is larger.
    static let limitBytes = 1 << 20

    static func read<M: Manifest>(_: M.Type, path: String) throws(ModelsError) -> M {
        try decode(M.self, bytes: try BoundedFile.bytes(path, limitBytes: limitBytes), file: path)
    }

    static func decode<M: Manifest>(_: M.Type, bytes: [UInt8], file: String) throws(ModelsError) -> M {
        guard bytes.count <= limitBytes else { throw BoundedFile.tooLarge(file, limitBytes: limitBytes) }
        let node = JSONNode(value: try parse(bytes, file: file), file: file, key: "")
        guard case .object = node.value else { throw notJSON(file, "it is not an object") }
        let version = try node.member("formatVersion")
        let number = try version.integer()
        guard number <= M.newestFormatVersion else {
            throw ModelsError(
                .newerFormat, file: file, key: version.key,
                "the manifest has format version \(number), and this echoel reads up to \(M.newestFormatVersion)",
                remedy: "Update echoel")
        }
        guard number >= 1 else { throw version.invalid("there is no format version \(number)") }
        let manifest = try M(node)
        try manifest.validate(ManifestCheck(file: file))
        return manifest
    }

    private static func parse(_ bytes: [UInt8], file: String) throws(ModelsError) -> JSONValue {
        do throws(JSONParser.Failure) {
            return try JSONParser.parse(bytes)
        } catch {
            throw notJSON(file, "line \(error.line): \(error.reason)")
        }
    }

    private static func notJSON(_ file: String, _ why: String) -> ModelsError {
        ModelsError(
            .notJSON, file: file, "this is not a JSON manifest (\(why))",
            remedy: "Check that it is the file you meant, or export the model again")
    }
}
