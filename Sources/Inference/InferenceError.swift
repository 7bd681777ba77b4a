/// What went wrong in the engine: a code to branch on, a sentence that names the thing and the remedy, and the
/// cause below it where there is one.
public struct InferenceError: Error, Sendable, CustomStringConvertible {
    public var code: Code
    /// One sentence or two for a person: what failed, on which thing, and what to do about it.
    public var message: String
    /// The error below this one: an `OnnxRuntimeStatus`, a `LiteRTStatus`, a `LibraryLoaderError`, a `SystemCallError`, another
    /// `InferenceError`, or nil.
    public var underlying: (any Error)?

    public init(_ code: Code, _ message: String, underlying: (any Error)? = nil) {
        self.code = code
        self.message = message
        self.underlying = underlying
    }

    public var description: String { message }
}

extension InferenceError {
    /// The kinds of failure. New ones may be added: a `switch` needs a `default`.
    public struct Code: Hashable, Sendable, CustomStringConvertible {
        public let description: String

        private init(_ description: String) { self.description = description }

        /// No ONNX Runtime, or LiteRT, library where it was looked for.
        public static let libraryNotFound = Code("libraryNotFound")
        /// The library is ONNX Runtime, or LiteRT, but lacks what the engine calls.
        public static let libraryTooOld = Code("libraryTooOld")
        /// The file is not an ONNX Runtime library for this machine.
        public static let notOnnxRuntime = Code("notOnnxRuntime")
        /// The file is not a LiteRT library for this machine.
        public static let notLiteRT = Code("notLiteRT")
        /// The acceleration that was asked for cannot be had.
        public static let accelerationUnavailable = Code("accelerationUnavailable")
        /// No file at the model's path.
        public static let modelNotFound = Code("modelNotFound")
        /// The file is there, but is no model that can be loaded.
        public static let modelUnreadable = Code("modelUnreadable")
        /// No model was ever loaded under that name.
        public static let unknownModel = Code("unknownModel")
        /// The model of that name has been unloaded.
        public static let modelNotLoaded = Code("modelNotLoaded")
        /// The model has no input or output of that name, or one that it needs was not given.
        public static let unknownTensor = Code("unknownTensor")
        /// A tensor's shape is not what the model takes, or not what its memory holds.
        public static let shapeMismatch = Code("shapeMismatch")
        /// A tensor's element type is not what the model takes, or not one that the engine runs.
        public static let typeUnsupported = Code("typeUnsupported")
        /// The model computes NaN or infinity.
        public static let nonFinite = Code("nonFinite")
        /// ONNX Runtime, or LiteRT, refused or broke off a run.
        public static let runFailed = Code("runFailed")
        /// The work was cancelled before it began.
        public static let cancelled = Code("cancelled")
        /// The engine was used before `initialize`.
        public static let notInitialized = Code("notInitialized")
        /// An argument is out of its range.
        public static let invalidArgument = Code("invalidArgument")
        /// Memory or another resource of the system ran out.
        public static let outOfResources = Code("outOfResources")
    }
}

/// ONNX Runtime's own account of a failure.
public struct OnnxRuntimeStatus: Error, Sendable, CustomStringConvertible {
    /// `OrtErrorCode`: 1 fail, 2 invalid argument, 3 no such file, 6 exception, 7 invalid protobuf, 9 not
    /// implemented, 10 invalid graph, …
    public let code: Int
    public let message: String

    public var description: String { message }
}

/// Why the system's loader did not open a shared library.
public struct LibraryLoaderError: Error, Sendable, CustomStringConvertible {
    /// The loader's own words.
    public let message: String

    public var description: String { message }
}

/// A system call's failure.
public struct SystemCallError: Error, Sendable, CustomStringConvertible {
    public let call: String
    /// The C library's `errno`.
    public let number: Int32

    public var description: String { "\(call): \(systemMessage(number))" }
}
