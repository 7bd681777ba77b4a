/// A JSON value and where it lies, so that every error names its key.
struct JSONNode {
    let value: JSONValue
    let file: String
    /// Such as `inputs[0].shape[2]`; empty for the whole.
    let key: String

    private func refusal(_ code: ModelsError.Code, _ reason: String) -> ModelsError {
        ModelsError(
            code, file: file, key: key, reason, remedy: "Correct it; Documentation/Models.md lists the keys")
    }

    private func wrongType(_ wanted: String) -> ModelsError {
        refusal(.wrongType, "the value is not \(wanted)")
    }

    /// - Throws: `missingKey`, `wrongType` when this is no object.
    func member(_ name: String) throws(ModelsError) -> JSONNode {
        guard case .object(let members) = value else { throw wrongType("an object") }
        let key = key.isEmpty ? name : "\(key).\(name)"
        guard let value = members[name] else {
            throw ModelsError(
                .missingKey, file: file, key: key, "the key is missing",
                remedy: "Add it; Documentation/Models.md lists the keys")
        }
        return JSONNode(value: value, file: file, key: key)
    }

    /// Nil where the key is missing or null.
    func optional(_ name: String) throws(ModelsError) -> JSONNode? {
        guard case .object(let members) = value else { throw wrongType("an object") }
        switch members[name] {
        case nil, .null: return nil
        case .some: return try member(name)
        }
    }

    func text() throws(ModelsError) -> String {
        guard case .text(let text) = value else { throw wrongType("text") }
        return text
    }

    func bool() throws(ModelsError) -> Bool {
        guard case .bool(let bool) = value else { throw wrongType("true or false") }
        return bool
    }

    func number() throws(ModelsError) -> Double {
        guard case .number(let number) = value else { throw wrongType("a number") }
        return number
    }

    /// Whole numbers are exact up to 2^53, far beyond every limit.
    func integer() throws(ModelsError) -> Int {
        guard case .number(let number) = value else { throw wrongType("a whole number") }
        guard let integer = Int(exactly: number) else {
            throw refusal(.invalidValue, "\(number) is not a whole number, or too large for one")
        }
        return integer
    }

    func list() throws(ModelsError) -> [JSONNode] {
        guard case .list(let elements) = value else { throw wrongType("a list") }
        return elements.enumerated().map { JSONNode(value: $1, file: file, key: "\(key)[\($0)]") }
    }

    func texts() throws(ModelsError) -> [String] { try map { node throws(ModelsError) in try node.text() } }

    func map<T>(_ transform: (JSONNode) throws(ModelsError) -> T) throws(ModelsError) -> [T] {
        var results: [T] = []
        for node in try list() { results.append(try transform(node)) }
        return results
    }

    func object() throws(ModelsError) -> [String: JSONValue] {
        guard case .object(let members) = value else { throw wrongType("an object") }
        return members
    }

    func invalid(_ reason: String) -> ModelsError { refusal(.invalidValue, reason) }
}
