/// Memory of which nothing keeps two threads apart but what is tested.
@safe public final class UnguardedMemory<Element>: @unchecked Sendable {
    // Sendable: that is the claim of whoever tests.
    public let first: UnsafeMutablePointer<Element>
    private let count: Int

    public init(_ count: Int, repeating element: Element) {
        self.count = count
        unsafe first = .allocate(capacity: count)
        unsafe first.initialize(repeating: element, count: count)
    }

    deinit {
        unsafe first.deinitialize(count: count)
        unsafe first.deallocate()
    }
}
