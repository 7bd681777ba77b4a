/// Why a command failed, where no other target has said so: a sentence that names the thing and the remedy.
struct ToolError: Error, CustomStringConvertible {
    /// What went wrong, to branch on.
    struct Code: Hashable {
        let name: String

        /// A file that is not a NumPy array.
        static let notNumPy = Code(name: "notNumPy")
        /// A NumPy array that a model cannot take.
        static let unsupportedArray = Code(name: "unsupportedArray")
        /// A model that lacks what the command line names, or needs what it does not give.
        static let wrongTensors = Code(name: "wrongTensors")
        /// A file that is not a list of notes.
        static let badList = Code(name: "badList")
        /// A file that cannot be written.
        static let unwritable = Code(name: "unwritable")
        /// What was asked for does not fit what there is.
        static let unusable = Code(name: "unusable")
    }

    let code: Code
    let description: String

    init(_ code: Code, _ description: String) {
        self.code = code
        self.description = description
    }
}

/// Work that a signal broke off; nothing is left of it.
struct Interrupted: Error {
    let signal: Int32
}
