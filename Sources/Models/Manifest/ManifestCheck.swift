/// The rules that values of both manifests obey; each failure names the file and the key.
struct ManifestCheck {
    let file: String

    func refusal(_ key: String, _ reason: String, remedy: String = "Correct it") -> ModelsError {
        ModelsError(.invalidValue, file: file, key: key, reason, remedy: remedy)
    }

    func require(_ condition: Bool, _ key: String, _ reason: @autoclosure () -> String) throws(ModelsError) {
        guard condition else { throw refusal(key, reason()) }
    }

    func missing(_ key: String, for what: String) -> ModelsError {
        ModelsError(
            .missingKey, file: file, key: key, "the key is missing, and \(what) needs it",
            remedy: "Add it; Documentation/Models.md lists the keys")
    }

    /// A whole number in a range.
    func integer(_ key: String, _ value: Int, in range: ClosedRange<Int>, _ what: String) throws(ModelsError)
    {
        try require(
            range.contains(value), key, "\(value) is not \(what), \(range.lowerBound)…\(range.upperBound)")
    }

    /// A finite number in a range.
    func number(_ key: String, _ value: Double, in range: ClosedRange<Double>, _ what: String)
        throws(ModelsError)
    {
        try require(
            value.isFinite && range.contains(value), key,
            "\(value) is not \(what), \(range.lowerBound)…\(range.upperBound)")
    }

    /// A name that a command line, a file name and a tensor column can carry.
    func name(_ key: String, _ value: String) throws(ModelsError) {
        let isPlain =
            1...64 ~= value.count && value.first != "." && value.first != "-"
            && value.allSatisfy { $0.isASCIILetter || $0.isASCIIDigit || "_-.".contains($0) }
        try require(
            isPlain, key, "\(quoted(value)) is not a name (letters, digits, _ - and ., at most 64)")
    }

    /// Text for people, on one line.
    func text(_ key: String, _ value: String, limit: Int = 1000) throws(ModelsError) {
        try require(!value.isEmpty, key, "the text is empty")
        try require(value.count <= limit, key, "the text is longer than \(limit) characters")
        try require(!value.contains(where: \.isControl), key, "\(quoted(value)) contains control characters")
    }

    /// A list of texts.
    func texts(_ key: String, _ values: [String]?) throws(ModelsError) {
        for (index, value) in (values ?? []).enumerated() { try text("\(key)[\(index)]", value) }
    }

    /// A file in the same folder: no separators, no `..`, nothing hidden.
    func fileName(_ key: String, _ value: String, suffix: String) throws(ModelsError) {
        let isPlain =
            value.count <= 128 && value.first != "."
            && value.allSatisfy { $0.isASCIILetter || $0.isASCIIDigit || "_-.".contains($0) }
        try require(
            isPlain && !value.contains(".."), key,
            "\(quoted(value)) is not the name of a file in the same folder (letters, digits, _ - and .)")
        try require(
            value.hasSuffix(suffix) && value.count > suffix.count, key,
            "\(quoted(value)) does not end in \(suffix)")
    }

    func digest(_ key: String, _ value: String) throws(ModelsError) {
        let isDigest =
            value.utf8.count == 64
            && value.allSatisfy { $0.isASCIIDigit || "a"..."f" ~= $0 || "A"..."F" ~= $0 }
        try require(isDigest, key, "\(quoted(value)) is not a SHA-256: 64 hex digits")
    }

    /// No two equal.
    func unique(_ key: String, _ values: [String], _ what: String) throws(ModelsError) {
        var seen: Set<String> = []
        for (index, value) in values.enumerated() {
            try require(
                seen.insert(value).inserted, "\(key)[\(index)]", "\(quoted(value)) is there twice as \(what)")
        }
    }
}
