import Foundation

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

extension ToolError {
    /// A system call that was to write something at `path` has failed with this `errno`.
    static func writing(_ path: String, _ number: Int32) -> ToolError {
        let why = unsafe strerror(number).map { unsafe String(cString: $0) } ?? "error \(number)"
        let remedy =
            switch number {
            case ENOSPC, EDQUOT: "Free some space there, or choose another folder."
            case ENOENT, ENOTDIR: "Make the folder first, or check the path."
            case EACCES, EPERM, EROFS: "Choose a folder that you may write to."
            default: "Check the disk, or choose another folder."
            }
        return ToolError(.unwritable, "\(path) cannot be written (\(why)). \(remedy)")
    }

    /// What Foundation's error says, in the system's words where it has them.
    static func reason(_ error: any Error) -> String {
        let underlying = (error as NSError).userInfo[NSUnderlyingErrorKey] as? any Error
        return (underlying ?? error).localizedDescription
    }
}

/// Work that a signal broke off; nothing is left of it.
struct Interrupted: Error {
    let signal: Int32
}
