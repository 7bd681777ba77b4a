/// Zeroed, 64-byte aligned memory for float32 elements, that bound runs read and write in place.
///
/// It has no lock: whoever shares one between threads orders their access (a run counts as an access).
///
/// Room: `init` control; the memory itself any.
@safe public final class TensorBuffer: @unchecked Sendable {
    // Sendable: the address never changes, and the contents are ordered by the users, as said above.
    /// Elements.
    public let count: Int
    /// Valid for `count` elements while the buffer lives.
    public let base: UnsafeMutablePointer<Float>

    /// Bytes that every buffer's address is a multiple of: a cache line, and the widest vector.
    public static let alignment = 64

    /// - Parameter count: elements, 0 or more.
    public init(count: Int) {
        precondition(count >= 0, "a buffer of \(count) elements")
        self.count = count
        let bytes = Swift.max(count, 1) * MemoryLayout<Float>.stride
        let memory = UnsafeMutableRawPointer.allocate(byteCount: bytes, alignment: Self.alignment)
        unsafe base = unsafe memory.bindMemory(to: Float.self, capacity: Swift.max(count, 1))
        unsafe base.initialize(repeating: 0, count: Swift.max(count, 1))
    }

    deinit { unsafe UnsafeMutableRawPointer(base).deallocate() }

    /// The elements, to read.
    public func withSpan<R, E>(_ body: (Span<Float>) throws(E) -> R) throws(E) -> R {
        try unsafe body(Span(_unsafeStart: base, count: count))
    }

    /// The elements, to write.
    public func withMutableSpan<R, E>(_ body: (inout MutableSpan<Float>) throws(E) -> R) throws(E) -> R {
        var span = unsafe MutableSpan(_unsafeStart: base, count: count)
        return try body(&span)
    }

    /// Whether the first `count` elements are neither NaN nor infinite.
    func isFinite(_ count: Int) -> Bool {
        // Zero times what is not finite is NaN, and stays it in a sum.
        var sum = SIMD8<Float>.zero
        var index = 0
        while index + 8 <= count {
            for lane in 0..<8 { unsafe sum[lane] += base[index + lane] * 0 }
            index += 8
        }
        var rest: Float = 0
        while index < count {
            unsafe rest += base[index] * 0
            index += 1
        }
        return (sum.sum() + rest) == 0
    }

    /// Sets every element.
    public func fill(_ value: Float) { unsafe base.update(repeating: value, count: count) }
}
