internal import Dispatch

/// Something that cannot be copied, for two threads to have.
public final class Shared<Value: ~Copyable & Sendable>: Sendable {
    public let value: Value
    public init(_ value: consuming Value) { self.value = value }
}

/// What `body` returns, run on a thread that is not one of the few that tasks run on: it may block, and two run at once.
public func onThread<Result: Sendable>(_ body: @escaping @Sendable () -> Result) async -> Result {
    await withCheckedContinuation { continuation in
        DispatchQueue(label: "test").async { continuation.resume(returning: body()) }
    }
}
