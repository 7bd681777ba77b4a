import CAllocationCounter

/// Whether heap allocations can be counted in this build: not under a sanitizer, nor without glibc.
public let allocationsCanBeCounted = allocation_counter_works() != 0

/// The heap allocations that `body` makes on the calling thread.
public func allocations<E>(_ body: () throws(E) -> Void) throws(E) -> Int {
    allocation_counter_start()
    defer { _ = allocation_counter_stop() }
    try body()
    return Int(allocation_counter_stop())
}

/// The same, and apart from them those that ONNX Runtime makes for itself.
public func allocationsApart<E>(_ body: () throws(E) -> Void) throws(E) -> (ours: Int, runtime: Int) {
    let all = try allocations(body)
    let runtime = Int(allocation_counter_runtime())
    return (all - runtime, runtime)
}
