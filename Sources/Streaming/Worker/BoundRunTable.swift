internal import Inference

/// A fixed table of bound runs, one per shape.
@safe struct BoundRunTable: ~Copyable {
    private let storage: UnsafeMutableBufferPointer<BoundRun?>

    init(count: Int) {
        unsafe storage = .allocate(capacity: count)
        for i in 0..<count { unsafe storage.initializeElement(at: i, to: nil) }
    }

    deinit {
        unsafe storage.deinitialize()
        unsafe storage.deallocate()
    }

    mutating func set(_ index: Int, _ run: consuming BoundRun) { unsafe storage[index] = consume run }

    func run(_ index: Int) throws(InferenceError) { try unsafe storage[index]!.run() }
}
