internal import Realtime

/// Messages of a driver that tells when each came by the clock instead of by a frame. Each is played a block after it came, at
/// the frame of its time, so that what comes in while a block is played is as late as what comes in before.
///
/// Room: `push` the driver's thread, one; `take` audio; `init` and `deinit` control.
struct ClockedMessages: ~Copyable, Sendable {
    private struct Clocked: BitwiseCopyable, Sendable {
        var nanoseconds: Int64
        var message: ChannelMessage
    }

    private let queue = EventQueue<Clocked>(
        minimumCapacity: 1 << 12,
        blank: Clocked(nanoseconds: 0, message: ChannelMessage(status: 0, data1: 0, data2: 0)))

    init() {}

    /// False, and nothing changed, where there is no room.
    @_noLocks
    func push(_ message: ChannelMessage, at nanoseconds: Int64) -> Bool {
        queue.push(Clocked(nanoseconds: nanoseconds, message: message))
    }

    /// Adds to `block` what belongs to it: a block of so many frames, which began at that time.
    @_noLocks
    func take(into block: inout DeviceBlock, began: Int64, frames: Int, sampleRate: Double) {
        while let next = queue.peek() {
            let before = Double(began - next.nanoseconds) * 1e-9 * sampleRate
            if before <= 0 { return }
            // What is older than the block is long has waited long enough.
            let offset = before < Double(frames) ? Int(Double(frames) - before) : 0
            block.add(
                offset: offset, status: next.message.status, data1: next.message.data1,
                data2: next.message.data2)
            _ = queue.pop()
        }
    }
}
