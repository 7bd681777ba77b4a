/// A channel's pitch bend over the slice that is being rendered.
struct BendCurve {
    private var before: Float = 0
    private var changes: [(time: Int, semitones: Float)] = []

    init(capacity: Int) { changes.reserveCapacity(capacity) }

    /// Appends a change; times never go back. When the room is used up, the last change is replaced.
    mutating func append(time: Int, semitones: Float) {
        if changes.count == changes.capacity { changes.removeLast() }
        changes.append((time, semitones))
    }

    /// What has been bent by `time`, in semitones.
    func semitones(at time: Int) -> Float {
        var value = before
        for change in changes {
            if change.time > time { break }
            value = change.semitones
        }
        return value
    }

    /// Forgets the changes; the last one holds on.
    mutating func endSlice() {
        if let last = changes.last { before = last.semitones }
        changes.removeAll(keepingCapacity: true)
    }
}
