extension OnnxRuntimeStatus {
    /// The message as a clause for people: without the call it failed in, the place in ONNX Runtime's source, line
    /// breaks and the full stop, at most 200 characters.
    ///
    /// - Parameter model: the name that the model was opened by.
    func reason(model: String) -> String {
        var text = message.split { $0.isWhitespace || $0.isNewline }.joined(separator: " ")[...]
        text.dropPrefix("Load model from \(model) failed:")
        text.dropSourcePlace()
        while let last = text.last, last == "." || last == " " { text.removeLast() }
        if text.isEmpty { return "no reason given" }
        return text.count > 200 ? text.prefix(200) + "…" : String(text)
    }

    /// For a model of the future: the version it has, and the newest that ONNX Runtime reads.
    var versions: (made: String, reads: String)? {
        if let made = message.number(after: "Unsupported model IR version: "),
            let newest = message.number(after: "max supported IR version: ")
        {
            return ("IR version \(made)", "\(newest)")
        }
        if let made = message.number(after: " Opset "), let newest = message.number(after: " is till opset "),
            made > newest
        {
            return ("opset \(made)", "\(newest)")
        }
        return nil
    }
}

extension Substring {
    fileprivate mutating func dropPrefix(_ prefix: String) {
        guard hasPrefix(prefix) else { return }
        removeFirst(prefix.count)
        while first == " " { removeFirst() }
    }

    /// Drops what ONNX Runtime's macros put before a message: `/src/file.cc:46 void Class::call(const T&) const `.
    fileprivate mutating func dropSourcePlace() {
        guard first == "/", let place = firstIndex(of: " "), self[..<place].contains(":"),
            self[..<place].last?.isNumber == true, let start = self[place...].firstIndex(of: "(")
        else { return }
        var depth = 0
        for index in self[start...].indices {
            if self[index] == "(" { depth += 1 }
            if self[index] == ")" { depth -= 1 }
            guard depth == 0 else { continue }
            var rest = self[self.index(after: index)...]
            rest.dropPrefix(" const")
            while rest.first == " " { rest.removeFirst() }
            if !rest.isEmpty { self = rest }
            return
        }
    }
}

extension String {
    /// The decimal number that follows the first `mark`.
    fileprivate func number(after mark: String) -> Int? {
        var rest = self[...]
        while !rest.isEmpty {
            if rest.hasPrefix(mark) {
                return Int(rest.dropFirst(mark.count).prefix { "0"..."9" ~= $0 })
            }
            rest.removeFirst()
        }
        return nil
    }
}
