extension InstrumentManifest: Manifest {
    /// The ending of every instrument's file.
    public static let fileSuffix = ".instrument.json"

    /// Reads and checks an instrument's file.
    ///
    /// Room: control.
    /// - Throws: `ModelsError`, naming the file, the key and the remedy.
    public static func read(path: String) throws(ModelsError) -> InstrumentManifest {
        let manifest = try ManifestReader.read(InstrumentManifest.self, path: path)
        let file = path.split(separator: "/").last.map(String.init) ?? path
        guard file == manifest.name + fileSuffix else {
            throw ModelsError(
                .contradiction, file: path, key: "name",
                "the file's name is not that of \(quoted(manifest.name))",
                remedy: "Rename it to \(manifest.name)\(fileSuffix)")
        }
        return manifest
    }

    /// Reads and checks an instrument's JSON.
    ///
    /// Room: control. Any bytes are safe.
    /// - Parameter file: what errors call it.
    /// - Throws: `ModelsError`, naming the file, the key and the remedy.
    public init(json bytes: [UInt8], file: String) throws(ModelsError) {
        self = try ManifestReader.decode(InstrumentManifest.self, bytes: bytes, file: file)
    }

    func validate(_ check: ManifestCheck) throws(ModelsError) {
        try check.name("name", name)
        try check.text("title", title, limit: 200)
        try check.text("family", family, limit: 64)
        try check.integer("lowKey", lowKey, in: 0...127, "a MIDI key")
        try check.integer("highKey", highKey, in: 0...127, "a MIDI key")
        try check.require(lowKey <= highKey, "highKey", "\(highKey) lies below lowKey, \(lowKey)")
        for (index, program) in programs.enumerated() {
            try check.integer("programs[\(index)]", program, in: 0...127, "a General MIDI program")
        }
        try check.unique("programs", programs.map { "\($0)" }, "a program")
        try check.text("licence", licence, limit: 200)
        try check.texts("authors", authors)
        try check.texts("attribution", attribution)
        try validate(decoder, "decoder", check)
        try validate(prior, "prior", check)
        if let encoder { try validate(encoder, "encoder", check) }
        if let instrument { try check.name("instrument", instrument) }
        try check.number("velocityExponent", velocityExponent, in: 0...8, "an exponent")
        try check.number("gain", gain, in: 0...1000, "a linear gain")
        try check.number("releaseSeconds", releaseSeconds, in: 0...60, "a time in seconds")
        if let temperature {
            try check.number("temperature", temperature, in: 0...2, "a scale of movement")
        }
        if let card { try check.fileName("card", card, suffix: ".md") }
    }

    private func validate(_ model: ModelReference, _ key: String, _ check: ManifestCheck) throws(ModelsError)
    {
        try check.fileName("\(key).file", model.file, suffix: ".onnx")
        try check.digest("\(key).sha256", model.sha256)
    }
}
