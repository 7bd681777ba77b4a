/// Why a device could not be used: a sentence that names the thing and the remedy.
public struct DeviceError: Error, Sendable, Equatable, CustomStringConvertible {
    public struct Code: Sendable, Hashable {
        let name: String
        /// The system's library for the device is not installed.
        public static let missingLibrary = Code(name: "missingLibrary")
        /// No server runs.
        public static let noServer = Code(name: "noServer")
        /// The server refused what was asked of it.
        public static let refused = Code(name: "refused")
        /// The device runs at a sample rate, or in blocks, that the instruments cannot be played in.
        public static let unsuitable = Code(name: "unsuitable")
    }

    public let code: Code
    public let description: String

    init(_ code: Code, _ description: String) {
        self.code = code
        self.description = description
    }
}
